"""F.1: layer correspondence of Transformer encoders."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import visavis as vv
from reproduction import table2
from reproduction.experiment import Claim, Experiment, slim
from reproduction.lab import Lab, seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def compute(lab: Lab) -> dict[str, Any]:
    nets = seeds(lab.plan.encoders)
    acts = lab.layers(nets, lab.sizes["images"], pool="positions", every=lab.sizes["every"])
    short = {
        net: {name.removeprefix("sublayers."): X for name, X in own.items()}
        for net, own in acts.items()
    }
    found = table2.correspondence(short, table2.MEASURES)
    return {"found": slim(found.to_dict()), "accuracy": lab.accuracy(nets)}


def draw(result: Mapping[str, Any]) -> "dict[str, Figure]":
    found = table2.whole(result)
    heat = vv.plot.grid(
        list(found.scores.values()), titles=list(found), annotate=False, columns=4, size=2.6
    )
    return {"f1": heat}


def table(result: Mapping[str, Any]) -> list[Sequence[str]]:
    out: list[Sequence[str]] = [("measure", "here, %", "s.e.", "rows")]
    found = table2.whole(result)
    for name, each in found.items():
        error = "–" if each.standard_error is None else f"{each.standard_error:.1f}"
        out.append((name, f"{each.accuracy:.1f}", error, str(found.scores[name].n)))
    return out


def claims(result: Mapping[str, Any]) -> list[Claim]:
    found = table2.whole(result)
    ours = {name: each.accuracy for name, each in found.items() if name in table2.PAPER}
    low, high = (pick(ours, key=lambda name: ours[name]) for pick in (min, max))
    ccas = {name: each for name, each in ours.items() if "CCA" in name}
    return [
        Claim(
            "All measures find most of the twelve sublayers: 74 to 98 %.",
            f"{ours[low]:.0f} % ({low}) to {ours[high]:.0f} % ({high}), where chance is "
            f"{found.chance:.0f} %.",
            ours[low] > 60,
            "Our encoders read 28 rows of an image, are narrow, and trained for minutes.",
        ),
        Claim(
            "Where there are many more rows than features, CCA and its kin find layers as well.",
            f"They find {min(ccas.values()):.0f} to {max(ccas.values()):.0f} % here, of 64 "
            f"features on {found.n} rows.",
            min(ccas.values()) > 3 * found.chance,
        ),
    ]


EXPERIMENT = Experiment(
    name="f1",
    title="F.1: Transformer encoders",
    about=(
        "Encoders of six blocks, which makes twelve sublayers, read an image as a sequence of its "
        "28 rows. Rows of a representation are tokens, some of each training image; the stream "
        "after each sublayer is a layer. The paper's encoders translate."
    ),
    nets=lambda plan: plan.encoders,
    sizes={"images": (200, 20), "every": (2, 2)},
    compute=compute,
    figures=("f1",),
    draw=draw,
    claims=claims,
    table=table,
)
