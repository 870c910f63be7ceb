"""Neighbours and dimensions by a second route: scikit-learn, SciPy, masks, permutations."""

import math
from functools import partial

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors
from tests import oracles
from tests.data_makers import reference_pair, related
from tests.oracles.neighbours import neighbours


def mask(X, k, metric):
    """1 where the column is among the k nearest of the row."""
    search = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(X)
    return search.kneighbors_graph().toarray()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 4])
def test_sets_of_neighbours_from_masks(pair, metric, k):
    a, b = (mask(X, k, metric) for X in pair)
    shared, either = (a * b).sum(axis=1), np.maximum(a, b).sum(axis=1)
    options = {"k": k, "metric": metric}
    assert oracles.mutual_knn(*pair, **options) == pytest.approx((shared / k).mean(), rel=1e-14)
    jaccard = oracles.knn_jaccard(*pair, **options)
    assert jaccard == pytest.approx((shared / either).mean(), rel=1e-14)
    # Two steps over the masks: out in Y, back in X.
    home = np.diag(b @ a) > 0
    assert oracles.cycle_knn(*pair, **options) == pytest.approx(home.mean(), rel=1e-14)


def test_cknna_from_masks(pair):
    H = np.eye(30) - 1 / 30
    K, L = (H @ cosine_similarity(X) @ H for X in pair)
    a, b = (mask(X, 4, "cosine") for X in pair)
    expected = (a * b * K * L).sum() / np.linalg.norm(a * K) / np.linalg.norm(b * L)
    assert oracles.cknna(*pair, k=4) == pytest.approx(expected, rel=1e-12)


def test_cknna_of_all_neighbours_is_biased_cka_without_the_diagonal(pair):
    H = np.eye(30) - 1 / 30
    K, L = (H @ X @ X.T @ H for X in pair)
    K, L = (M - np.diag(np.diag(M)) for M in (K, L))
    expected = (K * L).sum() / np.linalg.norm(K) / np.linalg.norm(L)
    assert oracles.cknna(*pair, k=29, metric="euclidean") == pytest.approx(expected, rel=1e-12)


def test_second_order_cosine_of_all_neighbours_is_the_cosine_of_rows(pair):
    S, T = (cosine_similarity(X)[~np.eye(30, dtype=bool)].reshape(30, 29) for X in pair)
    expected = np.diag(cosine_similarity(S, T)).mean()
    assert oracles.second_order_cosine(*pair, k=29) == pytest.approx(expected, rel=1e-12)


def test_information_imbalance_from_ranks(pair):
    D, E = (np.linalg.norm(X[:, None] - X, axis=-1) for X in pair)
    ranks = np.array([scipy.stats.rankdata(row) - 1 for row in E])
    np.fill_diagonal(D, np.inf)
    expected = 2 / 30 * ranks[np.arange(30), D.argmin(axis=1)].mean()
    assert oracles.information_imbalance(*pair) == pytest.approx(expected, rel=1e-14)


def test_published_information_imbalance():
    X, Y = reference_pair()
    assert oracles.information_imbalance(X, Y) == pytest.approx(0.4710, abs=1e-9)
    assert oracles.information_imbalance(Y, X) == pytest.approx(0.3418, abs=1e-9)


def test_equal_distances_stand_in_the_order_of_indices():
    X = np.array([[0.0], [1.0], [-1.0], [1.0], [2.0]])
    assert neighbours(X) == [[1, 2, 3, 4], [3, 0, 4, 2], [0, 1, 3, 4], [1, 0, 4, 2], [1, 3, 0, 2]]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_chance_of_sets_of_neighbours(k):
    X, Y = related(n=6, p=3, q=2, seed=2)
    hypergeometric = scipy.stats.hypergeom(5, k, k)
    shared = np.arange(k + 1)
    weights = hypergeometric.pmf(shared)
    mean = oracles.permutation_mean(partial(oracles.mutual_knn, k=k), X, Y)
    assert mean == pytest.approx(k / 5, rel=1e-12)
    mean = oracles.permutation_mean(partial(oracles.knn_jaccard, k=k), X, Y)
    assert mean == pytest.approx(weights @ (shared / (2 * k - shared)), rel=1e-12)


def test_chance_of_information_imbalance():
    X, Y = related(n=6, p=3, q=2, seed=2)
    assert oracles.permutation_mean(oracles.information_imbalance, X, Y) == pytest.approx(1)


def test_dimensions_from_the_covariance(pair):
    lam = np.linalg.eigvalsh(np.cov(pair[0].T))
    ratio = lam.sum() ** 2 / (lam**2).sum()
    assert oracles.participation_ratio(pair[0]) == pytest.approx(ratio, rel=1e-12)
    by_variance = oracles.effective_rank(pair[0], spectrum="variance")
    assert by_variance == pytest.approx(math.exp(scipy.stats.entropy(lam)), rel=1e-12)
    rank = math.exp(scipy.stats.entropy(np.sqrt(lam)))
    assert oracles.effective_rank(pair[0]) == pytest.approx(rank, rel=1e-12)
