"""Order statistics of distance matrices."""

from visavis._core import array
from visavis._core.types import Array


def middle_of_pairs(D: Array) -> tuple[Array, Array]:
    """Return the two middle values over pairs i < j of a symmetric (n, n) non-negative matrix.

    Their mean is the median; with an odd number of pairs they are the same value. The diagonal
    must be zero. Sorting everything is enough: n diagonal zeros come first, then each pair twice.
    """
    n = D.shape[0]
    pairs = n * (n - 1) // 2
    ordered = _sorted(D)
    return ordered[n + 2 * ((pairs - 1) // 2)], ordered[n + 2 * (pairs // 2)]


def median_all(D: Array) -> Array:
    """Return the median over all entries."""
    ordered = _sorted(D)
    count = ordered.shape[0]
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _sorted(D: Array) -> Array:
    xp = array.namespace(D)
    return xp.sort(xp.reshape(D, (-1,)))
