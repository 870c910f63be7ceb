"""What is told of the rows as they are, from the origin: their similarities, their mean, its size.

Nothing here is centred: where the origin lies is part of what is asked.
"""

from visavis import linalg
from visavis._core import array
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.stats.directions import unit_rows

SIMILARITIES = ("linear", "cosine", "correlation")
# Roundings of the input, relative to the longest row, below which a mean row is none.
SLACK = 16


def exact(X: Array, *, host: bool) -> Array:
    """Return `X` in float64 wherever that is to be had; a constant one is refused.

    Parameters
    ----------
    X : array, (n, p)
        A representation.
    host : bool
        Whether values may be looked at, and be in host memory, where there is float64 whatever
        the library. Not where gradients of either side are recorded or values cannot be read.
    """
    X = array.widen(array.host(X) if host else X)
    if host and bool(array.namespace(X).all(X[:1, :] == X)):
        raise DegenerateInputError("kernel: `X` must vary over the samples, got identical rows.")
    return X


def similarities(X: Array, similarity: str) -> tuple[Array, Array | float]:
    """Return the similarities (n, n) of all rows, in a unit that cannot overflow, and that unit.

    ``similarities(X, s)[0] / unit**2`` is the similarity itself.
    """
    if similarity == "linear":
        unit = linalg.peak_unit(X)
        X = linalg.scaled(X, unit)
    else:
        unit = 1.0
        X, _ = unit_rows(X, centre=similarity == "correlation", instead="similarity='linear'")
    return X @ X.T, unit


def norm_difference(K: Array, k_unit: Array | float, L: Array, l_unit: Array | float) -> Array:
    """Return the Frobenius norm of K/k_unit² − L/l_unit²."""
    xp = array.namespace(K, L)
    units = [xp.asarray(each, dtype=K.dtype, device=array.device(K)) for each in (k_unit, l_unit)]
    # The unit of the larger side: what of the smaller one underflows is not seen beside it.
    unit = xp.minimum(*units)
    k, m = ((unit / each) ** 2 for each in units)
    return xp.linalg.matrix_norm(k * K - m * L) / unit / unit


def magnitude(X: Array) -> Array:
    """Return the length of the mean row."""
    xp = array.namespace(X)
    unit = linalg.peak_unit(X)
    return xp.linalg.vector_norm(xp.mean(linalg.scaled(X, unit), axis=0)) / unit


def concentricity(X: Array, *, given: float) -> Array:
    """Return the mean cosine of the rows with the mean row.

    Parameters
    ----------
    X : array, (n, p)
        A representation, in the widest float.
    given : float
        Machine epsilon of the dtype in which it was given.
    """
    xp = array.namespace(X)
    directions, _ = unit_rows(X, centre=False, instead="")
    X = linalg.scaled(X, linalg.peak_unit(X))
    mean = xp.mean(X, axis=0)
    length = xp.linalg.vector_norm(mean)
    if not array.recording(X):
        longest = xp.max(xp.linalg.vector_norm(X, axis=1))
        if bool(length <= SLACK * given * longest):
            raise DegenerateInputError(
                "kernel: `X` must have a mean row with a direction, got features whose means are "
                "zero. The cosine with the mean is of features as they are, not centred."
            )
    return xp.mean(directions @ (mean / length))


def uniformity(X: Array, t: float) -> Array:
    """Return log mean exp(−t‖u_i − u_j‖²) over pairs i ≠ j of rows at length 1."""
    xp = array.namespace(X)
    n = X.shape[0]
    directions, _ = unit_rows(X, centre=False, instead="")
    # Distances of rows in one narrow cone keep their digits if they are measured from within it.
    near = directions - xp.mean(directions, axis=0)
    norms = xp.linalg.vecdot(near, near, axis=-1)
    itself = xp.eye(n, dtype=X.dtype, device=array.device(X))
    # Negative only by rounding. At most 4 but for rounding: 8 is further than all pairs.
    squared = norms[:, None] + norms[None, :] - 2 * (near @ near.T)
    squared = xp.maximum(squared, xp.zeros_like(squared)) * (1 - itself) + 8 * itself
    # The nearest pair has exponent 0, so that the sum cannot vanish however large t is.
    least = xp.min(squared)
    terms = xp.exp(-t * (squared - least)) * (1 - itself)
    return xp.log(xp.sum(terms) / (n * (n - 1))) - t * least
