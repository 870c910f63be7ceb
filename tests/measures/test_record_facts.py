"""Range, symmetry, self-similarity, metric axioms, direction, fewest rows: from every record."""

import math

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from tests.data_makers import related
from tests.measures.maps import MAPS
from tests.measures.records import (
    RECORDS,
    allowing,
    broad,
    draws,
    enough,
    every_record,
    few_examples,
    given,
    over,
    value,
)

from visavis.measures.measure import LINEAR_X, ROWS

SYMMETRIC = [each for each in RECORDS if each.symmetric]
DIRECTED = [each for each in RECORDS if not each.symmetric]
REFLEXIVE = [each for each in RECORDS if each.reflexive]
NOT_REFLEXIVE = [each for each in RECORDS if not each.reflexive]
DISTANCES = [each for each in REFLEXIVE if each.direction == "distance"]
METRICS = [each for each in RECORDS if each.metric]
BOUNDED = [
    each for each in REFLEXIVE if each.direction == "similarity" and math.isfinite(each.high)
]
FORGETFUL_METRICS = [(m, name) for m in METRICS for name in sorted(m.invariant_to)]

widths = st.integers(2, 6)  # rows of a single feature have no directions for a cosine to tell apart
spares = st.integers(2, 20)  # rows beyond p + q: room for the residual
seeds = st.integers(0, 2**32 - 1)


@every_record
@few_examples
@drawn(p=st.integers(2, 40), q=st.integers(2, 40), more=st.integers(0, 30), seed=seeds)
def test_range(measure, p, q, more, seed):
    p, q = broad(measure, p), broad(measure, q)
    X, Y = related(n=measure.minimum_rows + more, p=p, q=q, seed=seed)
    answer = value(allowing(measure), X, Y)
    assert measure.low - 1e-12 <= answer <= measure.high + 1e-12


@over(SYMMETRIC)
@few_examples
@drawn(p=widths, q=widths, spare=spares, seed=seeds)
def test_symmetry(measure, p, q, spare, seed):
    p, q = broad(measure, p), broad(measure, q)
    X, Y = related(n=enough(measure, p + q + spare), p=p, q=q, seed=seed)
    assert value(measure, Y, X) == pytest.approx(value(measure, X, Y), rel=1e-11, abs=1e-13)


@over(DIRECTED)
@few_examples
@drawn(p=widths, q=widths, spare=spares, seed=seeds)
def test_asymmetry(measure, p, q, spare, seed):
    pairs = [
        related(n=enough(measure, p + q + spare), p=p, q=q, seed=each)
        for each in draws(measure, seed)
    ]
    assert max(abs(value(measure, Y, X) - value(measure, X, Y)) for X, Y in pairs) > 1e-6


@over(BOUNDED)
@few_examples
@drawn(p=widths, spare=spares, seed=seeds)
def test_a_bounded_similarity_is_highest_with_itself(measure, p, spare, seed):
    p = broad(measure, p)
    X, _ = related(n=enough(measure, 2 * p + spare), p=p, q=1, seed=seed)
    assert value(measure, X, X) == pytest.approx(measure.high, rel=1e-12)


@over(DISTANCES)
@few_examples
@drawn(p=widths, spare=spares, seed=seeds)
def test_a_distance_is_zero_to_itself(measure, p, spare, seed):
    p = broad(measure, p)
    X, _ = related(n=enough(measure, 2 * p + spare), p=p, q=1, seed=seed)
    assert measure.low == 0
    assert value(measure, X, X) == pytest.approx(0, abs=1e-12)


@over(NOT_REFLEXIVE)
@few_examples
@drawn(p=st.integers(30, 40), seed=seeds)
def test_what_is_not_reflexive_may_have_less_than_the_best_with_itself(measure, p, seed):
    # Away from the origin and in many dimensions, where some samples are nobody's neighbour; and as
    # many as there are samples, which leave more than can be predicted from some of them.
    X, _ = related(n=enough(measure, p), p=p, q=1, seed=seed)
    best = measure.high if measure.direction == "similarity" else measure.low
    assert abs(value(measure, X + 1, X + 1) - best) > 1e-3


@over(METRICS)
@few_examples
@drawn(p=widths, q=widths, r=widths, spare=spares, seed=seeds)
def test_triangle_inequality(measure, p, q, r, spare, seed):
    p, q, r = (broad(measure, each) for each in (p, q, r))
    X, Z = related(n=p + r + spare, p=p, q=r, seed=seed)
    # A detour on the way from X to Z, where the inequality is nearest to an equation.
    Y = np.hstack([X, Z]) @ np.random.default_rng(seed).standard_normal((p + r, q))
    measure = allowing(measure)
    direct = value(measure, X, Z)
    assert direct <= value(measure, X, Y) + value(measure, Y, Z) + 1e-12


@over(METRICS)
@few_examples
@drawn(spare=spares, seed=seeds)
def test_triangle_inequality_half_way(measure, spare, seed):
    # Over the middle of two single features, where a square of a metric fails.
    width = broad(measure, 1)
    X, Z = (_unit(each) for each in related(n=4 + spare, p=width, q=width, seed=seed))
    Y = (X + np.sign(np.vdot(X, Z)) * Z) / 2
    direct = value(measure, X, Z)
    assert direct <= value(measure, X, Y) + value(measure, Y, Z) + 1e-12


@pytest.mark.parametrize(
    ("measure", "name"),
    FORGETFUL_METRICS,
    ids=[f"{measure.label}-{name}" for measure, name in FORGETFUL_METRICS],
)
@few_examples
@drawn(p=widths, spare=spares, seed=seeds)
def test_a_metric_is_zero_between_what_it_cannot_tell_apart(measure, name, p, spare, seed):
    p = broad(measure, p)
    X, _ = related(n=enough(measure, 2 * p + spare), p=p, q=1, seed=seed)
    copy = MAPS[name](X, X, np.random.default_rng(seed))[0 if name == LINEAR_X else 1]
    assert value(measure, X, copy) == pytest.approx(0, abs=1e-12)


@over(METRICS)
def test_a_metric_is_positive_between_what_differs(measure):
    assert value(measure, *related()) > 0.1


@every_record
@few_examples
@drawn(p=widths, spare=st.integers(6, 20), seed=seeds)
def test_direction(measure, p, spare, seed):
    p = broad(measure, p)
    X, _ = related(n=enough(measure, 2 * p + spare), p=p, q=1, seed=seed)
    random = np.random.default_rng(seed)
    near = X + 0.1 * random.standard_normal(X.shape)
    # The same rows in another order: as large and as wide as the near copy, but unrelated. Who does
    # not ask for the order sees another shape instead: nearly a line, on one side of the origin.
    far = np.roll(near, len(near) // 2, axis=0)
    if ROWS in measure.invariant_to:
        far = (near + 3) * np.geomspace(1, 1e-3, near.shape[1])
    gain = value(measure, X, near) - value(measure, X, far)
    assert gain > 0 if measure.direction == "similarity" else gain < 0


@every_record
def test_fewest_rows(measure):
    measure, n = allowing(measure), measure.minimum_rows
    assert math.isfinite(value(measure, *related(n=n, p=5, q=4)))
    X, Y = given(measure, *related(n=n - 1, p=5, q=4))
    message = f"{measure.name}: `X` and `Y` must have at least {n} rows, got {n - 1}"
    with pytest.raises(ValueError, match=message):
        measure(X, Y)


@every_record
def test_wording_is_there(measure):
    assert measure.title
    assert measure.reference
    assert measure.statistic
    assert measure.cost
    assert measure.description()
    assert "\n" not in measure.description()
    assert measure.label.startswith(measure.name)


def _unit(x):
    x = x - x.mean(axis=0)
    return x / np.linalg.norm(x)
