"""Matchings and couplings: brute force, duality, copies against the network simplex, and POT."""

import itertools
import math
import sys

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, identity, kron, vstack

from visavis.linalg import assignment, matching, transport


def gains(p, q, seed=0):
    return np.random.default_rng(seed).standard_normal((p, q))


def worth(gains, coupling):
    return float(gains[coupling.rows, coupling.cols] @ coupling.weights)


def dense(coupling, shape):
    plan = np.zeros(shape)
    np.add.at(plan, (coupling.rows, coupling.cols), coupling.weights)
    return plan


def program(gains):
    """The optimum of the transportation problem as a linear program over all p·q entries."""
    p, q = gains.shape
    rows = kron(identity(p), np.ones((1, q)))
    cols = kron(np.ones((1, p)), identity(q))
    found = linprog(
        -gains.ravel(),
        A_eq=csr_array(vstack([rows, cols])),
        b_eq=np.r_[np.full(p, 1 / p), np.full(q, 1 / q)],
        method="highs",
    )
    return -found.fun


SIZES = [(1, 1), (1, 4), (4, 1), (3, 3), (3, 5), (5, 3), (4, 6), (5, 5)]


@pytest.mark.parametrize(("p", "q"), SIZES)
def test_matching_is_the_best_of_all(p, q):
    G = gains(p, q)
    few, many = (G, q) if p <= q else (G.T, p)
    best = max(
        sum(few[i, j] for i, j in enumerate(chosen))
        for chosen in itertools.permutations(range(many), len(few))
    )
    found = matching(G)
    assert worth(G, found) == pytest.approx(best, rel=1e-14)
    assert found.rows.size == len(set(found.rows)) == len(set(found.cols)) == min(p, q)
    assert found.mean.weights.sum() == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("copies", [0, 4096], ids=["simplex", "copies"])
@pytest.mark.parametrize(("p", "q"), [*SIZES, (7, 12), (12, 7)])
def test_transport_is_the_linear_program(p, q, copies, monkeypatch):
    monkeypatch.setattr(assignment, "COPIES", copies)
    G = gains(p, q)
    found = transport(G, purpose="a test")
    plan = dense(found, (p, q))
    np.testing.assert_allclose(plan.sum(axis=1), 1 / p, rtol=1e-14)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / q, rtol=1e-14)
    assert worth(G, found) == pytest.approx(program(G), rel=1e-9)
    # A vertex: its pairs are a forest.
    assert found.rows.size <= p + q - 1
    assert (found.weights > 0).all()


@pytest.mark.parametrize(("p", "q"), [(6, 15), (31, 44), (16, 48)])
def test_copies_and_simplex_agree(p, q, monkeypatch):
    G = gains(p, q)
    by_copies = worth(G, transport(G, purpose="a test"))
    monkeypatch.setattr(assignment, "COPIES", 0)
    assert worth(G, transport(G, purpose="a test")) == pytest.approx(by_copies, rel=1e-13)


def test_as_many_rows_as_columns_are_matched_one_to_one():
    G = gains(7, 7)
    found, matched = transport(G, purpose="a test"), matching(G)
    np.testing.assert_array_equal(found.rows, matched.rows)
    np.testing.assert_array_equal(found.cols, matched.cols)
    np.testing.assert_allclose(found.weights, 1 / 7, rtol=1e-15)


@pytest.mark.parametrize("by", [1e-200, 1e-8, 1e8, 1e200])
@pytest.mark.parametrize("shape", [(61, 71), (8, 12)], ids=["simplex", "copies"])
def test_the_size_of_the_gains_does_not_matter(shape, by):
    G = gains(*shape)
    assert math.lcm(61, 71) > assignment.COPIES
    plain, scaled = (transport(each, purpose="a test") for each in (G, G * by))
    assert worth(G, scaled) == pytest.approx(worth(G, plain), rel=1e-13)


def test_equal_gains_are_coupled_all_the_same():
    found = transport(np.zeros((61, 71)), purpose="a test")
    assert found.weights.sum() == pytest.approx(1, rel=1e-13)


def test_widths_without_a_common_multiple_need_pot(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    message = r"^soft_matching with 61 and 71 units needs ot, .* pip install \"visavis\[ot\]\"\.$"
    with pytest.raises(ImportError, match=message):
        transport(gains(61, 71), purpose="soft_matching")
    assert transport(gains(64, 48), purpose="soft_matching").weights.sum() == pytest.approx(1)


def test_an_unfinished_simplex_is_an_error(monkeypatch):
    monkeypatch.setattr(assignment, "STEPS", 1)
    with (
        pytest.warns(UserWarning, match="numItermax"),
        pytest.raises(RuntimeError, match="a test: the transportation problem failed"),
    ):
        transport(gains(61, 71), purpose="a test")
