"""Intervals: the published recipe, its parts recomputed one by one, and how often it is right."""

import numpy as np
import pytest
import torch
from scipy import stats
from tests.data_makers import related
from tests.oracles import exact
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import block_sums, jackknife, leave_one_out, sides, subsample

LINEAR = vv.kernels.linear()


def fixture():
    random = np.random.RandomState(1337)
    X = random.randn(100, 10)
    return X, random.randn(100, 10) + X


def test_published_interval():
    interval = jackknife(*fixture())
    assert interval.value == pytest.approx(0.5134564895, abs=1e-9)
    assert (interval.low, interval.high) == pytest.approx((0.4618964247, 0.5620898881), abs=1e-9)
    assert interval.evidence["half_chance"] == pytest.approx(0.0504253378, abs=1e-9)
    assert interval.evidence["degrees_of_freedom"] == pytest.approx(68.9515012741, abs=1e-8)


def test_published_interval_over_groups():
    interval = jackknife(*fixture(), groups=np.repeat(np.arange(20), 5))
    assert interval.value == pytest.approx(0.515254931, abs=1e-9)
    assert (interval.low, interval.high) == pytest.approx((0.4649557389, 0.5627383855), abs=1e-9)
    assert interval.n == 20


@pytest.mark.parametrize("shape", [{"n": 12, "p": 3, "q": 2}, {"n": 9, "p": 20, "q": 15}])
def test_standard_error_is_that_of_the_values_without_each_row(shape):
    X, Y = related(**shape)
    values = oracle.without_each(X, Y)
    n = len(X)
    error = np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
    interval = jackknife(X, Y)
    assert interval.standard_error == pytest.approx(error, rel=1e-9)
    assert interval.value == pytest.approx(oracle.dcka(X, Y), rel=1e-9)


def centred(X):
    return sides.Centred.of("test", "X", X, LINEAR)


@pytest.mark.parametrize("shape", [{"n": 8, "p": 3, "q": 2}, {"n": 9, "p": 20, "q": 15}])
def test_hsic_without_each_row_and_each_two(shape):
    X, Y = related(**shape)
    n = len(X)
    ones = [
        exact.hsic(np.delete(X, i, 0), np.delete(Y, i, 0), estimator="debiased") for i in range(n)
    ]
    x, y = centred(X), centred(Y)
    unit = leave_one_out.deleted(x, y).value / exact.hsic(X, Y, estimator="debiased")
    np.testing.assert_allclose(leave_one_out.deleted(x, y).without / unit, ones, rtol=1e-9)
    with np.errstate(invalid="ignore"):  # the diagonal means nothing
        twos = leave_one_out.pairs_deleted(x, y) / np.sqrt(
            leave_one_out.pairs_deleted(x, x) * leave_one_out.pairs_deleted(y, y)
        )
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose(twos[off], oracle.without_pairs(X, Y)[off], rtol=1e-8)


SIZES = {"equal": [2] * 5, "unequal": [1, 3, 2, 1, 4], "single rows": [1] * 7}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_estimate_over_groups(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    X, Y = related(n=len(labels), p=2, q=3)
    X, Y = X - X.mean(0), Y - Y.mean(0)
    held = block_sums.Grouped(X, Y, labels)
    assert held.value == pytest.approx(oracle.over_groups(X, Y, labels), rel=1e-9)
    # Wherever the origin is.
    assert held.value == pytest.approx(oracle.over_groups(X + 3, Y - 2, labels), rel=1e-9)


def test_groups_of_one_row_are_rows():
    X, Y = fixture()
    groups = jackknife(X, Y, groups=range(100))
    assert groups.value == pytest.approx(jackknife(X, Y).value, rel=1e-9)
    assert groups.standard_error == pytest.approx(jackknife(X, Y).standard_error, rel=1e-9)


def test_one_large_group_among_rows_does_not_mislead():
    # One group of 40 of 70 rows: where only pairs count alike the value averages 0.2.
    random = np.random.default_rng(0)
    labels = np.concatenate([np.zeros(40, int), np.arange(1, 31)])
    values = [
        jackknife(
            *(
                random.normal(size=(31, 20))[labels] + random.normal(size=(70, 20)) + 1.0
                for _ in "xy"
            ),
            groups=labels,
        ).value
        for _ in range(100)
    ]
    assert abs(np.mean(values)) < 5 * np.std(values) / 10 + 0.01


@pytest.mark.parametrize("sizes", [[2] * 6, [1, 3, 2, 1, 4, 2]])
def test_estimate_over_groups_without_each(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    X, Y = related(n=len(labels), p=2, q=3)
    X, Y = X - X.mean(0), Y - Y.mean(0)
    kept = [labels != g for g in range(len(sizes))]
    expected = [oracle.over_groups(X[rows], Y[rows], labels[rows]) for rows in kept]
    np.testing.assert_allclose(block_sums.Grouped(X, Y, labels).without, expected, rtol=1e-9)


def test_groups_in_any_order_of_the_rows():
    X, Y = fixture()
    labels = np.array([f"text {k // 5}" for k in range(100)])
    order = np.random.default_rng(0).permutation(100)
    first = jackknife(X, Y, groups=labels)
    second = jackknife(X[order], Y[order], groups=labels[order].tolist())
    assert (first.low, first.high) == pytest.approx((second.low, second.high), rel=1e-9)


def test_dependent_rows_are_no_similarity():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(40), 5)
    X, Y = (random.normal(size=(40, 200))[labels] + random.normal(size=(200, 200)) for _ in "xy")
    assert float(vv.cka(X, Y)) > 0.3  # what the rows alone would have said
    interval = jackknife(X, Y, groups=labels)
    assert abs(interval.value) < 0.1
    assert interval.low <= 0 <= interval.high


@pytest.mark.parametrize("signal", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("p", [4, 60])
def test_coverage(signal, p):
    # A short form of bench/calibration.py: 95 % intervals, 200 data sets, the bound at 5 standard
    # errors below 93 %.
    random = np.random.default_rng(1)
    maps = random.normal(size=(2, 3, p))
    shared = random.normal(size=(40_000, 3))
    big = [signal * shared @ each + random.normal(size=(40_000, p)) for each in maps]
    truth = float(vv.cka(*big))
    held = 0
    for _ in range(200):
        z = random.normal(size=(60, 3))
        X, Y = (signal * z @ each + random.normal(size=(60, p)) for each in maps)
        interval = jackknife(X, Y)
        held += interval.low <= truth <= interval.high
    assert held / 200 >= 0.93 - 5 * np.sqrt(0.93 * 0.07 / 200)


def test_identical_sides():
    X, _ = fixture()
    interval = jackknife(X, 2 * X + 1)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_level_widens():
    X, Y = fixture()
    narrow, wide = jackknife(X, Y, level=0.5), jackknife(X, Y, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    reach = stats.t.ppf(0.995, wide.evidence["degrees_of_freedom"])
    assert reach > 2.5


def test_few_rows_that_carry_all_are_named():
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(2, 60, 5))
    X[7], Y[7] = 60.0, 60.0
    interval = jackknife(X, Y)
    [finding] = interval.findings
    assert (finding.code, finding.evidence["row"]) == ("VV005", 7)


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "cosine"])
def test_any_kernel(kernel):
    X, Y = related(n=14, p=3, q=2)
    measure = f"cka(kernel={kernel})"
    interval = jackknife(X, Y, measure=measure)
    assert interval.value == pytest.approx(float(vv.cka(X, Y, kernel=kernel)), rel=1e-9)
    assert interval.low < interval.value < interval.high


def test_torch():
    X, Y = fixture()
    here, there = jackknife(X, Y), jackknife(torch.tensor(X), torch.tensor(Y))
    assert (here.low, here.high) == pytest.approx((there.low, there.high), rel=1e-10)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"level": 1.0}, "`level` must lie between 0 and 1, got 1.0"),
        ({"measure": "cka(estimator=biased)"}, "must be debiased cka, .* got cka.estimator=biased"),
        ({"measure": "procrustes"}, "must be debiased cka"),
        ({"measure": "cka(kernel=rbf)", "groups": [0] * 100}, "the linear kernel where there are"),
        ({"groups": [0, 1]}, r"one entry per row \(100\), got 2"),
        ({"groups": [k // 50 for k in range(100)]}, "`groups` must be at least 6"),
    ],
)
def test_refusals(options, match):
    with pytest.raises(ValueError, match=match):
        jackknife(*fixture(), **options)


def test_dead_side():
    X, _ = fixture()
    with pytest.raises(vv.DegenerateInputError, match="jackknife: `Y` must vary over the samples"):
        jackknife(X, np.ones((100, 3)))


def test_one_hot_side():
    with pytest.raises(vv.DegenerateInputError, match="jackknife"):
        jackknife(fixture()[0], np.eye(100))


def test_resampling_with_replacement_is_refused():
    with pytest.raises(ValueError, match=r"^VV010 bootstrap: .*jackknife"):
        vv.inference.bootstrap(*fixture())


def test_subsample_covers():
    random = np.random.default_rng(0)
    big = random.normal(size=(20_000, 3))
    noise = random.normal(size=(20_000, 3))
    truth = float(vv.procrustes(big, big + noise))
    held = 0
    for k in range(60):
        X = random.normal(size=(80, 3))
        Y = X + random.normal(size=(80, 3))
        interval = subsample(X, Y, measure="procrustes", repeats=60, seed=k)
        held += interval.low <= truth <= interval.high
    assert held >= 60 * 0.95 - 5 * np.sqrt(60 * 0.95 * 0.05)


def test_subsample_is_seeded():
    X, Y = fixture()
    values = [subsample(X, Y, measure="cca", repeats=20, seed=3) for _ in range(2)]
    assert values[0] == values[1]
    assert values[0] != subsample(X, Y, measure="cca", repeats=20, seed=4)


def test_intervals_are_plain_data():
    data = jackknife(*fixture()).to_dict()
    assert data["level"] == 0.95
    assert data["findings"] == []
