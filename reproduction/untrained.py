"""F.3: networks before their training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import visavis as vv
from reproduction import table2
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def compute(lab: Lab) -> dict[str, Any]:
    nets = dict(list(seeds(lab.plan.table2).items())[: lab.sizes["nets"]])
    n = lab.sizes["images"]
    measures = {
        name: spec for name, spec in table2.MEASURES.items() if name in table2.WHILE_TRAINING
    }
    return {
        when: slim(table2.correspondence(lab.layers(nets, n, epoch=epoch), measures).to_dict())
        for when, epoch in (("untrained", 0), ("trained", None))
    }


def found(result: Mapping[str, Any]) -> dict[str, vv.benchmark.LayerCorrespondence]:
    """Return both tables again."""
    return {
        when: vv.benchmark.LayerCorrespondence.from_dict(result[when])
        for when in ("untrained", "trained")
    }


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    scores = [each.scores["CKA (linear)"] for each in found(result).values()]
    return {"f3": vv.plot.grid(scores, titles=list(found(result)), size=3.8)}


def table(result: Mapping[str, Any]) -> list[Sequence[str]]:
    both = found(result)
    out: list[Sequence[str]] = [("measure", "untrained, %", "trained, %")]
    accuracies = {name: [each[name].accuracy for each in both.values()] for name in both["trained"]}
    return [*out, *((name, *(f"{one:.1f}" for one in each)) for name, each in accuracies.items())]


def claims(result: Mapping[str, Any]) -> list[Claim]:
    before, after = (each["CKA (linear)"].accuracy for each in found(result).values())
    low = found(result)["untrained"].scores["CKA (linear)"].values.min()
    return [
        Claim(
            "Untrained networks are alike in all layers, and less of their layers are told apart.",
            f"Linear CKA between any two layers of two untrained nets is at least {low:.2f}; it "
            f"finds {before:.1f} % of the layers before training and {after:.1f} % after.",
            before < after,
            "A layer of random filters keeps the geometry of the images, and random filters of one "
            "architecture keep the same part of it.",
        )
    ]


EXPERIMENT = Experiment(
    name="f3",
    title="F.3: before training",
    about="The nets of Table 2 before and after their training, by the same measures.",
    nets=lambda plan: plan.table2[:5],
    sizes={"images": (500, 100), "nets": (5, 3)},
    compute=compute,
    figures=("f3",),
    draw=draw,
    claims=claims,
    table=table,
)
