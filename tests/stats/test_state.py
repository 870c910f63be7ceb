"""A state is a value: it never changes, keeps nothing of the caller's, says what it cannot do."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.records import allowing
from tests.stats.streams import every_streamed, settling_every, stream, streamed

import visavis as vv

X, Y = related(n=30, p=4, q=3)
EMPTY = vv.Moments.empty()

# A state that still waits for more rows, and one that has added them up.
every_waiting = pytest.mark.parametrize("waiting", [1, 512])


@pytest.fixture(params=[1, 512], ids=["settled", "waiting"])
def state(request):
    with settling_every(request.param):
        yield EMPTY.update(X, Y)


def test_nothing_seen():
    assert (EMPTY.n, EMPTY.widths) == (0, ())


def test_number_of_rows_and_widths(state):
    assert (state.n, state.widths) == (30, (4, 3))


@every_streamed
def test_update_and_merge_leave_the_old_state(measure, state):
    measure = allowing(measure)
    before = float(streamed(measure, state))
    more, other = state.update(2 * X, Y), EMPTY.update(Y @ np.ones((3, 4)), Y)
    state.merge(other)
    other.merge(state)
    assert (state.n, more.n) == (30, 60)
    assert float(streamed(measure, state)) == before


def test_fields_are_frozen(state):
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.sums = None


def test_one_state_continued_in_two_ways(state):
    left, right = state.update(X, Y), state.update(-X, Y)
    assert float(left.cka()) == pytest.approx(float(vv.cka(*twice(X, X))), rel=1e-12)
    assert float(right.cka()) == pytest.approx(float(vv.cka(*twice(X, -X))), rel=1e-12)


def twice(first, second):
    return np.vstack([first, second]), np.vstack([Y, Y])


@every_waiting
@pytest.mark.parametrize("array", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_caller_fills_the_same_buffer(array, waiting):
    buffers, state = (array(X[:10]), array(Y[:10])), EMPTY
    with settling_every(waiting):
        for start in (0, 10, 20):
            buffers[0][:] = array(X[start : start + 10])
            buffers[1][:] = array(Y[start : start + 10])
            state = state.update(*buffers)
        buffers[0][:] = 0
        assert float(state.cka()) == pytest.approx(float(vv.cka(X, Y)), rel=1e-12)


@every_waiting
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_batch_that_is_not_finite(value, side, waiting):
    batch = [X[:10].copy(), Y[:10].copy()]
    batch[side][7, 2] = value
    match = rf"^Moments.update: `batch\[{side}\]` must be finite, got {value} at row 7, column 2 "
    with settling_every(waiting):
        state = EMPTY.update(X, Y)
        with pytest.raises(vv.DegenerateInputError, match=match):
            state.update(*batch)
        # The run may go on without the batch.
        state = state.update(X, Y)
        assert float(state.cka()) == pytest.approx(float(vv.cka(*twice(X, X))), rel=1e-12)


@pytest.mark.parametrize(
    ("batch", "seen"),
    [((X[:, :3], Y), r"\(3, 3\)"), ((Y, X), r"\(3, 4\)"), ((X, Y, Y), r"\(4, 3, 3\)")],
)
def test_other_widths(state, batch, seen):
    match = (
        rf"^Moments.update: .* must have the widths seen before, \(4, 3\), got {seen}\. One state"
    )
    with pytest.raises(ValueError, match=match):
        state.update(*batch)


def test_merge_with_other_widths(state):
    match = r"^Moments.merge: .* must have the widths seen before, \(4, 3\), got \(3, 4\)"
    with pytest.raises(ValueError, match=match):
        state.merge(EMPTY.update(Y, X))


def test_other_numbers_of_rows(state):
    with pytest.raises(
        ValueError, match=r"^Moments.update: .* the same samples, got 30 and 29 rows"
    ):
        state.update(X, Y[1:])


@pytest.mark.parametrize("batch", [(), (X,)])
def test_fewer_than_two_representations(batch):
    with pytest.raises(TypeError, match=r"^Moments.update: `batch` must be two or more repres"):
        EMPTY.update(*batch)


def test_batch_of_no_array(state):
    with pytest.raises(TypeError, match=r"^Moments.update: `batch\[1\]` must be an array of NumPy"):
        state.update(X, Y.tolist())


def test_one_dimensional_batch(state):
    with pytest.raises(
        ValueError, match=r"^Moments.update: `batch\[0\]` must be 2-D .*shape \(4,\)"
    ):
        state.update(X[0], Y[:1])


OTHER_LIBRARY = [
    (np.asarray, torch.tensor, "numpy and torch"),
    (torch.tensor, np.asarray, "torch and numpy"),
    (lambda x: jnp.asarray(x, jnp.float32), torch.tensor, "jax and torch"),
]


@every_waiting
@pytest.mark.parametrize(("before", "after", "seen"), OTHER_LIBRARY)
def test_batches_of_other_libraries(before, after, seen, waiting):
    match = f"^Moments.update: .*arrays of one library, got {seen}"
    with settling_every(waiting):
        state = EMPTY.update(before(X), before(Y))
        with pytest.raises(TypeError, match=match):
            state.update(after(X), after(Y))


@pytest.mark.parametrize(("before", "after", "seen"), OTHER_LIBRARY)
def test_merge_with_other_libraries(before, after, seen):
    states = (EMPTY.update(array(X), array(Y)) for array in (before, after))
    with pytest.raises(TypeError, match=f"^Moments.merge: .*arrays of one library, got {seen}"):
        next(states).merge(next(states))


@every_waiting
def test_batches_on_other_devices(waiting):
    elsewhere = (torch.zeros(5, p, dtype=torch.float64, device="meta") for p in (4, 3))
    with settling_every(waiting):
        state = EMPTY.update(torch.tensor(X), torch.tensor(Y))
        with pytest.raises(ValueError, match=r"^Moments.update: .*one device, got cpu and meta"):
            state.update(*elsewhere)


@pytest.mark.parametrize(
    ("name", "estimator", "needed"),
    [("cka", "debiased", 4), ("cka", "biased", 2), ("hsic", "debiased", 4), ("cca", None, 2)],
)
def test_too_few_rows(name, estimator, needed):
    options = {} if estimator is None else {"estimator": estimator}
    state = stream(X[: needed - 1], Y[: needed - 1], 1)
    match = f"^Moments.{name}: .*must have at least {needed} rows, got {needed - 1}"
    with pytest.raises(ValueError, match=match):
        getattr(state, name)(**options)


@pytest.mark.parametrize("between", [(0, 2), (5, 0), (-1, 0)])
@every_streamed
def test_representations_that_were_not_seen(measure, state, between):
    match = (
        rf"^Moments.{measure.name}: `between` must name two .* got \({between[0]}, {between[1]}\)"
    )
    with pytest.raises(ValueError, match=match):
        streamed(measure, state, between=between)


@every_streamed
def test_no_batch_yet(measure):
    match = f"^Moments.{measure.name}: .*0 seen. Call update with batches first"
    with pytest.raises(ValueError, match=match):
        streamed(measure, EMPTY)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4 / 3])
@pytest.mark.parametrize("dead", [0, 1])
@every_streamed
def test_constant_representation(measure, dead, value):
    pair = [X, Y]
    pair[dead] = np.full_like(pair[dead], value)
    with settling_every(4):
        state = stream(*pair, 7)
    if measure.name == "hsic":
        assert float(streamed(measure, state)) == pytest.approx(0.0, abs=1e-15)
        return
    match = f"^Moments.{measure.name}: .*representation {dead} is constant over all 30 rows"
    with pytest.raises(vv.DegenerateInputError, match=match):
        streamed(allowing(measure), state)


def test_constant_within_each_batch_is_no_constant():
    steps = np.repeat(np.arange(3.0), 10)[:, None] * np.ones((1, 4))
    with settling_every(1):
        value = stream(steps, Y, 10).cka()
    assert float(value) == pytest.approx(float(vv.cka(steps, Y)), rel=1e-12)


def test_equidistant_rows():
    state = EMPTY.update(np.eye(10), np.eye(10)[::-1].copy())
    with pytest.raises(vv.DegenerateInputError, match=r"^Moments.cka: .*equally far .*one-hot"):
        state.cka()


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca", "canonical_ridge"])
def test_saturated(name):
    state = stream(X[:6], Y[:6], 2)
    match = f"^VV014 Moments.{name}: .*against n = 6 samples.*allow_saturated=True"
    with pytest.raises(vv.SaturatedError, match=match) as caught:
        getattr(state, name)()
    assert caught.value.code == "VV014"
    assert np.isfinite(getattr(state, name)(allow_saturated=True))


def test_saturation_ends_as_rows_come_in():
    state = EMPTY.update(X[:6], Y[:6])
    with pytest.raises(vv.SaturatedError):
        state.cca()
    assert np.isfinite(state.update(X[6:], Y[6:]).cca())


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("cka", "estimator", "unbiased"),
        ("hsic", "estimator", "unbiased"),
        ("cca", "form", "mean"),
        ("svcca", "form", "mean"),
        ("svcca", "variance", 0.0),
        ("svcca", "components", 0),
        ("canonical_ridge", "kappa", (-1.0, 0.0)),
        ("canonical_ridge", "normalization", "none"),
        ("procrustes", "form", "radians"),
    ],
)
def test_options(state, name, option, value):
    with pytest.raises(ValueError, match=f"^Moments.{name}: `{option}` must be"):
        getattr(state, name)(**{option: value})


@every_waiting
@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("float16", "float16", "float32"),
        ("int64", "bool", "float64"),
    ],
)
def test_dtype_of_the_answer(first, second, answer, waiting):
    A, B = np.rint(4 * X).astype(first), (Y > 0).astype(second)
    with settling_every(waiting):
        state = stream(A, B, 7)
    assert state.cka().dtype == vv.cka(A, B).dtype == answer
    assert float(state.cka()) == pytest.approx(float(vv.cka(A, B)), abs=1e-6)


@every_waiting
@pytest.mark.parametrize("array", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_sides_of_different_floats(array, waiting):
    # As under autocast, where one layer answers in another precision.
    A, B = array(X.astype(np.float32)), array(Y)
    with settling_every(waiting):
        state = stream(A, B, 7)
    assert state.cka().dtype == B.dtype
    assert float(state.cka()) == pytest.approx(float(vv.cka(X.astype(np.float32), Y)), abs=1e-9)


@pytest.mark.parametrize("size", [1, 100, 511, 512, 600])
def test_few_rows_wait(size):
    # Waiting batches are copies of rows: they must not become the data set.
    A, B = related(n=1500, p=2, q=2)
    state = EMPTY
    for start in range(0, 1500, size):
        state = state.update(A[start : start + size], B[start : start + size])
        assert sum(len(each[0]) for each in state.waiting) < 512
    assert state.n == 1500
