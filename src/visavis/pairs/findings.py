"""What a table of values wants its reader to know."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from visavis._core import array
from visavis.measures import Measure
from visavis.pairs.table import Table
from visavis.results import Activations, Finding
from visavis.stats import jackknife

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


def of_groups(sides: Sequence[Activations]) -> list[Finding]:
    """Return that rows come in groups, if no side says so already."""
    if any(each.code == "VV008" for side in sides for each in side.findings):
        return []
    counts = [len(set(side.groups)) for side in sides if side.groups is not None]
    n = sides[0].n
    if not counts or min(counts) == n:
        return []
    return [
        Finding(
            "VV008",
            f"{n} rows come in {min(counts)} groups: the values report what rows of one group "
            "have in common as similarity, and no interval or z is given.",
            "visavis.inference.jackknife(X, Y, groups=...) estimates over pairs of groups.",
            evidence={"rows": n, "groups": min(counts)},
        )
    ]


def of_table(
    measure: Measure,
    table: Table,
    names: tuple[str, str] | None,
    layers: tuple[Sequence[str], Sequence[str]] = ((), ()),
    n: int = 0,
) -> list[Finding]:
    """Return what is to be said of the values of one measure.

    `names` is what the sides are called; None if the names of the layers say it. `layers` are those
    of both sides and `n` the number of samples, where there are intervals.
    """
    return [
        *_degenerate(table, names),
        *_saturated(measure, table),
        *_high_chance(measure, table),
        *_short_intervals(measure, table, layers, n),
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


def _short_intervals(
    measure: Measure, table: Table, layers: tuple[Sequence[str], Sequence[str]], n: int
) -> Iterable[Finding]:
    # Of few samples VV002 tells already.
    if np.isnan(table.freedom).all() or n < FEW_SAMPLES:
        return
    lost = np.isfinite(table.values) & np.isnan(table.low)
    if lost.any():
        yield Finding(
            "VV005",
            f"{measure.label}: {lost.sum()} of {lost.size} pairs have no interval, because without "
            "one of the samples a layer has nothing to align.",
            "Look at the samples of these layers: one of them holds all that varies.",
            layers=_involved(lost, layers),
            evidence={"pairs": int(lost.sum())},
        )
    few = jackknife.few_rows(table.values, table.freedom)
    if few.any():
        fewest = np.where(few, table.freedom, np.inf)
        i, j = divmod(int(fewest.argmin()), few.shape[1])
        yield Finding(
            "VV005",
            f"{measure.label}: the intervals of {few.sum()} of {few.size} pairs rest on few rows "
            f"and may be too short; that of {layers[0][i]} and {layers[1][j]} has "
            f"{fewest.min():.1f} degrees of freedom.",
            "visavis.inference.diagnose(X, Y) says which rows these are.",
            layers=_involved(few, layers),
            evidence={"pairs": int(few.sum()), "degrees_of_freedom": float(fewest.min())},
        )


def _involved(chosen: np.ndarray, layers: tuple[Sequence[str], Sequence[str]]) -> tuple[str, ...]:
    """Return the layers of the chosen pairs."""
    rows, cols = (np.flatnonzero(chosen.any(axis=axis)).tolist() for axis in (1, 0))
    return tuple(dict.fromkeys([*(layers[0][i] for i in rows), *(layers[1][j] for j in cols)]))
