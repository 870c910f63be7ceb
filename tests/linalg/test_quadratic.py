"""The search for couplings by distances: its loss, its steps, and what it is worth."""

import itertools

import numpy as np
import ot
import pytest
from scipy.optimize import quadratic_assignment
from scipy.spatial.distance import cdist

from visavis import linalg
from visavis.linalg import quadratic


def distances(p, seed=0, dimension=3):
    points = np.random.default_rng(seed).standard_normal((p, dimension))
    return cdist(points, points)


def anywhere(p, q, seed=0):
    return linalg.transport(np.random.default_rng(seed).random((p, q)), purpose="a test")


def dense(coupling, shape):
    plan = np.zeros(shape)
    plan[coupling.rows, coupling.cols] = coupling.weights
    return plan


def least(D, E, starts=10):
    random = np.random.default_rng(0)
    return linalg.least_distortion(D, E, starts=starts, random=random, purpose="a test")


SIZES = [(6, 8), (7, 7), (5, 1), (12, 30)]
every_size = pytest.mark.parametrize(("p", "q"), SIZES)


@every_size
def test_the_distortion_is_the_loss_of_pot(p, q):
    D, E = distances(p), distances(q, 1)
    coupling = anywhere(p, q)
    plan = dense(coupling, (p, q))
    constants = ot.gromov.init_matrix(D, E, plan.sum(axis=1), plan.sum(axis=0), "square_loss")
    expected = float(ot.gromov.gwloss(*constants, plan))
    assert quadratic.distortion(D, E, coupling) == pytest.approx(expected, rel=1e-12)


def test_the_distortion_in_blocks(monkeypatch):
    D, E, coupling = distances(20), distances(30, 1), anywhere(20, 30)
    expected = quadratic.distortion(D, E, coupling)
    monkeypatch.setattr(quadratic, "BLOCK_ENTRIES", 1)
    assert quadratic.distortion(D, E, coupling) == pytest.approx(expected, rel=1e-13)


@every_size
@pytest.mark.parametrize("seed", range(5))
def test_every_round_goes_down_and_keeps_the_marginals(p, q, seed, monkeypatch):
    D, E = distances(p, seed), distances(q, seed + 10)
    monkeypatch.setattr(quadratic, "ROUNDS", 1)
    coupling, last = anywhere(p, q, seed), np.inf
    for _ in range(50):
        reached = quadratic.distortion(D, E, coupling)
        assert reached <= last * (1 + 1e-12)
        plan = dense(coupling, (p, q))
        np.testing.assert_allclose(plan.sum(axis=1), 1 / p, rtol=1e-13)
        np.testing.assert_allclose(plan.sum(axis=0), 1 / q, rtol=1e-13)
        found = quadratic.descended(D, E, coupling, "a test")
        if found is coupling:
            break
        coupling, last = found, reached
    assert found is coupling


@pytest.mark.parametrize("seed", range(5))
def test_no_exchange_of_two_partners_is_left(seed):
    D, E = distances(9, seed), distances(9, seed + 10)
    ended = quadratic.descended(D, E, anywhere(9, 9, seed), "a test")
    reached = quadratic.distortion(D, E, ended)
    for a, b in itertools.combinations(range(9), 2):
        cols = ended.cols.copy()
        cols[[a, b]] = cols[[b, a]]
        swapped = linalg.Coupling(ended.rows, cols, ended.weights)
        assert quadratic.distortion(D, E, swapped) >= reached * (1 - 1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p", [3, 5, 7])
def test_few_points_find_the_best_of_all_permutations(p, seed):
    D, E = distances(p, seed), distances(p, seed + 10)
    permutations = (list(each) for each in itertools.permutations(range(p)))
    best = min(((D - E[np.ix_(pi, pi)]) ** 2).mean() for pi in permutations)
    assert least(D, E, starts=30) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_not_above_the_solvers_of_scipy(seed):
    D, E = distances(20, seed), distances(20, seed + 10)
    found = []
    for method in ("faq", "2opt"):
        result = quadratic_assignment(
            D, E, method=method, options={"maximize": True, "rng": np.random.default_rng(0)}
        )
        found.append(((D - E[np.ix_(result.col_ind, result.col_ind)]) ** 2).mean())
    assert least(D, E) <= min(found) * (1 + 1e-9)


@pytest.mark.parametrize("p", [2, 20, 200])
def test_points_find_themselves(p):
    D, order = distances(p), np.random.default_rng(1).permutation(p)
    assert least(D, D[np.ix_(order, order)], starts=1) == pytest.approx(0, abs=1e-28)


def test_every_point_twice_is_the_same_arrangement():
    D = distances(10)
    twice = np.repeat(np.repeat(D, 2, axis=0), 2, axis=1)
    assert least(D, twice) == pytest.approx(0, abs=1e-28)
