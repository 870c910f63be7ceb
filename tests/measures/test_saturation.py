"""Theorem 1 of Kornblith et al. (2019): what no linear map can change means nothing at n − 1."""

import numpy as np
import pytest
from tests.data_makers import independent, related
from tests.measures.records import RECORDS, allowing, oracle, over

import visavis as vv
from visavis.measures.measure import LINEAR, LINEAR_X, LINEAR_Y

N = 12
FULL = N - 1

REFUSING = [each for each in RECORDS if "allow_saturated" in each.defaults]
BLIND_TO_X = [each for each in RECORDS if {LINEAR, LINEAR_X} & each.invariant_to]
BLIND_TO_Y = [each for each in RECORDS if {LINEAR, LINEAR_Y} & each.invariant_to]
BLIND_TO_BOTH = [each for each in RECORDS if LINEAR in each.invariant_to]
BOUNDED_BY_BOTH = [vv.registry[name] for name in ("cca", "pwcca", "canonical_ridge")]


@over(BLIND_TO_X)
def test_no_answer_once_x_spans_everything(measure):
    X, Y = related(n=N, p=FULL, q=2)
    with pytest.raises(vv.SaturatedError, match=f"VV014 {measure.name}: rank {FULL}"):
        measure(X, Y)


@over(BLIND_TO_Y)
def test_no_answer_once_y_spans_everything(measure):
    X, Y = related(n=N, p=2, q=FULL)
    with pytest.raises(vv.SaturatedError, match=f"VV014 {measure.name}: rank .*{FULL}"):
        measure(X, Y)


@over(BLIND_TO_X)
def test_the_refusal_names_the_cures_and_its_code(measure):
    cures = r"Use cka, give more samples, .* \(svcca\), or pass allow_saturated=True"
    with pytest.raises(ValueError, match=cures) as caught:
        measure(*independent(n=N, p=40, q=30))
    assert caught.value.code == "VV014"


@over(BOUNDED_BY_BOTH)
@pytest.mark.parametrize(("p", "q"), [(5, 6), (6, 5), (9, 2)])
def test_ranks_that_add_up_to_all_degrees_of_freedom_are_refused(measure, p, q):
    with pytest.raises(vv.SaturatedError, match=f"rank {p} and {q} against n = {N}"):
        measure(*related(n=N, p=p, q=q))


@over(BOUNDED_BY_BOTH)
@pytest.mark.parametrize(("p", "q"), [(5, 5), (4, 6), (9, 1)])
def test_one_degree_of_freedom_less_has_an_answer(measure, p, q):
    X, Y = related(n=N, p=p, q=q)
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-12)


def test_regression_needs_one_degree_of_freedom_left_by_x_alone():
    X, Y = related(n=N, p=FULL - 1, q=40)
    expected = oracle(vv.registry["linear_regression"], X, Y)
    assert float(vv.linear_regression(X, Y)) == pytest.approx(expected, rel=1e-12)
    X, Y = related(n=N, p=FULL, q=1)
    with pytest.raises(vv.SaturatedError, match=f"linear_regression: rank {FULL} against n = {N}"):
        vv.linear_regression(X, Y)


def test_rank_counts_and_not_the_number_of_columns():
    X, Y = related(n=N, p=3, q=2)
    wide = np.hstack([X] * 20)
    assert float(vv.cca(wide, Y)) == pytest.approx(float(vv.cca(X, Y)), rel=1e-12)


@pytest.mark.parametrize(("components", "refused"), [(5, False), (6, True), ((6, 4), False)])
def test_svcca_counts_what_it_keeps(components, refused):
    X, Y = related(n=N, p=40, q=30)
    if refused:
        with pytest.raises(vv.SaturatedError, match=r"VV014 svcca: rank 6 and 6"):
            vv.svcca(X, Y, components=components)
    else:
        assert 0 < float(vv.svcca(X, Y, components=components)) < 1


@over(REFUSING)
@pytest.mark.parametrize(("p", "q"), [(FULL, 40), (40, FULL), (5, 6), (40, 2)])
def test_allowed_it_equals_the_oracle(measure, p, q):
    X, Y = related(n=N, p=p, q=q)
    measure = allowing(measure)
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-11)


@over([*BLIND_TO_BOTH, vv.registry["linear_regression"], vv.registry["pwcca"]])
@pytest.mark.parametrize("seed", [0, 1])
def test_theorem_one_all_data_get_one_answer(measure, seed):
    X, Y = independent(n=N, p=FULL, q=40, seed=seed)
    measure = allowing(measure)
    best = measure.high if measure.direction == "similarity" else measure.low
    assert float(measure(X, Y)) == pytest.approx(best, rel=1e-12, abs=1e-12)
    assert float(measure(Y, X)) == pytest.approx(best, rel=1e-12, abs=1e-12)
