"""Nearest neighbours: exact orders, ties by index, duplicates, large offsets, blocks."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from tests.data_makers import duplicate_rows, heavy_tailed, offset, random_rotation, related
from tests.oracles.neighbours import neighbours

import visavis as vv
from visavis.linalg import Points
from visavis.linalg import neighbours as module

every_metric = pytest.mark.parametrize("metric", ["cosine", "euclidean"])


def order(X, metric="euclidean"):
    """All others of each row, nearest first."""
    return np.concatenate([part for _, part in Points.of(X, metric).orders()])


def grid(side=6):
    """Integer points, among which many distances are equal."""
    return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * 1.0


def clusters(tight=1e-7, n=30, groups=3, p=5):
    """Groups far apart, the samples of each so close that a matrix product cannot tell them."""
    random = np.random.default_rng(5)
    centres = 10 * random.standard_normal((groups, p))
    return centres[np.arange(n) % groups] + tight * random.standard_normal((n, p))


def one_hot():
    return np.eye(12)


MAKERS = {
    "related": lambda: related()[0],
    "wide": lambda: related(n=15, p=400)[0],
    "offset": lambda: offset(by=1e4)[0],
    "offset in float32": lambda: offset(by=1e4)[0].astype(np.float32),
    "heavy tailed": lambda: heavy_tailed()[0],
    "duplicates": lambda: duplicate_rows()[0],
    "grid": grid,
    "grid far away": lambda: grid() + 2.0**40,
    "one-hot": one_hot,
    "tight clusters": clusters,
    "tighter clusters": lambda: clusters(1e-10),
    "tight clusters in float32": lambda: clusters(1e-4).astype(np.float32),
}
every_maker = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)


@every_maker
def test_order_of_all_others(maker):
    X = maker()
    np.testing.assert_array_equal(order(X), neighbours(X))


@pytest.mark.parametrize("maker", [related, duplicate_rows, heavy_tailed, offset])
def test_order_of_all_others_by_cosine(maker):
    X = maker()[0]
    np.testing.assert_array_equal(order(X, "cosine"), neighbours(X, "cosine"))


@every_maker
@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_nearest_are_the_first_of_the_order(maker, k):
    X = maker()
    np.testing.assert_array_equal(Points.of(X, "euclidean").nearest(k), order(X)[:, :k])


@every_metric
def test_scikit_learn_finds_the_same(metric):
    X, _ = related(n=300, p=20)
    found = NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute").fit(X)
    expected = found.kneighbors(return_distance=False)  # without X: itself is left out
    np.testing.assert_array_equal(Points.of(X, metric).nearest(7), expected)


@every_maker
def test_no_sample_is_its_own_neighbour(maker):
    indices = order(maker())
    itself = np.arange(len(indices))[:, None]
    assert not (indices == itself).any()
    np.testing.assert_array_equal(np.sort(np.hstack([indices, itself])), itself.T + 0 * itself)


def test_ties_stand_in_the_order_of_indices():
    expected = [[j for j in range(12) if j != i] for i in range(12)]
    np.testing.assert_array_equal(order(one_hot()), expected)
    np.testing.assert_array_equal(order(one_hot(), "cosine"), expected)


def test_a_duplicate_is_the_nearest_neighbour():
    X = duplicate_rows(n=40)[0]
    twins = (np.arange(40) + 20) % 40
    np.testing.assert_array_equal(Points.of(X, "euclidean").nearest(1)[:, 0], twins)
    np.testing.assert_array_equal(Points.of(X, "cosine").nearest(1)[:, 0], twins)


def test_rows_of_one_direction_are_equal_by_cosine():
    X, _ = related(n=20, p=6)
    scaled = X * np.random.default_rng(1).uniform(0.1, 10, size=(20, 1))
    indices = order(np.vstack([X, scaled]), "cosine")
    twins = (np.arange(40) + 20) % 40
    np.testing.assert_array_equal(indices[:, 0], twins)
    # Of two in one direction the first in the array stands first, and then the other.
    for i, j in ((1, 2), (3, 4)):
        np.testing.assert_array_equal(indices[:, j] - indices[:, i], 20)


@pytest.mark.parametrize("maker", [grid, one_hot])
def test_a_rotation_leaves_ties_as_they_are(maker):
    X = maker()
    turned = X @ random_rotation(X.shape[1], np.random.default_rng(0))
    np.testing.assert_array_equal(order(turned + 3), order(X))


def test_identical_rows_beside_one_other():
    # All but one are equal: dead units, of which thousands are no reason for n² differences.
    X = np.zeros((50, 4))
    X[7] = 1e3
    np.testing.assert_array_equal(order(X), neighbours(X))
    assert (order(X)[:7, -1] == 7).all()


@every_metric
@pytest.mark.parametrize("entries", [1, 100, 2**10, 2**11 + 1])
@pytest.mark.parametrize("maker", [related, duplicate_rows])
def test_blocks_of_any_size_give_the_same(maker, metric, entries, monkeypatch):
    X = maker()[0]
    whole, first = order(X, metric), Points.of(X, metric).nearest(5)
    monkeypatch.setattr(module, "BLOCK_ENTRIES", entries)
    np.testing.assert_array_equal(order(X, metric), whole)
    np.testing.assert_array_equal(Points.of(X, metric).nearest(5), first)


def test_memory_is_bounded_by_the_block(monkeypatch):
    sizes = []
    original = Points._first

    def watched(self, ids, D, k):
        sizes.append(D.shape)
        return original(self, ids, D, k)

    monkeypatch.setattr(Points, "_first", watched)
    monkeypatch.setattr(module, "BLOCK_ENTRIES", 400)
    order(related(n=95)[0])
    assert {shape[0] for shape in sizes} <= {4, 3}
    assert sum(shape[0] for shape in sizes) == 95


@pytest.mark.parametrize(
    ("X", "metric", "message"),
    [
        (np.vstack([np.eye(4), np.zeros(4)]), "cosine", "all-zero row, .* row 4"),
        (np.arange(1.0, 9.0)[:, None], "cosine", "multiples of one another.*euclidean"),
        (np.ones((5, 3)), "euclidean", "identical rows"),
    ],
)
def test_rows_without_distances(X, metric, message):
    with pytest.raises(vv.DegenerateInputError, match=f"^kernel: `X` .*{message}"):
        Points.of(X, metric)
