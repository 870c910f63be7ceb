"""Intervals from values without each of a few independent units: seeds, subjects, nets."""

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from visavis._core import checks
from visavis.results import Interval


def jackknifed(
    value: float,
    without: np.ndarray,
    *,
    level: float,
    method: str,
    evidence: Mapping[str, float] | None = None,
) -> Interval:
    """Return a t interval from the delete-one jackknife over units.

    Parameters
    ----------
    value : float
        With all units.
    without : ndarray, (units,)
        Without each.
    level : float
        Of the interval.
    method : str
        For the record.
    evidence : mapping, optional
        The numbers behind it.
    """
    units = len(without)
    variance = (units - 1) / units * float(((without - without.mean()) ** 2).sum())
    error = math.sqrt(variance)
    reach = float(stats.t.ppf((1 + level) / 2, units - 1)) * error
    return Interval(
        value, value - reach, value + reach, level, error, units, method, (), dict(evidence or {})
    )


def level_checked(where: str, level: float) -> None:
    """Check that a level is one."""
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
