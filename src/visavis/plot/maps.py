"""Many models in one picture: a map by their distances, and a tree."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from visavis._core import checks
from visavis.plot import fonts, labels
from visavis.plot.axes import PLAIN, read_plainly, write_title
from visavis.results import Comparison, ModelComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which the colour-blind can tell apart; the yellow is too light for dots.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP"


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
        cure = "Leave out what has no value: the findings say why."
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

    Classical multidimensional scaling (Torgerson 1952, doi:10.1007/BF02288916) of `distances`; the
    title says how much of them two dimensions show.

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
    """
    table = comparison.between(reduce) if isinstance(comparison, ModelComparison) else comparison
    points, share = scaled(distances(table))
    ax = _axes(ax, 4.6)
    member = [(groups or {}).get(row, "") for row in table.rows]
    for k, group in enumerate(dict.fromkeys(member)):
        chosen = [i for i, each in enumerate(member) if each == group]
        ax.scatter(
            *points[chosen].T,
            s=42,
            c=_COLOURS[k % len(_COLOURS)],
            marker=_MARKERS[(k // len(_COLOURS)) % len(_MARKERS)],
            linewidths=0.6,
            edgecolors="white",
            label=labels.printable(group) or None,
            zorder=3,
        )
    if names if names is not None else len(table.rows) <= 40:
        _name_points(ax, table.rows, points)
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.18)
    ax.grid(True, color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(labelbottom=False, labelleft=False, length=0)
    for spine in ax.spines.values():
        spine.set_color("0.8")
    heading = f"{table.measure}: {100 * share:.0f} % of the squared distances"
    write_title(ax, heading if title is None else title, size=10, pad=8)
    if groups:
        read_plainly(ax.legend(frameon=False, fontsize=8, loc="best"))
    return ax


def scaled(distances: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, float]:
    """Return classical scaling: points (n, dimensions), and the share of the distances they show.

    The share is of the sum of the absolute eigenvalues of the doubly centred squared distances.
    """
    n = len(distances)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ distances**2 @ centring / 2)
    order = np.argsort(values)[::-1][:dimensions]
    kept = np.maximum(values[order], 0.0)
    points = vectors[:, order] * np.sqrt(kept)
    # The sign of an axis is nobody's: the point farthest out lies on the right, and on top.
    flips = np.sign(points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])])
    points = points * np.where(flips == 0, 1, flips)
    whole = np.abs(values).sum()
    shown = np.zeros((n, dimensions))
    shown[:, : points.shape[1]] = points
    return shown, float(kept.sum() / whole) if whole > 0 else 1.0


def dendrogram(
    comparison: Comparison | ModelComparison,
    ax: "Axes | None" = None,
    *,
    reduce: str = "same",
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
    method : {"average", "single", "complete", "weighted"}
        The distance of two branches, as `scipy.cluster.hierarchy.linkage` has it.
    title : str, optional
        By default the measure.

    Returns
    -------
    matplotlib Axes
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    checks.option("dendrogram", "method", method, ("average", "single", "complete", "weighted"))
    table = comparison.between(reduce) if isinstance(comparison, ModelComparison) else comparison
    found = distances(table)
    ax = _axes(ax, max(2.0, 0.26 * len(table.rows) + 1.0))
    heading = table.measure if title is None else title
    if len(table.rows) > 1:
        tree = hierarchy.linkage(squareform(found, checks=False), method)
        drawn = hierarchy.dendrogram(tree, no_plot=True)
        for heights, places in zip(drawn["dcoord"], drawn["icoord"], strict=True):
            ax.plot(heights, [(place - 5) / 10 for place in places], color="0.25", linewidth=1.2)
        leaves = [table.rows[k] for k in drawn["leaves"]]
    else:
        leaves = list(table.rows)
    short = labels.short(tuple(leaves))
    family = fonts.family("".join(leaves))
    ax.set_yticks(range(len(leaves)), short, fontsize=9, fontfamily=family, **PLAIN)
    ax.set_ylim(-0.6, len(leaves) - 0.4)
    ax.set_xlim(left=0)
    ax.invert_xaxis()
    ax.yaxis.tick_right()
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("distance", fontsize=9)
    for side in ("top", "left", "right"):
        ax.spines[side].set_visible(False)
    write_title(ax, heading, size=10, pad=8)
    return ax


def _name_points(ax: "Axes", rows: tuple[str, ...], points: np.ndarray) -> None:
    family = fonts.family("".join(rows))
    spread = max(float(np.ptp(points)), 1e-300)
    taken: list[tuple[float, float]] = []
    for name, (x, y) in zip(labels.short(rows), points, strict=True):
        # Towards the middle, so that names stay inside; each as near its point as others allow.
        right = x > np.median(points[:, 0])
        steps = next(
            k
            for k in (0, 1, -1, 2, -2, 3, -3, 4)
            if k == 4
            or not any(
                abs(y + 0.05 * spread * k - v) < 0.04 * spread and abs(x - u) < 0.35 * spread
                for u, v in taken
            )
        )
        taken.append((x, y + 0.05 * spread * steps))
        ax.annotate(
            name,
            (x, y),
            xytext=(-6 if right else 6, -3 + 11 * steps),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=8,
            fontfamily=family,
            **PLAIN,
        )


def _axes(ax: "Axes | None", height: float) -> "Axes":
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    _, made = plt.subplots(figsize=(5.6, height), layout="constrained")
    return made
