"""The column span of centred features: rank, an orthonormal basis, the projection on it.

The rank counts singular values; the basis comes from pivoted QR, not from singular vectors.
"""

import numpy as np
import scipy.linalg

from .centring import Array, centred


def tolerance(X: Array, rtol: float | None = None) -> float:
    """Smallest singular value, relative to the largest, that counts: max(n, p)·ε of the dtype."""
    if rtol is not None:
        return rtol
    dtype = X.dtype if np.issubdtype(X.dtype, np.floating) else np.dtype(np.float64)
    return max(X.shape) * float(np.finfo(dtype).eps)


def rank(X: Array, rtol: float | None = None) -> int:
    """Rank of centred `X`."""
    singular = scipy.linalg.svdvals(_unit_scale(X))
    return int((singular > tolerance(X, rtol) * singular[0]).sum())


def basis(X: Array, rtol: float | None = None) -> Array:
    """Orthonormal Q (n, rank) with the column span of centred `X`."""
    Q, _, _ = scipy.linalg.qr(_unit_scale(X), mode="economic", pivoting=True)
    return Q[:, : rank(X, rtol)]


def projection(X: Array, rtol: float | None = None) -> Array:
    """QQᵀ, the orthogonal projection (n, n) on the column span of centred `X`."""
    Q = basis(X, rtol)
    return Q @ Q.T


def _unit_scale(X: Array) -> Array:
    """Centred `X` with its largest entry at 1: the span stays, float64 cannot overflow."""
    Xc = centred(X)
    return (Xc / np.abs(Xc).max()).astype(np.float64)
