"""Many models in one picture: a map by their distances, and a tree."""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis._core import checks
from visavis.plot import beside, fonts, labels
from visavis.plot.axes import (
    PLAIN,
    POINTS_PER_INCH,
    WIDTH_OF_DIGIT,
    read_plainly,
    width_of,
    write_title,
)
from visavis.results import Comparison, ModelComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# Okabe and Ito's colours, which the colour-blind can tell apart; the yellow is too light for dots.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP"
MOST_NAMED = 40
_NAME = 8
# Similarities in float64 say no more of a distance: below, a map would magnify rounding.
_FINEST = 1e-6


def distances(comparison: Comparison | ModelComparison, *, reduce: str = "same") -> np.ndarray:
    """Return distances between the rows of a comparison of a set with itself.

    Parameters
    ----------
    comparison : Comparison or ModelComparison
        A distance is taken as it is; a similarity s whose highest value is 1 becomes √(2 − 2s),
        the distance of two unit vectors with that cosine. The two directions of a measure that is
        not symmetric are averaged.
    reduce : {"same", "best", "matched"}
        How layers of two models become one number; see `ModelComparison.between`.

    Returns
    -------
    ndarray, (rows, rows)
        Symmetric, with a zero diagonal.

    Raises
    ------
    ValueError
        If rows and columns differ, a value is missing, or a similarity has no highest value of 1.
    """
    if isinstance(comparison, ModelComparison):
        comparison = comparison.between(reduce)
    if comparison.rows != comparison.cols:
        expected = "be of a set with itself"
        seen = f"{len(comparison.rows)} rows and {len(comparison.cols)} other columns"
        raise ValueError(checks.message("distances", "comparison", expected, seen))
    values = (comparison.values + comparison.values.T) / 2
    missing = np.argwhere(~np.isfinite(values))
    if missing.size:
        row, col = missing[0]
        pair = f"none for {comparison.rows[row]} and {comparison.rows[col]}"
        cure = "The findings say why. ModelComparison.without leaves models or layers out."
        raise ValueError(
            checks.message("distances", "comparison", "have a value for each pair", pair, cure)
        )
    if comparison.scale.direction == "similarity":
        if comparison.scale.high != 1.0:
            expected = "be of a distance, or of a similarity that is at most 1"
            raise ValueError(
                checks.message("distances", "comparison", expected, comparison.measure)
            )
        # Above 1 only by rounding.
        values = np.sqrt(np.maximum(0.0, 2 - 2 * values))
    values = values.copy()
    np.fill_diagonal(values, 0.0)
    return values


def scaled(distances: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, float]:
    """Return points whose distances are like the given ones, by classical scaling.

    Torgerson 1952, doi:10.1007/BF02288916; the sum of the squared distances that is lost is the
    least that a projection can lose.

    Parameters
    ----------
    distances : ndarray, (n, n)
        Symmetric, with a zero diagonal.
    dimensions : int
        Of the points.

    Returns
    -------
    points : ndarray, (n, dimensions)
        Centred, along their principal axes. Of each axis the point farthest out is positive.
    share : float
        The share of the squared distances that the points show; of the sum of all absolute
        eigenvalues where distances are not those of points in any space.
    """
    n = len(distances)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ distances**2 @ centring / 2)
    order = np.argsort(values)[::-1][:dimensions]
    kept = np.maximum(values[order], 0.0)
    points = np.zeros((n, dimensions))
    points[:, : len(order)] = vectors[:, order] * np.sqrt(kept)
    # Of two that are equally far out the first decides, whatever the rounding.
    reach = np.abs(points)
    farthest = np.argmax(reach >= (1 - 1e-6) * reach.max(axis=0), axis=0)
    points *= np.where(points[farthest, range(dimensions)] < 0, -1.0, 1.0)
    whole = np.abs(values).sum()
    return points, float(kept.sum() / whole) if whole > 0 else 1.0


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
    table = _table(comparison, reduce)
    marks = _marks(table.rows, groups)
    points, share = scaled(distances(table))
    ax = _axes(ax, 5.0)
    for group, look in marks.items():
        chosen = [i for i, row in enumerate(table.rows) if (groups or {}).get(row, "") == group]
        ax.scatter(*points[chosen].T, s=42, linewidths=0.6, edgecolors="white", zorder=3, **look)
    _frame(ax, points)
    heading = f"{table.measure}: two dimensions show {100 * share:.0f} % of the squared distances"
    write_title(ax, heading if title is None else title, size=10, pad=8)
    if groups:
        _add_key(ax, marks)
    if np.ptp(points) > 0:
        _add_scale(ax)
    if names if names is not None else len(table.rows) <= MOST_NAMED:
        _name_points(ax, table.rows, points)
    return ax


def dendrogram(
    comparison: Comparison | ModelComparison,
    ax: "Axes | None" = None,
    *,
    reduce: str = "same",
    groups: Mapping[str, str] | None = None,
    method: str = "average",
    title: str | None = None,
) -> "Axes":
    """Draw models (or layers) as leaves of a tree that joins the nearest first.

    Parameters
    ----------
    comparison : Comparison or ModelComparison
        Of a set with itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure of fitting size if None.
    reduce : {"same", "best", "matched"}
        As in `distances`.
    groups : mapping of str to str, optional
        The group of each row: marked at its leaf, as on the map.
    method : {"average", "single", "complete", "weighted"}
        The distance of two branches, as `scipy.cluster.hierarchy.linkage` has it.
    title : str, optional
        By default the measure and the method.

    Returns
    -------
    matplotlib Axes
        Leaf k, from below, at height k; what is joined at a distance d, at d on the x-axis.

    Raises
    ------
    ValueError
        As `distances` does, or if a row has no group, or there is no such method.
    """
    checks.option("dendrogram", "method", method, ("average", "single", "complete", "weighted"))
    table = _table(comparison, reduce)
    marks = _marks(table.rows, groups)
    found = distances(table)
    ax = _axes(ax, max(2.0, 0.26 * len(table.rows) + 1.2))
    leaves = _branches(ax, found, method)
    names = [table.rows[k] for k in leaves]
    pitch = ax.get_window_extent().height / ax.figure.dpi * POINTS_PER_INCH / len(leaves)
    ax.set_yticks(
        range(len(leaves)),
        labels.short(names),
        fontsize=float(np.clip(0.8 * pitch, 3.0, 9.0)),
        fontfamily=fonts.family("".join(names)),
        **PLAIN,
    )
    ax.set(ylim=(-0.6, len(leaves) - 0.4), xlim=(1.05 * found.max() or 1.0, 0.0))
    ax.yaxis.tick_right()
    ax.tick_params(axis="y", length=0, pad=7 if groups else 4)
    ax.set_xlabel("distance", fontsize=9)
    for side in ("top", "left", "right"):
        ax.spines[side].set_visible(False)
    write_title(
        ax, f"{table.measure}: {method} distance" if title is None else title, size=10, pad=8
    )
    if groups:
        for k, name in enumerate(names):
            ax.scatter(0.0, k, s=26, linewidths=0, clip_on=False, zorder=3, **marks[groups[name]])
        _add_key(ax, marks)
    return ax


def _table(comparison: Comparison | ModelComparison, reduce: str) -> Comparison:
    return comparison.between(reduce) if isinstance(comparison, ModelComparison) else comparison


def _marks(rows: Sequence[str], groups: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
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


def _branches(ax: "Axes", distances: np.ndarray, method: str) -> list[int]:
    """Draw a tree without its names, and return its leaves from below."""
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    n = len(distances)
    if n == 1:
        return [0]
    # Neighbouring leaves are made as alike as the tree allows, while that is cheap.
    near = squareform(distances, checks=False)
    tree = hierarchy.linkage(near, method, optimal_ordering=n <= 200)
    drawn = hierarchy.dendrogram(tree, no_plot=True)
    for reach, places in zip(drawn["dcoord"], drawn["icoord"], strict=True):
        ax.plot(reach, [(place - 5) / 10 for place in places], color="0.25", linewidth=1.2)
    return drawn["leaves"]


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


def _add_key(ax: "Axes", marks: Mapping[str, Mapping[str, Any]]) -> None:
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


def _axes(ax: "Axes | None", height: float) -> "Axes":
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, made = plt.subplots(figsize=(5.6, height), layout="constrained")
    return made
