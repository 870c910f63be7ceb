"""Outputs of classifiers: disagreement, Jensen–Shannon divergence, difference of accuracies."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.backends.libraries import LIBRARIES, same_home
from tests.measures.classifiers import C, N, logits
from tests.measures.maps import MAPS
from tests.oracles import permutation_mean

import visavis as vv
from visavis.measures.measure import OUTPUTS

TRUTH = np.arange(N) % C
RECORDS = [
    vv.registry["disagreement"],
    vv.registry["accuracy_difference"].with_options(labels=TRUTH),
    *(
        vv.registry["jensen_shannon"].with_options(**options)
        for options in (
            {},
            {"form": "distance"},
            {"base": math.e},
            {"base": 10, "form": "distance"},
        )
    ),
]
NAMES = [f"{each.name}-{each.settings.get('form')}-{each.settings.get('base')}" for each in RECORDS]
every_record = pytest.mark.parametrize("measure", RECORDS, ids=NAMES)
shannon = functools.partial(vv.jensen_shannon, inputs="probabilities")


def oracle(measure, X, Y):
    return getattr(oracles, measure.name)(X, Y, **measure.options)


# Against the definition.


@every_record
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "change",
    [
        lambda Z: Z,
        lambda Z: Z + 1e3,
        lambda Z: 8 * Z,
        lambda Z: Z / 512,
        lambda Z: Z * np.r_[1.0, 30.0, 1.0, 0.0, 1.0],
        lambda Z: Z[:1],
        lambda Z: Z[:, :2],
    ],
    ids=["plain", "offset", "large", "small", "uneven", "one sample", "two classes"],
)
def test_against_its_definition(measure, dtype, change):
    X, Y = (change(Z).astype(dtype) for Z in logits())
    if measure.name == "accuracy_difference":
        measure = measure.with_options(labels=TRUTH[: len(X)] % X.shape[1])
    answer = measure(X, Y)
    assert answer.dtype == ("float64" if dtype == "float64" else "float32")
    # The oracle takes a difference of entropies, in 19 digits.
    rel = 1e-12 if dtype == "float64" else 1e-6
    assert float(answer) == pytest.approx(oracle(measure, X, Y), rel=rel, abs=1e-15)


@every_record
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_extreme_scales(measure, scale):
    X, Y = (Z * scale for Z in logits())
    expected = oracle(measure, *logits())
    if measure.name == "jensen_shannon":
        # All classes alike, or one of them alone: nothing, or what is told by the answers.
        expected = 0.0 if scale < 1 else measure.high * oracles.disagreement(*logits())
    assert float(measure(X, Y)) == pytest.approx(expected, rel=1e-12, abs=1e-100)


# Closed forms.


def test_ties_are_for_the_first():
    X = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    assert float(vv.disagreement(X, np.eye(3))) == pytest.approx(1 / 3)
    assert float(vv.disagreement(X, X[:, ::-1].copy())) == pytest.approx(2 / 3)
    assert float(vv.disagreement(X, X)) == 0


def test_disagreement_is_between_the_sum_and_the_difference_of_errors():
    X, Y = logits(n=500)
    truth = np.arange(500) % C
    right = [float(np.mean(Z.argmax(axis=1) == truth)) for Z in (X, Y)]
    least = float(vv.accuracy_difference(X, Y, labels=truth))
    assert least == pytest.approx(abs(right[0] - right[1]), abs=1e-15)
    assert least <= float(vv.disagreement(X, Y)) <= 2 - sum(right)


def test_chance_of_disagreement_is_the_mean_over_permutations():
    X, Y = logits(n=6, c=3, seed=1)
    mean = permutation_mean(vv.disagreement, X, Y)
    assert vv.inference.chance(X, Y, measure="disagreement") == pytest.approx(mean, rel=1e-12)


# What every record is tested for.


@every_record
def test_range_symmetry_and_itself(measure):
    X, Y = logits()
    value = float(measure(X, Y))
    assert measure.inputs == OUTPUTS
    assert measure.paired_features
    assert measure.low < value < measure.high
    assert float(measure(Y, X)) == pytest.approx(value, rel=1e-14)
    assert float(measure(X, X)) == 0


@every_record
@pytest.mark.parametrize("name", MAPS)
def test_declared_invariances(measure, name):
    X, Y = logits(n=400)
    if measure.name == "accuracy_difference":
        measure = measure.with_options(labels=np.arange(400) % C)
    before = float(measure(X, Y))
    after = float(measure(*MAPS[name](X, Y, np.random.default_rng(1))))
    if name in measure.invariant_to:
        assert after == before
    elif name in measure.not_invariant_to:
        assert abs(after - before) > 1e-3


@every_record
def test_what_leaves_the_answers_or_the_probabilities(measure):
    X, Y = logits()
    before = float(measure(X, Y))
    row = 10 * np.random.default_rng(0).normal(size=(N, 1))
    assert float(measure(X + row, Y - row)) == pytest.approx(before, rel=1e-12)
    order = np.random.default_rng(0).permutation(C)
    if measure.name == "accuracy_difference":
        measure = measure.with_options(labels=np.argsort(order)[TRUTH])
    assert float(measure(X[:, order], Y[:, order])) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("measure", [each for each in RECORDS if each.metric], ids=repr)
@pytest.mark.parametrize("seed", range(5))
def test_triangle_inequality(measure, seed):
    (X, Y), (Z, _) = logits(seed=seed), logits(seed=seed + 100)
    middle = (X + Z) / 2
    for between in (Y, middle):
        detour = float(measure(X, between)) + float(measure(between, Z))
        assert float(measure(X, Z)) <= detour + 1e-12


@every_record
def test_the_engine_says_the_same(measure):
    X, Y = logits()
    collapsed = np.tile([0.0, 3, 0, 1, 0], (N, 1))
    sides = {"x": X, "collapsed": collapsed}, {"y": Y, "x": X, "collapsed": collapsed}
    res = vv.compare(*sides, measure=measure, progress=False)
    expected = [[float(measure(a, b)) for b in sides[1].values()] for a in sides[0].values()]
    np.testing.assert_allclose(res.values, expected, rtol=1e-12)


def test_many_models_at_once():
    models = {f"seed {k}": logits(seed=k)[1] for k in range(4)}
    measures = ["disagreement", "jensen_shannon", "jensen_shannon(form=distance)"]
    res = vv.compare(models, measures=measures, progress=False)
    for each in measures:
        values = res[each].values
        np.testing.assert_array_equal(values, values.T)
        np.testing.assert_array_equal(np.diag(values), 0)


def test_a_model_with_a_nan_leaves_the_others():
    X, Y = logits()
    spoiled = Y.copy()
    spoiled[3, 1] = np.nan
    res = vv.compare({"x": X}, {"y": Y, "nan": spoiled}, measure="disagreement", progress=False)
    assert np.isfinite(res["x", "y"])
    assert np.isnan(res["x", "nan"])
    assert any("nan at row 3, column 1" in str(each) for each in res.findings)


def test_layers_that_are_no_outputs_are_refused():
    X, Y = logits()
    message = "disagreement: `X` and `Y` must have a column for each of the same classes, got 5 and"
    with pytest.raises(ValueError, match=message):
        vv.compare({"x": X, "conv": np.hstack([X, X])}, {"y": Y}, measure="disagreement")


@every_record
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_every_library_says_the_same(measure, library):
    X, Y = (Z.astype(library.dtypes[-1]) for Z in logits())
    with library.enabled():
        x, y = library.array(X), library.array(Y)
        answer = measure(x, y)
        assert answer.shape == ()
        assert same_home(answer, x)
        assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-6)


@pytest.mark.parametrize(
    "given", [list, torch.tensor, jnp.asarray, np.uint8], ids=["list", "torch", "jax", "uint8"]
)
def test_labels_of_any_library(given):
    X, Y = (torch.tensor(Z) for Z in logits())
    expected = float(vv.accuracy_difference(X, Y, labels=TRUTH))
    assert float(vv.accuracy_difference(X, Y, labels=given(TRUTH))) == expected


# Inside of transformations.


@every_record
def test_inside_jit(measure):
    X, Y = (jnp.asarray(Z.astype("float32")) for Z in logits())
    value = float(jax.jit(measure.__call__)(X, Y))
    assert value == pytest.approx(float(measure(X, Y)), rel=1e-5)


@every_record
def test_one_side_alone_is_recorded_or_traced(measure):
    X, Y = logits()
    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y)
    expected = float(measure(X, Y))
    recorded = [float(measure(*pair).detach()) for pair in ((x, y), (y, x))]
    assert recorded == pytest.approx([expected] * 2, rel=1e-12)
    closed = jax.jit(lambda a: measure(a, jnp.asarray(Y, "float32")))
    assert float(closed(jnp.asarray(X, "float32"))) == pytest.approx(expected, rel=1e-5)


# Classes that cannot be.


@pytest.mark.parametrize("form", ["divergence", "distance"])
def test_a_class_of_minus_infinity_has_no_probability(form):
    X, Y = logits()
    X[4:9, 1] = Y[6:12, 1] = X[20, :4] = -math.inf
    with np.errstate(invalid="ignore"):
        expected = oracles.jensen_shannon(X, Y, form=form)
    assert float(vv.jensen_shannon(X, Y, form=form)) == pytest.approx(expected, rel=1e-12)
    assert float(vv.disagreement(X, Y)) == oracles.disagreement(X, Y)
    low = (np.maximum(Z, -1e5) for Z in (X, Y))
    assert float(vv.jensen_shannon(*low, form=form)) == pytest.approx(expected, rel=1e-12)


def test_a_class_that_neither_has_changes_nothing():
    X, Y = logits()
    never = np.full((N, 3), -math.inf)
    wide = np.hstack([X, never]), np.hstack([Y, never])
    assert float(vv.jensen_shannon(*wide)) == pytest.approx(
        float(vv.jensen_shannon(X, Y)), rel=1e-14
    )
    assert float(vv.disagreement(*wide)) == float(vv.disagreement(X, Y))


# What has no answer.


@every_record
@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
@pytest.mark.parametrize("side", ["X", "Y"])
def test_not_finite(measure, value, side):
    given = dict(zip("XY", logits(), strict=True))
    given[side][7, 3] = value
    message = f"^{measure.name}: `{side}` must be finite, got {value} at row 7, column 3"
    with pytest.raises(vv.DegenerateInputError, match=message):
        measure(*given.values())


@every_record
@pytest.mark.parametrize("side", ["X", "Y"])
def test_no_class_is_left(measure, side):
    given = dict(zip("XY", logits(), strict=True))
    given[side][[7, 9]] = -math.inf
    message = rf"`{side}` must leave a class to every row, got nothing but -inf in row 7 \(2 of 60"
    with pytest.raises(vv.DegenerateInputError, match=f"^{measure.name}: {message}"):
        measure(*given.values())


@every_record
def test_classes_that_do_not_correspond(measure):
    X, Y = logits()
    message = "must have a column for each of the same classes, got 5 and 4 columns. Keep the class"
    with pytest.raises(ValueError, match=message):
        measure(X, Y[:, :4])
    with pytest.raises(
        ValueError, match=r"must have two classes or more, got one column\. A single"
    ):
        measure(X[:, :1], Y[:, :1])
    with pytest.raises(ValueError, match="must describe the same samples, got 60 and 59 rows"):
        measure(X, Y[1:])
    with pytest.raises(ValueError, match="must have at least 1 rows, got 0"):
        measure(X[:0], Y[:0])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (TRUTH[:-1], ValueError, r"be one for each of the 60 rows, got shape \(59,\)"),
        (np.eye(C)[TRUTH], ValueError, r"be one for each of the 60 rows, got shape \(60, 5\)"),
        (TRUTH + 1, ValueError, r"be columns from 0 to 4, got 5 at row 4 \(12 of 60 rows\)"),
        (TRUTH - 1, ValueError, r"be columns from 0 to 4, got -1 at row 0 \(12 of 60 rows\)"),
        (TRUTH / 2, TypeError, "whole numbers, got float64"),
        (["cat"] * N, TypeError, "whole numbers, got <U3"),
        (None, TypeError, "be the class of each sample, got None"),
    ],
    ids=str,
)
def test_labels_that_do_not_fit(labels, error, message):
    with pytest.raises(error, match=f"^accuracy_difference: `labels` must .*{message}"):
        vv.accuracy_difference(*logits(), labels=labels)


def test_labels_are_needed_for_a_comparison():
    X, Y = logits()
    with pytest.raises(TypeError, match=r"come with labels.*functools.partial"):
        vv.compare({"x": X}, {"y": Y}, measure="accuracy_difference")
    given = functools.partial(vv.accuracy_difference, labels=TRUTH + 1)
    with pytest.raises(ValueError, match="be columns from 0 to 4, got 5"):
        vv.compare({"x": X}, {"y": Y}, measure=given)


@every_record
def test_the_input_stays_as_it_was(measure):
    X, Y = logits()
    X[0, 1] = -math.inf
    copies = X.copy(), Y.copy()
    measure(X, Y)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(Y, copies[1])


def test_integers_and_booleans():
    X, Y = (np.rint(4 * Z).astype(int) for Z in logits())
    assert float(vv.disagreement(X, Y)) == float(vv.disagreement(X.astype(float), Y.astype(float)))
    answers = (np.eye(C, dtype=bool)[Z.argmax(axis=1)] for Z in (X, Y))
    P, Q = answers
    assert float(shannon(P, Q)) == pytest.approx(float(vv.disagreement(P, Q)), rel=1e-15)
