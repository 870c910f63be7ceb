"""What is said of arrays where the array API standard says nothing."""

import math

import array_api_strict
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch

from visavis._core import array

ONES = {
    "numpy": np.ones((3, 2)),
    "torch": torch.ones(3, 2),
    "jax": jnp.ones((3, 2)),
    "array_api_strict": array_api_strict.ones((3, 2)),
}
every_library = pytest.mark.parametrize("x", ONES.values(), ids=ONES)


@every_library
def test_arrays(x):
    assert array.is_array(x)


@pytest.mark.parametrize("value", [[1.0], 1.0, np.float64(1), None, "x", {"a": 1}])
def test_no_arrays(value):
    assert not array.is_array(value)


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.ones(1, "f4"), "float32"),
        (np.ones(1, ml_dtypes.bfloat16), "bfloat16"),
        (np.ones(1, "?"), "bool"),
        (torch.ones(1, dtype=torch.bfloat16), "bfloat16"),
        (torch.ones(1, dtype=torch.int64), "int64"),
        (jnp.ones(1, "float16"), "float16"),
        (array_api_strict.ones(1, dtype=array_api_strict.float64), "float64"),
    ],
)
def test_dtype_name(x, name):
    assert array.dtype_name(x) == name


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.ones(1, "f2"), "float32"),
        (np.ones(1, ml_dtypes.bfloat16), "float32"),
        (np.ones(1, "f4"), "float32"),
        (np.ones(1, "f8"), "float64"),
        (np.ones(1, np.longdouble), "float64"),
        (np.ones(1, "i1"), "float64"),
        (np.ones(1, "?"), "float64"),
        (torch.ones(1, dtype=torch.bfloat16), "float32"),
        (torch.ones(1, dtype=torch.uint8), "float64"),
        (jnp.ones(1, "bfloat16"), "float32"),
        (jnp.ones(1, "int32"), "float32"),
    ],
)
def test_lift(x, name):
    assert array.dtype_name(array.lift(x)) == name


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_lift_does_not_copy_what_can_be_computed_with(dtype):
    x = np.ones(3, dtype)
    assert array.lift(x) is x


@pytest.mark.parametrize(
    ("x", "epsilon"),
    [
        (np.ones(1, "f2"), 2.0**-10),
        (np.ones(1, ml_dtypes.bfloat16), 2.0**-7),
        (torch.ones(1, dtype=torch.bfloat16), 2.0**-7),
        (np.ones(1, "f4"), 2.0**-23),
        (np.ones(1, "f8"), 2.0**-52),
        (np.ones(1, "i4"), 2.0**-52),
        (jnp.ones(1, "int32"), 2.0**-23),
    ],
)
def test_precision(x, epsilon):
    assert array.precision(x) == epsilon


@every_library
def test_to_numpy(x):
    converted = array.to_numpy(x)
    assert type(converted) is np.ndarray
    np.testing.assert_array_equal(converted, np.ones((3, 2)))


def test_to_numpy_of_bfloat16_and_of_what_needs_a_gradient():
    x = torch.tensor([1.5, -2.0], dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_array_equal(array.to_numpy(x), np.array([1.5, -2.0], "f4"))


@pytest.mark.parametrize("x", [np.arange(6.0), torch.arange(6.0)], ids=["numpy", "torch"])
def test_host_does_not_copy(x):
    seen = array.host(x)
    assert isinstance(seen, np.ndarray)
    seen[0] = 7
    assert x[0] == 7


def test_host_of_jax_is_its_memory():
    x = jnp.arange(6.0)
    assert array.host(x).ctypes.data == np.asarray(x).ctypes.data


def test_host_leaves_what_it_does_not_know():
    x = ONES["array_api_strict"]
    assert array.host(x) is x


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["numpy", "torch"], "numpy and torch"),
        (["jax"], "jax"),
        (["numpy", "numpy"], "numpy"),
        (["array_api_strict", "jax"], "array_api_strict and jax"),
    ],
    ids=str,
)
def test_libraries(names, expected):
    assert array.libraries([ONES[name] for name in names]) == expected


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("value", [1.0, 1.999, 2.0, 3.7, 1e-30, 1e30, 2.0**-100])
def test_power_of_two_brings_the_peak_into_1_to_2(dtype, value):
    peak = np.asarray(value, dtype)
    unit = array.power_of_two(peak)
    assert math.frexp(unit)[0] == 0.5
    assert 1 <= float(peak) * unit < 2


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_power_of_two_of_what_cannot_be_scaled_is_1(value):
    assert array.power_of_two(np.asarray(value)) == 1


@pytest.mark.parametrize(("dtype", "smallest"), [("f4", 1e-45), ("f8", 5e-324)])
def test_power_of_two_stays_within_the_dtype(dtype, smallest):
    unit = array.power_of_two(np.asarray(smallest, dtype))
    assert np.isfinite(np.asarray(unit, dtype))


def test_recording():
    x = torch.ones(3, requires_grad=True)
    assert array.recording(x)
    assert array.recording(np.ones(3), x)
    assert not array.recording(x.detach(), np.ones(3), jnp.ones(3))
    with torch.no_grad():
        assert not array.recording(x)
