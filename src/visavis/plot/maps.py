"""Many models on a map of their distances."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from visavis.plot import beside, fonts, labels
from visavis.plot.axes import PLAIN, POINTS_PER_INCH, new_axes, write_title
from visavis.plot.groups import add_key, marks_of
from visavis.plot.spaces import distances, scaled, table_of
from visavis.results import Comparison, ModelComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

MOST_NAMED = 40
_NAME = 8
# Similarities in float64 say no more of a distance: below, a map would magnify rounding.
_FINEST = 1e-6


def embedding(
    comparison: Comparison | ModelComparison,
    ax: "Axes | None" = None,
    *,
    reduce: str = "same",
    groups: Mapping[str, str] | None = None,
    names: bool | None = None,
    title: str | None = None,
) -> "Axes":
    """Draw models (or layers) as points of a plane whose distances are like theirs.

    Parameters
    ----------
    comparison : Comparison or ModelComparison
        Of a set with itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.
    reduce : {"same", "best", "matched"}
        As in `distances`.
    groups : mapping of str to str, optional
        The group of each row, drawn in a colour of its own.
    names : bool, optional
        Whether to name the points; by default up to 40 of them.
    title : str, optional
        By default the measure and the share of the squared distances that is shown.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        As `distances` does, or if a row has no group.
    """
    table = table_of(comparison, reduce)
    marks = marks_of(table.rows, groups)
    points, share = scaled(distances(table))
    ax = new_axes(ax, 5.0)
    for group, look in marks.items():
        chosen = [i for i, row in enumerate(table.rows) if (groups or {}).get(row, "") == group]
        ax.scatter(*points[chosen].T, s=42, linewidths=0.6, edgecolors="white", zorder=3, **look)
    _frame(ax, points)
    heading = f"{table.measure}: two dimensions show {100 * share:.0f} % of the squared distances"
    write_title(ax, heading if title is None else title, size=10, pad=8)
    if groups:
        add_key(ax, marks)
    if np.ptp(points) > 0:
        _add_scale(ax)
    if names if names is not None else len(table.rows) <= MOST_NAMED:
        _name_points(ax, table.rows, points)
    return ax


def _frame(ax: "Axes", points: np.ndarray) -> None:
    """Leave room around the points, and let a unit be as long upwards as across."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    ax.update_datalim([middle - _FINEST / 2, middle + _FINEST / 2])
    ax.set(xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.125)
    ax.autoscale_view()
    ax.apply_aspect()
    for spine in ax.spines.values():
        spine.set_color("0.8")


def _name_points(ax: "Axes", rows: tuple[str, ...], points: np.ndarray) -> None:
    figure = ax.get_figure(root=True)
    if figure is not None and (engine := figure.get_layout_engine()):
        engine.execute(figure)  # whatever takes room has been added: the axes get their size
        ax.apply_aspect()
    inch = POINTS_PER_INCH / ax.figure.dpi
    box = ax.get_window_extent()
    family = fonts.family("".join(rows))
    texts = [
        ax.annotate(name, place, fontsize=_NAME, fontfamily=family, va="center", zorder=4, **PLAIN)
        for name, place in zip(labels.short(rows), points, strict=True)
    ]
    widths = [_fit(text, 0.45 * box.width) * inch for text in texts]
    found = beside.places(
        (ax.transData.transform(points) - box.p0) * inch,
        widths,
        (2, 2, box.width * inch - 2, box.height * inch - 2),
    )
    for text, at, place in zip(texts, points, found, strict=True):
        text.set(ha=place.align, position=(place.x, place.y), anncoords="offset points")
        text.set_in_layout(False)  # it lies inside
        if place.line:
            ax.annotate(
                "",
                at,
                (place.x, place.y),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0},
                in_layout=False,
            )


def _fit(text: "Annotation", room: float) -> float:
    """Shorten a name until it fits, and return its width in pixels.

    Less than half of the frame, so that there is room on one side of its point.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what no font has there will be a warning when drawn
        while (width := text.get_window_extent().width) > room and len(text.get_text()) > 3:
            name = text.get_text()
            fitting = min(len(name) - 1, int(len(name) * room / width))
            text.set_text(labels.shorten(name, max(3, fitting)))
    return width


def _add_scale(ax: "Axes") -> None:
    """Draw how long a distance is, below the map on the right."""
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    left, right = ax.get_xlim()
    most = 0.3 * (right - left)
    power = 10.0 ** np.floor(np.log10(most))
    length = float(max(each * power for each in (1, 2, 5) if each * power <= most))
    bar = AnchoredSizeBar(
        ax.transData,
        length,
        f"distance {length:g}",
        loc="upper right",
        pad=0.1,
        borderpad=0.5,
        sep=3,
        frameon=False,
        label_top=False,
        color="0.3",
        fontproperties={"size": 8},
        bbox_to_anchor=(1, 0),
        bbox_transform=ax.transAxes,
    )
    ax.add_artist(bar)
