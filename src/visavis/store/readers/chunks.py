"""Arrays of a Zarr store, a folder, a zip archive or a URL; never a pickle."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis._core.extras import require
from visavis.store.readers.contents import Contents, parted, refused_text

# By name and not "all but pickle": a codec is a program, and others may be installed.
_CODECS = frozenset(
    {
        *("bytes", "sharding_indexed", "transpose", "vlen-bytes", "vlen-utf8"),
        *("blosc", "bz2", "gzip", "lz4", "lzma", "pcodec", "zfpy", "zlib", "zstd"),
        *("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3"),
        *("astype", "bitround", "delta", "fixedscaleoffset", "packbits", "quantize", "shuffle"),
    }
)


def read_zarr(path: Path, ids: str | None) -> Contents:
    """Read all arrays with rows, named by their path in the store, in the order of names."""
    library = _library()
    if path.is_file():
        with ZipFile(path):  # says what is wrong with an archive; ZipStore does not
            pass
        with library.storage.ZipStore(path, mode="r") as store:
            return _contents(library, store, path, ids)
    # What lies in the folder counts, not an index of it that may be older.
    return _contents(library, path, path, ids, use_consolidated=False)


def read_zarr_at(url: str, ids: str | None) -> Contents:
    """Read all arrays of a store behind a URL, by its consolidated metadata if it has them."""
    return _contents(_library(), url.rstrip("/"), Path(url), ids)


def _library() -> Any:
    require("zarr.storage", extra="io", purpose="load of .zarr")
    return require("zarr", extra="io", purpose="load of .zarr")


def _contents(library: Any, store: Any, path: Path, ids: str | None, **options: bool) -> Contents:
    node = library.open(store=store, mode="r", **options)
    if isinstance(node, library.Array):
        members = {path.name.removesuffix(".zip").removesuffix(".zarr"): node}
    else:
        found = dict(node.members(max_depth=None))
        members = {
            name: found[name] for name in sorted(found) if isinstance(found[name], library.Array)
        }
    arrays = {name: _array(name, each, ids) for name, each in members.items() if each.ndim}
    return parted(arrays, ids)


def _array(name: str, member: Any, ids: str | None) -> np.ndarray:
    codecs = sorted(set(_codecs(member.metadata.to_dict())) - _CODECS)
    if codecs:
        raise StoreFormatError(
            f"{name!r} must be encoded by codecs that visavis knows, got {', '.join(codecs)}. "
            "Write it anew with zstd, gzip or blosc."
        )
    if member.dtype.kind in "fiubc":
        return member[...]
    # Words are of fixed length (U, S), or come as objects or NumPy's strings (T) of vlen-utf8.
    if name == (ids or "ids") and member.dtype.kind in "USOT":
        X = member[...]
        return X if X.dtype.kind == "S" else np.array(X.tolist(), dtype=str)
    raise refused_text(name, f"dtype {member.dtype}")


def _codecs(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all codecs of an array, those inside a sharding codec too."""
    for key in ("filters", "compressor", "codecs", "index_codecs"):
        entry = metadata.get(key) or ()
        for codec in [entry] if isinstance(entry, Mapping) else entry:
            yield str(codec.get("id") or codec.get("name")).removeprefix("numcodecs.")
            yield from _codecs(codec.get("configuration") or {})
