"""A report of many models: how alike they are, as a table, a map and a tree."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from visavis import plot
from visavis.report.html import write_html
from visavis.report.section import Image, Section, Table
from visavis.results import Comparison, ModelComparison

MOST_PAIRS = 12


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
    sections = [_groups(comparison, groups, reduce)] if groups else []
    if len(comparison.models) > 2 and _drawable(between):
        sections.append(_pictures(between, groups))
    sections.append(_ranking(between))
    return write_html(
        [between, comparison.table],
        path,
        title=title or f"{len(comparison.models)} models",
        sections=sections,
    )


def _drawable(between: Comparison) -> bool:
    try:
        plot.distances(between)
    except ValueError:
        return False
    return True


def _ranking(between: Comparison) -> Section:
    """Return the most alike pairs of models, and the least."""
    n = len(between.rows)
    pairs = [(i, j) for i in range(n) for j in range(n) if (i < j or not _symmetric(between, i, j))]
    pairs = [(i, j) for i, j in pairs if i != j and np.isfinite(between.values[i, j])]
    sign = -1 if between.scale.direction == "similarity" else 1
    pairs.sort(key=lambda pair: sign * between.values[pair])
    shown: Sequence[tuple[int, int]] = pairs
    if len(pairs) > 2 * MOST_PAIRS:
        shown = [*pairs[:MOST_PAIRS], *pairs[-MOST_PAIRS:]]
    rows = [(between.rows[i], between.rows[j], f"{between.values[i, j]:.4g}") for i, j in shown]
    left_out = len(pairs) - len(shown)
    return Section(
        "Pairs of models",
        (f"{between.scale.description}.",),
        table=Table(
            ("model", "and", between.measure),
            rows,
            "From the most alike to the least."
            + (f" {left_out} pairs between them are left out." if left_out else ""),
        ),
    )


def _symmetric(between: Comparison, i: int, j: int) -> bool:
    return between.scale.symmetric or between.values[i, j] == between.values[j, i]


def _groups(comparison: ModelComparison, groups: Mapping[str, str], reduce: str) -> Section:
    """Return what the models of two groups have in common, over pairs of different models."""
    mean, deviation = comparison.grouped(groups, reduce)
    rows = []
    for i, row in enumerate(mean.rows):
        for j, col in enumerate(mean.cols):
            if (i <= j or not mean.scale.symmetric) and np.isfinite(mean.values[i, j]):
                spread = f"{deviation[i, j]:.3g}" if np.isfinite(deviation[i, j]) else "–"
                rows.append((f"{row} and {col}", f"{mean.values[i, j]:.4g}", spread))
    return Section(
        "Groups of models",
        (f"{mean.scale.description}.",),
        table=Table(("groups", "mean", "s.d. over pairs"), rows),
    )


def _pictures(between: Comparison, groups: Mapping[str, str] | None) -> Section:
    from matplotlib import pyplot as plt

    n = len(between.rows)
    figure, axes = plt.subplots(
        1, 2, figsize=(10.5, max(4.4, 0.22 * n + 1.2)), layout="constrained"
    )
    plot.embedding(between, axes[0], groups=groups)
    plot.dendrogram(between, axes[1], title="joined by average distance")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=150, format="png")
    plt.close(figure)
    return Section(
        "Map and tree",
        (
            "On the map near points are models that are alike, as far as two dimensions can show "
            "it. The tree joins the nearest models first.",
        ),
        image=Image(
            buffer.getvalue(),
            alt=f"A map and a tree of {n} models.",
            caption="Distances: √(2 − 2s) of a similarity s, a distance as it is.",
        ),
    )
