"""Many models as a tree of their distances."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from visavis._core import checks
from visavis.plot import fonts, labels
from visavis.plot.axes import PLAIN, POINTS_PER_INCH, new_axes, write_title
from visavis.plot.groups import add_key, marks_of
from visavis.plot.spaces import distances, table_of
from visavis.results import Comparison, ModelComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    table = table_of(comparison, reduce)
    marks = marks_of(table.rows, groups)
    found = distances(table)
    ax = new_axes(ax, max(2.0, 0.26 * len(table.rows) + 1.2))
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
        add_key(ax, marks)
    return ax


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
