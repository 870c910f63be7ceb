"""The best match of each layer, with its distance to the second best."""

from dataclasses import dataclass

import numpy as np

from visavis.results import Comparison


@dataclass(frozen=True, slots=True)
class Match:
    """The column that is most alike to a row.

    Parameters
    ----------
    row, col : int
        Positions in the table.
    value : float
        The measure there.
    gap : float
        By how much the value is better than the second best of the row; NaN if there is none.
    """

    row: int
    col: int
    value: float
    gap: float


def matches(comparison: Comparison) -> list[Match]:
    """Return the best match of each row that has one, in the order of the rows.

    The first of equal values is taken, as `Comparison.best_match` does. Where a model is compared
    with itself, the layer itself is no candidate: that it is like itself says nothing.
    """
    better = np.array(comparison.values, dtype=np.float64)
    if comparison.scale.direction == "distance":
        better = -better
    if comparison.of_itself and len(comparison.cols) > 1:
        np.fill_diagonal(better, np.nan)
    found = []
    for i, row in enumerate(better):
        order = np.argsort(-row, kind="stable")  # NaN last
        ranked = order[~np.isnan(row[order])]
        if len(ranked):
            best = int(ranked[0])
            gap = float(row[best] - row[ranked[1]]) if len(ranked) > 1 else float("nan")
            found.append(Match(i, best, float(comparison.values[i, best]), gap))
    return found


def chance_span(comparison: Comparison) -> tuple[float, float] | None:
    """Return the lowest and highest known chance level, or None if none is known."""
    if comparison.chance is None:
        return None
    known = comparison.chance[np.isfinite(comparison.chance)]
    return (float(known.min()), float(known.max())) if known.size else None
