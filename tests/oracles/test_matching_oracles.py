"""Oracles of matching against all permutations, a linear program, and each other."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from tests import oracles
from tests.data_makers import related
from tests.oracles import centred
from tests.oracles.matching import positions, unit_columns


def correlations(X, Y):
    p = X.shape[1]
    return np.corrcoef(X, Y, rowvar=False)[:p, p:]


@pytest.mark.parametrize(("p", "q"), [(4, 4), (3, 5), (5, 2), (1, 3)])
def test_one_to_one_is_the_best_of_all(p, q):
    R = correlations(*related(p=p, q=q))
    R = R if p <= q else R.T
    best = max(
        sum(R[i, j] for i, j in enumerate(chosen))
        for chosen in itertools.permutations(range(R.shape[1]), R.shape[0])
    )
    expected = best / min(p, q)
    assert oracles.hard_matching(*related(p=p, q=q)) == pytest.approx(expected, rel=1e-12)


def test_the_best_partner_of_each():
    X, Y = related()
    expected = correlations(X, Y).max(axis=1).mean()
    assert oracles.semi_matching(X, Y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("p", "q"), [(4, 4), (3, 5), (6, 4)])
def test_couplings_by_a_linear_program(p, q):
    X, Y = related(p=p, q=q)
    rows, cols = np.kron(np.eye(p), np.ones(q)), np.kron(np.ones(p), np.eye(q))
    found = linprog(
        -correlations(X, Y).ravel(),
        A_eq=np.vstack([rows, cols]),
        b_eq=np.r_[np.full(p, 1 / p), np.full(q, 1 / q)],
    )
    assert oracles.soft_matching(X, Y) == pytest.approx(-found.fun, rel=1e-9)
    distance = oracles.soft_matching(X, Y, form="distance")
    assert distance == pytest.approx(math.sqrt(2 + 2 * found.fun), rel=1e-9)
    scaled = oracles.soft_matching(*(unit_columns(Z) for Z in (X, Y)), form="distance", scale=False)
    assert scaled == pytest.approx(distance, rel=1e-12)


@pytest.mark.parametrize("partial", [True, False])
def test_permutations_one_after_the_other(partial):
    X, Y = related(n=5, p=3, q=3, seed=4)
    Xc, Yc = (centred(Z).astype(float) for Z in (X, Y))
    if partial:
        Xc, Yc = (np.pad(Z, ((0, 0), (0, 3))) for Z in (Xc, Yc))
    width = Xc.shape[1]
    best = min(np.linalg.norm(Xc - Yc[:, list(pi)]) for pi in itertools.permutations(range(width)))
    value = oracles.permutation_procrustes(X, Y, form="euclidean", partial=partial)
    assert value == pytest.approx(best, rel=1e-12)
    x, y = np.linalg.norm(Xc), np.linalg.norm(Yc)
    angle = math.acos((x**2 + y**2 - best**2) / (2 * x * y))
    assert oracles.permutation_procrustes(X, Y, partial=partial) == pytest.approx(angle, rel=1e-12)


def test_a_rotation_of_channels_and_a_shift():
    random = np.random.default_rng(0)
    X = random.standard_normal((4, 3, 3, 4))
    Q = np.linalg.qr(random.standard_normal((3, 3)))[0]
    Y = np.roll(np.einsum("nchw,cd->ndhw", X, Q), (2, 1), axis=(2, 3))
    assert oracles.convolution_procrustes(X, Y) == pytest.approx(0, abs=1e-14)
    assert oracles.convolution_procrustes(X, Y, shifts=False) > 0.5
    np.testing.assert_array_equal(positions(X)[5], X[0, :, 1, 1])


def test_three_units_on_a_line():
    # At 0, 1 and 3 against 0, 1 and 2: the middle is nearer to one end than to the other.
    line = np.array([1.0, -1, 0, 0])[:, None]
    X, Y = line * [0, 1, 3], line * [0, 1, 2]
    # Distances 1, 2 and 3 against 1, 1 and 2, in units of √½; the best is 1–1, 2–1, 3–2.
    expected = math.sqrt(2 * (0 + 1 + 1) / 9) / 2 * math.sqrt(0.5)
    value = oracles.gromov_wasserstein(X, Y, metric="euclidean")
    assert value == pytest.approx(expected, rel=1e-12)
