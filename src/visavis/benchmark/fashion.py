"""Real images that come with the package: a class-balanced part of Fashion-MNIST."""

from dataclasses import dataclass
from importlib import resources

import numpy as np

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True, eq=False)
class Images:
    """Grey images with their classes, and others that are held out.

    Parameters
    ----------
    train_images : ndarray of uint8, (6000, 28, 28)
        Images to train on, 600 of each class, in random order; 0 is the background.
    train_labels : ndarray of uint8, (6000,)
        Their classes: positions in `CLASSES`.
    test_images : ndarray of uint8, (1000, 28, 28)
        Held-out images, 100 of each class.
    test_labels : ndarray of uint8, (1000,)
        Their classes.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load() -> Images:
    """Return the images that come with the package.

    The training images are drawn from the 60,000 training images of Fashion-MNIST and the held-out
    ones from its 10,000 test images, by ``scripts/make_fashion_subset.py``. Fashion-MNIST is
    copyright Zalando SE under the MIT licence, which lies beside the data.

    References
    ----------
    Xiao, Rasul & Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017. arXiv:1708.07747

    Examples
    --------
    >>> images = load()
    >>> images.train_images.shape, images.test_images.shape
    ((6000, 28, 28), (1000, 28, 28))
    >>> CLASSES[images.train_labels.max()]
    'Ankle boot'
    """
    packaged = resources.files("visavis.benchmark") / "data" / "fashion-mnist.npz"
    with packaged.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Images(**arrays)
