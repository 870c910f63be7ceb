"""Offsets, drifts and scales that a one-shot answer survives must not spoil a stream."""

import numpy as np
import pytest
from tests.data_makers import random_rotation, related
from tests.measures.records import allowing, oracle, over
from tests.oracles import exact
from tests.stats.streams import STREAMED, every_streamed, lagged, settling_every, stream, streamed

import visavis as vv
from visavis.measures.measure import SCALING

ROWS = 60
SCALE_FREE = [each for each in STREAMED if SCALING in each.invariant_to]
# Single rows that settle at once, batches that do or wait for others, and all rows together.
every_way = pytest.mark.parametrize(("size", "waiting"), [(1, 1), (7, 1), (7, 16), (ROWS, 512)])


def check(measure, X, Y, size, waiting, *, rel):
    measure = allowing(measure)
    with settling_every(waiting):
        value = float(streamed(measure, stream(X, Y, size)))
    assert value == pytest.approx(oracle(measure, X, Y), rel=rel, abs=rel)


@every_way
@pytest.mark.parametrize(("dtype", "rel"), [(np.float32, 1e-6), (np.float64, 1e-10)])
@every_streamed
def test_offset(measure, dtype, rel, size, waiting):
    X, Y = related(n=ROWS, p=4, q=3)
    check(measure, (X + 1e4).astype(dtype), (Y - 1e4).astype(dtype), size, waiting, rel=rel)


@every_way
@pytest.mark.parametrize(("dtype", "rel"), [(np.float32, 1e-6), (np.float64, 1e-6)])
@pytest.mark.parametrize("by", [10.0, 1e3])
@every_streamed
def test_drift(measure, by, dtype, rel, size, waiting):
    # The means of the batches differ, so that no one shift suits all. Singular values of the sums
    # are roots: a drift of 1e3 standard deviations squared takes six of sixteen digits.
    X, Y = related(n=ROWS, p=4, q=3)
    X, Y = lagged(X, by, 10).astype(dtype), lagged(Y, by, 15).astype(dtype)
    check(measure, X, Y, size, waiting, rel=rel)


OF_INVERSES = [each for each in STREAMED if each.name in {"cca", "pwcca", "linear_regression"}]
both_ways = pytest.mark.parametrize("waiting", [1, 512])
# Narrow batches may be cheap enough to be added up in float64; those of layers are not narrow.
every_width = pytest.mark.parametrize("width", [8, 80])


@both_ways
@every_width
@pytest.mark.parametrize("smallest", [1e-1, 1e-2, 1e-3])
@over(OF_INVERSES)
def test_directions_of_little_variance(measure, smallest, width, waiting):
    # As layers have them. float32 tells values of 1e-3 of the largest apart to four digits, and
    # sums of float32 products would not.
    random = np.random.default_rng(0)
    scales = np.logspace(0, np.log10(smallest), width)
    X, Y = (
        (each * scales @ random_rotation(width, random)).astype(np.float32)
        for each in related(n=600, p=width, q=width)
    )
    with settling_every(waiting):
        value = float(streamed(measure, stream(X, Y, 64)))
    assert value == pytest.approx(float(measure(X, Y)), rel=1e-6)


@both_ways
@every_width
@over(OF_INVERSES)
def test_directions_that_are_rounding_error(measure, width, waiting):
    # Three directions in many features: the others are what float32 rounded, and no rank.
    random = np.random.default_rng(0)
    X, Y = (
        (each @ random.standard_normal((3, width))).astype(np.float32)
        for each in related(n=600, p=3, q=3)
    )
    with settling_every(waiting):
        value = float(streamed(measure, stream(X, Y, 64)))
    assert 0 <= value <= 1
    assert value == pytest.approx(float(measure(X, Y)), rel=1e-6)


@every_way
@pytest.mark.parametrize(
    ("dtype", "x", "y", "rel"),
    [
        (np.float64, 1e150, 1e150, 1e-10),
        (np.float64, 1e-150, 1e-150, 1e-10),
        (np.float64, 1e150, 1e-150, 1e-10),
        (np.float32, 1e25, 1e25, 1e-6),
        (np.float32, 1e-25, 1e25, 1e-6),
    ],
)
@over(SCALE_FREE)
def test_scale(measure, dtype, x, y, rel, size, waiting):
    X, Y = related(n=ROWS, p=4, q=3)
    check(measure, (x * X).astype(dtype), (y * Y).astype(dtype), size, waiting, rel=rel)


def zeros_first(X):
    X[:10] = 0


def zeros_last(X):
    X[-10:] = 0


def constant_first(X):
    X[:20] = X[0]


def growing(X):
    X *= 10.0 ** np.repeat(np.linspace(-100, 100, 6), 10)[:, None]


def shrinking(X):
    X *= 10.0 ** np.repeat(np.linspace(100, -100, 6), 10)[:, None]


def far_apart(X):
    X[:30] += 1e10
    X[30:] -= 1e10


@every_way
@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("change", [zeros_first, zeros_last, constant_first])
@over(SCALE_FREE)
def test_batches_without_scale(measure, change, scale, size, waiting):
    X, Y = related(n=ROWS, p=4, q=3)
    change(X)
    check(measure, scale * X, scale * Y, size, waiting, rel=1e-10)


@every_way
@pytest.mark.parametrize("change", [growing, shrinking, far_apart])
@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_batches_of_other_scale(change, estimator, size, waiting):
    # What unit the first batch had must not decide what the next can hold.
    X, Y = related(n=ROWS, p=4, q=3)
    change(X)
    with settling_every(waiting):
        value = stream(X, Y, size).cka(estimator=estimator)
    assert float(value) == pytest.approx(exact.cka(X, Y, estimator=estimator), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scales", [(1e-100, 1e100), (1e100, 1e-100)])
def test_scales_about_one_mean(scales):
    # No distance between the means says that the second batch is of another size.
    X, Y = related(n=10, p=4, q=3)
    X, Y = np.vstack([X, -X]), np.vstack([Y, -Y])
    first, second = ((scale * X, scale * Y) for scale in scales)
    value = vv.Moments.empty().update(*first).merge(vv.Moments.empty().update(*second)).cka()
    together = (np.vstack(sides) for sides in zip(first, second, strict=True))
    assert float(value) == pytest.approx(exact.cka(*together), rel=1e-9)


@every_way
@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-9), (np.float32, 1e-6)])
@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_first_row_far_away(estimator, dtype, rel, size, waiting):
    X, Y = related(n=ROWS, p=4, q=3)
    X[0] *= 1e3
    Y[0] *= 1e3
    X, Y = X.astype(dtype), Y.astype(dtype)
    with settling_every(waiting):
        value = stream(X, Y, size).cka(estimator=estimator)
    assert float(value) == pytest.approx(exact.cka(X, Y, estimator=estimator), rel=rel, abs=rel)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize(
    ("dtype", "scale", "rel"),
    [(np.float64, 1e-75, 1e-10), (np.float64, 1e75, 1e-10), (np.float32, 1e8, 1e-5)],
)
def test_hsic_that_can_be_held(dtype, scale, rel, estimator):
    X, Y = ((scale * each).astype(dtype) for each in related(n=20, p=4, q=3))
    value = stream(X, Y, 7).hsic(estimator=estimator)
    assert float(value) == pytest.approx(exact.hsic(X, Y, estimator=estimator), rel=rel)


@pytest.mark.parametrize(
    ("dtype", "scale", "match"),
    [
        (np.float64, 1e80, "^Moments.hsic: .*float64.*escale"),
        (np.float32, 1e12, "^Moments.hsic: .*float32.*escale"),
        (np.float64, 1e-90, "^Moments.hsic: .*too small for float64.*escale"),
        (np.float32, 1e-14, "^Moments.hsic: .*too small for float32.*escale"),
    ],
)
def test_hsic_that_cannot_be_held(dtype, scale, match):
    X, Y = ((scale * each).astype(dtype) for each in related(n=20, p=4, q=3))
    with pytest.raises(vv.DegenerateInputError, match=match):
        stream(X, Y, 7).hsic()


def test_alike_but_for_a_rotation():
    # The streamed distance has the root of the rounding error, as its docstring says; no more.
    X, _ = related(n=ROWS, p=4, q=3)
    state = stream(X, 3 * X @ random_rotation(4, np.random.default_rng(0)) + 5, 7)
    assert float(state.procrustes()) < 1e-7
    assert float(state.cka()) == pytest.approx(1.0, rel=1e-12)


def test_products_of_the_input_are_enough_for_alignment():
    X, Y = (each.astype("float32") for each in related(n=5000, p=50, q=40))
    state = stream(X, Y, 512, start=vv.Moments.empty(products="input"))
    for measure in (vv.cka, vv.hsic, vv.procrustes):
        value = getattr(state, measure.__name__)()
        assert value.dtype == np.float32
        assert float(value) == pytest.approx(float(measure(*map(np.float64, (X, Y)))), rel=2e-6)


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca", "linear_regression", "canonical_ridge"])
def test_products_of_the_input_are_refused_where_they_are_not_enough(name):
    X, Y = related(n=60, p=4, q=3)
    start = vv.Moments.empty(products="input")
    rough = start.update(X.astype("float32"), Y.astype("float32"))
    match = f'^Moments.{name}: `products` must be "float64".*got "input" with float32 batches.'
    with pytest.raises(ValueError, match=match):
        getattr(rough, name)()
    with pytest.raises(ValueError, match=match):
        getattr(rough.merge(vv.Moments.empty().update(X, Y)), name)()
    # The products of float64 are float64 either way.
    assert float(getattr(start.update(X, Y), name)()) == pytest.approx(
        float(getattr(vv, name)(X, Y)), rel=1e-10
    )


def test_products_of_an_unknown_precision():
    with pytest.raises(ValueError, match=r"^Moments.empty: `products` must be one of 'float64'"):
        vv.Moments.empty(products="float16")
