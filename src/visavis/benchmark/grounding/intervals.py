"""Scores with an interval over nets, from the values without each net."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from visavis.benchmark.grounding.result import Score
from visavis.inference.spread import jackknifed
from visavis.results import Interval

METHOD = "jackknife over nets"


def scored(
    measure: str,
    name: str,
    value: float,
    without: Sequence[float] | np.ndarray,
    *,
    span: tuple[float, float],
    level: float,
    chance: float,
    pvalue: float | None = None,
    reason: str = "",
    evidence: Mapping[str, float] | None = None,
) -> Score:
    """Return a score with its interval, or with the reason why there is none.

    Parameters
    ----------
    measure, name : str
        What was scored, and how.
    value : float
        With all nets.
    without : sequence of float
        Without each; fewer than two, or a NaN among them, and there is no interval.
    span : pair of float
        The range of the score, to which the interval is cut.
    level, chance, pvalue, evidence
        For the record.
    reason : str
        Why there is no value, if there is none.
    """
    left = np.asarray(without, dtype=np.float64)
    known = not np.isnan(value)
    if known and len(left) > 1 and np.isfinite(left).all():
        interval = jackknifed(value, left, level=level, method=METHOD, evidence=evidence)
        interval = replace(
            interval, low=max(interval.low, span[0]), high=min(interval.high, span[1])
        )
        return Score(measure, name, interval, chance, pvalue)
    if known:
        reason = (
            f"no interval: {len(left) or 'one'} net{'s' if len(left) > 1 else ''}, without one of "
            "which no score is left. Give more nets."
        )
    elif not reason:
        reason = "no value: what it ranks does not vary."
    nan = float("nan")
    interval = Interval(value, nan, nan, level, nan, max(len(left), 1), METHOD, (), evidence or {})
    return Score(measure, name, interval, chance, pvalue if known else None, reason)


def means_without(values: np.ndarray) -> np.ndarray:
    """Return the mean of some values without each; none of a single one."""
    if len(values) < 2:
        return values[:0]
    return (values.sum() - values) / (len(values) - 1)
