"""Differences: whether a representation is more like one than like another."""

import math

import numpy as np
from scipy import stats

from visavis._core import checks
from visavis._core.types import Array
from visavis.inference.leave_one_out import Deleted, deleted, pairs_deleted
from visavis.inference.sides import Centred, kernels_of, measured
from visavis.measures import MeasureSpec
from visavis.results import Interval

MINIMUM_ROWS = 8


def difference(
    X: Array, Y: Array, Z: Array, /, *, measure: MeasureSpec = "cka", level: float = 0.95
) -> Interval:
    """Return how much more X is like Y than like Z: dCKA(X, Y) − dCKA(X, Z), with its interval.

    All three on the same samples, so that the two values rise and fall together. The variance is
    the jackknife's less what that overstates (Efron & Stein 1981, doi:10.1214/aos/1176345462), from
    the values without each one and each two samples.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
    Z : array, (n, r)
        The same samples.
    measure : str, function or Measure
        Debiased ``cka``, with one kernel for all.
    level : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Of the difference; ``evidence["pvalue"]`` is two-sided, for the hypothesis of none.

    Raises
    ------
    ValueError
        If there are fewer than 8 samples.

    Notes
    -----
    *Cost*: O(n³), three products of n × n. Exchanging rows of Y and Z is no test of this: it is
    valid only for two repeats of one representation.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X, E, F = rng.normal(size=(3, 100, 10))
    >>> vv.inference.difference(X, X + 0.3 * E, X + 2 * F).low > 0
    True
    """
    where = "difference"
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
    kernel, other = kernels_of(where, measured(where, measure))
    if kernel != other:
        raise ValueError(
            checks.message(where, "measure", "have one kernel", f"{kernel} and {other}")
        )
    X, Y = checks.pair(where, X, Y, minimum_rows=MINIMUM_ROWS)
    X, Z = checks.pair(where, X, Z, minimum_rows=MINIMUM_ROWS)
    x, y, z = (
        Centred.of(where, name, each, kernel) for name, each in (("X", X), ("Y", Y), ("Z", Z))
    )
    n = x.n
    one = _ratio(deleted(x, y), deleted(x, x), deleted(y, y))
    two = _ratio(deleted(x, z), deleted(x, x), deleted(z, z))
    value, without = one.value - two.value, one.without - two.without
    alone = pairs_deleted(x, x)
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = pairs_deleted(x, y) / np.sqrt(alone * pairs_deleted(y, y))
        pairs = pairs - pairs_deleted(x, z) / np.sqrt(alone * pairs_deleted(z, z))
    first = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    second = n * value - (n - 1) * (without[:, None] + without[None, :]) + (n - 2) * pairs
    upper = second[np.triu_indices(n, 1)]
    excess = float(((upper - upper.mean()) ** 2).sum()) / (n * (n - 1))
    error = math.sqrt(max(first - excess, excess))
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    pvalue = 2 * float(stats.t.sf(abs(value) / error, n - 1)) if error else float(value == 0)
    return Interval(
        value,
        value - reach,
        value + reach,
        level,
        math.sqrt(first),
        n,
        "corrected jackknife of the difference",
        (),
        {"pvalue": pvalue, "first": one.value, "second": two.value, "corrected_error": error},
    )


def _ratio(xy: Deleted, xx: Deleted, yy: Deleted) -> Deleted:
    return Deleted(
        xy.value / math.sqrt(xx.value * yy.value), xy.without / np.sqrt(xx.without * yy.without)
    )
