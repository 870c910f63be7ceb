"""Fig. 3: when a plain network gets too deep, do many of its layers become one?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import visavis as vv
from reproduction import curves, data
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab
from reproduction.recipes import Plan, Recipe
from visavis.benchmark.grounding import probe_accuracy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALIKE = 0.95
BLOCK = 0.25


def nets(plan: Plan) -> list[Recipe]:
    return plan.depths


def compute(lab: Lab) -> dict[str, Any]:
    named = {f"depth ×{each.options['depth']}": each for each in lab.plan.depths}
    n = lab.sizes["images"]
    labels = data.load("fashion").labels[:n]
    result: dict[str, Any] = {"accuracy": lab.accuracy(named), "cka": {}, "probes": {}}
    for name, recipe in named.items():
        acts = lab.layers({name: recipe}, n)[name]
        found = vv.compare(acts, names=(name, name), level=None, progress=False)
        result["cka"][name] = slim(found.to_dict())
        result["probes"][name] = [
            probe_accuracy(np.asarray(X).reshape(n, -1), labels) for X in acts.values()
        ]
    return result


def tables(result: Mapping[str, Any]) -> dict[str, vv.Comparison]:
    """Return the comparisons again."""
    return {name: vv.Comparison.from_dict(each) for name, each in result["cka"].items()}


def block(values: np.ndarray, alike: float = ALIKE) -> tuple[int, int]:
    """Return the longest run of layers of which every two are alike, as first and after last."""
    best = (0, 1)
    for start in range(len(values)):
        for stop in range(start + 1, len(values) + 1):
            if values[start:stop, start:stop].min() < alike:
                break
            if stop - start > best[1] - best[0]:
                best = (start, stop)
    return best


def table(result: Mapping[str, Any]) -> list[Sequence[str]]:
    out: list[Sequence[str]] = [
        ("net", "layers", "held-out accuracy, %", f"longest block (CKA > {ALIKE})", "of the depth")
    ]
    for name, each in tables(result).items():
        start, stop = block(each.values)
        layers = len(each.rows)
        found = f"{each.rows[start]} … {each.rows[stop - 1]} ({stop - start} layers)"
        accuracy = f"{100 * result['accuracy'][name]:.1f}"
        out.append((name, str(layers), accuracy, found, f"{100 * (stop - start) / layers:.0f} %"))
    return out


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    found = tables(result)
    heat = vv.plot.grid(list(found.values()), titles=list(found), annotate=False)
    made, (ax,) = curves.figure()
    probes = {
        name: {"x": np.linspace(0, 1, len(each)).tolist(), "y": [100 * one for one in each]}
        for name, each in result["probes"].items()
    }
    curves.draw(ax, probes, xlabel="depth of the layer, relative", ylabel="ridge probe, %")
    return {"fig3": heat, "fig3-probes": made}


def claims(result: Mapping[str, Any]) -> list[Claim]:
    found = tables(result)
    shares, spreads = {}, {}
    for name, each in found.items():
        start, stop = block(each.values)
        shares[name] = (stop - start) / len(each.rows)
        inside = result["probes"][name][start:stop]
        spreads[name] = 100 * (max(inside) - min(inside))
    first, *_, last = found
    accuracy = {name: 100 * each for name, each in result["accuracy"].items()}
    why = (
        "Our deepest net is half as deep as the paper's, six times narrower, and trained for a few "
        "epochs on easier images."
    )
    return [
        Claim(
            "The deepest plain nets have a large block of layers that are almost the same.",
            f"The longest block is {100 * shares[first]:.0f} % of the layers at {first} and "
            f"{100 * shares[last]:.0f} % at {last}.",
            shares[last] >= BLOCK and shares[last] > shares[first],
            why,
        ),
        Claim(
            "Probes agree: within the block accuracy does not change.",
            f"In the block of {last} probes spread over {spreads[last]:.1f} points, over all its "
            f"layers over {100 * np.ptp(result['probes'][last]):.1f}.",
            spreads[last] < 100 * np.ptp(result["probes"][last]) / 2,
            "A block of few layers says little about this.",
        ),
        Claim(
            "Beyond some depth accuracy falls (94.1, 95.0, 93.2, 91.9 % at ×1, 2, 4, 8).",
            ", ".join(f"{each:.1f} % at {name.split()[-1]}" for name, each in accuracy.items())
            + ".",
            accuracy[last] < max(accuracy.values()),
            why,
        ),
    ]


EXPERIMENT = Experiment(
    name="fig3",
    title="Fig. 3: depth",
    about=(
        "Plain nets of growing depth, every layer against every other of the same net by debiased "
        "CKA, on training images. Beside it ridge regression of the classes on each layer, "
        "cross-validated over the same images (`visavis.benchmark.grounding.probe_accuracy`)."
    ),
    nets=nets,
    sizes={"images": (1000, 200)},
    compute=compute,
    figures=("fig3", "fig3-probes"),
    draw=draw,
    claims=claims,
    table=table,
)
