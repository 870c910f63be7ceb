"""Procrustes distance of feature maps: shifts, channels, the facts of its record, bad input."""

import functools
import math

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import random_rotation
from tests.measures.algebra import close
from tests.measures.records import EVERYTHING, over
from tests.oracles.matching import positions

import visavis as vv
from visavis.measures import Shapes, convolution
from visavis.measures import measure as facts

MEASURE = vv.convolution_procrustes
RECORDS = [each for each in EVERYTHING if each.name == MEASURE.__name__]
every_record = over(RECORDS)
FORMS = ["angular", "euclidean", "squared", "similarity"]
every_form = pytest.mark.parametrize("form", FORMS)
METRICS = [each for each in RECORDS if each.metric]


def maps(n=6, c=3, d=4, h=4, w=5, seed=0):
    """Feature maps of c channels, and of d that depend on them."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((n, c, h, w))
    mixed = np.einsum("nchw,cd->ndhw", X, random.standard_normal((c, d)))
    return X, mixed + random.standard_normal((n, d, h, w))


def of_channels(change):
    return lambda X, random: np.moveaxis(change(np.moveaxis(X, 1, -1), random), -1, 1)


def mixed(X, random):
    c = X.shape[-1]
    return X @ random_rotation(c, random) * np.geomspace(1, 1 / 30, c) @ random_rotation(c, random)


MAPS = {
    facts.TRANSLATION: of_channels(lambda X, random: X + 3 * random.standard_normal(X.shape[-1])),
    facts.SCALING: lambda X, random: X * random.uniform(2, 5),
    facts.PERMUTATION: of_channels(lambda X, random: random.permutation(X, axis=-1)),
    facts.ORTHOGONAL: of_channels(lambda X, random: X @ random_rotation(X.shape[-1], random)),
    facts.LINEAR: of_channels(mixed),
    facts.SHIFT: lambda X, random: np.roll(X, random.integers(1, 4, size=2), axis=(2, 3)),
}
DECIDED = [(each, name) for each in RECORDS for name in MAPS]


# The facts of the record.


@pytest.mark.parametrize(
    ("measure", "name"), DECIDED, ids=[f"{each.label}-{name}" for each, name in DECIDED]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_invariances(measure, name, seed):
    X, Y = maps(seed=seed)
    random = np.random.default_rng(seed)
    before = float(measure(X, Y))
    after = float(measure(MAPS[name](X, random), MAPS[name](Y, random)))
    if name in measure.invariant_to:
        assert after == pytest.approx(before, rel=1e-12)
    else:
        assert name in measure.not_invariant_to
        assert abs(after - before) > 1e-4


@every_record
@pytest.mark.parametrize("seed", [0, 1])
def test_range_symmetry_and_self(measure, seed):
    X, Y = maps(seed=seed)
    value = float(measure(X, Y))
    assert measure.low <= value <= measure.high
    assert close(measure(Y, X), value)
    best = measure.high if measure.direction == "similarity" else 0.0
    assert float(measure(X, X)) == pytest.approx(best, abs=1e-12)
    near = X + 0.1 * np.random.default_rng(seed).standard_normal(X.shape)
    assert (float(measure(X, near)) > value) is (measure.direction == "similarity")


@over(METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_triangle_inequality(measure, seed):
    X, Z = maps(seed=seed)
    random = np.random.default_rng(seed)
    # A detour that is near a shifted Z as well as near X.
    Y = np.concatenate([X, np.roll(Z, (1, 2), axis=(2, 3))], axis=1)
    Y = Y * random.uniform(0.1, 1, size=Y.shape[1])[:, None, None]
    assert float(measure(X, Z)) <= float(measure(X, Y)) + float(measure(Y, Z)) + 1e-12


@over(METRICS)
@pytest.mark.parametrize("name", sorted(MAPS.keys() - {facts.LINEAR}))
def test_a_metric_is_zero_between_what_it_cannot_tell_apart(measure, name):
    if name in measure.invariant_to:
        X, _ = maps()
        copy = MAPS[name](X, np.random.default_rng(0))
        assert float(measure(X, copy)) == pytest.approx(0, abs=1e-12)


@every_record
def test_the_engine_gives_what_the_function_gives(measure):
    X, Y = maps()
    x, y = (measure.prepare(measure.settings, side, Shapes(6, (), ())) for side in (0, 1))
    assert x.key == y.key
    met = x.meet(x.run(X), y.run(Y))
    assert float(measure.score(measure.settings, met)) == float(measure(X, Y))


@every_record
def test_the_record_is_of_the_function(measure):
    assert measure.function is MEASURE
    assert measure.inputs == facts.FEATURE_MAPS
    assert measure.minimum_rows == 1
    assert vv.registry[MEASURE.__name__].with_options(**measure.options).label == measure.label
    assert measure.description()


def test_compare_takes_representations():
    X, Y = maps()
    with pytest.raises(ValueError, match="convolution_procrustes, which is of feature maps"):
        vv.compare({"x": X}, {"y": Y}, measure="convolution_procrustes")


# Against the definition.


@every_form
@pytest.mark.parametrize("shifts", [True, False])
@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (3, 3), (2, 2), (1, 6), (1, 1)], ids=str)
def test_one_shift_after_the_other(shape, shifts, form):
    X, Y = maps(h=shape[0], w=shape[1])
    options = {"shifts": shifts, "form": form}
    expected = oracles.convolution_procrustes(X, Y, **options)
    assert float(MEASURE(X, Y, **options)) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, 3), (2, 2), (3, 4)], ids=str)
def test_the_shift_is_found(shift):
    X, _ = maps()
    random = np.random.default_rng(1)
    noise = 0.5 * random.standard_normal(X.shape)
    moved = np.roll(X, shift, axis=(2, 3)) + noise
    back = np.roll(noise, tuple(-each for each in shift), axis=(2, 3))
    assert close(MEASURE(X, moved), MEASURE(X, X + back, shifts=False))
    assert close(MEASURE(moved, X), MEASURE(X, moved))


@every_form
def test_without_shifts_it_is_procrustes_with_positions_as_rows(form):
    X, Y = maps()
    value = MEASURE(X, Y, shifts=False, form=form)
    assert close(value, vv.procrustes(positions(X), positions(Y), form=form))


@every_form
@pytest.mark.parametrize("scale", [True, False])
def test_one_position_is_procrustes(form, scale):
    X, Y = maps(n=20, h=1, w=1)
    value = MEASURE(X, Y, form=form, scale=scale)
    assert close(value, vv.procrustes(X[..., 0, 0], Y[..., 0, 0], form=form, scale=scale))


def test_all_samples_are_shifted_alike():
    X, _ = maps(d=3)
    each = np.stack([np.roll(x, i, axis=2) for i, x in enumerate(X)])
    assert float(MEASURE(X, each)) > 0.3


def test_a_single_sample_has_its_positions():
    X, Y = maps(n=1)
    assert float(MEASURE(X, Y)) == pytest.approx(oracles.convolution_procrustes(X, Y), rel=1e-12)


def test_blocks_of_shifts(monkeypatch):
    X, Y = maps()
    expected = float(MEASURE(X, Y))
    monkeypatch.setattr(convolution, "BLOCK_ENTRIES", 1)
    assert float(MEASURE(X, Y)) == expected


def test_more_channels_than_rows():
    X, Y = maps(n=2, c=30, d=25, h=2, w=3)
    assert float(MEASURE(X, Y)) == pytest.approx(oracles.convolution_procrustes(X, Y), rel=1e-11)


# Numerics.


@pytest.mark.parametrize("by", [1e-150, 1e-8, 1e8, 1e150])
def test_scales(by):
    X, Y = maps()
    assert close(MEASURE(by * X, Y / by), MEASURE(X, Y))


def test_large_offsets_in_float32():
    X, Y = ((each + 1e4).astype(np.float32) for each in maps())
    value = MEASURE(X, Y)
    assert value.dtype == np.float32
    assert float(value) == pytest.approx(oracles.convolution_procrustes(X, Y), rel=1e-6)


def test_small_distances_keep_their_digits():
    X, _ = maps()
    change = 1e-9 * np.random.default_rng(0).standard_normal(X.shape)
    moved = np.roll(X + change, (1, 1), axis=(2, 3))
    expected = oracles.convolution_procrustes(X, moved, form="euclidean")
    assert 0 < float(MEASURE(X, moved, form="euclidean")) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "array",
    [array_api_strict.asarray, torch.tensor, functools.partial(jnp.asarray, dtype="float32")],
    ids=["strict", "torch", "jax"],
)
@pytest.mark.parametrize("shifts", [True, False])
def test_libraries(array, shifts):
    X, Y = maps()
    expected = float(MEASURE(X, Y, shifts=shifts))
    held = array(X)
    value = MEASURE(held, array(Y), shifts=shifts)
    assert type(value) is type(held)
    assert value.dtype == held.dtype
    assert float(value) == pytest.approx(expected, rel=2e-6)


def test_half_precision_and_integers():
    X, Y = (each.astype(np.float16) for each in maps())
    assert MEASURE(X, Y).dtype == np.float32
    assert float(MEASURE(X, Y)) == float(MEASURE(X.astype(np.float32), Y.astype(np.float32)))
    X, Y = ((10 * each).round().astype(np.int32) for each in maps())
    assert float(MEASURE(X, Y)) == float(MEASURE(X.astype(float), Y.astype(float)))


@pytest.mark.parametrize("shifts", [True, False])
def test_gradient(shifts):
    pair = [torch.tensor(Z, requires_grad=True) for Z in maps(n=3, c=2, d=2, h=2, w=2)]
    assert torch.autograd.gradcheck(functools.partial(MEASURE, shifts=shifts), pair)


def test_compiled_without_shifts():
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in maps())
    plain = functools.partial(MEASURE, shifts=False)
    assert float(jax.jit(plain)(X, Y)) == pytest.approx(float(plain(X, Y)), rel=1e-6)
    with pytest.raises(TypeError, match="The best shift is chosen by its value: call it outside"):
        jax.jit(MEASURE)(X, Y)


# Input without an answer.


@pytest.mark.parametrize("side", [0, 1])
def test_bad_values_are_located(side):
    pair = list(maps())
    pair[side][3, 1, 2, 4] = np.nan
    name = "XY"[side]
    # Channel 1, row 2 and column 4 of 4 × 5 positions.
    match = f"^convolution_procrustes: `{name}` must be finite, got nan at row 3, column 34 "
    with pytest.raises(vv.DegenerateInputError, match=match):
        MEASURE(*pair)
    pair[side] = np.full_like(pair[side], 0.1)
    match = f"^convolution_procrustes: `{name}` must vary over the samples"
    with pytest.raises(vv.DegenerateInputError, match=match):
        MEASURE(*pair)


def test_each_channel_constant_is_constant():
    X, Y = maps()
    X = X * 0 + np.arange(3.0)[:, None, None]
    with pytest.raises(vv.DegenerateInputError, match="`X` must vary over the samples"):
        MEASURE(X, Y)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: X[..., 0], ValueError, r"`X` must be 4-D .*, got shape \(6, 3, 4\)\. Extract"),
        (lambda X: X[:, :, 1:], ValueError, "one size, got 3 × 5 and 4 × 5 positions"),
        (lambda X: X[1:], ValueError, "describe the same samples, got 5 and 6 rows"),
        (lambda X: X[:, :0], ValueError, "`X` must have at least one feature"),
        (lambda X: X.tolist(), TypeError, "`X` must be an array of NumPy"),
        (lambda X: X + 0j, TypeError, "`X` must have a real floating, .* got complex128"),
        (lambda X: np.ma.masked_array(X), TypeError, "`X` must be a plain dense array"),
        (torch.tensor, TypeError, "must be arrays of one library, got torch and numpy"),
    ],
)
def test_refusals(change, error, message):
    X, Y = maps()
    with pytest.raises(error, match=f"^convolution_procrustes: .*{message}"):
        MEASURE(change(X), Y)


def test_no_samples():
    X, Y = maps()
    with pytest.raises(ValueError, match="must have at least 1 rows, got 0"):
        MEASURE(X[:0], Y[:0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"form": "angle"}, ValueError, "`form` must be one of 'angular'"),
        ({"scale": 1}, TypeError, "`scale` must be True or False, got 1"),
        ({"shifts": "all"}, TypeError, "`shifts` must be True or False, got 'all'"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=f"convolution_procrustes: {message}"):
        MEASURE(*maps(), **options)


def test_unrelated_maps_are_nearly_orthogonal():
    X, Y = np.random.default_rng(0).standard_normal((2, 200, 2, 3, 3))
    assert math.pi / 2 - 0.2 < float(MEASURE(X, Y)) < math.pi / 2
