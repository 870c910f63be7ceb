"""Models in groups: what two groups have in common, over pairs of their models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from visavis._core import checks
from visavis.results import saved
from visavis.results.comparison import Comparison


class Line(NamedTuple):
    """Two groups, and what their pairs of models are like."""

    row: str
    col: str
    mean: float
    deviation: float
    pairs: int


@dataclass(frozen=True, eq=False)
class Grouped:
    """Means over the pairs of models of two groups.

    Parameters
    ----------
    mean : Comparison
        Group × group, over pairs of different models. NaN for a group of one with itself.
    deviation : ndarray, (groups, groups)
        The standard deviation over the same pairs; NaN where there is one pair or none. Pairs that
        share a model are not independent: it says how much pairs differ, not how sure the mean is.
    pairs : ndarray of int, (groups, groups)
        How many pairs there are. A pair within a group counts once if the measure is symmetric,
        else in both directions.
    """

    mean: Comparison
    deviation: np.ndarray
    pairs: np.ndarray

    def lines(self) -> Iterator[Line]:
        """Yield any two groups that have models to pair, once if the measure is symmetric."""
        names = self.mean.rows
        for i, j in np.ndindex(self.pairs.shape):
            if self.pairs[i, j] and (i <= j or not self.mean.scale.symmetric):
                values = float(self.mean.values[i, j]), float(self.deviation[i, j])
                yield Line(names[i], names[j], *values, int(self.pairs[i, j]))

    def to_dict(self) -> dict[str, Any]:
        """Return means, deviations and numbers of pairs as plain JSON types."""
        return {
            "mean": self.mean.to_dict(),
            "standard_deviation": saved.plain(self.deviation),
            "pairs": saved.plain(self.pairs),
        }


def grouped(between: Comparison, groups: Mapping[str, str]) -> Grouped:
    """Return means over the pairs of models of two groups; see `ModelComparison.grouped`."""
    lost = [model for model in between.rows if model not in groups]
    if lost:
        expected = "name a group for each model"
        raise ValueError(checks.message("grouped", "groups", expected, f"none for {lost[0]!r}"))
    names = tuple(dict.fromkeys(groups[model] for model in between.rows))
    member = np.array([names.index(groups[model]) for model in between.rows])
    different = ~np.eye(len(member), dtype=bool)
    once = np.tri(len(member), k=-1, dtype=bool) if between.scale.symmetric else different
    values, chance, deviation = (np.full((len(names), len(names)), np.nan) for _ in range(3))
    pairs = np.zeros(values.shape, np.int64)
    for i, j in np.ndindex(values.shape):
        chosen = np.outer(member == i, member == j) & (once if i == j else different)
        pairs[i, j] = chosen.sum()
        if pairs[i, j]:
            values[i, j] = between.values[chosen].mean()
            chance[i, j] = np.nan if between.chance is None else between.chance[chosen].mean()
        if pairs[i, j] > 1:
            deviation[i, j] = between.values[chosen].std(ddof=1)
    mean = replace(
        between,
        values=values,
        chance=None if between.chance is None else chance,
        rows=names,
        cols=names,
        names=("groups", "groups"),
        scale=between.scale.described("mean over pairs of different models"),
        findings=tuple(
            replace(each, layers=tuple(dict.fromkeys(groups[model] for model in each.layers)))
            for each in between.findings
        ),
        unit="group",
    )
    return Grouped(mean, deviation, pairs)
