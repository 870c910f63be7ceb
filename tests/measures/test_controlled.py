"""CKA within classes, given a third representation, of sampled neurons and of prefixes."""

import functools
import math

import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import independent, related
from tests.measures.maps import MAPS

import visavis as vv
from visavis.measures.measure import SCALING

N = 60
LABELS = np.arange(N) % 3
GIVEN = np.random.default_rng(5).normal(size=(N, 4))
REQUIRED = {
    "class_cka": {"labels": LABELS},
    "partial_cka": {"given": GIVEN},
    "prefix_cka": {"dimensions": (3, 4)},
    "sampled_cka": {},
}
RECORDS = [
    vv.registry[name].with_options(**options, **estimator)
    for name, options in REQUIRED.items()
    for estimator in ([{}] if name == "sampled_cka" else [{}, {"estimator": "biased"}])
]
NAMES = [f"{each.name}-{each.settings.get('estimator', '')}" for each in RECORDS]
every_record = pytest.mark.parametrize("measure", RECORDS, ids=NAMES)
KERNELS = [(vv.kernels.rbf(0.5), oracles.rbf(0.5)), (vv.kernels.cosine(), oracles.cosine)]


def data(offset=0.0, scale=1.0, seed=0):
    X, Y = related(n=N, p=6, q=5, seed=seed)
    # Something in common beyond the relation: the classes, and what is given.
    X = X + 2 * np.eye(3, 6)[LABELS] + GIVEN @ np.ones((4, 6)) / 4
    Y = Y + 2 * np.eye(3, 5)[LABELS] + GIVEN @ np.ones((4, 5)) / 4
    return scale * X + offset, scale * Y - offset


def oracle(measure, X, Y):
    return getattr(oracles, measure.name)(X, Y, **measure.options)


@every_record
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("setting", [{}, {"offset": 1e3}, {"scale": 1e8}, {"scale": 1e-8}], ids=str)
def test_against_its_definition(measure, dtype, setting):
    X, Y = (Z.astype(dtype) for Z in data(**setting))
    tolerance = 1e-9 if dtype == "float64" else 2e-6
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=tolerance)
    assert measure(X, Y).dtype == X.dtype


@every_record
def test_more_features_than_samples(measure):
    X, Y = data()
    mixing = np.random.default_rng(1).normal(size=(6, 90))
    X, Y = X @ mixing, Y @ mixing[:5, :80]
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-9)


@every_record
def test_the_engine_says_the_same(measure):
    X, Y = data()
    sides = {"x": X, "wide": np.hstack([X, X**2])}, {"y": Y, "x": X}
    res = vv.compare(*sides, measure=measure, progress=False)
    expected = [[float(measure(a, b)) for b in sides[1].values()] for a in sides[0].values()]
    np.testing.assert_allclose(res.values, expected, rtol=1e-12)


@every_record
def test_torch_says_the_same_and_has_gradients(measure):
    X, Y = data()
    if measure.name == "partial_cka":
        measure = measure.with_options(given=torch.tensor(GIVEN))
    x = torch.tensor(X, requires_grad=True)
    value = measure(x, torch.tensor(Y))
    value.backward()
    if measure.name == "partial_cka":
        measure = measure.with_options(given=GIVEN)
    assert value.item() == pytest.approx(float(measure(X, Y)), rel=1e-10)
    step = 1e-6 * np.random.default_rng(0).normal(size=X.shape)
    change = (float(measure(X + step, Y)) - float(measure(X - step, Y))) / 2
    assert (x.grad.numpy() * step).sum() == pytest.approx(change, rel=1e-3)


@every_record
@pytest.mark.parametrize("name", MAPS)
def test_declared_invariances(measure, name):
    X, Y = data()
    before = float(measure(X, Y))
    after = float(measure(*MAPS[name](X, Y, np.random.default_rng(1))))
    if name in measure.invariant_to:
        assert after == pytest.approx(before, rel=1e-9)
    elif name in measure.not_invariant_to:
        assert abs(after - before) > 1e-4


@every_record
def test_range_symmetry_and_itself(measure):
    X, Y = data()
    value = float(measure(X, Y))
    assert measure.low <= value <= measure.high
    if measure.symmetric:
        assert float(measure(Y, X)) == pytest.approx(value, rel=1e-12)
    elif measure.name == "prefix_cka":
        assert abs(float(measure(Y, X)) - value) > 1e-4
    if measure.reflexive:
        assert float(measure(X, X)) == pytest.approx(1, rel=1e-12)


def test_a_prefix_of_the_same_size_is_symmetric():
    measure = vv.registry["prefix_cka"]
    assert measure.with_options(dimensions=(2, 2)).symmetric
    assert not measure.with_options(dimensions=2).symmetric
    assert not measure.with_options(dimensions=(2, 3)).symmetric


@pytest.mark.parametrize(("kernel", "slow"), KERNELS, ids=["rbf", "cosine"])
@pytest.mark.parametrize("name", ["class_cka", "partial_cka", "prefix_cka"])
def test_kernels(kernel, slow, name):
    X, Y = data()
    value = getattr(vv, name)(X, Y, kernel=kernel, **REQUIRED[name])
    expected = getattr(oracles, name)(X, Y, kernel=slow, **REQUIRED[name])
    assert float(value) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["class_cka", "sampled_cka"])
def test_chance_is_the_mean_over_permutations(name):
    rng = np.random.default_rng(0)
    X, Y = data()
    measure = vv.registry[name].with_options(**REQUIRED[name])
    if name == "class_cka":
        measure = measure.with_options(estimator="biased")
        (value,) = vv.compare({"x": X}, {"y": Y}, measure=measure).chance.flat
    else:
        value = 0.0
    draws = []
    for _ in range(3000):
        order = np.arange(N)
        for label in range(3):
            rows = np.flatnonzero(label == LABELS)
            order[rows] = rng.permutation(rows) if name == "class_cka" else rows
        order = order if name == "class_cka" else rng.permutation(N)
        draws.append(float(measure(X, Y[order])))
    assert np.mean(draws) == pytest.approx(value, abs=4 * np.std(draws) / math.sqrt(3000))


# What each is for.


def test_classes_alone_are_not_similarity_within_them():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 100)
    X, Y = (rng.normal(size=(400, 6)) + 4 * np.eye(4, 6)[labels] for _ in range(2))
    assert vv.cka(X, Y) > 0.6
    assert abs(vv.class_cka(X, Y, labels=labels)) < 0.05
    assert abs(vv.partial_cka(X, Y, given=labels)) < 0.05


def test_words_are_labels():
    X, Y = data()
    words = [["a", "b", "c"][k] for k in LABELS]
    assert float(vv.class_cka(X, Y, labels=words)) == float(vv.class_cka(X, Y, labels=LABELS))
    one_hot = np.eye(3)[LABELS]
    assert float(vv.partial_cka(X, Y, given=words)) == pytest.approx(
        float(vv.partial_cka(X, Y, given=one_hot)), rel=1e-12
    )


def test_few_neurons_of_a_population():
    # The mean over samples of neurons is that of all of them; that of cka is far below.
    rng = np.random.default_rng(0)
    n, units = 400, 600
    Z = rng.normal(size=(n, 4))
    A, B = (Z @ rng.normal(size=(4, units)) + 2 * rng.normal(size=(n, units)) for _ in range(2))
    whole = float(vv.cka(A, B))
    samples = [
        (A[:, rng.permutation(units)[:25]], B[:, rng.permutation(units)[:25]]) for _ in range(60)
    ]
    mine = [float(vv.sampled_cka(x, y)) for x, y in samples]
    theirs = [float(vv.cka(x, y)) for x, y in samples]
    # Both norms of all 600 have a small share of neurons with themselves.
    assert np.mean(mine) == pytest.approx(whole, abs=4 * np.std(mine) / math.sqrt(60) + 0.02)
    assert np.mean(theirs) < whole - 0.05


def test_given_is_chosen_for_a_comparison():
    X, Y = data()
    measure = functools.partial(vv.class_cka, labels=LABELS)
    res = vv.compare({"x": X}, {"y": Y}, measure=measure)
    assert res.values[0, 0] == pytest.approx(float(vv.class_cka(X, Y, labels=LABELS)))
    assert "class_cka" in res.scale.label
    with pytest.raises(TypeError, match=r"come with labels.*functools.partial"):
        vv.compare({"x": X}, {"y": Y}, measure="class_cka")


# What has no answer.


def test_a_class_that_is_too_small():
    X, Y = data()
    labels = np.array([*LABELS[:-2], 7, 7])
    message = r"every class at least 4 rows, got 2 of class 7 \(1 of 4 classes are too small\)"
    with pytest.raises(ValueError, match=message):
        vv.class_cka(X, Y, labels=labels)


@pytest.mark.parametrize("labels", [LABELS[:-1], LABELS[:, None], 3])
def test_labels_that_do_not_fit(labels):
    with pytest.raises(ValueError, match="`labels` must be one for each of the 60 rows"):
        vv.class_cka(*data(), labels=labels)


def test_a_side_that_is_constant_in_a_class():
    X, Y = data()
    Y[LABELS == 1] = 2.0
    with pytest.raises(vv.DegenerateInputError, match="class_cka: in class 1, `Y` must vary"):
        vv.class_cka(X, Y, labels=LABELS)


def test_nothing_is_left():
    X, Y = data()
    with pytest.raises(
        vv.DegenerateInputError, match="leave something of `X`, got a CKA of 1 with"
    ):
        vv.partial_cka(X, Y, given=3 * X + 1)
    res = vv.compare({"x": X}, {"y": Y}, measure=functools.partial(vv.partial_cka, given=X))
    assert np.isnan(res.values).all()
    assert any("leave something" in str(each) for each in res.findings)


@pytest.mark.parametrize(
    "given", [GIVEN[:-1], GIVEN[None], GIVEN[:, 0]], ids=["n", "3-D", "floats"]
)
def test_what_cannot_be_given(given):
    with pytest.raises(ValueError, match="`given` must be"):
        vv.partial_cka(*data(), given=given)


def test_given_with_a_nan():
    given = GIVEN.copy()
    given[3, 1] = np.nan
    with pytest.raises(vv.DegenerateInputError, match="`given` must be finite, got nan at row 3"):
        vv.partial_cka(*data(), given=given)


def test_neurons_that_share_nothing():
    X, Y = independent(n=8, p=3, q=3, seed=3)
    with pytest.raises(vv.DegenerateInputError, match="must have neurons that share something"):
        vv.sampled_cka(X, Y)
    with pytest.raises(vv.DegenerateInputError, match="`X` must have at least two neurons"):
        vv.sampled_cka(X[:, :1], Y)


@pytest.mark.parametrize(
    ("dimensions", "error"), [(7, ValueError), (0, ValueError), ((1, 2, 3), ValueError)]
)
def test_dimensions_that_there_are_not(dimensions, error):
    with pytest.raises(error, match="`dimensions` must be"):
        vv.prefix_cka(*data(), dimensions=dimensions)


@every_record
def test_constant_and_not_finite(measure):
    X, Y = data()
    with pytest.raises(vv.DegenerateInputError, match=r"`Y` must vary|in class 0, `Y` must vary"):
        measure(X, np.ones_like(Y))
    Y[2, 1] = np.inf
    with pytest.raises(vv.DegenerateInputError, match="`Y` must be finite, got inf at row 2"):
        measure(X, Y)


def test_scaling_is_forgotten():
    assert all(SCALING in each.invariant_to for each in RECORDS)
