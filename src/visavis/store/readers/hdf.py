"""Datasets of an HDF5 file: ``.h5`` and ``.hdf5``; of this file alone, whatever it points to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis._core.extras import require
from visavis.store.readers.contents import Contents, parted, refused_text


def read_hdf5(path: Path, ids: str | None) -> Contents:
    """Read all datasets with rows, named by their path in the file.

    They come in the order of creation where the file tracks it, else by name. Single numbers and
    soft links, which are other names for what the file holds anyway, are left out.
    """
    h5py = require("h5py", extra="io", purpose=f"load of {path.suffix}")
    with h5py.File(path, "r") as file:
        datasets = {
            name: dataset
            for name, dataset in _datasets(h5py, file, "", {file})
            if dataset.shape  # neither a single number nor nothing
        }
        arrays = {name: _array(h5py, name, each, ids) for name, each in datasets.items()}
    return parted(arrays, ids)


def _datasets(h5py: Any, group: Any, prefix: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    for key in group:
        name = prefix + key
        link = group.get(key, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _elsewhere(name, f"a link into another file ({link.filename})")
        if not isinstance(link, h5py.HardLink):
            continue
        node = group[key]
        if isinstance(node, h5py.Dataset):
            yield name, node
        # A group may contain itself, and the same group by many paths.
        elif isinstance(node, h5py.Group) and node not in seen:
            seen.add(node)
            yield from _datasets(h5py, node, f"{name}/", seen)


def _array(h5py: Any, name: str, dataset: Any, ids: str | None) -> np.ndarray:
    if dataset.is_virtual:
        raise _elsewhere(name, "a virtual dataset, made of others")
    if dataset.external:
        raise _elsewhere(name, f"a dataset with its values in another file ({_outside(dataset)})")
    if dataset.dtype.kind in "fiubc":
        return dataset[...]
    text = h5py.check_string_dtype(dataset.dtype)
    if text is not None and name == (ids or "ids"):
        # Bytes that claim to be ASCII may be more, and ASCII is UTF-8 too.
        return np.asarray(dataset.asstr("utf-8")[...], dtype=str)
    raise refused_text(name, "text" if text is not None else f"dtype {dataset.dtype}")


def _outside(dataset: Any) -> str:
    return ", ".join(str(name) for name, _, _ in dataset.external)


def _elsewhere(name: str, what: str) -> StoreFormatError:
    return StoreFormatError(
        f"{name!r} is {what}, which visavis does not follow. Copy the values into this file."
    )
