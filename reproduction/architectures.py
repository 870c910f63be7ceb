"""Fig. 5: layers of different architectures correspond by depth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

import visavis as vv
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab
from reproduction.recipes import Plan, Recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def nets(plan: Plan) -> dict[str, Recipe]:
    """Return one network of each architecture."""
    return {"Tiny-10": plan.table2[0], "Plain": plan.depths[1], "ResNet": plan.residual[0]}


def compute(lab: Lab) -> dict[str, Any]:
    acts = lab.layers(nets(lab.plan), lab.sizes["images"])
    found = vv.benchmark.nearest_layers(acts, progress=False)
    return {"accuracy": lab.accuracy(nets(lab.plan)), "nearest": slim(found.to_dict())}


def again(result: Mapping[str, Any]) -> vv.benchmark.NearestLayers:
    """Return the maps again."""
    return vv.benchmark.NearestLayers.from_dict(result["nearest"])


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    return {"fig5": again(result).plot(annotate=False, size=3.8)}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    order = {}
    for (a, b), each in again(result).items():
        order[f"{a} → {b}"] = float(spearmanr(each.depths, each.nearest_depths).statistic)
    low = min(order, key=lambda pair: order[pair])
    return [
        Claim(
            "Early layers of one architecture are most like early layers of another, late like "
            "late.",
            "The rank correlation of a layer's depth with that of its nearest layer is "
            f"{np.mean(list(order.values())):.2f} on average and at least {order[low]:.2f} "
            f"({low}).",
            order[low] > 0.5,
            "Within a ResNet layers alternate, so that the nearest layer can jump.",
        )
    ]


EXPERIMENT = Experiment(
    name="fig5",
    title="Fig. 5: across architectures",
    about="Debiased CKA between all layers of a Tiny-10, a plain net and a ResNet.",
    nets=lambda plan: list(nets(plan).values()),
    sizes={"images": (1000, 200)},
    compute=compute,
    figures=("fig5",),
    draw=draw,
    claims=claims,
)
