"""Weight matching: the smallest distance over permutations, which network is which, and none."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import random_rotation
from tests.oracles.weights import permuted

import visavis as vv
from visavis.measures.measure import HIDDEN_UNITS, ORTHOGONAL, SCALING

NAME = "weight_matching"
RECORDS = [vv.registry[NAME]] + [
    vv.registry[NAME].with_options(**options) for options in vv.registry[NAME].variants
]
every_record = pytest.mark.parametrize("measure", RECORDS, ids=[each.label for each in RECORDS])
DISTANCES = [each for each in RECORDS if each.direction == "distance"]

# (widths, number of vectors beside the weights)
SHAPES = {
    "one hidden layer": ((3, 5, 2), 0),
    "with biases": ((3, 5, 2), 1),
    "two hidden layers": ((3, 4, 4, 2), 1),
    "with norms": ((2, 4, 3, 2), 3),
    "no hidden layer": ((3, 2), 1),
    "one unit": ((3, 1, 2), 0),
}
every_shape = pytest.mark.parametrize("shape", SHAPES)


def network(widths, vectors=0, seed=0):
    rng = np.random.default_rng(seed)
    return [
        [rng.normal(size=(q, p)) / p**0.5, *rng.normal(size=(vectors, q))]
        for p, q in itertools.pairwise(widths)
    ]


def convolutional(seed=0):
    """Two convolutions, flattened maps of 2 × 2, and two layers after."""
    rng = np.random.default_rng(seed)
    shapes = ((3, 2, 3, 3), (4, 3, 3, 3), (3, 16), (2, 3))
    return [[rng.normal(size=shape), rng.normal(size=shape[0])] for shape in shapes]


def both(shape):
    return network(*SHAPES[shape], seed=0), network(*SHAPES[shape], seed=1)


def shuffled(net, seed):
    rng = np.random.default_rng(seed)
    return permuted(net, [rng.permutation(len(layer[0])) for layer in net[:-1]])


def norm(net):
    return math.sqrt(sum((each**2).sum() for layer in net for each in layer))


@every_record
@every_shape
def test_against_all_permutations(measure, shape):
    A, B = both(shape)
    assert float(measure(A, B)) == pytest.approx(oracles.weight_matching(A, B, **measure.options))


@every_record
def test_convolutions_against_all_permutations(measure):
    A, B = convolutional(0), convolutional(1)
    assert float(measure(A, B)) == pytest.approx(oracles.weight_matching(A, B, **measure.options))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("widths", [(2, 3, 3, 3, 2), (3, 5, 4, 2)])
def test_deep_networks_have_an_upper_bound_and_mostly_the_smallest(widths, seed):
    A, B = network(widths, 1, seed=seed), network(widths, 1, seed=seed + 100)
    found, least = float(vv.weight_matching(A, B)), oracles.weight_matching(A, B)
    assert least * (1 - 1e-12) <= found <= 1.05 * least


def test_restarts_find_nearer_permutations():
    pairs = [
        (network((4, 8, 8, 8, 3), seed=k), network((4, 8, 8, 8, 3), seed=k + 50)) for k in range(5)
    ]
    few, many = (
        np.array([float(vv.weight_matching(A, B, restarts=n)) for A, B in pairs]) for n in (0, 30)
    )
    assert (many <= few + 1e-12).all()
    assert (many < few - 1e-6).any()


# Facts of the records.


@every_record
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("widths", [(5, 30, 4), (5, 12, 9, 11, 4)])
def test_the_order_of_hidden_units_is_forgotten(measure, widths, seed):
    # Exactly, also where the answer is only a local optimum.
    assert HIDDEN_UNITS in measure.invariant_to
    A, B = network(widths, 1, seed=0), network(widths, 1, seed=1)
    value = float(measure(shuffled(A, seed), shuffled(B, seed + 10)))
    assert value == pytest.approx(float(measure(A, B)), rel=1e-12)


@every_record
def test_the_order_of_channels_is_forgotten(measure):
    A, B = convolutional(0), convolutional(1)
    value = float(measure(shuffled(A, 0), shuffled(B, 1)))
    assert value == pytest.approx(float(measure(A, B)), rel=1e-12)


@every_record
def test_scale(measure):
    A, B = (network((5, 12, 9, 4), 1, seed=k) for k in (0, 1))
    scaled = [[3 * each for each in layer] for layer in B]
    before, after = float(measure(A, B)), float(measure(A, scaled))
    if SCALING in measure.invariant_to:
        assert after == pytest.approx(before, rel=1e-12)
    else:
        assert SCALING in measure.not_invariant_to
        assert abs(after - before) > 0.1


@every_record
def test_what_is_felt(measure):
    assert ORTHOGONAL in measure.not_invariant_to
    A, B = both("one hidden layer")
    Q = random_rotation(5, np.random.default_rng(0))
    turned = [[Q @ B[0][0]], [B[1][0] @ Q.T]]
    assert abs(float(measure(A, turned)) - float(measure(A, B))) > 1e-3
    # ReLU lets a factor move from one layer to the next.
    moved = [[2 * B[0][0]], [B[1][0] / 2]]
    assert abs(float(measure(A, moved)) - float(measure(A, B))) > 1e-3


@every_record
@pytest.mark.parametrize("widths", [(3, 2), (5, 30, 4), (5, 12, 9, 11, 4)])
def test_range_symmetry_and_itself(measure, widths):
    for seed in range(3):
        A, B = network(widths, 1, seed=seed), network(widths, 1, seed=seed + 50)
        value = float(measure(A, B))
        assert measure.low <= value <= measure.high
        assert float(measure(B, A)) == pytest.approx(value, rel=1e-12)
        best = 0 if measure in DISTANCES else 1
        assert float(measure(A, A)) == best
        assert float(measure(A, shuffled(A, seed))) == pytest.approx(best, abs=1e-12)


def test_one_hidden_layer_is_a_metric():
    nets = [network((3, 6, 2), 1, seed=k) for k in range(6)]
    for A, B, C in itertools.permutations(nets, 3):
        d = [float(vv.weight_matching(*pair)) for pair in ((A, C), (A, B), (B, C))]
        assert d[0] <= d[1] + d[2] + 1e-12


def test_the_opposite():
    A = network((3, 4, 2))
    B = [[A[0][0]], [-A[1][0]]]
    assert float(vv.weight_matching([A[0]], [[-A[0][0]]], form="angular")) == math.pi
    assert float(vv.weight_matching([A[0]], [[-A[0][0]]], form="similarity")) == pytest.approx(-1)
    assert 0 < float(vv.weight_matching(A, B, scale=True)) < 2


def test_small_distances_keep_their_digits():
    A = network((5, 30, 20, 4), 1)
    rng = np.random.default_rng(9)
    B = [[each + 1e-9 * rng.normal(size=each.shape) for each in layer] for layer in A]
    plain = norm([[a - b for a, b in zip(*each, strict=True)] for each in zip(A, B, strict=True)])
    # A has norm 10: its weights are rounded to 1e-16 of that.
    assert float(vv.weight_matching(A, shuffled(B, 0))) == pytest.approx(plain, rel=1e-5)
    angle = float(vv.weight_matching(A, shuffled(B, 0), form="angular"))
    assert angle == pytest.approx(plain / norm(A), rel=0.05)


@every_record
def test_forms_are_one_distance(measure):
    A, B = (network((5, 12, 9, 4), 1, seed=k) for k in (0, 1))
    cosine = float(vv.weight_matching(A, B, form="similarity"))
    squared = norm(A) ** 2 + norm(B) ** 2 - 2 * norm(A) * norm(B) * cosine
    expected = {
        "weight_matching": squared**0.5,
        "weight_matching(scale=True)": (2 - 2 * cosine) ** 0.5,
        "weight_matching(form=squared)": squared,
        "weight_matching(form=angular)": math.acos(cosine),
        "weight_matching(form=similarity)": cosine,
    }[measure.label]
    assert float(measure(A, B)) == pytest.approx(expected, rel=1e-12)


# Hostile weights.


def test_dead_and_duplicate_units():
    # Units without incoming weights, and twins with other outgoing ones: told apart by these.
    A = network((3, 6, 5, 2), 1)
    A[0][0][:3], A[0][1][:3] = 0.0, 0.0
    A[1][0][4], A[1][1][4] = A[1][0][3], A[1][1][3]
    for seed in range(5):
        assert float(vv.weight_matching(A, shuffled(A, seed))) == pytest.approx(0, abs=1e-12)


def test_units_without_weights():
    A = network((3, 6, 5, 2), 1)
    A[0] = [np.zeros_like(each) for each in A[0]]
    assert float(vv.weight_matching(A, shuffled(A, 1))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("by", [1e-150, 1e-8, 1e8, 1e150])
def test_extreme_scales(by):
    A, B = both("two hidden layers")
    expected = by * float(vv.weight_matching(A, B))
    A, B = ([[by * each for each in layer] for layer in net] for net in (A, B))
    assert float(vv.weight_matching(A, B)) == pytest.approx(expected, rel=1e-12)


def test_half_precision():
    A, B = (
        [[each.astype("float16") for each in layer] for layer in n] for n in both("with biases")
    )
    answer = vv.weight_matching(A, B)
    assert answer.dtype == np.float32
    assert float(answer) == pytest.approx(oracles.weight_matching(A, B), rel=1e-6)


@pytest.mark.parametrize("library", [torch.tensor, jnp.asarray])
def test_libraries_answer_alike(library):
    A, B = (
        [[each.astype("float32") for each in layer] for layer in net]
        for net in (convolutional(0), convolutional(1))
    )
    a, b = ([[library(each) for each in layer] for layer in net] for net in (A, B))
    answer = vv.weight_matching(a, b)
    assert type(answer) is type(a[0][0])
    assert answer.dtype == a[0][0].dtype
    assert float(answer) == float(vv.weight_matching(A, B))
    back = vv.match_weights(a, b).permuted(b)
    assert all(type(each) is type(a[0][0]) for layer in back for each in layer)


def test_parameters_of_a_module():
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 7), torch.nn.ReLU(), torch.nn.Linear(7, 3))
    A = [(layer.weight, layer.bias) for layer in net if hasattr(layer, "weight")]
    order = torch.tensor(rng.permutation(7))
    B = [(A[0][0][order], A[0][1][order]), (A[1][0][:, order], A[1][1])]
    assert float(vv.weight_matching(A, B)) == 0


# The permutations.


@every_shape
def test_permutations_are_found(shape):
    A, _ = both(shape)
    rng = np.random.default_rng(3)
    orders = [rng.permutation(len(layer[0])) for layer in A[:-1]]
    found = vv.match_weights(A, permuted(A, orders))
    for mine, order in zip(found.permutations, orders, strict=True):
        np.testing.assert_array_equal(order[mine], np.arange(len(order)))
    assert found.distance == 0
    assert found.exact == (len(orders) < 2)


@pytest.mark.parametrize("make", [convolutional, lambda seed: network((4, 7, 6, 3), 2, seed=seed)])
def test_permuted_is_as_far_as_the_distance(make):
    A, B = make(0), make(1)
    found = vv.match_weights(A, B)
    back = found.permuted(B)
    apart = norm(
        [[a - b for a, b in zip(*each, strict=True)] for each in zip(A, back, strict=True)]
    )
    assert found.distance == pytest.approx(apart, rel=1e-12)
    assert found.distance == pytest.approx(float(vv.weight_matching(A, B)), rel=1e-14)


def test_permuted_is_the_same_function():
    A, B = (network((4, 7, 6, 3), 1, seed=k) for k in (0, 1))
    back = vv.match_weights(A, B).permuted(B)

    def run(net, x):
        for W, bias in net[:-1]:
            x = np.maximum(x @ W.T + bias, 0)
        return x @ net[-1][0].T + net[-1][1]

    x = np.random.default_rng(0).normal(size=(20, 4))
    np.testing.assert_allclose(run(back, x), run(B, x), rtol=1e-12)


def test_permuted_keeps_the_form_of_the_layers():
    rng = np.random.default_rng(0)
    A = [rng.normal(size=(4, 3)), (rng.normal(size=(2, 4)), rng.normal(size=2))]
    back = vv.match_weights(A, A).permuted(A)
    assert isinstance(back[0], np.ndarray)
    assert isinstance(back[1], tuple)


def test_permuted_refuses_another_network():
    found = vv.match_weights(*both("two hidden layers"))
    with pytest.raises(ValueError, match=r"hidden layers of \[4, 4\] units, got \[5\]"):
        found.permuted(both("one hidden layer")[0])


# What has no answer.


def test_compare_refuses_weights():
    with pytest.raises(ValueError, match="which is of weights"):
        vv.compare({"a": np.ones((4, 2))}, {"a": np.ones((4, 2))}, measure=NAME)


def test_not_finite():
    A, B = both("with biases")
    B[1][1][0] = np.nan
    with pytest.raises(
        vv.DegenerateInputError, match=r"`B\[1\]\[1\]` must be finite, got 1 NaN of"
    ):
        vv.weight_matching(A, B)


@every_record
def test_zeros(measure):
    A, _ = both("with biases")
    B = [[0 * each for each in layer] for layer in A]
    with pytest.raises(vv.DegenerateInputError, match="`B` must have a weight that is not zero"):
        measure(A, B)


W, V = np.ones((4, 3)), np.ones((2, 4))
MISFITS = {
    "have as many layers, got 2 and 1": [W],
    r"have the same shapes in layer 0, got \[\(4, 3\)\] and \[\(4, 3\), \(4,\)\]": [
        (W, W[:, 0]),
        V,
    ],
    r"`B\[1\]` must take the 4 outputs of the layer before, got 3 inputs": [W, V[:, :3]],
    r"`B\[0\]\[1\]` must have an entry for each of 4 units, got 3": [(W, W[0]), V],
    r"`B\[0\]` must be \(out, in\) or \(out, in, \.\.\.\), of sizes above 0, got shape \(3,": [
        W[0],
        V,
    ],
    r"`B\[0\]\[1\]` must be \(out,\), of sizes above 0, got shape \(4, 3\)": [(W, W), V],
    r"grouped convolutions": [np.ones((4, 3, 1, 1)), np.ones((4, 1, 3, 3))],
}


@pytest.mark.parametrize(("match", "given"), MISFITS.items(), ids=range(len(MISFITS)))
def test_what_does_not_fit(match, given):
    with pytest.raises(ValueError, match=match):
        vv.weight_matching([W, V], given)


@pytest.mark.parametrize("given", [[], W, 3, ["W"], [[]]], ids=str)
def test_what_is_no_network(given):
    with pytest.raises(TypeError, match=r"`B"):
        vv.weight_matching([W, V], given)


@pytest.mark.parametrize("option", [{"restarts": -1}, {"seed": 0.5}, {"form": "cosine"}], ids=str)
def test_options_that_there_are_not(option):
    with pytest.raises(ValueError, match=f"`{next(iter(option))}` must be"):
        vv.weight_matching([W, V], [W, V], **option)


def test_inside_jit():
    with pytest.raises(TypeError, match="Units are matched on the host: call it outside"):
        jax.jit(vv.weight_matching)([jnp.asarray(W)], [jnp.asarray(W)])
