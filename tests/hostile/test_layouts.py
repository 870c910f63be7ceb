"""How numbers lie in memory, and which numbers they are, changes no answer."""

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.records import allowing, every_record, given

import visavis as vv

SHAPES = {"features": {"n": 20, "p": 6, "q": 6}, "gram": {"n": 14, "p": 60, "q": 60}}
every_form = pytest.mark.parametrize("form", SHAPES)

# Each takes a plain array and returns one that looks the same but lies otherwise.
LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every third column": lambda x: np.repeat(x, 3, axis=1)[:, 1::3],
    "columns backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "rows backwards": lambda x: x[::-1].copy()[::-1],
    "both backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "part of a larger array": lambda x: np.pad(x, 3, constant_values=np.nan)[3:-3, 3:-3],
    "not aligned": lambda x: _not_aligned(x),
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "extended precision": lambda x: x.astype(np.longdouble),
    "subclass": lambda x: x.view(type("Named", (np.ndarray,), {})),
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS)


def _not_aligned(x):
    """The same numbers one byte off where the machine would have them."""
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    assert not view.flags.aligned
    return view


@every_layout
@every_form
@every_record
def test_layout(measure, form, layout):
    measure = allowing(measure)
    X, Y = given(measure, *related(**SHAPES[form]))
    plain = measure(X, Y)
    answer = measure(LAYOUTS[layout](X), LAYOUTS[layout](Y))
    # BLAS takes sums in another order where rows are not contiguous.
    assert float(answer) == pytest.approx(float(plain), rel=1e-12, abs=1e-13)
    assert answer.dtype == plain.dtype


@every_record
def test_memory_map(measure, tmp_path):
    measure = allowing(measure)
    arrays = []
    for name, array in zip("xy", given(measure, *related(**SHAPES["features"])), strict=True):
        np.save(tmp_path / f"{name}.npy", array)
        arrays.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    plain = measure(*(np.array(each) for each in arrays))
    answer = measure(*arrays)
    assert float(answer) == pytest.approx(float(plain), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x.T.contiguous().T,
        lambda x: x.repeat_interleave(2, dim=0)[::2],
        lambda x: torch.nn.functional.pad(x, (2, 2, 2, 2), value=torch.nan)[2:-2, 2:-2],
        lambda x: torch.nn.Parameter(x, requires_grad=False),
    ],
    ids=["transposed", "strided", "part", "parameter"],
)
@pytest.mark.parametrize("measure", [vv.cka, vv.cca, vv.procrustes])
def test_layout_in_torch(measure, layout):
    X, Y = (torch.tensor(each) for each in related(**SHAPES["features"]))
    answer = measure(layout(X), layout(Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-12)


@pytest.mark.parametrize("array", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_broadcast_columns(array):
    # A stride of zero: one column in memory, six to be seen.
    X, Y = related(n=20, p=1, q=5)
    wide = array(X)
    wide = np.broadcast_to(wide, (20, 6)) if isinstance(wide, np.ndarray) else wide.expand(20, 6)
    repeated = vv.cka(array(np.repeat(X, 6, axis=1)), array(Y))
    assert float(vv.cka(wide, array(Y))) == pytest.approx(float(repeated), rel=1e-12)
    # One column six times over is that column.
    assert float(repeated) == pytest.approx(float(vv.cka(array(X), array(Y))), rel=1e-12)


def test_broadcast_rows_are_constant():
    X, Y = related(n=20, p=6, q=5)
    with pytest.raises(vv.DegenerateInputError, match=r"`X` must vary .* got 20 identical rows"):
        vv.cka(np.broadcast_to(X[0], (20, 6)), Y)


def whole_numbers(measure):
    """Small positive integers; as a Gram matrix, the kernel min(x, y)."""
    X, Y = ((50 + 20 * each).round().clip(1, 100) for each in related(n=20, p=6, q=5))
    if measure.settings.get("kernel") == vv.kernels.precomputed():
        return np.minimum.outer(X[:, 0], X[:, 0]), np.minimum.outer(Y[:, 0], Y[:, 0])
    return X, Y


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "uint32", "int64", "uint64"])
@every_record
def test_integers(measure, kind):
    # Products are taken in float64: in int8 they would wrap around, and so would differences.
    measure = allowing(measure)
    X, Y = whole_numbers(measure)
    assert float(measure(X.astype(kind), Y.astype(kind))) == float(measure(X, Y))


@every_record
def test_booleans(measure):
    measure = allowing(measure)
    X, Y = (each > 50 for each in whole_numbers(measure))
    X[:, 0] = Y[:, 0] = X[0] = Y[0] = True  # no all-zero row, and still symmetric
    X[0, 4] = X[4, 0] = Y[0, 4] = Y[4, 0] = False  # nor one that is all ones
    assert float(measure(X, Y)) == float(measure(X.astype(float), Y.astype(float)))


def test_one_array_on_both_sides_of_a_view():
    X, _ = related(n=20, p=6, q=5)
    assert float(vv.cka(X, X[:, ::-1])) == pytest.approx(1.0, rel=1e-12)
