"""The layer × layer heatmap."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.colors import Colormap
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from visavis._core import checks
from visavis.plot import labels, numbers
from visavis.plot.axes import (
    PLAIN,
    WIDTH_OF_DIGIT,
    name_axes,
    pitch_of,
    read_plainly,
    width_of,
    write_title,
)
from visavis.plot.colours import MISSING_FACE, MISSING_HATCH, Colours, colours
from visavis.plot.matches import chance_span, matches
from visavis.results import Comparison

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_ANNOTATED = 12
# Wider or taller than this and square cells would make a ribbon.
_MOST_ELONGATED = 4.0


@dataclass(frozen=True)
class Look:
    """How a heatmap is drawn: the options of `heatmap`."""

    annotate: bool | Literal["auto"] = "auto"
    cmap: str | Colormap | None = None
    vmin: float | None = None
    vmax: float | None = None
    title: str | None = None
    colorbar: bool = True
    chance: bool = True


def heatmap(
    comparison: Comparison,
    ax: "Axes | None" = None,
    *,
    annotate: bool | Literal["auto"] = "auto",
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str | None = None,
    colorbar: bool = True,
    chance: bool = True,
) -> "Axes":
    """Draw a comparison as a heatmap, its first layers at the bottom left.

    Parameters
    ----------
    comparison : Comparison
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure of fitting size if None.
    annotate : bool or "auto"
        Whether to print the values; ``"auto"`` does up to 12 × 12 layers.
    cmap : str or Colormap, optional
        The colours from `vmin` to `vmax`. By default magma, run so that brighter is more alike.
    vmin, vmax : float, optional
        The values at the ends of the colours; by default from the range of the measure.
    title : str, optional
        By default the measure; ``""`` for none.
    colorbar : bool
        Whether to draw the scale of colours beside the heatmap.
    chance : bool
        Whether to mark the chance level on the colour bar, where it is known.

    Returns
    -------
    matplotlib Axes
        Rows on y, columns on x, layer k at coordinate k.

    Notes
    -----
    Hatched cells have no value; the comparison's findings say why. The best match of each row is
    marked. Of many layers only every k-th is named.

    Examples
    --------
    >>> import numpy as np
    >>> from visavis.results import Comparison, Scale
    >>> cka = Scale("cka", -1.0, 1.0, "similarity", symmetric=True)
    >>> res = Comparison(np.array([[0.9, 0.4], [0.3, 0.8]]), ("a", "b"), ("a", "b"), cka, n=100)
    >>> ax = heatmap(res, title="two layers")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a', 'b']
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(
            checks.message(
                "heatmap",
                "comparison",
                "be one Comparison",
                type(comparison).__name__,
                "Several are drawn by visavis.plot.grid.",
            )
        )
    if annotate not in (True, False, "auto"):
        raise ValueError(
            checks.message("heatmap", "annotate", 'be True, False or "auto"', repr(annotate))
        )
    look = Look(annotate, cmap, vmin, vmax, title, colorbar, chance)
    if ax is None:
        ax = _new_axes(comparison, look)
    lines = _add_key(ax, draw(comparison, ax, look))
    write_title(ax, comparison.measure if title is None else title, size=11, pad=6 + 13 * lines)
    return ax


def draw(comparison: Comparison, ax: "Axes", look: Look) -> list["Artist"]:
    """Draw cells, marks and names into `ax`, and return the entries of a key to them."""
    scale = colours(comparison, look.cmap, look.vmin, look.vmax)
    rows, cols = comparison.values.shape
    missing = np.isnan(comparison.values)
    if missing.any():
        # One hatched ground under the whole table, seen where a cell has no colour.
        ax.add_patch(
            Rectangle((-0.5, -0.5), cols, rows, **_hatched(), lw=0, zorder=0, label="no value")
        )
    elongated = max(rows, cols) / min(rows, cols) > _MOST_ELONGATED
    image = ax.imshow(
        np.ma.masked_array(comparison.values, missing),
        cmap=scale.cmap,
        norm=scale.norm,
        origin="lower",
        interpolation="nearest",
        aspect="auto" if elongated else "equal",
        zorder=1,
    )
    pitch = pitch_of(ax, rows, cols)
    name_axes(comparison, ax, pitch)
    annotated = max(rows, cols) <= MOST_ANNOTATED if look.annotate == "auto" else look.annotate
    if annotated:
        _print_values(comparison, ax, scale, pitch)
    handles = _mark_matches(comparison, ax, scale, min(pitch), ring=annotated)
    if missing.any():
        handles.append(Patch(**_hatched(), lw=0, label="no value"))
    if look.colorbar:
        handles += _draw_colorbar(comparison, ax, image, look)
    return handles


def _add_key(ax: "Axes", handles: list["Artist"]) -> int:
    """Explain the marks above the heatmap, and return how many lines that takes."""
    if not handles:
        return 0
    beside = width_of(ax) >= 110 * len(handles)
    key = ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(handles) if beside else 1,
        borderaxespad=0.1,
        borderpad=0.2,
        columnspacing=1.2,
        handlelength=1.2,
        handletextpad=0.4,
        frameon=False,
        fontsize=8,
    )
    read_plainly(key)
    return 1 if beside else len(handles)


def _new_axes(comparison: Comparison, look: Look) -> "Axes":
    from matplotlib import pyplot as plt

    rows, cols = comparison.values.shape
    width, height = (float(np.clip(0.5 * count, 2.4, 7.0)) for count in (cols, rows))
    longest = max(map(len, labels.short(comparison.rows + comparison.cols)))
    margin = 0.7 + 0.07 * longest
    size = (width + margin + (0.9 if look.colorbar else 0.2), height + margin + 0.5)
    return plt.subplots(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))[1]


def _print_values(
    comparison: Comparison, ax: "Axes", scale: Colours, pitch: tuple[float, float]
) -> None:
    shown = {
        at: numbers.text(value, comparison.scale)
        for at, value in np.ndenumerate(comparison.values)
        if not np.isnan(value)
    }
    # "0.00" fills three quarters of its cell, and no number more than all of it.
    longest = max(map(len, shown.values()), default=1)
    fitting = min(0.76 / len("0.00"), 0.95 / longest) * pitch[0] / WIDTH_OF_DIGIT
    size = float(np.clip(fitting, 3.0, 9.0))
    for (i, j), number in shown.items():
        ax.text(
            j,
            i,
            number,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=scale.ink(float(comparison.values[i, j])),
            clip_on=True,
            **PLAIN,
        )


def _mark_matches(
    comparison: Comparison, ax: "Axes", scale: Colours, pitch: float, *, ring: bool
) -> list["Artist"]:
    best = matches(comparison)
    if not best or comparison.values.shape[1] < 2:
        return []
    inks = [scale.ink(match.value) for match in best]
    if ring:
        # A dot would cover the number.
        for match, ink in zip(best, inks, strict=True):
            corner = (match.col - 0.44, match.row - 0.44)
            ax.add_patch(Rectangle(corner, 0.88, 0.88, fill=False, ec=ink, lw=1.2, gid="match"))
    else:
        ax.scatter(
            [match.col for match in best],
            [match.row for match in best],
            s=(0.32 * pitch) ** 2,
            c=inks,
            linewidths=0,
            zorder=2,
            gid="match",
        )
    # The key lies on the ground of the figure, not on a cell.
    ink = ax.xaxis.label.get_color()
    marker: dict[str, Any] = (
        {"marker": "s", "ms": 7, "mfc": "none", "mew": 1.2} if ring else {"marker": "o", "ms": 4}
    )
    return [Line2D([], [], ls="none", color=ink, label="best match of each row", **marker)]


def _draw_colorbar(comparison: Comparison, ax: "Axes", image: Any, look: Look) -> list["Artist"]:
    # Inset, so that it is as tall as the heatmap and takes no room from other axes.
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
    bar.set_label("more alike →", fontsize=8)
    if comparison.scale.direction == "distance":
        bar.ax.invert_yaxis()
    span = chance_span(comparison) if look.chance else None
    if span is None:
        return []
    for level in dict.fromkeys(span):
        if image.norm.vmin <= level <= image.norm.vmax:
            bar.ax.axhline(level, color="#1fa187", lw=2, gid="chance")
    label = f"chance {numbers.span(*span, comparison.scale)}"
    return [Line2D([], [], color="#1fa187", lw=2, label=label)]


def _hatched() -> dict[str, Any]:
    return {"facecolor": MISSING_FACE, "edgecolor": MISSING_HATCH, "hatch": "////"}
