"""The heatmap of the report: geometry and colours for the SVG template.

The browser's own text, colour theme and tooltips need an SVG of its own; every decision (colours,
limits, labels, marks, digits) is that of `visavis.plot`, so that both pictures say the same.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.image import imsave
from matplotlib.ticker import MaxNLocator

from visavis.plot import labels, numbers
from visavis.plot.colours import Colours, colours
from visavis.plot.heatmap import MOST_ANNOTATED
from visavis.plot.matches import chance_span, matches
from visavis.report import words
from visavis.results import Comparison

# Pixels. A cell is as large as one number needs, and smaller where there are many.
CELL = 46.0
GRID = 560.0
LABEL = 11.0
_CHARACTER = 0.61 * LABEL  # the monospaced fonts of all systems are this wide
_CHARACTER_OF_SIDE, _SHORTEST_SIDE = 7.5, 8
_BAR_GAP, _BAR_WIDTH, _BAR_LABELS = 18.0, 12.0, 66.0
_SLANTED_FROM = 16.0
# Beyond this many cells the browser would crawl: they become one image, without tooltips.
MOST_CELLS = 2_500
_STOPS = 17


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of layers; `fill` is empty where there is no value."""

    x: float
    y: float
    fill: str
    ink: str
    text: str
    tip: str


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a layer, at its place along an axis."""

    at: float
    text: str
    full: str


@dataclass(frozen=True)
class Picture:
    """All that the template prints. Lengths are in pixels, from the top left corner."""

    width: float
    height: float
    left: float
    top: float
    grid_width: float
    grid_height: float
    cell: float
    gap: float
    cells: Sequence[Cell]
    image: str
    marks: Sequence[Cell]
    rows: Sequence[Label]
    cols: Sequence[Label]
    row_side: str
    col_side: str
    col_side_at: float
    turn: int
    bar: tuple[float, float, float, float]
    stops: Sequence[tuple[float, str]]
    bar_ticks: Sequence[tuple[float, str]]
    chance: Sequence[float]
    annotated: bool
    missing: bool


def picture(comparison: Comparison) -> Picture:
    """Return the picture of a comparison."""
    scale = colours(comparison)
    rows, cols = comparison.values.shape
    cell = min(CELL, GRID / max(rows, cols))
    grid_width, grid_height = cell * cols, cell * rows
    col_labels = _labels(comparison.cols, comparison, cell)
    row_labels = _labels(comparison.rows, comparison, cell)
    step = col_labels[1].at - col_labels[0].at if len(col_labels) > 1 else cell
    longest = _longest(col_labels)
    turn = 0 if longest < 0.95 * step else (45 if step > _SLANTED_FROM else 90)
    below = {0: LABEL, 45: 0.71 * longest + LABEL, 90: longest}[turn] + 34
    # A slanted first name may reach further left than the names of the rows.
    left = max(_longest(row_labels), (0.71 * longest - cell / 2) if turn == 45 else 0.0) + 34
    top = 10.0
    many = rows * cols > MOST_CELLS
    annotated = max(rows, cols) <= MOST_ANNOTATED
    bar_height = max(grid_height, 3 * CELL)
    x = left + grid_width + _BAR_GAP
    return Picture(
        width=x + _BAR_WIDTH + _BAR_LABELS,
        height=max(top + grid_height + below, top + bar_height + 10),
        left=left,
        top=top,
        grid_width=grid_width,
        grid_height=grid_height,
        cell=cell,
        gap=2.0 if annotated else (1.0 if cell >= _SLANTED_FROM else 0.0),
        cells=() if many else _cells(comparison, scale, cell, annotated=annotated),
        image=_image(comparison, scale) if many else "",
        marks=_marks(comparison, scale, cell),
        rows=[Label(grid_height - each.at, each.text, each.full) for each in row_labels],
        cols=col_labels,
        row_side=_side(comparison.names[0], grid_height),
        col_side=_side(comparison.names[1], grid_width),
        col_side_at=grid_height + below - 8,
        turn=turn,
        bar=(x, top, _BAR_WIDTH, bar_height),
        stops=_stops(comparison, scale),
        bar_ticks=_bar_ticks(comparison, scale, bar_height),
        chance=_chance(comparison, scale, bar_height),
        annotated=annotated,
        missing=bool(np.isnan(comparison.values).any()),
    )


def _labels(layers: Sequence[str], comparison: Comparison, cell: float) -> list[Label]:
    names = comparison.rows + comparison.cols
    short = dict(zip(names, labels.short(names), strict=True))
    at = labels.ticks(len(layers), cell * len(layers) / (1.2 * LABEL))
    return [Label((i + 0.5) * cell, short[layers[i]], layers[i]) for i in at]


def _side(name: str, room: float) -> str:
    fitting = int(room / _CHARACTER_OF_SIDE)
    return labels.shorten(labels.printable(name), min(labels.LONGEST, max(_SHORTEST_SIDE, fitting)))


def _longest(shown: Sequence[Label]) -> float:
    return max(labels.columns(each.text) for each in shown) * _CHARACTER


def _cells(comparison: Comparison, scale: Colours, cell: float, *, annotated: bool) -> list[Cell]:
    return [
        _cell(comparison, scale, cell, i, j, annotated=annotated)
        for i, j in np.ndindex(comparison.values.shape)
    ]


def _marks(comparison: Comparison, scale: Colours, cell: float) -> list[Cell]:
    if len(comparison.cols) < 2:
        return []
    return [
        _cell(comparison, scale, cell, match.row, match.col, annotated=False)
        for match in matches(comparison)
    ]


def _cell(
    comparison: Comparison, scale: Colours, cell: float, i: int, j: int, *, annotated: bool
) -> Cell:
    value = float(comparison.values[i, j])
    known = not np.isnan(value)
    return Cell(
        x=j * cell,
        y=(len(comparison.rows) - 1 - i) * cell,
        fill=scale.hex(value) if known else "",
        ink=scale.ink(value) if known else "",
        text=numbers.text(value, comparison.scale) if annotated and known else "",
        tip=_tip(comparison, i, j),
    )


def _tip(comparison: Comparison, i: int, j: int) -> str:
    value = numbers.text(float(comparison.values[i, j]), comparison.scale, words.DECIMALS)
    shown = "no value" if value == numbers.MISSING else value
    known = []
    if interval := words.interval(comparison, i, j):
        known.append(f"{100 * (comparison.level or 0):g} % interval {interval}")
    if comparison.chance is not None and np.isfinite(comparison.chance[i, j]):
        level = numbers.text(float(comparison.chance[i, j]), comparison.scale, words.DECIMALS)
        known.append(f"chance {level}")
    if z := words.z(comparison, i, j):
        known.append(f"z {z}")
    if known:
        shown = f"{shown} ({', '.join(known)})"
    return f"{comparison.rows[i]} × {comparison.cols[j]}: {shown}"


def _image(comparison: Comparison, scale: Colours) -> str:
    png = BytesIO()
    pixels = (255 * scale.rgba(comparison.values)[::-1]).round().astype(np.uint8)
    # Matplotlib would put its version here, and the same comparison would give other bytes.
    imsave(png, pixels, format="png", metadata={"Software": "visavis"})
    return "data:image/png;base64," + b64encode(png.getvalue()).decode("ascii")


def _stops(comparison: Comparison, scale: Colours) -> list[tuple[float, str]]:
    top, bottom = scale.high, scale.low
    if comparison.scale.direction == "distance":
        top, bottom = bottom, top
    values = np.linspace(top, bottom, _STOPS)
    return [(k / (_STOPS - 1), scale.hex(value)) for k, value in enumerate(values.tolist())]


def _bar_ticks(comparison: Comparison, scale: Colours, height: float) -> list[tuple[float, str]]:
    steps = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(scale.low, scale.high)
    inside = [float(each) for each in steps if scale.low <= each <= scale.high]
    return [
        (_along_bar(comparison, scale, each, height), numbers.text(each, comparison.scale))
        for each in inside
    ]


def _chance(comparison: Comparison, scale: Colours, height: float) -> list[float]:
    span = chance_span(comparison)
    return [
        _along_bar(comparison, scale, level, height)
        for level in dict.fromkeys(span or ())
        if scale.low <= level <= scale.high
    ]


def _along_bar(comparison: Comparison, scale: Colours, value: float, height: float) -> float:
    """Return the distance of a value from the upper end of the bar, which is the alike end."""
    share = (value - scale.low) / (scale.high - scale.low)
    return height * (share if comparison.scale.direction == "distance" else 1 - share)
