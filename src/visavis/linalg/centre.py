"""Centring: of features before any product, of Gram matrices, and the choice of a safe unit.

Features are shifted in two steps. `shift_of` gives a vector near the column means that can be
subtracted with little rounding error; what then remains of the mean is small, and is removed
exactly by the statistic that uses the features.
"""

import array_api_extra as xpx

from visavis._core import array
from visavis._core.types import Array


def shift_of(X: Array) -> Array:
    """Return a shift near the column means of `X` (n, p), shape (p,), in the dtype of `X`.

    For a column whose first entry cannot be told from the rounded mean the first entry is taken:
    a constant column then becomes exactly zero.
    """
    xp = array.namespace(X)
    mean = xp.mean(X, axis=0)
    slack = min(0.01, X.shape[0] * float(xp.finfo(X.dtype).eps))
    first = X[0, :]
    return array.constant(xp.where(xp.abs(first - mean) <= slack * xp.abs(mean), first, mean))


def peak_unit(X: Array) -> Array | float:
    """Return the power of two that brings the largest entry of `X` near 1."""
    xp = array.namespace(X)
    return array.power_of_two(xp.max(xp.abs(X)))


def comfortable(fourth: Array, X: Array) -> bool:
    """Whether a mean fourth power shows that products of entries of `X` stay well inside its dtype.

    False where it cannot be read: then a unit is taken to be safe.
    """
    largest = float(array.namespace(X).finfo(X.dtype).max) ** 0.75
    size = array.read(fourth)
    return size is not None and 1 / largest < size < largest


def unit_of(X: Array) -> Array | float:
    """Return what to multiply `X` by before products: 1 where squares of its rows are harmless."""
    xp = array.namespace(X)
    norms = xp.vecdot(X, X, axis=-1)
    return 1.0 if comfortable(xp.max(norms) ** 2, X) else peak_unit(X)


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


def double_centred(K: Array) -> Array:
    """Return HKH, H = I − 11ᵀ/n, for a symmetric K."""
    xp = array.namespace(K)
    means = xp.mean(K, axis=1)
    # Two steps: the row means carry the size of K, their own mean is subtracted from them first.
    half = means - 0.5 * xp.mean(means)
    return K - half[:, None] - half[None, :]


def split_diagonal(K: Array) -> tuple[Array, Array]:
    """Return `K` with a zero diagonal, and the diagonal in the widest float.

    With wide features the diagonal dwarfs the rest; sums without it must never have contained it.
    """
    xp = array.namespace(K)
    n = K.shape[0]
    # A copy: NumPy gives a view, and the next step may write where it looks.
    diagonal = xp.astype(xp.linalg.diagonal(K), array.wide(K), copy=True)
    flat = xp.reshape(K, (-1,))
    hollow = xpx.at(flat)[:: n + 1].set(xp.zeros((), dtype=K.dtype, device=array.device(K)))
    return xp.reshape(hollow, (n, n)), diagonal
