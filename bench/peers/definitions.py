"""Variants of definitions, written down anew, by which a peer's number is reproduced."""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import pdist, squareform

Array = np.ndarray


def centred(K: Array) -> Array:
    """Return HKH."""
    return K - K.mean(0) - K.mean(1)[:, None] + K.mean()


def emptied(K: Array) -> Array:
    """Return the matrix with a diagonal of zeros."""
    return K - np.diag(np.diag(K))


def linear(X: Array) -> Array:
    """Return the Gram matrix of centred features, in float64."""
    Z = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    return Z @ Z.T


def gaussian(X: Array, width: float) -> Array:
    """Return exp(−d²/2w²)."""
    return np.exp(-squareform(pdist(X.astype(np.float64), "sqeuclidean")) / (2 * width**2))


def biased_hsic(K: Array, L: Array) -> float:
    """Return tr(KHLH)/(n − 1)²."""
    return float((centred(K) * centred(L)).sum() / (len(K) - 1) ** 2)


def debiased_hsic(K: Array, L: Array) -> float:
    """Return the three terms of Song et al., of Gram matrices of centred features."""
    n, K, L = len(K), emptied(K), emptied(L)
    rows = K.sum(0) @ L.sum(0)
    total = (K * L).sum() + K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows
    return float(total / (n * (n - 3)))


def emptied_hsic(K: Array, L: Array) -> float:
    """Return the sum over i ≠ j of the centred matrices: the diagonal is emptied afterwards."""
    n = len(K)
    return float((emptied(centred(K)) * emptied(centred(L))).sum() / (n * (n - 3)))


def cka_of(
    K: Array,
    L: Array,
    above: Callable[[Array, Array], float],
    below: Callable[[Array, Array], float] | None = None,
) -> float:
    """Return an HSIC over the root of those of each with itself, by the same or another."""
    below = below or above
    return above(K, L) / np.sqrt(below(K, K) * below(L, L))
