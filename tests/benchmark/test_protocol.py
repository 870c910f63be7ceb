"""`layer_correspondence` on nets: against a slow count, planted cases, and what it must refuse."""

import numpy as np
import pytest
from scipy import stats
from tests import oracles
from tests.benchmark.nets import LAYERS, nets, turned, unrelated
from tests.benchmark.slow import slow_accuracy, slow_standard_error

from visavis.benchmark import MEASURES, LayerCorrespondence, layer_correspondence

# Measure, its definition, whether higher is more alike, and whether it is symmetric.
ORACLES = {
    "cka": (oracles.cka, 1, True),
    "cka(estimator=biased)": (lambda X, Y: oracles.cka(X, Y, estimator="biased"), 1, True),
    "cka(kernel=rbf(0.4))": (lambda X, Y: oracles.cka(X, Y, kernel=oracles.rbf(0.4)), 1, True),
    "hsic(estimator=biased)": (lambda X, Y: oracles.hsic(X, Y, estimator="biased"), 1, True),
    "cca": (oracles.cca, 1, True),
    "pwcca": (oracles.pwcca, 1, False),
    "linear_regression": (oracles.linear_regression, 1, False),
    "procrustes": (oracles.procrustes, -1, True),
    "information_imbalance": (oracles.information_imbalance, -1, False),
}

# Every measure that does not grow with the size of what it compares.
UNSIZED = {each for each in {*ORACLES, *MEASURES.values()} if not each.startswith("hsic")}


def found(runs, **options):
    return layer_correspondence(runs, progress=False, **options)


def slow(runs, measure):
    """The score of two layers from its definition; both directions of a directed one added."""
    of, sign, symmetric = ORACLES[measure]
    sides = {net: list(layers.values()) for net, layers in runs.items()}

    def score(a, i, b, j):
        X, Y = sides[a][i], sides[b][j]
        return sign * (of(X, Y) if symmetric else of(X, Y) + of(Y, X))

    return score


@pytest.mark.parametrize("measure", ORACLES)
def test_accuracy_and_its_error_are_those_of_the_slow_count(measure):
    runs = nets(4, noise=4.0, seed=1, n=40)
    [each] = found(runs, measures=[measure]).values()
    score = slow(runs, measure)
    assert each.accuracy == pytest.approx(slow_accuracy(score, list(runs), len(LAYERS)))
    assert each.standard_error == pytest.approx(slow_standard_error(score, list(runs), len(LAYERS)))
    assert each.total == 4 * 3 * 4
    assert (each.nets, each.layers) == (tuple(runs), LAYERS)


def test_the_cases_of_the_slow_count_are_neither_trivial_nor_all_one():
    runs = nets(4, noise=4.0, seed=1, n=40)
    accuracies = {m: slow_accuracy(slow(runs, m), list(runs), 4) for m in ORACLES}
    assert 0 < min(accuracies.values()) < max(accuracies.values()) < 100
    assert len(set(accuracies.values())) > 5


def test_the_measures_of_the_paper_by_default_under_its_names():
    res = found(nets(2))
    assert list(res) == list(MEASURES)
    assert isinstance(res, LayerCorrespondence)
    assert [each.measure for each in res.values()] == list(MEASURES)
    assert (res.nets, res.layers, res.n, res.chance) == (("seed0", "seed1"), LAYERS, 60, 25.0)


@pytest.mark.parametrize("names", [["cka", "cca"], {"ours": "cka", "theirs": "cca"}])
def test_measures_have_their_own_names_or_those_that_are_given(names):
    res = found(nets(3, noise=3), measures=names)
    assert list(res) == list(names)
    one, other = (found(nets(3, noise=3), measures=[each])[each] for each in ("cka", "cca"))
    assert [each.hits for each in res.values()] == [one.hits, other.hits]


# Planted cases.


@pytest.mark.parametrize("measure", sorted(UNSIZED))
@pytest.mark.parametrize("copies", ["turned", "permuted"])
def test_copies_are_all_found(measure, copies):
    [first] = nets(1).values()
    random = np.random.default_rng(0)
    changed = {
        "turned": lambda X: turned(X, random),
        "permuted": lambda X: X[:, random.permutation(X.shape[1])],
    }[copies]
    runs = {
        name: {layer: changed(X) for layer, X in first.items()} for name in ("one", "two", "three")
    }
    [each] = found(runs, measures=[measure]).values()
    assert each.accuracy == 100
    assert each.standard_error == 0
    np.testing.assert_array_equal(each.confusion, 6 * np.eye(4))


def test_a_measure_of_size_takes_every_layer_for_the_largest():
    # HSIC is not normalised: a layer with a hundred times the values is the most alike to any.
    runs = nets(3)
    for layers in runs.values():
        layers["conv3"] = 100 * layers["conv3"]
    [each] = found(runs, measures=["hsic(estimator=biased)"]).values()
    np.testing.assert_array_equal(each.confusion, 6 * np.eye(4)[[2, 2, 2, 2]])
    assert each.accuracy == each.chance


@pytest.mark.parametrize("measure", ["cka", "cka(estimator=biased)", "linear_regression", "cca"])
def test_nets_that_have_nothing_in_common_score_chance(measure):
    # Of two layers that are drawn alike each is as likely: the hits of one direction are drawn
    # independently, those of the other direction are not independent of them.
    names = [f"layer{k}" for k in range(6)]
    hits = 0
    for seed in range(8):
        runs = {
            net: {name: X[:, :4] for name, X in layers.items()}
            for net, layers in unrelated(4, seed=seed, names=names, n=40).items()
        }
        [each] = found(runs, measures=[measure]).values()
        hits += int(np.triu(each.won).sum())
    low, high = stats.binom.interval(0.999, 8 * 6 * 6, 1 / 6)
    assert low <= hits <= high


def test_a_measure_with_one_value_for_everything_scores_chance():
    # As many features as samples: Theorem 1 of the paper.
    random = np.random.default_rng(0)
    runs = {f"seed{k}": {f"l{i}": random.normal(size=(20, 25)) for i in range(5)} for k in range(3)}
    res = found(runs, measures=["linear_regression(allow_saturated=True)"])
    [each] = res.values()
    assert each.accuracy == pytest.approx(20.0)
    np.testing.assert_allclose(each.confusion, 6 / 5)


def test_layers_that_are_the_same_are_tied():
    [first] = nets(1).values()
    twice = {"conv1": first["conv1"], "again": first["conv1"], "fc": first["fc"]}
    [each] = found({"a": twice, "b": twice, "c": twice}, measures=["cka"]).values()
    assert each.hits == pytest.approx(6 * (0.5 + 0.5 + 1))
    np.testing.assert_allclose(each.confusion, [[3, 3, 0], [3, 3, 0], [0, 0, 6]])


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_a_layer_without_an_answer_loses_its_trials_and_is_told(value):
    runs = nets(3)
    runs["seed1"]["conv2"] = np.full((60, 3), value)
    res = found(runs, measures=["cka", "procrustes"])
    for each in res.values():
        assert (each.missing, each.total) == (4, 24)
        assert each.hits == 20
        np.testing.assert_array_equal(each.confusion, np.diag([6, 2, 6, 6]))
    assert [finding.code for finding in res.findings if finding.severity == "error"] == ["VV006"]
    assert "seed1/conv2" in str(res.findings)
    assert "Up to 4 of 24 trials of a measure are lost" in str(res)


def test_layers_are_found_by_name_wherever_a_net_has_them():
    runs = nets(3, noise=2)
    mixed = runs | {"seed1": dict(reversed(runs["seed1"].items()))}
    expected, res = (found(each, measures=["cka", "pwcca"]) for each in (runs, mixed))
    assert list(mixed["seed1"]) == list(LAYERS[::-1])
    for name in res:
        np.testing.assert_array_equal(res[name].confusion, expected[name].confusion)
        np.testing.assert_allclose(
            res.scores[name].values, expected.scores[name].values, rtol=1e-12
        )


def test_the_first_net_may_have_another_order_than_the_others():
    runs = nets(3, noise=2)
    first = {"seed0": {name: runs["seed0"][name] for name in ("fc", "conv2", "conv1", "conv3")}}
    res = found(first | {name: runs[name] for name in ("seed1", "seed2")}, measures=["cka"])
    assert res.layers == ("fc", "conv2", "conv1", "conv3")
    assert res["cka"].hits == found(runs, measures=["cka"])["cka"].hits
