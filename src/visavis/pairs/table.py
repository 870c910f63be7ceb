"""Tables of measures for all pairs of layers: each layer prepared once, each pair met once."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError, SaturatedError
from visavis._core.types import Array
from visavis.measures import Measure, Shapes

Layers = Mapping[str, Array]


@dataclass
class Prepared:
    """What was prepared of the layers so far, shared by the measures that need the same.

    Parameters
    ----------
    sides : pair of mapping
        Layers of both sides; the same object twice if a set is compared with itself.
    """

    sides: tuple[Layers, Layers]
    _held: dict[tuple[Hashable, int, str], Any] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether a set is compared with itself."""
        return self.sides[0] is self.sides[1]

    @property
    def shapes(self) -> Shapes:
        """The shapes of all layers."""
        widths = [tuple(int(X.shape[1]) for X in side.values()) for side in self.sides]
        n = int(next(iter(self.sides[0].values())).shape[0])
        return Shapes(n, widths[0], widths[1])

    def of(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what `measure` keeps of a layer."""
        preparation = measure.prepare(measure.settings, side, self.shapes)
        key = (preparation.key, 0 if self.same else side, layer)
        if key not in self._held:
            self._held[key] = preparation.run(self.sides[side][layer])
        return self._held[key]

    def meeting(self, measure: Measure, row: str, col: str, met: dict[Hashable, Any]) -> Any:
        """Return what `measure` scores of a pair; `met` holds what this pair has met in so far."""
        x, y = (measure.prepare(measure.settings, side, self.shapes) for side in (0, 1))
        key = (x.key, y.key)
        if key not in met:
            met[key] = x.meet(self.of(measure, 0, row), self.of(measure, 1, col))
        return met[key]


@dataclass
class Table:
    """Values and chance levels of one measure, and why any of them are missing.

    Parameters
    ----------
    values, chance : ndarray, (rows, cols)
        NaN where there is none.
    degenerate : dict of (side, layer) to str
        Layers without an answer, with the reason.
    saturated : list of (row, col)
        Pairs that were refused by Theorem 1.
    """

    values: np.ndarray
    chance: np.ndarray
    degenerate: dict[tuple[int, str], str] = field(default_factory=dict)
    saturated: list[tuple[str, str]] = field(default_factory=list)


def tables(
    prepared: Prepared, measures: Sequence[Measure], step: Callable[[], None]
) -> list[Table]:
    """Return each measure for every pair of layers of the two sides."""
    rows, cols = (list(side) for side in prepared.sides)
    shape = (len(rows), len(cols))
    made = [Table(np.full(shape, np.nan), np.full(shape, np.nan)) for _ in measures]
    for i, row in enumerate(rows):
        for j, col in enumerate(cols):
            met: dict[Hashable, Any] = {}
            for measure, table in zip(measures, made, strict=True):
                if measure.symmetric and prepared.same and j < i:
                    table.values[i, j], table.chance[i, j] = table.values[j, i], table.chance[j, i]
                else:
                    table.values[i, j], table.chance[i, j] = _cell(
                        prepared, measure, table, row, col, met
                    )
                step()
    return made


def _cell(
    prepared: Prepared,
    measure: Measure,
    table: Table,
    row: str,
    col: str,
    met: dict[Hashable, Any],
) -> tuple[float, float]:
    """Return value and chance of one pair; a pair without an answer is noted in the table."""
    second = 0 if prepared.same else 1
    if (0, row) in table.degenerate or (second, col) in table.degenerate:
        return math.nan, math.nan
    X, Y = prepared.sides[0][row], prepared.sides[1][col]
    try:
        with checks.diagnosed(measure.name, X=X, Y=Y):
            meeting = prepared.meeting(measure, row, col, met)
            value = measure.score(measure.settings, meeting)
            level = measure.chance(measure.settings, meeting) if measure.chance else None
        checks.finite(measure.name, value, X=X, Y=Y)
    except SaturatedError:
        table.saturated.append((row, col))
        return math.nan, math.nan
    except DegenerateInputError as error:
        table.degenerate |= _blamed(prepared, measure, row, col, str(error))
        return math.nan, math.nan
    return float(value), math.nan if level is None else float(level)


def _blamed(
    prepared: Prepared, measure: Measure, row: str, col: str, reason: str
) -> dict[tuple[int, str], str]:
    """Return which of two layers has no answer even with itself, and why."""
    found: dict[tuple[int, str], str] = {}
    second = 0 if prepared.same else 1
    for side, layer in ((0, row), (second, col)):
        X = prepared.sides[side][layer]
        try:
            checks.locate("compare", layer=X)
            with checks.quiet():
                x = prepared.of(measure, side, layer)
                met = measure.prepare(measure.settings, side, prepared.shapes).meet(x, x)
                checks.finite("compare", measure.score(measure.settings, met), layer=X)
        except DegenerateInputError as error:
            found[side, layer] = str(error).removeprefix("compare: ").removeprefix("`layer` ")
        except SaturatedError:
            continue
    return found or {(0, row): reason, (second, col): reason}
