"""Intrinsic multi-scale distance, magnitude, concentricity, uniformity: closed forms, input."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from tests.data_makers import duplicate_rows, offset, random_rotation, related
from tests.measures.algebra import close

import visavis as vv

OF_ROWS = [vv.magnitude_difference, vv.concentricity_difference, vv.uniformity_difference]
BLIND = [*OF_ROWS, vv.imd]
of_rows = pytest.mark.parametrize("measure", OF_ROWS)
blind = pytest.mark.parametrize("measure", BLIND)


@blind
def test_which_row_is_which_does_not_count(measure):
    X, Y = related(n=60)
    order = np.random.default_rng(0).permutation(60)
    assert float(measure(X[order], Y)) == pytest.approx(float(measure(X, Y)), rel=1e-11, abs=1e-15)
    assert float(measure(X, X[order])) == pytest.approx(0, abs=1e-14)


# Intrinsic multi-scale distance.


def circle(n, centre=0.0, radius=1.0):
    """Samples on a circle, whose two nearest are the ones beside them."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([centre + radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def supremum(a, b):
    """sup e^(−2(t + 1/t))|mean e^(−at) − mean e^(−bt)|, to about seven digits."""
    t = np.geomspace(0.1, 10, 20_001)[:, None]
    return (
        np.exp(-2 * (t + 1 / t))[:, 0] * abs(np.exp(-a * t).mean(1) - np.exp(-b * t).mean(1))
    ).max()


def cycle(n):
    """Eigenvalues of the normalised Laplacian of a cycle."""
    return 1 - np.cos(2 * np.pi * np.arange(n) / n)


def test_one_circle_and_two():
    X = circle(12)
    Y = np.vstack([circle(6), circle(6, centre=100)])
    expected = supremum(cycle(12), np.concatenate([cycle(6), cycle(6)]))
    assert close(vv.imd(X, Y, k=2), expected, rel=1e-6)
    assert float(vv.imd(X, Y, k=2)) >= expected


def test_pairs_and_triples():
    # An edge has the eigenvalues 0 and 2, a path of three samples 0, 1 and 2.
    pairs = np.add.outer(100.0 * np.arange(6), [0, 1]).reshape(-1, 1)
    triples = np.add.outer(100.0 * np.arange(4), [0, 1, 1.9]).reshape(-1, 1)
    a, b = np.repeat([0.0, 2.0], 6), np.repeat([0.0, 1.0, 2.0], 4)
    assert close(vv.imd(pairs, triples, k=1), supremum(a, b), rel=1e-6)


def test_the_peak_is_found_between_the_times_of_the_search():
    a, b = cycle(12), np.concatenate([cycle(6), cycle(6)])

    def negative(t):
        weight = math.exp(-2 * (t + 1 / t))
        return -weight * abs(np.exp(-a * t).mean() - np.exp(-b * t).mean())

    best = minimize_scalar(negative, bounds=(2, 8), method="bounded", options={"xatol": 1e-9})
    X, Y = circle(12), np.vstack([circle(6), circle(6, centre=100)])
    assert close(vv.imd(X, Y, k=2), -best.fun, rel=1e-13)


@pytest.mark.parametrize("by", [1e-150, 1e-8, 1e8, 1e150])
def test_imd_does_not_know_the_scale(by):
    X, Y = related(n=40)
    assert float(vv.imd(by * X, Y / by)) == float(vv.imd(X, Y))


def test_imd_of_an_offset_in_float32():
    X, Y = (Z.astype(np.float32) for Z in offset(by=1e4, n=60))
    exact = float(vv.imd(*(Z.astype(float) - Z.mean(axis=0, dtype=float) for Z in (X, Y))))
    assert float(vv.imd(X, Y)) == pytest.approx(exact, rel=1e-6)


def test_imd_of_duplicates_is_defined():
    X, Y = duplicate_rows(n=40)
    assert 0 < float(vv.imd(X, Y)) < math.exp(-4)
    same = np.zeros((40, 2))
    same[20:] = 1
    assert 0 <= float(vv.imd(same, Y)) < math.exp(-4)


def test_imd_has_no_gradient_and_no_jit():
    X, Y = related(n=20)
    given = torch.tensor(X, requires_grad=True), torch.tensor(Y)
    assert not vv.imd(*given).requires_grad
    with pytest.raises(TypeError, match="imd: `X` must hold values that can be read"):
        jax.jit(vv.imd)(jnp.asarray(X), jnp.asarray(Y))


@pytest.mark.parametrize("k", [0, -1, 2.5, True, None])
def test_neighbours_are_counted(k):
    with pytest.raises(ValueError, match="imd: `k` must be a whole number, 1 or more"):
        vv.imd(*related(), k=k)


def test_as_many_neighbours_as_there_may_be():
    X, Y = related(n=20)
    assert float(vv.imd(X, Y, k=18)) >= 0
    with pytest.raises(ValueError, match="imd: `X` and `Y` must have at least 21 rows, got 20"):
        vv.imd(X, Y, k=19)


# Magnitude.


@pytest.mark.parametrize("by", [1e-160, 1e-8, 1.0, 1e8, 1e160])
def test_magnitude_by_hand(by):
    X = by * np.array([[1.0, 2.0], [5.0, 6.0]])  # mean (3, 4)
    Y = by * np.array([[0.0], [-4.0]])
    assert close(vv.magnitude_difference(X, Y), 3 * by, rel=1e-15)


def test_magnitude_of_float32_at_an_offset():
    X, Y = (Z.astype(np.float32) for Z in offset(by=1e4, n=1000))
    expected = abs(np.subtract(*(np.linalg.norm(Z.astype(float).mean(axis=0)) for Z in (X, Y))))
    assert float(vv.magnitude_difference(X, Y)) == pytest.approx(expected, rel=1e-6)


# Concentricity.


def test_concentricity_by_hand():
    X = np.array([[1.0, 0.0], [0.0, 1.0]])  # both at 45 degrees from their mean
    Y = np.array([[3.0, 0.0], [5.0, 0.0]])
    assert close(vv.concentricity_difference(X, Y), 1 - math.sqrt(0.5))


def test_concentricity_weighs_directions_alike_but_not_the_mean():
    # The mean is that of the rows as they are: a long one draws it to itself.
    X = np.array([[100.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    Y = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    assert close(vv.concentricity_difference(X, Y), 1 - (1 - 1 - 1) / 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("by", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("side", ["X", "Y"])
def test_centred_features_have_no_concentricity(dtype, by, side):
    X, Y = related(n=200)
    special = (by * (X - X.mean(axis=0))).astype(dtype)
    X, Y = (special, Y.astype(dtype)) if side == "X" else (Y.astype(dtype), special)
    message = f"^concentricity_difference: `{side}` must have a mean row with a direction, got"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.concentricity_difference(X, Y)


# Uniformity.


@pytest.mark.parametrize("t", [1e-3, 0.5, 2, 300.0])
def test_uniformity_of_opposite_rows(t):
    X, Y = np.array([[2.0], [-1.0]]), np.array([[1.0], [7.0]])
    assert close(vv.uniformity_difference(X, Y, t=t), 4 * t)


@pytest.mark.parametrize("t", [0.5, 2.0])
def test_uniformity_of_three_axes(t):
    # Three orthogonal rows at squared distance 2; two equal and one opposite.
    X, Y = np.eye(3), np.array([[1.0], [1.0], [-1.0]])
    expected = abs(-2 * t - math.log((1 + 2 * math.exp(-4 * t)) / 3))
    assert close(vv.uniformity_difference(X, Y, t=t), expected)


def test_uniformity_does_not_know_the_lengths_of_rows():
    X, Y = related(n=30)
    lengths = np.random.default_rng(0).uniform(1e-3, 1e3, size=(30, 1))
    assert close(vv.uniformity_difference(lengths * X, Y), vv.uniformity_difference(X, Y))


def test_uniformity_does_not_depend_on_the_number_of_samples_in_the_mean():
    # Of each sample and itself there would be 1/n more.
    rows = np.random.default_rng(0).standard_normal((2000, 20))
    few = float(vv.uniformity_difference(rows[:200], np.ones((200, 20)) + 1e-9 * rows[:200]))
    many = float(vv.uniformity_difference(rows, np.ones((2000, 20)) + 1e-9 * rows))
    assert few == pytest.approx(many, rel=0.01)


def test_the_least_uniformity_is_about_minus_two_t():
    rows = np.random.default_rng(0).standard_normal((500, 400))
    cone = np.ones((500, 400)) + 1e-6 * rows
    assert float(vv.uniformity_difference(rows, cone)) == pytest.approx(4, abs=0.05)


def test_uniformity_in_a_narrow_cone_keeps_its_digits():
    # Squared distances about 1e-12: u is −t times their mean.
    rows = np.random.default_rng(0).standard_normal((2, 50, 8))
    X, Y = (1 + scale * Z for scale, Z in zip((1e-6, 2e-6), rows, strict=True))
    expected = []
    for Z in (X, Y):
        U = Z.astype(np.longdouble)
        U = U / np.sqrt((U**2).sum(axis=1, keepdims=True))
        expected.append(2 * ((U[:, None] - U) ** 2).sum() / (50 * 49))
    value = float(vv.uniformity_difference(X, Y))
    assert value == pytest.approx(float(expected[1] - expected[0]), rel=1e-3)


@pytest.mark.parametrize("t", [0, -1.0, math.nan, math.inf, True, "2", None])
def test_t_is_positive(t):
    message = "uniformity_difference: `t` must be a finite number above 0, got"
    with pytest.raises(ValueError, match=message):
        vv.uniformity_difference(*related(), t=t)
    with pytest.raises(ValueError, match=message):
        vv.registry["uniformity_difference"].with_options(t=t)


def test_the_range_of_uniformity_follows_t():
    assert vv.registry["uniformity_difference"].with_options(t=0.5).high == 2


# All that look at rows from the origin.


@pytest.mark.parametrize("side", ["X", "Y"])
@pytest.mark.parametrize("measure", [vv.concentricity_difference, vv.uniformity_difference])
def test_a_zero_row_has_no_direction(measure, side):
    X, Y = related()
    (X if side == "X" else Y)[3] = 0
    message = (
        f"^{measure.__name__}: `{side}` has a row that is all-zero .row 3., which has no angle"
    )
    with pytest.raises(vv.DegenerateInputError, match=message) as caught:
        measure(X, Y)
    assert str(caught.value).endswith("Drop these rows from both sides.")


@of_rows
def test_rotations_do_not_count(measure):
    X, Y = related(n=30)
    turned = (X + 1) @ random_rotation(6, np.random.default_rng(0))
    assert close(measure(turned, Y), measure(X + 1, Y), rel=1e-11)
