"""Shape space: geodesics, tangents, means and paths against formulas and against each other."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.backends.libraries import LIBRARIES, as_numpy, same_home
from tests.data_makers import (
    FLOAT64_SCALES,
    dead_columns,
    mixed_scales,
    offset,
    orthonormal,
    random_rotation,
    rank_one,
    related,
    relu_like,
    wide,
)
from tests.oracles import shape_space as oracle

import visavis as vv
from visavis.shapes import (
    align,
    exp_map,
    frechet_mean,
    geodesic,
    log_map,
    path_length,
    straightness,
    tangent_pca,
)

PAIRS = {
    "plain": related(),
    "one width": related(p=5, q=5),
    "wider second": related(p=3, q=9),
    "wide": wide(),
    "wide, one width": wide(p=40, q=40),
    "first wide": related(n=10, p=30, q=4),
    "second wide": related(n=10, p=4, q=30),
    "offset": offset(),
    "mixed scales": mixed_scales(),
    "dead columns": dead_columns(),
    "one dimension": rank_one(),
    "two samples": related(n=2),
}
every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
fractions = pytest.mark.parametrize("t", [0, 0.25, 0.5, 1])


def points(k=5, *, n=20, p=4, spread=0.4, seed=0):
    """Representations about a common one, each turned, scaled and moved."""
    random = np.random.default_rng(seed)
    middle = random.standard_normal((n, p))
    return [
        (middle + spread * random.standard_normal((n, p))) @ random_rotation(p, random) * (i + 1)
        + i
        for i in range(k)
    ]


def angle(X, Y):
    return float(vv.procrustes(X, Y))


@every_pair
def test_align_leaves_the_distance_of_procrustes(pair):
    X, Y = pair
    turned = align(X, Y)
    width = max(X.shape[1], Y.shape[1])
    assert turned.shape == (len(X), width)
    chord = np.linalg.norm(oracle.shape(X, width) - turned)
    assert 2 * np.arcsin(chord / 2) == pytest.approx(angle(X, Y), rel=1e-10)
    # It is a turn: distances between samples are those of Y.
    y = oracle.shape(Y, width)
    np.testing.assert_allclose(turned @ turned.T, y @ y.T, atol=1e-12)


def test_align_is_the_rotation_of_scipy():
    X, Y = related(p=5, q=5)
    np.testing.assert_allclose(align(X, Y), oracle.aligned(X, Y)[1], atol=1e-12)


def test_align_turns_a_copy_back():
    X, _ = related()
    turned = 3 * X @ random_rotation(6, np.random.default_rng(0)) + 5
    np.testing.assert_allclose(align(X, turned), oracle.shape(X, 6), atol=1e-13)


def test_align_in_more_dimensions_than_samples_is_that_in_fewer():
    X, Y = wide(n=12, p=40, q=40)
    x, y, theta = oracle.aligned(X, Y)
    assert np.linalg.norm(x - align(X, Y)) == pytest.approx(np.linalg.norm(x - y), rel=1e-12)
    assert theta == pytest.approx(angle(X, Y), rel=1e-12)


@fractions
@pytest.mark.parametrize("name", ["one width", "plain", "offset"])
def test_geodesics_are_the_formula(name, t):
    X, Y = PAIRS[name]
    np.testing.assert_allclose(geodesic(X, Y, t), oracle.geodesic(X, Y, t), atol=1e-11)


@every_pair
@fractions
def test_geodesics_are_walked_at_one_speed(pair, t):
    X, Y = pair
    point, theta = geodesic(X, Y, t), angle(X, Y)
    assert angle(X, point) == pytest.approx(t * theta, rel=1e-9, abs=1e-12)
    assert angle(point, Y) == pytest.approx((1 - t) * theta, rel=1e-9, abs=1e-12)
    assert np.linalg.norm(point) == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(point.mean(axis=0), 0, atol=1e-12)


@every_pair
def test_distances_along_a_geodesic_add_up(pair):
    X, Y = pair
    third, rest = geodesic(X, Y, 1 / 3), geodesic(X, Y, 3 / 4)
    steps = angle(X, third) + angle(third, rest) + angle(rest, Y)
    assert steps == pytest.approx(angle(X, Y), rel=1e-9)


def test_a_geodesic_of_a_geodesic():
    X, Y = related()
    half = geodesic(X, geodesic(X, Y, 0.5), 0.5)
    np.testing.assert_allclose(half, geodesic(X, Y, 0.25), atol=1e-12)


def test_a_geodesic_to_a_turned_copy_stays():
    X, _ = related()
    turned = X @ random_rotation(6, np.random.default_rng(0))
    np.testing.assert_allclose(geodesic(X, turned, 0.5), oracle.shape(X, 6), atol=1e-13)
    assert np.linalg.norm(log_map(X, X)) < 1e-14


def test_near_shapes_keep_their_digits():
    X, _ = related()
    noise = np.random.default_rng(0).standard_normal(X.shape)
    for size in (1e-6, 1e-9):
        Y = X + size * noise
        assert angle(X, geodesic(X, Y, 0.5)) == pytest.approx(angle(X, Y) / 2, rel=1e-5)
        assert np.linalg.norm(log_map(X, Y)) == pytest.approx(angle(X, Y), rel=1e-5)


def test_shapes_with_nothing_in_common_are_a_right_angle_apart():
    X, _ = orthonormal(p=6)
    x, y = X[:, :3], X[:, 3:]
    assert angle(x, y) == pytest.approx(math.pi / 2, rel=1e-7)
    assert angle(x, geodesic(x, y, 0.5)) == pytest.approx(math.pi / 4, rel=1e-12)


@pytest.mark.parametrize("name", ["one width", "plain", "offset"])
def test_log_is_the_formula(name):
    X, Y = PAIRS[name]
    np.testing.assert_allclose(log_map(X, Y), oracle.log_map(X, Y), atol=1e-11)


@every_pair
def test_exp_of_log_comes_back(pair):
    X, Y = pair
    V = log_map(X, Y)
    assert np.linalg.norm(V) == pytest.approx(angle(X, Y), rel=1e-10)
    there = exp_map(X, V)
    assert angle(there, Y) < 1e-10
    np.testing.assert_allclose(there, align(X, Y), atol=1e-11)


@every_pair
def test_log_of_exp_comes_back(pair):
    X, Y = pair
    V = 0.3 * log_map(X, Y)
    there = exp_map(X, V)
    again = log_map(X, there)
    # Where Y has more to it than X can tell the turn of, the tangent is one of many.
    assert np.linalg.norm(again) == pytest.approx(np.linalg.norm(V), rel=1e-9, abs=1e-13)
    assert angle(exp_map(X, again), there) < 1e-10
    if X.shape[1] >= Y.shape[1] and len(X) > X.shape[1]:
        np.testing.assert_allclose(again, V, atol=1e-10)


def test_tangents_are_horizontal():
    # No part of them turns the shape: V'X is symmetric.
    X, Y = related(p=5, q=5)
    V, x = log_map(X, Y), oracle.shape(X, 5)
    np.testing.assert_allclose(V.T @ x, x.T @ V, atol=1e-12)
    assert abs((V * x).sum()) < 1e-13


def test_exp_of_nothing_stays():
    X, _ = related()
    np.testing.assert_allclose(exp_map(X, 0 * X), oracle.shape(X, 6), atol=1e-14)


def test_path_length_is_the_sum_of_angles():
    net = [related(p=p, q=1, seed=p)[0] for p in (3, 9, 60, 5)]
    expected = sum(oracle.angle(X, Y) for X, Y in itertools.pairwise(net))
    assert float(path_length(net)) == pytest.approx(expected, rel=1e-12)
    assert float(path_length({str(i): X for i, X in enumerate(net)})) == float(path_length(net))
    direct = oracle.angle(net[0], net[-1])
    assert float(straightness(net)) == pytest.approx(direct / expected, rel=1e-12)


def test_the_path_of_a_turned_net():
    random = np.random.default_rng(0)
    net = [related(p=p, q=1, seed=p)[0] for p in (3, 9, 60, 5)]
    other = [
        X @ random_rotation(X.shape[1], random) * random.uniform(0.1, 9) + random.standard_normal()
        for X in net
    ]
    assert float(path_length(other)) == pytest.approx(float(path_length(net)), rel=1e-12)
    assert float(straightness(other)) == pytest.approx(float(straightness(net)), rel=1e-12)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3)], ids=["forwards", "to and fro"])
def test_a_path_on_a_geodesic(order):
    X, Y = related()
    theta, fractions = angle(X, Y), np.array([0, 0.2, 0.7, 1])[list(order)]
    path = [geodesic(X, Y, float(t)) for t in fractions]
    way = np.abs(np.diff(fractions)).sum()
    assert float(path_length(path)) == pytest.approx(way * theta, rel=1e-10)
    assert float(straightness(path)) == pytest.approx(1 / way, rel=1e-10)


def test_finer_steps_on_an_arc_approach_its_length():
    # A small circle on the sphere of two orthonormal columns against a third: no geodesic.
    basis, _ = orthonormal(n=30, p=3)
    height = 0.6

    def curve(steps):
        angles = np.linspace(0, 1, steps)
        return [
            basis
            @ np.array(
                [math.sqrt(1 - height**2) * np.cos(a), math.sqrt(1 - height**2) * np.sin(a), height]
            )[:, None]
            for a in angles
        ]

    # One feature turns by its sign alone: shapes are lines, and this curve has length 0.8.
    assert float(path_length(curve(2000))) == pytest.approx(math.sqrt(1 - height**2), rel=1e-6)
    assert float(path_length(curve(20))) < float(path_length(curve(2000)))


def test_a_closed_path_is_not_straight():
    X, Y = related()
    assert float(straightness([X, Y, 2 * X])) < 1e-12


def test_the_mean_of_two_is_the_midpoint():
    X, Y = related(p=5, q=7)
    mean = frechet_mean([X, Y])
    assert (mean.iterations, mean.converged) == (1, True)
    assert mean.residual < 1e-12
    np.testing.assert_allclose(mean.shape, geodesic(X, Y, 0.5), atol=1e-12)
    np.testing.assert_allclose(mean.distances, angle(X, Y) / 2, rtol=1e-10)
    assert float(mean.variance) == pytest.approx((angle(X, Y) / 2) ** 2, rel=1e-10)


def test_the_mean_of_one_and_of_equal_shapes():
    X, _ = related()
    for Xs in ([X], [X, X @ random_rotation(6, np.random.default_rng(0)), 4 * X - 1]):
        mean = frechet_mean(Xs)
        np.testing.assert_allclose(mean.shape, oracle.shape(X, 6), atol=1e-13)
        assert (mean.iterations, mean.converged) == (0, True)


def test_the_mean_of_a_geodesic_is_in_its_middle():
    X, Y = related()
    Xs = [geodesic(X, Y, t) for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert angle(frechet_mean(Xs).shape, geodesic(X, Y, 0.5)) < 1e-10


def test_no_minimiser_finds_a_better_mean():
    Xs = points(4, n=6, p=2)
    assert float(frechet_mean(Xs).variance) == pytest.approx(
        oracle.variance_of_the_mean(Xs), rel=1e-7
    )


@pytest.mark.parametrize("shape", [{}, {"n": 8, "p": 20}, {"k": 12, "spread": 1.5}])
def test_tangents_to_all_vanish_at_the_mean(shape):
    Xs = points(**shape)
    mean = frechet_mean(Xs)
    assert mean.converged
    assert 0 < mean.iterations < 1000
    tangents = [log_map(mean.shape, X) for X in Xs]
    assert np.linalg.norm(np.mean(tangents, axis=0)) < 1e-11
    np.testing.assert_allclose(mean.distances, [angle(mean.shape, X) for X in Xs], rtol=1e-9)


def test_the_order_and_the_turns_do_not_matter_to_the_mean():
    Xs = points()
    random = np.random.default_rng(9)
    others = [X @ random_rotation(4, random) - 7 for X in Xs[::-1]]
    assert angle(frechet_mean(Xs).shape, frechet_mean(others).shape) < 1e-10


def test_a_mean_that_was_stopped_says_so():
    mean = frechet_mean(points(spread=1.0), iterations=1)
    assert (mean.iterations, mean.converged) == (1, False)
    assert mean.residual > 1e-10
    assert frechet_mean(points(spread=1.0), tolerance=0.5).iterations <= 1


def test_pca_of_a_geodesic_has_one_component():
    X, Y = related()
    fractions = np.array([0, 0.1, 0.5, 0.8])
    found = tangent_pca([geodesic(X, Y, float(t)) for t in fractions], components=3)
    assert found.share[0] == pytest.approx(1, abs=1e-12)
    expected = (fractions - fractions.mean()) * angle(X, Y)
    sign = np.sign(expected[np.abs(expected).argmax()])
    np.testing.assert_allclose(found.scores[:, 0], sign * expected, atol=1e-10)
    np.testing.assert_allclose(found.variance[0], expected.var(ddof=1), rtol=1e-9)


def test_pca_takes_tangents_apart():
    Xs = points()
    found = tangent_pca(Xs, components=4)
    mean = found.mean.shape
    assert found.directions.shape == (4, 20, 4)
    flat = found.directions.reshape(4, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(4), atol=1e-12)
    assert float(found.share.sum()) == pytest.approx(1, rel=1e-12)
    assert (np.diff(found.variance) <= 0).all()
    assert (found.scores.max(axis=0) >= -found.scores.min(axis=0)).all()
    # All components together lead back to every shape.
    for X, scores in zip(Xs, found.scores, strict=True):
        there = exp_map(mean, np.tensordot(scores, found.directions, 1))
        assert angle(there, X) < 1e-10
    # And squared scores add up to squared distances from the mean.
    np.testing.assert_allclose((found.scores**2).sum(axis=1), found.mean.distances**2, rtol=1e-9)


FUNCTIONS = {
    "align": align,
    "geodesic": lambda X, Y: geodesic(X, Y, 0.3),
    "log_map": log_map,
    "exp_map": lambda X, Y: exp_map(X, log_map(X, Y)),
    "path_length": lambda X, Y: path_length([X, Y, X]),
    "straightness": lambda X, Y: straightness([X, X - Y, Y]),
    "frechet_mean": lambda X, Y: frechet_mean([X, Y]).shape,
    "tangent_pca": lambda X, Y: tangent_pca([X, Y, X + Y]).scores,
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@every_function
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales(function, by):
    X, Y = related(p=5, q=5)
    np.testing.assert_allclose(function(by * X, by * Y), function(X, Y), atol=1e-10)


@every_function
def test_an_offset_in_single_precision(function):
    X, Y = ((Z + 1e3).astype(np.float32) for Z in related(p=5, q=5))
    answer = function(X, Y)
    assert answer.dtype == np.float32
    expected = function(X.astype(np.float64), Y.astype(np.float64))
    np.testing.assert_allclose(answer, expected, atol=2e-6)


@every_function
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(function, library):
    pair = [Z.astype("float32") for Z in relu_like(p=5, q=5)]
    with library.enabled():
        given = [library.array(Z) for Z in pair]
        answer = function(*given)
        assert same_home(answer, given[0])
        np.testing.assert_allclose(as_numpy(answer), function(*pair), atol=2e-4)


# With more features than samples what is turned onto nothing may turn anyhow; distances do not.
SMOOTH = [(name, 6) for name in ("align", "geodesic", "log_map", "path_length", "straightness")]


@pytest.mark.parametrize(("name", "n"), [*SMOOTH, ("path_length", 3), ("straightness", 3)])
def test_gradient(name, n):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=n, p=4, q=4)]
    assert torch.autograd.gradcheck(FUNCTIONS[name], pair)


@pytest.mark.parametrize("name", ["align", "geodesic", "log_map", "exp_map", "path_length"])
def test_jit(name):
    X, Y = related(n=8, p=3, q=3)
    with jax.enable_x64(True):
        answer = jax.jit(FUNCTIONS[name])(jnp.asarray(X), jnp.asarray(Y))
    np.testing.assert_allclose(answer, FUNCTIONS[name](X, Y), atol=1e-11)


@pytest.mark.parametrize("name", ["frechet_mean", "tangent_pca"])
def test_means_need_values(name):
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in related(n=8, p=3, q=3))
    with pytest.raises(TypeError, match=rf"{name}: `Xs\[0\]` must hold values .* step by step"):
        jax.jit(FUNCTIONS[name])(X, Y)


X, Y = related(p=5, q=5)
REFUSED = {
    "rows": (lambda: align(X, Y[:9]), "align: `X` and `Y` must describe the same samples, got 40"),
    "rows of many": (
        lambda: path_length([X, Y, Y[:9]]),
        r"path_length: `Xs\[0\]` and `Xs\[2\]` must describe the same samples, got 40 and 9 rows",
    ),
    "one": (lambda: path_length([X]), "`Xs` must hold 2 representations or more, got 1"),
    "none": (lambda: frechet_mean([]), "`Xs` must hold 1 representation or more, got 0"),
    "two": (lambda: tangent_pca([X, Y]), "`Xs` must hold 3 representations or more, got 2"),
    "one row": (lambda: path_length([X[:1], Y[:1]]), "`Xs` must have at least 2 rows, got 1"),
    "flat": (lambda: path_length(X), r"`Xs\[0\]` must be 2-D \(samples, features\), got shape"),
    "t": (lambda: geodesic(X, Y, math.nan), "geodesic: `t` must be a finite number, got nan"),
    "components": (
        lambda: tangent_pca([X, Y, X + Y], components=3),
        "`components` must be below the number of representations, 3, got 3",
    ),
    "no components": (
        lambda: tangent_pca([X, Y, X + Y], components=0),
        "`components` must be a whole number, 1 or more",
    ),
    "iterations": (lambda: frechet_mean([X], iterations=0), "`iterations` must be a whole number"),
    "tolerance": (lambda: frechet_mean([X], tolerance=-1), "`tolerance` must be 0 or more, got -1"),
    "no tangent": (lambda: exp_map(X, X - X.mean(axis=0)), "be a tangent .* got a part along `X`"),
    "moved": (lambda: exp_map(X, log_map(X, Y) + 1), "be a tangent at `X`, .* got columns with a"),
    "narrow": (
        lambda: exp_map(X, Y[:, :2]),
        r"40 rows and 5 features or more, got shape \(40, 2\)",
    ),
}


@pytest.mark.parametrize(("ask", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


@every_function
def test_a_constant_side_is_named(function):
    with pytest.raises(vv.DegenerateInputError, match=r"`(Y|Xs\[\d\])` must vary over the samples"):
        function(X, np.full_like(Y, 1 / 3))


@every_function
def test_a_nan_is_named(function):
    spoiled = Y.copy()
    spoiled[7, 2] = np.nan
    message = r"`(Y|Xs\[\d\])` must be finite, got nan at row 7, column 2"
    with pytest.raises(vv.DegenerateInputError, match=message):
        function(X, spoiled)


def test_one_shape_has_no_path():
    turned = X @ random_rotation(5, np.random.default_rng(0)) + 3
    with pytest.raises(vv.DegenerateInputError, match="straightness: `Xs` must not all be of one"):
        straightness([X, turned, X])
    with pytest.raises(vv.DegenerateInputError, match="tangent_pca: `Xs` must not all be of one"):
        tangent_pca([X, turned, X])
    assert float(path_length([X, turned, X])) < 1e-13


def test_libraries_are_not_mixed():
    message = r"`Xs\[0\]` and `Xs\[1\]` must be arrays of one library, got numpy and torch"
    with pytest.raises(TypeError, match=message):
        path_length([X, torch.tensor(Y)])


def test_public_names():
    assert set(vv.shapes.__all__) <= set(dir(vv.shapes))
    for name in vv.shapes.__all__:
        assert functools.reduce(getattr, ["shapes", name], vv).__doc__
