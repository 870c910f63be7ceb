"""Squared distances between the pairs of different rows, each to its own precision."""

import array_api_extra as xpx
import numpy as np

from visavis._core import array
from visavis._core.types import Array
from visavis.linalg.blocks import row_blocks
from visavis.linalg.centre import scaled, shifted

# A distance this much smaller than the norms that it is a difference of is taken again.
CLOSE = 64.0
# Entries of the rows that are gathered at a time: they stay in cache.
GATHERED = 2**18


def upper(n: int) -> np.ndarray:
    """Return where the pairs i < j stand in a flat (n, n) matrix, row by row."""
    return np.flatnonzero(~np.tri(n, dtype=bool))


def squared_pairs(X: Array) -> Array:
    """Return the squared Euclidean distances of rows i < j, shape (n(n − 1)/2,), widest float.

    The relative error of each is some ten roundings: from the Gram matrix where it is not small
    beside the norms, from the difference of the two rows where it is. While gradients are recorded
    all come from the Gram matrix. The scale is arbitrary: one factor for all.
    """
    X = array.widen(X)
    xp = array.namespace(X)
    n = X.shape[0]
    places = upper(n)
    flat = xp.asarray(places, device=array.device(X))
    moved, unit = shifted(X)
    norms = xp.linalg.vecdot(moved, moved, axis=-1)
    # Into the memory of the product: new memory costs more than what is done in it.
    squared = moved @ moved.T
    squared *= -2
    squared += norms[:, None]
    squared += norms[None, :]
    squared = xp.take(xp.reshape(squared, (-1,)), flat)
    least = xp.min(squared)
    # Negative only by rounding.
    squared = xp.maximum(squared, xp.zeros_like(squared))
    if array.recording(X) or bool(least * CLOSE >= 2 * xp.max(norms)):
        return squared
    i, j = (xp.asarray(each, device=array.device(X)) for each in np.divmod(places, n))
    near = squared * CLOSE < xp.take(norms, i) + xp.take(norms, j)
    close = places[array.to_numpy(near)]
    if not close.size:
        return squared
    # Of rows as given: what the shift rounds is not small beside their difference.
    return xpx.at(squared)[near].set(_of_differences(scaled(X, unit), close // n, close % n))


def square(values: Array, n: int) -> Array:
    """Return the symmetric (n, n) matrix of what belongs to pairs i < j, zero on the diagonal."""
    xp = array.namespace(values)
    i, j = np.divmod(upper(n), n)
    places = np.full((n, n), i.size)
    places[i, j] = places[j, i] = np.arange(i.size)
    nothing = xp.zeros((1,), dtype=values.dtype, device=array.device(values))
    flat = xp.asarray(np.reshape(places, -1), device=array.device(values))
    return xp.reshape(xp.take(xp.concat([values, nothing]), flat), (n, n))


def _of_differences(X: Array, i: np.ndarray, j: np.ndarray) -> Array:
    xp = array.namespace(X)
    at = array.device(X)
    parts = []
    for block in row_blocks(i.size, max(1, GATHERED // X.shape[1])):
        left, right = (xp.asarray(each[block], device=at) for each in (i, j))
        difference = xp.take(X, left, axis=0) - xp.take(X, right, axis=0)
        parts.append(xp.linalg.vecdot(difference, difference, axis=-1))
    return xp.concat(parts)
