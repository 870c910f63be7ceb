"""Procrustes: the distance of two centred representations up to an orthogonal map."""

from visavis._core import array
from visavis._core.types import Array

FORMS = ("angular", "euclidean", "squared", "similarity")

Size = tuple[Array, Array | float]
"""A Frobenius norm and the unit that it is in."""


# So many roundings of the largest are the uncertainty of an eigenvalue.
_ROUNDINGS = 4
# What the difference 2 − 2·‖XᵀY‖_* may lose: an eighth of the digits.
_LOST = 1 / 8


def unit_squared_distance(X: Array, Y: Array, *, given: float = 0.0) -> Array:
    """Return min_Q ‖X − YQ‖² over orthogonal Q, for centred X and Y of Frobenius norm 1.

    It equals 2 − 2‖XᵀY‖_*, which singular values without vectors give, at half the cost; near zero
    this difference would keep half of the digits, and it is taken from the residual of the best Q.

    Parameters
    ----------
    X, Y : array, (n, p) and (n, q)
        Shapes.
    given : float
        Machine epsilon of the coarser dtype in which they were given.
    """
    xp = array.namespace(X, Y)
    if X.shape[1] < Y.shape[1]:
        X, Y = Y, X
    product = array.constant(X.T @ Y)
    if not array.recording(X, Y):
        distance = 2 - 2 * _nuclear(product, given)
        if bool(distance > float(xp.finfo(distance.dtype).eps) ** _LOST):
            return distance
    # Q counts as a constant of differentiation (the minimum does not move with it to first order),
    # so the gradient exists where singular values repeat.
    left, _, right = xp.linalg.svd(product, full_matrices=False)
    # X is the wider: it is turned onto Y, and what of it has no counterpart stays as it is.
    matched = X @ left
    aside = X - matched @ left.T
    return xp.sum((matched @ right - Y) ** 2) + xp.sum(aside**2)


def _nuclear(product: Array, given: float) -> Array:
    """Return the nuclear norm of XᵀY, to the rounding of its dtype or to ten of that of `given`.

    The eigenvalues of the smaller Gram matrix cost less than half of the singular values, but each
    is uncertain by some δ, and its root by δ/2√λ, or √δ near zero: they serve where all of that
    together cannot be seen beside the rounding of the input.
    """
    xp = array.namespace(product)
    working = float(xp.finfo(product.dtype).eps)
    if given > working:
        values = xp.linalg.eigvalsh(product.T @ product)
        uncertain = _ROUNDINGS * working * values[-1]
        error = uncertain / (2 * xp.sqrt(xp.maximum(values, uncertain / 4)))
        if bool(xp.sum(error) <= 10 * given):
            return xp.sum(xp.sqrt(xp.maximum(values, xp.zeros_like(values))))
    return xp.sum(xp.linalg.svdvals(product))


def cut(similarity: Array) -> Array:
    """Return the cosine, cut at 1, above which it lies only by rounding."""
    xp = array.namespace(similarity)
    return xp.minimum(similarity, xp.ones_like(similarity))


def formed(distance: Array, x: Size, y: Size, *, form: str, scale: bool) -> Array:
    """Return the squared distance of unit-norm shapes in the form asked for.

    Parameters
    ----------
    distance : 0-d array
        Squared distance of the shapes at norm 1: 2 − 2·cosine.
    x, y : pair of 0-d array and unit
        Frobenius norms of both, and the units in which they are held.
    form : {"angular", "euclidean", "squared", "similarity"}
        What to return.
    scale : bool
        Whether the Euclidean forms compare the shapes at norm 1.
    """
    xp = array.namespace(distance)
    if form == "similarity":
        return 1 - distance / 2
    if form == "angular":
        # Not the arc cosine of the similarity: near zero that keeps half of the digits.
        return 2 * xp.asin(cut(xp.sqrt(distance) / 2))
    if not scale:
        size_x, size_y = x[0] / x[1], y[0] / y[1]
        # ‖X‖² + ‖Y‖² − 2‖XᵀY‖_*, without the difference of large numbers.
        distance = (size_x - size_y) ** 2 + size_x * size_y * distance
    return distance if form == "squared" else xp.sqrt(distance)
