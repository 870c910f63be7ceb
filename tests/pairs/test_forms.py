"""Every way to compute a comparison gives the same values, findings and chance levels."""

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import visavis as vv
from visavis.pairs import run, sides
from visavis.store import writer

ROOT = Path(__file__).parents[2]
N = 300
RBF = "cka(kernel=rbf, estimator=biased)"
MEASURES = [
    "cka",
    RBF,
    "hsic(kernel=(linear, cosine))",
    "procrustes",
    "linear_regression",
]
BUDGET = "1.2MB"
# Not forked: other tests have loaded libraries that have threads.
SPAWN = multiprocessing.get_context("spawn")


def layers(count, seed, dtype="float32"):
    """Layers that share a part, one that is dead and one with a NaN."""
    rng = np.random.default_rng(seed)
    shared = np.random.default_rng(99).normal(size=(N, 8))
    made = {
        f"layer{k}": shared @ rng.normal(size=(8, 12 + k)) + rng.normal(size=(N, 12 + k)) + 3
        for k in range(count)
    }
    made["dead"] = np.ones((N, 5))
    made["broken"] = made["layer0"].copy()
    made["broken"][7, 2] = np.nan
    return {name: X.astype(dtype) for name, X in made.items()}


A, B = layers(4, 0), layers(3, 1)


def compared(*given, **options):
    return vv.compare(*given, **({"measures": MEASURES, "progress": False} | options))


def equal(found, expected, rtol=2e-6):
    for label, one in expected.items():
        other = found[label]
        np.testing.assert_allclose(other.values, one.values, rtol=rtol, atol=1e-7)
        levels = [each.chance for each in (one, other)]
        assert (levels[0] is None) == (levels[1] is None)
        if levels[0] is not None:
            np.testing.assert_allclose(levels[1], levels[0], rtol=rtol, atol=1e-7)
        assert [str(each) for each in other.findings] == [str(each) for each in one.findings]


class Counting(Executor):
    """An executor that runs tasks at once, as another process would: sent and received."""

    def __init__(self, stop_after=None):
        self.sizes, self._left = [], stop_after

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        if self._left is not None and len(self.sizes) >= self._left:
            future.set_exception(KeyboardInterrupt())
            return future
        sent = pickle.dumps((fn, args, kwargs))
        self.sizes.append(len(sent))
        fn, args, kwargs = pickle.loads(sent)
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("given", [(A, B), (A,)], ids=["two", "itself"])
class TestTheSame:
    def test_in_little_memory(self, given):
        whole = compared(*given)
        small = compared(*given, memory=BUDGET)
        equal(small, whole)
        forms = [small[label].plan["form"] for label in ("cka", RBF, "linear_regression")]
        assert forms == ["moments", "tiles", "moments"]
        grouped = compared(
            *given, measures=["procrustes"], memory=("0.45MB", "0.6MB")[len(given) - 1]
        )
        assert grouped["procrustes"].plan["groups"] != [1, 1]
        equal(grouped, {"procrustes": whole["procrustes"]})

    def test_in_threads(self, given):
        with ThreadPoolExecutor(2) as executor:
            equal(compared(*given, executor=executor), compared(*given))

    def test_in_processes(self, given):
        with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
            equal(compared(*given, executor=executor), compared(*given))

    def test_kept_and_read_again(self, given, tmp_path, monkeypatch):
        first = compared(*given, checkpoint=tmp_path / "kept")
        equal(first, compared(*given))
        assert list((tmp_path / "kept").glob("*.npz"))
        # Nothing is computed again.
        for name in ("visavis.pairs.blocks._block", "visavis.pairs.sweep._add"):
            monkeypatch.setattr(name, lambda *_: pytest.fail("computed again"))
        second = compared(*given, checkpoint=tmp_path / "kept")
        for label in first:
            np.testing.assert_array_equal(second[label].values, first[label].values)
            assert second[label].to_dict() == first[label].to_dict()


@pytest.mark.parametrize("rows", [32, 75, 300])
@pytest.mark.parametrize(
    "kernel",
    ["linear", "rbf(0.4)", 'rbf(0.8, median="all")', "laplacian", "cosine", "polynomial(2)"],
)
@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_of_any_size(rows, kernel, estimator, dtype, monkeypatch):
    planning = sys.modules["visavis.pairs.planning"]
    monkeypatch.setattr(planning, "TILE_ROWS", rows)
    # Of so few features one pass over the samples would be less work.
    monkeypatch.setattr(planning, "_passes", lambda *_: False)
    a, b = layers(2, 0, dtype), layers(2, 1, dtype)
    spec = f"cka(kernel={kernel}, estimator={estimator})"
    expected = vv.compare(a, b, measure=spec, progress=False)
    found = vv.compare(a, b, measure=spec, progress=False, memory="20MB", executor=Counting())
    assert found.plan["form"] == "tiles"
    tolerance = 1e-11 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(found.values, expected.values, rtol=tolerance, atol=tolerance)


def test_many_samples_bracket_the_median_exactly():
    rng = np.random.default_rng(0)
    X = rng.standard_t(3, size=(1300, 3)) * np.geomspace(1, 50, 1300)[:, None]  # not exchangeable
    Y = rng.normal(size=(1300, 4))
    whole = vv.compare({"x": X}, {"y": Y}, measure="cka(kernel=rbf)")
    tiles = vv.compare({"x": X}, {"y": Y}, measure="cka(kernel=rbf)", memory="12MB")
    assert (whole.plan["form"], tiles.plan["form"]) == ("gram", "tiles")
    assert tiles.values[0, 0] == pytest.approx(whole.values[0, 0], rel=1e-11)


def test_a_row_that_outweighs_the_others_is_swept_in_float64():
    X = np.random.default_rng(0).normal(size=(N, 6)).astype("float32")
    Y = X @ np.random.default_rng(1).normal(size=(6, 5)).astype("float32")
    X[3] *= 1e4
    Y[3] *= 1e4
    exact = vv.cka(X.astype(float), Y.astype(float))
    found = vv.compare({"x": X}, {"y": Y}, executor=Counting())
    assert found.values[0, 0] == pytest.approx(float(exact), abs=1e-6)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries(library):
    if library == "jax":
        jnp = pytest.importorskip("jax.numpy")
        a, b = ({name: jnp.asarray(X) for name, X in side.items()} for side in (A, B))
    else:
        a, b = ({name: torch.tensor(X) for name, X in side.items()} for side in (A, B))
    equal(compared(a, b, memory=BUDGET), compared(A, B))


# What stands on disk.


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Two stores of several shards, and the activations in them."""
    monkeypatch.setattr(writer, "SHARD_BYTES", 20_000)
    loader = list(torch.randn(N, 6, generator=torch.Generator().manual_seed(0)).split(50))
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 30), nn.Tanh())
        vv.extract(net, loader, into=tmp_path / f"run{seed}", progress=False)
    return tmp_path / "run1", tmp_path / "run2"


def test_stores_in_little_memory(stores):
    equal(compared(*stores, memory="2.4MB"), compared(*stores))


def test_nothing_of_a_store_is_sent(stores):
    engine = Counting()
    equal(compared(*stores, executor=engine), compared(*stores))
    layer = N * 40 * 4
    assert len(engine.sizes) > 8
    # Not even a layer: a few numbers for each sample of all eight.
    assert max(engine.sizes) < layer / 2
    held = [dict(vv.load(path)) for path in stores]
    other = Counting()
    compared(*held, executor=other)
    assert max(other.sizes) > layer


def test_a_store_that_was_written_again_is_noticed(stores):
    layers = sides.Matrices(vv.load(stores[0]).layers, "a")
    sent = pickle.dumps(layers)
    manifest = stores[0] / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**content, "note": 1}), "utf-8")
    with pytest.raises(vv.StoreFormatError, match="is not what it was when the work was planned"):
        pickle.loads(sent)


@pytest.mark.parametrize("memory", [None, "1.2MB"])
@pytest.mark.parametrize("library", ["dask", "zarr", "h5py"])
def test_arrays_out_of_core(library, memory, tmp_path):
    def kept(side, name):
        if library == "dask":
            dask = pytest.importorskip("dask.array")
            return {layer: dask.from_array(X, chunks=(70, 5)) for layer, X in side.items()}
        if library == "zarr":
            zarr = pytest.importorskip("zarr")
            group = zarr.open_group(str(tmp_path / name), mode="w")
            for layer, X in side.items():
                group.create_array(layer, data=X, chunks=(70, 5))
            return {layer: group[layer] for layer in side}
        h5py = pytest.importorskip("h5py")
        file = h5py.File(tmp_path / f"{name}.h5", "w")
        for layer, X in side.items():
            file[layer] = X
        return {layer: file[layer] for layer in side}

    equal(compared(kept(A, "a"), kept(B, "b"), memory=memory), compared(A, B))


def test_arrays_out_of_core_of_different_lengths():
    dask = pytest.importorskip("dask.array")
    side = {"x": dask.zeros((30, 2)), "y": dask.zeros((31, 2))}
    with pytest.raises(ValueError, match="same number of rows in every layer, got 30 in 'x', 31"):
        vv.compare(side)


# Interruptions.


def test_an_interrupted_run_goes_on(tmp_path):
    folder = tmp_path / "kept"
    engine = Counting(stop_after=16)
    with pytest.raises(KeyboardInterrupt) as caught:
        compared(A, B, executor=engine, checkpoint=folder)
    assert any("run it again" in note for note in caught.value.__notes__)
    before = len(list(folder.glob("*.npz")))
    assert before > 0
    again = Counting()
    found = compared(A, B, executor=again, checkpoint=folder)
    whole = Counting()
    expected = compared(A, B, executor=whole)
    # Finding out what a sweep must know is not kept, finished parts are.
    assert len(whole.sizes) - len(again.sizes) == before
    for label in expected:
        np.testing.assert_array_equal(found[label].values, expected[label].values)


def test_what_is_kept_of_other_data_is_not_taken(tmp_path):
    compared(A, B, checkpoint=tmp_path)
    changed = {**A, "layer1": A["layer1"] * np.linspace(1, 2, N, dtype="float32")[:, None]}
    equal(compared(changed, B, checkpoint=tmp_path), compared(changed, B))


def test_a_damaged_file_is_computed_again(tmp_path):
    expected = compared(A, B, checkpoint=tmp_path)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:-40])
    found = compared(A, B, checkpoint=tmp_path)
    for label in expected:
        np.testing.assert_array_equal(found[label].values, expected[label].values)


def _again_and_again(executor, folder):
    """Compare until the worker is gone, which it is soon."""
    for seed in range(10):
        compared(A, layers(3, seed), executor=executor, checkpoint=folder)


def test_a_killed_process_is_an_error_that_says_what_is_kept(tmp_path):
    with ProcessPoolExecutor(1, mp_context=SPAWN) as executor:
        executor.submit(int).result()
        (worker,) = executor._processes
        timer = threading.Timer(0.05, os.kill, (worker, signal.SIGKILL))
        timer.start()
        with pytest.raises(BrokenProcessPool) as caught:
            _again_and_again(executor, tmp_path)
        timer.join()
    assert any("run it again" in note for note in caught.value.__notes__)
    equal(compared(A, B, checkpoint=tmp_path), compared(A, B))


def test_dask_loses_a_worker_and_finishes(stores):
    distributed = pytest.importorskip("distributed")
    expected = compared(*stores)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = []

        def kill_one():
            pid = next(iter(client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

        engine = client.get_executor()
        # In the middle: after the first tasks were handed out.
        timer = threading.Timer(0.3, kill_one)
        timer.start()
        found = compared(*stores, executor=engine)
        timer.join()
        assert killed
    equal(found, expected)


# What a plan says, and whether it is kept.

MEMORY = """
import sys
sys.path.insert(0, {root!r})
import numpy as np, visavis as vv
paths = {paths!r}
vv.compare(*paths, measures={measures!r}, memory="3MB", progress=False)  # everything is loaded
def peak():
    lines = open("/proc/self/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
rng = np.random.default_rng(0)
big = {{f"l{{k}}": rng.standard_normal((4000, 64), dtype="float32") for k in range(6)}}
before = peak()
vv.compare(big, measure="cka(kernel=rbf)", memory="60MB", progress=False)
print(peak() - before)
before = peak()
vv.compare(big, measure="cka(kernel=rbf)", progress=False)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from there")
def test_the_budget_is_kept(stores):
    code = MEMORY.format(root=str(ROOT), paths=[str(each) for each in stores], measures=MEASURES)
    shell = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    small, whole = (int(line) for line in shell.stdout.split())
    # Six Gram matrices of 4000 x 4000 are 384 MB, on top of which the first run had been already.
    assert whole > 384e6 - 60e6
    assert small < 60e6


def test_a_plan_is_a_value_that_can_be_read():
    plan = vv.plan(A, B, measures=MEASURES, memory=BUDGET)
    text = str(plan)
    assert text.startswith("6 x 5 layers, 300 samples: about ")
    assert "(budget 1.2 MB)" in text
    assert "cka, linear_regression: moments of 300 rows" in text
    assert f"{RBF}: tiles of " in text
    assert plan.memory <= 1.2e6
    assert plan.seconds > 0
    found = dict(compared(A, B, memory=BUDGET)["cka"].plan)
    assert found.pop("intervals").startswith("none: they take a second pass")
    assert found == plan.of(vv.registry["cka"])


@pytest.mark.parametrize("memory", ["lots", "-1", 0, True, "4XB"])
def test_memory_that_cannot_be_read(memory):
    with pytest.raises(ValueError, match="`memory` must be a number of bytes, or a text such as"):
        vv.plan(A, B, memory=memory)


def test_memory_that_is_too_little():
    with pytest.raises(ValueError, match=r"`memory` must be at least .* got 10.0 kB"):
        vv.compare(A, B, measure="procrustes", memory="10kB")
    with pytest.raises(ValueError, match=r"`memory` must be at least .* got 10.0 kB"):
        vv.compare(A, B, memory="10kB")


def test_threads_of_products_are_limited_where_that_is_possible():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with run.limited(1):
        seen = [each["num_threads"] for each in threadpoolctl.threadpool_info()]
    assert set(seen) == {1}
    with run.limited(None):
        pass


def test_an_engine_knows_its_workers():
    with ThreadPoolExecutor(3) as executor:
        assert run.Engine(executor).workers == 3
    assert run.Engine().workers == 1
