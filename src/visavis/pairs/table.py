"""Tables of measures for all pairs of layers: each layer prepared once, each pair met once."""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np

from visavis import stats
from visavis._core import checks
from visavis._core.errors import DegenerateInputError, SaturatedError
from visavis._core.types import Array
from visavis.measures import Measure, Preparation, Shapes
from visavis.pairs.sides import Matrices


@dataclass
class Prepared:
    """What was prepared of the layers so far, shared by the measures that need the same.

    Parameters
    ----------
    sides : pair of Matrices
        Layers of both sides; the same object twice if a set is compared with itself.
    shapes : Shapes
        The shapes of all layers of the comparison, of which these may be some.
    """

    sides: tuple[Matrices, Matrices]
    shapes: Shapes
    _held: dict[tuple[Hashable, int, str], Any] = field(default_factory=dict)
    _crossed: dict[Hashable, dict[tuple[str, str], Array]] = field(default_factory=dict)
    _asked: dict[tuple[Measure, int], Preparation] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether a set is compared with itself."""
        return self.sides[0] is self.sides[1]

    def of(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what `measure` keeps of a layer."""
        preparation = self._preparation(measure, side)
        key = (preparation.key, 0 if self.same else side, layer)
        if key not in self._held:
            self._held[key] = preparation.run(self.sides[side][layer])
        return self._held[key]

    def meeting(self, measure: Measure, row: str, col: str, met: dict[Hashable, Any]) -> Any:
        """Return what `measure` scores of a pair; `met` holds what this pair has met in so far."""
        x, y = (self._preparation(measure, side) for side in (0, 1))
        key = (x.key, y.key)
        if key not in met:
            kept = self.of(measure, 0, row), self.of(measure, 1, col)
            crossed = {} if x.cross is None else self._all_crossed(measure, key, x.cross)
            known = crossed.get((row, col))
            met[key] = x.meet(*kept) if known is None else x.meet(*kept, known)
        return met[key]

    def with_itself(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what `measure` scores of a layer and itself."""
        x = self.of(measure, side, layer)
        return self._preparation(measure, side).meet(x, x)

    def statistic(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what is known of one layer: its trace and its norms."""
        return self.of(measure, side, layer)

    def own_shares(self, measure: Measure, side: int, layer: str) -> np.ndarray:
        """Return what each sample adds to the HSIC of a layer with itself, (n,)."""
        return stats.own_shares(self.of(measure, side, layer))

    def shares(self, measure: Measure, rows: Sequence[str], cols: Sequence[str]) -> np.ndarray:
        """Return what each sample adds to the HSIC of layers of both sides, (n, rows, cols)."""
        return stats.shares(
            [self.of(measure, 0, row) for row in rows], [self.of(measure, 1, col) for col in cols]
        )

    def _preparation(self, measure: Measure, side: int) -> Preparation:
        """Return what `measure` needs, asked once: a pair is met too often to ask each time."""
        if (measure, side) not in self._asked:
            asked = measure.prepare(measure.settings, side, self.shapes)
            self._asked[measure, side] = asked
        return self._asked[measure, side]

    def _all_crossed(
        self,
        measure: Measure,
        key: Hashable,
        cross: Callable[[Sequence[Any], Sequence[Any]], Array],
    ) -> dict[tuple[str, str], Array]:
        """Return what is dear in the meetings of all pairs, found for all of them at once."""
        if key not in self._crossed:
            kept: list[dict[str, Any]] = [{}, {}]
            for side, layers in enumerate(self.sides):
                for layer in layers:
                    # A layer that has no answer is dealt with where it is met.
                    with suppress(DegenerateInputError):
                        kept[side][layer] = self.of(measure, side, layer)
            values = cross(list(kept[0].values()), list(kept[1].values()))
            self._crossed[key] = {
                (row, col): values[i, j]
                for i, row in enumerate(kept[0])
                for j, col in enumerate(kept[1])
            }
        return self._crossed[key]


@dataclass
class Table:
    """Values and chance levels of one measure, and why any of them are missing.

    Parameters
    ----------
    values, chance : ndarray, (rows, cols)
        NaN where there is none.
    z : ndarray, (rows, cols)
        How many standard deviations under permutation the values lie above chance.
    low, high, error, freedom : ndarray, (rows, cols)
        Intervals of the values, their standard errors, and how many rows carry the intervals.
    degenerate : dict of (side, layer) to str
        Layers without an answer, with the reason.
    saturated : dict of (row, col) to None
        Pairs that were refused by Theorem 1, in the order in which they were met.
    lacking : str
        Why there are no intervals though they were asked for.
    """

    values: np.ndarray
    chance: np.ndarray
    z: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: np.ndarray
    freedom: np.ndarray
    degenerate: dict[tuple[int, str], str] = field(default_factory=dict)
    saturated: dict[tuple[str, str], None] = field(default_factory=dict)
    lacking: str = ""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in ARRAYS}


ARRAYS = ("values", "chance", "z", "low", "high", "error", "freedom")


class Meetings(Protocol):
    """Two sides of layers of which any two can meet, however that was made possible."""

    @property
    def sides(self) -> tuple[Matrices, Matrices]:
        """The layers; the same object twice if a set is compared with itself."""
        ...

    @property
    def same(self) -> bool:
        """Whether a set is compared with itself."""
        ...

    def meeting(self, measure: Measure, row: str, col: str, met: dict[Hashable, Any]) -> Any:
        """Return what `measure` scores of a pair; `met` holds what this pair has met in so far."""
        ...

    def with_itself(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what `measure` scores of a layer and itself."""
        ...


def empty(rows: int, cols: int) -> Table:
    """Return a table without values."""
    made: dict[str, Any] = {name: np.full((rows, cols), np.nan) for name in ARRAYS}
    return Table(**made)


def tables(
    prepared: Meetings,
    measures: Sequence[Measure],
    step: Callable[[], None],
) -> list[Table]:
    """Return each measure for every pair of layers of the two sides."""
    rows, cols = (list(side) for side in prepared.sides)
    made = [empty(len(rows), len(cols)) for _ in measures]
    for i, row in enumerate(rows):
        for j, col in enumerate(cols):
            met: dict[Hashable, Any] = {}
            for measure, table in zip(measures, made, strict=True):
                if measure.symmetric and prepared.same and j < i:
                    for each in (table.values, table.chance, table.z):
                        each[i, j] = each[j, i]
                    if (col, row) in table.saturated:
                        table.saturated[row, col] = None
                else:
                    table.values[i, j], table.chance[i, j], table.z[i, j] = _cell(
                        prepared, measure, table, row, col, met
                    )
                step()
    return made


def _cell(
    prepared: Meetings,
    measure: Measure,
    table: Table,
    row: str,
    col: str,
    met: dict[Hashable, Any],
) -> tuple[float, float, float]:
    """Return value, chance and z of one pair; a pair without an answer is noted in the table."""
    second = 0 if prepared.same else 1
    if (0, row) in table.degenerate or (second, col) in table.degenerate:
        return _NOTHING
    try:
        with diagnosed(prepared.sides, measure, row, col):
            meeting = prepared.meeting(measure, row, col, met)
            value = measure.score(measure.settings, meeting)
            level = measure.chance(measure.settings, meeting) if measure.chance else math.nan
            spread = measure.spread(measure.settings, meeting) if measure.spread else math.nan
            if not math.isfinite(value):
                X, Y = prepared.sides[0][row], prepared.sides[1][col]
                checks.finite(measure.name, value, X=X, Y=Y)
    except SaturatedError:
        spoiled = _blamed(prepared, row, col, partial(_located, prepared))
        table.degenerate |= spoiled
        if not spoiled:
            table.saturated[row, col] = None
        return _NOTHING
    except DegenerateInputError as error:
        both = {(0, row): str(error), (second, col): str(error)}
        table.degenerate |= _blamed(prepared, row, col, partial(_reason, prepared, measure)) or both
        return _NOTHING
    value, level, spread = float(value), float(level), float(spread)
    return value, level, (value - level) / spread if spread > 0 else math.nan


_NOTHING = (math.nan, math.nan, math.nan)


@contextmanager
def diagnosed(
    sides: tuple[Matrices, Matrices], measure: Measure, row: str, col: str
) -> Iterator[None]:
    """Find the reason of a failure in the layers, which are read again only then."""
    try:
        with checks.quiet():
            yield
    except Exception:
        with checks.diagnosed(measure.name, X=sides[0][row], Y=sides[1][col]):
            raise


def _blamed(
    prepared: Meetings, row: str, col: str, why: Callable[[int, str], str]
) -> dict[tuple[int, str], str]:
    """Return which of two layers has no answer with anything, and why."""
    layers = ((0, row), (0 if prepared.same else 1, col))
    reasons = {(side, layer): why(side, layer) for side, layer in layers}
    return {layer: reason for layer, reason in reasons.items() if reason}


def _located(prepared: Meetings, side: int, layer: str) -> str:
    """Return what is wrong with the values of a layer, as the end of a sentence; or nothing."""
    try:
        checks.locate("compare", layer=prepared.sides[side][layer])
    except DegenerateInputError as error:
        return str(error).removeprefix("compare: `layer` ")
    return ""


_NOTHING_TO_ALIGN = (
    "gives no value even with itself, though it is finite and varies: all its samples are equally "
    "far from each other (one-hot rows, say). There is nothing in it to compare: leave it out."
)
_OUT_OF_RANGE = (
    "gives a value with itself that no float64 can hold. Rescale it, or use cka, which does not "
    "depend on its scale."
)


def _reason(prepared: Meetings, measure: Measure, side: int, layer: str) -> str:
    """Return why a layer has no answer even with itself, as the end of a sentence; or nothing."""
    if located := _located(prepared, side, layer):
        return located
    try:
        with checks.quiet():
            met = prepared.with_itself(measure, side, layer)
            value = float(measure.score(measure.settings, met))
    except DegenerateInputError as error:
        return str(error).removeprefix("kernel: `X` ")
    except SaturatedError:
        return ""
    if math.isfinite(value):
        return ""
    # A bounded measure cannot overflow: it has divided by a norm of zero.
    overflow = math.isinf(value) and math.isinf(measure.high)
    return _OUT_OF_RANGE if overflow else _NOTHING_TO_ALIGN
