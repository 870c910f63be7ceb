"""Distance correlation: published values, identities, what has no answer."""

import functools
import math

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.algebra import close
from tests.oracles.distances import distances

import visavis as vv

estimators = pytest.mark.parametrize("estimator", ["debiased", "biased"])


def test_the_value_that_hyppo_publishes():
    x, y = (np.array(each, dtype=float)[:, None] for each in ([1, 2, 3, 4, 5], [1, 2, 9, 4, 4]))
    value = vv.distance_correlation(x, y, estimator="biased")
    assert math.sqrt(value) == pytest.approx(0.762676242417, abs=1e-12)


@estimators
def test_it_is_cka_with_minus_the_distance_as_kernel(pair, estimator):
    K, L = (-distances(Z).astype(float) for Z in pair)
    expected = vv.cka(K, L, kernel="precomputed", estimator=estimator)
    assert close(vv.distance_correlation(*pair, estimator=estimator), expected)


def test_the_biased_one_is_the_whitened_cosine_of_distances(pair):
    value = vv.distance_correlation(*pair, estimator="biased")
    assert close(value, vv.rsa(*pair, compare="whitened_cosine"))


def test_of_two_values_a_sample_it_is_the_squared_correlation():
    # Distances of 0 and 1 are squared distances.
    x, y = (np.random.default_rng(0).integers(0, 2, (2, 50, 1))).astype(float)
    expected = np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2
    assert close(vv.distance_correlation(x, y, estimator="biased"), expected)


@pytest.mark.parametrize("side", [0, 1], ids=["X", "Y"])
def test_one_hot_rows_have_nothing_to_align(side):
    pair = list(related(n=10, p=4, q=4))
    pair[side] = np.eye(10)
    message = f"^distance_correlation: `{'XY'[side]}` has nothing to align: .* equally far"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.distance_correlation(*pair)
    assert 0 < float(vv.distance_correlation(*pair, estimator="biased")) < 1


@estimators
def test_gradient(estimator):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=7, p=4, q=3)]
    measure = functools.partial(vv.distance_correlation, estimator=estimator)
    assert torch.autograd.gradcheck(measure, pair)


def test_an_unknown_estimator():
    message = "distance_correlation: `estimator` must be one of 'debiased', 'biased', got 'u'"
    with pytest.raises(ValueError, match=message):
        vv.distance_correlation(*related(), estimator="u")
