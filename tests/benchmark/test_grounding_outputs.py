"""Representations against outputs: a slow count, planted nets, refusals."""

from itertools import combinations, permutations

import numpy as np
import pytest
from tests.benchmark import grounding_oracles as slow

import visavis as vv
from visavis.benchmark.grounding import output_correlation

BIASED = "cka(estimator=biased)"
LABELS = np.arange(60) % 3


def nets(seed, *, count=5, drift=True):
    """Nets that move away from one, and outputs that do so too or have nothing to do with it."""
    rng = np.random.default_rng(seed)
    start = 2 * np.eye(6)[LABELS] + rng.normal(size=(60, 6))
    runs = {f"net {k}": start + 0.5 * k * rng.normal(size=(60, 6)) for k in range(count)}
    said = {net: X[:, :3] if drift else rng.normal(size=(60, 3)) for net, X in runs.items()}
    return runs, said


def softmax(X):
    E = np.exp(X - X.max(1, keepdims=True))
    return E / E.sum(1, keepdims=True)


def divergence(X, Y):
    P, Q = softmax(X), softmax(Y)
    M = (P + Q) / 2
    return np.mean(np.sum(P * np.log2(P / M) + Q * np.log2(Q / M), axis=1) / 2)


def disagreement(X, Y):
    return np.mean(X.argmax(1) != Y.argmax(1))


def accuracy_difference(X, Y):
    return abs(np.mean(X.argmax(1) == LABELS) - np.mean(Y.argmax(1) == LABELS))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("ρ disagreement", disagreement),
        ("ρ Jensen-Shannon", divergence),
        ("ρ accuracy", accuracy_difference),
    ],
)
def test_correlation_pvalue_and_error_are_those_of_the_definition(seed, name, difference):
    runs, said = nets(seed)
    found = output_correlation(runs, said, LABELS, measures=[BIASED])[BIASED, name]
    X, Y = list(runs.values()), list(said.values())

    def correlation(inside, outside):
        pairs = list(combinations(range(len(inside)), 2))
        return slow.spearman(
            [-round(slow.gram_cosine(X[inside[a]], X[inside[b]]), 9) for a, b in pairs],
            [round(difference(Y[outside[a]], Y[outside[b]]), 9) for a, b in pairs],
        )

    nets_of = list(range(5))
    assert found.value == pytest.approx(correlation(nets_of, nets_of), rel=1e-9)
    left = [[k for k in nets_of if k != net] for net in nets_of]
    errors = slow.jackknife_error([correlation(each, each) for each in left])
    assert found.interval.standard_error == pytest.approx(errors, rel=1e-9)
    every = np.array([correlation(nets_of, order) for order in permutations(nets_of)])
    assert found.pvalue == pytest.approx(np.mean(every >= every[0] - 1e-9))
    assert np.mean(every) == pytest.approx(0, abs=1e-9)


def test_outputs_that_follow_the_representation_pass_and_others_do_not():
    runs, said = nets(0, count=7)
    found = output_correlation(runs, said, measures=["cka", "procrustes"])
    assert set(found.passed.values()) == {True}
    assert {score.name for score in found.scores} == {"ρ disagreement", "ρ Jensen-Shannon"}
    runs, said = nets(0, count=7, drift=False)
    assert output_correlation(runs, said).passed == {"cka": False}


def test_layers_and_ids_are_respected():
    runs, said = nets(0)
    held = {
        net: vv.Activations({"first": np.flip(X, 0), "last": X}, ids=range(60))
        for net, X in runs.items()
    }
    outputs = {net: vv.Activations({"logits": Y}, ids=range(60)) for net, Y in said.items()}
    found = output_correlation(held, outputs)
    expected = output_correlation(runs, said)
    assert found["cka", "ρ disagreement"].value == expected["cka", "ρ disagreement"].value
    assert found.settings["layers"]["net 1"] == "last"
    moved = {net: vv.Activations({"logits": Y}, ids=range(1, 61)) for net, Y in said.items()}
    with pytest.raises(vv.SampleMismatchError, match="outputs of net 0"):
        output_correlation(held, moved)


def test_nets_that_all_agree_have_no_correlation():
    runs, _ = nets(0)
    same = [np.eye(3)[LABELS]] * 5
    score = output_correlation(list(runs.values()), same)["cka", "ρ disagreement"]
    assert np.isnan(score.value)
    assert score.pvalue is None
    assert score.reason == "no value: what it ranks does not vary."


RUNS, SAID = nets(0, count=4)


@pytest.mark.parametrize(
    ("runs", "said", "error", "match"),
    [
        (dict(list(RUNS.items())[:3]), SAID, ValueError, r"`runs` must hold 4 nets or more, got 3"),
        (RUNS, dict(list(SAID.items())[:3]), ValueError, r"be of the same nets, net 0, net 1"),
        (RUNS, {n: Y[:50] for n, Y in SAID.items()}, vv.SampleMismatchError, r"60.*50"),
        (RUNS, {**SAID, "net 3": np.ones((60, 2))}, ValueError, r"classes"),
    ],
)
def test_refusals_of_outputs(runs, said, error, match):
    with pytest.raises(error, match=match):
        output_correlation(runs, said)
