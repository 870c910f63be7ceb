"""Arrays of any library on either side, left as they are, under any settings of the caller."""

import copy

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.measures.records import RECORDS, allowing
from tests.pairs.conftest import layers
from tests.pairs.tables import compared, each_pair, stacked

import visavis as vv

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
