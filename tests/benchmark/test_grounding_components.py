"""Probes and deleted components: slow versions, planted representations, refusals."""

import math

import numpy as np
import pytest
import torch
from tests.benchmark import grounding_oracles as slow

import visavis as vv
from visavis.benchmark.grounding import component_deletion, probe_accuracy, probes

BIASED = "cka(estimator=biased)"
PENALTIES = [10.0**k for k in range(-8, 3)]


def classes(n, c):
    return np.arange(n) % c


def informative(seed, n=40, p=4, c=3, noise=1.0):
    rng = np.random.default_rng(seed)
    labels = classes(n, c)
    return rng.normal(size=(c, p))[labels] + noise * rng.normal(size=(n, p)), labels


@pytest.mark.parametrize("p", [3, 30])
@pytest.mark.parametrize("seed", range(3))
def test_probe_is_ridge_regression_with_a_penalty_from_single_rows_left_out(seed, p):
    X, labels = informative(seed, p=p, n=24)
    fold = np.random.default_rng(seed).permutation(24) % 3
    parts = [np.flatnonzero(fold == k).tolist() for k in range(3)]
    expected = slow.probe(X, labels.tolist(), parts, PENALTIES)
    assert probe_accuracy(X, labels, folds=fold) == pytest.approx(expected)


def test_probe_knows_classes_by_name_and_does_not_see_scale_or_turns():
    X, labels = informative(0, n=90)
    expected = probe_accuracy(X, labels)
    assert 0.5 < expected < 1
    names = np.array(["cat", "dog", "cow"])[labels]
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    assert probe_accuracy(X, names) == expected
    assert probe_accuracy(1000 * X @ Q + 7, labels) == expected
    assert probe_accuracy(torch.from_numpy(X), torch.from_numpy(labels)) == expected
    assert probe_accuracy(X.astype(np.float32), labels) == pytest.approx(expected, abs=0.03)


def test_probe_of_noise_is_at_chance():
    rng = np.random.default_rng(0)
    values = [probe_accuracy(rng.normal(size=(200, 5)), classes(200, 4)) for _ in range(20)]
    assert np.mean(values) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_folds_have_their_share_of_every_class(seed):
    member = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [11, 20, 6]))
    fold = probes._stratified(member, 5, seed)
    for part in (member >= 0, member == 0, member == 1, member == 2):
        assert np.ptp(np.bincount(fold[part], minlength=5)) <= 1


def test_probe_of_a_dead_layer_names_the_largest_class():
    labels = np.array([0] * 30 + [1] * 10)
    assert probe_accuracy(np.full((40, 3), 0.1), labels) == 0.75


@pytest.mark.parametrize(
    ("X", "labels", "options", "error", "match"),
    [
        (np.eye(8), [0, 1], {}, ValueError, r"`labels` must have an entry for each of the 8"),
        (np.eye(8), [1] * 8, {}, ValueError, r"two classes or more, got only 1"),
        (np.eye(8), [np.nan, 1.0] * 4, {}, ValueError, r"be known for every sample, got NaN"),
        (np.eye(8) * np.nan, [0, 1] * 4, {}, vv.DegenerateInputError, r"`X` must be finite"),
        (np.eye(8), [0, 1] * 4, {"folds": 1}, ValueError, r"`folds` must be a number from 2 to 4"),
        (np.eye(8), [0, 1] * 4, {"folds": 5}, ValueError, r"`folds` must be a number from 2 to 4"),
        (np.eye(8), [0, 1] * 4, {"folds": [0] * 8}, ValueError, r"or the fold of each of the 8"),
        (np.eye(8), [0, 1] * 4, {"folds": [0, 1]}, ValueError, r"or the fold of each of the 8"),
        (np.eye(8)[0], [0] * 8, {}, ValueError, r"`X` must be 2-D"),
        ([[1.0]], [0], {}, TypeError, r"`X` must be an array"),
    ],
)
def test_refusals_of_the_probe(X, labels, options, error, match):
    with pytest.raises(error, match=match):
        probe_accuracy(X, labels, **options)


def planted(seed, *, nets=3, n=200, noise=0.3):
    """Nets whose classes lie in all directions, strong and weak alike."""
    rng = np.random.default_rng(seed)
    labels = classes(n, 8)
    spread = np.linspace(2, 1, 10)
    return [
        (rng.normal(size=(8, 10))[labels] + noise * rng.normal(size=(n, 10))) * spread
        for _ in range(nets)
    ], labels


def kept_of(X, k):
    """X with k principal components."""
    mean = X.mean(0)
    values, vectors = np.linalg.eigh((X - mean).T @ (X - mean))
    V = vectors[:, np.argsort(values)[::-1][:k]]
    return mean + (X - mean) @ V @ V.T


def joined(lists):
    return [each for part in lists for each in part]


SHARES = (0.8, 0.6, 0.4, 0.2, 0.1)


@pytest.mark.parametrize(
    ("name", "correlation"), [("Spearman ρ", slow.spearman), ("Kendall τ", slow.kendall)]
)
def test_correlation_with_the_loss_of_accuracy_is_that_of_the_definition(name, correlation):
    runs, labels = planted(0, noise=1.0)
    found = component_deletion(runs, labels, measures=[BIASED], shares=SHARES)
    distances, losses = [], []
    for X in runs:
        parts = [kept_of(X, k) for k in (8, 6, 4, 2, 1)]
        whole = probe_accuracy(X, labels)
        distances.append([-slow.gram_cosine(X, each) for each in parts])
        losses.append([abs(probe_accuracy(each, labels) - whole) for each in parts])
    assert found[BIASED, name].value == pytest.approx(
        correlation(joined(distances), joined(losses)), rel=1e-9
    )
    left = [
        correlation(
            joined(distances[:k] + distances[k + 1 :]), joined(losses[:k] + losses[k + 1 :])
        )
        for k in range(3)
    ]
    assert found[BIASED, name].interval.standard_error == pytest.approx(
        slow.jackknife_error(left), rel=1e-9
    )
    assert found.settings["components"]["net 0/representation"] == [8, 6, 4, 2, 1]


@pytest.mark.parametrize("measure", ["cka", "procrustes", "rsa", "linear_regression"])
def test_what_every_component_holds_is_missed_by_every_measure(measure):
    runs, labels = planted(1)
    found = component_deletion(runs, labels, measures=[measure])
    assert all(score.value > 0.6 for score in found.scores)
    assert set(found.passed.values()) == {True}


def test_a_measure_that_cannot_see_deletions_scores_chance():
    # What is left of X is a linear map of it: every correlation of CCA is one.
    runs, labels = planted(1)
    found = component_deletion(runs, labels, measures=["cca"])
    assert {score.value for score in found.scores} == {0.0}
    assert found.passed == {"cca": False}


def test_both_directions_of_a_measure_that_is_not_symmetric_are_averaged():
    [X], labels = planted(0, nets=1, noise=1.0)
    found = component_deletion([X], labels, measures=["linear_regression"], shares=SHARES)
    distances, losses = [], []
    for k in (8, 6, 4, 2, 1):
        part = kept_of(X, k)
        both = vv.linear_regression(X, part), vv.linear_regression(part, X)
        distances.append(-round(float(sum(both) / 2), 9))
        losses.append(abs(probe_accuracy(part, labels) - probe_accuracy(X, labels)))
    expected = slow.spearman(distances, losses)
    assert found["linear_regression", "Spearman ρ"].value == pytest.approx(expected)
    assert found.passed == {"linear_regression": None}  # one net


def test_layers_and_nets_are_ranked_together_and_layers_can_be_chosen():
    runs, labels = planted(0, nets=4, noise=1.0)
    both = [{"a": runs[0], "b": runs[1]}, {"a": runs[2], "b": runs[3]}]
    found = component_deletion(both, labels, measures=[BIASED])
    single = component_deletion(runs, labels, measures=[BIASED])
    assert found[BIASED, "Kendall τ"].value == pytest.approx(single[BIASED, "Kendall τ"].value)
    assert found[BIASED, "Kendall τ"].interval.n == 2
    chosen = component_deletion(both, labels, measures=[BIASED], layers=["b"])
    alone = component_deletion([runs[1], runs[3]], labels, measures=[BIASED])
    assert chosen[BIASED, "Kendall τ"].value == pytest.approx(alone[BIASED, "Kendall τ"].value)
    assert list(chosen.settings["components"]) == ["net 0/b", "net 1/b"]


def test_a_distance_that_means_another_loss_in_each_net_scores_less():
    # One holds the classes in the variance that it has, the other below twice as much of it.
    [X], labels = planted(0, nets=1)
    rng = np.random.default_rng(1)
    covered = np.hstack([X, 30 * rng.normal(size=(200, 10))])
    alike = component_deletion([X, X], labels, measures=["cka"])
    other = component_deletion([X, covered], labels, measures=["cka"])
    assert alike["cka", "Spearman ρ"].value > 0.85
    assert other["cka", "Spearman ρ"].value < 0.75


def test_labels_that_cannot_be_read_at_all_have_no_correlation():
    rng = np.random.default_rng(0)
    runs = [rng.normal(size=(60, 8)) for _ in range(2)]
    labels = np.array([0] * 59 + [1])
    found = component_deletion(runs, labels)
    score = found["cka", "Spearman ρ"]
    assert math.isnan(score.value)
    assert "no deletion changes the accuracy" in score.reason


@pytest.mark.parametrize("X", [np.ones((60, 8)), np.outer(np.arange(60.0), np.ones(8))])
def test_a_layer_of_too_few_components_says_so(X):
    runs, labels = planted(0, n=60)
    found = component_deletion([*runs, X], labels)
    assert math.isnan(found["cka", "Spearman ρ"].value)
    assert "net 3/representation has 0 deletions to rank" in found["cka", "Spearman ρ"].reason


def test_feature_maps_are_flattened_and_torch_is_taken():
    [X], labels = planted(0, nets=1)
    expected = component_deletion([X], labels)["cka", "Kendall τ"].value
    maps = torch.from_numpy(X.reshape(200, 5, 2))
    assert component_deletion([{"a": maps}], labels)["cka", "Kendall τ"].value == expected


NETS = [np.random.default_rng(k).normal(size=(20, 8)) for k in range(2)]
FEW = classes(20, 2)
BROKEN = NETS[0].copy()
BROKEN[2, 1] = np.inf


@pytest.mark.parametrize(
    ("runs", "labels", "options", "error", "match"),
    [
        (NETS, FEW, {"shares": (0.5, 0.2)}, ValueError, r"`shares` must hold 3 numbers or more"),
        (NETS, FEW, {"shares": (1.0, 0.5, 0.2)}, ValueError, r"each between 0 and 1"),
        (NETS, FEW[:5], {}, ValueError, r"`labels` must have an entry for each of the 20"),
        (NETS, FEW, {"layers": ["x"]}, vv.LayerNotFoundError, r"'x', which net 0 does not have"),
        (NETS, FEW, {"level": 2}, ValueError, r"`level` must lie between 0 and 1"),
        ([NETS[0], BROKEN], FEW, {}, vv.DegenerateInputError, r"net 1/.*inf at row 2, column 1"),
        ([], FEW, {}, ValueError, r"`runs` must hold 1 net or more"),
    ],
)
def test_refusals_of_deletion(runs, labels, options, error, match):
    with pytest.raises(error, match=match):
        component_deletion(runs, labels, **options)
