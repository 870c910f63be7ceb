"""Whether measures that weigh different things tell the same of two representations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from visavis._core import array
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.case import Case
from visavis.inference.principal import Principal
from visavis.inference.row_sums import taken
from visavis.measures import cka, mutual_knn
from visavis.results import Finding

# All of them on this many rows at most, and neighbourhoods of so many of them.
ROWS, NEIGHBOURS = 500, 10
# Random orders of the rows behind the chance level of a measure without a formula for it.
DRAWS = 3
# Isotropic noise takes far more from neighbourhoods than from CKA, and never less: from 0.96 to
# about 0.7 of the way from chance to 1, from 0.8 to 0.3, from 0.5 to 0.1. These are out of its way.
ALIKE, APART, FARTHER, BURES = 0.9, 0.25, 0.3, 0.4


@dataclass(frozen=True)
class Told:
    """How far three measures are on their way from chance (0) to identity (1)."""

    cka: float
    nbs: float
    knn: float

    @property
    def sentence(self) -> str | None:
        """What there is to say; None if they agree as far as they can."""
        if self.cka > ALIKE and self.knn < APART:
            return (
                "the large distances agree, the neighbourhoods do not: a few directions that are "
                "much larger than the rest can do this."
            )
        if self.knn - self.cka > FARTHER:
            return (
                "the neighbourhoods agree, CKA does not see it: a few rows or directions that are "
                "much larger than the rest on one side can do this."
            )
        if abs(self.nbs - self.cka) > BURES:
            return (
                "CKA weighs directions by the square of their variance, the Bures similarity by "
                "the variance, which "
                + (
                    "brings out small directions that they share, and counts single samples that "
                    "are far out in both."
                    if self.nbs > self.cka
                    else "brings out small directions that they do not share."
                )
            )
        return None


def disagreement(case: Case, *, seed: int) -> Iterator[Finding]:
    """Yield VV017: CKA, the normalised Bures similarity and mutual kNN fall apart."""
    if case.n < NEIGHBOURS + 2:
        return
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(case.n)[:ROWS])
    try:
        told = compared(taken(case.X, rows), taken(case.Y, rows), random)
    except DegenerateInputError:
        return  # rows that leave one of them without an answer; the others are no news
    if told.sentence is None:
        return
    yield case.finding(
        "VV017",
        f"on the way from chance (0) to identity (1), debiased CKA is at {told.cka:.2f}, the "
        f"Bures similarity at {told.nbs:.2f} and mutual kNN at {told.knn:.2f}: {told.sentence}",
        "None of them is wrong; they answer different questions. Say which one yours is, and look "
        "at the findings about rows and directions.",
        severity="info",
        evidence={"cka": told.cka, "nbs": told.nbs, "mutual_knn": told.knn, "rows": len(rows)},
    )


def compared(X: Array, Y: Array, random: np.random.Generator) -> Told:
    """Return the three measures, each from its chance level to 1."""
    X, Y = array.widen(X), array.widen(Y)
    n = int(X.shape[0])
    scores = [_scores(name, each) for name, each in (("X", X), ("Y", Y))]
    bures = _bures(*scores)
    orders = (random.permutation(n) for _ in range(DRAWS))
    chance = float(np.mean([_bures(scores[0], scores[1][order]) for order in orders]))
    level = NEIGHBOURS / (n - 1)
    shared = float(mutual_knn(X, Y, k=NEIGHBOURS, metric="euclidean"))
    return Told(
        float(cka(X, Y)),
        # Of one direction each, all orders may be as alike as they can be.
        (bures - chance) / (1 - chance) if chance < 1 else 1.0,
        (shared - level) / (1 - level),
    )


def _scores(name: str, X: Array) -> np.ndarray:
    """Return the samples on the principal directions, at norm 1, so that wide layers are narrow."""
    held = Principal.of("diagnose", name, X)
    return array.to_numpy(held.left) * np.sqrt(held.values / held.trace)


def _bures(x: np.ndarray, y: np.ndarray) -> float:
    """Return the normalised Bures similarity of centred samples at norm 1: the nuclear norm."""
    return float(np.linalg.svd(x.T @ y, compute_uv=False).sum())
