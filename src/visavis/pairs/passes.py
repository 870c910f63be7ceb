"""Linear measures of layers that do not fit into memory: one pass over samples for all pairs.

What some samples add up to is a task of its own, and sums merge.
"""

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from visavis import linalg, stats
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures import Measure, Shapes
from visavis.pairs import run
from visavis.pairs.plan import Part
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices
from visavis.pairs.table import Table, tables
from visavis.stats import Axes, Between, Overlap, Sums, saved

Sides = tuple[Matrices, Matrices]
Step = Callable[[], None]
Layer = tuple[int, str]

# Why there are no intervals in this form.
LACKING = "they take a second pass over the samples, which this form does without"


def streamed(
    sides: Sides,
    shapes: Shapes,
    measures: Sequence[Measure],
    part: Part,
    engine: Engine,
    step: Step,
    level: float | None = None,
) -> list[Table]:
    """Return the tables of measures that one pass over the samples is enough for."""
    same = sides[0] is sides[1]
    layers = [(side, layer) for side in ((0,) if same else (0, 1)) for layer in sides[side]]
    wide = any(_by_axes(each, shapes) for each in measures)
    wanted = _wanted(layers, same)
    single = part.tasks == 1 and engine.executor is None
    tasks = [
        partial(_add, _Work.of(sides, rows, wanted, part.rows, wide), step if single else None)
        for rows in _parts(shapes.n, part.tasks)
    ]
    name = "" if engine.folder is None else run.named("moments", sides, part.rows, wide)
    names = [f"{name} {k} of {len(tasks)}" for k in range(len(tasks))]
    told = (lambda: None) if single else step
    total, *others = engine.all(tasks, told, names=names, restore=_State.restored)
    for each in others:
        total = total.merge(each)
    dtypes = tuple(array.dtype_name(sides[side].sliced(layer)[:1]) for side, layer in layers)
    met = _Met(sides, shapes, total.sums, {layer: k for k, layer in enumerate(layers)}, dtypes)
    made = tables(met, measures, lambda: None)
    if level is not None:
        for table in made:
            table.lacking = LACKING
    return made


def steps(part: Part, n: int) -> int:
    """Return how many steps of progress there will be."""
    return part.tasks if part.tasks > 1 else -(-n // part.rows)


def _by_axes(measure: Measure, shapes: Shapes) -> bool:
    return measure.prepare(measure.settings, 0, shapes).key == "axes"


def _wanted(layers: Sequence[Layer], same: bool) -> frozenset[tuple[int, int]]:
    """Return which pairs of layers will be asked for."""
    k = range(len(layers))
    return frozenset(
        (i, j) for i in k for j in k if i < j and (same or layers[i][0] != layers[j][0])
    )


def _parts(n: int, tasks: int) -> list[slice]:
    """Return the samples of each task."""
    ends = np.linspace(0, n, tasks + 1).round().astype(int).tolist()
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


@dataclass(frozen=True)
class _Work:
    """What a task adds up, sent to another process.

    Parameters
    ----------
    sides : tuple of Matrices
        One, if a set is compared with itself.
    rows : tuple of slice
        Which samples of each side.
    wanted : frozenset of (i, j)
        Pairs of layers.
    height : int
        Samples of a batch.
    wide : bool
        Whether to multiply in float64.
    """

    sides: tuple[Matrices, ...]
    rows: tuple[slice, ...]
    wanted: frozenset[tuple[int, int]]
    height: int
    wide: bool

    @classmethod
    def of(
        cls,
        sides: Sides,
        rows: slice,
        wanted: frozenset[tuple[int, int]],
        height: int,
        wide: bool,
    ) -> "_Work":
        """Return the work on some samples, with no others of what lies in memory."""
        different = sides[:1] if sides[0] is sides[1] else sides
        whole = slice(0, rows.stop - rows.start)
        return cls(
            tuple(each.part(list(each)) if each.stored else each.rows(rows) for each in different),
            tuple(rows if each.stored else whole for each in different),
            wanted,
            height,
            wide,
        )

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """Yield the samples of all layers, a batch at a time."""
        held = [
            (side.sliced(layer), rows.start)
            for side, rows in zip(self.sides, self.rows, strict=True)
            for layer in side
        ]
        n = self.rows[0].stop - self.rows[0].start
        for block in linalg.row_blocks(n, self.height):
            batch = [array.lift(X[at + block.start : at + block.stop]) for X, at in held]
            mixed = len({each.dtype for each in batch}) > 1
            yield tuple(array.widen(each) if self.wide or mixed else each for each in batch)


@dataclass(frozen=True, eq=False)
class _State:
    """What some samples add up to; `merge` is associative."""

    sums: Sums

    def merge(self, other: "_State") -> "_State":
        """Return what both add up to."""
        return _State(stats.merged(self.sums, other.sums))

    def arrays(self) -> Mapping[str, Any]:
        """Return the parts by name."""
        return {**saved.named(self.sums), "n": self.sums.n}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> "_State":
        """Return the state from its parts."""
        parts = dict(arrays)
        n = int(parts.pop("n"))
        return cls(saved.restored(parts, n))


def _add(work: _Work, step: Step | None) -> _State:
    """Add up some samples, here or in another process."""
    total: _State | None = None
    for batch in work.batches():
        with checks.quiet():
            state = _State(stats.summed(batch, work.wanted))
            total = state if total is None else total.merge(state)
        if step is not None:
            step()
    assert total is not None  # noqa: S101  (every task has samples)
    return total


@dataclass
class _Met:
    """Layers whose sums are known, so that any two may meet."""

    sides: Sides
    shapes: Shapes
    sums: Sums
    at: Mapping[Layer, int]
    dtypes: tuple[str, ...]
    _axes: dict[int, tuple[Axes, Array]] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether a set is compared with itself."""
        return self.sides[0] is self.sides[1]

    def meeting(
        self, measure: Measure, row: str, col: str, met: dict[Hashable, Any]
    ) -> Overlap | Between:
        """Return what `measure` scores of a pair; `met` holds what this pair has met in so far."""
        return self._meeting(measure, (0, row), (1, col), met)

    def with_itself(self, measure: Measure, side: int, layer: str) -> Overlap | Between:
        """Return what `measure` scores of a layer and itself."""
        return self._meeting(measure, (side, layer), (side, layer), {})

    def _meeting(
        self, measure: Measure, x: Layer, y: Layer, met: dict[Hashable, Any]
    ) -> Overlap | Between:
        i, j = (self.at[0 if self.same else side, layer] for side, layer in (x, y))
        if not _by_axes(measure, self.shapes):
            return Between(self.sums, (i, j))
        if "axes" not in met:
            met["axes"] = stats.overlapped(self.sums, self._of(i), self._of(j), (i, j))
        return met["axes"]

    def _of(self, k: int) -> tuple[Axes, Array]:
        if k not in self._axes:
            self._axes[k] = stats.axes_of(self.sums, k, self.dtypes[k])
        return self._axes[k]
