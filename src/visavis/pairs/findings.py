"""What a table of values wants its reader to know."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from visavis._core import array
from visavis.measures import Measure
from visavis.pairs.table import Table
from visavis.results import Activations, Finding

# Below this many samples the value of unrelated layers strays from its mean by more than 0.03
# (the standard deviation of debiased CKA under permutation is √(2/(n(n − 3)))).
FEW_SAMPLES = 50
HIGH_CHANCE = 0.1


def of_samples(n: int, sides: Sequence[Activations]) -> list[Finding]:
    """Return what is to be said of the samples, whatever the measure."""
    found = []
    if n < FEW_SAMPLES:
        spread = (2 / (n * (n - 3))) ** 0.5
        found.append(
            Finding(
                "VV002",
                f"{n} samples: debiased CKA of unrelated layers strays by ±{spread:.2f}.",
                "Extract more samples; a few hundred steady most comparisons.",
                evidence={"n": n, "chance_standard_deviation": spread},
            )
        )
    repeats = max((_repeats(side) for side in sides), default=0)
    if repeats:
        found.append(
            Finding(
                "VV016",
                f"{repeats} of {n} samples repeat the input of another one.",
                "Drop the repeats: a copy adds weight to a sample, but no evidence.",
                evidence={"repeats": repeats},
            )
        )
    return found


def _repeats(side: Activations) -> int:
    if side.digests is None:
        return 0
    return side.n - len(Counter(side.digests))


def of_layers(names: Sequence[str], sides: Sequence[Activations]) -> list[Finding]:
    """Return what is to be said of the layers, whatever the measure."""
    found = []
    for side, name in {id(s): (s, n) for n, s in zip(names, sides, strict=True)}.values():
        found += [each for each in side.findings if each not in found]
        half = tuple(layer for layer, _, dtype in side.described() if dtype in array.HALF)
        if half and not any(each.code == "VV015" for each in side.findings):
            found.append(
                Finding(
                    "VV015",
                    f"{len(half)} of {len(side)} layers of {name} are in half precision; they are "
                    "compared in float32.",
                    severity="info",
                    layers=half,
                )
            )
    return found


def of_table(measure: Measure, table: Table, names: tuple[str, str] | None) -> list[Finding]:
    """Return what is to be said of the values of one measure.

    `names` is what the sides are called; None if the names of the layers say it.
    """
    return [
        *_degenerate(table, names),
        *_saturated(measure, table),
        *_high_chance(measure, table),
    ]


def _degenerate(table: Table, names: tuple[str, str] | None) -> Iterable[Finding]:
    for (side, layer), reason in sorted(table.degenerate.items(), key=lambda each: each[0][0]):
        yield Finding(
            "VV006",
            f"Layer {layer}{f' of {names[side]}' if names else ''} {reason}",
            severity="error",
            layers=(layer,),
        )


def _saturated(measure: Measure, table: Table) -> Iterable[Finding]:
    if table.saturated:
        layers = tuple(dict.fromkeys(layer for pair in table.saturated for layer in pair))
        yield Finding(
            "VV014",
            f"{measure.label}: {len(table.saturated)} of {table.values.size} pairs have as many "
            "dimensions as samples, where the measure takes the same value for any two layers "
            "(Kornblith et al. 2019, Theorem 1).",
            "Use cka, extract more samples, or set allow_saturated=True to see the values.",
            severity="error",
            layers=layers,
            evidence={"pairs": len(table.saturated)},
        )


def _high_chance(measure: Measure, table: Table) -> Iterable[Finding]:
    known = table.chance[np.isfinite(table.chance)]
    if measure.high != 1.0 or not known.size or known.max() <= HIGH_CHANCE:
        return
    debiased = "estimator" in measure.defaults
    yield Finding(
        "VV003",
        f"{measure.label}: layers that have nothing in common would score up to "
        f"{known.max():.2f} (median over pairs {np.median(known):.2f}).",
        "Use the debiased estimator, or read values against their chance level."
        if debiased
        else "Read values against their chance level, or use debiased cka.",
        evidence={"chance_max": float(known.max()), "chance_median": float(np.median(known))},
    )
