"""Fig. 6: wider networks are more alike, to each other and to the widest."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

import visavis as vv
from reproduction import curves
from reproduction.experiment import Claim, Experiment
from reproduction.lab import Lab
from reproduction.recipes import Plan, Recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pairs(plan: Plan) -> dict[int, list[Recipe]]:
    """Return the two networks of each width."""
    widths: dict[int, list[Recipe]] = {}
    for each in plan.widths:
        widths.setdefault(each.options["width"], []).append(each)
    return widths


def compute(lab: Lab) -> dict[str, Any]:
    n, widths = lab.sizes["images"], pairs(lab.plan)
    widest = lab.layers({"widest": widths[max(widths)][0]}, n)["widest"]
    seeds: dict[int, list[float]] = {}
    to_widest: dict[int, list[float]] = {}
    for width, (one, other) in widths.items():
        both = lab.layers({"one": one, "other": other}, n)
        seeds[width] = _diagonal(both["one"], both["other"])
        to_widest[width] = _diagonal(both["other"], widest)
    named = {f"width {w}, seed {each.seed}": each for w, two in widths.items() for each in two}
    return {
        "layers": list(widest),
        "another seed": seeds,
        "the widest": to_widest,
        "accuracy": lab.accuracy(named),
    }


def _diagonal(a: vv.Activations, b: vv.Activations) -> list[float]:
    """Return the similarity of layers of the same name."""
    return np.diagonal(vv.compare(a, b, level=None, progress=False).values).tolist()


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    made, axes = curves.figure(2)
    for ax, other in zip(axes, ("another seed", "the widest"), strict=True):
        widths = [int(width) for width in result[other]]
        lines = {
            layer: {"x": widths, "y": [each[k] for each in result[other].values()]}
            for k, layer in enumerate(result["layers"])
        }
        curves.draw(
            ax,
            lines,
            xlabel="width",
            ylabel="CKA of the same layer",
            title=f"with {other}",
            key=ax is axes[-1],
            xscale="log",
        )
        ax.set_xticks(widths, [str(width) for width in widths])
    return {"fig6": made}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    out = []
    for other, paper in (
        ("another seed", "Wider networks are more like another of their width."),
        ("the widest", "Wider networks are more like the widest."),
    ):
        means = {int(width): float(np.mean(each)) for width, each in result[other].items()}
        rank = float(spearmanr(list(means), list(means.values())).statistic)
        first, last = min(means), max(means)
        out.append(
            Claim(
                paper,
                f"The mean CKA of corresponding layers goes from {means[first]:.2f} at width "
                f"{first} to {means[last]:.2f} at width {last} (rank correlation with width "
                f"{rank:.2f}).",
                rank > 0.7,
                "Two networks of each width, trained for a few hundred steps.",
            )
        )
    return out


EXPERIMENT = Experiment(
    name="fig6",
    title="Fig. 6: width",
    about=(
        "Tiny-10 with more and with fewer channels (16 is the paper's Tiny-10), two seeds of each. "
        "CKA is debiased, so that width alone does not raise it."
    ),
    nets=lambda plan: plan.widths,
    sizes={"images": (500, 200)},
    compute=compute,
    figures=("fig6",),
    draw=draw,
    claims=claims,
)
