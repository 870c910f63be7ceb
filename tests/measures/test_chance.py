"""The chance level of a record is the mean over all permutations of the rows of one side."""

import math
from functools import partial

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import independent, related
from tests.measures.records import RECORDS, allowing, broad, given, meeting, of_few, over, value

import visavis as vv

WITH_CHANCE = [each for each in RECORDS if each.chance is not None]


def chance(measure, X, Y):
    return float(measure.chance(measure.settings, meeting(measure, *given(measure, X, Y))))


def check(measure, X, Y):
    # So few rows leave fewer degrees of freedom than there are ranks.
    measure = of_few(allowing(measure), len(X))
    values = oracles.permutation_values(partial(value, measure), X, Y)
    # Where the mean is 0, it is what is left of values of their size.
    mean, size = math.fsum(values) / len(values), abs(values).max()
    assert chance(measure, X, Y) == pytest.approx(mean, rel=1e-11, abs=1e-13 * size)


@over(WITH_CHANCE)
def test_chance_is_the_mean_over_all_permutations_of_five_rows(measure):
    check(measure, *related(n=5, p=3, q=broad(measure, 2), seed=2))


# The directions of a single feature are all equal or opposite: neighbours by index, not by chance.
NARROW = [each for each in WITH_CHANCE if each.settings.get("metric") != "cosine"]


@over([each for each in NARROW if broad(each, 1) == 1])
def test_chance_is_the_mean_over_all_permutations_of_a_single_feature(measure):
    check(measure, *related(n=5, p=1, q=2, seed=2))


@over([each for each in WITH_CHANCE if not each.options])
def test_chance_is_the_mean_over_all_permutations_of_six_rows(measure):
    check(measure, *related(n=6, p=2, q=3, seed=2))


@over(WITH_CHANCE)
def test_chance_does_not_depend_on_the_order_of_rows(measure):
    X, Y = related()
    assert chance(measure, X, Y[::-1]) == pytest.approx(chance(measure, X, Y), rel=1e-12)


KNOWN = ["cka", "hsic", "linear_regression", "canonical_ridge", "cca(form=r2)", "svcca(form=r2)"]
KNOWN += ["mutual_knn", "knn_jaccard", "rank_similarity", "cknna", "cycle_knn"]
KNOWN += ["information_imbalance"]
KNOWN += ["rsa", "rsa(compare=cosine)", "rsa(compare=whitened_cosine)"]


@pytest.mark.parametrize("label", KNOWN)
def test_where_a_closed_form_is_known_there_is_one(label):
    assert label in {each.label for each in WITH_CHANCE}


@pytest.mark.parametrize("name", ["cca", "svcca"])
def test_the_mean_of_a_sum_of_roots_is_not_known(name):
    assert vv.registry[name].chance is None
    assert vv.registry[name].with_options(form="r2").with_options(form="rho").chance is None


def test_chance_of_biased_cka_from_participation_ratios():
    # √(PR_X·PR_Y)/(n − 1), PR = (Σλ)²/Σλ².
    X, Y = related(n=40, p=12, q=10)
    ratios = []
    for Z in (X, Y):
        lam = np.linalg.svd(Z - Z.mean(axis=0), compute_uv=False) ** 2
        ratios.append(lam.sum() ** 2 / (lam**2).sum())
    expected = math.sqrt(ratios[0] * ratios[1]) / 39
    level = chance(vv.registry["cka"].with_options(estimator="biased"), X, Y)
    assert level == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kernel", ["linear", "rbf", "cosine"])
@pytest.mark.parametrize("n", [5, 6])
def test_debiased_cka_has_mean_0_and_a_known_variance(kernel, n):
    X, Y = related(n=n, p=3, q=2, seed=2)
    values = oracles.permutation_values(partial(vv.cka, kernel=kernel), X, Y)
    assert math.fsum(values) / len(values) == pytest.approx(0, abs=1e-13)
    assert math.fsum(values**2) / len(values) == pytest.approx(2 / (n * (n - 3)), rel=1e-11)


@pytest.mark.parametrize(("width", "level"), [(10, 0.095), (100, 0.495), (1000, 0.911)])
def test_chance_level_of_gaussians_of_some_width(width, level):
    X, Y = independent(n=100, p=width, q=width)
    biased = vv.registry["cka"].with_options(estimator="biased")
    assert chance(biased, X, Y) == pytest.approx(level, abs=0.01)
    assert chance(vv.registry["cka"], X, Y) == 0
