"""How often 95 % intervals hold the value of the population."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from bench.calibration import populations
from bench.calibration.populations import SIGNALS, SPECTRA, TAILS
from bench.calibration.study import Counts, Study

import visavis as vv

# Wide matrices of many samples are dear: fewer repetitions of these.
REPETITIONS = {30: 1000, 100: 1000, 300: 400, 1000: 50}
BLOCK_REPETITIONS = {6: 1000, 20: 1000, 60: 400, 200: 100}
BLOCK_SIZES = {"equal": (5,) * 10, "unequal": (1, 1, 2, 2, 3, 4, 5, 7, 10, 15)}


def studies() -> Iterator[Study]:
    """Yield the simulations, the quick ones first."""
    yield from factors()
    for n in REPETITIONS:
        yield from rows(n)
        if n == 100:
            yield from hard()
    yield from blocks()


def counts(interval: vv.inference.Interval, truth: float) -> Counts:
    """Return what is counted of one interval."""
    held = interval.low <= truth <= interval.high
    told = any(each.code == "VV005" for each in interval.findings)
    return {
        "held": held,
        "above": interval.low > truth,
        "told": told,
        "held_untold": held and not told,
        "width": interval.high - interval.low,
    }


def rows(n: int) -> Iterator[Study]:
    """Yield the grid of the jackknife over rows."""
    for ratio in (0.1, 1, 10):
        for spectrum in SPECTRA:
            yield _rows(n, ratio, spectrum)


def _rows(n: int, ratio: float, spectrum: str) -> Study:
    p = round(ratio * n)
    name = f"interval; n={n}; p/n={ratio}; spectrum={spectrum}"

    def cell(signal: str, tails: str) -> str:
        return f"{name}; signal={signal}; tails={tails}"

    def run(random: np.random.Generator) -> dict[str, Counts]:
        grams = populations.Grams(random, n, p, spectrum)
        found = {}
        for signal, truth in SIGNALS.items():
            for tails in TAILS:
                K, L = grams.sample(truth, tails)
                interval = vv.inference.jackknife(K, L, measure="cka(kernel=precomputed)")
                found[cell(signal, tails)] = counts(interval, truth)
        return found

    facts = {cell(s, t): {"truth": truth} for s, truth in SIGNALS.items() for t in TAILS}
    return Study(name, REPETITIONS[n], run, facts)


def hard() -> Iterator[Study]:
    """Yield populations for which INFERENCE says that no such interval is right."""
    draws: dict[str, tuple[Any, float]] = {
        "5 % of the rows carry all": (populations.few_rows, populations.FEW_ROWS)
    }
    draws |= {
        f"{p} lognormal feature{'s' * (p > 1)}": (
            lambda random, n, p=p: populations.skewed(random, n, p),
            0.9,
        )
        for p in (1, 3)
    }
    for n in (30, 60, 200):
        for kind, (draw, truth) in draws.items():
            name = f"hard; n={n}; kind={kind}"
            yield Study(name, 1000, _hard(name, draw, n, truth), {name: {"truth": round(truth, 6)}})


def _hard(name: str, draw: Any, n: int, truth: float) -> Any:
    def run(random: np.random.Generator) -> dict[str, Counts]:
        return {name: counts(vv.inference.jackknife(*draw(random, n)), truth)}

    return run


def blocks() -> Iterator[Study]:
    """Yield the grid of the jackknife over groups of rows that depend on each other."""
    for groups, repetitions in BLOCK_REPETITIONS.items():
        for ratio in (0.1, 1, 10):
            if groups == 200 and ratio >= 1:
                continue  # a quarter of a minute for each repetition
            for kind in BLOCK_SIZES:
                dear = groups == 60 and ratio >= 1
                yield _blocks(groups, ratio, kind, 100 if dear else repetitions)


def _blocks(groups: int, ratio: float, kind: str, repetitions: int) -> Study:
    pattern = np.resize(BLOCK_SIZES[kind], groups)
    labels = np.repeat(np.arange(groups), pattern)
    p = max(1, round(ratio * len(labels)))
    name = f"blocks; groups={groups}; sizes={kind}; p/n={ratio}"

    def run(random: np.random.Generator) -> dict[str, Counts]:
        x, e = (populations.grouped(random, labels, p, 0.5) for _ in "xe")
        found = {}
        for signal, truth in SIGNALS.items():
            y = truth**0.5 * x + (1 - truth) ** 0.5 * e
            over_rows = vv.inference.jackknife(x, y)
            held = over_rows.low <= truth <= over_rows.high
            interval = vv.inference.jackknife(*_narrow(x, y), groups=labels)
            cell = f"{name}; signal={signal}"
            found[cell] = {**counts(interval, truth), "held_by_rows": held}
        return found

    facts = {f"{name}; signal={s}": {"truth": truth} for s, truth in SIGNALS.items()}
    return Study(name, repetitions, run, facts)


def _narrow(*sides: np.ndarray) -> list[np.ndarray]:
    """Return matrices of at most n columns with the same Gram matrices, all that CKA asks for."""
    n = len(sides[0])
    return [side if side.shape[1] <= n else np.linalg.qr(side.T, mode="r").T for side in sides]


def factors() -> Iterator[Study]:
    """Yield the grid of the jackknife over samples and seeds."""
    for design in ("a model", "pairs", "all pairs"):
        for kind in ("none", "alike", "unlike"):
            seeds = populations.Seeds(kind)
            truth, error = seeds.truth(design)
            for count in (3, 6, 12):
                for n in (30, 100):
                    name = f"two factors; design={design}; seeds={count}; n={n}; kind={kind}"
                    facts = {name: {"truth": round(truth, 6), "truth_error": round(error, 6)}}
                    yield Study(name, 600, _factor(name, seeds, design, count, n, truth), facts)


def _factor(
    name: str, seeds: populations.Seeds, design: str, count: int, n: int, truth: float
) -> Any:
    def run(random: np.random.Generator) -> dict[str, Counts]:
        interval = vv.inference.two_factor(*seeds.sample(random, n, count, design))
        return {name: counts(interval, truth)}

    return run
