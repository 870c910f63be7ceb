"""Moments of the null distribution: against all permutations, and the p-values made of them."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats
from tests.data_makers import related
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import class_moments, moments, pearson, permutation_test, sides
from visavis.stats import gram_moments

LINEAR = vv.kernels.linear()


def invariants(X):
    return moments.Invariants.of(sides.Centred.of("test", "X", X, LINEAR))


def standardised(T):
    return T.std(), (T**3).mean() / T.std() ** 3, (T**4).mean() / T.std() ** 4


def found(X, Y):
    got = moments.of_pair(invariants(X), invariants(Y))
    return got.deviation, got.skewness, got.kurtosis


DATA = {
    "normal": lambda random: random.normal(size=(8, 3)),
    "outlier": lambda random: np.vstack([random.normal(size=(7, 2)), [[30.0, -20.0]]]),
    "labels": lambda random: np.eye(3)[[0, 0, 0, 1, 1, 1, 2, 2]],
}


@pytest.mark.parametrize("one", DATA)
@pytest.mark.parametrize("other", DATA)
def test_of_all_permutations_of_eight(one, other):
    random = np.random.default_rng(0)
    X, Y = DATA[one](random), DATA[other](random)
    T = oracle.every_order(X, Y)
    assert len(T) == math.factorial(8)
    assert found(X, Y) == pytest.approx(standardised(T), rel=1e-11)


@pytest.mark.parametrize("n", [9, 12, 40])
def test_by_the_sum_over_partitions(n):
    # The rule from which the weights come, and which the next test holds against permutations.
    X, Y = related(n=n, p=3, q=2)
    second, third, fourth = (oracle.moment_by_partitions(X, Y, k) for k in (2, 3, 4))
    expected = (math.sqrt(second), third / second**1.5, fourth / second**2)
    assert found(X, Y) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("n", [5, 6, 7])
@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_partitions_against_all_permutations(n, power):
    X, Y = related(n=n, p=3, q=2)
    expected = (oracle.every_order(X, Y) ** power).mean()
    assert oracle.moment_by_partitions(X, Y, power) == pytest.approx(expected, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_scale_does_not_matter(scale):
    X, Y = related(n=20, p=3, q=2)
    assert found(X * scale, Y) == pytest.approx(found(X, Y), rel=1e-9)


CURVES = {
    "I": (0.5, 3.2),
    "I, with poles": (1.9, 3 + 1.5 * 1.9**2 - 0.9),
    "III": (0.8, 3.96),
    "IV": (0.05, 3.9),
    "IV, skewed": (0.8, 3.96 + 0.9),
    "VI": (1.0, 4.6),
    "VII": (0.0, 3.5),
    "II": (0.0, 2.5),
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_has_the_moments_it_was_made_of(curve, sign):
    skewness, kurtosis = CURVES[curve][0] * sign, CURVES[curve][1]

    def moment(k):
        parts = (
            lambda z: k * z ** (k - 1) * pearson.four(z, skewness, kurtosis),
            lambda z: (-1) ** k * k * z ** (k - 1) * (1 - pearson.four(-z, skewness, kurtosis)),
        )
        ends = ([0, 1, 4, 20], [20, 400])
        return sum(
            integrate.quad(part, low, high, limit=400, epsabs=1e-9)[0]
            for part in parts
            for edges in ends
            for low, high in itertools.pairwise(edges)
        )

    expected = (0, 1, skewness, kurtosis)
    assert [moment(k) for k in (1, 2, 3, 4)] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("z", [-1.5, 0.0, 0.7, 3.0])
def test_known_curves(z):
    # A gamma, a beta, a beta prime, and a t distribution.
    assert pearson.three(z, 1.0) == pytest.approx(stats.pearson3(1.0).sf(z), rel=1e-9)
    assert pearson.three(z, -1.0) == pytest.approx(stats.pearson3(-1.0).sf(z), rel=1e-9)
    for law in (stats.beta(2, 5), stats.betaprime(4, 12), stats.invgamma(9), stats.t(9)):
        mean, variance, skewness, excess = map(float, law.stats("mvsk"))
        expected = law.sf(mean + z * math.sqrt(variance))
        assert pearson.four(z, skewness, 3 + excess) == pytest.approx(expected, rel=2e-6)
    assert pearson.four(z, 0.0, 3.0) == pytest.approx(stats.norm.sf(z), rel=1e-12)


@pytest.mark.parametrize("skewness", [0.3, 1.0, 2.0])
def test_curves_pass_into_each_other(skewness):
    # Where both roots of the denominator are one, types IV, V and VI meet.
    def square(misfit):
        c0, c1 = 12 + 3 * skewness**2 + 4 * misfit, skewness * (6 + 1.5 * skewness**2 + misfit)
        return c1**2 - 8 * c0 * misfit

    misfit = optimize.brentq(square, 1e-9, 1.0 + skewness**2)
    for z in (-1.0, 0.0, 2.0, 4.0):
        near = [
            pearson.four(z, skewness, 3 + 1.5 * skewness**2 + misfit * (1 + step))
            for step in (-1e-4, -1e-6, -1e-9, 0, 1e-9, 1e-6, 1e-4)
        ]
        np.testing.assert_allclose(near, near[3], rtol=1e-3)
        np.testing.assert_allclose(near[1:-1], near[3], rtol=1e-5)


SPECTRA = {
    "rank 2": lambda random, n: random.normal(size=(n, 2)),
    "flat": lambda random, n: random.normal(size=(n, 30)),
    "1/k": lambda random, n: random.normal(size=(n, 30)) / np.arange(1, 31),
}


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("n", [20, 60])
def test_pvalue_is_that_of_many_permutations(spectrum, n):
    random = np.random.default_rng(3)
    X, Y = (SPECTRA[spectrum](random, n) for _ in "xy")
    Y = Y + 0.25 * SPECTRA[spectrum](random, n) + 0.3 * X
    drawn = permutation_test(X, Y, n=100_000)
    result = permutation_test(X, Y, method="moments")
    error = 5 * math.sqrt(drawn.pvalue / 100_000)
    assert result.pvalue == pytest.approx(drawn.pvalue, rel=0.2, abs=error)
    assert (result.value, result.null_std) == pytest.approx((drawn.value, drawn.null_std))
    assert result.draws == 0
    assert "moments" in result.method


def test_size():
    random = np.random.default_rng(0)
    small = [
        permutation_test(*random.normal(size=(2, 40, 3)), method="moments").pvalue <= 0.05
        for _ in range(600)
    ]
    assert np.mean(small) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 600))


def test_no_smaller_than_has_been_checked():
    X, _ = related(n=50, p=3, q=2)
    result = permutation_test(X, X, method="auto")
    assert (result.pvalue, result.method) == (1e-4, "four moments (Pearson); at most")


def outlying():
    X, Y = np.random.default_rng(0).normal(size=(2, 60, 4))
    X[0], Y[1] = 40, 40
    return X, Y


REFUSED = {
    "few samples": (related(n=19, p=3, q=2), "19 samples are too few for a curve of moments"),
    "outliers": (outlying(), r"kurtosis is \+.* off that of a gamma distribution"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_where_moments_do_not_do(case):
    (X, Y), reason = REFUSED[case]
    with pytest.raises(ValueError, match=rf"`method` must be 'permutations' .*{reason[2:]}"):
        permutation_test(X, Y, method="moments")
    result = permutation_test(X, Y, method="auto", seed=5)
    assert result.method.startswith("permutations; ")
    assert result.pvalue == permutation_test(X, Y, seed=5).pvalue


@pytest.mark.parametrize(
    "options", [{"measure": "procrustes"}, {"within": [0, 1] * 15}, {"series": True}]
)
def test_only_of_all_permutations_of_debiased_cka(options):
    X, Y = related(n=30, p=3, q=2)
    with pytest.raises(ValueError, match="`method` must be 'permutations' or 'auto'"):
        permutation_test(X, Y, method="moments", **options)
    options = {"n": 50, **options}
    auto = permutation_test(X, Y, method="auto", **options)
    assert auto == permutation_test(X, Y, **options)


def test_torch():
    X, Y = related(n=30, p=3, q=2)
    here = permutation_test(X, Y, method="moments")
    there = permutation_test(torch.tensor(X), torch.tensor(Y), method="moments")
    assert there.pvalue == pytest.approx(here.pvalue, rel=1e-9)


def biased(X):
    C = np.eye(len(X)) - 1 / len(X)
    K = C @ X @ X.T @ C
    return K / np.linalg.norm(K)


@pytest.mark.parametrize("n", [4, 5, 7])
@pytest.mark.parametrize("one", ["normal", "outlier"])
def test_of_biased_cka_over_all_permutations(one, n):
    random = np.random.default_rng(0)
    A, B = (biased(Z) for Z in (DATA[one](random)[-n:], DATA["normal"](random)[:n]))
    T = oracle.sums(A, B, np.array(list(itertools.permutations(range(n)))))
    x, y = (gram_moments.Invariants.of(each) for each in (A, B))
    off = T - T.mean()
    expected = (T.mean(), *((off**k).mean() for k in (2, 3, 4)))
    assert gram_moments.central(x, y) == pytest.approx(expected, rel=1e-9)
    assert gram_moments.variance(np.diag(A), np.diag(B)) == pytest.approx(expected[1], rel=1e-9)


@pytest.mark.parametrize("n", [12, 60, 3000])
def test_sums_of_biased_cka_with_no_diagonal_are_those_of_debiased(n):
    # Of a U-centred matrix both rules hold: one counted, one a formula.
    x, y = (sides.Centred.of("t", "X", X, LINEAR) for X in related(n=n, p=3, q=2))
    one, other = (gram_moments.Invariants.of(z.matrix / math.sqrt(z.square)) for z in (x, y))
    mean, second, third, fourth = gram_moments.central(one, other)
    of_pair = moments.of_pair(moments.Invariants.of(x), moments.Invariants.of(y))
    assert mean == pytest.approx(0, abs=1e-15)
    assert math.sqrt(second) == pytest.approx(of_pair.deviation, rel=1e-10)
    assert third / second**1.5 == pytest.approx(of_pair.skewness, rel=1e-8)
    assert fourth / second**2 == pytest.approx(of_pair.kurtosis, rel=1e-8)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("n", [25, 80])
def test_pvalue_of_biased_cka_is_that_of_many_permutations(kernel, n):
    random = np.random.default_rng(5)
    X, Y = random.normal(size=(2, n, 20))
    Y = Y + 0.4 * X
    measure = f"cka(estimator=biased, kernel={kernel})"
    drawn = permutation_test(X, Y, n=50_000, measure=measure)
    result = permutation_test(X, Y, measure=measure, method="moments")
    error = 5 * math.sqrt(drawn.pvalue / 50_000)
    assert result.pvalue == pytest.approx(drawn.pvalue, rel=0.15, abs=error)
    assert (result.value, result.null_mean) == pytest.approx((drawn.value, drawn.null_mean))
    assert result.null_std == pytest.approx(drawn.null_std)
    assert result.null_mean == pytest.approx(vv.inference.chance(X, Y, measure=measure))


def test_biased_cka_of_an_outlier_has_no_curve():
    X, Y = np.random.default_rng(0).normal(size=(2, 100, 60))
    X[0] *= 6
    with pytest.raises(ValueError, match="kurtosis"):
        permutation_test(X, Y, measure="cka(estimator=biased)", method="moments")


SIZES = [(7,), (4, 3), (2, 4, 3), (1, 2, 5), (2, 2, 2, 2), (4, 4)]


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_within_classes_against_all_permutations(sizes, centre):
    random = np.random.default_rng(0)
    n = sum(sizes)
    A, B = (Z @ Z.T for Z in random.normal(size=(2, n, 3)) + 1.0)
    if centre:
        C = np.eye(n) - 1 / n
        A, B = C @ A @ C, C @ B @ C
    classes = np.split(random.permutation(n), np.cumsum(sizes)[:-1])
    T = oracle.every_order_within(A, B, classes)
    mean, deviation = class_moments.mean_and_deviation(A, B, classes)
    assert (mean, deviation) == pytest.approx((T.mean(), T.std()), rel=1e-10)


def test_null_within_classes_is_exact():
    X, Y = related(n=30, p=3, q=2)
    few, many = (permutation_test(X, Y, within=[0, 1, 2] * 10, n=n) for n in (10, 4000))
    assert (few.null_mean, few.null_std) == (many.null_mean, many.null_std)
