"""The engine's route, prepare once and meet every pair, gives what the function gives."""

import numpy as np
import pytest
from tests.data_makers import outlier_row, related
from tests.measures.records import RECORDS, allowing, every_record, given, meeting, prepared

PAIRS = {
    "narrow": {"n": 40, "p": 6, "q": 5},
    "wide": {"n": 12, "p": 300, "q": 200},
    "wide on one side": {"n": 30, "p": 4, "q": 100},
}
# Layers beside the pair: with them the other form of a linear kernel may be the cheaper one.
BESIDE = {"among many narrow layers": (3,) * 60, "among wide layers": (4000,)}


def scored(measure, X, Y, beside=()):
    return measure.score(measure.settings, meeting(measure, X, Y, beside))


@every_record
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-11), (np.float32, 1e-6)])
def test_score_is_the_function(measure, pair, dtype, rel):
    measure = allowing(measure)
    X, Y = (Z.astype(dtype) for Z in given(measure, *related(**pair)))
    answer = scored(measure, X, Y)
    assert answer.ndim == 0
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=rel, abs=rel / 10)


@every_record
@pytest.mark.parametrize("pair", [PAIRS["narrow"], PAIRS["wide"]], ids=["narrow", "wide"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_engine_is_as_precise_as_the_function(measure, pair, dtype):
    # One sample a thousand times the others: what the function takes care of, the engine must too.
    measure = allowing(measure)
    X, Y = (Z.astype(dtype) for Z in given(measure, *outlier_row(**pair)))
    expected = float(measure(X, Y))
    rel = 1e-9 if dtype == np.float64 else 1e-6
    assert float(scored(measure, X, Y)) == pytest.approx(expected, rel=rel, abs=rel / 10)


@every_record
@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_layers_beside_the_pair_do_not_change_the_score(measure, beside, pair):
    measure = allowing(measure)
    X, Y = given(measure, *related(**pair))
    expected = float(measure(X, Y))
    assert float(scored(measure, X, Y, beside)) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@every_record
def test_a_meeting_may_be_scored_again(measure):
    X, Y = given(measure, *related())
    met = meeting(measure, X, Y)
    first = float(measure.score(measure.settings, met))
    if measure.chance is not None:
        measure.chance(measure.settings, met)
    assert float(measure.score(measure.settings, met)) == first


@every_record
def test_the_input_stays_as_it_was(measure):
    X, Y = given(measure, *related())
    copies = X.copy(), Y.copy()
    scored(measure, X, Y)
    measure(X, Y)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(Y, copies[1])


@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_all_measures_share_what_has_one_key(order):
    X, Y = related(n=40, p=6, q=5)
    kept, met, alone, shared = {}, {}, [], []
    for measure in RECORDS[::order]:
        sides, inputs = prepared(measure, X, Y), given(measure, X, Y)
        for i, (side, Z) in enumerate(zip(sides, inputs, strict=True)):
            kept.setdefault((side.key, i), side.run(Z))
        x, y = ((side.key, i) for i, side in enumerate(sides))
        pair = met.setdefault((x, y), sides[0].meet(kept[x], kept[y]))
        shared.append(float(measure.score(measure.settings, pair)))
        alone.append(float(measure(*inputs)))
    assert shared == pytest.approx(alone, rel=1e-12, abs=1e-13)
    assert len(met) < len(RECORDS) / 2


@every_record
def test_a_symmetric_measure_prepares_both_sides_alike(measure):
    # A set compared with itself prepares each layer once: the keys of both sides must agree.
    X, Y = given(measure, *related(p=5, q=5))
    x, y = prepared(measure, X, Y)
    assert (x.key == y.key) or not measure.symmetric
    assert hash(x.key) == hash(prepared(measure, X, Y)[0].key)
