"""Order of layers and seeds against layers: slow counts, planted nets, refusals."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from tests.benchmark import grounding_oracles as slow

import visavis as vv
from visavis.benchmark.grounding import layer_monotonicity, seeds_against_layers

BIASED = "cka(estimator=biased)"


def walks(seed, *, nets=3, layers=5, n=60, p=6, step=1.0):
    """Nets whose layers drift: each is the one before and something new."""
    rng = np.random.default_rng(seed)
    runs = {}
    for net in range(nets):
        moves = rng.normal(size=(layers, n, p))
        moves[1:] *= step
        runs[f"net {net}"] = {f"l{k}": X for k, X in enumerate(np.cumsum(moves, axis=0))}
    return runs


def unrelated(seed, *, nets=3, layers=5, n=60, p=6):
    rng = np.random.default_rng(seed)
    return [{f"l{k}": rng.normal(size=(n, p)) for k in range(layers)} for net in range(nets)]


def cosines(layers):
    return np.array([[slow.gram_cosine(X, Y) for Y in layers.values()] for X in layers.values()])


def order_score(S):
    return slow.in_order(S)


def distance_score(S):
    pairs = list(combinations(range(len(S)), 2))
    return slow.spearman([j - i for i, j in pairs], [-S[i][j] for i, j in pairs])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "statistic"), [("conformity", order_score), ("Spearman ρ", distance_score)]
)
def test_order_scores_are_those_of_the_definition(seed, name, statistic):
    runs = {f"net {k}": each for k, each in enumerate(unrelated(seed))}
    found = layer_monotonicity(runs, measures=[BIASED])[BIASED, name]
    tables = [cosines(layers) for layers in runs.values()]
    of_nets = [statistic(S) for S in tables]
    assert found.value == pytest.approx(np.mean(of_nets), rel=1e-9)
    without = [np.mean(np.delete(of_nets, k)) for k in range(3)]
    assert found.interval.standard_error == pytest.approx(slow.jackknife_error(without), rel=1e-9)
    every = [
        np.mean([statistic(slow.left_out(S, order)) for S in tables])
        for order in permutations(range(5))
    ]
    assert every[0] == pytest.approx(found.value)
    assert found.pvalue == pytest.approx(np.mean(np.array(every) >= every[0] - 1e-9))
    assert np.mean(every) == pytest.approx(found.chance, abs=1e-12)


@pytest.mark.parametrize("measure", ["cka", "procrustes", "rsa", "linear_regression"])
def test_a_straight_line_is_in_perfect_order(measure):
    # From one thing to another: every measure sees how far the layers have come.
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(3):
        start, end = rng.normal(size=(2, 200, 5))
        runs.append({f"l{k}": (1 - k / 4) * start + k / 4 * end for k in range(5)})
    found = layer_monotonicity(runs, measures=[measure])
    [conformity, correlation] = found.scores
    assert conformity.value == 1.0
    assert correlation.value > 0.9
    # Of 120 orders, forwards and backwards.
    assert conformity.pvalue == pytest.approx(2 / 120)
    assert conformity.interval.evidence == {"violations": 0.0}
    assert set(found.passed.values()) == {True}


def test_layers_in_no_order_score_chance():
    scores = [layer_monotonicity(unrelated(seed))["cka", "conformity"] for seed in range(30)]
    off = np.array([score.value - 0.5 for score in scores])
    assert abs(off.mean()) < 4 * off.std() / math.sqrt(30)
    assert np.mean([score.passed for score in scores]) <= 0.1


def test_layers_that_are_all_alike_tie():
    rng = np.random.default_rng(0)
    runs = [
        {f"l{k}": X @ Q for k, Q in enumerate(_rotations(rng))} for X in rng.normal(size=(3, 50, 4))
    ]
    found = layer_monotonicity(runs)
    assert found["cka", "conformity"].value == 0.5
    assert found["cka", "conformity"].interval.evidence == {"violations": 0.0}
    assert found["cka", "Spearman ρ"].value == 0.0
    assert {score.pvalue for score in found.scores} == {1.0}
    assert found.passed == {"cka": False}


def _rotations(rng):
    return [np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(4)]


def test_nets_of_different_depth_are_taken_together():
    runs = {**walks(0, nets=2, layers=5), "deep": walks(1, nets=1, layers=7)["net 0"]}
    found = layer_monotonicity(runs, measures=[BIASED], draws=500)
    expected = np.mean([slow.in_order(cosines(layers)) for layers in runs.values()])
    assert found[BIASED, "conformity"].value == pytest.approx(expected)
    assert found.settings["ways"] == {5: 500, 7: 500}
    assert found[BIASED, "conformity"].pvalue <= 0.05


def test_one_net_has_a_value_but_no_interval():
    found = layer_monotonicity(walks(0, nets=1))
    assert found["cka", "conformity"].value == 1.0
    assert found["cka", "conformity"].reason.startswith("no interval: one net")
    assert found.passed == {"cka": None}


def test_a_dead_layer_is_named():
    runs = walks(0)
    runs["net 1"]["l2"] = np.zeros((60, 6))
    found = layer_monotonicity(runs)
    assert math.isnan(found["cka", "conformity"].value)
    assert "Layer l2 of net 1" in found["cka", "conformity"].reason


@pytest.mark.parametrize(
    ("runs", "match"),
    [
        ({"a": {"l0": np.eye(9), "l1": np.eye(9)}}, r"`runs\['a'\]` must have 3 layers.*got 2"),
        ({"a": np.eye(9)}, r"must have 3 layers or more, in order, got 1"),
        ({}, r"must hold 1 net or more, got 0"),
    ],
)
def test_order_needs_three_layers(runs, match):
    with pytest.raises(ValueError, match=match):
        layer_monotonicity(runs)


def test_layers_of_different_samples_are_refused():
    layers = {"l0": np.eye(9), "l1": np.eye(9), "l2": np.eye(8)}
    with pytest.raises(ValueError, match="same number of rows"):
        layer_monotonicity([layers])


# Seeds against layers.


def seeds(seed, *, nets=4, layers=3, noise=0.5, n=60, p=6):
    """Nets that share their layers but for noise."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(layers, n, p))
    return {
        f"net {net}": {f"l{k}": X + noise * rng.normal(size=X.shape) for k, X in enumerate(shared)}
        for net in range(nets)
    }


def slow_above(runs, percentile):
    """The share of distances between layers beyond those between seeds, one by one."""
    nets = list(runs.values())
    names = list(nets[0])
    won = []
    for i, j in combinations(names, 2):
        between = sorted(
            -slow.gram_cosine(a[k], b[k]) for k in (i, j) for a, b in combinations(nets, 2)
        )
        # The first that has this share of all others at or below it.
        threshold = next(
            d for r, d in enumerate(between) if r >= percentile / 100 * (len(between) - 1) - 1e-9
        )
        won += [-slow.gram_cosine(net[i], net[j]) > threshold for net in nets]
    return sum(won) / len(won)


def without(runs, net):
    return {name: layers for name, layers in runs.items() if name != net}


@pytest.mark.parametrize("percentile", [95, 90])
@pytest.mark.parametrize("seed", range(3))
def test_shares_above_a_percentile_are_those_of_the_definition(seed, percentile):
    runs = seeds(seed, noise=2.5, layers=4)
    found = seeds_against_layers(runs, measures=[BIASED])[BIASED, f"above {percentile} %"]
    assert 0 < found.value < 1
    assert found.value == pytest.approx(slow_above(runs, percentile))
    left = [slow_above(without(runs, net), percentile) for net in runs]
    assert found.interval.standard_error == pytest.approx(slow.jackknife_error(left), abs=1e-12)


@pytest.mark.parametrize("percentile", [95, 90])
@pytest.mark.parametrize("nets", [3, 5])
def test_chance_is_how_often_one_more_distance_is_above(percentile, nets):
    runs = seeds(0, nets=nets, layers=2)
    chance = seeds_against_layers(runs)["cka", f"above {percentile} %"].chance
    rng = np.random.default_rng(0)
    draws = rng.random((20000, nets * (nets - 1) + 1))
    threshold = np.quantile(draws[:, 1:], percentile / 100, axis=1, method="higher")
    assert chance == pytest.approx((draws[:, 0] > threshold).mean(), abs=0.01)


@pytest.mark.parametrize("measure", ["cka", "procrustes", "linear_regression", "mutual_knn"])
def test_seeds_that_hardly_differ_pass(measure):
    found = seeds_against_layers(seeds(0, noise=0.05), measures=[measure])
    assert {score.value for score in found.scores} == {1.0}
    assert set(found.passed.values()) == {True}


def test_seeds_that_share_nothing_do_not_pass():
    found = seeds_against_layers(seeds(0, noise=1000.0, nets=6), measures=["cka", "rsa"])
    assert set(found.passed.values()) == {False}


LABELS = np.arange(60) % 3


def probes(seed, *, nets=3):
    """Nets whose layers hold the less of the classes the deeper they are."""
    rng = np.random.default_rng(seed)
    classes = np.eye(3)[LABELS]
    noise = rng.normal(size=(60, 3))
    return {
        f"net {net}": {
            f"l{k}": classes + s * noise + 0.1 * rng.normal(size=(60, 3))
            for k, s in enumerate((0.3, 0.6, 1.2, 2.0))
        }
        for net in range(nets)
    }


@pytest.mark.parametrize(
    ("name", "correlation"), [("Spearman ρ", slow.spearman), ("Kendall τ", slow.kendall)]
)
def test_correlation_with_the_probe_is_that_of_the_definition(name, correlation):
    runs = probes(0)
    found = seeds_against_layers(runs, LABELS, measures=[BIASED])
    accuracies = found.settings["probe_accuracies"]

    def expected(runs):
        items = [(net, k, X) for net, each in runs.items() for k, X in enumerate(each.values())]
        values = [accuracies[net][k] for net, k, _ in items]
        best = max(range(len(items)), key=values.__getitem__)
        others = [at for at in range(len(items)) if at != best]
        return correlation(
            [-slow.gram_cosine(items[best][2], items[at][2]) for at in others],
            [abs(values[best] - values[at]) for at in others],
        )

    score = found[BIASED, name]
    assert score.value == pytest.approx(expected(runs), rel=1e-9)
    left = [expected(without(runs, net)) for net in runs]
    assert score.interval.standard_error == pytest.approx(slow.jackknife_error(left), rel=1e-9)
    assert score.value > 0.5


def test_two_seeds_have_no_interval():
    found = seeds_against_layers(seeds(0, nets=2, noise=0.1))
    score = found["cka", "above 95 %"]
    assert score.value == 1.0
    assert score.reason.startswith("no interval: 2 nets")


def test_a_saturated_measure_says_why_it_has_no_value():
    found = seeds_against_layers(seeds(0, n=10, p=12), measures=["cca", "cka"])
    assert "VV014" in found["cca", "above 90 %"].reason
    assert found["cka", "above 90 %"].reason == ""
    assert found.passed["cca"] is None


A = {"l0": np.eye(9), "l1": np.eye(9)[::-1]}


@pytest.mark.parametrize(
    ("runs", "labels", "error", "match"),
    [
        ({"a": A}, None, ValueError, r"`runs` must hold 2 nets or more, got 1"),
        ([np.eye(9), np.eye(9)], None, ValueError, r"must have 2 layers or more, got 1"),
        ([A, {"l0": np.eye(9)}], None, ValueError, r"have the layers of the first net, l0, l1"),
        ([A, {k: X[:8] for k, X in A.items()}], None, vv.SampleMismatchError, r"9 .*8"),
        ([A, A], [0, 1], ValueError, r"`labels` must have an entry for each of the 9 samples"),
        ([A, A], [1] * 9, ValueError, r"have two classes or more, got only 1"),
    ],
)
def test_refusals_of_seeds_against_layers(runs, labels, error, match):
    with pytest.raises(error, match=match):
        seeds_against_layers(runs, labels)
