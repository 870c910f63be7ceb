"""Differences: the corrected variance from its definition, and the right size."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import difference


def test_variance_by_its_definition():
    X, Y = related(n=10, p=3, q=4)
    _, Z = related(n=10, p=3, q=2, seed=5)
    n = 10
    value = oracle.dcka(X, Y) - oracle.dcka(X, Z)
    ones = oracle.without_each(X, Y) - oracle.without_each(X, Z)
    twos = oracle.without_pairs(X, Y) - oracle.without_pairs(X, Z)
    first = (n - 1) / n * ((ones - ones.mean()) ** 2).sum()
    Q = [
        n * value - (n - 1) * (ones[i] + ones[j]) + (n - 2) * twos[i, j]
        for i in range(n)
        for j in range(i + 1, n)
    ]
    second = np.sum((np.array(Q) - np.mean(Q)) ** 2) / (n * (n - 1))
    found = difference(X, Y, Z)
    assert found.value == pytest.approx(value, rel=1e-9)
    assert found.standard_error == pytest.approx(np.sqrt(first), rel=1e-8)
    error = np.sqrt(max(first - second, second))
    assert found.evidence["corrected_error"] == pytest.approx(error, rel=1e-7)


def test_size():
    random = np.random.default_rng(0)
    repeats, rejected = 300, 0
    for _ in range(repeats):
        X = random.normal(size=(50, 5))
        Y, Z = (X + random.normal(size=(50, 5)) for _ in "yz")
        rejected += difference(X, Y, Z).evidence["pvalue"] < 0.05
    assert rejected / repeats == pytest.approx(0.05, abs=0.05)


def test_signs():
    random = np.random.default_rng(0)
    X, E, F = random.normal(size=(3, 80, 6))
    near, far = X + 0.2 * E, X + 2 * F
    there, back = difference(X, near, far), difference(X, far, near)
    assert there.low > 0
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_identical_sides_do_not_differ():
    X, Y = related(n=20, p=3, q=4)
    found = difference(X, Y, 3 * Y)
    assert found.value == pytest.approx(0, abs=1e-12)


def test_refusals():
    X, Y = related(n=20, p=3, q=4)
    with pytest.raises(ValueError, match="describe the same samples"):
        difference(X, Y, Y[:-1])
    with pytest.raises(ValueError, match="have one kernel"):
        difference(X, Y, Y, measure="cka(kernel=(rbf, linear))")
    with pytest.raises(vv.DegenerateInputError, match="difference: `Z` must vary"):
        difference(X, Y, np.zeros((20, 2)))
