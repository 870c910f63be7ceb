"""Read activations from files of many formats, local or behind a URL; never a pickle."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis.results import Activations
from visavis.store import manifest, readers, remote, stored
from visavis.store.readers import chunks
from visavis.store.readers.contents import Contents


def load(path: str | Path, *, ids: str | None = None) -> Activations:
    """Read activations from a file.

    Parameters
    ----------
    path : str or Path
        A store that `visavis.extract` wrote (a folder), whose layers are read when they are asked
        for; or a file, by its suffix as below. Either may be a URL that fsspec can open
        (``s3://``, ``https://`` ...): a file is copied to the temporary folder while it is read,
        the shards of a store are copied there when a layer is asked for.


        - ``.npy``: one layer, named after the file.
        - ``.npz``, ``.safetensors``: one array per layer, in file order.
        - ``.h5``, ``.hdf5``: every dataset with rows is a layer named by its path, as in
          ``group/fc``, in the order of creation if the file tracks it, else of names.
        - ``.zarr`` (a folder or URL), ``.zarr.zip``: every array with rows, in the order of names.
        - ``.parquet``, ``.csv``, ``.tsv``: a table is one layer (n, columns) named after the file.
          Where a parquet file has columns of lists, each column is a layer, a list per row.
    ids : str, optional
        The name of the 1-D array, or of the column, that holds the sample ids. It is not a layer.
        By default ``"ids"`` if there is one, in a table also ``"id"`` or the index of pandas.

    Returns
    -------
    Activations
        Layers as NumPy arrays (n, ...), read into memory; that of a local ``.npy`` file is mapped,
        read-only, so the file must not be overwritten while it is in use. bfloat16, which NumPy
        does not have, becomes float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StoreFormatError
        If a store was changed since it was written; if a file is not what its suffix says, or holds
        pickled objects, links to other files or text that is not the ids; if a table lacks a value
        or names of columns; if layers differ in their number of rows, or ids are not one for each
        row and unique.
    ImportError
        If the library for the format is not installed.
    OSError
        If a URL cannot be fetched.
    ValueError
        If the suffix is unknown.
    """
    if remote.is_url(path):
        return _at(str(path), ids)
    path = Path(path)
    if path.is_dir() and path.suffix != ".zarr":
        return _folder(path)
    read = readers.reader(path.name)
    if not path.is_file() and not path.is_dir():  # of a pipe there would be no end
        raise FileNotFoundError(f"load: {path} must be a file, got no such file.")
    with _explained(str(path), path.suffix):
        contents = read(path, ids)
    return _activations(contents, str(path), path.name)


def _folder(path: Path) -> Activations:
    """Open the store that a folder is, by its manifest."""
    if (path / manifest.NAME).is_file():
        return stored.load(path)
    begun = sorted(each.name for each in path.glob("part-*.json"))
    seen = f"one that was begun ({begun[0]})" if begun else "a folder without a manifest"
    raise FileNotFoundError(
        f"load: {path} must be a file or a finished store, got {seen}. "
        + ("Run the same extraction again: it goes on." if begun else "Name the file in it.")
    )


def _at(url: str, ids: str | None) -> Activations:
    name = remote.name(url)
    if Path(name).suffix not in readers.SUFFIXES:
        mirror = remote.Mirror(url)
        try:
            return stored.load(mirror.folder, mirror)
        except FileNotFoundError:
            readers.reader(name)  # which tells what there could have been
            raise
    suffix, read = Path(name).suffix, readers.reader(name)
    if suffix == ".zarr":
        remote.find_zarr(url)
        with _explained(url, suffix):
            contents = chunks.read_zarr_at(url, ids)
    else:
        with remote.fetched(url) as copy, _explained(url, suffix):
            contents = read(copy, ids)
            # The copy is about to go, and what is mapped would go with it.
            layers = {
                layer: np.array(X) if isinstance(X, np.memmap) else X
                for layer, X in contents.layers.items()
            }
            contents = contents._replace(layers=layers)
    return _activations(contents, url, name)


@contextmanager
def _explained(shown: str, suffix: str) -> Iterator[None]:
    """Name the file in every error, and turn what a parser raises into the one kind of error."""
    try:
        yield
    except ImportError:
        raise
    except StoreFormatError as error:
        raise StoreFormatError(f"load: {shown}: {error}") from error.__cause__
    except Exception as error:
        # Damaged bytes may end in any error of the library that reads them.
        reason = (
            "it holds pickled Python objects, which visavis never loads"
            if "allow_pickle" in str(error)
            else str(error).rstrip(".") or type(error).__name__
        )
        raise StoreFormatError(f"load: {shown} cannot be read as {suffix}: {reason}.") from error


def _activations(contents: Contents, shown: str, name: str) -> Activations:
    ids = contents.ids
    # A plain array also of what is mapped: a view, nothing is read.
    layers = {layer: np.asarray(X) for layer, X in contents.layers.items()}
    scalars = [layer for layer, X in layers.items() if X.ndim == 0]
    if scalars or not layers:
        raise StoreFormatError(
            f"load: {shown} must hold arrays with samples in rows, got "
            + (f"a single number in {scalars[0]!r}." if scalars else "none at all.")
        )
    try:
        return Activations(
            layers,
            ids=None if ids is None else [_text(each) for each in ids.tolist()],
            pool="as stored",
            provenance={"name": Path(name).stem, "file": name},
        )
    except ValueError as error:
        reason = str(error).removeprefix("Activations: ")
        raise StoreFormatError(f"load: {shown}: {reason}") from error


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
