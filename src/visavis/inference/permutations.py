"""Permutation tests: whether a value is above what the samples of one side in any order give."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference import class_moments, cosets, moment_tests, shifts, turned_features
from visavis.inference.orders import Exchange, Labels
from visavis.inference.sides import Centred, host, measured
from visavis.measures import Measure, MeasureSpec
from visavis.measures.alignment import kernel_sides
from visavis.measures.measure import OUTPUTS, REPRESENTATIONS, ROWS
from visavis.results import TestResult

MINIMUM_ROWS = 5

Method = Literal["permutations", "moments", "auto"]
Shifts = Literal["cyclic", "linear"]


def permutation_test(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    n: int = 1000,
    method: Method = "permutations",
    within: Labels | None = None,
    groups: Labels | None = None,
    series: bool | Shifts = False,
    seed: int = 0,
) -> TestResult:
    """Test whether two representations are more alike than with the samples in any other order.

    Parameters
    ----------
    X : array, (samples, p)
    Y : array, (samples, q)
        The same samples.
    measure : str, function or Measure
        What to test. ``cka``, of any kernel and estimator, is far faster than any other.
    n : int
        How many permutations, at least: ``cka`` looks at the next multiple of the samples (of
        those in a class, of the groups).
    method : {"permutations", "moments", "auto"}
        ``"moments"``, of ``cka``: no permutation is drawn. The exact first four moments over
        all of them choose a curve of Pearson's, whose tail is the p-value: approximate, the same
        every time, and as small as 1e-4. Where such a curve is not to be trusted ``"moments"`` is
        refused, and ``"auto"`` draws permutations and says why in ``TestResult.method``.
    within : sequence, length samples, optional
        Permute only samples of one class with each other: is there more in common than the classes?
    groups : sequence, length samples, optional
        Which rows belong together and depend on each other: tokens, places, repeats. Whole groups
        change places, each with others of its size; rows keep their place within a group.
    series : bool or {"cyclic", "linear"}
        The samples are a time series: shift it in place of permuting it. ``"cyclic"`` (or True):
        all shifts at once, for stationary series. ``"linear"``: the middle four fifths of X beside
        windows of Y, which asks only that one of the two is stationary.
    seed : int
        Draws the permutations.

    Returns
    -------
    TestResult
        One-sided: ``pvalue`` is the share of permutations, the identity included, with a value at
        least as large (as small, for a distance). Of linear shifts by up to N samples it is the
        rank of the value among all 2N + 1, divided by N + 1.

    Raises
    ------
    ValueError
        If there are fewer than 5 samples, or options that exclude each other, or the order of
        the rows means nothing to the measure.
    DegenerateInputError
        If there is no value to test.

    Notes
    -----
    Permutations are exact under exchangeability of the samples (within classes; of groups). Cyclic
    shifts are exact if the series goes on at its start where it ends; a drift or a random walk is
    not stationary, and with them they find similarity that is none. Linear shifts are never too
    optimistic if one series is stationary (Harris 2020, arXiv:2012.06862), and need some 200
    samples for a p-value of 0.05.

    Moments, with 20 samples or more and a kurtosis within 1 of the gamma distribution's: the
    p-value is within 15 % at 0.01, 25 % at 0.001 and a factor of two at 1e-4, below which none is
    given; outliers and labels of rare classes are what is refused. Of biased cka, within 0.3 and
    without rows far larger than others: as accurate but at 1e-4, where it is up to 2.7 times too
    large.

    *Cost* of cka: O(n² log n) for n permutations, or O(npq log n) for narrow features and many
    samples, or two products of n × n matrices for moments; of another measure: one measure for
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
    checks.count(where, "n", n)
    checks.option(where, "method", method, get_args(Method))
    if not isinstance(series, bool):
        checks.option(where, "series", series, get_args(Shifts))
    given = [
        name
        for name, is_given in (
            ("within", within is not None),
            ("groups", groups is not None),
            ("series", series is not False),
        )
        if is_given
    ]
    kind = given[0] if given else "any"
    if len(given) > 1:
        raise ValueError(
            checks.message(where, "` and `".join(given), "be given one at a time", "both")
        )
    aligned = known.name == "cka"
    if method == "moments" and (not aligned or given):
        expected = "be 'permutations' or 'auto' for another measure than cka, and for "
        raise ValueError(
            checks.message(where, "method", expected + "permutations of a kind", "'moments'")
        )
    X, Y = checked(where, known, X, Y, within=within)
    rows = int(X.shape[0])
    sign = -1.0 if known.direction == "distance" else 1.0
    if series == "linear":
        return shifts.linear(where, known, X, Y, sign=sign)
    if within is not None:
        exchange = Exchange.within(where, within, rows)
    elif groups is not None:
        exchange = Exchange.of_groups(where, groups, rows)
    else:
        exchange = Exchange.of_rows(rows)
    unfit = ""
    if aligned and method != "permutations" and not given:
        found = moment_tests.outcome(where, known, X, Y)
        if isinstance(found, TestResult):
            return found
        if method == "moments":
            expected, why = "be 'permutations' or 'auto' here", f"{found[0].upper()}{found[1:]}."
            raise ValueError(checks.message(where, "method", expected, "'moments'", why))
        unfit = f"; {found}"
    random = None if series else np.random.default_rng(seed)
    drawn = permuted(where, known, X, Y, exchange, n=n, random=random)
    return replace(drawn, method=NAMES[kind] + unfit).result(sign=sign)


NAMES = {
    "any": "permutations",
    "within": "permutations within classes",
    "groups": "permutations of groups",
    "series": "cyclic shifts",
}


def checked(
    where: str, measure: Measure, X: Array, Y: Array, *, within: object
) -> tuple[Array, Array]:
    """Return checked arrays of a measure to which the order of the rows means something."""
    if measure.inputs not in (REPRESENTATIONS, OUTPUTS):
        raise ValueError(
            checks.message(
                where,
                "measure",
                "compare two representations, whose rows can be permuted",
                f"{measure.label}, which compares {measure.inputs}",
                "There is no such test of it.",
            )
        )
    if ROWS in measure.invariant_to:
        raise ValueError(
            checks.message(
                where,
                "measure",
                "ask which sample is which",
                f"{measure.label}, which is the same for any order of the rows",
                "Use subsample for an interval, or group_difference with several seeds.",
            )
        )
    conditions = [name for name in ("labels", "given") if name in measure.required]
    if conditions and within is None:
        raise ValueError(
            checks.message(
                where,
                "within",
                f"be given for {measure.name}: rows of Y in any order lose their {conditions[0]}",
                "None",
                "Permute within the classes that are held fixed: within=labels.",
            )
        )
    return checks.pair(where, X, Y, minimum_rows=max(MINIMUM_ROWS, measure.minimum_rows))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Values under permutations, the observed one first, with the mean and deviation of all.

    Parameters
    ----------
    values : ndarray
        The observed one, then those drawn.
    mean, deviation : float
        Over all permutations where there is a formula, else of the values.
    method : str
        What was permuted.
    """

    values: np.ndarray
    mean: float
    deviation: float
    method: str = ""

    @classmethod
    def of(cls, values: Iterable[float] | np.ndarray) -> "Drawn":
        """Return them with the mean and deviation of those that were drawn."""
        values = np.asarray(values if isinstance(values, np.ndarray) else list(values))
        return cls(values, float(values.mean()), float(values.std()))

    def result(self, *, sign: float = 1.0) -> TestResult:
        """Return the outcome of a one-sided test."""
        values = self.values
        observed = sign * values[0]
        # Equal values must count as equal, whatever rounding made of them.
        slack = 1e-10 * float(np.abs(values).max())
        above = int(np.count_nonzero(sign * values >= observed - slack))
        return TestResult(
            float(values[0]),
            above / len(values),
            self.mean,
            self.deviation,
            len(values),
            self.method,
        )


def permuted(
    where: str,
    measure: Measure,
    X: Array,
    Y: Array,
    exchange: Exchange,
    *,
    n: int,
    random: np.random.Generator | None,
) -> Drawn:
    """Return the values of a measure with the rows of Y in other orders.

    Parameters
    ----------
    where : str
        Who asks.
    measure : Measure
        What to compute.
    X, Y : arrays
        Checked.
    exchange : Exchange
        Which rows may change places.
    n : int
        How many orders, at least.
    random : numpy Generator or None
        Draws them. None: all cyclic shifts of the rows, and no more.
    """
    if measure.name != "cka":
        rows = exchange.n
        plain = np.arange(rows)
        if random is None:
            each = (np.roll(plain, -shift) for shift in range(rows))
        else:
            each = exchange.orders(random, n)
        return Drawn.of(float(measure(X, taken(Y, order))) for order in each)
    estimator = measure.settings["estimator"]
    kernels = kernel_sides(where, measure.settings["kernel"])
    orders = cosets.drawn_orders(exchange, n, random)
    known = random is not None and all(rows.shape[1] == 1 for rows in exchange.strata)
    if turned_features.cheaper(X, Y, kernels, exchange):
        values, mean, deviation = turned_features.values(where, X, Y, estimator, exchange, orders)
        every = known and exchange.whole
        return Drawn(values, mean, deviation) if every else Drawn.of(values)
    x, y = (
        Centred.of(where, name, each, kernel, estimator=estimator)
        for name, each, kernel in (("X", X, kernels[0]), ("Y", Y, kernels[1]))
    )
    values = cosets.values([x], [y], exchange, orders)[:, 0, 0]
    if not known:
        return Drawn.of(values)
    scale = math.sqrt(x.square * y.square)
    classes = [rows[:, 0] for rows in exchange.strata]
    mean, deviation = class_moments.mean_and_deviation(host(x.matrix), host(y.matrix), classes)
    return Drawn(values, mean / scale, deviation / scale)


def taken(Y: Array, rows: np.ndarray) -> Array:
    """Return rows of an array."""
    xp = array.namespace(Y)
    return xp.take(Y, xp.asarray(rows, device=array.device(Y)), axis=0)


def within_classes(
    where: str,
    measure: Measure,
    X: Array,
    Y: Array,
    labels: Labels,
    *,
    n: int,
    seed: int,
    argument: str = "within",
) -> Drawn:
    """Return the values of a measure under permutations of the rows of Y inside of classes."""
    X, Y = checked(where, measure, X, Y, within=labels)
    exchange = Exchange.within(where, labels, int(X.shape[0]), argument)
    random = np.random.default_rng(seed)
    drawn = permuted(where, measure, X, Y, exchange, n=n, random=random)
    return replace(drawn, method=NAMES["within"])
