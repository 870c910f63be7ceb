"""Predictivity: models, penalties, folds and scores, beside what every record is tested for."""

import functools
import math

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from tests import oracles
from tests.backends.libraries import LIBRARIES
from tests.data_makers import (
    HOSTILE,
    dead_columns,
    independent,
    random_rotation,
    related,
    relu_like,
)
from tests.measures.maps import MAPS

import visavis as vv
from visavis._core import array
from visavis.measures.measure import ORTHOGONAL, SCALING
from visavis.stats.folds import Folded, assigned

N = 60
GROUPS = np.arange(N) % 4
OPTIONS = [
    {"score": "pearson"},
    {"score": "pearson", "average": "mean", "folds": 3},
    {"model": "pls", "score": "pearson", "components": 2},
    {"average": "mean"},
    {"average": "median", "model": "pls", "components": 3},
    {"model": "pls", "components": 1},
    {"model": "pls", "components": 3, "seed": 7},
    {"penalties": 0.1},
    {"penalties": 0},
    {"penalties": (1e-3, 1.0), "folds": 2},
    {"folds": GROUPS, "average": "mean"},
    {"folds": 12, "seed": None, "penalties": 0.01},
]
LABELS = [vv.registry["predictivity"].with_options(**each).label for each in OPTIONS]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=LABELS)


def shown(options):
    """Options as the oracle takes them."""
    return {k: (v.tolist() if isinstance(v, np.ndarray) else v) for k, v in options.items()}


@every_option
@pytest.mark.parametrize("shape", [(6, 5), (100, 7), (5, 90)], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_against_its_definition(options, shape, dtype):
    p, q = shape
    X, Y = (Z.astype(dtype) for Z in related(n=N, p=p, q=q))
    answer = vv.predictivity(X, Y, **options)
    rel = 1e-10 if dtype == "float64" else 1e-6
    expected = oracles.predictivity(X, Y, **shown(options))
    assert float(answer) == pytest.approx(expected, rel=rel, abs=rel)
    assert answer.dtype == X.dtype


@pytest.mark.parametrize("options", [{}, *OPTIONS[:7]], ids=str)
@pytest.mark.parametrize("name", ["offset", "heavy_tailed", "mixed_scales", "rank_one", "wide"])
def test_hostile_data(options, name):
    X, Y = HOSTILE[name](n=N, p=8, q=7)
    answer = float(vv.predictivity(X, Y, **options))
    assert answer == pytest.approx(oracles.predictivity(X, Y, **options), rel=1e-9, abs=1e-9)


# Other implementations.


def scored(X, Y, folds, model):
    """Out-of-sample R² of a model of scikit-learn."""
    lost = total = 0.0
    for test in assigned(folds, len(X), 0):
        train = np.setdiff1d(np.arange(len(X)), test)
        predicted = model(X[train]).fit(X[train], Y[train]).predict(X[test])
        lost += ((Y[test] - predicted.reshape(Y[test].shape)) ** 2).sum()
        total += ((Y[test] - Y[train].mean(axis=0)) ** 2).sum()
    return 1 - lost / total


@pytest.mark.parametrize("components", [1, 2, 5])
@pytest.mark.parametrize("shape", [(6, 5), (90, 7), (8, 1)], ids=str)
def test_partial_least_squares_of_scikit_learn(components, shape):
    # Its power iteration stops where weights agree to eight digits.
    p, q = shape
    X, Y = related(n=N, p=p, q=q)
    peer = functools.partial(PLSRegression, components, scale=False, max_iter=10**6, tol=1e-28)
    answer = float(vv.predictivity(X, Y, model="pls", components=components))
    assert answer == pytest.approx(scored(X, Y, 5, lambda _: peer()), abs=1e-8)


@pytest.mark.parametrize("shape", [(6, 5), (90, 7)], ids=str)
def test_ridge_of_scikit_learn(shape):
    p, q = shape
    X, Y = related(n=N, p=p, q=q)

    def model(T):
        largest = np.linalg.norm(T - T.mean(axis=0), 2) ** 2
        return Ridge(alpha=0.03 * largest, solver="svd")

    answer = float(vv.predictivity(X, Y, penalties=0.03))
    assert answer == pytest.approx(scored(X, Y, 5, model), rel=1e-12)


# Identities.


def test_all_components_are_least_squares():
    X, Y = related(n=N, p=6, q=5)
    pls = float(vv.predictivity(X, Y, model="pls"))
    assert pls == pytest.approx(float(vv.predictivity(X, Y, penalties=0)), rel=1e-12)


def test_one_target_and_one_component_is_a_direction_of_covariance():
    X, Y = related(n=N, p=6, q=1)
    lost = total = 0.0
    for test in assigned(5, N, 0):
        train = np.setdiff1d(np.arange(N), test)
        x, y = X[train] - X[train].mean(axis=0), Y[train] - Y[train].mean(axis=0)
        w = x.T @ y
        slope = (x @ w).T @ y / ((x @ w).T @ (x @ w))
        held = Y[test] - Y[train].mean(axis=0)
        lost += ((held - (X[test] - X[train].mean(axis=0)) @ w @ slope) ** 2).sum()
        total += (held**2).sum()
    answer = float(vv.predictivity(X, Y, model="pls", components=1))
    assert answer == pytest.approx(1 - lost / total, rel=1e-12)


def test_leave_one_out_is_that_of_the_leverage():
    # Least squares with every row a fold: the residual over 1 − h, in closed form.
    X, Y = related(n=N, p=6, q=5)
    design = np.hstack([np.ones((N, 1)), X])
    hat = design @ np.linalg.pinv(design)
    residual = (Y - hat @ Y) / (1 - np.diag(hat))[:, None]
    about = (Y - Y.mean(axis=0)) * N / (N - 1)
    expected = 1 - (residual**2).sum() / (about**2).sum()
    answer = float(vv.predictivity(X, Y, penalties=0, folds=N))
    assert answer == pytest.approx(expected, rel=1e-11)


def test_one_target_has_one_average():
    X, Y = related(n=N, p=6, q=1)
    values = [float(vv.predictivity(X, Y, average=each)) for each in ("weighted", "mean", "median")]
    assert values == pytest.approx([values[0]] * 3, rel=1e-12)


@pytest.mark.parametrize("model", ["ridge", "pls"])
def test_a_large_penalty_or_a_dead_training_knows_the_mean_alone(model):
    X, Y = related(n=N, p=6, q=5)
    if model == "ridge":
        assert float(vv.predictivity(X, Y, penalties=1e12)) == pytest.approx(0, abs=1e-10)
    lone = np.zeros_like(X)
    lone[0] = X[0]  # whichever fold holds it out has nothing to learn from
    lone[1] = -X[0]
    folds = np.where(np.arange(N) < 2, 0, np.arange(N) % 3 + 1)
    value = float(vv.predictivity(lone, Y, model=model, folds=folds))
    expected = oracles.predictivity(lone, Y, model=model, folds=folds.tolist())
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_noise_is_not_predicted_and_what_is_linear_is():
    X, Y = independent(n=200, p=150, q=5)
    assert float(vv.linear_regression(X, Y)) > 0.7
    assert abs(float(vv.predictivity(X, Y))) < 0.1
    weights = np.random.default_rng(1).normal(size=(150, 5))
    assert float(vv.predictivity(X, X @ weights)) > 0.7
    assert float(vv.predictivity(X[:, :20], X[:, :20] @ weights[:20])) > 1 - 1e-12


def test_a_part_is_predicted_by_the_whole_and_not_the_other_way():
    X, _ = related(n=200, p=6, q=1)
    assert float(vv.predictivity(X, X[:, :2])) > 1 - 1e-12
    assert float(vv.predictivity(X[:, :2], X)) < 0.5


def test_the_penalty_grows_with_the_noise():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 40)) * np.geomspace(1, 1e-2, 40)
    signal = X @ rng.normal(size=(40, 10))
    fixed = {each: [] for each in (1e-8, 1e-2, None)}
    for noise in (1e-6, 1.0):
        Y = signal + noise * rng.normal(size=signal.shape)
        for each, values in fixed.items():
            values.append(float(vv.predictivity(X, Y, penalties=each)))
    assert fixed[1e-8][0] > fixed[1e-2][0]
    assert fixed[1e-2][1] > fixed[1e-8][1]
    for k in (0, 1):
        assert fixed[None][k] > max(fixed[1e-8][k], fixed[1e-2][k]) - 0.02


# Folds.


def test_every_row_is_held_out_once():
    parts = assigned(7, 60, 3)
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    assert {len(each) for each in parts} == {8, 9}
    assert [each.tolist() for each in assigned(3, 7, None)] == [[0, 1, 2], [3, 4], [5, 6]]


def test_the_seed_deals_rows_and_the_order_of_rows_counts():
    X, Y = related(n=N, p=6, q=5)
    values = {float(vv.predictivity(X, Y, seed=seed)) for seed in (0, 0, 1, 2, None)}
    assert len(values) == 4
    order = np.random.default_rng(9).permutation(N)
    assert float(vv.predictivity(X[order], Y[order])) != float(vv.predictivity(X, Y))


def test_folds_that_are_given_move_with_their_rows():
    X, Y = related(n=N, p=6, q=5)
    order = np.random.default_rng(9).permutation(N)
    before = float(vv.predictivity(X, Y, folds=GROUPS))
    after = float(vv.predictivity(X[order], Y[order], folds=GROUPS[order]))
    assert after == pytest.approx(before, rel=1e-12)
    words = [["a", "b", "c", "d"][k] for k in GROUPS]
    assert float(vv.predictivity(X, Y, folds=words)) == before
    assert float(vv.predictivity(X, Y, folds=torch.tensor(GROUPS))) == before


def test_groups_in_one_fold_are_not_told_by_each_other():
    # Ten copies of each of twelve samples: known once seen, unless all are held out together.
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(12, 30)), rng.normal(size=(12, 4))
    X, Y = np.repeat(X, 10, axis=0), np.repeat(Y, 10, axis=0)
    assert float(vv.predictivity(X, Y)) > 0.99
    assert float(vv.predictivity(X, Y, folds=np.repeat(np.arange(12) % 4, 10))) < 0.2


# The record.


@every_option
def test_the_engine_says_the_same(options):
    X, Y = related(n=N, p=6, q=5)
    measure = vv.registry["predictivity"].with_options(**options)
    sides = {"x": X, "wide": np.hstack([X, X**2, np.sin(9 * X[:, :1] * Y)])}, {"y": Y, "x": X}
    res = vv.compare(*sides, measure=measure, progress=False)
    expected = [[float(measure(a, b)) for b in sides[1].values()] for a in sides[0].values()]
    np.testing.assert_allclose(res.values, expected, rtol=1e-11)


@every_option
@pytest.mark.parametrize("name", MAPS)
def test_declared_invariances(options, name):
    X, Y = related(n=N, p=6, q=5)
    measure = vv.registry["predictivity"].with_options(**options)
    before = float(measure(X, Y))
    after = float(measure(*MAPS[name](X, Y, np.random.default_rng(1))))
    if name in measure.invariant_to:
        assert after == pytest.approx(before, rel=1e-9)
    elif name in measure.not_invariant_to:
        assert abs(after - before) > 1e-5


@every_option
def test_turning_x_alone_is_never_seen(options):
    X, Y = related(n=N, p=6, q=5)
    turned = X @ random_rotation(6, np.random.default_rng(1))
    value = float(vv.predictivity(X, Y, **options))
    assert float(vv.predictivity(turned, Y, **options)) == pytest.approx(value, rel=1e-9)


def test_facts_follow_the_options():
    record = vv.registry["predictivity"]
    pearson = record.with_options(score="pearson", folds=10)
    assert (record.low, record.high, record.minimum_rows) == (-math.inf, 1.0, 5)
    assert (pearson.low, pearson.high, pearson.minimum_rows) == (-1.0, 1.0, 30)
    assert (record.always_defined, pearson.always_defined) == (True, False)
    assert ORTHOGONAL in record.invariant_to
    assert ORTHOGONAL in pearson.not_invariant_to
    assert SCALING in record.invariant_to & pearson.invariant_to
    assert record.with_options(folds=GROUPS).minimum_rows == 4
    assert "10 folds" in pearson.description()
    assert "given" in record.with_options(folds=GROUPS).description()
    assert "25 components" in record.with_options(model="pls").description()


def test_the_decompositions_of_x_are_made_once(monkeypatch):
    made = []
    fold = Folded._fold
    monkeypatch.setattr(Folded, "_fold", lambda self, test: made.append(1) or fold(self, test))
    X, Y = related(n=N, p=6, q=5)
    layers = {f"y{k}": Y[:, :k] for k in range(1, 6)}
    vv.compare({"x": X}, layers, measures=["predictivity", "predictivity(model=pls)"])
    assert len(made) == 5


@pytest.mark.parametrize("options", [{}, OPTIONS[2], OPTIONS[3]], ids=str)
def test_on_the_library_itself(options, monkeypatch):
    # As where the host cannot see the memory of the device.
    X, Y = related(n=N, p=70, q=5)
    expected = float(vv.predictivity(X, Y, **options))
    monkeypatch.setattr(array, "host", lambda x: x)
    for name in ("torch", "array_api_strict"):
        x, y = (LIBRARIES[name].array(each) for each in (X, Y))
        answer = vv.predictivity(x, y, **options)
        assert type(answer) is type(x)
        assert float(answer) == pytest.approx(expected, rel=1e-10)


def test_recorded_tensors_have_a_value_and_no_gradient():
    X, Y = related(n=N, p=6, q=5)
    x = torch.tensor(X, requires_grad=True)
    answer = vv.predictivity(x, torch.tensor(Y))
    assert not answer.requires_grad
    assert float(answer) == pytest.approx(float(vv.predictivity(X, Y)), rel=1e-12)


# What has no answer.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "lasso"}, "`model` must be one of 'ridge', 'pls', got 'lasso'"),
        ({"score": "r"}, "`score` must be one of 'r2', 'pearson', got 'r'"),
        ({"score": "pearson", "average": "weighted"}, "must be one of 'median', 'mean'"),
        ({"folds": 1}, "`folds` must be a number of folds, 2 or more, or the fold of each"),
        ({"folds": True}, "`folds` must be .* got True"),
        ({"folds": "ab"}, "`folds` must be .* got 'ab'"),
        ({"folds": []}, r"`folds` must be .* got \[\]"),
        ({"folds": [3] * N}, "`folds` must be a number of folds"),
        ({"folds": GROUPS[:-1]}, r"`folds` must be one for each of the 60 rows, got shape \(59,\)"),
        ({"folds": [0, 1] + [2] * 58}, None),
        ({"folds": [0] + [1] * 59}, "leave two rows to every training, got one of 59 of 60 rows"),
        ({"folds": 61}, "must have at least 61 rows, got 60"),
        ({"folds": 21, "score": "pearson"}, "must have at least 63 rows, got 60"),
        ({"folds": [0, 0] + [1] * 58, "score": "pearson"}, "three rows or more each .* one of 2"),
        ({"seed": -1}, "`seed` must be a whole number, 0 or more, or None, got -1"),
        ({"seed": 0.5}, "`seed` must be a whole number"),
        ({"penalties": -1.0}, "`penalties` must be a number or several, each finite and zero or"),
        ({"penalties": []}, "`penalties` must be a number or several"),
        ({"penalties": (1.0, math.inf)}, r"`penalties` must be .* got \(1.0, inf\)"),
        ({"penalties": "auto"}, "`penalties` must be .* got 'auto'"),
        ({"components": 0}, "`components` must be a whole number, 1 or more, got 0"),
    ],
    ids=str,
)
def test_options_that_are_refused(options, message):
    X, Y = related(n=N, p=6, q=5)
    if message is None:
        assert math.isfinite(vv.predictivity(X, Y, **options))
        return
    with pytest.raises(ValueError, match=f"^predictivity: .*{message}"):
        vv.predictivity(X, Y, **options)


@pytest.mark.parametrize("options", [{"average": "mean"}, {"score": "pearson"}], ids=str)
def test_a_target_without_variation_is_named(options):
    X, Y = dead_columns(n=N, p=6, q=5)
    message = (
        "^predictivity: `Y` must vary in every column that is to be predicted.* column 0 and 1"
    )
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.predictivity(X, Y, **options)
    assert math.isfinite(vv.predictivity(X, Y[:, 2:], **options))  # dead predictors do no harm
    assert math.isfinite(vv.predictivity(X, Y))


def test_a_target_without_variation_in_a_fold_is_named():
    X, Y = related(n=N, p=6, q=5)
    Y[assigned(5, N, 0)[3], 2] = 0.1
    message = "`Y` must vary .* in the rows held out of fold 3, got column 2 without variation"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.predictivity(X, Y, score="pearson")
    assert math.isfinite(vv.predictivity(X, Y, average="mean"))


def test_a_prediction_without_variation_is_named():
    X, Y = related(n=N, p=6, q=5)
    X[assigned(5, N, 0)[3]] = 0.1
    with pytest.raises(vv.DegenerateInputError, match=r"predictions that vary.*fold 3"):
        vv.predictivity(X, Y, score="pearson")
    Y[np.setdiff1d(np.arange(N), assigned(5, N, 0)[1]), 4] = 0.3
    X, _ = related(n=N, p=6, q=5)
    with pytest.raises(vv.DegenerateInputError, match=r"`Y` must vary .* fold 0, got column 4"):
        vv.predictivity(X, Y, score="pearson")


def test_a_layer_without_a_score_of_its_own_leaves_the_others():
    X, Y = related(n=N, p=6, q=5)
    dead = np.hstack([Y, np.zeros((N, 1))])
    measure = "predictivity(score=pearson)"
    res = vv.compare({"x": X}, {"y": Y, "dead": dead}, measure=measure, progress=False)
    assert math.isfinite(res["x", "y"])
    assert math.isnan(res["x", "dead"])
    assert any("vary in every column" in str(each) for each in res.findings)


@pytest.mark.parametrize("options", [{"folds": 4}, {"score": "pearson", "folds": 2}], ids=str)
def test_relu_layers_have_an_answer(options):
    X, Y = relu_like(n=N, p=6, q=5)
    answer = float(vv.predictivity(X, Y, **options))
    assert answer == pytest.approx(oracles.predictivity(X, Y, **options), rel=1e-9)


def test_rows_that_nothing_tells_of_leave_a_choice_of_penalty():
    # A feature of one row alone has leverage one: no penalty of zero can be judged there.
    X, Y = related(n=N, p=4, q=3)
    X = np.hstack([X, np.eye(N)[:, :1]])
    value = float(vv.predictivity(X, Y, penalties=(0.0, 1e-4)))
    fixed = float(vv.predictivity(X, Y, penalties=1e-4))
    free = [float(vv.predictivity(X, Y, penalties=each, folds=5)) for each in (0.0, 1e-4)]
    assert math.isfinite(value)
    assert min(free) - 1e-3 < value < max(free) + 1e-3
    assert fixed == free[1]


def test_inside_a_transformation_it_is_refused():
    X, Y = (torch.tensor(each) for each in related(n=N, p=6, q=5))
    with pytest.raises(TypeError, match="The penalty is chosen by values: call it outside"):
        torch.func.vmap(vv.predictivity)(X[None], Y[None])
