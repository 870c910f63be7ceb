"""Table 2 and Fig. 2: does a measure find the same layer in a net from another seed?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import visavis as vv
from reproduction import curves
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab, rows, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = vv.benchmark.MEASURES
PAPER = vv.benchmark.PAPER_TABLE_2
# Those that Theorem 1 is about cost n³ for each pair of layers, and cannot have as many images.
SATURATED = {name: spec for name, spec in MEASURES.items() if "allow_saturated" in spec}
OTHERS = {name: spec for name, spec in MEASURES.items() if name not in SATURATED}
WHILE_TRAINING = (
    "CKA (linear)",
    "CKA (RBF 0.4)",
    "Linear regression",
    "Linear HSIC",
    "SVCCA (R²)",
    "CCA (R²)",
)


def correspondence(
    acts: Mapping[str, Any], measures: Mapping[str, str]
) -> vv.benchmark.LayerCorrespondence:
    """Return how often each measure finds corresponding layers."""
    return vv.benchmark.layer_correspondence(acts, measures=measures, memory="2GB", progress=False)


def together(
    *found: vv.benchmark.LayerCorrespondence, order: Sequence[str]
) -> vv.benchmark.LayerCorrespondence:
    """Return one table of measures that had other numbers of images."""
    parts = {name: each for one in found for name, each in one.found.items()}
    scores = {name: each for one in found for name, each in one.scores.items()}
    return vv.benchmark.LayerCorrespondence(
        {name: parts[name] for name in order}, {name: scores[name] for name in order}, {}
    )


def compute(lab: Lab) -> dict[str, Any]:
    nets, sizes = seeds(lab.plan.table2), lab.sizes
    acts = lab.layers(nets, max(sizes["images"]))
    images: dict[str, dict[int, Any]] = {name: {} for name in MEASURES}
    last = {}
    for n in sizes["images"]:
        for measures, most in ((SATURATED, sizes["saturated"]), (OTHERS, max(sizes["images"]))):
            if n <= most:
                found = correspondence(rows(acts, n), measures)
                _add(images, n, found)
                last[n == most, measures is OTHERS] = found
    del acts
    epochs: dict[str, dict[int, Any]] = {name: {} for name in WHILE_TRAINING}
    some = dict(list(nets.items())[: sizes["nets while training"]])
    for epoch in range(lab.plan.table2[0].epochs + 1):
        found = correspondence(
            lab.layers(some, sizes["saturated"], epoch=epoch),
            {name: MEASURES[name] for name in WHILE_TRAINING},
        )
        _add(epochs, epoch, found)
    whole = together(last[True, False], last[True, True], order=list(MEASURES))
    return {
        "found": slim(whole.to_dict()),
        "by images": images,
        "by epochs": epochs,
        "accuracy": lab.accuracy(nets),
    }


def _add(into: dict[str, dict[int, Any]], at: int, found: vv.benchmark.LayerCorrespondence) -> None:
    for name, each in found.items():
        into[name][at] = [each.accuracy, each.standard_error or 0.0]


def whole(result: Mapping[str, Any]) -> vv.benchmark.LayerCorrespondence:
    """Return the table again."""
    return vv.benchmark.LayerCorrespondence.from_dict(result["found"])


def lines(by: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, curves.Line]:
    """Return accuracy curves of measures."""
    return {
        name: {
            "x": [int(at) for at in each],
            "y": [value for value, _ in each.values()],
            "error": [error for _, error in each.values()],
        }
        for name, each in by.items()
    }


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    found = whole(result)
    heat = vv.plot.grid(
        list(found.scores.values()), titles=list(found), annotate=False, columns=4, size=2.6
    )
    taken = found.plot()
    made, (left, right) = curves.figure(2)
    level = (found.chance, "chance")
    drawn = {"ylabel": "layers found, %", "ylim": (0, 103)}
    by_images = lines(result["by images"])
    curves.draw(left, by_images, xlabel="images", xscale="log", level=level, **drawn)
    by_epochs = lines(result["by epochs"])
    curves.draw(right, by_epochs, xlabel="epochs of training", level=level, **drawn)
    return {"fig2": heat, "table2-confusions": taken, "table2-curves": made}


def table(result: Mapping[str, Any]) -> list[Sequence[str]]:
    out: list[Sequence[str]] = [("measure", "paper, %", "here, %", "s.e.", "images")]
    for name, each in whole(result).items():
        paper = f"{PAPER[name]:.1f}" if name in PAPER else "–"
        error = "–" if each.standard_error is None else f"{each.standard_error:.1f}"
        n = whole(result).scores[name].n
        out.append((name, paper, f"{each.accuracy:.1f}", error, str(n)))
    return out


def claims(result: Mapping[str, Any]) -> list[Claim]:
    found = whole(result)
    ours = {name: each.accuracy for name, each in found.items()}
    cka, chance = ours["CKA (linear)"], found.chance
    rest = {name: ours[name] for name in PAPER if "CKA" not in name}
    second = max(rest, key=lambda name: rest[name])
    ccas = [ours[name] for name in SATURATED if name != "Linear regression"]
    narrow, wide = ours["CKA (RBF 0.2)"], ours["CKA (RBF 0.8)"]
    n = found.scores["CCA (R²)"].n
    return [
        Claim(
            "Linear CKA finds 99.3 % of the layers.",
            f"It finds {cka:.1f} %.",
            cka >= 95,
            "The layers it confuses are neighbours (see the confusions). Our nets saw fewer "
            "images for fewer epochs, and accuracy still grows with training (see the curves).",
        ),
        Claim(
            "No measure but CKA comes near; linear regression is next with 45.4 %.",
            f"The next is {second} with {rest[second]:.1f} %.",
            second == "Linear regression" and rest[second] < cka - 10,
            "Linear regression needs more images than features to be more than a constant, and we "
            f"have {n}.",
        ),
        Claim(
            "CCA, SVCCA and PWCCA are near chance: 1.4 to 15.1 %.",
            f"They find {min(ccas):.1f} to {max(ccas):.1f} %, where chance is {chance:.1f} %.",
            max(ccas) < 25,
            "SVCCA keeps few directions of few images, which leaves it more than in the paper.",
        ),
        Claim(
            "An RBF kernel of bandwidth 0.8 does as well as linear CKA, 0.2 does worse.",
            f"0.8 finds {wide:.1f} %, 0.2 finds {narrow:.1f} %.",
            wide > narrow and abs(wide - cka) < 5,
        ),
        Claim(
            "Linear HSIC, CKA without its normalisation, is far behind: 22.2 %.",
            f"It finds {ours['Linear HSIC']:.1f} %.",
            ours["Linear HSIC"] < 40,
        ),
    ]


EXPERIMENT = Experiment(
    name="table2",
    title="Table 2 and Fig. 2: layer correspondence",
    about=(
        "Tiny-10 from several seeds, all measures of the paper, training images, maps flattened. "
        "The heatmaps are means over all ordered pairs of nets. Measures that are invariant to "
        "invertible linear maps cost the cube of the number of images for each pair of layers and "
        "get fewer of them; all conv layers have more features than that, where Theorem 1 holds."
    ),
    nets=lambda plan: plan.table2,
    sizes={
        "images": ([50, 100, 200, 500, 1000, 2000], [30, 100]),
        "saturated": (500, 100),
        "nets while training": (4, 3),
    },
    compute=compute,
    figures=("fig2", "table2-curves", "table2-confusions"),
    draw=draw,
    claims=claims,
    table=table,
)
