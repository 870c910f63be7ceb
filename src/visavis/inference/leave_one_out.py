"""HSIC without each sample in turn, from one pass over what HSIC needs anyway."""

from dataclasses import dataclass

import numpy as np

from visavis._core import array
from visavis.inference.sides import Centred, host


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
    """Return debiased HSIC with all samples and without each, O(n²).

    Deleting a row of U-centred matrices A, B and centring again takes 2hᵢ + 2hᵢ/(m − 2) from
    ⟨A, B⟩, with h = Σⱼ A_ij B_ij and m = n − 1.
    """
    xp = array.namespace(x.matrix, y.matrix)
    n = x.n
    m = n - 1
    h = host(xp.linalg.vecdot(x.matrix, y.matrix, axis=-1))
    total = float(h.sum())
    return Deleted(total / (n * (n - 3)), (total - 2 * h - 2 * h / (m - 2)) / (m * (m - 3)))


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
