"""Jensen–Shannon divergence: its digits, its root, its gradient, and what is no probability."""

import functools
import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from tests import oracles
from tests.measures.classifiers import logits, softmax

import visavis as vv

shannon = functools.partial(vv.jensen_shannon, inputs="probabilities")


@pytest.mark.parametrize("form", ["divergence", "distance"])
@pytest.mark.parametrize("base", [2, math.e, 10])
def test_divergence_of_scipy(form, base):
    P, Q = (softmax(Z) for Z in logits())
    distances = jensenshannon(P, Q, axis=1, base=base)
    expected = np.mean(distances if form == "distance" else distances**2)
    assert float(shannon(P, Q, form=form, base=base)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", ["divergence", "distance"])
def test_probabilities_are_those_of_the_logits(form):
    X, Y = logits()
    expected = float(vv.jensen_shannon(X, Y, form=form))
    assert float(shannon(softmax(X), softmax(Y), form=form)) == pytest.approx(expected, rel=1e-12)
    logs = np.log(softmax(X)), np.log(softmax(Y))
    assert float(vv.jensen_shannon(*logs, form=form)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("apart", [1e-1, 1e-3, 1e-5, 1e-6])
def test_near_divergences_keep_their_digits(apart):
    # Of p = (1 + d, 1 − d)/2 and its mirror image: ½[(1 + d)log(1 + d) + (1 − d)log(1 − d)].
    terms = [apart ** (2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 9)]
    expected = math.fsum(terms) / math.log(2)
    P = np.array([[(1 + apart) / 2, (1 - apart) / 2]])
    assert float(shannon(P, P[:, ::-1])) == pytest.approx(expected, rel=1e-15 / apart + 1e-14)
    X = np.array([[math.atanh(apart), -math.atanh(apart)]])
    value = float(vv.jensen_shannon(X, -X))
    assert value == pytest.approx(expected, rel=1e-15 / apart + 1e-14)
    assert value == pytest.approx(expected, rel=2e-9)


def test_half_precision_offsets_are_no_overflow():
    X, Y = logits()
    X, Y = (X + 5e4).astype(np.float16), (Y - 5e4).astype(np.float16)
    expected = oracles.jensen_shannon(X, Y)
    assert float(vv.jensen_shannon(X, Y)) == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(expected)


def test_sure_of_different_classes_is_one_bit():
    X, Y = np.zeros((4, 3)), np.zeros((4, 3))
    X[:, 0], Y[:, 1] = 1e4, 1e4
    assert float(vv.jensen_shannon(X, Y)) == 1.0
    assert float(vv.jensen_shannon(X, Y, form="distance")) == 1.0
    assert float(vv.jensen_shannon(X, Y, base=math.e)) == pytest.approx(math.log(2), rel=1e-15)
    assert float(vv.disagreement(X, Y)) == 1.0


def test_divergence_is_below_its_root_and_below_total_variation():
    X, Y = logits()
    divergence = float(vv.jensen_shannon(X, Y))
    root = float(vv.jensen_shannon(X, Y, form="distance"))
    assert divergence < root < math.sqrt(divergence) + 1e-12  # by concavity
    assert divergence <= np.abs(softmax(X) - softmax(Y)).sum(axis=1).mean() / 2


def test_divergences_are_no_metric_but_their_roots_are():
    # The root of half a bit twice is more than one, half a bit twice is one.
    X, Y, Z = (np.array([row]) for row in ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]))
    assert float(shannon(X, Z)) > float(shannon(X, Y)) + float(shannon(Y, Z))
    root = functools.partial(shannon, form="distance")
    assert float(root(X, Z)) < float(root(X, Y)) + float(root(Y, Z))
    record = vv.registry["jensen_shannon"]
    assert not record.metric
    assert record.with_options(form="distance").metric


def test_ranges_follow_the_base():
    record = vv.registry["jensen_shannon"]
    assert record.high == record.with_options(form="distance").high == 1
    assert record.with_options(base=math.e).high == pytest.approx(math.log(2))
    root = record.with_options(base=10, form="distance")
    assert root.high == pytest.approx(math.sqrt(math.log10(2)))
    assert not record.with_options(inputs="probabilities").always_defined


@pytest.mark.parametrize("inputs", ["logits", "probabilities"])
@pytest.mark.parametrize("form", ["divergence", "distance"])
def test_gradient(form, inputs):
    X, Y = logits(n=6, c=3)
    if inputs == "probabilities":
        X, Y = softmax(X), softmax(Y)
    X[0], Y[0] = (0.0, 50.0, 0.0), (50.0, 0.0, 0.0)
    if inputs == "probabilities":
        X[0], Y[0] = (0.1, 0.8, 0.1), (0.9, 0.05, 0.05)
    given = [torch.tensor(Z, requires_grad=True) for Z in (X, Y)]
    measure = functools.partial(vv.jensen_shannon, form=form, inputs=inputs)
    assert torch.autograd.gradcheck(measure, given)


@pytest.mark.parametrize("form", ["divergence", "distance"])
def test_gradient_where_classes_cannot_be_and_where_both_are_alike(form):
    X, Y = logits(n=6, c=4)
    X[1, 2] = Y[1, 2] = X[3, 0] = -math.inf
    Y[5] = X[5]
    given = [torch.tensor(Z, requires_grad=True) for Z in (X, Y)]
    value = vv.jensen_shannon(*given, form=form)
    gradients = torch.autograd.grad(value, given)
    assert all(bool(torch.isfinite(each).all()) for each in gradients)
    assert float(gradients[0].abs().max()) > 1e-3
    assert float(gradients[0][5].abs().max()) < 1e-15


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda P: P.__setitem__((5, 2), -0.01), r"a negative entry in row 5 \(1 of 60 rows\)"),
        (
            lambda P: P.__setitem__(slice(5, 8), 0.3),
            r"a sum other than 1 in row 5 \(3 of 60 rows\)",
        ),
        (lambda P: P.__setitem__(9, 0.0), r"a sum other than 1 in row 9 \(1 of 60 rows\)"),
        (lambda P: P.__imul__(100), r"a sum other than 1 in row 0 \(60 of 60 rows\)"),
    ],
    ids=["negative", "sum", "nothing", "percent"],
)
@pytest.mark.parametrize("side", ["X", "Y"])
def test_what_is_no_probability(spoil, fault, side):
    given = {name: softmax(Z) for name, Z in zip("XY", logits(), strict=True)}
    spoil(given[side])
    message = (
        f"^jensen_shannon: `{side}` must hold probabilities, .* got {fault}. Logits are inputs="
    )
    with pytest.raises(vv.DegenerateInputError, match=message):
        shannon(*given.values())


def test_logits_are_no_probabilities_in_a_comparison():
    X, Y = logits()
    measure = "jensen_shannon(inputs=probabilities)"
    sides = {"x": softmax(X)}, {"y": softmax(Y), "logits": Y}
    res = vv.compare(*sides, measure=measure, progress=False)
    assert np.isfinite(res["x", "y"])
    assert np.isnan(res["x", "logits"])
    assert any("must hold probabilities" in str(each) for each in res.findings)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rounded_probabilities_are_divided_by_their_sum(dtype):
    X, Y = (torch.tensor(softmax(Z)).to(dtype) for Z in logits(c=40))
    lifted = (Z.double() / Z.double().sum(dim=1, keepdim=True) for Z in (X, Y))
    assert float(shannon(X, Y)) == pytest.approx(float(shannon(*lifted)), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "softmax"}, "`inputs` must be one of 'logits', 'probabilities', got 'softmax'"),
        ({"form": "root"}, "`form` must be one of 'divergence', 'distance', got 'root'"),
        ({"base": 1}, "`base` must be a number above 1, got 1"),
        ({"base": math.inf}, "`base` must be a number above 1, got inf"),
        ({"base": "e"}, "`base` must be a number above 1, got 'e'"),
        ({"base": True}, "`base` must be a number above 1, got True"),
    ],
    ids=str,
)
def test_options_that_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^jensen_shannon: {message}"):
        vv.jensen_shannon(*logits(), **options)
    with pytest.raises(ValueError, match=message):
        vv.registry["jensen_shannon"].with_options(**options)
