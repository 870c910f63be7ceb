"""Make the images that come with the package from the whole of Fashion-MNIST.

Takes the folder with the four original files, as the dataset's authors publish them and as the
Debian package dataset-fashion-mnist installs them:

    python scripts/make_fashion_subset.py FOLDER
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

SEED = 0
TRAIN_PER_CLASS, TEST_PER_CLASS = 600, 100
OUT = Path(__file__).parents[1] / "src/visavis/benchmark/data/fashion-mnist.npz"


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of bytes: two zeros, the type, the number of dimensions, the shape, data."""
    content = gzip.decompress(path.read_bytes())
    zeros, kind, dimensions = content[:2], content[2], content[3]
    if zeros != b"\0\0" or kind != 0x08:
        raise ValueError(f"read_idx: `path` must be an IDX file of bytes, got {path}.")
    start = 4 + 4 * dimensions
    shape = np.frombuffer(content[4:start], dtype=">u4")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def balanced_rows(labels: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows with `per_class` of each class, in the order of the original (mixed) file."""
    chosen = [
        rng.choice(np.flatnonzero(labels == label), per_class, replace=False)
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(chosen))


def make(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the subset under the names that `fashion.Images` has for them."""
    rng = np.random.default_rng(SEED)
    arrays: dict[str, np.ndarray] = {}
    parts = (("train", "train", TRAIN_PER_CLASS), ("test", "t10k", TEST_PER_CLASS))
    for name, part, per_class in parts:
        images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
        rows = balanced_rows(labels, per_class, rng)
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = images[rows], labels[rows]
    return arrays


def main() -> None:
    """Read the folder, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the four *-ubyte.gz files lie")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write (%(default)s)")
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **make(arguments.folder))


if __name__ == "__main__":
    main()
