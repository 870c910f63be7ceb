"""Order statistics of distance matrices."""

from visavis._core import array
from visavis._core.types import Array


def middle_of_pairs(D: Array) -> tuple[Array, Array]:
    """Return the two middle values over pairs i < j of a symmetric (n, n) non-negative matrix.

    Their mean is the median; with an odd number of pairs they are the same value. The diagonal
    must be zero. Among all entries the n diagonal zeros come first, then each pair twice.
    """
    n = D.shape[0]
    pairs = n * (n - 1) // 2
    low, high = array.ordered(D, (n + 2 * ((pairs - 1) // 2), n + 2 * (pairs // 2)))
    return low, high


def median_all(D: Array) -> Array:
    """Return the median over all entries."""
    count = D.shape[0] * D.shape[1]
    low, high = array.ordered(D, ((count - 1) // 2, count // 2))
    return (low + high) / 2
