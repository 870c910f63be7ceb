"""The test of CKA by the moments of its null distribution, and where it may be used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core.types import Array
from visavis.inference import moments, pearson
from visavis.inference.sides import Centred, host
from visavis.measures import Measure
from visavis.measures.alignment import kernel_sides
from visavis.results import TestResult
from visavis.stats import gram_moments

# With fewer samples the tail of all permutations has steps that no curve follows: of 8 to 15 the
# p-value of 0.01 was off by up to a quarter.
MINIMUM_ROWS = 20
# Of biased CKA less may be off: its diagonals are a statistic of their own, whose tail an outlier
# decides while the moments of the whole look like those of a curve by accident.
LIMIT_BIASED, LIMIT_DIAGONAL = 0.3, 10.0


@dataclass(frozen=True)
class Null:
    """The distribution of CKA of a pair over all permutations.

    Parameters
    ----------
    mean : float
        Its mean.
    about : moments.Moments
        The moments about it.
    limit : float
        The misfit up to which a curve of these moments was found to be right.
    diagonal : float
        The larger kurtosis of the diagonals, where these count.
    """

    mean: float
    about: moments.Moments
    limit: float
    diagonal: float = 0.0

    def unfit(self) -> str:
        """Return why a curve of few moments is not to be trusted here, or nothing."""
        if abs(self.about.misfit) > self.limit:
            return f"its kurtosis is {self.about.misfit:+.3g} off that of a gamma distribution"
        if self.diagonal > LIMIT_DIAGONAL:
            return f"few rows are far larger than others (their kurtosis is {self.diagonal:.3g})"
        return ""

    def test(self, value: float) -> TestResult:
        """Return the outcome for a value.

        The p-value is that of a gamma distribution if that has the right kurtosis as well, else of
        Pearson's curve of four moments, and never below 1e-4: smaller ones have not been checked.
        """
        found = self.about
        z = (value - self.mean) / found.deviation
        if abs(found.misfit) <= min(pearson.CLOSE, self.limit):
            pvalue, method = pearson.three(z, found.skewness), "three moments (gamma)"
        else:
            pvalue = pearson.four(z, found.skewness, found.kurtosis)
            method = "four moments (Pearson)"
        if pvalue < pearson.SMALLEST:
            pvalue, method = pearson.SMALLEST, f"{method}; at most"
        return TestResult(value, pvalue, self.mean, found.deviation, 0, method)


def outcome(where: str, measure: Measure, X: Array, Y: Array) -> TestResult | str:
    """Return the outcome of the test of CKA, or say why there is none by moments."""
    kernels = kernel_sides(where, measure.settings["kernel"])
    estimator = measure.settings["estimator"]
    x, y = (
        Centred.of(where, name, each, kernel, estimator=estimator)
        for name, each, kernel in (("X", X, kernels[0]), ("Y", Y, kernels[1]))
    )
    if x.n < MINIMUM_ROWS:
        return few(x.n)
    null = of_pair(Invariants.of(x), Invariants.of(y))
    return null.unfit() or null.test(cka(x, y))


def few(n: int) -> str:
    """Return why so few samples have no test by moments."""
    return f"{n} samples are too few for a curve of moments"


@dataclass(frozen=True)
class Invariants:
    """What the null distribution needs of one representation.

    Parameters
    ----------
    debiased : moments.Invariants, optional
        For the debiased estimator.
    biased : gram_moments.Invariants, optional
        For the biased one.
    """

    debiased: moments.Invariants | None
    biased: gram_moments.Invariants | None

    @classmethod
    def of(cls, x: Centred) -> "Invariants":
        """Return those of a representation: one product of n × n matrices."""
        if x.diagonal:
            return cls(None, gram_moments.Invariants.of(host(x.matrix) / math.sqrt(x.square)))
        return cls(moments.Invariants.of(x), None)


def of_pair(x: Invariants, y: Invariants) -> Null:
    """Return the null distribution of a pair."""
    if x.debiased is not None and y.debiased is not None:
        return Null(0.0, moments.of_pair(x.debiased, y.debiased), pearson.LIMIT)
    assert x.biased is not None and y.biased is not None  # noqa: S101, PT018
    mean, second, third, fourth = gram_moments.central(x.biased, y.biased)
    about = moments.Moments(math.sqrt(second), third / second**1.5, fourth / second**2)
    return Null(mean, about, LIMIT_BIASED, max(_kurtosis(x.biased), _kurtosis(y.biased)))


def _kurtosis(x: gram_moments.Invariants) -> float:
    """Return that of the diagonal; its mean is zero."""
    squares, fourths = x.sums[0][0], x.sums[2][3]
    return float(x.n * fourths / squares**2) if squares > 0 else 0.0


def cka(x: Centred, y: Centred) -> float:
    """Return CKA."""
    return float(linalg.inner(x.matrix, y.matrix)) / math.sqrt(x.square) / math.sqrt(y.square)


def nulls(xs: Sequence[Centred], ys: Sequence[Centred]) -> list[list[Null]]:
    """Return the null distributions of all pairs: what is dear is done once for each layer."""
    left, right = ([Invariants.of(each) for each in side] for side in (xs, ys))
    return [[of_pair(x, y) for y in right] for x in left]


def table(xs: Sequence[Centred], ys: Sequence[Centred]) -> np.ndarray:
    """Return CKA of all pairs."""
    return np.array([[cka(x, y) for y in ys] for x in xs])
