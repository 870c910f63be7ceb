"""Activations behind URLs: of every format, as from a local file, and gone afterwards."""

import functools
import gc
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import gettempdir

import fsspec
import h5py
import numpy as np
import pyarrow as pa
import pytest
import torch
import zarr
from pyarrow import parquet
from safetensors.numpy import save_file
from torch import nn

import visavis as vv
from visavis import StoreFormatError, load
from visavis.store import remote, writer

X = np.random.default_rng(0).normal(size=(6, 3))


def hdf5(path):
    with h5py.File(path, "w") as file:
        file["fc"] = X


def zarr_zip(path):
    with zarr.storage.ZipStore(path, mode="w") as store:
        zarr.open_group(store, mode="w").create_array("fc", data=X)


WRITERS = {
    "fc.npy": lambda path: np.save(path, X),
    "acts.npz": lambda path: np.savez(path, fc=X),
    "acts.safetensors": lambda path: save_file({"fc": X}, path),
    "acts.h5": hdf5,
    "acts.hdf5": hdf5,
    "acts.zarr.zip": zarr_zip,
    "acts.parquet": lambda path: parquet.write_table(pa.table({"fc": X.tolist()}), path),
    "fc.csv": lambda path: np.savetxt(path, X, "%.17g", ",", header="a,b,c", comments=""),
    "fc.tsv": lambda path: np.savetxt(path, X, "%.17g", "\t", header="a\tb\tc", comments=""),
}


@pytest.fixture
def memory():
    """The file system of memory:// URLs, empty."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


@pytest.fixture
def put(memory, tmp_path):
    """Write a file and put it behind a URL."""

    def written(name):
        WRITERS[name](tmp_path / name)
        memory.pipe(f"/runs/{name}", (tmp_path / name).read_bytes())
        return f"memory://runs/{name}"

    return written


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(put, name):
    url = put(name)
    before = set(Path(gettempdir()).glob("visavis-*"))
    acts = load(url)
    np.testing.assert_array_equal(acts["fc"], X)
    assert list(acts) == ["fc"]
    assert acts.provenance == {"name": Path(name).stem, "file": name}
    assert set(Path(gettempdir()).glob("visavis-*")) <= before


@pytest.mark.parametrize("name", WRITERS)
def test_urls_of_local_files(tmp_path, name):
    WRITERS[name](tmp_path / name)
    np.testing.assert_array_equal(load((tmp_path / name).as_uri())["fc"], X)


@pytest.mark.parametrize("consolidated", [False, True])
@pytest.mark.parametrize("end", ["", "/"])
def test_zarr(memory, consolidated, end):
    group = zarr.open_group("memory://runs/x.zarr", mode="w", zarr_format=2)
    group.create_array("net/fc", data=X)
    group.create_array("ids", data=np.arange(6))
    if consolidated:
        zarr.consolidate_metadata("memory://runs/x.zarr")
    acts = load(f"memory://runs/x.zarr{end}")
    assert list(acts) == ["net/fc"]
    assert acts.ids == (0, 1, 2, 3, 4, 5)
    np.testing.assert_array_equal(acts["net/fc"], X)


def test_an_array_of_zarr_alone(memory):
    zarr.create_array("memory://runs/fc.zarr", data=X)
    np.testing.assert_array_equal(load("memory://runs/fc.zarr")["fc"], X)


def test_ids_by_name(memory, tmp_path):
    np.savez(tmp_path / "x.npz", fc=X, sample=np.arange(6))
    memory.pipe("/x.npz", (tmp_path / "x.npz").read_bytes())
    assert load("memory://x.npz", ids="sample").ids == (0, 1, 2, 3, 4, 5)


def test_compare_reads_urls(put):
    result = vv.compare(put("acts.h5"), put("fc.csv"))
    assert result.values[0, 0] == pytest.approx(1)


# Names.


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/a/x.npz?token=1/2#part", "x.npz"),
        ("http://host/x.npz", "x.npz"),
        ("s3://bucket/what?.npz", "what?.npz"),
        ("s3://bucket/x.zarr/", "x.zarr"),
        ("memory://x.npz", "x.npz"),
    ],
)
def test_names(url, name):
    assert remote.name(url) == name


# What cannot be read.


@pytest.mark.parametrize("name", [*WRITERS, "x.zarr"])
def test_nothing_there(memory, name):
    message = rf"^load: memory://nowhere/{name} must be a file, got no such file\.$"
    with pytest.raises(FileNotFoundError, match=message):
        load(f"memory://nowhere/{name}")


def test_a_folder(memory):
    memory.pipe("/runs/x.npz/part", b"")
    message = r"^load: memory://runs/x\.npz must be a file, got a folder\.$"
    with pytest.raises(FileNotFoundError, match=message):
        load("memory://runs/x.npz")


@pytest.mark.parametrize("name", WRITERS)
def test_damage(memory, name):
    memory.pipe(f"/runs/{name}", b"\xff" * 100)
    with pytest.raises(StoreFormatError, match=rf"^load: memory://runs/{name} cannot be read as "):
        load(f"memory://runs/{name}")


def test_a_suffix_that_is_not_known(memory):
    with pytest.raises(ValueError, match=r"^load: `path` must end in .*, got 'x\.pt'\."):
        load("memory://runs/x.pt")


def test_a_kind_of_url_that_is_not_known():
    message = r"^load: gopher://host/x\.npz cannot be fetched: Protocol not known: gopher"
    with pytest.raises(OSError, match=message):
        load("gopher://host/x.npz")


def test_an_error_on_the_way(put, memory, monkeypatch):
    def broken(*_, **__):
        raise TimeoutError

    url = put("fc.npy")
    monkeypatch.setattr(type(memory), "get_file", broken)
    with pytest.raises(OSError, match=r"^load: memory://runs/fc\.npy cannot be fetched: TimeoutE"):
        load(url)


# Libraries that are not there.


@pytest.mark.parametrize(
    ("name", "module", "purpose"),
    [
        ("acts.h5", "h5py", r"load of \.h5 needs h5py"),
        ("acts.hdf5", "h5py", r"load of \.hdf5 needs h5py"),
        ("acts.zarr.zip", "zarr.storage", r"load of \.zarr needs zarr"),
        ("acts.parquet", "pyarrow.parquet", r"load of \.parquet needs pyarrow"),
        ("fc.csv", "pyarrow.csv", r"load of \.csv needs pyarrow"),
        ("fc.tsv", "pyarrow.csv", r"load of \.tsv needs pyarrow"),
    ],
)
def test_a_library_that_is_missing(tmp_path, monkeypatch, name, module, purpose):
    WRITERS[name](tmp_path / name)
    monkeypatch.setitem(sys.modules, module, None)
    cure = r'is not installed\. Install it with: pip install "visavis\[io\]"\.$'
    with pytest.raises(ImportError, match=rf"^{purpose}.*{cure}"):
        load(tmp_path / name)


def test_fsspec_is_missing(put, tmp_path, monkeypatch):
    url = put("fc.npy")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match=r"^load of a URL needs fsspec, .*visavis\[io\]"):
        load(url)
    np.testing.assert_array_equal(load(tmp_path / "fc.npy")["fc"], X)


def test_a_library_for_a_kind_of_url_is_missing(monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(ImportError, match=r"^Install s3fs to access S3$"):
        load("s3://bucket/x.npz")


# Stores that `extract` wrote, behind a URL.


@pytest.fixture
def store_url(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SHARD_BYTES", 1)
    model = nn.Sequential(nn.Linear(3, 2))
    vv.extract(model, list(torch.tensor(X, dtype=torch.float32).split(2)), into=tmp_path / "run")
    memory.put(str(tmp_path / "run"), "/bucket/run", recursive=True)
    return "memory://bucket/run", tmp_path / "run"


def test_a_store_behind_a_url(store_url):
    url, path = store_url
    there, here = load(url), load(path)
    assert list(there) == list(here)
    assert (there.ids, there.digests, there.provenance) == (here.ids, here.digests, here.provenance)
    for name in here:
        np.testing.assert_array_equal(there[name], here[name])
    assert vv.compare(url, url).names == ("run", "run")


def test_shards_are_fetched_when_a_layer_is_asked_for(store_url, memory):
    url, _ = store_url
    acts = load(url)
    assert acts.n == 6
    for path in memory.glob("/bucket/run/shard-*"):
        memory.rm(path)
    with pytest.raises(FileNotFoundError, match=r"memory://bucket/run/shard-.*no such file"):
        acts[next(iter(acts))]


def test_a_shard_that_was_changed_behind_a_url(store_url, memory):
    url, _ = store_url
    path = memory.glob("/bucket/run/shard-*")[0]
    content = bytearray(memory.cat(path))
    content[-1] ^= 1
    memory.pipe(path, bytes(content))
    acts = load(url)
    with pytest.raises(StoreFormatError, match="was changed since it was written"):
        acts[next(iter(acts))]


def test_nothing_behind_a_url_without_a_suffix(memory):
    with pytest.raises(ValueError, match="`path` must end in"):
        load("memory://bucket/nothing")


def test_the_copies_of_a_store_go_with_it(store_url):
    url, _ = store_url
    before = set(Path(gettempdir()).glob("visavis-*"))
    acts = load(url)
    assert acts[next(iter(acts))].shape[0] == 6
    (kept,) = set(Path(gettempdir()).glob("visavis-*")) - before
    del acts
    gc.collect()
    assert not kept.exists()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """A web server over `tmp_path`."""
    handler = functools.partial(Quiet, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_web(web, store_url, tmp_path):
    np.savez(tmp_path / "acts.npz", fc=X)
    np.testing.assert_array_equal(load(f"{web}/acts.npz?version=2")["fc"], X)
    here, there = load(store_url[1]), load(f"{web}/run")
    for name in here:
        np.testing.assert_array_equal(there[name], here[name])
    with pytest.raises(FileNotFoundError, match="no such file"):
        load(f"{web}/other.npz")
