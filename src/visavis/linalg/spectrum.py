"""Principal axes: left singular vectors and singular values, with a stated rank tolerance."""

from visavis._core import array
from visavis._core.types import Array


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


def left_axes(X: Array, *, given: float) -> tuple[Array, Array]:
    """Return the left singular vectors (n, r) and singular values (r,) of a centred `X` (n, p).

    Representations that were given in lower precision than they are computed in go through the
    eigenvectors of the smaller of XᵀX and XXᵀ: several times faster, and what that loses lies
    below what the input could resolve.
    """
    xp = array.namespace(X)
    if given <= float(xp.finfo(X.dtype).eps):
        left, values, _ = xp.linalg.svd(X, full_matrices=False)
        return left, values
    if X.shape[1] > X.shape[0]:
        values, left = eigen(X @ X.T)
        return left, values
    values, right = eigen(X.T @ X)
    # Axes beyond the rank are dropped later; here they must only not divide by zero.
    safe = xp.where(values > 0, values, xp.ones_like(values))
    return (X @ right) / safe, values


def eigen(A: Array) -> tuple[Array, Array]:
    """Return roots of the eigenvalues of a positive semi-definite A, descending, and vectors."""
    xp = array.namespace(A)
    values, vectors = xp.linalg.eigh(A)
    return roots(values), xp.flip(vectors, axis=1)


def roots(values: Array) -> Array:
    """Return roots, descending, of the ascending eigenvalues of a positive semi-definite matrix."""
    xp = array.namespace(values)
    # Eigenvalues below zero are rounding error of zero.
    return xp.sqrt(xp.maximum(xp.flip(values), xp.zeros_like(values)))


def within_rank(vectors: Array, values: Array, tolerance: float) -> tuple[Array, Array]:
    """Return the columns of `vectors` and the `values` above `tolerance` times the largest.

    Those below become zero, and are dropped as well where the shape may depend on values. A
    constant representation keeps one, so that there is something to be zero.
    """
    xp = array.namespace(values)
    keep = xp.astype(values > tolerance * values[0], values.dtype)
    size = array.read(xp.sum(keep))
    kept = values.shape[0] if size is None else max(1, int(size))
    return (vectors * keep)[:, :kept], (values * keep)[:kept]
