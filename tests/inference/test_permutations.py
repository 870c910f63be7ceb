"""Permutation tests: the same statistic as permutations one by one, and the right size."""

import itertools

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import permutation_test, permutations, sides

LINEAR = vv.kernels.linear()


def centred(X):
    return sides.Centred.of("test", "X", X, LINEAR)


class Given:
    """A generator whose permutations are known."""

    def __init__(self, *orders):
        self._orders = iter(orders)

    def permutation(self, n):
        return np.asarray(next(self._orders))


@pytest.mark.parametrize("n", [8, 9, 11])
def test_a_coset_is_the_shifts_of_a_conjugate(n):
    X, Y = related(n=n, p=3, q=2)
    random = np.random.default_rng(0)
    rho, sigma = random.permutation(n), random.permutation(n)
    values = permutations.coset_values(centred(X), centred(Y), 2, Given(rho, sigma))
    expected = []
    for order in (rho, sigma):
        for shift in range(n):
            # Row rho_i of X stands beside row order_(i+shift) of Y.
            beside = np.empty(n, int)
            beside[rho] = np.roll(order, -shift)
            expected.append(beside)
    both = oracle.ordered(X, Y, expected)
    found = [values[:n], values[n:]]
    for part, wanted in zip(found, (both[:n], both[n:]), strict=True):
        np.testing.assert_allclose(np.sort(part), np.sort(wanted), rtol=1e-9, atol=1e-12)
    assert values[0] == pytest.approx(oracle.dcka(X, Y), rel=1e-9)


def test_all_shifts_of_a_series():
    X, Y = related(n=10, p=3, q=2)
    values = permutations.coset_values(centred(X), centred(Y), 1, Given(), series=True)
    expected = oracle.ordered(X, Y, [np.roll(np.arange(10), s) for s in range(10)])
    np.testing.assert_allclose(np.sort(values), np.sort(expected), rtol=1e-9, atol=1e-12)


def test_moments_of_the_null_hypothesis():
    X, Y = related(n=7, p=3, q=2)
    every = oracle.ordered(X, Y, itertools.permutations(range(7)))
    result = permutation_test(X, Y)
    assert result.null_mean == pytest.approx(every.mean(), abs=1e-12)
    assert result.null_std == pytest.approx(every.std(), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_pvalue_is_that_of_all_permutations(seed):
    X, Y = related(n=7, p=2, q=2, seed=seed)
    every = oracle.ordered(X, Y, itertools.permutations(range(7)))
    exact = np.mean(every >= every[0] - 1e-12)
    result = permutation_test(X, Y, n=20_000)
    assert result.pvalue == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))


def independent(random, n=30):
    return random.normal(size=(n, 4)), random.normal(size=(n, 3))


TESTS = {
    "cka": {},
    "rbf": {"measure": "cka(kernel=rbf)"},
    "within": {"within": [k % 3 for k in range(30)]},
    "shifts": {"series": True},
    "another measure": {"measure": "procrustes", "n": 100},
}


@pytest.mark.parametrize("options", TESTS.values(), ids=TESTS)
def test_size(options):
    random = np.random.default_rng(0)
    repeats = 200
    options = {"n": 200, **options}
    small = [
        permutation_test(*independent(random), **options, seed=k).pvalue <= 0.1
        for k in range(repeats)
    ]
    assert np.mean(small) <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / repeats)


@pytest.mark.parametrize("options", TESTS.values(), ids=TESTS)
def test_power(options):
    X, Y = related(n=30, p=4, q=3)
    assert permutation_test(X, Y, **options).pvalue < 0.05


def test_classes_in_common_are_not_more_than_the_classes():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 20)
    means = random.normal(size=(2, 5, 6))
    X, Y = (10 * each[labels] + random.normal(size=(100, 6)) for each in means)
    assert permutation_test(X, Y).pvalue < 0.01
    assert permutation_test(X, Y, within=labels).pvalue > 0.05


def test_ties_count_as_equal():
    labels = np.repeat(np.eye(3), 10, axis=0)
    other = np.roll(labels, 3, axis=0)
    values = oracle.ordered(
        labels, other, [np.random.default_rng(k).permutation(30) for k in range(3000)]
    )
    expected = np.mean(values >= oracle.dcka(labels, other) - 1e-9)
    found = permutation_test(labels, other, n=3000).pvalue
    assert found == pytest.approx(expected, abs=0.05)


def test_torch_and_seeds():
    X, Y = related(n=30, p=4, q=3)
    first = permutation_test(X, Y, seed=1)
    assert permutation_test(X, Y, seed=1) == first
    there = permutation_test(torch.tensor(X), torch.tensor(Y), seed=1)
    assert (there.value, there.pvalue) == pytest.approx((first.value, first.pvalue), rel=1e-9)
    assert first.z == pytest.approx((first.value - 0) / first.null_std)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n": 0}, "`n` must be a positive integer"),
        ({"within": [0, 1]}, r"one entry per row \(30\), got 2"),
        ({"within": list(range(30))}, "at least two samples into one class"),
        ({"within": [0] * 30, "series": True}, "one at a time"),
        ({"measure": "ckaa"}, r"permutation_test: .*name a measure"),
    ],
)
def test_refusals(options, match):
    X, Y = related(n=30, p=4, q=3)
    with pytest.raises(ValueError, match=match):
        permutation_test(X, Y, **options)


def test_chance():
    X, Y = related(n=40, p=5, q=4)
    result = permutation_test(X, Y, measure="cka(estimator=biased)", n=2000)
    level = vv.inference.chance(X, Y, measure="cka(estimator=biased)")
    assert result.null_mean == pytest.approx(level, abs=5 * result.null_std / np.sqrt(2000))
    with pytest.raises(ValueError, match=r"chance: .*have a closed form"):
        vv.inference.chance(X, Y, measure="procrustes")
