"""One reader per format: from a file to its layers and ids, without running anything in it.

A reader says what is wrong with the content by `StoreFormatError`; whatever else its library raises
means that the file is not of this format. Which file it was, `load` adds.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from visavis._core import checks
from visavis.store.readers.chunks import read_zarr
from visavis.store.readers.contents import Contents
from visavis.store.readers.hdf import read_hdf5
from visavis.store.readers.npy import read_npy, read_npz
from visavis.store.readers.tables import read_csv, read_parquet
from visavis.store.readers.tensors import read_safetensors

Reader = Callable[[Path, str | None], Contents]

SUFFIXES: Mapping[str, Reader] = MappingProxyType(
    {
        ".npy": read_npy,
        ".npz": read_npz,
        ".safetensors": read_safetensors,
        ".h5": read_hdf5,
        ".hdf5": read_hdf5,
        ".zarr": read_zarr,
        ".zip": read_zarr,
        ".parquet": read_parquet,
        ".csv": read_csv,
        ".tsv": read_csv,
    }
)
"""The readers by suffix."""


def reader(name: str) -> Reader:
    """Return the reader of a file by its name; ValueError if the suffix is unknown."""
    suffix = Path(name).suffix
    if suffix not in SUFFIXES:
        raise ValueError(
            checks.message(
                "load",
                "path",
                f"end in {', '.join(SUFFIXES)}",
                repr(name),
                "Save arrays with numpy.savez: one array per layer, samples in rows.",
            )
        )
    return SUFFIXES[suffix]
