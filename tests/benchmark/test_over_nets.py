"""The jackknife over nets: against recomputing, and how often its intervals hold the truth."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from tests.benchmark.slow import jackknife

from visavis.benchmark import over_nets, table_correspondence


def pairs(m, seed=0):
    """A table of percentages for all ordered pairs."""
    table = np.random.default_rng(seed).uniform(0, 100, size=(m, m))
    np.fill_diagonal(table, 0)
    return table


def slow_mean(table, nets):
    return np.mean([table[a, b] for a, b in permutations(nets, 2)])


@pytest.mark.parametrize("m", [3, 4, 9])
def test_mean_and_error_are_those_of_recomputing(m):
    table = pairs(m)
    without = [slow_mean(table, [n for n in range(m) if n != k]) for k in range(m)]
    assert over_nets.mean(table) == pytest.approx(slow_mean(table, range(m)))
    np.testing.assert_allclose(over_nets.without_each(table), without)
    assert over_nets.standard_error(table) == pytest.approx(jackknife(without))


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_an_interval_is_that_of_student(level):
    table = pairs(8)
    value, error = slow_mean(table, range(8)), over_nets.standard_error(table)
    low, high = stats.t.interval(level, 7, loc=value, scale=error)
    found = over_nets.interval(table, level, low=0, high=100)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.value, found.standard_error, found.n) == pytest.approx((value, error, 8))
    assert found.method == "jackknife over 8 nets, t with 7 degrees of freedom"
    assert found.evidence == {}


def test_an_interval_ends_with_the_range():
    table = np.full((3, 3), 95.0) - np.diag([95.0] * 3)
    table[0, 1] = table[1, 0] = 60
    found = over_nets.interval(table, 0.99, low=0, high=100)
    assert (found.low, found.high) == (0, 100)


@pytest.mark.parametrize(
    ("table", "method"),
    [
        (pairs(2), "none: a jackknife over nets takes three"),
        (100 - 100 * np.eye(4), "none: the value is the same without any of the nets"),
        # Hits of tied layers are fractions, which differ in their last digits.
        ((1 - np.eye(5)) * (100 / 3), "none: the value is the same without any of the nets"),
    ],
)
def test_where_nothing_says_how_it_spreads_there_is_no_interval(table, method):
    found = over_nets.interval(table, 0.95, low=0, high=100, zero=True)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(found.evidence["pvalue"])
    assert found.method == method


@pytest.mark.parametrize("level", [0, 1, -0.1, 95])
def test_a_level_that_is_none(level):
    with pytest.raises(ValueError, match="`level` must lie between 0 and 1, got"):
        over_nets.interval(pairs(3), level, low=0, high=100)


# Differences are paired.


def outcome(seed, lead, nets=tuple("abcdef"), measure="m"):
    """Scores in which hard nets are hard for every measure, and a lead of the diagonal."""
    random = np.random.default_rng(0)
    hardness = {net: random.uniform(0.5, 4) for net in nets}
    random = np.random.default_rng(seed)
    tables = {
        (a, b): lead * np.eye(6) + (hardness[a] + hardness[b]) * random.normal(size=(6, 6))
        for a, b in permutations(nets, 2)
        if a < b
    }
    return table_correspondence(tables, measure=measure)


def test_a_difference_is_that_of_recomputing_with_the_same_nets():
    one, other = outcome(1, 6), outcome(2, 3)
    found = one.difference(other, level=0.9)
    apart = (one.won - other.won) * 100 / 6
    without = [slow_mean(apart, [n for n in range(6) if n != k]) for k in range(6)]
    error = jackknife(without)
    assert found.value == pytest.approx(one.accuracy - other.accuracy)
    assert found.standard_error == pytest.approx(error)
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.9, 5, loc=found.value, scale=error)
    )
    t = found.value / error
    assert found.evidence["pvalue"] == pytest.approx(2 * stats.t.sf(abs(t), 5))
    back = other.difference(one, level=0.9)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert back.evidence == pytest.approx(found.evidence)


def test_a_measure_with_itself_differs_in_nothing():
    found = outcome(1, 6).difference(outcome(1, 6))
    assert (found.value, found.standard_error) == (0, 0)
    assert math.isnan(found.evidence["pvalue"])


@pytest.mark.parametrize(
    "other", [outcome(1, 6, nets=("a", "b", "c")), outcome(1, 6, nets=tuple("ABCDEF"))]
)
def test_a_difference_of_other_nets_is_refused(other):
    with pytest.raises(ValueError, match="`other` must be of the same nets and layers"):
        outcome(1, 6).difference(other)


# Coverage. Nets differ in how well they match, and pairs of them by chance.

LAYERS = 9


def simulated(m, spread, random, mean=1.5):
    """Hits in % of all pairs of m nets."""
    quality = spread * random.normal(size=m)
    logit = mean + quality[:, None] + quality[None, :]
    logit = logit[..., None] + random.normal(size=(m, m, LAYERS))
    hits = random.binomial(1, 1 / (1 + np.exp(-logit))).sum(axis=2) * 100 / LAYERS
    hits = np.triu(hits, 1)
    return hits + hits.T


def truth(spread, random, mean=1.5):
    quality = spread * np.sqrt(2) * random.normal(size=400_000)
    return 100 * np.mean(1 / (1 + np.exp(-(mean + quality + random.normal(size=400_000)))))


@pytest.mark.parametrize(("m", "spread"), [(3, 0.0), (3, 0.7), (10, 0.0), (10, 0.7)])
def test_intervals_hold_the_accuracy_of_all_nets_as_often_as_the_notes_say(m, spread):
    random = np.random.default_rng(m)
    expected, held, known = truth(spread, random), 0, 0
    for _ in range(1500):
        found = over_nets.interval(simulated(m, spread, random), 0.95, low=0, high=100)
        if not math.isnan(found.low):
            known += 1
            held += found.low <= expected <= found.high
    assert 0.91 < held / known <= 1
    assert known > 1400


@pytest.mark.parametrize(
    ("m", "spread", "low", "high"), [(3, 0.0, 1.6, 2.4), (10, 0.0, 1.3, 1.7), (10, 1.0, 0.9, 1.15)]
)
def test_errors_are_too_large_by_as_much_as_the_notes_say(m, spread, low, high):
    random = np.random.default_rng(m)
    tables = [simulated(m, spread, random) for _ in range(1500)]
    errors = [over_nets.standard_error(table) for table in tables]
    ratio = np.sqrt(np.mean(np.square(errors))) / np.std([over_nets.mean(t) for t in tables])
    assert low < ratio < high
