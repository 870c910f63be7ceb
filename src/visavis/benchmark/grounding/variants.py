"""Data that teach nets something known: a shortcut, wrong labels, noise."""

import math
from typing import Any

import numpy as np

from visavis._core import checks

CELL = 2
"""How many pixels wide and high a digit of the mark of a shortcut is."""


def with_shortcut(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    share: float,
    seed: int | np.random.Generator,
    classes: int | None = None,
) -> np.ndarray:
    """Return images with a mark in a corner that tells the class of a share of them.

    The mark is a number in binary, 1 for class 0: a cell of 2 × 2 pixels for each digit, white for
    1 and black for 0, from the top left. Of `share` of the images it is that of their class, of
    the others that of a class drawn at random from all.

    Parameters
    ----------
    images : ndarray of uint8, (n, height, width) or (n, height, width, channels)
        They are not changed.
    labels : ndarray of int, (n,)
        Their classes, counted from 0.
    share : float
        From 0, where the mark says nothing, to 1, where it says all.
    seed : int or Generator
        Draws the images and the random classes.
    classes : int, optional
        How many there are; by default as many as the labels say.

    Returns
    -------
    ndarray of uint8, of the shape of `images`

    Raises
    ------
    ValueError
        If an argument is not as above, or images are too small for the mark.

    Examples
    --------
    >>> import numpy as np
    >>> images, labels = np.zeros((2, 8, 8), np.uint8), np.array([0, 1])
    >>> with_shortcut(images, labels, share=1.0, seed=0)[:, 0, :4].tolist()
    [[0, 0, 255, 255], [255, 255, 0, 0]]
    """
    where = "with_shortcut"
    _check_images(where, images)
    labels, count = _labels(where, labels, classes)
    if len(labels) != len(images):
        expected, seen = f"have an entry for each of the {len(images)} images", f"{len(labels)}"
        raise ValueError(checks.message(where, "labels", expected, seen))
    digits = count.bit_length()
    if images.shape[1] < CELL or images.shape[2] < digits * CELL:
        expected = f"be {CELL} × {digits * CELL} pixels or more for a mark of {count} classes"
        raise ValueError(checks.message(where, "images", expected, f"shape {images.shape}"))
    told = 1 + _redrawn(where, labels, count, share, seed, kept=True)
    bits = (told[:, None] >> np.arange(digits)[::-1]) & 1
    mark = np.repeat(bits * 255, CELL, axis=1).astype(np.uint8)[:, None]
    marked = images.copy()
    marked[:, :CELL, : digits * CELL] = mark if images.ndim == 3 else mark[..., None]
    return marked


def with_label_noise(
    labels: np.ndarray,
    *,
    share: float,
    seed: int | np.random.Generator,
    classes: int | None = None,
) -> np.ndarray:
    """Return labels of which a share is drawn anew, at random from all classes.

    Parameters
    ----------
    labels : ndarray of int, (n,)
        Counted from 0. They are not changed.
    share : float
        From 0, where all are kept, to 1, where none says anything. A label that is drawn anew may
        be what it was.
    seed : int or Generator
        Draws which, and what they become.
    classes : int, optional
        How many there are; by default as many as the labels say.

    Returns
    -------
    ndarray of int, (n,)
        Of the dtype of `labels`.

    Raises
    ------
    ValueError
        If an argument is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.arange(1000) % 10
    >>> noisy = with_label_noise(labels, share=0.5, seed=0)
    >>> bool(0.5 < (noisy == labels).mean() < 0.6)
    True
    """
    where = "with_label_noise"
    checked, count = _labels(where, labels, classes)
    return _redrawn(where, checked, count, share, seed, kept=False).astype(labels.dtype)


def with_noise(
    images: np.ndarray, *, strength: float, seed: int | np.random.Generator
) -> np.ndarray:
    """Return images with normal noise on every pixel, drawn for each image: an augmentation.

    Parameters
    ----------
    images : ndarray of uint8, (n, ...)
        They are not changed.
    strength : float
        Standard deviation of the noise, of the whole range from black to white: 0.1 is 25.5 grey
        levels. What leaves the range is cut off.
    seed : int or Generator
        Draws the noise. Another for each epoch gives other images each time.

    Returns
    -------
    ndarray of uint8, of the shape of `images`

    Raises
    ------
    ValueError
        If an argument is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> grey = np.full((1, 100, 100), 128, np.uint8)
    >>> round(float(with_noise(grey, strength=0.1, seed=0).std() / 255), 2)
    0.1
    """
    where = "with_noise"
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        seen = f"{type(images).__name__} of {getattr(images, 'dtype', 'no dtype')}"
        raise ValueError(checks.message(where, "images", "be a NumPy array of uint8", seen))
    if not (_number(strength) and 0 <= strength < math.inf):
        raise ValueError(checks.message(where, "strength", "be zero or more", repr(strength)))
    noise = np.random.default_rng(seed).standard_normal(images.shape, dtype=np.float32)
    return np.clip(np.rint(images + 255 * np.float32(strength) * noise), 0, 255).astype(np.uint8)


def _redrawn(
    where: str,
    labels: np.ndarray,
    classes: int,
    share: float,
    seed: int | np.random.Generator,
    *,
    kept: bool,
) -> np.ndarray:
    """Return labels of which a share is kept, or not kept, and the others are drawn from all."""
    if not (_number(share) and 0 <= share <= 1):
        raise ValueError(checks.message(where, "share", "lie between 0 and 1", repr(share)))
    random = np.random.default_rng(seed)
    anew = round((1 - share if kept else share) * len(labels))
    found = labels.copy()
    found[random.permutation(len(labels))[:anew]] = random.integers(classes, size=anew)
    return found


def _labels(where: str, labels: np.ndarray, classes: int | None) -> tuple[np.ndarray, int]:
    if not isinstance(labels, np.ndarray) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        seen = f"shape {np.shape(labels)} of {getattr(labels, 'dtype', type(labels).__name__)}"
        expected = "be a NumPy array (n,) of whole numbers"
        raise ValueError(checks.message(where, "labels", expected, seen))
    if classes is not None:
        checks.count(where, "classes", classes)
    largest = int(labels.max()) if labels.size else -1
    count = largest + 1 if classes is None else classes
    if not labels.size or labels.min() < 0 or largest >= count:
        expected = f"be one or more, counted from 0 to {max(count - 1, 0)}"
        seen = f"{int(labels.min())} to {largest}" if labels.size else "none"
        raise ValueError(checks.message(where, "labels", expected, seen))
    return labels.astype(np.int64), count


def _check_images(where: str, images: np.ndarray) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim not in {3, 4}:
        seen = f"shape {np.shape(images)} of {getattr(images, 'dtype', type(images).__name__)}"
        expected = "be a NumPy array (n, height, width) or (n, height, width, channels) of uint8"
        raise ValueError(checks.message(where, "images", expected, seen))


def _number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
