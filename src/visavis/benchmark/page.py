"""Reports of the benchmark: what was found, before the values that it comes from."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visavis import report
from visavis.plot.encoded import png

if TYPE_CHECKING:
    from visavis.benchmark.nearest import NearestLayers
    from visavis.benchmark.outcome import LayerCorrespondence

# More maps than this are in the saved outcome, not on a page.
MOST_MAPS = 12


def write_correspondence(
    found: "LayerCorrespondence", path: str | Path, *, title: str | None = None
) -> Path:
    """Write a report of a layer correspondence and return its path."""
    nets, layers = len(found.nets), len(found.layers)
    section = report.Section(
        "Layers found again",
        (
            f"For each layer of each of {nets} nets, the most similar layer of each other net is "
            f"looked for. Of the {layers} layers a measure that knows nothing finds "
            f"{found.chance:.1f} %.",
            *found.notes,
        ),
        table=report.Table(
            found.header,
            found.rows(),
            "Share of trials in which the most similar layer is the same layer (Kornblith et al. "
            "2019, Table 2); standard error and interval by the jackknife over nets.",
        ),
        image=report.Image(
            png(found.plot()),
            alt=f"For each of {len(found)} measures, which layer was taken for which.",
            caption="Rows are the layers sought, columns those taken for them, in % of the trials "
            "of the row; the frames are where a layer is taken for itself.",
        ),
    )
    scores = [
        replace(each, provenance={**found.provenance, **each.provenance})
        for each in found.scores.values()
    ]
    heading = title or f"Which measures find the same layer in {nets} nets?"
    return report.write_html(scores, path, title=heading, sections=[section])


def write_nearest(found: "NearestLayers", path: str | Path, *, title: str | None = None) -> Path:
    """Write a report of nearest layers and return its path."""
    maps = list(found.values())
    rows = [
        (
            f"{each.a} → {each.b}",
            "–" if each.monotone != each.monotone else f"{each.monotone:.2f}",
            f"{each.covered} of {len(each.others)}",
        )
        for each in maps
    ]
    sections = [
        report.Section(
            "Nearest layers",
            (
                "For each layer of a net the most similar layer of another. The order is kept at "
                "1 and turned around at −1: Spearman's correlation of the depths of a layer and of "
                "its nearest one. A nearest layer always exists: look at the values as well.",
            ),
            table=report.Table(("nets", "order kept", "layers that are nearest to any"), rows),
        )
    ]
    sections += [
        report.Section(
            f"{each.a} → {each.b}",
            table=report.Table(
                ("layer", "depth", "nearest", "its depth", "score"),
                [
                    (layer, f"{depth:.2f}", partner or "–", f"{its_depth:.2f}", f"{score:.3g}")
                    for layer, depth, partner, its_depth, score in zip(
                        each.layers,
                        each.depths,
                        each.nearest,
                        each.nearest_depths,
                        each.scores,
                        strict=True,
                    )
                ],
            ),
        )
        for each in maps[:MOST_MAPS]
    ]
    heading = title or f"Nearest layers of {len(found.nets)} nets"
    return report.write_html(list(found.scores.values()), path, title=heading, sections=sections)
