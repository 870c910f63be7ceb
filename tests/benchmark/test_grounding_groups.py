"""Separation of groups against a slow count, on planted groups, and what it must refuse."""

import numpy as np
import pytest
from tests.benchmark import grounding_oracles as slow

import visavis as vv
from visavis.benchmark.grounding import group_separation

BIASED = "cka(estimator=biased)"


def nets(seed, groups, *, apart, n=40, p=5):
    """Nets whose groups share a part, of a size from 0."""
    rng = np.random.default_rng(seed)
    kinds = {group: rng.normal(size=(n, p)) for group in dict.fromkeys(groups)}
    return {
        f"net {k}": {"first": rng.normal(size=(n, p)), "last": X}
        for k, group in enumerate(groups)
        for X in [apart * kinds[group] + rng.normal(size=(n, p))]
    }


def cosines(runs, layer="last"):
    layers = [each[layer] for each in runs.values()]
    return [[slow.gram_cosine(X, Y) for Y in layers] for X in layers]


GROUPS = ["a", "a", "b", "b", "b"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "statistic"), [("AUPRC", slow.auprc), ("conformity", slow.conformity)]
)
def test_scores_chance_pvalue_and_error_are_those_of_the_definition(seed, name, statistic):
    runs = nets(seed, GROUPS, apart=0.7)
    found = group_separation(runs, GROUPS, measures=[BIASED])[BIASED, name]
    S = cosines(runs)
    assert found.value == pytest.approx(statistic(S, GROUPS), rel=1e-12)
    every = slow.of_every_order(statistic, S, GROUPS)
    assert found.chance == pytest.approx(np.mean(every), rel=1e-12)
    assert found.pvalue == pytest.approx(np.mean(np.array(every) >= every[0] - 1e-12))
    rest = [[k for k in range(5) if k != net] for net in range(5)]
    without = [statistic(slow.left_out(S, keep), [GROUPS[k] for k in keep]) for keep in rest]
    assert found.interval.standard_error == pytest.approx(slow.jackknife_error(without), abs=1e-12)
    assert found.interval.n == 5


THREE = [group for group in "abc" for _ in range(3)]


def test_groups_that_are_wholly_apart_score_one_and_pass():
    found = group_separation(
        nets(0, THREE, apart=5.0), THREE, measures=["cka", "procrustes", "linear_regression"]
    )
    assert {score.value for score in found.scores} == {1.0}
    assert set(found.passed.values()) == {True}
    # Of 9!/3!³ ways to deal them out the 3! that only rename groups score as much.
    assert {score.pvalue for score in found.scores} == {6 / 1680}


def test_groups_that_are_no_groups_score_chance():
    scores = [
        group_separation(nets(seed, THREE, apart=0.0), THREE)["cka", name]
        for seed in range(20)
        for name in ("AUPRC", "conformity")
    ]
    for part in (scores[::2], scores[1::2]):
        off = np.array([score.value - score.chance for score in part])
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
        assert np.mean([score.pvalue <= 0.2 for score in part]) < 0.5
    assert np.mean([score.passed for score in scores]) <= 0.1


def test_two_groups_of_three_are_too_few_to_pass():
    groups = list("aaabbb")
    found = group_separation(nets(0, groups, apart=5.0), groups)
    assert found["cka", "AUPRC"].value == 1.0
    assert found["cka", "AUPRC"].pvalue == 0.1
    assert found.passed == {"cka": False}


def test_a_measure_of_one_value_scores_chance():
    # All of them wide: as many dimensions as samples.
    rng = np.random.default_rng(0)
    runs = [rng.normal(size=(12, 20)) for _ in THREE]
    label = "cca(allow_saturated=True)"
    found = group_separation(runs, THREE, measures=[label])
    pairs = 36
    assert found[label, "AUPRC"].value == pytest.approx(9 / pairs)
    assert found[label, "conformity"].value == 0.5
    assert found.passed == {label: False}


def test_the_order_of_nets_and_the_names_of_groups_do_not_matter():
    runs = nets(1, THREE, apart=0.7)
    groups = dict(zip(runs, THREE, strict=True))
    expected = group_separation(runs, groups)
    turned = group_separation(
        dict(reversed(runs.items())), {net: ord(g) for net, g in groups.items()}
    )
    for score in expected.scores:
        other = turned[score.measure, score.name]
        assert other.value == pytest.approx(score.value, rel=1e-12)
        assert other.pvalue == pytest.approx(score.pvalue)


def test_the_last_layer_is_taken_or_the_named_one():
    runs = nets(0, THREE, apart=5.0)
    assert group_separation(runs, THREE).passed == {"cka": True}
    first = group_separation(runs, THREE, layer="first")
    assert first["cka", "AUPRC"].value == pytest.approx(
        slow.auprc(
            np.round(
                [
                    [float(vv.cka(a["first"], b["first"])) for b in runs.values()]
                    for a in runs.values()
                ],
                12,
            ),
            THREE,
        )
    )
    assert first.settings["layers"]["net 0"] == "first"
    last = [each["last"] for each in runs.values()]
    assert group_separation(last, THREE)["cka", "AUPRC"].value == 1.0


def test_a_measure_without_values_says_why_and_leaves_the_others():
    rng = np.random.default_rng(0)
    runs = [rng.normal(size=(12, 20)) for _ in THREE]
    found = group_separation(runs, THREE, measures=["cca", "cka"])
    assert np.isnan(found["cca", "AUPRC"].value)
    assert "VV014" in found["cca", "AUPRC"].reason
    assert found["cca", "AUPRC"].pvalue is None
    assert found["cka", "AUPRC"].reason == ""
    assert found.passed["cca"] is None
    assert "VV014" in {finding.code for finding in found.findings}


def test_a_dead_layer_is_named():
    runs = nets(0, THREE, apart=1.0)
    runs["net 4"]["last"] = np.ones((40, 5))
    found = group_separation(runs, THREE)
    assert np.isnan(found["cka", "conformity"].value)
    assert "net 4/last" in found["cka", "conformity"].reason


def test_nothing_of_the_callers_is_changed():
    runs = nets(0, THREE, apart=1.0)
    before = {net: {k: X.copy() for k, X in each.items()} for net, each in runs.items()}
    group_separation(runs, THREE, measures=["cka", "rsa"])
    assert all(
        np.array_equal(runs[net][layer], X)
        for net, each in before.items()
        for layer, X in each.items()
    )


FOUR = {f"net {k}": np.random.default_rng(k).normal(size=(10, 3)) for k in range(4)}


@pytest.mark.parametrize(
    ("runs", "groups", "options", "error", "match"),
    [
        (FOUR, "aaaa", {}, ValueError, r"`groups` must name two groups or more.*got 4 of 'a'"),
        (FOUR, "aaab", {}, ValueError, r"of two nets or more each, got 3 of 'a', 1 of 'b'"),
        (FOUR, "aab", {}, ValueError, r"have an entry for each of the 4 nets, got 3"),
        (FOUR, {"net 0": 1}, {}, ValueError, r"name a group for each net, got none for 'net 1'"),
        ({"net 0": FOUR["net 0"]}, "a", {}, ValueError, r"`runs` must hold 4 nets or more, got 1"),
        (FOUR, "aabb", {"layer": "x"}, vv.LayerNotFoundError, r"'x', which net 0 does not have"),
        (FOUR, "aabb", {"level": 1.0}, ValueError, r"`level` must lie between 0 and 1"),
        (FOUR, "aabb", {"draws": 0}, ValueError, r"`draws` must be a whole number"),
        (
            FOUR,
            "aabb",
            {"measures": []},
            ValueError,
            r"name one measure or more, each once, got none",
        ),
        (FOUR, "aabb", {"measures": ["cka", "cka"]}, ValueError, r"each once, got cka, cka"),
        (FOUR, "aabb", {"measures": ["nothing"]}, ValueError, r"name a measure, got 'nothing'"),
        (3, "aabb", {}, TypeError, r"`runs` must be a mapping from the name of a net.*got int"),
        ([1, 2, 3, 4], "aabb", {}, TypeError, r"`runs\['net 0'\]` must be Activations.*got int"),
        (
            {**FOUR, "net 3": np.zeros((9, 3))},
            "aabb",
            {},
            vv.SampleMismatchError,
            r"10 .*9",
        ),
    ],
)
def test_refusals_name_the_cause(runs, groups, options, error, match):
    with pytest.raises(error, match=match):
        group_separation(runs, groups, **options)


def test_nan_is_a_value_without_an_answer():
    runs = {name: X.copy() for name, X in FOUR.items()}
    runs["net 2"][3, 1] = np.nan
    found = group_separation(runs, "aabb")
    assert np.isnan(found["cka", "AUPRC"].value)
    assert "row 3, column 1" in found["cka", "AUPRC"].reason
