"""Permutation tests: whether a value is above what the samples of one side in any order give.

Debiased CKA of Gram matrices is tested with whole cosets of cyclic shifts at a time: conjugated by
a random permutation, the n shifts are n permutations, and a Fourier transform gives the statistic
under all of them in O(n² log n). The union of cosets through the identity is a set for which the
test is exact (Hemerik & Goeman 2018, doi:10.1007/s11749-017-0571-1).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference.sides import Centred, host, kernels_of, measured
from visavis.measures import Measure, MeasureSpec
from visavis.results import TestResult

MINIMUM_ROWS = 5


def permutation_test(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    n: int = 1000,
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
    Exact under exchangeability of the samples (within classes). *Cost* of debiased CKA: O(n² log n)
    for n permutations; of another measure: one measure each.

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
    X, Y = checks.pair(where, X, Y, minimum_rows=max(MINIMUM_ROWS, known.minimum_rows))
    random = np.random.default_rng(seed)
    classes = None if within is None else _classes(where, within, int(X.shape[0]))
    debiased = known.name == "cka" and known.settings["estimator"] == "debiased"
    if not debiased:
        return _drawn(known, X, Y, _orders(random, int(X.shape[0]), n, classes, series=series))
    kernels = kernels_of(where, known)
    x, y = (
        Centred.of(where, name, each, kernel)
        for name, each, kernel in (("X", X, kernels[0]), ("Y", Y, kernels[1]))
    )
    if classes is not None:
        return _restricted(x, y, _orders(random, x.n, n, classes, series=False))
    cosets = 1 if series else math.ceil(n / x.n)
    values = coset_values(x, y, cosets, random, series=series)
    mean, deviation = 0.0, math.sqrt(2 / (x.n * (x.n - 3)))
    if series:
        mean, deviation = float(values.mean()), float(values.std())
    return _result(values, "cyclic shifts" if series else "permutations", mean, deviation)


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


def _restricted(x: Centred, y: Centred, orders: Iterator[np.ndarray]) -> TestResult:
    """Return the test over given orders of the rows of one side, one by one."""
    A, B = host(x.matrix), host(y.matrix)
    scale = math.sqrt(x.square * y.square)
    values = [float(np.vdot(A, B[np.ix_(order, order)])) / scale for order in orders]
    drawn = np.array(values)
    return _result(drawn, "permutations within classes", float(drawn.mean()), float(drawn.std()))


def _drawn(measure: Measure, X: Array, Y: Array, orders: Iterator[np.ndarray]) -> TestResult:
    xp = array.namespace(Y)
    take: Callable[[np.ndarray], Array] = lambda order: xp.take(  # noqa: E731
        Y, xp.asarray(order, device=array.device(Y)), axis=0
    )
    values = np.array([float(measure(X, take(order))) for order in orders])
    sign = -1.0 if measure.direction == "distance" else 1.0
    return _result(values, "permutations", float(values.mean()), float(values.std()), sign=sign)


def _result(
    values: np.ndarray, method: str, mean: float, deviation: float, *, sign: float = 1.0
) -> TestResult:
    """Return the outcome from values of which the first was observed."""
    observed = sign * values[0]
    # Equal values must count as equal, whatever rounding made of them.
    slack = 1e-10 * float(np.abs(values).max())
    above = int(np.count_nonzero(sign * values >= observed - slack))
    return TestResult(
        float(values[0]), above / len(values), mean, deviation, len(values), f"{method}"
    )


def _orders(
    random: np.random.Generator,
    rows: int,
    n: int,
    classes: list[np.ndarray] | None,
    *,
    series: bool,
) -> Iterator[np.ndarray]:
    """Yield orders of the rows, the identity first: n, or with `series` one for each shift."""
    plain = np.arange(rows)
    if series:
        yield from (np.roll(plain, -shift) for shift in range(rows))
        return
    yield plain
    for _ in range(n - 1):
        if classes is None:
            yield random.permutation(rows)
        else:
            order = plain.copy()
            for members in classes:
                order[members] = random.permutation(members)
            yield order


def _classes(where: str, within: Sequence[Any] | Array, rows: int) -> list[np.ndarray]:
    listed = array.to_numpy(within).tolist() if array.is_array(within) else list(within)
    if len(listed) != rows:
        expected = f"have one entry per row ({rows})"
        raise ValueError(checks.message(where, "within", expected, f"{len(listed)}"))
    found: dict[Any, list[int]] = {}
    for row, label in enumerate(listed):
        found.setdefault(label, []).append(row)
    if all(len(members) == 1 for members in found.values()):
        expected = "put at least two samples into one class"
        raise ValueError(checks.message(where, "within", expected, "every sample alone"))
    return [np.array(members) for members in found.values()]
