"""Intervals of the values of a table: the jackknife of debiased CKA for all pairs of layers."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from visavis import linalg
from visavis.measures import Measure
from visavis.pairs.table import Meetings, Table
from visavis.results import Activations
from visavis.stats import jackknife

# Numbers that are held at a time of what samples add to pairs of layers.
_HELD = 2**21
# What a value of 1 may lose in single precision.
_ROUNDING = 2e-6


class Sampled(Meetings, Protocol):
    """Two sides of layers of which it can be told what each sample adds to them."""

    def statistic(self, measure: Measure, side: int, layer: str) -> Any:
        """Return what is known of one layer: its trace and its norms."""
        ...

    def own_shares(self, measure: Measure, side: int, layer: str) -> np.ndarray:
        """Return what each sample adds to the HSIC of a layer with itself, (n,)."""
        ...

    def shares(self, measure: Measure, rows: Sequence[str], cols: Sequence[str]) -> np.ndarray:
        """Return what each sample adds to the HSIC of layers of both sides, (n, rows, cols)."""
        ...


def known(measure: Measure) -> bool:
    """Whether there is a formula for the intervals of a measure."""
    return measure.name == "cka" and measure.settings["estimator"] == "debiased"


def refused(n: int, both: Sequence[Activations]) -> str:
    """Return why samples allow no interval; nothing if they do."""
    if n < jackknife.MINIMUM_ROWS:
        return f"fewer than {jackknife.MINIMUM_ROWS} samples"
    if grouped(both):
        return "rows come in groups and are not independent"
    return ""


def told(measure: Measure, refused: str) -> str:
    """Return how intervals were made, or why there are none."""
    if not known(measure):
        return "none: no formula; visavis.inference.subsample makes them for any measure"
    return f"none: {refused}" if refused else "jackknife"


def grouped(both: Sequence[Activations]) -> bool:
    """Whether several rows are of one group."""
    return any(each.groups is not None and len(set(each.groups)) < each.n for each in both)


def added(
    tables: list[Table], meetings: Sampled, measures: Sequence[Measure], level: float | None
) -> list[Table]:
    """Return the tables, with intervals of a level for the measures that have a formula."""
    if level is not None:
        for measure, table in zip(measures, tables, strict=True):
            if known(measure):
                _add(table, meetings, measure, level)
    return tables


def _add(table: Table, meetings: Sampled, measure: Measure, level: float) -> None:
    """Write intervals, standard errors and degrees of freedom into a table of debiased CKA."""
    second = 0 if meetings.same else 1
    every = [list(side) for side in meetings.sides]
    # A layer that has no answer has no value, and shares with none.
    rows, cols = (
        [at for at, layer in enumerate(layers) if (side, layer) not in table.degenerate]
        for side, layers in ((0, every[0]), (second, every[1]))
    )
    if not rows or not cols:
        return
    mirrored = meetings.same and measure.symmetric
    own, scale = [], []
    for side, places in ((0, rows), (second, cols)) if not mirrored else ((0, rows),):
        names = [every[side][at] for at in places]
        # The kernels of both sides may differ where their layers do not.
        asked = len(own)
        own.append(np.stack([meetings.own_shares(measure, asked, name) for name in names], axis=1))
        facts = [meetings.statistic(measure, asked, name) for name in names]
        scale.append(
            np.array([float(each.trace()) / float(each.norm("debiased")) for each in facts])
        )
    n = len(own[0])
    half = jackknife.half_chance(np.outer(scale[0], scale[-1]) / (n - 1) ** 2, n)
    for down, across in _blocks(len(rows), len(cols), n):
        if mirrored and across.stop <= down.start:
            continue
        at = np.ix_(rows[down], cols[across])
        names = [every[0][i] for i in rows[down]], [every[1][j] for j in cols[across]]
        made = jackknife.of_table(
            table.values[at],
            meetings.shares(measure, *names),
            (own[0][:, down], own[-1][:, across]),
            half=half[down, across],
            level=level,
            rounding=_ROUNDING if meetings.sides[0].itemsize < 8 else 0.0,
        )
        for name in ("low", "high", "error", "freedom"):
            held, found = getattr(table, name), getattr(made, name)
            found = np.where(np.isnan(table.values[at]), np.nan, found)
            held[at] = found
    if mirrored:
        lower = np.tril_indices(len(every[0]), -1)
        for name in ("low", "high", "error", "freedom"):
            held = getattr(table, name)
            held[lower] = held.T[lower]


def _blocks(rows: int, cols: int, n: int) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of pairs of layers, as square as they may be."""
    pairs = max(1, _HELD // n)
    side = max(1, int(pairs**0.5))
    width = min(cols, max(side, pairs // min(rows, side)))
    for down in linalg.row_blocks(rows, max(1, pairs // width)):
        for across in linalg.row_blocks(cols, width):
            yield down, across
