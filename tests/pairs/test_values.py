"""The tables of `compare`: what the measures say of each pair, and what a layer may be."""

import functools

import numpy as np
import pytest
from tests.data_makers import independent, related
from tests.measures.records import RECORDS, allowing, every_record, given, over
from tests.pairs.conftest import layers
from tests.pairs.tables import compared, each_pair, stacked

import visavis as vv
from visavis import Comparison, ComparisonSet
from visavis.kernels import rbf


def taken(measure, side):
    """The layers as the measure takes them: Gram matrices for a precomputed kernel."""
    return {name: given(measure, X, X)[0] for name, X in side.items()}


@every_record
@pytest.mark.parametrize("n", [24, 12], ids=["tall", "wide"])
def test_each_value_is_that_of_the_measure(measure, n):
    measure = allowing(measure)
    a, b = (taken(measure, side) for side in layers(n))
    res = compared(a, b, measure=measure)
    assert (res.rows, res.cols, res.n) == (tuple(a), tuple(b), n)
    np.testing.assert_allclose(res.values, each_pair(measure, a, b), rtol=1e-10, atol=1e-13)


@every_record
def test_each_value_of_a_set_with_itself(measure):
    measure = allowing(measure)
    a = taken(measure, layers()[0])
    res = compared(a, measure=measure)
    np.testing.assert_allclose(res.values, each_pair(measure, a, a), rtol=1e-10, atol=1e-7)


@over([allowing(each) for each in RECORDS if each.symmetric])
def test_a_symmetric_measure_is_mirrored_to_the_bit(measure):
    res = compared(taken(measure, layers()[0]), measure=measure)
    np.testing.assert_array_equal(res.values, res.values.T)


@over([allowing(each) for each in RECORDS if not each.symmetric])
def test_another_measure_is_not(measure):
    res = compared(taken(measure, layers()[0]), measure=measure)
    assert not np.allclose(res.values, res.values.T, rtol=1e-3)


def test_many_measures_at_once_give_what_each_gives_alone(sides):
    measures = [allowing(each) for each in RECORDS if "precomputed" not in each.label]
    res = compared(*sides, measures=measures)
    assert isinstance(res, ComparisonSet)
    assert list(res) == [each.label for each in measures]
    alone = ComparisonSet([compared(*sides, measure=each) for each in measures])
    np.testing.assert_array_equal(stacked(res), stacked(alone))
    chances = [[each.chance for each in found.values()] for found in (res, alone)]
    np.testing.assert_equal(*chances)


# Naming measures.


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("cca(form=r2)", "cca(form=r2)"),
        (vv.cca, "cca"),
        (functools.partial(vv.cka, kernel=rbf(0.4), estimator="biased"), None),
        (vv.registry["procrustes"], "procrustes"),
        (vv.registry["procrustes"].with_options(form="squared"), "procrustes(form=squared)"),
    ],
    ids=["text", "function", "partial", "record", "record with options"],
)
def test_a_measure_may_be_given_as(sides, spec, label):
    label = label or "cka(kernel=rbf(0.4), estimator=biased)"
    one, several = compared(*sides, measure=spec), compared(*sides, measures=(spec,))
    assert isinstance(one, Comparison)
    assert one.measure == label
    assert list(several) == [label]
    np.testing.assert_array_equal(one.values, several[label].values)
    np.testing.assert_array_equal(one.values, compared(*sides, measure=label).values)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"measures": ["cka", vv.cka]},
            ValueError,
            r"^compare: `measures` must name at least one measure, each once, got "
            r"\['cka', 'cka'\]\.$",
        ),
        ({"measures": ["hsic(kernel=rbf)", "hsic( kernel = 'rbf' )"]}, ValueError, "once, got"),
        ({"measures": []}, ValueError, r"at least one measure, each once, got \[\]\.$"),
        (
            {"measures": "cka"},
            TypeError,
            r"^compare: `measures` must be a sequence of measures, in place of `measure`, got "
            r"'cka'\. For instance measures=\[\"cka\", \"procrustes\"\]\.$",
        ),
        (
            {"measures": ["cka"], "measure": "cca"},
            TypeError,
            r"in place of `measure`, got it beside measure='cca'\.",
        ),
        ({"measure": "ckaa"}, ValueError, "`measure` must name a measure, got 'ckaa'. The measure"),
        ({"measure": ["cka"]}, ValueError, "`measure` must be a name, a record"),
        ({"measure": np.linalg.norm}, ValueError, "`measure` must be a name, a record"),
    ],
    ids=range(8),
)
def test_measures_that_are_none(sides, options, error, message):
    with pytest.raises(error, match=message):
        compared(*sides, **options)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cka(estimator=none)", "cka: `estimator` must be one of 'debiased', 'biased', got 'none'"),
        ("cca(form=banana)", "cca: `form` must be one of 'rho', 'r2', got 'banana'"),
        ("svcca(variance=2)", r"svcca: `variance` must be in \(0, 1\], got 2"),
        ("svcca(components=0)", "svcca: `components` must be a positive integer"),
        ("canonical_ridge(kappa=(1, -1))", "`kappa` must be a pair of numbers, each zero or more"),
        ("canonical_ridge(normalization=x)", "`normalization` must be one of 'cca', 'cka'"),
        ("cka(kernel=banana)", "cka: `kernel` must be one of 'linear', 'rbf'"),
    ],
)
def test_options_are_refused_before_any_work(spec, message):
    # The file is not there: nothing was looked at yet.
    with pytest.raises(ValueError, match=message):
        compared("nowhere.npz", measure=spec)


# What a layer may be.


def test_maps_are_flattened_with_every_position_as_a_feature(sides):
    random = np.random.default_rng(0)
    maps, tokens = random.normal(size=(24, 3, 4, 5)), random.normal(size=(24, 7, 2))
    a = {"maps": maps, "tokens": tokens}
    flat = {name: X.reshape(24, -1) for name, X in a.items()}
    res = compared(a, sides[1])
    np.testing.assert_array_equal(res.values, compared(flat, sides[1]).values)
    layers = res.provenance["sides"][0]["layers"]
    assert layers["maps"] == {"shape": [24, 3, 4, 5], "dtype": "float64"}


def test_a_layer_of_one_number_per_sample_is_one_feature(sides):
    y = np.random.default_rng(0).normal(size=24)
    res = compared({"margin": y}, sides[1])
    np.testing.assert_array_equal(res.values, compared({"margin": y[:, None]}, sides[1]).values)
    assert float(res["margin", "fc"]) == pytest.approx(float(vv.cka(y[:, None], sides[1]["fc"])))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_and_booleans_are_exact(sides, dtype):
    whole = np.random.default_rng(0).integers(0, 2, size=(24, 4))
    as_float = compared({"x": whole.astype("float64")}, sides[1])
    res = compared({"x": whole.astype(dtype)}, sides[1])
    np.testing.assert_array_equal(res.values, as_float.values)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            np.ones((24, 2), "c16"),
            r"^compare: `a\['x'\]` must have a real floating, .* got compl",
        ),
        (np.full((24, 1), "cat"), r"^compare: `a\['x'\]` must have a real floating"),
        (np.full((24, 1), None), r"^compare: `a\['x'\]` must have a real floating, .* got object"),
    ],
    ids=["complex", "text", "objects"],
)
def test_layers_that_are_not_numeric(sides, X, message):
    with pytest.raises(TypeError, match=message):
        compared({"x": X}, sides[1])


def test_a_layer_without_features(sides):
    with pytest.raises(ValueError, match=r"^compare: `b\['x'\]` must have at least one feature"):
        compared(sides[0], {"x": np.ones((24, 0))})


def test_keys_become_names():
    X, Y = related()
    res = compared({0: X, 1: Y})
    assert res.rows == ("0", "1")


# The record that goes with it.


@every_record
def test_scale_is_that_of_the_record(measure):
    measure = allowing(measure)
    a, b = (taken(measure, side) for side in layers())
    scale = compared(a, b, measure=measure).scale
    facts = (measure.label, measure.low, measure.high, measure.direction, measure.symmetric)
    assert (scale.label, scale.low, scale.high, scale.direction, scale.symmetric) == facts
    assert scale.description == f"{measure.title}: {measure.description()}"


def test_unrelated_layers_are_within_the_spread_that_is_told():
    a, b = independent(n=40, p=30, q=30)
    res = compared({"x": a}, {"y": b})
    [finding] = res.findings
    spread = finding.evidence["chance_standard_deviation"]
    assert spread == pytest.approx((2 / (40 * 37)) ** 0.5)
    assert abs(res["x", "y"]) < 4 * spread
