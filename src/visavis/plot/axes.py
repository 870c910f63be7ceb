"""Axes named by layer."""

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis.plot import fonts, labels
from visavis.results import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

POINTS_PER_INCH = 72
_NARROWEST_TITLE = 24
WIDTH_OF_DIGIT = 0.64  # in font sizes
# Names are data: a dollar sign or an underscore in one must not start mathematics.
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}


def width_of(ax: "Axes") -> float:
    """Return the width of the axes in points, before any layout has moved them."""
    return ax.get_window_extent().width / ax.figure.dpi * POINTS_PER_INCH


def pitch_of(ax: "Axes", rows: int, cols: int) -> tuple[float, float]:
    """Return the width and height of a cell in points, before any layout has moved the axes."""
    box = ax.get_window_extent()
    width, height = width_of(ax) / cols, width_of(ax) * box.height / box.width / rows
    if ax.get_aspect() == "auto":
        return width, height
    return min(width, height), min(width, height)


def name_axes(comparison: Comparison, ax: "Axes", pitch: tuple[float, float]) -> None:
    """Write layers and sides along both axes, as large and as many as there is room for."""
    names = comparison.rows + comparison.cols
    # Shortened together, so that a layer has one label on both axes.
    short = dict(zip(names, labels.short(names), strict=True))
    family = fonts.family("".join(names) + "".join(comparison.names))
    sizes = [float(np.clip(0.8 * each, 6.0, 9.0)) for each in pitch]
    for axis, layers, side, size, room in zip(
        (ax.xaxis, ax.yaxis),
        (comparison.cols, comparison.rows),
        (comparison.names[1], comparison.names[0]),
        sizes,
        pitch,
        strict=True,
    ):
        at = labels.ticks(len(layers), room * len(layers) / (1.15 * size))
        shown = [short[layers[i]] for i in at]
        axis.set_ticks(at, shown, fontsize=size, fontfamily=family, **PLAIN)
        axis.set_tick_params(length=2 if len(at) < len(layers) else 0)
        axis.set_label_text(
            labels.shorten(labels.printable(side), labels.LONGEST),
            fontsize=10,
            fontfamily=family,
            **PLAIN,
        )
    _turn_names(ax, pitch[0], sizes[0])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _turn_names(ax: "Axes", room: float, size: float) -> None:
    names = ax.get_xticklabels()
    step = float(np.diff(ax.get_xticks()[:2])[0]) if len(names) > 1 else 1.0
    widest = max(labels.columns(name.get_text()) for name in names) * WIDTH_OF_DIGIT * size
    if widest < 0.95 * room * step:
        return
    slanted = room * step > 1.6 * size
    for name in names:
        name.set(
            rotation=45 if slanted else 90,
            rotation_mode="anchor",
            ha="right",
            va="center_baseline" if slanted else "center",
        )


def write_title(ax: "Axes", heading: str, *, size: float, pad: float) -> None:
    """Write a title in as many lines as the width of the axes asks for, up to three."""
    text = labels.printable(heading)
    fitting = max(_NARROWEST_TITLE, int(width_of(ax) / (WIDTH_OF_DIGIT * size)))
    lines = wrap(text, fitting, max_lines=3, placeholder=labels.ELLIPSIS)
    family = fonts.family(text)
    ax.set_title("\n".join(lines), loc="left", pad=pad, fontsize=size, fontfamily=family, **PLAIN)


def read_plainly(key: "Legend") -> None:
    """Keep the names in a key from being read as mathematics."""
    for text in key.get_texts():
        text.set(**PLAIN)


def new_axes(ax: "Axes | None", height: float) -> "Axes":
    """Return the axes, or new ones of a height in inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, made = plt.subplots(figsize=(5.6, height), layout="constrained")
    return made
