"""Shards: the rows of some batches in one safetensors file, written once and checked when read."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import array, files
from visavis._core.errors import StoreFormatError
from visavis._core.types import Array

# The names that the format has for what NumPy holds; bfloat16 comes as the bits of its upper half.
_CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
_DTYPES = {
    code: "<u2" if name == "bfloat16" else np.dtype(name).newbyteorder("<").str
    for name, code in _CODES.items()
}
_CHUNK = 2**22


@dataclass(frozen=True)
class Shard:
    """A file of a store, and what it must hold.

    Parameters
    ----------
    file : str
        Its name in the folder of the store.
    size : int
        Its size in bytes.
    sha256 : str
        The checksum of its content.
    batches : tuple of (int, int)
        The places of its batches in the loader, and how many rows of each it holds, in its order.
    """

    file: str
    size: int
    sha256: str
    batches: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(rows for _, rows in self.batches)


def dtype_code(x: Array) -> str:
    """Return the name of the dtype of `x` in the format; StoreFormatError if it has none."""
    name = array.dtype_name(x)
    if name not in _CODES:
        raise StoreFormatError(f"store: {name} cannot be stored. Convert it to float32 first.")
    return _CODES[name]


def write(
    path: Path,
    layers: Mapping[str, Sequence[Array]],
    labels: Sequence[Mapping[str, Any]],
    batches: Sequence[tuple[int, int]],
) -> Shard:
    """Write the parts of every layer one after another, with labels of their rows.

    The file is there whole or not at all. Parts are written as they lie in memory: nothing is
    joined first.
    """
    header: dict[str, Any] = {"__metadata__": {"labels": json.dumps(labels)}}
    start = 0
    for name, parts in layers.items():
        size = sum(part.nbytes for part in parts)
        rows = sum(int(part.shape[0]) for part in parts)
        header[name] = {
            "dtype": dtype_code(parts[0]),
            "shape": [rows, *map(int, parts[0].shape[1:])],
            "data_offsets": [start, start + size],
        }
        start += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    checksum, written = hashlib.sha256(), 0
    with files.atomic(path) as part, part.open("wb") as file:
        for piece in _pieces(len(text).to_bytes(8, "little") + text, layers):
            file.write(piece)
            checksum.update(piece)
            written += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return Shard(path.name, written, checksum.hexdigest(), tuple(batches))


def _pieces(header: bytes, layers: Mapping[str, Sequence[Array]]) -> Any:
    yield header
    for parts in layers.values():
        for part in parts:
            yield memoryview(np.ascontiguousarray(array.bits(part))).cast("B")  # pyright: ignore[reportArgumentType]


class Opened:
    """A shard whose content was found to be what it must be, mapped into memory.

    Parameters
    ----------
    folder : Path
    shard : Shard
    check : bool
        Whether to compare the checksum: not where the file was written a moment ago.

    Raises
    ------
    StoreFormatError
        If the file is missing, cut off, changed, or not that of the manifest.
    """

    def __init__(self, folder: Path, shard: Shard, *, check: bool = True) -> None:
        path = folder / shard.file
        try:
            data = np.memmap(path, dtype=np.uint8, mode="r")
        except (OSError, ValueError) as error:
            raise StoreFormatError(f"store: {path} cannot be read: {error}.") from error
        if data.size != shard.size:
            raise StoreFormatError(
                f"store: {path} must have {shard.size} bytes, got {data.size}: it was cut off or "
                "replaced. Extract again."
            )
        if check and _checksum(data) != shard.sha256:
            raise StoreFormatError(
                f"store: {path} was changed since it was written: its checksum is not that of the "
                "manifest. Extract again."
            )
        length = int.from_bytes(data[:8].tobytes(), "little")
        header = json.loads(data[8 : 8 + length].tobytes())
        self.labels: list[dict[str, Any]] = json.loads(header.pop("__metadata__")["labels"])
        self._data, self._header, self._start = data, header, 8 + length

    def __getitem__(self, layer: str) -> np.ndarray:
        """Return the rows of a layer as they lie on disk, bfloat16 as float32."""
        entry = self._header[layer]
        first, last = entry["data_offsets"]
        bits = self._data[self._start + first : self._start + last]
        values = bits.view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            return (values.astype("<u4") << 16).view("<f4")
        return values


def _checksum(data: np.ndarray) -> str:
    checksum = hashlib.sha256()
    for start in range(0, data.size, _CHUNK):
        checksum.update(memoryview(data[start : start + _CHUNK]))  # pyright: ignore[reportArgumentType]
    return checksum.hexdigest()
