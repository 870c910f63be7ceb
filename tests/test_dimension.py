"""Dimensions of one representation: closed forms, oracles, what they forget, what has none."""

import math

import numpy as np
import pytest
import torch
from tests import oracles
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import (
    FLOAT64_SCALES,
    duplicate_rows,
    heavy_tailed,
    mixed_scales,
    offset,
    orthonormal,
    random_rotation,
    rank_one,
    related,
    wide,
)

import visavis as vv

FUNCTIONS = {
    "participation_ratio": (vv.dimension.participation_ratio, oracles.participation_ratio),
    "effective_rank": (vv.dimension.effective_rank, oracles.effective_rank),
    "effective_rank(variance)": (
        lambda X: vv.dimension.effective_rank(X, spectrum="variance"),
        lambda X: oracles.effective_rank(X, spectrum="variance"),
    ),
    "two_nn": (vv.dimension.two_nn, oracles.two_nn),
    "two_nn(all)": (
        lambda X: vv.dimension.two_nn(X, discard=0),
        lambda X: oracles.two_nn(X, discard=0),
    ),
}
every = pytest.mark.parametrize(("function", "oracle"), FUNCTIONS.values(), ids=FUNCTIONS)
every_function = pytest.mark.parametrize(
    "function", [function for function, _ in FUNCTIONS.values()], ids=FUNCTIONS
)
by_spectrum = pytest.mark.parametrize(
    "function", [f for name, (f, _) in FUNCTIONS.items() if "nn" not in name]
)


@every
@pytest.mark.parametrize("maker", [related, wide, offset, heavy_tailed, mixed_scales, rank_one])
@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-10), (np.float32, 1e-6)])
def test_against_the_definition(function, oracle, maker, dtype, rel):
    X = maker()[0].astype(dtype)
    answer = function(X)
    assert answer.shape == ()
    assert answer.dtype == dtype
    assert float(answer) == pytest.approx(oracle(X), rel=rel)


@pytest.mark.parametrize("rank", [1, 3, 6])
@by_spectrum
def test_equal_singular_values_are_counted(function, rank):
    X = orthonormal(n=40, p=rank)[0] @ np.eye(rank, 8)
    assert float(function(X)) == pytest.approx(rank, rel=1e-12)


def test_two_singular_values_by_hand():
    X = orthonormal(n=40, p=2)[0] * [3, 1]
    assert float(vv.dimension.participation_ratio(X)) == pytest.approx(100 / 82, rel=1e-12)
    entropy = 3 / 4 * math.log(4 / 3) + 1 / 4 * math.log(4)
    assert float(vv.dimension.effective_rank(X)) == pytest.approx(math.exp(entropy), rel=1e-12)
    entropy = 9 / 10 * math.log(10 / 9) + 1 / 10 * math.log(10)
    by_variance = vv.dimension.effective_rank(X, spectrum="variance")
    assert float(by_variance) == pytest.approx(math.exp(entropy), rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_two_nn_of_a_cube(dimension):
    X = np.random.default_rng(0).uniform(size=(2000, dimension))
    embedded = X @ np.random.default_rng(1).standard_normal((dimension, 20))
    assert float(vv.dimension.two_nn(embedded)) == pytest.approx(dimension, rel=0.1)


def test_two_nn_of_pairs_at_known_ratios():
    # Triples far apart, at 0, 1 and 1 + r: ratios are known, and follow the law of dimension 2.
    n = 300
    law = (1 - np.arange(n) / n) ** -0.5
    places = np.concatenate([1e4 * i + np.array([0, 1, 1 + law[i]]) for i in range(1, n)])
    ratios = []
    for place in places:
        first, second = np.sort(abs(places - place))[1:3]
        ratios.append(math.log(second / first))
    x = np.sort(ratios)[: math.floor(len(ratios) * 0.9)]
    y = -np.log(1 - np.arange(1, len(x) + 1) / len(ratios))
    expected = (x @ y) / (x @ x)
    assert float(vv.dimension.two_nn(places[:, None])) == pytest.approx(expected, rel=1e-9)


@every_function
@pytest.mark.parametrize(
    "change",
    [
        lambda X: X + 1e3,
        lambda X: 7 * X,
        lambda X: X @ random_rotation(X.shape[1], np.random.default_rng(0)),
        lambda X: X[::-1],
        lambda X: np.hstack([X, np.full((len(X), 2), 5.0)]),
    ],
    ids=["moved", "scaled", "turned", "other order", "dead columns"],
)
def test_what_it_forgets(function, change):
    X = related()[0]
    assert float(function(change(X))) == pytest.approx(float(function(X)), rel=1e-9)


@every_function
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales(function, by):
    X = related()[0]
    assert float(function(by * X)) == pytest.approx(float(function(X)), rel=1e-12)


@every_function
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(function, library):
    X = related()[0].astype("float32")
    with library.enabled():
        given = library.array(X)
        answer = function(given)
        assert same_home(answer, given)
        assert float(answer) == pytest.approx(float(function(X)), rel=1e-5)


def test_gradient_of_the_participation_ratio():
    X = torch.tensor(related(n=8, p=3)[0], requires_grad=True)
    assert torch.autograd.gradcheck(vv.dimension.participation_ratio, (X,))


@every_function
def test_ranges(function):
    X = related(n=40, p=6)[0]
    assert 1 < float(function(X)) < 9


# What has no dimension.


@every_function
def test_constant(function):
    with pytest.raises(vv.DegenerateInputError, match="`X` must vary over the samples, got 20"):
        function(np.full((20, 3), 0.1))


@every_function
def test_not_finite(function):
    X = related()[0]
    X[7, 2] = np.nan
    with pytest.raises(vv.DegenerateInputError, match="`X` must be finite, got nan at row 7, colu"):
        function(X)


@every_function
def test_too_few_rows(function):
    with pytest.raises(ValueError, match=r"`X` must have at least [24] rows, got 1. Give more"):
        function(np.ones((1, 3)))


@every_function
def test_not_an_array(function):
    with pytest.raises(TypeError, match="`X` must be an array of"):
        function([[1.0, 2.0]])


def test_two_nn_of_duplicates():
    message = "two_nn: `X` must have rows that all differ, got row 0 equal to row 20. Drop dupl"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.dimension.two_nn(duplicate_rows(n=40)[0])


def test_two_nn_of_equally_far_rows():
    with pytest.raises(vv.DegenerateInputError, match=r"two_nn: .* every sample are equally far"):
        vv.dimension.two_nn(np.eye(10))


@pytest.mark.parametrize("discard", [-0.1, 1, 1.5, math.nan, "all"])
def test_share_that_cannot_be_discarded(discard):
    with pytest.raises(ValueError, match=r"two_nn: `discard` must be in \[0, 1\), got"):
        vv.dimension.two_nn(related()[0], discard=discard)


def test_unknown_spectrum():
    message = "effective_rank: `spectrum` must be one of 'singular', 'variance', got 'eigen'"
    with pytest.raises(ValueError, match=message):
        vv.dimension.effective_rank(related()[0], spectrum="eigen")
