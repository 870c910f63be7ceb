"""Pairwise distances between rows."""

from visavis._core import array
from visavis._core.types import Array
from visavis.linalg.blocks import row_blocks
from visavis.linalg.centre import shifted

# Entries of the largest temporary of `manhattan`.
MANHATTAN_ENTRIES = 2**23


def squared_euclidean(X: Array) -> tuple[Array, Array]:
    """Return the (n, n) squared Euclidean distances, zero on the diagonal, and the largest norm.

    Computed as ``a_i + a_j − 2⟨x_i, x_j⟩`` of shifted rows, so the error of every entry is the
    rounding error of the largest squared norm, a 0-d array: a caller to whom this is too much
    (tight clusters far apart, one row far away) asks again with `X` in float64.
    The scale is arbitrary: `X` is brought to a peak near 1 first.
    """
    xp = array.namespace(X)
    X = shifted(X)[0]
    norms = xp.linalg.vecdot(X, X, axis=-1)
    distances = norms[:, None] + norms[None, :] - 2 * (X @ X.T)
    # Negative only by rounding; the diagonal is zero by definition.
    off = 1 - xp.eye(X.shape[0], dtype=X.dtype, device=array.device(X))
    return xp.maximum(distances, xp.zeros_like(distances)) * off, xp.max(norms)


def manhattan(X: Array) -> Array:
    """Return the (n, n) sums of absolute differences between rows, on an arbitrary scale."""
    # One far row must not cost the others their digits, and there is no fast product to lose.
    X = shifted(array.widen(X))[0]
    return manhattan_between(X, X)


def manhattan_between(X: Array, Y: Array) -> Array:
    """Return the (n, m) sums of absolute differences between rows of `X` and rows of `Y`."""
    xp = array.namespace(X)
    n, p = X.shape
    rows = max(1, MANHATTAN_ENTRIES // (Y.shape[0] * p))
    blocks = [
        xp.sum(xp.abs(X[block, None, :] - Y[None, :, :]), axis=-1) for block in row_blocks(n, rows)
    ]
    return xp.concat(blocks, axis=0)
