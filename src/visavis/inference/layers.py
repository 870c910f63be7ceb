"""Tests of all layers of two models at once, with the same permutations for all of them.

The maximum over layers that are searched is compared with the same maximum under each permutation,
so that the best of many layers is no finding by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference import cosets, moment_tests
from visavis.inference.discoveries import Dependence, false_discovery
from visavis.inference.orders import Exchange, Labels
from visavis.inference.permutations import MINIMUM_ROWS, NAMES, Method
from visavis.inference.sides import Centred, kernels_of, measured
from visavis.kernels import Kernel
from visavis.measures import MeasureSpec


@dataclass(frozen=True)
class LayerTests:
    """What tests of all pairs of layers gave.

    Parameters
    ----------
    rows, cols : tuple of str
        The layers of both sides.
    values : ndarray, (rows, cols)
        Debiased CKA.
    pvalues : ndarray, (rows, cols)
        Of each pair for itself.
    adjusted : ndarray, (rows, cols)
        Of each pair as one of all of them: the chance that any pair without similarity falls below
        it is its value (step-down maximum of Westfall & Young; of moments, Holm's).
    best : ndarray, (rows,)
        Of the best match of each row: how often the best of all columns is as high by chance.
    draws : int
        How many permutations were looked at; 0 if it was a formula.
    method : str
        Which test.
    """

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    values: np.ndarray
    pvalues: np.ndarray
    adjusted: np.ndarray
    best: np.ndarray
    draws: int
    method: str

    def qvalues(self, *, dependence: Dependence = "positive") -> np.ndarray:
        """Return the false discovery rate at which each pair is a discovery; `false_discovery`."""
        return false_discovery(self.pvalues, dependence=dependence)


def layer_tests(
    a: Mapping[str, Array],
    b: Mapping[str, Array],
    /,
    *,
    measure: MeasureSpec = "cka",
    n: int = 1000,
    method: Method = "permutations",
    within: Labels | None = None,
    groups: Labels | None = None,
    seed: int = 0,
) -> LayerTests:
    """Test all layers of one model against all layers of another.

    Parameters
    ----------
    a, b : mapping of str to array (samples, features)
        Layers on the same samples, such as `visavis.Activations` of flat layers.
    measure : str, function or Measure
        Debiased ``cka``, with any kernel.
    n : int
        How many permutations, rounded up to a multiple of the number of samples (of those in a
        class, of the groups).
    method : {"permutations", "moments", "auto"}
        ``"moments"``: nothing is drawn, and the p-value of each pair is that of
        ``permutation_test(method="moments")``. Without a distribution of the maximum, `adjusted` is
        Holm's and `best` Bonferroni's, somewhat larger. ``"auto"`` draws permutations, and says why
        in ``LayerTests.method``, if there is a pair of which no curve is to be trusted.
    within, groups : sequence, length samples, optional
        As in `permutation_test`: permute only within classes, or whole groups of rows.
    seed : int
        Draws the permutations.

    Returns
    -------
    LayerTests

    Raises
    ------
    ValueError
        If samples differ, there are fewer than 5, or a pair has no test by moments.
    DegenerateInputError
        If a layer has nothing to align; leave it out.

    Notes
    -----
    *Cost*: a Fourier transform of n²/2 numbers per layer, and n² multiplications per pair, for n
    permutations; for moments a product of n × n matrices per layer. In the precision of the layers.
    *Memory*: n² numbers per layer.
    """
    where = "layer_tests"
    kernels = kernels_of(where, measured(where, measure))
    checks.count(where, "n", n)
    checks.option(where, "method", method, get_args(Method))
    if within is not None and groups is not None:
        raise ValueError(
            checks.message(where, "within` and `groups", "be given one at a time", "both")
        )
    kind = "within" if within is not None else "groups" if groups is not None else "any"
    if method == "moments" and kind != "any":
        expected = "be 'permutations' or 'auto' for permutations of a kind"
        raise ValueError(checks.message(where, "method", expected, "'moments'"))
    x, y = (_side(where, layers, kernel) for layers, kernel in zip((a, b), kernels, strict=True))
    xs, ys = list(x.values()), list(y.values())
    rows = xs[0].n
    checks.rows(where, rows, ys[0].n, minimum_rows=MINIMUM_ROWS)
    unfit = ""
    if method != "permutations" and kind == "any":
        found = _by_moments(x, y)
        if isinstance(found, LayerTests):
            return found
        if method == "moments":
            expected = "be 'permutations' or 'auto' here"
            raise ValueError(
                checks.message(
                    where, "method", expected, "'moments'", f"{found[0].upper()}{found[1:]}."
                )
            )
        unfit = f"; {found}"
    if within is not None:
        exchange = Exchange.within(where, within, rows)
    elif groups is not None:
        exchange = Exchange.of_groups(where, groups, rows)
    else:
        exchange = Exchange.of_rows(rows)
    orders = cosets.drawn_orders(exchange, n, np.random.default_rng(seed))
    drawn = cosets.values(xs, ys, exchange, orders)
    # Equal values must count as equal, whatever rounding made of them.
    slack = 1e-10 * float(np.abs(drawn).max())
    if any(array.itemsize(each.matrix) < 8 for each in (*xs, *ys)):
        slack = 1e-5 * float(drawn.std())
    observed = drawn[0]
    above = drawn >= observed - slack
    best = drawn.max(axis=2) >= observed.max(axis=1) - slack
    return LayerTests(
        tuple(x),
        tuple(y),
        observed,
        above.mean(axis=0),
        _stepped(drawn, slack),
        best.mean(axis=0),
        len(drawn),
        NAMES[kind] + unfit,
    )


def _side(where: str, layers: Mapping[str, Array], kernel: Kernel) -> dict[str, Centred]:
    checked = {name: checks.representation(where, name, layers[name]) for name in layers}
    first = next(iter(checked.values()))
    for X in checked.values():
        checks.companions(where, first, X, "layers")
        checks.rows(where, int(first.shape[0]), int(X.shape[0]), minimum_rows=MINIMUM_ROWS)
    return {name: Centred.of(where, name, X, kernel, wide=False) for name, X in checked.items()}


def _by_moments(x: Mapping[str, Centred], y: Mapping[str, Centred]) -> LayerTests | str:
    """Return the tests by moments, or which pair has none, and why."""
    xs, ys = list(x.values()), list(y.values())
    if xs[0].n < moment_tests.MINIMUM_ROWS:
        return moment_tests.few(xs[0].n)
    values = moment_tests.table(xs, ys)
    nulls = moment_tests.nulls(xs, ys)
    for row, line in zip(x, nulls, strict=True):
        for col, null in zip(y, line, strict=True):
            if null.unfit():
                return f"of {row} and {col} {null.unfit()}"
    pvalues = np.array(
        [
            [null.test(value).pvalue for null, value in zip(line, found, strict=True)]
            for line, found in zip(nulls, values, strict=True)
        ]
    )
    best = np.minimum(1.0, len(y) * pvalues.min(axis=1))
    return LayerTests(
        tuple(x), tuple(y), values, pvalues, holm(pvalues), best, 0, "moments of each pair"
    )


def holm(pvalues: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number, whatever they have to do with each other.

    Holm (1979): the smallest of m times m, the next times m − 1, and so on, each no smaller than
    those before.
    """
    flat = pvalues.reshape(-1)
    order = np.argsort(flat, kind="stable")
    grown = np.maximum.accumulate(flat[order] * np.arange(len(flat), 0, -1))
    adjusted = np.empty_like(flat)
    adjusted[order] = np.minimum(1.0, grown)
    return adjusted.reshape(pvalues.shape)


def _stepped(drawn: np.ndarray, slack: float) -> np.ndarray:
    """Return step-down adjusted p-values: each pair against the maximum of those not above it."""
    flat = drawn.reshape(len(drawn), -1)
    order = np.argsort(flat[0])  # from the smallest upward
    running = np.maximum.accumulate(flat[:, order], axis=1)
    share = (running >= flat[0, order] - slack).mean(axis=0)
    # A larger value never has a larger p-value than a smaller one.
    adjusted = np.empty(flat.shape[1])
    adjusted[order] = np.maximum.accumulate(share[::-1])[::-1]
    return adjusted.reshape(drawn.shape[1:])
