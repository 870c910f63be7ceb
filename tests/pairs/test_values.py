"""The tables of `compare`: what the measures say of each pair, and each thing done once."""

import copy
import functools
import sys
from contextlib import contextmanager

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import independent, related
from tests.measures.records import RECORDS, allowing, every_record, given, over
from tests.pairs.conftest import layers

import visavis as vv
from visavis import Comparison, ComparisonSet
from visavis.kernels import rbf
from visavis.measures import Preparation


def compared(*sides, **options):
    return vv.compare(*sides, progress=False, **options)


def stacked(res):
    """The values of all measures, (measures, rows, cols)."""
    return np.array([each.values for each in res.values()])


def each_pair(measure, a, b):
    return np.array([[float(measure(X, Y)) for Y in b.values()] for X in a.values()])


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


# Each thing once.


@pytest.fixture
def work(monkeypatch):
    """What is prepared and what meets, by key, while the test runs."""
    prepared, met = [], []
    original = Preparation.__init__

    def counting(self, key, run, meet):
        def counted_run(X):
            prepared.append((key, X.shape))
            return run(X)

        def counted_meet(x, y):
            met.append((key, id(x), id(y)))
            return meet(x, y)

        original(self, key, counted_run, counted_meet)

    monkeypatch.setattr(Preparation, "__init__", counting)
    return prepared, met


def test_each_layer_is_prepared_once_and_each_pair_meets_once(sides, work):
    prepared, met = work
    res = compared(*sides, measures=["cca", "svcca", "pwcca", "linear_regression"])
    assert len(prepared) == 6
    assert len(set(prepared)) == 6
    assert len(met) == len(set(met)) == 9
    plan = {"form": "axes", "preparations": 6, "pairs": 9}
    assert [each.plan for each in res.values()] == [plan] * 4


def test_what_measures_do_not_share_is_prepared_for_each(sides, work):
    prepared, met = work
    compared(*sides, measures=["cka", "hsic", "cka(kernel=rbf)", "procrustes"])
    assert len(prepared) == 3 * 6
    assert len({key for key, _ in prepared}) == 3
    assert len(met) == 3 * 9


def test_a_set_with_itself_is_prepared_once_and_half_of_it_met(sides, work):
    prepared, met = work
    res = compared(sides[0], measure="cka")
    assert len(prepared) == 3
    assert len(met) == 6
    assert (res.plan["preparations"], res.plan["pairs"]) == (3, 6)


def test_a_set_with_itself_by_a_measure_that_is_not_symmetric(sides, work):
    prepared, met = work
    res = compared(sides[0], sides[0], measure="linear_regression")
    assert len(prepared) == 3
    assert len(met) == 9
    assert (res.plan["preparations"], res.plan["pairs"]) == (3, 9)


def test_sides_with_a_kernel_each_are_prepared_as_such(sides, work):
    prepared, _ = work
    measure = vv.registry["cka"].with_options(kernel=("linear", rbf(0.4)))
    res = compared(sides[0], measure=measure)
    assert len(prepared) == 6
    np.testing.assert_allclose(res.values, each_pair(measure, sides[0], sides[0]), rtol=1e-10)


def test_the_cheaper_form_is_chosen_and_told():
    X, Y = related(n=400, p=3, q=2)
    assert compared({"x": X}, {"y": Y}).plan["form"] == "features"
    X, Y = related(n=20, p=300, q=200)
    assert compared({"x": X}, {"y": Y}).plan["form"] == "gram"
    assert compared({"x": X}, {"y": Y}, measure="cka(kernel=rbf)").plan["form"] == "gram"


def test_progress_is_told_for_every_pair_and_measure(sides, monkeypatch):
    told, steps = [], []

    @contextmanager
    def bar(label, total, *, show):
        told.append((label, total, show))
        yield lambda: steps.append(label)

    monkeypatch.setattr(sys.modules["visavis.pairs.compare"], "progress_bar", bar)
    vv.compare(*sides, measures=["cka", "procrustes"])
    vv.compare(sides[0], progress=False)
    assert told == [("comparing layers", 18, True), ("comparing layers", 9, False)]
    assert len(steps) == 27


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


# Array libraries.

LIBRARIES = {
    "numpy": np.asarray,
    "torch": lambda x: torch.tensor(x, requires_grad=True),
    "jax": jnp.asarray,
}


@pytest.mark.parametrize("to_b", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("to_a", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries_in_host_memory_may_be_mixed(to_a, to_b):
    a, b = layers(dtype="float32")
    measures = ["cka", "cka(kernel=rbf)", "cca", "procrustes"]
    expected = compared(a, b, measures=measures)
    mixed = {name: to_a(X) for name, X in a.items()}, {name: to_b(X) for name, X in b.items()}
    res = compared(*mixed, measures=measures)
    np.testing.assert_array_equal(stacked(res), stacked(expected))
    assert {each.values.dtype for each in res.values()} == {np.dtype("float64")}


def test_one_side_may_mix_libraries(sides):
    a, b = sides
    mixed = {"conv1": torch.tensor(a["conv1"]), "conv2": a["conv2"]}
    res = compared(mixed, b)
    np.testing.assert_array_equal(res.values, compared(a, b).values[:2])


def test_a_library_of_its_own(sides):
    strict = [{k: array_api_strict.asarray(X) for k, X in side.items()} for side in sides]
    measures = ["cka", "cka(kernel=rbf)", "hsic", "cca", "procrustes"]
    res, expected = compared(*strict, measures=measures), compared(*sides, measures=measures)
    np.testing.assert_allclose(stacked(res), stacked(expected), rtol=1e-12)


def test_libraries_that_cannot_be_mixed(sides):
    strict = {name: array_api_strict.asarray(X) for name, X in sides[0].items()}
    message = (
        r"^compare: `a` and `b` must be of one library and on one device, got array_api_strict on "
        r".*CPU_DEVICE.* and numpy on cpu\. Move one of them, or extract with device='cpu': "
        r"visavis never moves data\.$"
    )
    with pytest.raises(TypeError, match=message):
        compared(strict, sides[1])


def test_devices_that_cannot_be_mixed(sides):
    def on(side, name):
        device = array_api_strict.Device(name)
        return {k: array_api_strict.asarray(X, device=device) for k, X in side.items()}

    with pytest.raises(TypeError, match=r"on .*CPU_DEVICE.* and array_api_strict on .*device1"):
        compared(on(sides[0], "CPU_DEVICE"), on(sides[1], "device1"))


@pytest.mark.parametrize("measure", ["cka", "cca"])
def test_widths_of_floats_may_be_mixed(sides, measure):
    a = {name: X.astype("float32") for name, X in sides[0].items()}
    expected = each_pair(vv.registry[measure], a, sides[1])
    res = compared(a, sides[1], measure=measure)
    np.testing.assert_allclose(res.values, expected, rtol=1e-5, atol=1e-6)


# Manners.


def test_input_is_not_changed(sides):
    before = copy.deepcopy(sides)
    compared(*sides, measures=[each for each in RECORDS if "precomputed" not in each.label])
    np.testing.assert_equal(sides, before)


def test_input_may_be_locked(sides):
    locked = copy.deepcopy(sides)
    for X in (X for side in locked for X in side.values()):
        X.flags.writeable = False
    measures = [each for each in RECORDS if "precomputed" not in each.label]
    res, expected = compared(*locked, measures=measures), compared(*sides, measures=measures)
    np.testing.assert_array_equal(stacked(res), stacked(expected))


def test_strict_floating_point_errors_of_the_caller_do_not_matter(sides):
    spoiled = {**sides[0], "dead": np.ones((24, 3)), "nan": np.full((24, 2), np.nan)}
    measures = [allowing(each) for each in RECORDS if "precomputed" not in each.label]
    quiet = compared(spoiled, sides[1], measures=measures)
    with np.errstate(all="raise"):
        res = compared(spoiled, sides[1], measures=measures)
        assert np.geterr()["divide"] == "raise"
    np.testing.assert_array_equal(stacked(res), stacked(quiet))


def test_same_answer_twice_and_from_strided_views(sides):
    a, b = sides
    wide = {name: np.repeat(X, 2, axis=1)[:, ::2] for name, X in a.items()}
    fortran = {name: np.asfortranarray(X) for name, X in b.items()}
    expected = compared(a, b).values
    np.testing.assert_array_equal(compared(a, b).values, expected)
    np.testing.assert_allclose(compared(wide, fortran).values, expected, rtol=1e-13)


# Chance.


def eigenvalues(X):
    return np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2


def biased_cka(X, Y):
    # √(PR_X·PR_Y)/(n − 1), PR = (Σλ)²/Σλ².
    ratios = [lam.sum() ** 2 / (lam**2).sum() for lam in (eigenvalues(X), eigenvalues(Y))]
    return np.sqrt(ratios[0] * ratios[1]) / (len(X) - 1)


CHANCES = {
    "cka": lambda X, Y: 0.0,
    "cka(kernel=rbf)": lambda X, Y: 0.0,
    "cka(estimator=biased)": biased_cka,
    "hsic": lambda X, Y: 0.0,
    "hsic(estimator=biased)": lambda X, Y: (
        eigenvalues(X).sum() * eigenvalues(Y).sum() / (len(X) - 1) ** 3
    ),
    "cca(form=r2)": lambda X, Y: max(X.shape[1], Y.shape[1]) / (len(X) - 1),
    "linear_regression": lambda X, Y: X.shape[1] / (len(X) - 1),
}


@pytest.mark.parametrize(("measure", "closed_form"), CHANCES.items(), ids=CHANCES)
def test_chance_of_each_pair(sides, measure, closed_form):
    a, b = sides
    expected = [[closed_form(X, Y) for Y in b.values()] for X in a.values()]
    res = compared(a, b, measure=measure)
    np.testing.assert_allclose(res.chance, expected, rtol=1e-11, atol=0)


def test_chance_is_the_mean_over_all_permutations():
    X, Y = related(n=6, p=3, q=2)
    res = compared({"x": X}, {"y": Y}, measure="cka(estimator=biased)", silenced=["VV002"])
    mean = oracles.permutation_mean(functools.partial(vv.cka, estimator="biased"), X, Y)
    assert res.chance[0, 0] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("measure", ["cca", "pwcca", "procrustes"])
def test_without_a_closed_form_there_is_no_chance(sides, measure):
    assert compared(*sides, measure=measure).chance is None


def test_chance_of_a_set_with_itself_is_mirrored(sides):
    res = compared(sides[0], measure="cka(estimator=biased)")
    np.testing.assert_array_equal(res.chance, res.chance.T)


def test_chance_where_there_is_no_value_is_none(sides):
    a = {**sides[0], "dead": np.ones((24, 3))}
    res = compared(a, sides[1], measure="cka(estimator=biased)")
    assert np.isnan(res.chance[3]).all()
    assert np.isfinite(res.chance[:3]).all()


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
