"""Measures of Gram matrices, which exist one tile at a time: some tiles are a task of their own."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures import Measure, Shapes
from visavis.pairs import run
from visavis.pairs.plan import Part
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices
from visavis.pairs.table import Table, tables
from visavis.stats import Swept, Tiles, add_tiles, fit, tile_rows

Sides = tuple[Matrices, Matrices]
Step = Callable[[], None]
Layer = tuple[int, str]


def swept(
    sides: Sides,
    shapes: Shapes,
    measures: Sequence[Measure],
    part: Part,
    engine: Engine,
    step: Step,
) -> list[Table]:
    """Return the tables of measures with the same kernels from one sweep over pairs of samples."""
    x, y = (measures[0].prepare(measures[0].settings, side, shapes) for side in (0, 1))
    assert x.kernel is not None and y.kernel is not None  # noqa: S101, PT018  (the plan has asked)
    same = sides[0] is sides[1] and x.kernel == y.kernel
    sweep = _Sweep(sides, (x.kernel, y.kernel), same, part, engine)
    found = sweep.run(step, wide=False)
    if any(each.coarse() for each in found[0].values()):
        # Float32 loses what a few rows leave of the others.
        found = sweep.run(lambda: None, wide=True)
    return tables(_Met(sides, shapes, same, *found), measures, lambda: None)


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

    def run(
        self, step: Step, *, wide: bool
    ) -> tuple[dict[Layer, Swept], dict[tuple[str, str], Array]]:
        """Return the sums of every layer, and the inner products of all pairs."""
        known = self._fitted(wide)
        layers = list(known)
        if not layers or len({side for side, _ in layers}) < (1 if self._same else 2):
            return {}, {}
        split = sum(side == 0 for side, _ in layers)
        n = next(iter(self._sides[0].shapes.values()))[0]
        every = tile_rows(n, self._part.rows)
        chunks = [
            [every[k] for k in index]
            for index in np.array_split(np.arange(len(every)), self._part.tasks)
        ]
        facts = list(known.values())
        single = self._part.tasks == 1
        # Told tile by tile, unless that one task is sent elsewhere.
        here = single and self._engine.executor is None
        tasks = [
            partial(
                _add,
                self._needed(layers),
                layers,
                self._kernels,
                facts,
                chunk,
                split,
                self._same,
                wide,
                step if here else None,
            )
            for chunk in chunks
        ]
        name = ""
        if self._engine.folder is not None:
            name = run.named("tiles", self._sides, *self._kernels, self._part.rows, wide)
        names = [f"{name} {layers} {k} of {len(chunks)}" for k in range(len(chunks))]
        told = (lambda: None) if here else (lambda: _often(step, len(every) if single else 1))
        found = self._engine.all(tasks, told, names=names, restore=_restored)
        total = found[0]
        for each in found[1:]:
            total = total.merge(each)
        sums = total.swept(facts)
        held = dict(zip(layers, sums, strict=True))
        rows = [layer for side, layer in layers if side == 0]
        cols = rows if self._same else [layer for side, layer in layers if side == 1]
        off = {
            (row, col): total.off[i, j] for i, row in enumerate(rows) for j, col in enumerate(cols)
        }
        return held, off

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


def _add(
    sides: Sides,
    layers: Sequence[Layer],
    kernels: tuple[Kernel, Kernel],
    known: Sequence[Mapping[str, Any]],
    tiles: Sequence[tuple[slice, slice]],
    split: int,
    same: bool,
    wide: bool,
    step: Step | None,
) -> Tiles:
    """Add up some tiles, here or in another process."""
    with checks.quiet():
        return add_tiles(
            [(sides[side].sliced(layer), kernels[side]) for side, layer in layers],
            known,
            tiles,
            split=split,
            same=same,
            wide=wide,
            step=step or (lambda: None),
        )


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

    def _layer(self, measure: Measure, side: int, layer: str) -> Swept:
        key = (0 if self.one else side, layer)
        if key not in self.held:
            # What `fit` found no answer for: asked again, it says why.
            kernel = measure.prepare(measure.settings, side, self.shapes).kernel
            assert kernel is not None  # noqa: S101
            fit(self.sides[side].sliced(layer), kernel)
        return self.held[key]
