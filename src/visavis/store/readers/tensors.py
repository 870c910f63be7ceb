"""Tensors as ``.safetensors``."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis.store.readers.contents import Contents, parted

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


def read_safetensors(path: Path, ids: str | None) -> Contents:
    """Read all tensors in the order of the file."""
    from safetensors import deserialize

    data = path.read_bytes()
    tensors = {name: dict(tensor) for name, tensor in deserialize(data)}
    # The library gives them in an order that changes from run to run; the header has the file's.
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return parted({name: _array(name, tensors[name]) for name in header if name in tensors}, ids)


def _array(name: str, tensor: Mapping[str, Any]) -> np.ndarray:
    dtype, shape, data = tensor["dtype"], tensor["shape"], tensor["data"]
    if dtype == "BF16":
        # The upper half of a float32: exact, and NumPy has no name for it.
        bits = np.frombuffer(data, dtype="<u2").astype("<u4") << 16
        return bits.view("<f4").reshape(shape)
    if dtype not in _DTYPES:
        raise StoreFormatError(
            f"layer {name!r} has dtype {dtype}, which cannot be compared. "
            "Store it as F32, F16 or BF16."
        )
    return np.frombuffer(data, dtype=_DTYPES[dtype]).reshape(shape)
