"""Hard, semi- and soft matching: values by hand, how they relate, dead units, gradients."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.algebra import close

import visavis as vv
from visavis.linalg import assignment

MATCHINGS = [vv.hard_matching, vv.semi_matching, vv.soft_matching]
every_matching = pytest.mark.parametrize("matching", MATCHINGS)

# Three contrasts of four samples, each of norm 2 and orthogonal to the others.
A, B, C = np.array([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=float)
HALF = math.sqrt(0.5)


def units(*columns):
    return np.stack(columns, axis=1)


# Values by hand.


@pytest.mark.parametrize(
    ("X", "Y", "hard", "semi", "back", "soft"),
    [
        # A has its copy, and B half of one.
        (units(A, B), units(A, A + B), (1 + HALF) / 2, (1 + HALF) / 2, (1 + HALF) / 2, None),
        # One of three recurs.
        (units(A, B, C), units(A), 1.0, 1 / 3, 1.0, 1 / 3),
        # Its opposite is no copy: the signs are the same for a unit and its partner.
        (units(A), units(-A), -1.0, -1.0, -1.0, -1.0),
        (units(A, B), units(-A, C), 0.0, 0.0, 0.0, 0.0),
        # B serves both; only one of them can have it, and the other is left with A.
        (units(B, B + C), units(B, A), 0.5, (1 + HALF) / 2, 0.5, None),
        # Of 1/2 and 1/2 into thirds: A to A, B to B, and a sixth of each to C.
        (units(A, B), units(A, B, C), 1.0, 1.0, 2 / 3, 2 / 3),
    ],
)
def test_by_hand(X, Y, hard, semi, back, soft):
    soft = hard if soft is None else soft
    assert float(vv.hard_matching(X, Y)) == pytest.approx(hard, abs=1e-15)
    assert float(vv.semi_matching(X, Y)) == pytest.approx(semi, abs=1e-15)
    assert float(vv.semi_matching(Y, X)) == pytest.approx(back, abs=1e-15)
    assert float(vv.soft_matching(X, Y)) == pytest.approx(soft, abs=1e-15)
    distance = math.sqrt(2 - 2 * soft)
    assert float(vv.soft_matching(X, Y, form="distance")) == pytest.approx(distance, abs=1e-15)


def test_distance_of_one_unit_to_two():
    # All of both goes to the one: the mean squared distance.
    value = vv.soft_matching(units(A), units(3 * A, B), form="distance", scale=False)
    assert close(value, math.sqrt((4 * 4 + 4 + 4) / 2))


# How they relate.


@pytest.mark.parametrize("form", ["correlation", "distance"])
def test_soft_matching_of_one_width_is_hard_matching(form):
    X, Y = related(p=6, q=6)
    expected = float(vv.hard_matching(X, Y))
    expected = expected if form == "correlation" else math.sqrt(2 - 2 * expected)
    assert close(vv.soft_matching(X, Y, form=form), expected)


def test_soft_matching_without_scale_is_permutation_procrustes_of_one_width():
    X, Y = related(p=6, q=6)
    expected = float(vv.permutation_procrustes(X, Y, form="squared")) / 6
    assert close(vv.soft_matching(X, Y, form="distance", scale=False) ** 2, expected)


def test_hard_matching_is_at_most_semi_matching_from_the_narrower_side(pair):
    X, Y = pair
    assert Y.shape[1] < X.shape[1]
    assert float(vv.hard_matching(X, Y)) <= float(vv.semi_matching(Y, X)) + 1e-12
    assert float(vv.soft_matching(X, Y)) <= float(vv.semi_matching(X, Y)) + 1e-12
    assert float(vv.soft_matching(X, Y)) <= float(vv.semi_matching(Y, X)) + 1e-12


@pytest.mark.parametrize("scale", [True, False])
def test_every_unit_twice_is_no_distance_away(pair, scale):
    X, Y = pair
    distance = functools.partial(vv.soft_matching, form="distance", scale=scale)
    assert float(distance(X, np.hstack([X, X]))) == pytest.approx(0, abs=1e-12)
    assert close(distance(np.hstack([X, X, X]), Y), distance(X, Y), rel=1e-12)


@every_matching
def test_each_unit_may_have_a_scale_of_its_own(matching, pair):
    X, Y = pair
    sizes = np.geomspace(1e-100, 1e100, X.shape[1])
    assert close(matching(X * sizes, Y), matching(X, Y))


@every_matching
def test_the_sign_of_a_unit_counts(matching):
    X, _ = related()
    assert float(matching(X, -X)) < 0.7 < 0.999 < float(matching(X, X))


@pytest.mark.parametrize("n", [200, 1000])
def test_the_level_of_unrelated_units_is_what_the_docstring_says(n):
    X, Y = np.random.default_rng(0).standard_normal((2, n, 100))
    level = math.sqrt(2 * math.log(100) / n)
    assert float(vv.hard_matching(X, Y)) == pytest.approx(level, rel=0.3)


def test_widths_without_a_small_common_multiple():
    # By the network simplex: at least any other coupling, such as that of all with all.
    X, _ = related(n=50, p=61)
    Y, _ = related(n=50, p=71, seed=1)
    assert math.lcm(61, 71) > assignment.COPIES
    value = float(vv.soft_matching(X, Y))
    assert 0.1 < value < float(vv.semi_matching(X, Y))
    assert close(vv.soft_matching(Y, X), value)


# Units that do not vary, and other input without an answer.


@every_matching
def test_one_dead_unit_is_named(matching):
    X, Y = related()
    Y[:, 2] = 1e4 / 3
    message = (
        rf"^{matching.__name__}: `Y` has a unit that does not vary over the samples, and so has no "
        r"correlation with any other: column 2\. Leave it out\.$"
    )
    with pytest.raises(vv.DegenerateInputError, match=message):
        matching(X, Y)


@every_matching
def test_of_many_dead_units_five_are_named(matching):
    X, Y = related(p=20)
    X[:, 3:12] = 0
    message = rf"^{matching.__name__}: `X` has units .*: columns 3, 4, 5, 6, 7, … \(9 in all\)\. "
    with pytest.raises(vv.DegenerateInputError, match=message):
        matching(X, Y)


@every_matching
def test_nan_is_a_better_reason_than_a_dead_unit(matching):
    X, Y = related()
    X[:, 0], Y[3, 1] = 0, np.nan
    with pytest.raises(vv.DegenerateInputError, match="`Y` must be finite, got nan at row 3, col"):
        matching(X, Y)


def test_without_scale_a_dead_unit_is_a_unit_at_the_origin():
    X, Y = units(A, 0 * A + 7), units(A)
    value = vv.soft_matching(X, Y, form="distance", scale=False)
    assert close(value, math.sqrt(4 / 2))


def test_a_layer_with_a_dead_unit_is_a_finding_of_a_comparison():
    X, Y = related(n=60)
    dead = Y.copy()
    dead[:, 4] = 0.1
    result = vv.compare({"x": X}, {"y": Y, "dead": dead}, measures=["soft_matching", "cka"])
    matched, cka = result["soft_matching"], result["cka"]
    assert float(matched.values[0, 0]) == float(vv.soft_matching(X, Y))
    assert np.isnan(matched.values[0, 1])
    assert np.isfinite(cka.values).all()
    (finding,) = [each for each in matched.findings if each.code == "VV006"]
    assert "dead" in finding.message
    assert "has a unit that does not vary over the samples" in finding.message
    assert "column 4" in finding.message


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"form": "angular"}, ValueError, "`form` must be one of 'correlation', 'distance', got"),
        ({"scale": "no"}, TypeError, "`scale` must be True or False, got 'no'"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        vv.soft_matching(*related(), **options)
    with pytest.raises(error, match=message):
        vv.registry["soft_matching"].with_options(**options)


# Ties.


@every_matching
def test_equal_units_are_interchangeable(matching):
    X, Y = related(p=4, q=4)
    X = X[:, [0, 0, 1, 1, 1, 2]]
    Y = Y[:, [3, 3, 3, 1]]
    value = float(matching(X, Y))
    random = np.random.default_rng(0)
    shuffled = matching(X[:, random.permutation(6)], Y[:, random.permutation(4)])
    assert float(shuffled) == pytest.approx(value, rel=1e-13)


@every_matching
def test_two_samples_correlate_by_plus_or_minus_one(matching):
    X, Y = np.array([[0.0, 1, 2], [1, 0, 5]]), np.array([[1.0, 1], [3, 2]])
    # Up, down, up against up, up.
    expected = {"hard_matching": 1.0, "semi_matching": 1 / 3, "soft_matching": 1 / 3}
    assert float(matching(X, Y)) == pytest.approx(expected[matching.__name__], abs=1e-15)


# Transformations.

GRADIENTS = {
    "hard": vv.hard_matching,
    "semi": vv.semi_matching,
    "soft": vv.soft_matching,
    "distance": functools.partial(vv.soft_matching, form="distance"),
    "unscaled": functools.partial(vv.soft_matching, form="distance", scale=False),
}


@pytest.mark.parametrize("measure", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize("q", [2, 3])
def test_gradient(measure, q):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=12, p=3, q=q)]
    assert torch.autograd.gradcheck(measure, pair)


@pytest.mark.parametrize("matching", [vv.hard_matching, vv.soft_matching])
def test_what_is_matched_on_the_host_is_not_compiled(matching):
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in related())
    message = f"{matching.__name__}: `X` must hold values .*Units are matched on the host: call it"
    with pytest.raises(TypeError, match=message):
        jax.jit(matching)(X, Y)


def test_semi_matching_is_compiled_and_batched():
    pairs = [related(seed=seed) for seed in range(3)]
    X, Y = (jnp.asarray(np.stack(side), jnp.float32) for side in zip(*pairs, strict=True))
    plain = [float(vv.semi_matching(*pair)) for pair in pairs]
    np.testing.assert_allclose(jax.jit(jax.vmap(vv.semi_matching))(X, Y), plain, rtol=2e-6)
