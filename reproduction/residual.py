"""Fig. 4: in a residual network layers within a block differ from those between blocks."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

import visavis as vv
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def compute(lab: Lab) -> dict[str, Any]:
    nets = seeds(lab.plan.residual)
    acts = lab.layers(nets, lab.sizes["images"])
    first = next(iter(acts))
    own = vv.compare(acts[first], names=(first, first), level=None, progress=False)
    cka = {"CKA": "cka"}
    every = vv.benchmark.layer_correspondence(acts, measures=cka, progress=False)
    after = vv.benchmark.layer_correspondence(acts, measures=cka, layers="!*.inner", progress=False)
    return {
        "accuracy": lab.accuracy(nets),
        "cka": slim(own.to_dict()),
        "every layer": slim(every.to_dict()),
        "after additions": slim(after.to_dict()),
    }


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    own = vv.Comparison.from_dict(result["cka"])
    other = vv.benchmark.LayerCorrespondence.from_dict(result["every layer"]).scores["CKA"]
    titles = ["one ResNet with itself", "with another seed"]
    return {"fig4": vv.plot.grid([own, other], titles=titles, annotate=False, size=4.2)}


def apart(own: vv.Comparison, stages: int = 3) -> tuple[float, float]:
    """Return the mean CKA of outputs of neighbouring blocks, and of each with the layer between.

    Neighbours of one stage, where there are any: from stage to stage the shortcut changes as well.
    """
    ends = [k for k, name in enumerate(own.rows) if name.startswith("block") and "." not in name]
    blocks = len(ends) // stages
    pairs = [
        (a, b) for k, (a, b) in enumerate(pairwise(ends), start=1) if k % blocks or blocks == 1
    ]
    same = [own.values[a, b] for a, b in pairs]
    between = [own.values[b - 1, b] for _, b in pairs]
    return float(np.mean(same)), float(np.mean(between))


def claims(result: Mapping[str, Any]) -> list[Claim]:
    same, between = apart(vv.Comparison.from_dict(result["cka"]))
    every, after = (
        vv.benchmark.LayerCorrespondence.from_dict(result[name])["CKA"]
        for name in ("every layer", "after additions")
    )
    return [
        Claim(
            "ResNets show a grid: layers after an addition are like each other, those within a "
            "block are not like them.",
            f"Outputs of neighbouring blocks of a stage have a mean CKA of {same:.3f}, an output "
            f"and the layer within its block, which is nearer, {between:.3f}.",
            same > between,
            "Few blocks to a stage leave little room for a grid.",
        ),
        Claim(
            "Corresponding layers are found among those after additions.",
            f"{after.accuracy:.0f} % of those (chance {after.chance:.0f} %), and "
            f"{every.accuracy:.0f} % of all layers (chance {every.chance:.0f} %).",
            after.accuracy > 3 * after.chance,
        ),
    ]


EXPERIMENT = Experiment(
    name="fig4",
    title="Fig. 4: residual networks",
    about=(
        "A ResNet by debiased CKA: `block3.inner` is the layer within the third block, `block3` "
        "what comes out of it, after the addition."
    ),
    nets=lambda plan: plan.residual,
    sizes={"images": (1000, 200)},
    compute=compute,
    figures=("fig4",),
    draw=draw,
    claims=claims,
)
