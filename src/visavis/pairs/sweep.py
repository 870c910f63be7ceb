"""Measures of Gram matrices, which exist one tile at a time: some tiles are a task of their own."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visavis._core import array, checks, text
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures import Measure, Shapes
from visavis.pairs import intervals, run
from visavis.pairs.plan import Part
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices
from visavis.pairs.table import Table, tables
from visavis.stats import Swept, Tiles, TileShares, add_shares, add_tiles, fit, tile_rows
from visavis.stats.row_shares import offsets as row_offsets
from visavis.stats.tiles import Known

Sides = tuple[Matrices, Matrices]
Step = Callable[[], None]
Layer = tuple[int, str]
# Bytes for intervals where nobody says how much may be used.
_ROOM = 2**31


def swept(
    sides: Sides,
    shapes: Shapes,
    measures: Sequence[Measure],
    part: Part,
    engine: Engine,
    step: Step,
    level: float | None = None,
    budget: int | None = None,
) -> list[Table]:
    """Return the tables of measures with the same kernels from one sweep over pairs of samples.

    Intervals take a second one, and n numbers for each pair of layers and each task: where these
    do not fit into the memory there are none, and the tables say so.
    """
    x, y = (measures[0].prepare(measures[0].settings, side, shapes) for side in (0, 1))
    assert x.kernel is not None and y.kernel is not None  # noqa: S101, PT018  (the plan has asked)
    same = sides[0] is sides[1] and x.kernel == y.kernel
    sweep = _Sweep(sides, (x.kernel, y.kernel), same, part, engine)
    found = sweep.run(step, wide=False)
    wide = any(each.coarse() for each in found[0].values())
    if wide:
        # Float32 loses what a few rows leave of the others.
        found = sweep.run(lambda: None, wide=True)
    met = _Met(sides, shapes, same, *found)
    asked = level is not None and any(intervals.known(each) for each in measures)
    lacking = _lacking(shapes, part, engine, budget) if asked else ""
    if asked and not lacking and met.off:
        met.each = sweep.shares(met.held, wide=wide)
    made = tables(met, measures, lambda: None)
    if met.each is not None:
        intervals.added(made, met, measures, level)
    for each in made:
        each.lacking = lacking
    return made


def _lacking(shapes: Shapes, part: Part, engine: Engine, budget: int | None) -> str:
    """Return why there is no room for what each sample adds to each pair; nothing if there is."""
    pairs = (len(shapes.x) + 1) * (len(shapes.y) + 1)
    needed = engine.workers * part.memory + (part.tasks + 1) * shapes.n * pairs * 8
    if needed <= (_ROOM + engine.workers * part.memory if budget is None else budget):
        return ""
    return f"they would take {text.size(needed)} of memory"


def same_kernels(measures: Sequence[Measure], shapes: Shapes) -> list[list[Measure]]:
    """Return measures in lists of those that one sweep serves."""
    lists: dict[Hashable, list[Measure]] = {}
    for each in measures:
        pair = tuple(each.prepare(each.settings, side, shapes).kernel for side in (0, 1))
        lists.setdefault(pair, []).append(each)
    return list(lists.values())


class _Sweep:
    """All layers that have an answer, and the tasks of a sweep over them."""

    def __init__(
        self,
        sides: Sides,
        kernels: tuple[Kernel, Kernel],
        same: bool,
        part: Part,
        engine: Engine,
    ) -> None:
        self._sides, self._kernels, self._same = sides, kernels, same
        self._part, self._engine = part, engine
        self._known: Mapping[Layer, Known] = {}

    def run(
        self, step: Step, *, wide: bool
    ) -> tuple[dict[Layer, Swept], dict[tuple[str, str], Array]]:
        """Return the sums of every layer, and the inner products of all pairs."""
        known = self._fitted(wide)
        layers, facts = list(known), list(known.values())
        if not layers or len({side for side, _ in layers}) < (1 if self._same else 2):
            return {}, {}
        single = self._part.tasks == 1
        # Told tile by tile, unless that one task is sent elsewhere.
        here = single and self._engine.executor is None
        every = len(tile_rows(self._n, self._part.rows))
        told = (lambda: None) if here else (lambda: _often(step, every if single else 1))
        work = self._work(layers, facts, wide)
        tasks = [partial(_add, work, chunk, step if here else None) for chunk in self._chunks()]
        total = self._total("tiles", tasks, layers, wide, _restored, told)
        self._known = known
        sums = total.swept(facts)
        held = dict(zip(layers, sums, strict=True))
        rows = [layer for side, layer in layers if side == 0]
        cols = rows if self._same else [layer for side, layer in layers if side == 1]
        off = {
            (row, col): total.off[i, j] for i, row in enumerate(rows) for j, col in enumerate(cols)
        }
        return held, off

    def shares(self, held: Mapping[Layer, Swept], *, wide: bool) -> dict[str, np.ndarray]:
        """Return what each sample adds to the HSIC of the layers of `run`, by a second sweep."""
        layers = list(held)
        facts = [self._known[layer] for layer in layers]
        offsets = [array.to_numpy(row_offsets(each)) for each in held.values()]
        work = self._work(layers, facts, wide)
        tasks = [partial(_share, work, chunk, offsets) for chunk in self._chunks()]
        restored = TileShares.restored
        return self._total("shares", tasks, layers, wide, restored, lambda: None).arrays()

    @property
    def _n(self) -> int:
        return next(iter(self._sides[0].shapes.values()))[0]

    def _chunks(self) -> list[list[tuple[slice, slice]]]:
        """Return the tiles of each task."""
        every = tile_rows(self._n, self._part.rows)
        tasks = np.array_split(np.arange(len(every)), self._part.tasks)
        return [[every[k] for k in index] for index in tasks]

    def _work(self, layers: Sequence[Layer], facts: Sequence[Known], wide: bool) -> "_Work":
        split = sum(side == 0 for side, _ in layers)
        return _Work(self._needed(layers), layers, self._kernels, facts, split, self._same, wide)

    def _total(
        self,
        kind: str,
        tasks: Sequence[Callable[[], Any]],
        layers: Sequence[Layer],
        wide: bool,
        restore: Callable[[Mapping[str, np.ndarray]], Any],
        told: Step,
    ) -> Any:
        """Return what all tasks add up to; each is kept by what it is of."""
        name = ""
        if self._engine.folder is not None:
            name = run.named(kind, self._sides, *self._kernels, self._part.rows, wide)
        names = [f"{name} {list(layers)} {k} of {len(tasks)}" for k in range(len(tasks))]
        first, *others = self._engine.all(tasks, told, names=names, restore=restore)
        for each in others:
            first = first.merge(each)
        return first

    def _needed(self, layers: Sequence[Layer]) -> Sides:
        left = self._sides[0].part([layer for side, layer in layers if side == 0])
        if self._same:
            return left, left
        return left, self._sides[1].part([layer for side, layer in layers if side == 1])

    def _fitted(self, wide: bool) -> dict[Layer, Mapping[str, Any]]:
        """Return what a sweep must know of every layer; of those without an answer, nothing."""
        asked = [
            (side, layer)
            for side in ((0,) if self._same else (0, 1))
            for layer in self._sides[side]
        ]
        tasks = [
            partial(_fit, self._sides[side].part([layer]), layer, self._kernels[side], wide)
            for side, layer in asked
        ]
        found = self._engine.all(tasks)
        return {layer: each.known for layer, each in zip(asked, found, strict=True) if each.known}


def _often(step: Step, times: int) -> None:
    for _ in range(times):
        step()


@dataclass(frozen=True)
class _Fit:
    """What a sweep must know of a layer; nothing if it has no answer."""

    known: Mapping[str, Any]

    def arrays(self) -> Mapping[str, Any]:
        """Return the parts by name."""
        return self.known


def _fit(side: Matrices, layer: str, kernel: Kernel, wide: bool) -> _Fit:
    try:
        with checks.quiet():
            return _Fit(fit(side.sliced(layer), kernel, wide=wide))
    except DegenerateInputError:
        return _Fit({})  # it is named where it should have met another one


@dataclass(frozen=True)
class _Work:
    """What all tasks of a sweep have in common, sent to other processes with each."""

    sides: Sides
    layers: Sequence[Layer]
    kernels: tuple[Kernel, Kernel]
    known: Sequence[Known]
    split: int
    same: bool
    wide: bool

    def given(self) -> list[tuple[Any, Kernel]]:
        """Return the layers with their kernels."""
        return [(self.sides[side].sliced(layer), self.kernels[side]) for side, layer in self.layers]

    def options(self) -> dict[str, Any]:
        """Return how they are added up."""
        return {"split": self.split, "same": self.same, "wide": self.wide}


def _add(work: _Work, tiles: Sequence[tuple[slice, slice]], step: Step | None) -> Tiles:
    """Add up some tiles, here or in another process."""
    told = step or (lambda: None)
    with checks.quiet():
        return add_tiles(work.given(), work.known, tiles, step=told, **work.options())


def _share(
    work: _Work, tiles: Sequence[tuple[slice, slice]], offsets: Sequence[np.ndarray]
) -> TileShares:
    """Add up what some tiles give for each sample, here or in another process."""
    with checks.quiet():
        return add_shares(work.given(), work.known, offsets, tiles, **work.options())


def _restored(arrays: Mapping[str, np.ndarray]) -> Tiles:
    return Tiles(**{**arrays, "precision": float(arrays["precision"])})


@dataclass
class _Met:
    """Layers whose sums are known, so that any two may meet."""

    sides: Sides
    shapes: Shapes
    one: bool
    held: dict[Layer, Swept]
    off: dict[tuple[str, str], Array]
    each: dict[str, np.ndarray] | None = None

    @property
    def same(self) -> bool:
        """Whether a set is compared with itself."""
        return self.sides[0] is self.sides[1]

    def meeting(self, measure: Measure, row: str, col: str, met: dict[Hashable, Any]) -> Any:
        """Return what `measure` scores of a pair."""
        x, y = self._layer(measure, 0, row), self._layer(measure, 1, col)
        preparation = measure.prepare(measure.settings, 0, self.shapes)
        return preparation.meet(x, y, self.off[row, col])

    def with_itself(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what `measure` scores of a layer and itself."""
        x = self._layer(measure, side, layer)
        return measure.prepare(measure.settings, side, self.shapes).meet(x, x, x.squared())

    def statistic(self, measure: Measure, side: int, layer: str) -> Swept:
        """Return what is known of one layer: its trace and its norms."""
        return self._layer(measure, side, layer)

    def own_shares(self, measure: Measure, side: int, layer: str) -> np.ndarray:
        """Return what each sample adds to the HSIC of a layer with itself, (n,)."""
        assert self.each is not None  # noqa: S101
        return self.each["own"][:, list(self.held).index((0 if self.one else side, layer))]

    def shares(self, measure: Measure, rows: Sequence[str], cols: Sequence[str]) -> np.ndarray:
        """Return what each sample adds to the HSIC of layers of both sides, (n, rows, cols)."""
        assert self.each is not None  # noqa: S101
        known = [
            [name for of, name in self.held if of == side] for side in (0, 0 if self.one else 1)
        ]
        at = [
            [have.index(name) for name in names]
            for have, names in zip(known, (rows, cols), strict=True)
        ]
        return self.each["cross"][:, at[0], :][:, :, at[1]]

    def _layer(self, measure: Measure, side: int, layer: str) -> Swept:
        key = (0 if self.one else side, layer)
        if key not in self.held:
            # What `fit` found no answer for: asked again, it says why.
            kernel = measure.prepare(measure.settings, side, self.shapes).kernel
            assert kernel is not None  # noqa: S101
            fit(self.sides[side].sliced(layer), kernel)
        return self.held[key]
