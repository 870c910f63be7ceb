"""Arrays as NumPy writes them: ``.npy`` and ``.npz``; never a pickle."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from visavis.store.readers.contents import Contents, parted


def read_npy(path: Path, ids: str | None) -> Contents:
    """Read one array, mapped into memory where possible."""
    # Not np.load: it opens a zip or a pickle under any suffix.
    try:
        X = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        # What cannot be mapped may still be read: no values at all, or a drive that cannot map.
        # Objects and damage meet their reason here.
        with path.open("rb") as file:
            X = np.lib.format.read_array(file, allow_pickle=False)
    return parted({path.stem: X}, ids)


def read_npz(path: Path, ids: str | None) -> Contents:
    """Read all arrays of an archive."""
    # Not np.load alone: it opens a single array or a pickle under any suffix.
    if not zipfile.is_zipfile(path):
        raise zipfile.BadZipFile("it is not a zip archive")
    # The file is opened here because NumPy leaves it open where the archive is damaged.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return parted({name: _member(name, archive[name]) for name in archive.files}, ids)


def _member(name: str, X: Any) -> np.ndarray:
    if not isinstance(X, np.ndarray):  # what is no array in the archive comes as its bytes
        raise ValueError(f"{name!r} in it is not an array")
    return X
