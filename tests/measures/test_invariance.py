"""What a record says its measure forgets leaves the value; what it says it does not, moves it."""

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from tests.data_makers import related
from tests.measures.maps import CASE_OF, MAPS, implied
from tests.measures.records import (
    RECORDS,
    draws,
    enough,
    every_record,
    few_examples,
    sides,
    value,
)

from visavis.measures.measure import (
    LINEAR,
    LINEAR_X,
    LINEAR_Y,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
)

Cases = list[tuple[object, str]]

# Four features at least: with three kept components of three the truncation would not bite.
shapes = st.tuples(st.integers(4, 7), st.integers(4, 7), st.integers(2, 20))
seeds = st.integers(0, 2**32 - 1)

FORGOTTEN: Cases = [(m, name) for m in RECORDS for name in sorted(m.invariant_to)]
FELT: Cases = [(m, name) for m in RECORDS for name in sorted(m.not_invariant_to)]


def cases(pairs: Cases) -> pytest.MarkDecorator:
    ids = [f"{measure.label}-{name}" for measure, name in pairs]
    return pytest.mark.parametrize(("measure", "name"), pairs, ids=ids)


def before_and_after(measure, name, shape, seed):
    p, q, spare = shape
    X, Y = related(n=enough(measure, p + q + spare), p=p, q=q, seed=seed)
    X, Y = X + 0.5, Y - 0.5
    changed = MAPS[name](X, Y, np.random.default_rng(seed + 1))
    return value(measure, X, Y), value(measure, *changed)


@cases(FORGOTTEN)
@few_examples
@drawn(shape=shapes, seed=seeds)
def test_declared_invariance(measure, name, shape, seed):
    before, after = before_and_after(measure, name, shape, seed)
    assert after == pytest.approx(before, rel=1e-10, abs=1e-10)


@cases(FELT)
@few_examples
@drawn(shape=shapes, seed=seeds)
def test_declared_non_invariance(measure, name, shape, seed):
    pairs = [before_and_after(measure, name, shape, each) for each in draws(measure, seed)]
    assert any(abs(after - before) > 1e-6 * max(abs(before), abs(after)) for before, after in pairs)


@every_record
def test_declarations_are_known_and_consistent(measure):
    assert measure.invariant_to | measure.not_invariant_to <= MAPS.keys()
    assert implied(measure.invariant_to) - {LINEAR_X, LINEAR_Y} <= measure.invariant_to
    assert not measure.invariant_to & measure.not_invariant_to
    for name in measure.not_invariant_to:
        assert not CASE_OF.get(name, set()) & measure.invariant_to


@every_record
@pytest.mark.parametrize("name", [TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR])
def test_every_map_is_decided(measure, name):
    if any(kernel.name == "precomputed" for kernel in sides(measure) or ()):
        assert not measure.invariant_to | measure.not_invariant_to
        return
    felt = measure.not_invariant_to
    of_one_side = {each for each in felt if name in CASE_OF.get(each, set())}
    narrower = {each for each, wider in CASE_OF.items() if name in wider} & felt
    assert name in measure.invariant_to or name in felt or of_one_side or narrower
