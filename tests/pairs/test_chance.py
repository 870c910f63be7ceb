"""The level of chance of each pair, where a closed form is known."""

import functools

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import related
from tests.pairs.tables import compared

import visavis as vv


def eigenvalues(X):
    return np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2


def biased_cka(X, Y):
    # √(PR_X·PR_Y)/(n − 1), PR = (Σλ)²/Σλ².
    ratios = [lam.sum() ** 2 / (lam**2).sum() for lam in (eigenvalues(X), eigenvalues(Y))]
    return np.sqrt(ratios[0] * ratios[1]) / (len(X) - 1)


CHANCES = {
    "cka": lambda X, Y: 0.0,
    "cka(kernel=rbf)": lambda X, Y: 0.0,
    "cka(estimator=biased)": biased_cka,
    "hsic": lambda X, Y: 0.0,
    "hsic(estimator=biased)": lambda X, Y: (
        eigenvalues(X).sum() * eigenvalues(Y).sum() / (len(X) - 1) ** 3
    ),
    "cca(form=r2)": lambda X, Y: max(X.shape[1], Y.shape[1]) / (len(X) - 1),
    "linear_regression": lambda X, Y: X.shape[1] / (len(X) - 1),
}


@pytest.mark.parametrize(("measure", "closed_form"), CHANCES.items(), ids=CHANCES)
def test_chance_of_each_pair(sides, measure, closed_form):
    a, b = sides
    expected = [[closed_form(X, Y) for Y in b.values()] for X in a.values()]
    res = compared(a, b, measure=measure)
    np.testing.assert_allclose(res.chance, expected, rtol=1e-11, atol=0)


def test_chance_is_the_mean_over_all_permutations():
    X, Y = related(n=6, p=3, q=2)
    res = compared({"x": X}, {"y": Y}, measure="cka(estimator=biased)", silenced=["VV002"])
    mean = oracles.permutation_mean(functools.partial(vv.cka, estimator="biased"), X, Y)
    assert res.chance[0, 0] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("measure", ["cca", "pwcca", "procrustes"])
def test_without_a_closed_form_there_is_no_chance(sides, measure):
    assert compared(*sides, measure=measure).chance is None


def test_chance_of_a_set_with_itself_is_mirrored(sides):
    res = compared(sides[0], measure="cka(estimator=biased)")
    np.testing.assert_array_equal(res.chance, res.chance.T)


def test_chance_where_there_is_no_value_is_none(sides):
    a = {**sides[0], "dead": np.ones((24, 3))}
    res = compared(a, sides[1], measure="cka(estimator=biased)")
    assert np.isnan(res.chance[3]).all()
    assert np.isfinite(res.chance[:3]).all()
