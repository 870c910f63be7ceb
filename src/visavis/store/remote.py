"""Files behind a URL, by fsspec (extra ``io``)."""

import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from urllib.parse import urlsplit

from visavis._core.extras import require

_ZARR_METADATA = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")


def is_url(path: object) -> bool:
    """Whether `path` is a URL and not the path of a local file."""
    return isinstance(path, str) and "://" in path


def name(url: str) -> str:
    """Return the name of the file that a URL leads to."""
    # Elsewhere than on the web, a question mark is part of the name.
    path = urlsplit(url).path if url.startswith(("http://", "https://")) else url
    return Path(path).name


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """Yield a local copy of a file, which is gone afterwards.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it cannot be fetched.
    """
    with TemporaryDirectory(prefix="visavis-") as folder:
        copy = Path(folder, name(url))
        with _reached(url) as (system, source):
            system.get_file(source, str(copy))
            # Not asked before: to answer, some file systems would read the whole file.
            if copy.is_dir():
                raise IsADirectoryError
        yield copy


class Mirror:
    """A local copy of a folder behind a URL, file by file as they are asked for.

    It lies in a temporary folder that goes when nobody holds the mirror any more.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    OSError
        If it cannot be fetched.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        kept = mkdtemp(prefix="visavis-")
        weakref.finalize(self, shutil.rmtree, kept, ignore_errors=True)
        # Under its own name, by which the activations are called.
        self.folder = Path(kept, Path(urlsplit(self.url).path).name or "store")
        self.folder.mkdir()

    def fetch(self, file: str) -> None:
        """Copy a file, if that was not done before."""
        copy = self.folder / file
        if copy.exists():
            return
        part = copy.with_name(f".{file}")
        with _reached(f"{self.url}/{file}") as (system, source):
            system.get_file(source, str(part))
        part.replace(copy)


def find_zarr(url: str) -> None:
    """Raise if there is no Zarr store behind a URL."""
    with _reached(url) as (system, root):
        if not any(system.exists(f"{root.rstrip('/')}/{each}") for each in _ZARR_METADATA):
            raise FileNotFoundError


@contextmanager
def _reached(url: str) -> Iterator[tuple[Any, str]]:
    require("fsspec", extra="io", purpose="load of a URL")
    core = require("fsspec.core", extra="io", purpose="load of a URL")
    try:
        yield core.url_to_fs(url)
    except ImportError:  # of the library for this kind of URL, named in the message
        raise
    except (FileNotFoundError, IsADirectoryError) as error:
        what = "a folder" if isinstance(error, IsADirectoryError) else "no such file"
        raise FileNotFoundError(f"load: {url} must be a file, got {what}.") from error
    except Exception as error:
        # Every kind of store and of network has errors of its own.
        reason = str(error) or type(error).__name__
        raise OSError(f"load: {url} cannot be fetched: {reason}") from error
