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


def test_moments_of_each_pair():
    a, b = layers(0, 40), layers(1, 40, 2)
    b["l0"] = b["l0"] + a["l1"][:, :3]
    found = layer_tests(a, b, method="moments")
    alone = np.array(
        [[permutation_test(X, Y, method="moments").pvalue for Y in b.values()] for X in a.values()]
    )
    np.testing.assert_allclose(found.pvalues, alone, rtol=1e-9)
    np.testing.assert_allclose(found.best, np.minimum(1, 2 * alone.min(1)), rtol=1e-9)
    # Holm by its definition: the k-th smallest of m times m - k + 1, none below one before.
    flat, expected, least = alone.ravel(), np.empty(6), 0.0
    for k, place in enumerate(np.argsort(flat)):
        least = expected[place] = max(least, min(1, (6 - k) * flat[place]))
    np.testing.assert_allclose(found.adjusted.ravel(), expected, rtol=1e-9)
    assert (found.draws, found.method) == (0, "moments of each pair")


def test_a_pair_without_a_curve_is_named():
    a, b = layers(0, 40), layers(1, 40)
    a["l1"][3] += 100
    b["l2"][3] += 100
    with pytest.raises(ValueError, match=r"Of l\d and l2 its kurtosis is"):
        layer_tests(a, b, method="moments")
    drawn = layer_tests(a, b, method="auto", seed=3)
    assert drawn.method.startswith("permutations; of l")
    np.testing.assert_array_equal(drawn.adjusted, layer_tests(a, b, seed=3).adjusted)
    with pytest.raises(ValueError, match="`method` must be 'permutations' or 'auto'"):
        layer_tests(a, b, method="moments", within=[0, 1] * 20)


@pytest.mark.parametrize("kind", ["within", "groups"])
def test_permutations_of_a_kind(kind):
    a, b = layers(0, 30), layers(1, 30, 2)
    labels = np.arange(30) % 3 if kind == "within" else np.arange(30) // 3
    found = layer_tests(a, b, n=200, seed=4, **{kind: labels})
    for i, j in np.ndindex(3, 2):
        alone = permutation_test(a[f"l{i}"], b[f"l{j}"], n=200, seed=4, **{kind: labels})
        assert found.pvalues[i, j] == pytest.approx(alone.pvalue)
        assert found.method == alone.method
    with pytest.raises(ValueError, match="`within` and `groups` must be given one at a time"):
        layer_tests(a, b, within=labels, groups=labels)


def test_single_precision_decides_alike():
    a, b = layers(0, 60), layers(1, 60)
    narrow = [{k: X.astype("f4") for k, X in each.items()} for each in (a, b)]
    wide = layer_tests(*({k: X.astype("f8") for k, X in each.items()} for each in narrow))
    found = layer_tests(*narrow)
    np.testing.assert_allclose(found.values, wide.values, atol=1e-6)
    np.testing.assert_allclose(found.adjusted, wide.adjusted, atol=3 / wide.draws)


def test_ties_of_labels_in_single_precision():
    labels = np.repeat(np.eye(3, dtype="f4"), 10, axis=0)
    found = layer_tests({"a": labels}, {"b": np.roll(labels, 3, axis=0)}, n=3000)
    wide = permutation_test(labels.astype("f8"), np.roll(labels, 3, axis=0).astype("f8"), n=3000)
    assert found.pvalues[0, 0] == wide.pvalue


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
    with pytest.raises(ValueError, match="`n` must be a whole number, 1 or more"):
        layer_tests(layers(0), layers(1), n=0)
