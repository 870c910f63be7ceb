"""HSIC without each sample in turn, from one pass over what HSIC needs anyway."""

from dataclasses import dataclass

import numpy as np

from visavis._core import array
from visavis.inference.sides import Centred, host
from visavis.stats.jackknife import without_each


@dataclass(frozen=True)
class Deleted:
    """Debiased HSIC of two representations, with all samples and without each.

    Parameters
    ----------
    value : float
        With all.
    without : ndarray, (n,)
        Without each.
    """

    value: float
    without: np.ndarray


def deleted(x: Centred, y: Centred) -> Deleted:
    """Return debiased HSIC with all samples and without each, O(n²)."""
    xp = array.namespace(x.matrix, y.matrix)
    h = host(xp.linalg.vecdot(x.matrix, y.matrix, axis=-1))
    return Deleted(float(h.sum()) / (x.n * (x.n - 3)), without_each(h))


def pairs_deleted(x: Centred, y: Centred) -> np.ndarray:
    """Return debiased HSIC without each two samples, (n, n), O(n³); the diagonal means nothing."""
    m = x.n - 2
    A, B = host(x.matrix), host(y.matrix)
    crossed = A @ B
    AB = A * B
    h = AB.sum(axis=1)
    both = h[:, None] + h[None, :]
    left = h.sum() - 2 * both + 2 * AB - 2 / (m - 2) * (both - 2 * AB + crossed + crossed.T)
    return (left + 4 * AB / ((m - 1) * (m - 2))) / (m * (m - 3))
