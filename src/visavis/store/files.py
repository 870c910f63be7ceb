"""Read activations from array files: ``.npy``, ``.npz`` and ``.safetensors``; never a pickle."""

import json
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from visavis._core import checks
from visavis._core.errors import StoreFormatError
from visavis.results import Activations

T = TypeVar("T")


def load(path: str | Path, *, ids: str = "ids") -> Activations:
    """Read activations from a file.

    Parameters
    ----------
    path : str or Path
        A ``.npy`` file holds one layer, named after the file; ``.npz`` and ``.safetensors`` files
        hold one array per layer, in file order.
    ids : str
        The name of a 1-D array in the file that holds the sample ids, if there is one. It is not
        a layer.

    Returns
    -------
    Activations
        Layers as NumPy arrays (n, ...). bfloat16, which NumPy does not have, becomes float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StoreFormatError
        If the file is not what its suffix says, or holds pickled objects; if its layers differ in
        their number of rows, or its ids are not one for each row and unique.
    ValueError
        If the suffix is unknown.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(
            checks.message(
                "load",
                "path",
                f"end in {', '.join(SUFFIXES)}",
                repr(path.name),
                "Save arrays with numpy.savez: one array per layer, samples in rows.",
            )
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"load: {path} must be a file, got {what}.")
    arrays = SUFFIXES[path.suffix](path)
    identities = arrays.pop(ids, None) if len(arrays) > 1 else None
    if identities is not None and identities.ndim != 1:
        raise StoreFormatError(
            f"load: {path}: the ids {ids!r} must be a 1-D array, got shape {identities.shape}."
        )
    scalars = [name for name, X in arrays.items() if X.ndim == 0]
    if scalars or not arrays:
        raise StoreFormatError(
            f"load: {path} must hold arrays with samples in rows, got "
            + (f"a single number in {scalars[0]!r}." if scalars else "none at all.")
        )
    try:
        return Activations(arrays, ids=identities, pool="as stored", provenance={"file": path.name})
    except ValueError as error:
        reason = str(error).removeprefix("Activations: ")
        raise StoreFormatError(f"load: {path}: {reason}") from error


def _npy(path: Path) -> dict[str, np.ndarray]:
    def read() -> np.ndarray:
        # Not np.load: it opens a zip or a pickle under any suffix.
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    return {path.stem: _plain(path, read)}


def _npz(path: Path) -> dict[str, np.ndarray]:
    def read() -> dict[str, np.ndarray]:
        # Not np.load alone: it opens a single array or a pickle under any suffix.
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("it is not a zip archive")
        # The file is opened here because NumPy leaves it open where the archive is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: _member(name, archive[name]) for name in archive.files}

    return _plain(path, read)


def _member(name: str, X: Any) -> np.ndarray:
    if not isinstance(X, np.ndarray):  # what is no array in the archive comes as its bytes
        raise ValueError(f"{name!r} in it is not an array")
    return X


# What reading a damaged or foreign file may meet: numpy, zipfile, zlib and the parser of headers
# each have their own way to say so.
_UNREADABLE = (
    ValueError,
    EOFError,
    OSError,
    LookupError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)


def _plain(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except _UNREADABLE as error:
        reason = (
            "it holds pickled Python objects, which visavis never loads"
            if "allow_pickle" in str(error)
            else str(error) or type(error).__name__
        )
        raise StoreFormatError(
            f"load: {path} cannot be read as {path.suffix}: {reason}."
        ) from error


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, deserialize

    data = path.read_bytes()
    try:
        tensors = {name: dict(tensor) for name, tensor in deserialize(data)}
    except SafetensorError as error:
        raise StoreFormatError(f"load: {path} cannot be read as .safetensors: {error}.") from error
    # The library gives them in an order that changes from run to run; the header has the file's.
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return {name: _tensor(path, name, tensors[name]) for name in header if name in tensors}


_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "F64": "<f8",
        "F32": "<f4",
        "F16": "<f2",
        "I64": "<i8",
        "I32": "<i4",
        "I16": "<i2",
        "I8": "|i1",
        "U64": "<u8",
        "U32": "<u4",
        "U16": "<u2",
        "U8": "|u1",
        "BOOL": "|b1",
    }
)


def _tensor(path: Path, name: str, tensor: Mapping[str, Any]) -> np.ndarray:
    dtype, shape, data = tensor["dtype"], tensor["shape"], tensor["data"]
    if dtype == "BF16":
        # The upper half of a float32: exact, and NumPy has no name for it.
        bits = np.frombuffer(data, dtype="<u2").astype("<u4") << 16
        return bits.view("<f4").reshape(shape)
    if dtype not in _DTYPES:
        raise StoreFormatError(
            f"load: {path}: layer {name!r} has dtype {dtype}, which cannot be compared. "
            "Store it as F32, F16 or BF16."
        )
    return np.frombuffer(data, dtype=_DTYPES[dtype]).reshape(shape)


SUFFIXES: Mapping[str, Callable[[Path], dict[str, np.ndarray]]] = MappingProxyType(
    {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
)
"""The readers by suffix."""
