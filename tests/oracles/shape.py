"""Shape distance with partial whitening, and the Bures names of Procrustes."""

import numpy as np
import scipy.linalg

from .centring import Array, centred
from .procrustes import procrustes
from .spans import basis, rank


def shape_distance(X: Array, Y: Array, *, alpha: float = 1.0, rtol: float | None = None) -> float:
    """The Procrustes angle of αXc + (1 − α)·Xc(XcᵀXc)^(−1/2) (Williams et al. 2021)."""
    return procrustes(*(whitened(Z, alpha, rtol) for Z in (X, Y)), form="angular")


def whitened(X: Array, alpha: float, rtol: float | None = None) -> Array:
    """Partially whitened `X`, up to a turn of its features and a common factor.

    Xc(XcᵀXc)^(−1/2) is the factor of the polar decomposition that is an isometry.
    """
    Xc = centred(X)
    unit = np.abs(Xc).max()
    Xc = (Xc / unit).astype(np.float64)
    if alpha == 1:
        return Xc
    if X.dtype == np.float32:
        # Beside a row a hundred thousand times the others, what these span is still well held.
        rtol = rtol or 10 * float(np.finfo(np.float32).eps)
    if alpha == 0:
        return basis(X, rtol)
    # Coordinates in the span of the rows, where the polar decomposition is unique.
    rows, _, _ = scipy.linalg.qr(Xc.T, mode="economic", pivoting=True)
    inside = Xc @ rows[:, : rank(X, rtol)]
    isometry, _ = scipy.linalg.polar(inside)
    return alpha * inside + float((1 - alpha) / unit) * isometry


def bures(X: Array, Y: Array) -> float:
    """√(tr K + tr L − 2 tr (K^½ L K^½)^½) for K = XcXcᵀ and L = YcYcᵀ.

    By the rotation that it is the distance after: a root of a matrix keeps half of the digits.
    """
    return procrustes(X, Y, form="euclidean")


def nbs(X: Array, Y: Array) -> float:
    """tr (K^½ L K^½)^½/√(tr K tr L)."""
    return procrustes(X, Y, form="similarity")


def fidelity(X: Array, Y: Array) -> float:
    """tr (K^½ L K^½)^½ from Gram matrices, to half of the digits."""
    K, L = ((centred(Z) @ centred(Z).T).astype(np.float64) for Z in (X, Y))
    values, vectors = np.linalg.eigh(K)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    return float(np.sqrt(np.linalg.eigvalsh(root @ L @ root).clip(0)).sum())
