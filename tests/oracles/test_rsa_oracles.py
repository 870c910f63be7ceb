"""RSA: by hand, by SciPy, by enumeration, and by the covariance that whitens."""

import itertools

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from tests import oracles
from tests.data_makers import related
from tests.oracles import cka
from tests.oracles.rsa import dissimilarities, levels

RDMS = ["euclidean", "sqeuclidean", "correlation", "cosine"]
LINE = np.array([[0.0], [1.0], [3.0]])  # distances 1, 3, 2


@pytest.mark.parametrize("rdm", RDMS)
def test_dissimilarities_agree_with_scipy(pair, rdm):
    expected = scipy.spatial.distance.pdist(pair[0], rdm)
    np.testing.assert_allclose(dissimilarities(pair[0], rdm).astype(float), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("compare", "value"),
    [
        ("spearman", 0.5),
        ("kendall_tau_a", 1 / 3),
        ("kendall_tau_b", 1 / 3),
        ("rho_a", 0.5),
        ("pearson", 0.5),
        ("cosine", 13 / 14),
    ],
)
def test_by_hand(compare, value):
    # Against distances 2, 3, 1: two of three pairs in order, and one rank apart each.
    other = np.array([[0.0], [2.0], [3.0]])
    assert oracles.rsa(LINE, other, compare=compare) == pytest.approx(value, rel=1e-15)


def test_ties_are_found_in_spite_of_rounding():
    X = np.array([[0.1], [0.2], [0.3], [0.7]])
    assert list(levels(dissimilarities(X, "euclidean"))) == [0, 1, 4, 0, 3, 2]


@pytest.mark.parametrize("compare", ["spearman", "kendall_tau_b", "pearson"])
def test_comparisons_agree_with_scipy(compare):
    # Rounded to the first digit, so that many dissimilarities are tied.
    X, Y = (Z.round(1)[:, :1] for Z in related(n=20))
    x, y = (dissimilarities(Z, "euclidean").astype(float).round(1) for Z in (X, Y))
    ask = {"spearman": "spearmanr", "kendall_tau_b": "kendalltau", "pearson": "pearsonr"}[compare]
    expected = getattr(scipy.stats, ask)(x, y).statistic
    assert oracles.rsa(X, Y, compare=compare) == pytest.approx(expected, rel=1e-12)


def test_rho_a_is_the_mean_over_all_ways_to_break_ties():
    # Four whole numbers: the six distances of each side hold ties of two and of three.
    X, Y = np.array([[0.0], [1.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [3.0], [2.0]])
    broken = [
        np.corrcoef(x, y)[0, 1]
        for x, y in itertools.product(*(_rankings(dissimilarities(Z, "euclidean")) for Z in (X, Y)))
    ]
    assert len(broken) > 4
    assert oracles.rsa(X, Y, compare="rho_a") == pytest.approx(np.mean(broken), rel=1e-12)


def _rankings(d):
    """Every ranking without ties that agrees with `d` where that has none."""
    return [
        order
        for order in itertools.permutations(range(len(d)))
        if all((d[i] < d[j]) <= (order[i] < order[j]) for i in range(len(d)) for j in range(len(d)))
    ]


def covariance(n):
    """Of estimated squared distances, where noise is independent and distances are zero."""
    pairs = list(itertools.combinations(range(n), 2))
    contrasts = np.zeros((len(pairs), n))
    for row, (i, j) in enumerate(pairs):
        contrasts[row, i], contrasts[row, j] = 1, -1
    return (contrasts @ contrasts.T) ** 2


@pytest.mark.parametrize("rdm", RDMS)
@pytest.mark.parametrize("n", [4, 12])
def test_the_whitened_cosine_is_the_cosine_by_the_inverse_covariance(rdm, n):
    X, Y = related(n=n)
    x, y = (dissimilarities(Z, rdm).astype(float) for Z in (X, Y))
    inverse = np.linalg.inv(covariance(n))
    expected = x @ inverse @ y / np.sqrt((x @ inverse @ x) * (y @ inverse @ y))
    value = oracles.rsa(X, Y, rdm=rdm, compare="whitened_cosine")
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rdm", RDMS)
@pytest.mark.parametrize("n", [4, 12])
def test_the_whitened_pearson_is_the_weighted_correlation(rdm, n):
    # By generalised least squares: what a constant explains, weighted by V⁻¹, is taken out first.
    X, Y = related(n=n)
    inverse = np.linalg.inv(covariance(n))
    ones = np.ones(len(inverse))
    x, y = (
        d - (ones @ inverse @ d) / (ones @ inverse @ ones)
        for d in (dissimilarities(Z, rdm).astype(float) for Z in (X, Y))
    )
    expected = x @ inverse @ y / np.sqrt((x @ inverse @ x) * (y @ inverse @ y))
    value = oracles.rsa(X, Y, rdm=rdm, compare="whitened_pearson")
    assert value == pytest.approx(expected, rel=1e-12)


def test_that_covariance_is_of_noise():
    # Squared distances of pure noise in one dimension, whose expectation does not depend on pairs.
    random = np.random.default_rng(0)
    noise = random.standard_normal((400_000, 4))
    pairs = np.array(list(itertools.combinations(range(4), 2)))
    squared = (noise[:, pairs[:, 0]] - noise[:, pairs[:, 1]]) ** 2
    np.testing.assert_allclose(np.cov(squared, rowvar=False), 2 * covariance(4), atol=0.15)


def test_the_whitened_cosine_of_squared_distances_is_linear_cka(pair):
    value = oracles.rsa(*pair, rdm="sqeuclidean", compare="whitened_cosine")
    assert value == pytest.approx(cka(*pair, estimator="biased"), rel=1e-12)
