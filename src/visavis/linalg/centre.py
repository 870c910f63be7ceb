"""Centring: of features before any product, of Gram matrices, and the choice of a safe unit.

Features are shifted in two steps. `shift_of` gives a vector near the column means that can be
subtracted with little rounding error; what then remains of the mean is small, and is removed
exactly by the statistic that uses the features.
"""

import array_api_extra as xpx

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.linalg.blocks import row_blocks

# Rows that are enough for a shift.
SHIFT_ROWS = 4096


def shift_of(X: Array) -> Array:
    """Return a shift near the column means of `X` (n, p), shape (p,), in the dtype of `X`.

    A column whose first entry cannot be told from the rounded mean is constant, or far from zero:
    its mean is taken about that entry, which makes a constant column exactly zero.
    """
    xp = array.namespace(X)
    # Some thousand rows tell the mean to a small part of a standard deviation.
    X = X[:: max(1, X.shape[0] // SHIFT_ROWS), :]
    mean = _column_means(X)
    slack = min(1e-3, 16 * X.shape[0] ** 0.5 * float(xp.finfo(X.dtype).eps))
    first = X[0, :]
    near = xp.abs(first - mean) <= slack * xp.abs(mean)
    if array.recording(X) or bool(xp.any(near)):
        mean = xp.where(near, first + _column_means(X - first), mean)
    return array.constant(mean)


def _column_means(X: Array) -> Array:
    """Return the column means, added up in float64 every few hundred rows."""
    xp = array.namespace(X)
    parts = [array.widen(xp.sum(X[rows, :], axis=0)) for rows in row_blocks(X.shape[0], 512)]
    return xp.astype(sum(parts[1:], parts[0]) / X.shape[0], X.dtype, copy=False)


def peak_unit(X: Array) -> Array | float:
    """Return the power of two that brings the largest entry of `X` near 1."""
    xp = array.namespace(X)
    return array.power_of_two(xp.max(xp.abs(X)))


def comfortable(squared: Array, X: Array) -> bool:
    """Whether a squared norm of rows shows that fourth powers stay well inside the dtype of `X`.

    False where it cannot be read: then a unit is taken to be safe.
    """
    largest = float(array.namespace(X).finfo(X.dtype).max) ** 0.375
    size = array.read(squared)
    return size is not None and 1 / largest < size < largest


def unit_of(X: Array) -> Array | float:
    """Return what to multiply `X` by before products: 1 where squares of its rows are harmless."""
    xp = array.namespace(X)
    with checks.quiet():
        norms = xp.linalg.vecdot(X, X, axis=-1)
    return 1.0 if comfortable(xp.max(norms), X) else peak_unit(X)


def scaled(X: Array, unit: Array | float) -> Array:
    """Return `X` times `unit`."""
    return X if isinstance(unit, float) and unit == 1.0 else X * unit


def shifted(X: Array) -> tuple[Array, Array | float]:
    """Return `X` shifted near its column means, in a unit safe for products, and that unit."""
    moved = X - shift_of(X)
    unit = unit_of(moved)
    return scaled(moved, unit), unit


def centred(X: Array) -> tuple[Array, Array | float]:
    """Return `X` in the widest float, centred to its rounding error, with the unit used.

    ``centred(X)[0] / unit`` is `X` minus its column means.
    """
    xp = array.namespace(X)
    moved, unit = shifted(array.widen(X))
    return moved - xp.mean(moved, axis=0), unit


def hollow_centred(hollow: Array, diagonal: Array) -> tuple[Array, Array]:
    """Return K_ij − u_i − u_j with u such that the rows without the diagonal sum to zero.

    No HSIC changes by what is subtracted. It is taken from the entries off the diagonal alone: a
    diagonal entry that dwarfs all others must not be added to them.

    Parameters
    ----------
    hollow : array, (n, n)
        A symmetric matrix with a zero diagonal.
    diagonal : array, (n,)
        The diagonal that was taken out, in the widest float.
    """
    xp = array.namespace(hollow)
    n = hollow.shape[0]
    if n < 3:
        return hollow, diagonal
    sums = xp.sum(array.widen(hollow), axis=1)
    u = sums / (n - 2) - xp.sum(sums) / (2 * (n - 1) * (n - 2))
    v = xp.astype(u, hollow.dtype, copy=False)
    off = 1 - xp.eye(n, dtype=hollow.dtype, device=array.device(hollow))
    return (hollow - v[:, None] - v[None, :]) * off, diagonal - 2 * array.widen(v)


def split_diagonal(K: Array) -> tuple[Array, Array]:
    """Return `K` with a zero diagonal, and the diagonal in the widest float.

    With wide features the diagonal dwarfs the rest; sums without it must never have contained it.
    """
    xp = array.namespace(K)
    n = K.shape[0]
    # A copy: NumPy gives a view, and the next step may write where it looks.
    diagonal = xp.astype(xp.linalg.diagonal(K), array.wide(K), copy=True)
    if array.recording(K):
        # A gradient may still need the entries: nothing is written into them.
        return K * (1 - xp.eye(n, dtype=K.dtype, device=array.device(K))), diagonal
    flat = xp.reshape(K, (-1,))
    zero = xp.zeros((), dtype=K.dtype, device=array.device(K))
    hollow = xpx.at(flat)[:: n + 1].set(zero)
    return xp.reshape(hollow, (n, n)), diagonal
