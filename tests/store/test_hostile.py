"""Files that are damaged, in disguise or malicious: a plain error, and nothing in them runs."""

import io
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import torch
import zarr
from pyarrow import parquet
from safetensors.numpy import save_file
from typer.testing import CliRunner

from visavis import Activations, StoreFormatError, load
from visavis.cli import app

X = np.random.default_rng(0).normal(size=(6, 3)).astype("f4")
WRITERS = {
    "npy": lambda path: np.save(path, X),
    "npz": lambda path: np.savez_compressed(path, a=X, b=X, ids=np.arange(6)),
    "safetensors": lambda path: save_file({"a": X, "b": X}, path),
    "h5": lambda path: hdf5(path),
    "zip": lambda path: zarr_zip(path),
    "parquet": lambda path: parquet.write_table(pa.table({"a": X[:, 0], "b": X.tolist()}), path),
    "csv": lambda path: np.savetxt(path, X, "%.9g", ",", header="a,b,c", comments=""),
    "tsv": lambda path: np.savetxt(path, X, "%.9g", "\t", header="a\tb\tc", comments=""),
}
SUFFIXES = list(WRITERS)
BINARY = [suffix for suffix in SUFFIXES if suffix not in {"csv", "tsv"}]
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("group/a", data=X, chunks=(3, 3), compression="gzip")
        file["b"] = X
        file["ids"] = np.array([f"img{i}".encode() for i in range(6)])


def zarr_zip(path):
    with zarr.storage.ZipStore(path, mode="w") as store:
        zarr.open_group(store, mode="w").create_array("a", data=X, chunks=(3, 3))


def refused(path):
    """The message with which the file is refused, for whichever reason."""
    with pytest.raises(StoreFormatError, match=r"^load: ") as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def unreadable(path):
    """The message with which the file is refused."""
    with pytest.raises(StoreFormatError, match=r"^load: .* cannot be read as ") as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def outcome(path):
    """What is loaded, or the message of the one error that is allowed."""
    try:
        return load(path)
    except StoreFormatError as error:
        return str(error)


def content(suffix, tmp_path):
    path = tmp_path / f"whole.{suffix}"
    WRITERS[suffix](path)
    return path.read_bytes()


# Pickles.


class Bomb:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "it ran")


@pytest.fixture
def trap(tmp_path):
    """The bomb, and a look at whether it went off when the test is over."""
    written = tmp_path / "written-by-the-bomb"
    yield Bomb(written)
    assert not written.exists()


def test_the_bomb_works(tmp_path):
    path = tmp_path / "written-by-the-bomb"
    pickle.loads(pickle.dumps(Bomb(path)))
    assert path.read_text() == "it ran"


PICKLED = r"it holds pickled Python objects, which visavis never loads\.$"


@pytest.mark.parametrize("shape", [(6,), (6, 2), ()])
def test_objects_in_npy(tmp_path, trap, shape):
    objects = np.full(shape, trap, dtype=object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    with pytest.raises(StoreFormatError, match=PICKLED):
        load(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["x", "ids"])
def test_objects_in_npz(tmp_path, trap, name):
    arrays = {"fc": X, name: np.full(6, trap, dtype=object)}
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(StoreFormatError, match=PICKLED):
        load(tmp_path / "x.npz")


@every_suffix
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_in_disguise(tmp_path, trap, suffix, protocol):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(pickle.dumps(trap, protocol))
    refused(path)


@every_suffix
@pytest.mark.parametrize("as_zip", [True, False], ids=["an archive", "the old kind"])
def test_a_file_of_torch_in_disguise(tmp_path, trap, suffix, as_zip):
    path = tmp_path / f"x.{suffix}"
    torch.save({"fc": trap}, path, _use_new_zipfile_serialization=as_zip)
    unreadable(path)


def test_a_pickle_in_the_metadata_of_parquet(tmp_path, trap):
    # As pyarrow once loaded types from files: CVE-2023-47248.
    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(trap),
    }
    schema = pa.schema([pa.field("a", pa.float32(), metadata=metadata)])
    parquet.write_table(pa.table([X[:, 0]], schema=schema), tmp_path / "x.parquet")
    np.testing.assert_array_equal(load(tmp_path / "x.parquet")["x"], X[:, :1])


def test_a_pickle_in_a_dataset(tmp_path, trap):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["fc"] = np.void(pickle.dumps(trap))
        file["ids"] = np.full(6, np.void(pickle.dumps(trap)))
    refused(tmp_path / "x.h5")


@pytest.mark.parametrize("member", ["archive/data.pkl", "fc", "fc.npy"])
def test_a_pickle_in_an_archive(tmp_path, trap, member):
    # As torch.save writes them.
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, pickle.dumps(trap))
    unreadable(path)


def test_a_structured_array_with_objects(tmp_path, trap):
    records = np.array([(1.0, trap)] * 6, dtype=[("a", "f8"), ("b", object)])
    np.save(tmp_path / "x.npy", records, allow_pickle=True)
    with pytest.raises(StoreFormatError, match=PICKLED):
        load(tmp_path / "x.npy")


def test_code_in_a_header_is_not_evaluated(tmp_path, trap):
    header = f"__import__('pathlib').Path({str(trap.path)!r}).write_text('it ran')\n".encode()
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    unreadable(path)


# Disguise.


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("as_suffix", SUFFIXES)
def test_one_kind_under_the_name_of_another(tmp_path, suffix, as_suffix):
    path = tmp_path / f"x.{as_suffix}"
    path.write_bytes(content(suffix, tmp_path))
    if suffix == as_suffix:
        assert load(path).n == 6
    elif {suffix, as_suffix} == {"csv", "tsv"}:
        assert "its columns must hold numbers, got string in" in refused(path)
    else:
        unreadable(path)


NOISE = [np.random.default_rng(seed).bytes(2000) for seed in range(5)]


@every_suffix
@pytest.mark.parametrize(
    "data", [b"", b"\x00", bytes(1000), b"\xff" * 1000, b"PK", *NOISE], ids=range(10)
)
def test_anything_else(tmp_path, suffix, data):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(data)
    refused(path)


@pytest.mark.parametrize("suffix", BINARY)
def test_text(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(b"layer,value\n1,2\n")
    unreadable(path)


def test_what_is_no_zip_is_called_so(tmp_path):
    path = tmp_path / "x.npz"
    path.write_text("layer,value\n")
    assert unreadable(path).endswith("x.npz cannot be read as .npz: it is not a zip archive.")


def test_what_is_no_array_in_an_archive_is_named(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, fc=X)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README.txt", "about these arrays")
    assert unreadable(path).endswith("as .npz: 'README.txt' in it is not an array.")


def test_an_encrypted_archive(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, fc=X)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    path.write_bytes(data)
    assert "encrypted" in unreadable(path)


# Damage.


@pytest.mark.parametrize("suffix", BINARY)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_cut_off(tmp_path, suffix, share):
    path, data = tmp_path / f"x.{suffix}", content(suffix, tmp_path)
    path.write_bytes(data[: int(share * len(data))])
    unreadable(path)


@every_suffix
@pytest.mark.parametrize("seed", range(60))
def test_a_byte_changed_is_read_or_refused(tmp_path, suffix, seed):
    # In the values of an array it cannot be noticed; elsewhere it must be, by one kind of error.
    random = np.random.default_rng(seed)
    data = bytearray(content(suffix, tmp_path))
    place = random.integers(len(data)) if seed % 2 else random.integers(min(len(data), 128))
    data[place] = random.integers(256)
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(data)
    result = outcome(path)
    assert isinstance(result, Activations) or str(path) in result


def test_a_header_that_claims_more_than_there_is(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    path.write_bytes(path.read_bytes().replace(b"(6, 3)", b"(9, 3)"))
    unreadable(path)


def test_a_header_of_safetensors_that_claims_more_than_there_is(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    unreadable(path)


def test_warnings_of_old_files_are_not_errors(tmp_path):
    # Written by Python 2: shapes with the letter of long integers.
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, X, version=(1, 0))
    data = buffer.getvalue().replace(b"(6, 3), } ", b"(6L, 3L), }")
    data = data.replace(b" \n", b"\n", 1)
    path = tmp_path / "x.npy"
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="Python 2"):
        np.testing.assert_array_equal(load(path)["x"], X)


def test_a_bracket_in_a_header_that_is_never_closed(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    path.write_bytes(path.read_bytes().replace(b"{'descr'", b"('descr'"))
    unreadable(path)


def test_a_compressed_stream_that_is_none(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, fc=np.zeros((500, 3)))
    data = bytearray(path.read_bytes())
    start = 30 + len("fc.npy") + int.from_bytes(data[28:30], "little")
    data[start] = 0xFF  # a kind of block that does not exist
    path.write_bytes(data)
    assert "invalid block type" in unreadable(path)


def test_a_method_of_compression_that_does_not_exist(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, fc=X)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(data)
    assert "compression method" in unreadable(path)


@pytest.mark.parametrize("as_zip", [True, False], ids=["an archive", "the old kind"])
def test_a_file_of_torch_under_its_own_name(tmp_path, trap, as_zip):
    path = tmp_path / "x.pt"
    torch.save({"fc": trap}, path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(ValueError, match=r"`path` must end in .*, got 'x\.pt'"):
        load(path)
    for command in (["compare", path], ["check", path], ["layers", path], ["matrix", path, path]):
        result = CliRunner().invoke(app, [str(each) for each in command], prog_name="visavis")
        assert result.exit_code != 0
