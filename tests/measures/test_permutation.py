"""Permutation Procrustes: all permutations, units without partner, where it is a metric."""

import functools
import itertools
import math

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.algebra import centred, close

import visavis as vv

FORMS = ["angular", "euclidean", "squared", "similarity"]
every_form = pytest.mark.parametrize("form", FORMS)


def of_all(X, Y, form, partial):
    """The best of all permutations, one after the other."""
    p, q = X.shape[1], Y.shape[1]
    width = p + q if partial else max(p, q)
    X, Y = (np.pad(centred(Z), ((0, 0), (0, width - Z.shape[1]))) for Z in (X, Y))
    products = X.T @ Y
    inner = max(
        sum(products[i, j] for i, j in enumerate(chosen))
        for chosen in itertools.permutations(range(width))
    )
    x, y = np.linalg.norm(X), np.linalg.norm(Y)
    return {
        "angular": math.acos(inner / (x * y)),
        "euclidean": math.sqrt(x**2 + y**2 - 2 * inner),
        "squared": x**2 + y**2 - 2 * inner,
        "similarity": inner / (x * y),
    }[form]


def unrelated(p, q, seed):
    """Few samples, where many best partners are still negatively correlated."""
    random = np.random.default_rng(seed)
    return random.standard_normal((4, p)), random.standard_normal((4, q))


@every_form
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("p", "q", "partial"),
    [(1, 1, False), (4, 4, False), (3, 5, False), (5, 2, False), (1, 1, True), (3, 4, True)],
)
def test_the_best_of_all_permutations(p, q, partial, form, seed):
    X, Y = unrelated(p, q, seed)
    value = vv.permutation_procrustes(X, Y, form=form, partial=partial)
    assert float(value) == pytest.approx(of_all(X, Y, form, partial), rel=1e-12, abs=1e-14)


@every_form
@pytest.mark.parametrize("scale", [True, False])
def test_scale_divides_by_the_frobenius_norms(form, scale):
    X, Y = related()
    x, y = (np.linalg.norm(centred(Z)) for Z in (X, Y))
    value = vv.permutation_procrustes(X, Y, form=form, scale=scale)
    scaled = (X / x, Y / y) if scale else (X, Y)
    assert close(value, vv.permutation_procrustes(*scaled, form=form))


@every_form
def test_without_a_negative_pair_it_is_the_same_with_partial(form):
    X, _ = related(p=5)
    Y = X + 0.1 * np.random.default_rng(0).standard_normal(X.shape)
    value = vv.permutation_procrustes(X, Y, form=form)
    assert close(vv.permutation_procrustes(X, Y, form=form, partial=True), value)


def test_a_rotation_does_no_worse(pair):
    free = float(vv.procrustes(*pair))
    assert free < float(vv.permutation_procrustes(*pair, partial=True))
    assert free < float(vv.permutation_procrustes(*pair))


def test_small_distances_keep_their_digits():
    X, _ = related(p=6)
    change = 1e-10 * np.random.default_rng(0).standard_normal(X.shape)
    value = vv.permutation_procrustes(X, (X + change)[:, ::-1], form="euclidean")
    # The difference is rounded where X is added to it.
    assert close(value, np.linalg.norm(centred(change)), rel=1e-5)


def test_an_angle_near_pi_keeps_its_digits():
    x, y = related(p=1, q=1)
    x, y = (centred(z) / np.linalg.norm(centred(z)) for z in (x, y))
    y = y - x * np.vdot(x, y)
    y /= np.linalg.norm(y)
    opposite = -x + 1e-9 * y
    assert float(vv.permutation_procrustes(x, opposite)) == pytest.approx(math.pi - 1e-9, rel=1e-15)


# Where it is a metric.


def around(x):
    """From x over (x/2, −x/2) to −x."""
    return x, np.hstack([x / 2, -x / 2]), -x


@pytest.mark.parametrize("form", ["angular", "euclidean"])
def test_across_widths_the_triangle_inequality_holds_with_partial_alone(form):
    X, Y, Z = around(related(p=1)[0])
    for partial in (False, True):
        distance = functools.partial(vv.permutation_procrustes, form=form, partial=partial)
        detour = float(distance(X, Y)) + float(distance(Y, Z))
        assert (float(distance(X, Z)) <= detour + 1e-12) is partial
        record = vv.registry["permutation_procrustes"].with_options(form=form, partial=partial)
        assert record.metric is partial


@pytest.mark.parametrize("form", ["angular", "euclidean"])
@pytest.mark.parametrize("seed", range(10))
def test_of_one_width_the_triangle_inequality_holds(form, seed):
    random = np.random.default_rng(seed)
    X, Z = random.standard_normal((2, 5, 3))
    Y = (X + Z[:, random.permutation(3)]) / 2
    distance = functools.partial(vv.permutation_procrustes, form=form)
    assert float(distance(X, Z)) <= float(distance(X, Y)) + float(distance(Y, Z)) + 1e-12


# Units without a partner.


def test_opposite_units_are_as_far_apart_as_can_be():
    x, _ = related(p=1)
    assert close(vv.permutation_procrustes(x, -x), math.pi)
    assert close(vv.permutation_procrustes(x, -x, partial=True), math.pi / 2)
    size = 2 * np.linalg.norm(centred(x))
    assert close(vv.permutation_procrustes(x, -x, form="euclidean"), size)


def test_a_dead_unit_frees_another_from_a_partner_that_is_its_opposite():
    x, _ = related(p=1)
    y = np.hstack([-x, np.full_like(x, 1e4 / 3)])
    assert close(vv.permutation_procrustes(x, y), math.pi / 2)
    assert close(vv.permutation_procrustes(x, y, partial=True), math.pi / 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"form": "angle"}, ValueError, "`form` must be one of 'angular', 'euclidean', 'squared'"),
        ({"scale": 1}, TypeError, "`scale` must be True or False, got 1"),
        ({"partial": None}, TypeError, "`partial` must be True or False, got None"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=f"permutation_procrustes: {message}"):
        vv.permutation_procrustes(*related(), **options)


@every_form
@pytest.mark.parametrize("partial", [True, False])
def test_gradient(form, partial):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=12, p=3, q=2)]
    measure = functools.partial(vv.permutation_procrustes, form=form, partial=partial)
    assert torch.autograd.gradcheck(measure, pair)
