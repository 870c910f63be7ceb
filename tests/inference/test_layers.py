"""Tests of all layers at once: those of each pair, and what a search among them does to them."""

import numpy as np
import pytest
import torch
from tests.data_makers import related

import visavis as vv
from visavis.inference import layer_tests, permutation_test
from visavis.inference.layers import _stepped


def layers(seed, n=30, count=3):
    random = np.random.default_rng(seed)
    return {f"l{k}": random.normal(size=(n, 3 + k)) for k in range(count)}


@pytest.mark.parametrize("n", [20, 21])
def test_each_pair_is_tested_as_by_itself(n):
    a, b = layers(0, n), layers(1, n, 2)
    found = layer_tests(a, b, n=3 * n, seed=4)
    assert (found.rows, found.cols, found.draws) == (tuple(a), tuple(b), 3 * n)
    for i, j in np.ndindex(3, 2):
        alone = permutation_test(a[f"l{i}"], b[f"l{j}"], n=3 * n, seed=4)
        assert found.values[i, j] == pytest.approx(alone.value, rel=1e-9)
        assert found.pvalues[i, j] == pytest.approx(alone.pvalue)


def test_stepped_by_its_definition():
    random = np.random.default_rng(0)
    drawn = random.normal(size=(50, 2, 3))
    flat = drawn.reshape(50, 6)
    order = np.argsort(-flat[0])
    expected, least = np.empty(6), 0.0
    for place, k in enumerate(order):
        rest = order[place:]  # this one and all that are not above it
        least = max(least, np.mean(flat[:, rest].max(1) >= flat[0, k]))
        expected[k] = least
    np.testing.assert_allclose(_stepped(drawn, 0.0).ravel(), expected)


def test_adjusted_values_are_no_smaller_and_keep_the_order():
    found = layer_tests(layers(0), {**layers(1), "same": layers(0)["l1"]})
    assert np.all(found.adjusted >= found.pvalues - 1e-12)
    order = np.argsort(-found.values, axis=None)
    assert np.all(np.diff(found.adjusted.ravel()[order]) >= 0)


def test_the_best_of_many_layers_of_noise_is_no_finding():
    repeats, alone, best = 150, 0, 0
    for k in range(repeats):
        found = layer_tests(layers(k, count=1), layers(1000 + k, count=6), n=120, seed=k)
        alone += found.pvalues.min() <= 0.1
        best += found.best[0] <= 0.1
    assert alone / repeats > 0.25  # what a search without a correction finds
    assert best / repeats <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / repeats)


def test_what_there_is_is_found():
    X, Y = related(n=40, p=4, q=3)
    found = layer_tests({"x": X, **layers(5, 40)}, {"y": Y, **layers(6, 40)})
    assert found.adjusted[0, 0] < 0.01
    assert found.best[0] < 0.01


def test_torch():
    a, b = layers(0), layers(1)
    here = layer_tests(a, b)
    there = layer_tests(*({k: torch.tensor(x) for k, x in each.items()} for each in (a, b)))
    np.testing.assert_allclose(here.adjusted, there.adjusted)


def test_refusals():
    with pytest.raises(ValueError, match=r"layer_tests: .*describe the same samples"):
        layer_tests({"a": np.ones((9, 2)), "b": np.ones((8, 2))}, layers(0, 9))
    with pytest.raises(vv.DegenerateInputError, match="layer_tests: `dead` must vary"):
        layer_tests({"dead": np.ones((30, 2))}, layers(0))
    with pytest.raises(ValueError, match="`n` must be a positive integer"):
        layer_tests(layers(0), layers(1), n=0)
