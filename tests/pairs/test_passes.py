"""One pass over samples: the same answers as with all layers in memory, whatever the pass."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import visavis as vv

MEASURES = [
    "cka",
    "cka(estimator=biased)",
    "hsic",
    "cca",
    "svcca",
    "pwcca",
    "linear_regression",
    "canonical_ridge(kappa=(1.0, 2.0))",
]
N = 6000
# Both sides have 5.8 MB; the sums of their pairs and a batch of rows have less.
MEMORY = "3MB"


def layers(seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    common = np.random.default_rng(9).normal(size=(N, 8))
    return {
        f"{seed}-{k}": np.asarray(
            5 + k + common @ rng.normal(size=(8, 20 + k)) + rng.normal(size=(N, 20 + k)), dtype
        )
        for k in range(3)
    }


A, B = layers(0), layers(1)


def compared(*sides, **options):
    options = {"measures": MEASURES, "progress": False, "level": None} | options
    return vv.compare(*sides, **options)


def forms(found):
    return {each.plan["form"] for each in found.values()}


def equal(found, expected, **tolerance):
    tolerance = {"rtol": 2e-6, "atol": 2e-6} | tolerance
    for label, each in expected.items():
        np.testing.assert_allclose(found[label].values, each.values, **tolerance, err_msg=label)
        if each.chance is not None:
            np.testing.assert_allclose(found[label].chance, each.chance, **tolerance)


@pytest.mark.parametrize("sides", [(A, B), (A,)], ids=["two sets", "a set with itself"])
def test_one_pass_gives_what_whole_layers_give(sides):
    found = compared(*sides, memory=MEMORY)
    assert forms(found) == {"moments"}
    expected = compared(*sides)
    assert "moments" not in forms(expected)
    equal(found, expected)


def test_the_rows_of_a_batch_change_nothing():
    few, many = (compared(A, B, memory=memory) for memory in ("2MB", "5MB"))
    assert few["cka"].plan["rows"] < many["cka"].plan["rows"]
    equal(few, many)


# Not forked: other tests have loaded libraries that have threads.
SPAWNED = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, SPAWNED], ids=["threads", "processes"])
def test_on_workers_it_is_the_same(pool):
    with pool(2) as executor:
        found = compared(A, B, memory="12MB", executor=executor)
    assert forms(found) == {"moments"}
    assert found["cka"].plan["tasks"] > 1
    equal(found, compared(A, B))


def test_many_narrow_samples_are_never_met_pair_by_pair():
    # Without a budget: on workers, tiles would take n² operations for each feature.
    with ThreadPoolExecutor(2) as executor:
        plan = vv.plan(A, B, measures=["cka", "cka(kernel=rbf)"], executor=executor)
    assert [part.form for part in plan.parts] == ["moments", "tiles"]


def test_sums_of_wide_layers_are_never_taken_unasked():
    # They would take 6 GB, of layers of 77 MB: on workers there is no budget that forbids it.
    wide = {str(k): np.zeros((1000, 768), np.float32) for k in range(25)}
    with ThreadPoolExecutor(2) as executor:
        plan = vv.plan(wide, measures=["cca", "svcca", "cka"], executor=executor)
    assert "moments" not in {part.form for part in plan.parts}
    assert plan.memory < 5e9


def test_an_interrupted_pass_goes_on(tmp_path):
    found = compared(A, B, memory=MEMORY, checkpoint=tmp_path)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) > 1
    kept[0].unlink()
    kept[1].write_bytes(kept[1].read_bytes()[:100])
    again = compared(A, B, memory=MEMORY, checkpoint=tmp_path)
    equal(again, found, rtol=0, atol=0)
    other = compared(A, layers(2), memory=MEMORY, checkpoint=tmp_path)
    equal(other, compared(A, layers(2)))


def test_a_layer_that_is_dead_or_broken_spoils_only_itself():
    dead = {"dead": np.full((N, 20), 3, np.float32), "broken": A["0-0"].copy(), **A}
    dead["broken"][4321, 7] = np.nan
    found = compared(dead, B, memory=MEMORY)
    assert forms(found) == {"moments"}
    expected = compared(dead, B)
    equal(found, expected)
    for label in found:
        told = [(each.code, each.message) for each in expected[label].findings]
        assert [(each.code, each.message) for each in found[label].findings] == told
        assert np.isnan(found[label].values[1]).all()


def test_large_means_and_scales_are_no_matter():
    moved = {
        name: (X * np.float32(1e-3) + np.float32(50)) * np.float32(1e18) for name, X in A.items()
    }
    scaled = {name: X.astype(np.float64) for name, X in moved.items()}
    found = compared(moved, B, memory=MEMORY, measures=["cka"])
    assert forms(found) == {"moments"}
    equal(found, compared(scaled, B, measures=["cka"]), atol=1e-5)


def test_sides_of_two_precisions_meet():
    found = compared(layers(0, np.float64), B, memory="4MB", measures=["cka", "hsic"])
    assert forms(found) == {"moments"}
    equal(found, compared(layers(0, np.float64), B, measures=["cka", "hsic"]))


def test_axes_of_double_precision_are_not_taken_from_sums():
    # Roots of eigenvalues would not see directions that these have.
    double = layers(0, np.float64), layers(1, np.float64)
    assert "moments" not in forms(compared(*double, memory="15MB", measures=["cca"]))


def test_a_result_says_why_it_has_no_interval():
    found = compared(A, B, memory=MEMORY, measures=["cka"], level=0.95)
    assert "second pass" in found["cka"].plan["intervals"]
    assert found["cka"].low is None or np.isnan(found["cka"].low).all()


STREAMED = """
import sys
import numpy as np, zarr, visavis as vv
def peak():
    lines = open("/proc/self/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
def opened(names):
    return {name: zarr.open_array(f"{sys.argv[1]}/{name}.zarr", mode="r") for name in names}
measures = ["cka", "cca"]
vv.compare(opened(["small"]), measures=measures, memory="2MB", progress=False)
before = peak()
found = vv.compare(opened(["x", "y"]), measures=measures, memory="40MB", progress=False)
print(found["cka"].plan["form"], found["cca"].plan["form"], peak() - before, found["cka"]["x", "y"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_arrays_on_disk_are_never_held(tmp_path):
    zarr = pytest.importorskip("zarr")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400_000, 64), dtype=np.float32)
    y = x[:, :32] + rng.standard_normal((400_000, 32), dtype=np.float32)
    for name, held in {"x": x, "y": y, "small": x[:2000]}.items():
        made = zarr.create_array(
            str(tmp_path / f"{name}.zarr"),
            shape=held.shape,
            chunks=(4096, held.shape[1]),
            dtype="f4",
        )
        made[:] = held
    script = tmp_path / "streamed.py"
    script.write_text(STREAMED, "utf-8")
    run = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=True
    )
    by_cka, by_cca, taken, value = run.stdout.split()
    assert by_cka == by_cca == "moments"
    assert int(taken) < 40e6  # the layers have 154 MB
    assert float(value) == pytest.approx(float(vv.cka(x, y)), abs=1e-6)
