"""Fingerprints: what tells two states of a model apart."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import array

# Of each tensor: a model that was trained on differs somewhere in them.
_VALUES = 256


def fingerprint(tensors: Iterable[tuple[str, Any]]) -> str:
    """Return a digest of names, dtypes, shapes and some hundred values of each tensor."""
    digest = hashlib.blake2b(digest_size=8)
    for name, x in tensors:
        digest.update(f"{name} {array.dtype_name(x)} {tuple(x.shape)}".encode())
        some = x.reshape(-1)[:: max(1, int(np.prod(x.shape)) // _VALUES)]
        digest.update(np.ascontiguousarray(array.bits(some)).tobytes())
    return digest.hexdigest()


def of_file(path: Path) -> str:
    """Return a digest of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
