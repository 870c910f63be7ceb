"""Extraction into a store: what comes back, after an end at any moment and from many workers."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from torch import nn

import visavis as vv
from visavis.store import open_store, writer

HERE = Path(__file__).parents[2]


def net(width=6, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 3))


def batches(n=40, size=7):
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(1))
    return list(x.split(size))


def content(folder):
    """The checksum of every file of a store but temporary ones."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).iterdir())
        if not path.name.startswith(".")
    }


@pytest.fixture(params=[1, 300, 2**26], ids=["every batch", "some batches", "one shard"])
def shard_bytes(request, monkeypatch):
    monkeypatch.setattr(writer, "SHARD_BYTES", request.param)


def equal(stored, held):
    assert list(stored) == list(held)
    assert (stored.ids, stored.digests, stored.groups) == (held.ids, held.digests, held.groups)
    assert stored.findings == held.findings
    assert (stored.pool, stored.shuffled) == (held.pool, held.shuffled)
    for name in held:
        np.testing.assert_array_equal(stored[name], held[name].numpy())


@pytest.mark.parametrize("ids", [None, list(range(100, 140)), [f"é{i}" for i in range(40)]])
def test_what_was_stored_is_what_would_be_held(ids, shard_bytes, tmp_path):
    given = vv.extract(net(), batches(), ids=ids)
    stored = vv.extract(net(), batches(), ids=ids, into=tmp_path / "a")
    equal(stored, given)
    equal(open_store(tmp_path / "a"), given)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype, tmp_path):
    model = net().to(getattr(torch, dtype))
    x = [each.to(getattr(torch, dtype)) for each in batches()]
    stored = vv.extract(model, x, "0", into=tmp_path / "a")["0"]
    held = vv.extract(model, x, "0")["0"]
    np.testing.assert_array_equal(stored.astype(float), held.double().numpy())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_storage_in_half_precision(dtype, tmp_path):
    stored = vv.extract(net(), batches(), "0", dtype=dtype, into=tmp_path / "a")
    assert f"(40, 6) {dtype}" in repr(stored)
    held = vv.extract(net(), batches(), "0")["0"].to(getattr(torch, dtype))
    np.testing.assert_array_equal(stored["0"].astype(float), held.double().numpy())


def test_a_value_that_half_precision_cannot_hold():
    with pytest.raises(ValueError, match="`dtype` must hold what `0` gives, got float16 for val"):
        vv.extract(net(), [1e6 * each for each in batches()], "0", dtype="float16")


def test_rows_of_places_come_back_with_their_samples(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
    x = list(torch.randn(5, 1, 4, 3).split(2))
    options = {"pool": "positions", "ids": list("abcde")}
    stored = vv.extract(model, x, into=tmp_path / "a", **options)
    equal(stored, vv.extract(model, x, **options))
    assert stored.ids[13] == ("b", 1)
    assert stored.groups[13] == "b"


def test_several_models_have_a_folder_each(tmp_path):
    models = {"one": net(seed=1), "two": net(seed=2)}
    stored = vv.extract(models, batches(), into=tmp_path / "both")
    held = vv.extract(models, batches())
    equal(stored["two"], held["two"])
    equal(open_store(tmp_path / "both" / "one"), held["one"])


@pytest.mark.parametrize("name", ["../up", "a/b", "..", "", "a\\b"])
def test_names_that_are_no_folders(name, tmp_path):
    with pytest.raises(ValueError, match="must have names that can be folders"):
        vv.extract({name: net()}, batches(), into=tmp_path / "in")
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_runs_no_model(tmp_path):
    vv.extract(net(), batches(), into=tmp_path / "a")
    before = content(tmp_path / "a")
    model = net()
    model.forward = None  # whoever runs it fails
    vv.extract(model, batches(), into=tmp_path / "a")
    assert content(tmp_path / "a") == before


class EndedError(Exception):
    pass


def breaking(at):
    for index, batch in enumerate(batches()):
        if index == at:
            raise EndedError
        yield batch


@pytest.mark.parametrize("at", range(6))
def test_an_interrupted_run_goes_on(at, shard_bytes, tmp_path):
    vv.extract(net(), batches(), into=tmp_path / "whole")
    with pytest.raises(EndedError):
        vv.extract(net(), breaking(at), into=tmp_path / "a")
    equal(vv.extract(net(), batches(), into=tmp_path / "a"), vv.extract(net(), batches()))
    assert content(tmp_path / "a") == content(tmp_path / "whole")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"layers": "0"}, "layers='\\*', not '0'"),
        ({"pool": "flatten"}, "pool='none', not 'flatten'"),
        ({"dtype": "float16"}, "dtype=None, not 'float16'"),
        ({"every": 2}, "every=1, not 2"),
    ],
)
def test_other_settings_are_not_mixed_in(change, seen, tmp_path):
    vv.extract(net(), batches(), into=tmp_path / "a")
    with pytest.raises(ValueError, match=f"`into` must be a new folder, or hold .* {seen}"):
        vv.extract(net(), batches(), into=tmp_path / "a", **change)


def test_another_model_is_not_mixed_in(tmp_path):
    vv.extract(net(seed=0), batches(), into=tmp_path / "a")
    with pytest.raises(ValueError, match=r"same settings, got one in .* with fingerprint="):
        vv.extract(net(seed=1), batches(), into=tmp_path / "a")


def test_other_samples_are_not_mixed_in(tmp_path):
    with pytest.raises(EndedError):
        vv.extract(net(), breaking(3), into=tmp_path / "a")
    journal = tmp_path / "a" / "part-0000-of-0001.json"
    assert not journal.exists()  # nothing was worth a shard yet
    vv.extract(net(), batches(), into=tmp_path / "a")
    with pytest.raises(vv.SampleMismatchError, match=r"VV001 .* got others in batch 0"):
        vv.extract(net(), batches()[::-1], into=tmp_path / "a")


def test_a_folder_of_someone_else(tmp_path):
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(ValueError, match=r"must be a new folder, .* got a folder with thesis.tex"):
        vv.extract(net(), batches(), into=tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_ids_that_json_does_not_know(tmp_path):
    with pytest.raises(TypeError, match=r"`ids` must be text or numbers, .* got b'x'"):
        vv.extract(net(), batches(1), ids=[b"x"], into=tmp_path / "a")


# A process that is killed, a disk that is full, workers: each in a process of its own.

SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
import visavis as vv
from visavis.store import writer
from tests.models.test_storing import batches, net
writer.SHARD_BYTES = 1
def slowly():
    for batch in batches(200):
        time.sleep(0.01)
        print(flush=True)
        yield batch
vv.extract(net(), {loader}, into={into!r}, shard={shard!r})
"""


def script(into, loader="slowly()", shard=None):
    code = SCRIPT.format(root=str(HERE), loader=loader, into=str(into), shard=shard)
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SHARD_BYTES", 1)
    vv.extract(net(), batches(200), into=tmp_path / "whole")
    random = np.random.default_rng(seed)
    for _ in range(2):
        process = subprocess.Popen(script(tmp_path / "a"), stdout=subprocess.PIPE)
        process.stdout.readline()  # it has begun
        time.sleep(random.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    vv.extract(net(), batches(200), into=tmp_path / "a")
    assert content(tmp_path / "a") == content(tmp_path / "whole")
    assert not list((tmp_path / "a").glob(".shard*"))


def test_a_full_disk_keeps_what_was_stored(tmp_path, monkeypatch):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000));"
    command = script(tmp_path / "a", "batches(2000, 100)")
    command[2] = limited + command[2]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "OSError" in run.stderr
    assert "rows stored before are kept: make room" in run.stderr
    monkeypatch.setattr(writer, "SHARD_BYTES", 1)
    stored = vv.extract(net(), batches(2000, 100), into=tmp_path / "a")
    equal(stored, vv.extract(net(), batches(2000, 100)))


NOBODY = 65534


@contextmanager
def anybody():
    """Not the superuser, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(tmp_path):
    """A folder that anybody may reach, with a folder of nobody in it."""
    vv.extract(net(), batches(), into=tmp_path / "warm")  # loads what only the owner might read
    with TemporaryDirectory() as name:
        folder = Path(name, "a")
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            Path(name).chmod(0o755)
            os.chown(folder, NOBODY, NOBODY)
        yield folder


def test_no_permission(open_folder):
    open_folder.chmod(0o500)
    message = r"PermissionError|Permission denied.*rows stored before are kept"
    with anybody(), pytest.raises(OSError, match=message):
        vv.extract(net(), batches(), into=open_folder)
    assert not any(open_folder.iterdir())


def test_a_permission_that_is_taken_away_keeps_what_was_stored(open_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(writer, "SHARD_BYTES", 1)

    def closing():
        for index, batch in enumerate(batches()):
            if index == 3:
                open_folder.chmod(0o500)
            yield batch

    message = "Permission denied.*rows stored before are kept"
    with anybody(), pytest.raises(OSError, match=message):
        vv.extract(net(), closing(), into=open_folder)
    assert len(list(open_folder.glob("shard-*"))) == 3
    open_folder.chmod(0o700)
    equal(vv.extract(net(), batches(), into=open_folder), vv.extract(net(), batches()))
    vv.extract(net(), batches(), into=tmp_path / "whole")
    assert content(open_folder) == content(tmp_path / "whole")


@pytest.mark.parametrize("world", [2, 3, 7])
def test_the_parts_of_all_workers_are_the_whole(world, shard_bytes, tmp_path):
    held = vv.extract(net(), batches(), ids=list(range(40)))
    parts = [
        vv.extract(net(), batches(), ids=list(range(40)), shard=(k, world), into=tmp_path / "a")
        for k in range(world)
    ]
    equal(parts[-1], held)
    assert parts[0].ids == tuple(i for i in range(40) if i // 7 % world == 0)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_worker_that_was_lost_is_run_again(lost, tmp_path):
    with pytest.raises(EndedError):
        vv.extract(net(), breaking(4), shard=(lost, 2), into=tmp_path / "a")
    vv.extract(net(), batches(), shard=(1 - lost, 2), into=tmp_path / "a")
    assert not (tmp_path / "a" / "manifest.json").exists()
    stored = vv.extract(net(), batches(), shard=(lost, 2), into=tmp_path / "a")
    equal(stored, vv.extract(net(), batches()))


def test_a_worker_that_was_killed_loses_only_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SHARD_BYTES", 1)
    folder = tmp_path / "a"
    workers = [
        subprocess.Popen(script(folder, shard=(k, 2)), stdout=subprocess.PIPE) for k in (0, 1)
    ]
    for _ in range(8):  # some of its batches are stored by now
        workers[1].stdout.readline()
    workers[1].send_signal(signal.SIGKILL)
    for worker in workers:
        worker.communicate()
    assert workers[0].returncode == 0
    done = {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*")}
    assert any(name.startswith("shard-0001") for name in done)
    assert not (folder / "manifest.json").exists()
    for shard in ((0, 2), (1, 2)):
        stored = vv.extract(net(), batches(200), shard=shard, into=folder)
    equal(stored, vv.extract(net(), batches(200)))
    # What was stored, by either, was not written again.
    assert {name: (folder / name).stat().st_mtime_ns for name in done} == done


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 0)])
def test_workers_that_there_are_not(shard):
    with pytest.raises(ValueError, match="`shard` must be"):
        vv.extract(net(), batches(), shard=shard)


def test_workers_do_not_count_rows(tmp_path):
    with pytest.raises(ValueError, match="must be left alone where several workers"):
        vv.extract(net(), batches(), shard=(0, 2), every=2)


def test_another_number_of_workers(tmp_path):
    vv.extract(net(), batches(), shard=(0, 2), into=tmp_path / "a")
    with pytest.raises(ValueError, match="store that another number of workers began"):
        vv.extract(net(), batches(), shard=(0, 3), into=tmp_path / "a")


WORKER = """
import sys
from functools import reduce
sys.path.insert(0, {root!r})
import torch.distributed as group
import visavis as vv
from tests.models.test_storing import batches, net
if {together}:
    group.init_process_group("gloo")
acts = vv.extract(net(), batches(), into={into!r})
if {together}:
    assert acts.n == 40, acts
    rank, world = group.get_rank(), group.get_world_size()
    m = vv.Moments.empty()
    for batch in batches()[rank::world]:
        m = m.update(batch, batch**3)
    states = [None] * world
    group.all_gather_object(states, m)
    value = float(reduce(vv.Moments.merge, states).cka())
    print(f"cka {{value}}\\n", end="", flush=True)  # in one piece, beside the others
    group.destroy_process_group()
"""


@pytest.mark.parametrize(("world", "together"), [(2, True), (3, True), (2, False)])
def test_torchrun(world, together, tmp_path):
    file = tmp_path / "worker.py"
    file.write_text(
        WORKER.format(root=str(HERE), into=str(tmp_path / "a"), together=together), "utf-8"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    run = subprocess.run(
        [*command, f"--nproc-per-node={world}", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    held = vv.extract(net(), batches())
    equal(open_store(tmp_path / "a"), held)
    x = torch.cat(batches())
    values = [float(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("cka")]
    assert values == pytest.approx([float(vv.cka(x, x**3))] * (world if together else 0))


# Stores that were tampered with.


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SHARD_BYTES", 300)
    vv.extract(net(), batches(), into=tmp_path / "a")
    return tmp_path / "a"


def shards(folder):
    return sorted(folder.glob("shard-*"))


def cut(folder):
    path = shards(folder)[0]
    path.write_bytes(path.read_bytes()[:-4])


def flip(folder):
    path = shards(folder)[1]
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def swap(folder):
    a, b = shards(folder)[:2]
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)


def remove(folder):
    shards(folder)[-1].unlink()


def empty(folder):
    shards(folder)[0].write_bytes(b"")


@pytest.mark.parametrize("fault", [cut, flip, swap, remove, empty])
def test_damaged_shards_are_noticed_before_a_number_is_computed(fault, folder):
    fault(folder)
    stored = open_store(folder)
    with pytest.raises(vv.StoreFormatError, match=r"store: .*shard-0000-0000\d\d\.safetensors"):
        _ = stored["0"]


def test_changed_labels(folder):
    path = folder / "labels.json"
    path.write_text(path.read_text().replace('"batch": 1', '"batch": 9').replace("e", "f", 1))
    with pytest.raises(vv.StoreFormatError, match=r"labels\.json was changed"):
        open_store(folder)


@pytest.mark.parametrize(
    "name",
    ["../secret.safetensors", "/etc/passwd", "shard-0000-000000.safetensors/../../x", "x", ""],
)
def test_a_manifest_does_not_lead_out_of_its_folder(name, folder):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["shards"][0]["file"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(vv.StoreFormatError, match="may not lead out of its folder"):
        open_store(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"rows": 3},
        {"shards": [{}]},
        {"shards": 3},
        {"layers": [{"name": "0"}]},
        {"layers": None},
    ],
)
def test_manifests_that_are_none(change, folder):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(vv.StoreFormatError, match=r"store: .*manifest\.json"):
        open_store(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_manifests_that_are_no_json(text, folder):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(vv.StoreFormatError, match=r"store: .*manifest\.json"):
        open_store(folder)


def test_a_manifest_of_another_shape(folder):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["layers"][0]["shape"] = [7]
    path.write_text(json.dumps(content))
    with pytest.raises(vv.StoreFormatError, match=r"layer '0' of .* must have shape \(40, 7\)"):
        _ = open_store(folder)["0"]


def test_a_layer_of_the_manifest_that_is_not_stored(folder):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["layers"][0]["name"] = "9"
    path.write_text(json.dumps(content))
    with pytest.raises(vv.StoreFormatError, match="lacks layer '9' of the manifest"):
        _ = open_store(folder)["9"]


def test_one_layer_is_mapped_and_not_copied(tmp_path):
    stored = vv.extract(net(), batches(), into=tmp_path / "a")
    assert isinstance(stored["0"].base, np.memmap) or isinstance(stored["0"], np.memmap)
    assert not stored["0"].flags.writeable
