"""Work in blocks of rows: products stay in cache, and long sums are added up in float64."""

from collections.abc import Iterator

from visavis._core import array
from visavis._core.types import Array

# Rows of a block: enough that the float64 addition of a p × q product costs little beside the
# product itself, few enough that a float32 sum over them keeps its digits.
BLOCK_ROWS = 4096


def row_blocks(n: int, rows: int = BLOCK_ROWS) -> Iterator[slice]:
    """Yield slices that cover ``range(n)``, each of `rows` rows but perhaps the last."""
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))


def inner(K: Array, L: Array) -> Array:
    """Return the sum of the elementwise product of two matrices, a 0-d array of the widest float.

    Each row is summed by the library and the rows in float64: one float32 sum over n² terms would
    lose its last digits.
    """
    xp = array.namespace(K, L)
    K, L = _of_one_dtype(K, L)
    return xp.sum(array.widen(xp.linalg.vecdot(K, L, axis=-1)))


def cross_product(X: Array, Y: Array) -> Array:
    """Return XᵀY in the widest float, the rows taken in blocks."""
    X, Y = _of_one_dtype(X, Y)
    blocks = [array.widen(X[rows, :].T @ Y[rows, :]) for rows in row_blocks(X.shape[0])]
    total = blocks[0]
    for block in blocks[1:]:
        total = total + block
    return total


def _of_one_dtype(X: Array, Y: Array) -> tuple[Array, Array]:
    # PyTorch refuses products of two precisions, which NumPy would promote.
    return (X, Y) if X.dtype == Y.dtype else (array.widen(X), array.widen(Y))
