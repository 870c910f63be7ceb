"""The jackknife over networks: what a mean over pairs of networks would be with others."""

import math

import numpy as np
from scipy import stats

from visavis._core import checks
from visavis.results import Interval

# With fewer networks an interval rests on so few of them that its reader should be told.
FEW_NETS = 10
# Leave-one-out means that differ by less than this part of 100 % differ by rounding.
_ROUNDING = 1e-9


def mean(pairs: np.ndarray) -> float:
    """Return the mean over ordered pairs of different networks of a table (networks, networks)."""
    m = len(pairs)
    return float(pairs.sum() / (m * (m - 1)))


def without_each(pairs: np.ndarray) -> np.ndarray:
    """Return the mean without each network in turn, of three or more."""
    m = len(pairs)
    left = pairs.sum() - pairs.sum(axis=0) - pairs.sum(axis=1)
    return left / ((m - 1) * (m - 2))


def standard_error(pairs: np.ndarray) -> float | None:
    """Return the standard error of the mean; None of two networks.

    With θₖ the mean without network k of m, se² = (m − 1)/m·Σ(θₖ − θ̄)². Pairs that share a network
    depend on each other: networks are left out, not pairs.
    """
    m = len(pairs)
    if m < 3:
        return None
    found = without_each(pairs)
    if np.ptp(found) < _ROUNDING:
        return 0.0
    return math.sqrt((m - 1) / m * float(((found - found.mean()) ** 2).sum()))


def interval(
    pairs: np.ndarray, level: float, *, low: float, high: float, zero: bool = False
) -> Interval:
    """Return the mean with its interval, by Student's t with m − 1 degrees of freedom.

    Parameters
    ----------
    pairs : ndarray, (networks, networks)
        Zero on the diagonal.
    level : float
        Of the interval.
    low, high : float
        The range of the mean, which ends the interval as well.
    zero : bool
        Whether to test that the mean is zero: a two-sided p-value in the evidence.
    """
    if not 0 < level < 1:
        raise ValueError(checks.message("interval", "level", "lie between 0 and 1", repr(level)))
    m, value, error = len(pairs), mean(pairs), standard_error(pairs)
    if not error:
        reason = (
            "none: a jackknife over nets takes three"
            if error is None
            else "none: the value is the same without any of the nets"
        )
        ends, pvalue = (math.nan, math.nan), math.nan
        error = math.nan if error is None else error
    else:
        reason = f"jackknife over {m} nets, t with {m - 1} degrees of freedom"
        reach = float(stats.t.ppf((1 + level) / 2, m - 1)) * error
        ends = max(low, value - reach), min(high, value + reach)
        pvalue = 2 * float(stats.t.sf(abs(value) / error, m - 1))
    evidence = {"pvalue": pvalue} if zero else {}
    return Interval(value, *ends, level, error, m, reason, (), evidence)
