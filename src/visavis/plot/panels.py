"""Small multiples: one heatmap per measure."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine

from visavis._core import checks
from visavis.plot import labels
from visavis.plot.axes import PLAIN, read_plainly, write_title
from visavis.plot.heatmap import Look, draw
from visavis.results import Comparison

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 4
_ONE_LINE = 3


def grid(
    comparisons: Sequence[Comparison] | Mapping[str, Comparison],
    *,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    title: str | None = None,
    annotate: bool | Literal["auto"] = "auto",
    size: float = 3.1,
) -> "Figure":
    """Draw several comparisons side by side, each with its own scale of colours.

    Parameters
    ----------
    comparisons : sequence of Comparison, or ComparisonSet
        What to draw, in reading order.
    columns : int, optional
        Panels per row; by default as square as possible, at most 4.
    titles : sequence of str, optional
        One per panel; by default the measures.
    title : str, optional
        The title of the figure.
    annotate : bool or "auto"
        As for `heatmap`.
    size : float
        Width and height of a panel in inches.

    Returns
    -------
    matplotlib Figure
        With constrained layout; ``savefig(path, dpi=200)`` gives a picture fit to print. Where
        all panels have the same layers, only the outer ones name them.

    Examples
    --------
    >>> import numpy as np
    >>> from visavis.results import Comparison, Scale
    >>> cka = Scale("cka", -1.0, 1.0, "similarity", symmetric=True)
    >>> res = Comparison(np.array([[0.9, 0.4], [0.3, 0.8]]), ("a", "b"), ("a", "b"), cka, n=100)
    >>> len(grid([res, res], titles=["before", "after"]).axes)
    2
    """
    panels = _panels(comparisons)
    headings = [each.measure for each in panels] if titles is None else list(titles)
    if len(headings) != len(panels):
        raise ValueError(
            checks.message(
                "grid", "titles", f"have one entry per panel ({len(panels)})", f"{len(headings)}"
            )
        )
    square = ceil(sqrt(len(panels))) if len(panels) > _ONE_LINE else len(panels)
    across = columns or min(_MOST_COLUMNS, square)
    figure, axes = _figure(panels, across, size)
    shared = len({(each.rows, each.cols, each.names) for each in panels}) == 1
    keys: dict[str, Artist] = {}
    for k, (comparison, ax, heading) in enumerate(zip(panels, axes, headings, strict=True)):
        for entry in draw(comparison, ax, Look(annotate=annotate)):
            label = str(entry.get_label())
            # The level of chance differs from panel to panel: the key says what the line is.
            label = "chance" if label.startswith("chance ") else label
            entry.set_label(label)
            keys.setdefault(label, entry)
        write_title(ax, heading, size=9.5, pad=6)
        if shared:
            _hide_inner_names(ax, first=k % across == 0, last=k + across >= len(panels))
    if title:
        figure.suptitle(labels.printable(title), **PLAIN)
    if keys:
        key = figure.legend(
            handles=list(keys.values()),
            loc="outside lower center",
            ncols=len(keys),
            frameon=False,
            fontsize=8,
        )
        read_plainly(key)
    return figure


def _panels(comparisons: Sequence[Comparison] | Mapping[str, Comparison]) -> list[Comparison]:
    listed = comparisons.values() if isinstance(comparisons, Mapping) else comparisons
    panels = list(listed)
    strangers = [type(each).__name__ for each in panels if not isinstance(each, Comparison)]
    if not panels or strangers:
        raise (TypeError if strangers else ValueError)(
            checks.message(
                "grid",
                "comparisons",
                "hold at least one Comparison and nothing else",
                strangers[0] if strangers else "none",
            )
        )
    return panels


def _figure(
    panels: Sequence[Comparison], across: int, size: float
) -> tuple["Figure", list["Axes"]]:
    from matplotlib import pyplot as plt

    down = ceil(len(panels) / across)
    longest = max(map(len, labels.short(panels[0].rows + panels[0].cols)))
    margin = 0.3 + 0.07 * longest
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(across * (size + 0.5) + margin, down * (size + 0.3) + margin + 0.3),
        layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08),
        squeeze=False,
    )
    used, unused = np.split(axes.ravel(), [len(panels)])
    for ax in unused:
        ax.remove()
    return figure, list(used)


def _hide_inner_names(ax: "Axes", *, first: bool, last: bool) -> None:
    ax.tick_params(labelleft=first, labelbottom=last)
    ax.yaxis.label.set_visible(first)
    ax.xaxis.label.set_visible(last)
