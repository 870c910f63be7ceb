"""Theorem 1 as a picture: with fewer images than features some measures are constant."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import visavis as vv
from reproduction import curves
from reproduction.experiment import Claim, Experiment
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYER = "gap"
MEASURES = {name: spec for name, spec in vv.benchmark.MEASURES.items() if name != "Linear HSIC"}
# PWCCA, regression and CCA are 1 where X and Y span everything; SVCCA first takes a part.
CONSTANT = ("CCA (ρ̄)", "CCA (R²)", "PWCCA", "Linear regression")


def compute(lab: Lab) -> dict[str, Any]:
    nets = dict(list(seeds(lab.plan.table2).items())[:2])
    one, other = (
        np.asarray(each[LAYER]) for each in lab.layers(nets, lab.sizes["images"]).values()
    )
    # A unit that is never active is no feature.
    X, Y = (each[:, each.std(axis=0) > 0] for each in (one, other))
    rng = np.random.default_rng(0)
    result: dict[str, Any] = {"features": [X.shape[1], Y.shape[1]], "n": lab.sizes["n"]}
    for kind in ("same images", "shuffled"):
        result[kind] = {name: [] for name in MEASURES}
        for n in lab.sizes["n"]:
            values: dict[str, list[float]] = {name: [] for name in MEASURES}
            for _ in range(lab.sizes["draws"]):
                rows = rng.choice(len(X), n, replace=False)
                partners = rows if kind == "same images" else rng.permutation(rows)
                for name, spec in MEASURES.items():
                    found = vv.compare(
                        {LAYER: X[rows]},
                        {LAYER: Y[partners]},
                        measure=spec,
                        level=None,
                        progress=False,
                    )
                    values[name].append(float(found.values[0, 0]))
            for name, each in values.items():
                result[kind][name].append(float(np.mean(each)))
    return result


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    made, (left, right) = curves.figure(2)
    p = max(result["features"])
    for ax, kind, title in (
        (left, "same images", "one layer of two nets"),
        (right, "shuffled", "nothing in common: images of one side shuffled"),
    ):
        lines = {
            name: {"x": [n / p for n in result["n"]], "y": each}
            for name, each in result[kind].items()
        }
        curves.draw(
            ax,
            lines,
            xlabel="images n / features p",
            ylabel="similarity",
            title=title,
            key=ax is right,
            xscale="log",
            ylim=(-0.08, 1.04),
        )
        ax.axvline(1, color="0.5", linewidth=1, linestyle=(0, (1, 2)))
    return {"theorem1": made}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    below = [k for k, n in enumerate(result["n"]) if n <= min(result["features"])]
    low = min(result[kind][name][k] for kind in ("same images", "shuffled")
              for name in CONSTANT for k in below)  # fmt: skip
    k = below[-1]
    last = {name: each[-1] for name, each in result["shuffled"].items()}
    debiased = [result[kind]["CKA (linear, debiased)"][k] for kind in ("same images", "shuffled")]
    return [
        Claim(
            "Theorem 1: with p ≥ n − 1 every measure that is invariant to invertible linear maps "
            "has one value for all representations.",
            f"{', '.join(CONSTANT)} are at least {low:.4f} for all n ≤ p, whether the images "
            "correspond or are shuffled.",
            low > 0.999,
            "A layer that has a rank below its width is not saturated where n is just below p.",
        ),
        Claim(
            "CKA tells them apart with fewer images than features.",
            f"At n = {result['n'][k]} debiased CKA is {debiased[0]:.2f} for the same images and "
            f"{debiased[1]:z.2f} for shuffled ones.",
            debiased[0] > debiased[1] + 0.3,
        ),
        Claim(
            "With many more images than features all fall for unrelated representations.",
            f"At n = {result['n'][-1]} the shuffled ones have at most "
            f"{max(last.values()):.2f} ({max(last, key=lambda name: last[name])}).",
            max(last.values()) < 0.35,
        ),
    ]


EXPERIMENT = Experiment(
    name="theorem1",
    title="Theorem 1: images and features",
    about=(
        "The layer `gap` of two Tiny-10 nets, 64 features, with from a few to thousands of images; "
        "at the right with the images of one side shuffled, so that nothing corresponds. Linear "
        "HSIC has no scale and is left out."
    ),
    nets=lambda plan: plan.table2[:2],
    sizes={
        "images": (8192, 512),
        "n": ([16, 32, 48, 64, 80, 128, 256, 512, 1024, 2048], [16, 32, 64, 128, 256]),
        "draws": (5, 2),
    },
    compute=compute,
    figures=("theorem1",),
    draw=draw,
    claims=claims,
)
