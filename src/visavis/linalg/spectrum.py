"""Principal axes: singular values and vectors with a stated rank tolerance."""

from typing import NamedTuple

from visavis._core import array
from visavis._core.types import Array


class Spectrum(NamedTuple):
    """Singular values in descending order, with left (n, r) and right (p, r) singular vectors."""

    left: Array
    values: Array
    right: Array


def rank_tolerance(n: int, p: int, *, given: float, working: float) -> float:
    """Return the relative size below which a singular value is rounding error.

    Parameters
    ----------
    n, p : int
        Shape of the representation.
    given : float
        Machine epsilon of the dtype in which it was given.
    working : float
        Machine epsilon of the dtype in which its singular values are computed.
    """
    return max(max(n, p) * working, 10 * given if given > working else 0.0)


def left_axes(X: Array, *, given: float) -> Spectrum:
    """Return the thin singular value decomposition of a centred `X` (n, p).

    Representations that were given in lower precision than they are computed in go through the
    eigenvectors of the smaller of XᵀX and XXᵀ: several times faster, and what that loses lies
    below what the input could resolve.
    """
    xp = array.namespace(X)
    working = float(xp.finfo(X.dtype).eps)
    if given <= working:
        left, values, right = xp.linalg.svd(X, full_matrices=False)
        return Spectrum(left, values, right.T)
    n, p = X.shape
    if p <= n:
        values, right = eigen(X.T @ X)
        return Spectrum((X @ right) / _nonzero(values), values, right)
    values, left = eigen(X @ X.T)
    return Spectrum(left, values, (X.T @ left) / _nonzero(values))


def eigen(A: Array) -> tuple[Array, Array]:
    """Return square roots of the eigenvalues of a positive semi-definite A, descending, and vectors."""
    xp = array.namespace(A)
    values, vectors = xp.linalg.eigh(A)
    # Eigenvalues below zero are rounding error of zero.
    values = xp.sqrt(xp.maximum(xp.flip(values), xp.zeros_like(values)))
    return values, xp.flip(vectors, axis=1)


def _nonzero(values: Array) -> Array:
    # Directions beyond the rank are dropped by the caller; here they must only not divide by zero.
    xp = array.namespace(values)
    return xp.where(values > 0, values, xp.ones_like(values))
