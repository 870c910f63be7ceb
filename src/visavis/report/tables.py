"""The tables of the report: best matches, and all values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visavis.plot import numbers
from visavis.plot.colours import Colours, colours
from visavis.plot.matches import Match, matches
from visavis.report import words
from visavis.results import Comparison

DECIMALS = words.DECIMALS
# Beyond this many cells a table is a burden, not a help: the values are in the saved comparison.
MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """The best match of one row. Lengths are shares of the scale of colours.

    A row without a match has only `row` and `reason`.
    """

    row: str
    col: str = ""
    value: str = ""
    interval: str = ""
    chance: str = ""
    z: str = ""
    gap: str = ""
    counterpart: bool = False
    length: float = 0.0
    ends: tuple[float, float] | None = None
    chance_at: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One pair of layers."""

    text: str
    interval: str
    chance: str
    z: str
    best: bool
    reason: str


def lines(comparison: Comparison) -> list[Line]:
    """Return the best match of each row."""
    found = {match.row: match for match in matches(comparison)}
    return [
        _line(comparison, found[i])
        if i in found
        else Line(row, reason=words.why_missing(comparison, row))
        for i, row in enumerate(comparison.rows)
    ]


def _line(comparison: Comparison, match: Match) -> Line:
    scale = colours(comparison)
    counterparts = words.counterparts(comparison)
    chance = _known(comparison, "chance", match.row, match.col)
    ends = [_known(comparison, end, match.row, match.col) for end in ("low", "high")]
    return Line(
        row=comparison.rows[match.row],
        col=comparison.cols[match.col],
        value=numbers.text(match.value, comparison.scale, DECIMALS),
        interval=words.interval(comparison, match.row, match.col),
        chance=_chance_text(comparison, match.row, match.col),
        z=words.z(comparison, match.row, match.col),
        gap=numbers.text(match.gap, comparison.scale, DECIMALS),
        counterpart=counterparts is not None and counterparts[match.row] == match.col,
        length=_share(comparison, scale, match.value),
        ends=(_share(comparison, scale, ends[0]), _share(comparison, scale, ends[1]))
        if np.isfinite(ends).all()
        else None,
        chance_at=_share(comparison, scale, chance) if np.isfinite(chance) else None,
    )


def values(comparison: Comparison) -> Sequence[Sequence[Value]] | None:
    """Return all cells, row by row, or None if there are too many to read."""
    if comparison.values.size > MOST_VALUES:
        return None
    best = {(match.row, match.col) for match in matches(comparison)}
    return [
        [
            Value(
                text=numbers.text(float(comparison.values[i, j]), comparison.scale, DECIMALS),
                interval=words.interval(comparison, i, j),
                chance=_chance_text(comparison, i, j),
                z=words.z(comparison, i, j),
                best=(i, j) in best,
                reason=words.why_missing(comparison, row, col)
                if np.isnan(comparison.values[i, j])
                else "",
            )
            for j, col in enumerate(comparison.cols)
        ]
        for i, row in enumerate(comparison.rows)
    ]


def _known(comparison: Comparison, table: str, i: int, j: int) -> float:
    found = comparison.tables.get(table)
    return float("nan") if found is None else float(found[i, j])


def _chance_text(comparison: Comparison, i: int, j: int) -> str:
    level = _known(comparison, "chance", i, j)
    return numbers.text(level, comparison.scale, DECIMALS) if np.isfinite(level) else ""


def _share(comparison: Comparison, scale: Colours, value: float) -> float:
    """Return how far along the colours a value lies: 0 at the dark end, 1 at the alike end."""
    share = float(np.clip((value - scale.low) / (scale.high - scale.low), 0, 1))
    return 1 - share if comparison.scale.direction == "distance" else share
