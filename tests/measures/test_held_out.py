"""Scores on rows that were not fitted: the definition, agreement in sample, honesty out of it."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import FLOAT64_SCALES, independent, random_rotation, related
from tests.oracles.held_out import held_out as oracle

import visavis as vv

MEASURES = {
    "procrustes": {},
    "procrustes(form=euclidean)": {"form": "euclidean"},
    "procrustes(form=squared)": {"form": "squared"},
    "procrustes(form=similarity)": {"form": "similarity"},
    "bures": {"form": "euclidean"},
    "nbs": {"form": "similarity"},
    "shape_distance": {"alpha": 1.0},
    "shape_distance(alpha=0.5)": {"alpha": 0.5},
    "shape_distance(alpha=0)": {"alpha": 0.0},
    "linear_regression": {},
    "cca": {},
    "svcca(components=3)": {"components": 3},
}
every_measure = pytest.mark.parametrize("measure", MEASURES)


def split(pair, train=28):
    X, Y = pair
    return X[:train], Y[:train], X[train:], Y[train:]


@every_measure
@pytest.mark.parametrize(("p", "q"), [(6, 5), (4, 4), (3, 7)])
def test_against_the_definition(measure, p, q):
    sides = split(related(p=p, q=q))
    name = measure.split("(")[0]
    expected = oracle(*sides, measure=name, **MEASURES[measure])
    assert float(vv.held_out(*sides, measure=measure)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.0])
def test_what_training_does_not_span_is_matched_with_nothing(alpha):
    X, Y, T, U = split(related(n=30, p=25, q=35), 12)
    T, U = T - X.mean(axis=0), U - Y.mean(axis=0)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    whitened = []
    for Z, test in ((X, T), (Y, U)):
        _, sizes, right = np.linalg.svd(Z, full_matrices=False)
        known = right[:11]
        map_ = alpha * np.eye(Z.shape[1]) + (1 - alpha) * (known.T / sizes[:11]) @ known
        whitened.append((Z @ map_, test @ map_))
    (X, T), (Y, U) = whitened
    left, _, right = np.linalg.svd(Y.T @ X)
    turn = left[:, :11] @ right[:11]
    cosine = (T * (U @ turn)).sum() / np.linalg.norm(T) / np.linalg.norm(U)
    sides = split(related(n=30, p=25, q=35), 12)
    value = float(vv.held_out(*sides, measure=f"shape_distance(alpha={alpha})"))
    assert math.cos(value) == pytest.approx(cosine, rel=1e-9)
    if alpha == 1:
        distance = (T**2).sum() + (U**2).sum() - 2 * (T * (U @ turn)).sum()
        squared = float(vv.held_out(*sides, measure="procrustes(form=squared)"))
        assert squared == pytest.approx(distance, rel=1e-9)


@every_measure
@pytest.mark.parametrize("shape", [{}, {"n": 10, "p": 30, "q": 20}], ids=["tall", "wide"])
def test_on_the_training_rows_it_is_the_measure(measure, shape):
    X, Y = related(**shape)
    record = vv.measures.resolve(measure)
    if "allow_saturated" in record.defaults:
        record = record.with_options(allow_saturated=True)
    value = float(vv.held_out(X, Y, X, Y, measure=record))
    assert value == pytest.approx(float(record(X, Y)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("measure", ["procrustes", "bures", "procrustes(form=squared)"])
def test_a_turned_copy_is_no_distance_away(measure):
    X, _ = related()
    Y = X @ random_rotation(6, np.random.default_rng(0)) + 3
    assert float(vv.held_out(*split((X, Y)), measure=measure)) < 1e-12


@pytest.mark.parametrize("measure", ["linear_regression", "cca", "nbs"])
def test_a_mixed_copy_is_found_again(measure):
    X, _ = related()
    random = np.random.default_rng(0)
    Y = X @ (random_rotation(6, random) if measure == "nbs" else random.standard_normal((6, 6)))
    assert float(vv.held_out(*split((X, Y)), measure=measure)) == pytest.approx(1, rel=1e-12)


WIDE = independent(n=60, p=80, q=70)


@pytest.mark.parametrize(
    ("measure", "in_sample", "low", "high"),
    [
        ("procrustes", 1.0, 1.35, 1.8),
        ("nbs", 0.6, -0.2, 0.2),
        ("shape_distance(alpha=0.5)", 1.0, 1.35, 1.8),
        ("linear_regression(allow_saturated=True)", 0.999, -math.inf, 0.1),
        ("cca(allow_saturated=True)", 0.999, -0.2, 0.2),
    ],
)
def test_wide_noise_is_seen_through(measure, in_sample, low, high):
    sides = split(WIDE, 40)
    fitted = float(vv.measures.resolve(measure)(*sides[:2]))
    assert fitted < in_sample if low > 1 else fitted > in_sample
    assert low < float(vv.held_out(*sides, measure=measure)) < high


@every_measure
def test_what_it_forgets(measure):
    X, Y = related()
    random = np.random.default_rng(0)
    value = float(vv.held_out(*split((X, Y)), measure=measure))
    turned = X @ random_rotation(6, random) + 5, Y @ random_rotation(5, random) - 7
    assert float(vv.held_out(*split(turned), measure=measure)) == pytest.approx(value, rel=1e-9)


@every_measure
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales(measure, by):
    pair = related()
    value = float(vv.held_out(*split(pair), measure=measure))
    power = {"bures": 1, "procrustes(form=euclidean)": 1, "procrustes(form=squared)": 2}
    if measure == "shape_distance(alpha=0.5)":
        return  # alpha weighs the features by their unit
    factor = float(by) ** power.get(measure, 0)
    if not 1e-300 < factor * value < 1e300:
        return
    scaled = float(vv.held_out(*split([by * Z for Z in pair]), measure=measure))
    assert scaled == pytest.approx(factor * value, rel=1e-9)


@every_measure
def test_an_offset_in_single_precision(measure):
    sides = [(Z + 1e3).astype(np.float32) for Z in split(related())]
    expected = float(vv.held_out(*(Z.astype(np.float64) for Z in sides), measure=measure))
    assert float(vv.held_out(*sides, measure=measure)) == pytest.approx(expected, rel=1e-4)


@every_measure
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(measure, library):
    sides = [Z.astype("float32") for Z in split(related())]
    with library.enabled():
        given = [library.array(Z) for Z in sides]
        answer = vv.held_out(*given, measure=measure)
        assert same_home(answer, given[0])
        assert answer.shape == ()
        expected = float(vv.held_out(*sides, measure=measure))
        assert float(answer) == pytest.approx(expected, rel=1e-4)
        values = vv.cross_validated(given[0], given[1], measure=measure, folds=2)
        assert same_home(values, given[0])


@pytest.mark.parametrize("measure", ["procrustes", "linear_regression", "cca"])
def test_gradient(measure):
    sides = [torch.tensor(Z, requires_grad=True) for Z in split(related(n=14, p=3, q=3), 9)]
    assert torch.autograd.gradcheck(functools.partial(vv.held_out, measure=measure), sides)


@pytest.mark.parametrize("measure", ["procrustes", "linear_regression", "cca"])
@pytest.mark.parametrize("p", [3, 5])
def test_jit(measure, p):
    sides = split(related(n=14, p=p, q=3), 9)
    sides = [Z if p == 3 else np.concatenate([Z, Z[:, :1]], axis=1) for Z in sides]
    ask = functools.partial(vv.held_out, measure=measure)
    with jax.enable_x64(True):
        answer = jax.jit(ask)(*(jnp.asarray(Z) for Z in sides))
    assert float(answer) == pytest.approx(float(ask(*sides)), rel=1e-7)


def test_folds_are_splits():
    X, Y = related(n=20)
    labels = np.arange(20) % 4
    values = vv.cross_validated(X, Y, folds=labels)
    expected = [
        float(vv.held_out(X[labels != k], Y[labels != k], X[labels == k], Y[labels == k]))
        for k in range(4)
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-13)


def test_runs_of_rows_without_a_seed():
    X, Y = related(n=20)
    values = vv.cross_validated(X, Y, folds=2, seed=None, measure="linear_regression")
    forwards = vv.held_out(X[10:], Y[10:], X[:10], Y[:10], measure="linear_regression")
    assert float(values[0]) == float(forwards)
    first, second = (vv.cross_validated(X, Y, seed=seed) for seed in (1, 2))
    assert values.shape == (2,)
    assert first.shape == (5,)
    assert (np.asarray(first) != np.asarray(second)).any()
    np.testing.assert_array_equal(first, vv.cross_validated(X, Y, seed=1))


X, Y = related()
REFUSED = {
    "nothing to fit": (
        lambda: vv.held_out(*split((X, Y)), measure="cka"),
        "held_out: `measure` must fit an alignment: procrustes, .*, svcca, got cka",
    ),
    "squares": (
        lambda: vv.cross_validated(X, Y, measure="cca(form=r2)"),
        r"cross_validated: `measure` must have form='rho', got cca\(form=r2\)",
    ),
    "training rows": (
        lambda: vv.held_out(X, Y[:9], X, Y),
        "`X_train` and `Y_train` must describe the same samples, got 40 and 9 rows",
    ),
    "test rows": (
        lambda: vv.held_out(X, Y, X, Y[:9]),
        "`X_test` and `Y_test` must describe the same samples, got 40 and 9 rows",
    ),
    "features": (
        lambda: vv.held_out(X, Y, X[:, :3], Y),
        "`X_train` and `X_test` must have the same features, got 6 and 3 features",
    ),
    "features of Y": (lambda: vv.held_out(X, Y, X, Y[:, :3]), "`Y_train` and `Y_test` must have"),
    "one row": (
        lambda: vv.held_out(X, Y, X[:1], Y[:1]),
        "`X_test` must have at least 2 rows, got 1",
    ),
    "one fold": (
        lambda: vv.cross_validated(X, Y, folds=1),
        "`folds` must be a number from 2 to 20",
    ),
    "true": (lambda: vv.cross_validated(X, Y, folds=True), "`folds` must be a number .* got True"),
    "folds of one": (
        lambda: vv.cross_validated(X, Y, folds=np.arange(40)),
        "`folds` must leave 2 rows or more on either side of each fold, got folds of 1, 1",
    ),
    "one label": (
        lambda: vv.cross_validated(X, Y, folds=np.zeros(40)),
        "`folds` must leave 2 rows or more",
    ),
    "labels": (
        lambda: vv.cross_validated(X, Y, folds=[0, 1]),
        "`folds` must name the fold of each of the 40 rows, got 2",
    ),
}


@pytest.mark.parametrize(("ask", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


@every_measure
@pytest.mark.parametrize("place", [0, 1], ids=["X", "Y"])
def test_constant_training_rows_are_named(measure, place):
    sides = list(split((X, Y)))
    sides[place] = np.full_like(sides[place], 1 / 3)
    message = f"held_out: `{'XY'[place]}_train` must vary over the samples"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.held_out(*sides, measure=measure)


@every_measure
@pytest.mark.parametrize("place", range(4))
def test_a_nan_is_named(measure, place):
    sides = [Z.copy() for Z in split((X, Y))]
    sides[place][7, 2] = np.nan
    name = ("X_train", "Y_train", "X_test", "Y_test")[place]
    with pytest.raises(vv.DegenerateInputError, match=f"`{name}` must be finite, got nan at row 7"):
        vv.held_out(*sides, measure=measure)


@every_measure
def test_test_rows_at_the_mean_have_no_answer(measure):
    whole = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1], [2, 2], [-2, -2]])
    if "svcca" in measure:
        measure = "svcca(components=1)"
    with pytest.raises(vv.DegenerateInputError, match="test rows do not differ from the mean"):
        vv.held_out(whole, whole, np.zeros((3, 2)), np.zeros((3, 2)), measure=measure)
