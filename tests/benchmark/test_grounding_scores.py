"""Scores of grounding tests against slow ones, and what a grounding is as a value."""

import json
import math
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from tests.benchmark import grounding_oracles as slow

from visavis import StoreFormatError
from visavis.benchmark.grounding import Grounding, GroundingTable, Score, intervals, ranking
from visavis.benchmark.grounding.labellings import as_large, drawn_orders, labellings, orders
from visavis.results import Finding, Interval


def symmetric(seed, count, *, ties=False):
    S = np.random.default_rng(seed).normal(size=(count, count))
    S = np.round(S) if ties else S
    return np.triu(S, 1) + np.triu(S, 1).T


GROUPS = [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_the_definition_and_of_scikit_learn(seed, ties):
    S = symmetric(seed, 7, ties=ties)
    likeness, positive = map(np.array, slow.pairs_of(S, GROUPS))
    [value] = ranking.average_precision(likeness, positive[None])
    assert value == pytest.approx(slow.auprc(S, GROUPS), rel=1e-12)
    assert value == pytest.approx(average_precision_score(positive, likeness), rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_conformity_counts_triples(seed, ties):
    S, member = symmetric(seed, 7, ties=ties), np.array(GROUPS)
    [value] = ranking.conformity(S, member[None])
    assert value == pytest.approx(slow.conformity(S, GROUPS), rel=1e-12)
    tied = 2 * (1 - value - ranking.lost(S, member))
    assert tied > 0.01 if ties else abs(tied) < 1e-12


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_order_counts_inequalities_in_every_order_of_the_layers(seed, ties):
    S = symmetric(seed, 5, ties=ties)
    every = np.array(list(permutations(range(5))))
    expected = [slow.in_order(slow.left_out(S, order)) for order in every]
    np.testing.assert_allclose(ranking.in_order(S, every), expected, rtol=1e-12)
    assert np.mean(expected) == pytest.approx(0.5)  # chance
    assert ranking.violated(S) <= 1 - expected[0] + 1e-12


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_correlations_of_ranks(seed, ties):
    x, y = np.random.default_rng(seed).normal(size=(2, 12))
    x, y = (np.round(x), np.round(y)) if ties else (x, y)
    assert ranking.spearman(x, y) == pytest.approx(slow.spearman(x, y), rel=1e-9)
    assert ranking.kendall(x, y) == pytest.approx(slow.kendall(x, y), rel=1e-9)
    assert ranking.ranked(x) @ ranking.ranked(y) == pytest.approx(slow.spearman(x, y), rel=1e-9)


@pytest.mark.parametrize("correlation", [ranking.spearman, ranking.kendall])
@pytest.mark.parametrize(
    ("x", "y"),
    [([1, 2, 3], [1, 1, 1]), ([1, 2], [1, 2]), ([1, 2, np.nan], [1, 2, 3]), ([], [])],
)
def test_a_correlation_of_nothing_is_nan_without_a_warning(correlation, x, y):
    assert math.isnan(correlation(np.array(x), np.array(y)))


@pytest.mark.parametrize("correlation", [ranking.spearman, ranking.kendall])
def test_a_measure_that_sees_the_same_everywhere_scores_chance(correlation):
    known = np.array([1.0, 2.0, 2.0, 5.0])
    assert correlation(np.ones(4), known) == 0.0
    assert ranking.ranked(np.ones(4)) @ ranking.ranked(known) == 0.0
    # As do all orders of four values that it may be taken for, on average.
    every = [correlation(np.array(order), known) for order in permutations(range(4))]
    assert np.mean(every) == pytest.approx(0, abs=1e-12)


def test_values_that_differ_by_rounding_are_equal():
    values = np.array([1.0, 1.0 + 1e-13, 0.5, np.nan, -1.0])
    found = ranking.settled(values)
    assert found[0] == found[1]
    assert (found[2], found[4]) == (0.5, -1.0)
    assert np.isnan(found[3])
    np.testing.assert_array_equal(ranking.settled(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("member", [[0, 0, 1, 1], [1, 0, 0, 1, 2], [0, 0, 0, 1, 1, 1]])
def test_labellings_are_all_different_ones_each_once_the_given_first(member):
    found = labellings(np.array(member), 1000, 0)
    assert found[0].tolist() == member
    assert sorted(map(tuple, found.tolist())) == sorted(set(permutations(member)))


def test_labellings_are_drawn_where_there_are_many():
    member = np.repeat([0, 1, 2], 5)
    found = labellings(member, 100, 3)
    assert found.shape == (100, 15)
    assert found[0].tolist() == member.tolist()
    assert (np.sort(found, axis=1) == member).all()
    np.testing.assert_array_equal(found, labellings(member, 100, 3))
    assert (found[1:] != labellings(member, 100, 4)[1:]).any()


def test_orders_are_all_or_drawn():
    assert sorted(map(tuple, orders(4, 24, 0).tolist())) == sorted(permutations(range(4)))
    assert orders(4, 24, 0)[0].tolist() == [0, 1, 2, 3]
    found = orders(4, 23, 0)
    np.testing.assert_array_equal(found, drawn_orders(4, 23, 0))
    assert found[0].tolist() == [0, 1, 2, 3]
    assert (np.sort(found, axis=1) == np.arange(4)).all()


def test_rounding_does_not_make_a_value_larger():
    assert as_large(np.array([0.5, 0.5 - 1e-15, 0.4, 0.6])) == 0.75


def score(low=0.6, *, value=0.8, chance=0.5, pvalue=None, level=0.95, name="AUPRC", reason=""):
    interval = Interval(value, low, 1.0, level, 0.05, 5, "jackknife over nets")
    return Score("cka", name, interval, chance, pvalue, reason)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"low": 0.5}, False),
        ({"pvalue": 0.05}, True),
        ({"pvalue": 0.051}, False),
        ({"pvalue": 0.051, "level": 0.9}, True),
        ({"low": math.nan}, None),
        ({"low": math.nan, "value": math.nan}, None),
    ],
)
def test_a_score_passes_if_interval_and_pvalue_are_beyond_chance(options, expected):
    assert score(**options).passed is expected


@pytest.mark.parametrize(
    ("lows", "expected"),
    [
        ([0.6, 0.6], True),
        ([0.6, 0.4], False),
        ([0.6, math.nan], None),
        ([0.4, math.nan], False),
    ],
)
def test_a_measure_passes_if_every_score_does(lows, expected):
    scores = tuple(score(low, name=f"score {k}") for k, low in enumerate(lows))
    assert Grounding("groups", scores, ("a", "b"), 100).passed == {"cka": expected}


def test_interval_is_the_jackknife_cut_to_the_range():
    without = [0.7, 0.9, 0.95]
    found = intervals.scored("cka", "AUPRC", 0.85, without, span=(0.0, 1.0), level=0.95, chance=0.3)
    assert found.interval.standard_error == pytest.approx(slow.jackknife_error(without))
    assert found.interval.low == pytest.approx(0.85 - 4.30265273 * slow.jackknife_error(without))
    assert found.interval.high == 1.0


@pytest.mark.parametrize("without", [[], [0.5, math.nan]])
def test_a_score_without_an_interval_says_why(without):
    found = intervals.scored("cka", "x", 0.9, without, span=(0, 1), level=0.95, chance=0.5)
    assert found.value == 0.9
    assert found.passed is None
    assert found.reason.startswith("no interval: ")


def grounding(test="groups"):
    finding = Finding("VV006", "Layer a is constant.", severity="error", layers=("a",))
    return Grounding(
        test,
        (
            score(name="AUPRC", pvalue=0.004),
            score(math.nan, value=math.nan, name="conformity", reason="no value: dead."),
        ),
        ("net 0", "net 1"),
        100,
        {"seed": 0, "groups": {"net 0": "a", "net 1": "b"}},
        (finding,),
        {"visavis": "1"},
    )


def test_printed_it_is_a_table():
    assert repr(grounding()) == (
        "groups: 2 nets, 100 samples, intervals of 95 %\n"
        "measure  score       value  interval        chance  p      passes\n"
        "cka      AUPRC       0.800  [0.600, 1.000]  0.500   0.004  yes\n"
        "cka      conformity  -      -               0.500   -      -\n"
        "cka, conformity: no value: dead."
    )


def test_a_name_from_a_file_cannot_break_the_table():
    assert "evil\\x1b" in repr(grounding("evil\x1b[2J"))


def test_saved_and_loaded_it_is_the_same(tmp_path):
    path = grounding().save(tmp_path / "g.json")
    found = Grounding.load(path)
    assert found.to_dict() == grounding().to_dict()
    assert repr(found) == repr(grounding())
    assert found.passed == grounding().passed
    assert found["cka", "AUPRC"].interval == grounding()["cka", "AUPRC"].interval
    assert "NaN" not in path.read_text("utf-8")


def test_a_table_of_tests_is_saved_and_loaded(tmp_path):
    table = GroundingTable((grounding("one"), grounding("two")))
    found = GroundingTable.load(table.save(tmp_path / "t.json"))
    assert repr(found) == repr(table)
    assert found.passed == {"cka": {"one": None, "two": None}}
    assert found["two"].test == "two"
    assert table.to_frame()["test"].tolist() == ["one", "one", "two", "two"]


def test_a_table_shows_who_passes_what():
    one = Grounding("one", (score(),), ("a", "b"), 10)
    other = Score("procrustes", "AUPRC", score(0.1).interval, 0.5)
    table = GroundingTable((one, Grounding("two", (other, score(math.nan)), ("a",), 10)))
    assert repr(table) == (
        "measure     one        two\n"
        "cka         yes 0.800  - 0.800\n"
        "procrustes             no 0.800"
    )


@pytest.mark.parametrize("tests", [(), (grounding(), grounding())])
def test_a_table_needs_tests_of_different_names(tests):
    with pytest.raises(ValueError, match="`tests` must be one or more, each with a name of its"):
        GroundingTable(tests)


@pytest.mark.parametrize("kind", [Grounding, GroundingTable])
@pytest.mark.parametrize("text", ["", "{}", '{"visavis": "grounding", "format": 1, "data": {}}'])
def test_other_files_are_refused(kind, text, tmp_path):
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(StoreFormatError):
        kind.load(tmp_path / "x.json")


def test_a_newer_format_is_refused(tmp_path):
    data = json.loads(grounding().save(tmp_path / "g.json").read_text("utf-8"))
    (tmp_path / "g.json").write_text(json.dumps({**data, "format": 99}), "utf-8")
    with pytest.raises(StoreFormatError, match="Upgrade visavis"):
        Grounding.load(tmp_path / "g.json")


def test_frame_has_a_line_per_score():
    frame = grounding().to_frame()
    assert frame["score"].tolist() == ["AUPRC", "conformity"]
    assert frame["passed"].tolist() == [True, None]
    assert frame["low"][0] == 0.6


def test_an_unknown_score_is_a_key_error():
    with pytest.raises(KeyError, match="conformity"):
        grounding()["cka", "nothing"]
    with pytest.raises(KeyError, match="groups"):
        GroundingTable((grounding(),))["nothing"]
