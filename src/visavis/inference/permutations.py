"""Permutation tests: whether a value is above what the samples of one side in any order give.

Debiased CKA of Gram matrices is tested with whole cosets of cyclic shifts at a time: conjugated by
a random permutation, the n shifts are n permutations, and a Fourier transform gives the statistic
under all of them in O(n² log n). The union of cosets through the identity is a set for which the
test is exact (Hemerik & Goeman 2018, doi:10.1007/s11749-017-0571-1).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference import class_moments, moment_tests
from visavis.inference.orders import classes_of, orders
from visavis.inference.sides import Centred, host, kernels_of, measured
from visavis.measures import Measure, MeasureSpec
from visavis.results import TestResult

MINIMUM_ROWS = 5

Method = Literal["permutations", "moments", "auto"]


def permutation_test(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    n: int = 1000,
    method: Method = "permutations",
    within: Sequence[Any] | Array | None = None,
    series: bool = False,
    seed: int = 0,
) -> TestResult:
    """Test whether two representations are more alike than with the samples in any other order.

    Parameters
    ----------
    X : array, (samples, p)
    Y : array, (samples, q)
        The same samples.
    measure : str, function or Measure
        What to test. Debiased ``cka``, of any kernel, is far faster than any other.
    n : int
        How many permutations; debiased CKA looks at the next multiple of the number of samples.
    method : {"permutations", "moments", "auto"}
        ``"moments"``, of debiased CKA: no permutation is drawn. The exact first four moments over
        all of them choose a curve of Pearson's, whose tail is the p-value: approximate, the same
        every time, and as small as 1e-4. Where such a curve is not to be trusted ``"moments"`` is
        refused, and ``"auto"`` draws permutations and says why in ``TestResult.method``.
    within : sequence, length samples, optional
        Permute only samples of one class with each other: is there more in common than the classes?
    series : bool
        The samples are a stationary time series: shift it, all shifts at once, in place of
        permuting. Drifts and random walks are not stationary, and no shift makes them so.
    seed : int
        Draws the permutations.

    Returns
    -------
    TestResult
        One-sided: ``pvalue`` is the share of permutations, the identity included, with a value at
        least as large (as small, for a distance).

    Raises
    ------
    ValueError
        If there are fewer than 5 samples, or options that exclude each other.
    DegenerateInputError
        If there is no value to test.

    Notes
    -----
    Permutations are exact under exchangeability of the samples (within classes). Moments, with 20
    samples or more and a kurtosis within 1 of the gamma distribution's: the p-value is within 15 %
    at 0.01, 25 % at 0.001 and a factor of two at 1e-4, below which none is given; outliers and
    labels of rare classes are what is refused. *Cost* of debiased CKA: O(n² log n) for n
    permutations, or two products of n × n matrices for moments; of another measure: one measure for
    each permutation.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 10))
    >>> vv.inference.permutation_test(X, X + 2 * Y).pvalue
    0.001
    """
    where = "permutation_test"
    known = measured(where, measure)
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(checks.message(where, "n", "be a positive integer", repr(n)))
    if within is not None and series:
        raise ValueError(
            checks.message(where, "within` and `series", "be given one at a time", "both")
        )
    checks.option(where, "method", method, get_args(Method))
    debiased = _is_debiased(known)
    if method == "moments" and (not debiased or within is not None or series):
        expected = "be 'permutations' or 'auto' for another measure than debiased cka, and for "
        raise ValueError(
            checks.message(where, "method", expected + "permutations of a kind", "'moments'")
        )
    sign = -1.0 if known.direction == "distance" else 1.0
    if within is not None:
        drawn = within_classes(where, known, X, Y, within, n=n, seed=seed)
        return _result(drawn, sign=sign)
    X, Y = checks.pair(where, X, Y, minimum_rows=max(MINIMUM_ROWS, known.minimum_rows))
    random = np.random.default_rng(seed)
    if not debiased:
        each = orders(random, int(X.shape[0]), n, None, series=series)
        return _result(_one_by_one(known, X, Y, each, "permutations"), sign=sign)
    x, y = _centred(where, known, X, Y)
    unfit = ""
    if method != "permutations" and not series:
        found = moment_tests.outcome(x, y)
        if isinstance(found, TestResult):
            return found
        if method == "moments":
            expected, why = "be 'permutations' or 'auto' here", f"{found[0].upper()}{found[1:]}."
            raise ValueError(checks.message(where, "method", expected, "'moments'", why))
        unfit = f"; {found}"
    cosets = 1 if series else math.ceil(n / x.n)
    values = coset_values(x, y, cosets, random, series=series)
    if series:
        return _result(Drawn.of(values, "cyclic shifts"))
    return _result(Drawn(values, 0.0, math.sqrt(2 / (x.n * (x.n - 3))), f"permutations{unfit}"))


@dataclass(frozen=True)
class Drawn:
    """Values under permutations, the observed one first, with the mean and deviation of all."""

    values: np.ndarray
    mean: float
    deviation: float
    method: str

    @classmethod
    def of(cls, values: np.ndarray, method: str) -> "Drawn":
        """Return them with the mean and deviation of those that were drawn."""
        return cls(values, float(values.mean()), float(values.std()), method)


def within_classes(
    where: str,
    measure: Measure,
    X: Array,
    Y: Array,
    labels: Sequence[Any] | Array,
    *,
    n: int,
    seed: int,
    argument: str = "within",
) -> Drawn:
    """Return the values of a measure under permutations of the rows of Y inside of classes."""
    X, Y = checks.pair(where, X, Y, minimum_rows=max(MINIMUM_ROWS, measure.minimum_rows))
    rows = int(X.shape[0])
    classes = classes_of(where, labels, rows, argument)
    each = orders(np.random.default_rng(seed), rows, n, classes, series=False)
    method = "permutations within classes"
    if not _is_debiased(measure):
        return _one_by_one(measure, X, Y, each, method)
    x, y = _centred(where, measure, X, Y)
    A, B = host(x.matrix), host(y.matrix)
    scale = math.sqrt(x.square * y.square)
    values = np.array([float(np.vdot(A, B[np.ix_(order, order)])) for order in each]) / scale
    mean, deviation = class_moments.mean_and_deviation(A, B, classes)
    return Drawn(values, mean / scale, deviation / scale, method)


def _is_debiased(measure: Measure) -> bool:
    return measure.name == "cka" and measure.settings["estimator"] == "debiased"


def _centred(where: str, measure: Measure, X: Array, Y: Array) -> tuple[Centred, Centred]:
    kernels = kernels_of(where, measure)
    return (
        Centred.of(where, "X", X, kernels[0]),
        Centred.of(where, "Y", Y, kernels[1]),
    )


def coset_values(
    x: Centred, y: Centred, cosets: int, random: np.random.Generator, *, series: bool = False
) -> np.ndarray:
    """Return debiased CKA under cosets of n permutations each, the observed value first.

    Parameters
    ----------
    x, y : Centred
        Both sides.
    cosets : int
        How many.
    random : numpy Generator
        Draws them, independently of the data.
    series : bool
        One coset of plain shifts in the order of the rows.
    """
    n = x.n
    first = np.arange(n) if series else random.permutation(n)
    xp = array.namespace(x.matrix, y.matrix)
    left = xp.conj(xp.fft.rfft(diagonals(x.matrix, first), axis=0))
    # Every pair of rows is one cyclic distance apart, but that of n/2 is met from both ends.
    weights = np.full(n // 2, 2.0)
    if n % 2 == 0:
        weights[-1] = 1.0
    left = left * xp.asarray(weights[None, :], device=array.device(x.matrix), dtype=left.dtype)
    scale = math.sqrt(x.square * y.square)
    values = []
    for coset in range(cosets):
        order = first if coset == 0 else random.permutation(n)
        right = xp.fft.rfft(diagonals(y.matrix, order), axis=0)
        values.append(host(xp.fft.irfft(xp.sum(left * right, axis=1), n=n)))
    return np.concatenate(values) / scale


def diagonals(A: Array, order: np.ndarray) -> Array:
    """Return A[order_i, order_(i+d)] for d = 1 ... n // 2, shape (n, n // 2)."""
    xp = array.namespace(A)
    n = len(order)
    shifted = order[(np.arange(n)[:, None] + np.arange(1, n // 2 + 1)[None, :]) % n]
    places = (order[:, None] * n + shifted).reshape(-1)
    flat = xp.take(xp.reshape(A, (-1,)), xp.asarray(places, device=array.device(A)))
    return xp.reshape(flat, (n, n // 2))


def _one_by_one(
    measure: Measure, X: Array, Y: Array, each: Iterator[np.ndarray], method: str
) -> Drawn:
    xp = array.namespace(Y)
    take: Callable[[np.ndarray], Array] = lambda order: xp.take(  # noqa: E731
        Y, xp.asarray(order, device=array.device(Y)), axis=0
    )
    return Drawn.of(np.array([float(measure(X, take(order))) for order in each]), method)


def _result(drawn: Drawn, *, sign: float = 1.0) -> TestResult:
    """Return the outcome of a one-sided test."""
    values = drawn.values
    observed = sign * values[0]
    # Equal values must count as equal, whatever rounding made of them.
    slack = 1e-10 * float(np.abs(values).max())
    above = int(np.count_nonzero(sign * values >= observed - slack))
    pvalue = above / len(values)
    return TestResult(
        float(values[0]), pvalue, drawn.mean, drawn.deviation, len(values), drawn.method
    )
