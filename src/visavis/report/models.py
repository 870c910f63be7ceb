"""A report of many models: how alike they are, as a table, a map and a tree."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from visavis import plot
from visavis.plot import numbers
from visavis.report.html import write_html
from visavis.report.section import Image, Section, Table
from visavis.report.tables import DECIMALS
from visavis.results import Comparison, Grouped, ModelComparison

MOST_PAIRS = 8


def write_models(
    comparison: ModelComparison,
    path: str | Path,
    *,
    reduce: str = "same",
    groups: Mapping[str, str] | None = None,
    title: str | None = None,
) -> Path:
    """Write a self-contained HTML report of many models and return its path.

    Parameters
    ----------
    comparison : ModelComparison
    path : str or Path
        The file to write.
    reduce : {"same", "best", "matched"}
        How layers of two models become one number; see `ModelComparison.between`.
    groups : mapping of str to str, optional
        The group of each model: drawn on the map, and summed up in a table.
    title : str, optional
        By default the number of models.
    """
    between = comparison.between(reduce)
    sections = []
    if len(between.rows) > 2 and _drawable(between):
        sections.append(_map_and_tree(between, groups))
    if groups is not None:
        sections.append(_groups(comparison.grouped(groups, reduce)))
    sections.append(_pairs(between))
    return write_html(
        [between, comparison.table],
        path,
        title=title or f"{len(between.rows)} models",
        sections=sections,
    )


def _drawable(between: Comparison) -> bool:
    try:
        plot.distances(between)
    except ValueError:
        return False
    return True


def _map_and_tree(between: Comparison, groups: Mapping[str, str] | None) -> Section:
    from matplotlib import pyplot as plt

    n = len(between.rows)
    size = (10.5, max(4.8, 0.22 * n + 1.4))
    figure, axes = plt.subplots(1, 2, figsize=size, layout="constrained")
    plot.dendrogram(between, axes[1], groups=groups, title="joined by average distance")
    if key := axes[1].get_legend():
        key.remove()  # it is that of the map
    # Last, for names find their places in the room that the tree leaves.
    plot.embedding(between, axes[0], groups=groups)
    buffer = io.BytesIO()
    # Matplotlib would put its version here, and the same comparison would give other bytes.
    figure.savefig(buffer, dpi=150, format="png", metadata={"Software": "visavis"})
    plt.close(figure)
    source = (
        "Distances are √(2 − 2s) of a similarity s, that of two vectors with this cosine."
        if between.scale.direction == "similarity"
        else "Distances are those of the measure."
    )
    return Section(
        "Map and tree",
        (
            "On the map near points are models that are alike, as far as two dimensions can show "
            "it: its heading says how far that is. The tree knows all distances, and joins the "
            "nearest models first.",
        ),
        image=Image(
            buffer.getvalue(),
            alt=f"A map and a tree of {n} models.",
            caption=source if between.scale.symmetric else f"{source} Both directions averaged.",
        ),
    )


def _groups(grouped: Grouped) -> Section:
    """Return what the models of two groups have in common."""
    scale = grouped.mean.scale
    rows = [
        (
            f"{each.row} × {each.col}",
            numbers.text(each.mean, scale, DECIMALS),
            numbers.text(each.deviation, scale, DECIMALS),
            str(each.pairs),
        )
        for each in grouped.lines()
    ]
    text = (
        "Means over pairs of different models. Pairs that share a model depend on each other: the "
        "standard deviation says how much pairs differ, not how sure the mean is."
    )
    return Section("Groups of models", (text,), Table(("groups", "mean", "s.d.", "pairs"), rows))


def _pairs(between: Comparison) -> Section:
    """Return the most alike pairs of models, and the least."""
    symmetric = between.scale.symmetric
    pairs = [
        (i, j)
        for i, j in np.ndindex(between.values.shape)
        if (i < j or (i > j and not symmetric)) and np.isfinite(between.values[i, j])
    ]
    sign = -1 if between.scale.direction == "similarity" else 1
    pairs.sort(key=lambda pair: sign * between.values[pair])
    left_out = max(0, len(pairs) - 2 * MOST_PAIRS)
    shown = pairs if not left_out else [*pairs[:MOST_PAIRS], *pairs[-MOST_PAIRS:]]
    sign_between = "×" if symmetric else "→"
    rows = [
        (
            f"{between.rows[i]} {sign_between} {between.rows[j]}",
            numbers.text(float(between.values[i, j]), between.scale, DECIMALS),
        )
        for i, j in shown
    ]
    caption = "From the most alike to the least."
    if left_out:
        caption += f" {left_out} pairs between them are left out."
    return Section("Pairs of models", table=Table(("models", between.measure), rows, caption))
