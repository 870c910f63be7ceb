"""Any partition of the rows, in any order of merging, gives the answer of all rows at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import duplicate_columns, offset, related, relu_like
from tests.measures.records import allowing, few_examples
from tests.stats.streams import batches, every_streamed, settling_every, stream, streamed

import visavis as vv

ROWS = 60
SHAPE = {"n": ROWS, "p": 4, "q": 3}

# Sizes of the parts: empty ones and single rows among them.
partitions = st.lists(st.integers(0, 25) | st.just(1), min_size=1, max_size=12)


def check(measure, state, X, Y, *, rel=1e-9):
    expected = float(measure(X, Y))
    assert state.n == len(X)
    assert float(streamed(measure, state)) == pytest.approx(expected, rel=rel, abs=rel)


@pytest.mark.parametrize("waiting", [1, 7])
@every_streamed
def test_every_partition(measure, waiting):
    X, Y = related(**SHAPE)
    measure = allowing(measure)

    @few_examples
    @given(partitions)
    def of_any_sizes(sizes):
        with settling_every(waiting):
            check(measure, stream(X, Y, sizes), X, Y)

    of_any_sizes()


@every_streamed
def test_every_tree_of_merges(measure):
    X, Y = related(**SHAPE)
    measure = allowing(measure)

    @few_examples
    @given(partitions, st.randoms(use_true_random=False))
    def of_any_order(sizes, random):
        states = [vv.Moments.empty().update(*batch) for batch in batches(X, Y, sizes)]
        while len(states) > 1:
            a = states.pop(random.randrange(len(states)))
            b = states.pop(random.randrange(len(states)))
            states.insert(random.randrange(len(states) + 1), a.merge(b))
        check(measure, states[0], X, Y)

    of_any_order()


@pytest.mark.parametrize("maker", [related, offset, relu_like, duplicate_columns])
@pytest.mark.parametrize("size", [64, 700, 1300])
@every_streamed
def test_batches_of_one_size(measure, maker, size):
    # Longer than what waits, so that states merge inside as well.
    X, Y = maker(n=1300, p=4, q=3)
    check(allowing(measure), stream(X, Y, size), X, Y)


@every_streamed
def test_wider_than_long(measure):
    X, Y = related(n=9, p=20, q=15)
    measure = allowing(measure)
    with settling_every(1):
        check(measure, stream(X, Y, 2), X, Y)


@pytest.mark.parametrize("cut", [0, 1, 30, ROWS])
@every_streamed
def test_merge_commutes(measure, cut):
    X, Y = related(**SHAPE)
    a, b = (vv.Moments.empty().update(*batch) for batch in batches(X, Y, [cut]))
    measure = allowing(measure)
    one, other = (float(streamed(measure, each)) for each in (a.merge(b), b.merge(a)))
    assert one == pytest.approx(other, rel=1e-12, abs=1e-12)


@every_streamed
def test_merge_associates(measure):
    X, Y = related(**SHAPE)
    a, b, c = (vv.Moments.empty().update(*batch) for batch in batches(X, Y, [7, 30]))
    measure = allowing(measure)
    left, right = a.merge(b).merge(c), a.merge(b.merge(c))
    left, right = (float(streamed(measure, each)) for each in (left, right))
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


@every_streamed
def test_empty_is_the_identity(measure):
    X, Y = related(**SHAPE)
    state, empty = stream(X, Y, 7), vv.Moments.empty()
    measure = allowing(measure)
    value = float(streamed(measure, state))
    assert float(streamed(measure, state.merge(empty))) == value
    assert float(streamed(measure, empty.merge(state))) == value
    assert empty.merge(empty).n == 0


@every_streamed
def test_merged_with_itself_is_every_row_twice(measure):
    X, Y = related(**SHAPE)
    state = stream(X, Y, 7)
    check(allowing(measure), state.merge(state), np.vstack([X, X]), np.vstack([Y, Y]))


@every_streamed
def test_updates_after_a_merge(measure):
    X, Y = related(**SHAPE)
    a, b, c = batches(X, Y, [20, 20])
    state = vv.Moments.empty().update(*a).merge(vv.Moments.empty().update(*b)).update(*c)
    check(allowing(measure), state, X, Y)


@every_streamed
def test_order_of_the_rows(measure):
    X, Y = related(**SHAPE)
    order = np.random.default_rng(3).permutation(ROWS)
    with settling_every(1):
        check(allowing(measure), stream(X[order], Y[order], 7), X, Y)


@pytest.mark.parametrize("between", [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)])
@every_streamed
def test_three_representations(measure, between):
    X, Y = related(**SHAPE)
    Z = np.tanh(X @ np.ones((4, 2)) + np.random.default_rng(9).standard_normal((ROWS, 2)))
    state = vv.Moments.empty()
    with settling_every(10):
        for start in range(0, ROWS, 9):
            state = state.update(*(each[start : start + 9] for each in (X, Y, Z)))
    assert state.widths == (4, 3, 2)
    measure = allowing(measure)
    sides = [(X, Y, Z)[k] for k in between]
    value = float(streamed(measure, state, between=between))
    assert value == pytest.approx(float(measure(*sides)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["cka", "cca", "linear_regression", "procrustes"])
def test_one_representation_against_itself(name):
    X, Y = related(**SHAPE)
    value = getattr(stream(X, Y, 7), name)(between=(1, 1))
    assert float(value) == pytest.approx(float(name != "procrustes"), abs=1e-7)


@every_streamed
def test_answer_of_numpy(measure, home):
    put, shape = home
    measure = allowing(measure)
    pair = related(**shape, seed=1)
    X, Y = (put(each) for each in pair)
    wide = "float64" in str(X.dtype)
    held = (each.astype("float64" if wide else "float32") for each in pair)
    with settling_every(4):
        reference = streamed(measure, stream(*held, 3))
        answer = streamed(measure, stream(X, Y, 3))
    assert answer.shape == ()
    assert same_home(answer, X)
    # Procrustes takes the root of a difference from 1, which halves the digits where sides match.
    rel = (1e-9 if wide else 1e-5) if measure.name != "procrustes" else (1e-7 if wide else 1e-3)
    size = max(1.0, abs(float(reference)))
    if measure.name == "hsic":
        alone = measure.with_options(estimator="biased")
        size = math.sqrt(float(alone(X, X)) * float(alone(Y, Y)))
    assert float(answer) == pytest.approx(float(reference), rel=rel, abs=rel * size)


@pytest.mark.parametrize("library", ["array_api_strict", "torch", "jax"])
def test_merges_in_other_libraries(library):
    library = LIBRARIES[library]
    pair = related(**SHAPE)
    X, Y = (library.array(each.astype(library.dtypes[-1])) for each in pair)
    states = [vv.Moments.empty().update(*batch) for batch in batches(X, Y, [1, 20, 0, 30])]
    state = states[0]
    for each in states[1:]:
        state = state.merge(each)
    rel = 1e-12 if library.dtypes[-1] == "float64" else 1e-6
    assert float(state.cka()) == pytest.approx(float(vv.cka(*pair)), rel=rel, abs=rel)
    assert same_home(state.cka(), X)


@settings(parent=few_examples, max_examples=20)
@given(partitions, partitions)
def test_two_partitions_agree(first, second):
    X, Y = related(**SHAPE)
    with settling_every(5):
        one, other = stream(X, Y, first), stream(X, Y, second)
    assert float(one.cka()) == pytest.approx(float(other.cka()), rel=1e-12, abs=1e-12)
