"""Measures that prepare each layer: the table in blocks of layers, each a task of its own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visavis.measures import Measure, Shapes
from visavis.pairs import intervals, run
from visavis.pairs.plan import Part
from visavis.pairs.planning import groups_of
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices
from visavis.pairs.table import ARRAYS, Prepared, Table, empty, tables

Sides = tuple[Matrices, Matrices]
Step = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Block:
    """The tables of some measures for some rows and columns."""

    tables: tuple[Table, ...]

    def arrays(self) -> dict[str, Any]:
        """Return the parts by name."""
        reasons = [
            {
                "degenerate": [[side, layer, why] for (side, layer), why in t.degenerate.items()],
                "saturated": list(t.saturated),
            }
            for t in self.tables
        ]
        stacked = {name: np.stack([getattr(each, name) for each in self.tables]) for name in ARRAYS}
        return {**stacked, "reasons": np.array(json.dumps(reasons))}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> "Block":
        """Return a block from its parts."""
        reasons = json.loads(str(arrays["reasons"]))
        return cls(
            tuple(
                Table(
                    **{name: arrays[name][k] for name in ARRAYS},
                    degenerate={(side, layer): why for side, layer, why in each["degenerate"]},
                    saturated=dict.fromkeys((row, col) for row, col in each["saturated"]),
                )
                for k, each in enumerate(reasons)
            )
        )


@dataclass(frozen=True)
class _Place:
    """Which rows, columns and measures a task is of."""

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    measures: tuple[Measure, ...]
    diagonal: bool


def whole(
    sides: Sides,
    shapes: Shapes,
    measures: Sequence[Measure],
    step: Step,
    level: float | None = None,
) -> list[Table]:
    """Return the tables from one block that is all layers."""
    prepared = Prepared(sides, shapes)
    return intervals.added(tables(prepared, measures, step), prepared, measures, level)


def divided(
    sides: Sides,
    shapes: Shapes,
    measures: Sequence[Measure],
    part: Part,
    engine: Engine,
    step: Step,
    level: float | None = None,
) -> list[Table]:
    """Return the tables from blocks, each on its own."""
    same = sides[0] is sides[1]
    places = list(_places(sides, measures, part))
    tasks = [
        partial(_block, _sides(sides, place), shapes, place.measures, level) for place in places
    ]
    name = run.named("block", sides, level) if engine.folder is not None else ""
    names = [
        f"{name} {place.rows} {place.cols} {[each.label for each in place.measures]}"
        for place in places
    ]
    made = [empty(len(sides[0]), len(sides[1])) for _ in measures]
    at = [{layer: k for k, layer in enumerate(side)} for side in sides]
    done = engine.all(tasks, step, names=names, restore=Block.restored)
    for place, block in zip(places, done, strict=True):
        for measure, found in zip(place.measures, block.tables, strict=True):
            table = made[list(measures).index(measure)]
            rows, cols = [at[0][r] for r in place.rows], [at[1][c] for c in place.cols]
            for each, cells in found.arrays().items():
                getattr(table, each)[np.ix_(rows, cols)] = cells
            table.degenerate |= {
                (0 if same else side, layer): why for (side, layer), why in found.degenerate.items()
            }
            table.saturated |= found.saturated
            if same and measure.symmetric and not place.diagonal:
                for each, cells in found.arrays().items():
                    getattr(table, each)[np.ix_(cols, rows)] = cells.T
                table.saturated |= {(col, row): None for row, col in found.saturated}
    return made


def _places(sides: Sides, measures: Sequence[Measure], part: Part) -> Sequence[_Place]:
    groups = [groups_of(list(side), count) for side, count in zip(sides, part.groups, strict=True)]
    same = sides[0] is sides[1]
    directed = tuple(each for each in measures if not each.symmetric)
    places = []
    for i, rows in enumerate(groups[0]):
        for j, cols in enumerate(groups[1]):
            # Below the diagonal of a set with itself is what stands above it.
            asked = directed if same and j < i else tuple(measures)
            if asked:
                places.append(_Place(tuple(rows), tuple(cols), asked, same and i == j))
    return places


def _sides(sides: Sides, place: _Place) -> Sides:
    left = sides[0].part(place.rows)
    return (left, left) if place.diagonal else (left, sides[1].part(place.cols))


def _block(sides: Sides, shapes: Shapes, measures: Sequence[Measure], level: float | None) -> Block:
    return Block(tuple(whole(sides, shapes, measures, lambda: None, level)))
