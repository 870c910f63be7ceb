"""Activations from arrays of NumPy and safetensors: what is read, bit by bit, and as what."""

import json
import os
import struct

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from visavis import Activations, StoreFormatError, load

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(6, 3))
MAPS = RANDOM.normal(size=(6, 2, 4, 4)).astype("f4")


def savez(path, **arrays):
    np.savez(path, **arrays)


def savez_compressed(path, **arrays):
    np.savez_compressed(path, **arrays)


def safetensors(path, **arrays):
    save_file({name: np.asarray(each, order="C") for name, each in arrays.items()}, path)


WRITERS = {"npz": savez, "npz, compressed": savez_compressed, "safetensors": safetensors}


@pytest.fixture(params=WRITERS.items(), ids=WRITERS)
def write(request, tmp_path):
    """Write arrays to a file of each kind that holds several."""
    kind, writer = request.param

    def written(**arrays):
        path = tmp_path / f"acts.{kind.split(',')[0]}"
        writer(path, **arrays)
        return path

    return written


def raw_safetensors(path, entries, metadata=None):
    """Write (name, dtype, shape, bytes) in this order, as other programs may."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, dtype, shape, content in entries:
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


# What is read.


def test_layers_of_any_shape(write):
    acts = load(write(fc=X, maps=MAPS, margin=X[:, 0]))
    assert isinstance(acts, Activations)
    assert set(acts) == {"fc", "maps", "margin"}
    assert acts.n == 6
    assert acts.ids is None
    np.testing.assert_array_equal(acts["fc"], X)
    np.testing.assert_array_equal(acts["maps"], MAPS)
    np.testing.assert_array_equal(acts["margin"], X[:, 0])
    assert acts["maps"].dtype == np.float32


def test_what_is_known_of_it(write):
    path = write(fc=X)
    acts = load(path)
    assert acts.provenance == {"name": path.stem, "file": path.name}
    assert acts.pool == "as stored"
    assert not acts.shuffled


def test_path_may_be_text(write):
    np.testing.assert_array_equal(load(str(write(fc=X)))["fc"], X)


def test_npy_is_one_layer_named_after_the_file(tmp_path):
    np.save(tmp_path / "layer4.1.conv2.npy", MAPS)
    acts = load(tmp_path / "layer4.1.conv2.npy")
    assert list(acts) == ["layer4.1.conv2"]
    np.testing.assert_array_equal(acts["layer4.1.conv2"], MAPS)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
)
def test_dtypes_are_kept(write, dtype):
    values = (10 * np.abs(X)).astype(dtype)
    loaded = load(write(fc=values))["fc"]
    assert loaded.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(loaded, values)


def test_bfloat16_becomes_float32_exactly(tmp_path):
    values = np.array([[1.5, -3.0e38], [1e-40, np.inf], [-0.0, np.nan]], ml_dtypes.bfloat16)
    entry = ("fc", "BF16", [3, 2], values.tobytes())
    raw_safetensors(tmp_path / "x.safetensors", [entry])
    loaded = load(tmp_path / "x.safetensors")["fc"]
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, values.astype("f4"))
    assert np.signbit(loaded[2, 0])


@pytest.mark.parametrize("order", ["zab", "baz"])
def test_order_of_the_file(tmp_path, order):
    np.savez(tmp_path / "x.npz", **dict.fromkeys(order, X))
    assert list(load(tmp_path / "x.npz")) == list(order)
    entries = [(name, "F64", [6, 3], X.tobytes()) for name in order]
    raw_safetensors(tmp_path / "x.safetensors", entries, metadata={"format": "pt"})
    assert list(load(tmp_path / "x.safetensors")) == list(order)


@pytest.mark.parametrize("name", ["a/b", "block.0#2[hidden]", "[red]x[/red]", "é層", "two\nlines"])
def test_names_of_layers_are_kept(tmp_path, name):
    safetensors(tmp_path / "x.safetensors", **{name: X})
    assert list(load(tmp_path / "x.safetensors")) == [name]


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize(
    "array",
    [np.asfortranarray(MAPS), MAPS[::-1, :, ::2], MAPS.astype(">f4"), MAPS[:, :, :0]],
    ids=["Fortran order", "strided", "big-endian", "no values"],
)
def test_layouts(tmp_path, suffix, array):
    path = tmp_path / f"fc.{suffix}"
    np.save(path, array) if suffix == "npy" else np.savez(path, fc=array)
    np.testing.assert_array_equal(load(path)["fc"], array)


# Ids.


@pytest.mark.parametrize(
    ("ids", "expected"),
    [(np.arange(6)[::-1], [5, 4, 3, 2, 1, 0]), (np.arange(6, dtype="u1"), [0, 1, 2, 3, 4, 5])],
    ids=["int64", "uint8"],
)
def test_ids_in_numbers(write, ids, expected):
    acts = load(write(fc=X, ids=ids))
    assert list(acts) == ["fc"]
    assert list(acts.ids) == expected


def test_ids_in_words(tmp_path):
    words = ["img0", "b", "c", "d", "e", "ß"]
    np.savez(tmp_path / "x.npz", fc=X, ids=np.array(words))
    np.savez(tmp_path / "bytes.npz", fc=X, ids=np.array([each.encode() for each in words]))
    assert list(load(tmp_path / "x.npz").ids) == words
    assert list(load(tmp_path / "bytes.npz").ids) == words


def test_ids_in_bytes_that_are_no_text(tmp_path):
    np.savez(tmp_path / "x.npz", fc=X, ids=np.array([b"\xff%d" % i for i in range(6)]))
    with pytest.raises(StoreFormatError, match=r"^load: .*x\.npz: 'utf-8' codec can't decode"):
        load(tmp_path / "x.npz")


def test_ids_under_another_name(write):
    path = write(fc=X, ids=X, sample=np.arange(6))
    acts = load(path, ids="sample")
    assert set(acts) == {"fc", "ids"}
    assert acts.ids == (0, 1, 2, 3, 4, 5)


def test_a_file_of_ids_alone_is_a_layer(write):
    acts = load(write(ids=X))
    assert list(acts) == ["ids"]
    assert acts.ids is None


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (X, r"acts\.\w+: the ids 'ids' must be a 1-D array, got shape \(6, 3\)\.$"),
        (np.arange(5), r"acts\.\w+: `ids` must have one entry per row \(6\), got 5\.$"),
        (np.zeros(6, int), r"acts\.\w+: `ids` must be unique, got 0 6 times \(5 repeats in all\)"),
    ],
    ids=["a matrix", "too few", "repeated"],
)
def test_ids_that_cannot_be_used(write, ids, message):
    with pytest.raises(StoreFormatError, match=message):
        load(write(fc=X, ids=ids))


@pytest.mark.parametrize("name", ["sampel", "ID", ""])
def test_ids_that_are_not_there(write, name):
    message = (
        rf"^load: .*acts\.\w+: `ids` must name one array of several, got '{name}' where there "
    )
    with pytest.raises(StoreFormatError, match=message + r"is ('fc', 'sample'|'sample', 'fc')\.$"):
        load(write(fc=X, sample=np.arange(6)), ids=name)


def test_ids_that_would_be_all_there_is(write):
    with pytest.raises(StoreFormatError, match=r"of several, got 'fc' where there is 'fc'\.$"):
        load(write(fc=X), ids="fc")


# Layers that cannot be used.


def test_layers_that_differ_in_rows(write):
    message = (
        r"^load: .*acts\.\w+: `layers` must have the same number of rows, got 6 in 'a' and 4 in "
        r"'b'\. Every layer must describe the same samples\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(write(a=X, b=X[:4]))


def test_a_single_number(write):
    message = r"must hold arrays with samples in rows, got a single number in 'step'\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(write(fc=X, step=np.array(3.0)))


def test_a_single_number_alone(tmp_path):
    np.save(tmp_path / "x.npy", np.array(3.0))
    with pytest.raises(StoreFormatError, match=r"x\.npy must hold .* a single number in 'x'\.$"):
        load(tmp_path / "x.npy")


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_no_array_at_all(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    np.savez(path) if suffix == "npz" else save_file({}, path)
    with pytest.raises(StoreFormatError, match=r"samples in rows, got none at all\.$"):
        load(path)


def test_a_dtype_of_safetensors_that_cannot_be_compared(tmp_path):
    entry = ("fc", "F8_E4M3", [6, 3], bytes(18))
    raw_safetensors(tmp_path / "x.safetensors", [entry])
    message = (
        r"layer 'fc' has dtype F8_E4M3, which cannot be compared\. Store it as F32, F16 or BF16\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(tmp_path / "x.safetensors")


# Paths.


@pytest.mark.parametrize("name", ["x.pt", "x.pkl", "x", "npz", "x.npz.bak", "x.NPZ"])
def test_unknown_suffix(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    message = (
        r"^load: `path` must end in \.npy, \.npz, \.safetensors, \.h5, \.hdf5, \.zarr, \.zip, "
        rf"\.parquet, \.csv, \.tsv, got '{name}'\. "
        r"Save arrays with numpy\.savez: one array per layer, samples in rows\.$"
    )
    with pytest.raises(ValueError, match=message):
        load(path)


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors", "h5", "parquet", "csv", "zip"])
def test_missing_file_and_folder(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    with pytest.raises(
        FileNotFoundError, match=rf"x\.{suffix} must be a file, got no such file\.$"
    ):
        load(path)
    path.mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"x\.\w+ must be a file or a finished store, got a folder without"
    ):
        load(path)


def test_the_file_is_closed_again(write):
    path = write(fc=X)
    acts = load(path)
    path.unlink()
    path.write_bytes(b"something else")
    np.testing.assert_array_equal(acts["fc"], X)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("suffix", ["npy", "csv", "zarr"])
def test_a_pipe_is_not_waited_for(tmp_path, suffix):
    os.mkfifo(tmp_path / f"x.{suffix}")
    with pytest.raises(FileNotFoundError, match=r"must be a file, got no such file\.$"):
        load(tmp_path / f"x.{suffix}")


def test_a_folder_of_another_kind(tmp_path):
    with pytest.raises(ValueError, match=r"^load: `path` must end in .* got 'runs'\."):
        load(tmp_path / "runs")
    (tmp_path / "runs").mkdir()
    with pytest.raises(FileNotFoundError, match=r"or a finished store, got a folder without a man"):
        load(tmp_path / "runs")


def test_a_store_that_is_not_finished(tmp_path):
    (tmp_path / "part-0000-of-0002.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"got one that was begun .* it goes on\.$"):
        load(tmp_path)


# Arrays that stay on disk.


def test_npy_is_mapped_and_cannot_be_written(tmp_path):
    path = tmp_path / "fc.npy"
    np.save(path, X)
    fc = load(path)["fc"]
    assert type(fc) is np.ndarray
    assert isinstance(fc.base, np.memmap)
    assert not fc.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        fc[0] = 1
    np.testing.assert_array_equal(np.load(path), X)


def test_npy_that_is_replaced_is_still_the_old_one(tmp_path):
    path, other = tmp_path / "fc.npy", tmp_path / "other.npy"
    np.save(path, X)
    fc = load(path)["fc"]
    np.save(other, np.zeros_like(X))
    other.replace(path)
    np.testing.assert_array_equal(fc, X)
    np.testing.assert_array_equal(load(path)["fc"], np.zeros_like(X))
