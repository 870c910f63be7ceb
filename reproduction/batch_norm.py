"""F.4: networks without batch normalisation, and CKA within classes."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

import visavis as vv
from reproduction import data
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab, seeds
from reproduction.recipes import Plan, Recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("CKA", "within classes")


def groups(plan: Plan) -> dict[str, list[Recipe]]:
    """Return as many networks with batch normalisation as there are without."""
    return {"with": plan.table2[: len(plan.bare)], "without": plan.bare}


def compute(lab: Lab) -> dict[str, Any]:
    n = lab.sizes["images"]
    labels = data.load("fashion").labels[:n]
    recipes = {f"{k}, {s}": r for k, own in groups(lab.plan).items() for s, r in seeds(own).items()}
    acts = lab.layers(recipes, n)
    measures = {"CKA": vv.cka, "within classes": partial(vv.class_cka, labels=labels)}
    result: dict[str, Any] = {"accuracy": lab.accuracy(recipes), "found": {}, "across": {}}
    for kind in ("with", "without"):
        own = {name: each for name, each in acts.items() if name.startswith(f"{kind},")}
        found = vv.benchmark.layer_correspondence(own, measures=measures, progress=False)
        result["found"][kind] = slim(found.to_dict())
    for name, measure in measures.items():
        pairs = [
            vv.compare(acts[a], acts[b], measure=measure, names=("with", "without"), level=None,
                       progress=False)
            for a, b in product(recipes, recipes)
            if a.startswith("with,") and b.startswith("without,")
        ]  # fmt: skip
        mean = slim(pairs[0].to_dict()) | {"chance": None}
        mean["values"] = np.mean([each.values for each in pairs], axis=0).tolist()
        result["across"][name] = mean
    return result


def found(result: Mapping[str, Any], kind: str) -> vv.benchmark.LayerCorrespondence:
    """Return how well layers are found among nets of one kind."""
    return vv.benchmark.LayerCorrespondence.from_dict(result["found"][kind])


def across(result: Mapping[str, Any], measure: str) -> vv.Comparison:
    """Return the mean over pairs of a net with and a net without."""
    return vv.Comparison.from_dict(result["across"][measure])


def hits(comparison: vv.Comparison) -> float:
    """Return the part of layers, seen from either side, whose best match has their name."""
    values = comparison.values
    place = np.arange(len(values))
    return float(np.mean([values.argmax(0) == place, values.argmax(1) == place]))


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    panels, titles = [], []
    for measure in KINDS:
        panels += [found(result, kind).scores[measure] for kind in ("with", "without")]
        panels.append(across(result, measure))
        titles += [f"{measure}: {kind} batch norm" for kind in ("with", "without")]
        titles.append(f"{measure}: one with, one without")
    return {"f4": vv.plot.grid(panels, titles=titles, annotate=False, columns=3, size=3.0)}


def table(result: Mapping[str, Any]) -> list[Sequence[str]]:
    out: list[Sequence[str]] = [("nets", *(f"{each}: found, %" for each in KINDS), "accuracy, %")]
    for kind in ("with", "without"):
        own = found(result, kind)
        right = [v for name, v in result["accuracy"].items() if name.startswith(f"{kind},")]
        cells = (f"{own[each].accuracy:.1f}" for each in KINDS)
        out.append((f"{kind} batch norm", *cells, f"{100 * np.mean(right):.1f}"))
    return out


def claims(result: Mapping[str, Any]) -> list[Claim]:
    matched = hits(across(result, "CKA"))
    inner, outer = (found(result, "with")[each].accuracy for each in KINDS[::-1])
    low, high = (
        float(np.diagonal(found(result, "with").scores[each].values).mean()) for each in KINDS[::-1]
    )
    return [
        Claim(
            "Layers of nets with and without batch norm correspond.",
            f"On the mean heatmap {100 * matched:.0f} % of the layers are most like the same layer "
            "of the other kind.",
            matched > 0.5,
            "Without batch norm training is slower, and our nets are not converged.",
        ),
        Claim(
            "CKA finds layers within classes as well: it does not only see the classes.",
            f"Within classes {inner:.1f} % of the layers are found, over all images {outer:.1f} % "
            f"(mean CKA of corresponding layers {low:.2f} and {high:.2f}).",
            inner > 50,
        ),
    ]


EXPERIMENT = Experiment(
    name="f4",
    title="F.4: batch norm, and CKA within classes",
    about=(
        "Tiny-10 with and without batch normalisation. `class_cka` compares images within each "
        "class and averages over classes. Both are debiased."
    ),
    nets=lambda plan: [each for own in groups(plan).values() for each in own],
    sizes={"images": (1000, 300)},
    compute=compute,
    figures=("f4",),
    draw=draw,
    claims=claims,
    table=table,
)
