"""Colours and marks of groups of models, and the key to them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from visavis._core import checks
from visavis.plot import fonts, labels
from visavis.plot.axes import WIDTH_OF_DIGIT, read_plainly, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which the colour-blind can tell apart; the yellow is too light for dots.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP"


def marks_of(rows: Sequence[str], groups: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    """Return the colour and the marker of each group."""
    lost = [row for row in rows if groups is not None and row not in groups]
    if lost:
        expected = "name a group for each row"
        raise ValueError(checks.message("plot", "groups", expected, f"none for {lost[0]!r}"))
    names = dict.fromkeys((groups or {}).get(row, "") for row in rows)
    count = len(_COLOURS)
    return {
        group: {"color": _COLOURS[k % count], "marker": _MARKERS[k // count % len(_MARKERS)]}
        for k, group in enumerate(names)
    }


def add_key(ax: "Axes", marks: Mapping[str, Mapping[str, Any]]) -> None:
    """Explain the marks below the axes and what is written along them."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import offset_copy

    handles = [Line2D([], [], linestyle="none", markersize=6, **look) for look in marks.values()]
    names = labels.short(tuple(marks))
    longest = max(map(labels.columns, names)) + 3
    # Under names of its own: one that begins with an underscore would be left out.
    key = ax.legend(
        handles,
        [str(k) for k in range(len(handles))],
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=offset_copy(
            ax.transAxes, ax.get_figure(root=True), y=-32 if ax.get_xlabel() else 0, units="points"
        ),
        ncols=max(1, min(len(names), int(0.75 * width_of(ax) / (longest * WIDTH_OF_DIGIT * 8)))),
        columnspacing=1.2,
        handletextpad=0.2,
        frameon=False,
        fontsize=8,
    )
    for text, name in zip(key.get_texts(), names, strict=True):
        text.set(text=name, fontfamily=fonts.family(name))
    read_plainly(key)
