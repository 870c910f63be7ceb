"""What is not an array of numbers, or not of one library and device, is refused in plain words."""

import ml_dtypes
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from tests.backends.libraries import LIBRARIES
from tests.data_makers import related

import visavis as vv

X, Y = related(n=10, p=4, q=3)

TWO_LIBRARIES = [
    ("numpy", "torch"),
    ("torch", "numpy"),
    ("torch", "jax"),
    ("array_api_strict", "numpy"),
    ("jax", "array_api_strict"),
]

NO_ARRAYS = {
    "builtins.list": X.tolist(),
    "builtins.NoneType": None,
    "builtins.float": 3.0,
    "numpy.float64": np.float64(3.0),
    "pandas.DataFrame": pd.DataFrame(X),
    "scipy.csr_matrix": scipy.sparse.csr_matrix(X),
}

NO_REAL_NUMBERS = {
    "object": X.astype(object),
    "str": X.astype(str),
    "bytes": X.astype("S8"),
    "complex128": X + 1j,
    "complex64": (X + 1j).astype("complex64"),
    "datetime64": np.zeros((10, 4), "datetime64[s]"),
    "timedelta64": np.zeros((10, 4), "timedelta64[s]"),
    "float8_e4m3": X.astype(ml_dtypes.float8_e4m3),
}


@pytest.mark.parametrize(("x", "y"), TWO_LIBRARIES)
@pytest.mark.parametrize("measure", [vv.cka, vv.cca, vv.procrustes])
def test_two_libraries(measure, x, y):
    given = LIBRARIES[x].array(X.astype("float32")), LIBRARIES[y].array(Y.astype("float32"))
    match = f"^{measure.__name__}: `X` and `Y` must be arrays of one library, got {x} and {y}. Conv"
    with pytest.raises(TypeError, match=match):
        measure(*given)


@pytest.mark.parametrize(("x", "y"), [("cpu", "meta"), ("meta", "cpu")])
@pytest.mark.parametrize("measure", [vv.hsic, vv.pwcca, vv.procrustes])
def test_two_devices(measure, x, y):
    match = f"^{measure.__name__}: `X` and `Y` must be on one device, got {x} and {y}. Move one"
    with pytest.raises(ValueError, match=match):
        measure(torch.zeros(10, 4, device=x), torch.zeros(10, 3, device=y))


def test_a_device_without_values_is_no_error():
    # Shapes can be planned on torch's meta device, where nothing can be read.
    given = (torch.zeros(10, p, device="meta") for p in (4, 3))
    answer = vv.cka(*given)
    assert (answer.device.type, answer.shape) == ("meta", ())


@pytest.mark.parametrize("side", ["X", "Y"])
@pytest.mark.parametrize("seen", NO_ARRAYS)
def test_no_array(seen, side):
    given = (NO_ARRAYS[seen], Y) if side == "X" else (X, NO_ARRAYS[seen])
    match = f"^cka: `{side}` must be an array of NumPy, PyTorch, .*, got {seen}. Convert it first"
    with pytest.raises(TypeError, match=match):
        vv.cka(*given)


@pytest.mark.parametrize("side", ["X", "Y"])
def test_matrix_of_numpy(side):
    # For np.matrix an asterisk is a matrix product.
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(X)
    given = (matrix, Y) if side == "X" else (X, matrix)
    with pytest.raises(TypeError, match=f"^cka: `{side}` must be an array of .*got numpy.matrix"):
        vv.cka(*given)


def test_masked_array():
    # A mask says which entries are not there, and products would use them all the same.
    masked = np.ma.masked_array(X, mask=X > 1)
    with pytest.raises(TypeError, match=r"^cka: `X` must .*MaskedArray"):
        vv.cka(masked, Y)


def test_sparse_tensor():
    with pytest.raises(TypeError, match=r"^cka: `X` must .*sparse"):
        vv.cka(torch.tensor(X).to_sparse(), torch.tensor(Y))


@pytest.mark.parametrize("side", ["X", "Y"])
@pytest.mark.parametrize("seen", NO_REAL_NUMBERS)
def test_no_real_numbers(seen, side):
    given = (NO_REAL_NUMBERS[seen], Y) if side == "X" else (X, NO_REAL_NUMBERS[seen])
    match = rf"^cka: `{side}` must have a real floating, integer or boolean dtype, got .*{seen}"
    with pytest.raises(TypeError, match=match):
        vv.cka(*given)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128, torch.float8_e4m3fn], ids=str)
def test_no_real_numbers_in_torch(dtype):
    given = torch.tensor(X).to(dtype), torch.tensor(Y)
    with pytest.raises(TypeError, match="must have a real floating, integer or boolean"):
        vv.cka(*given)


def test_complex_numbers_are_told_what_to_become():
    with pytest.raises(TypeError, match="Take the real and imaginary parts as features"):
        vv.cka(X + 1j, Y)
