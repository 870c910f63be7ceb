"""The test of debiased CKA by the moments of its null distribution, and where it may be used."""

import math

from visavis import linalg
from visavis.inference import moments, pearson
from visavis.inference.sides import Centred
from visavis.results import TestResult

# With fewer samples the tail of all permutations has steps that no curve follows: of 8 to 15 the
# p-value of 0.01 was off by up to a quarter.
MINIMUM_ROWS = 20


def outcome(x: Centred, y: Centred) -> TestResult | str:
    """Return the outcome, or say why a curve of few moments is not to be trusted here.

    The p-value is that of a gamma distribution if that has the right kurtosis as well, else of
    Pearson's curve of four moments, and never below 1e-4: smaller ones have not been checked.
    """
    if x.n < MINIMUM_ROWS:
        return f"{x.n} samples are too few for a curve of moments"
    found = moments.of_pair(moments.Invariants.of(x), moments.Invariants.of(y))
    if abs(found.misfit) > pearson.LIMIT:
        return f"its kurtosis is {found.misfit:+.3g} off that of a gamma distribution"
    value = cka(x, y)
    z = value / found.deviation
    if abs(found.misfit) <= pearson.CLOSE:
        pvalue, method = pearson.three(z, found.skewness), "three moments (gamma)"
    else:
        pvalue = pearson.four(z, found.skewness, found.kurtosis)
        method = "four moments (Pearson)"
    if pvalue < pearson.SMALLEST:
        pvalue, method = pearson.SMALLEST, f"{method}; at most"
    return TestResult(value, pvalue, 0.0, found.deviation, 0, method)


def cka(x: Centred, y: Centred) -> float:
    """Return debiased CKA."""
    return float(linalg.inner(x.matrix, y.matrix)) / math.sqrt(x.square) / math.sqrt(y.square)
