"""What only Zarr has: orders, codecs, consolidated metadata, arrays without a group."""

import json
import pickle
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr

from visavis import StoreFormatError, load

X = np.random.default_rng(0).normal(size=(6, 3))


class Bomb:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "it ran")


@pytest.fixture
def path(tmp_path):
    """A store of one layer, fc."""
    zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=2).create_array("fc", data=X)
    return tmp_path / "x.zarr"


def test_order_of_names(path):
    group = zarr.open_group(path, mode="a")
    for name in ("z", "b/2", "a", "b/1"):
        group.create_array(name, data=X)
    assert list(load(path)) == ["a", "b/1", "b/2", "fc", "z"]


def test_an_array_alone_is_named_after_the_store(tmp_path):
    zarr.create_array(tmp_path / "layer4.zarr", data=X)
    np.testing.assert_array_equal(load(tmp_path / "layer4.zarr")["layer4"], X)


def test_an_array_alone_in_an_archive(tmp_path):
    with zarr.storage.ZipStore(tmp_path / "layer4.zarr.zip", mode="w") as store:
        zarr.create_array(store, data=X)
    np.testing.assert_array_equal(load(tmp_path / "layer4.zarr.zip")["layer4"], X)


def test_what_was_added_after_consolidation_is_read(path):
    zarr.consolidate_metadata(path)
    zarr.open_group(path, mode="a", use_consolidated=False).create_array("later", data=X)
    assert list(load(path)) == ["fc", "later"]


def test_shards(tmp_path):
    zarr.create_array(tmp_path / "x.zarr", data=X, shards=(6, 3), chunks=(2, 3))
    np.testing.assert_array_equal(load(tmp_path / "x.zarr")["x"], X)


@pytest.mark.parametrize(
    ("filters", "compressor"),
    [
        ([numcodecs.Delta(dtype="f8")], numcodecs.Zlib()),
        ([numcodecs.Shuffle(8)], numcodecs.LZ4()),
        (None, numcodecs.Blosc()),
        (None, None),
    ],
)
def test_codecs_of_version_2(path, filters, compressor):
    group = zarr.open_group(path, mode="a")
    values = np.round(8 * X)  # differences of whole numbers are exact
    group.create_array("fc2", data=values, filters=filters, compressors=compressor)
    np.testing.assert_array_equal(load(path)["fc2"], values)


def test_ids_of_fixed_length(path):
    ids = np.array([f"é{i}" for i in range(6)])
    group = zarr.open_group(path, mode="a")
    group.create_array("ids", data=ids)
    group.create_array("bytes", data=np.char.encode(ids, "utf-8"))
    with pytest.raises(StoreFormatError, match=r"'bytes' must hold real or complex numbers, got"):
        load(path)
    del group["bytes"]
    assert load(path).ids == tuple(ids)


def test_ids_in_bytes(path):
    ids = np.array([f"é{i}".encode() for i in range(6)])
    zarr.open_group(path, mode="a").create_array("ids", data=ids)
    assert load(path).ids == tuple(f"é{i}" for i in range(6))


# Codecs that run code.


@pytest.fixture
def trap(tmp_path):
    """The bomb, and a look at whether it went off when the test is over."""
    written = tmp_path / "written-by-the-bomb"
    yield Bomb(written)
    assert not written.exists()


def planted(path, trap, **changes):
    """Make a layer whose chunk is a pickle."""
    folder = path / "planted"
    folder.mkdir()
    metadata = {
        "zarr_format": 2,
        "shape": [6],
        "chunks": [6],
        "dtype": "<f8",
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "compressor": None,
    }
    (folder / ".zarray").write_text(json.dumps({**metadata, **changes}))
    (folder / "0").write_bytes(pickle.dumps(trap))


PICKLED = {
    "a filter of objects": {"dtype": "|O", "filters": [{"id": "pickle"}]},
    "a filter of numbers": {"filters": [{"id": "pickle"}]},
    "one of several": {"filters": [{"id": "delta", "dtype": "<f8"}, {"id": "pickle"}]},
    "a compressor": {"compressor": {"id": "pickle"}},
    "a compressor of objects": {"dtype": "|O", "compressor": {"id": "pickle"}},
    "a fill value": {
        "dtype": [["a", "|O"]],
        "filters": [{"id": "pickle"}],
        "fill_value": "gASVBAAAAAAAAABLAS4=",
    },
}


@pytest.mark.parametrize("changes", PICKLED.values(), ids=PICKLED)
def test_pickles_are_refused(path, trap, changes):
    planted(path, trap, **changes)
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr.*pickle"):
        load(path)


@pytest.mark.parametrize("changes", PICKLED.values(), ids=PICKLED)
def test_pickles_under_the_name_of_ids_are_refused(path, trap, changes):
    planted(path, trap, **changes)
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr.*pickle"):
        load(path, ids="planted")


def test_a_codec_that_is_not_known_is_refused_before_it_runs(path):
    ran = []

    class Foreign(numcodecs.abc.Codec):
        codec_id = "visavis_test_foreign"

        def encode(self, buf):
            return buf

        def decode(self, buf, out=None):
            ran.append(buf)
            return buf

    numcodecs.register_codec(Foreign)
    zarr.open_group(path, mode="a").create_array("a", data=X, compressors=Foreign())
    message = (
        r"x\.zarr: 'a' must be encoded by codecs that visavis knows, got visavis_test_foreign\. "
        r"Write it anew with zstd, gzip or blosc\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(path)
    assert not ran


@pytest.mark.parametrize("dtype", ["|O", "|V4", [["a", "<f4"], ["b", "<i4"]], "<M8[D]"])
def test_what_is_no_number_is_refused(path, trap, dtype):
    planted(path, trap, dtype=dtype, fill_value=None)
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr"):
        load(path)


# Damage.


def test_a_folder_that_is_no_store(tmp_path):
    (tmp_path / "x.zarr").mkdir()
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr cannot be read as \.zarr: "):
        load(tmp_path / "x.zarr")


def test_no_store_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.zarr must be a file, got no such file\.$"):
        load(tmp_path / "x.zarr")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"zarr_format": 2}', b"\xff", b"null"])
@pytest.mark.parametrize("name", ["fc/.zarray", ".zgroup"])
def test_metadata_that_is_none(path, name, content):
    (path / name).write_bytes(content)
    if (name, content) == (".zgroup", b'{"zarr_format": 2}'):
        assert list(load(path)) == ["fc"]
    else:
        with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr"):
            load(path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40])
def test_a_chunk_that_is_none(path, content):
    (path / "fc" / "0.0").write_bytes(content)
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zarr cannot be read as \.zarr: "):
        load(path)


@pytest.mark.parametrize("name", ["x.zip", "x.zarr.zip", "x.zarr"])
def test_what_is_no_archive(tmp_path, name):
    (tmp_path / name).write_text("layer,value\n")
    with pytest.raises(
        StoreFormatError, match=r"cannot be read as \.z\w+: File is not a zip file\.$"
    ):
        load(tmp_path / name)


def test_an_archive_that_holds_no_store(tmp_path):
    np.savez(tmp_path / "x.npz", fc=X)
    (tmp_path / "x.npz").rename(tmp_path / "x.zip")
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.zip cannot be read as \.zip: "):
        load(tmp_path / "x.zip")
