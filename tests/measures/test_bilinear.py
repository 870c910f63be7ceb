"""Tensor similarity: what it is the cosine of, what it forgets, and how far stacks are off."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import random_rotation
from tests.oracles.weights import gaussian_mean, output

import visavis as vv
from visavis.measures.measure import FACTORS, HIDDEN_UNITS, ORTHOGONAL, SCALING

RECORDS = [vv.registry["tensor_similarity"].with_options(form=f) for f in ("gaussian", "frobenius")]
every_form = pytest.mark.parametrize("measure", RECORDS, ids=["gaussian", "frobenius"])
every_depth = pytest.mark.parametrize("depth", [1, 2, 3])


def stack(*widths, hidden=5, seed=0):
    """Random layers through these widths, the outputs of about unit size."""
    rng = np.random.default_rng(seed)
    return [
        (
            rng.normal(size=(hidden, p)) / p**0.5,
            rng.normal(size=(hidden, p)) / p**0.5,
            rng.normal(size=(q, hidden)) / hidden**0.5,
        )
        for p, q in itertools.pairwise(widths)
    ]


def related(depth, width=3, outputs=2, seed=0):
    """Two stacks that share some of their weights."""
    widths = [width] * depth + [outputs]
    A, C = stack(*widths, seed=seed), stack(*widths, seed=seed + 1)
    return A, mixed(A, C)


def mixed(A, C):
    pairs = zip(A, C, strict=True)
    return [tuple(a + 0.7 * c for a, c in zip(*layers, strict=True)) for layers in pairs]


@every_form
@every_depth
def test_against_explicit_tensors(measure, depth):
    A, B = related(depth)
    assert float(measure(A, B)) == pytest.approx(oracles.tensor_similarity(A, B, **measure.options))


@every_form
def test_other_hidden_widths(measure):
    A, B = stack(3, 4, 2, hidden=7), stack(3, 6, 2, hidden=5, seed=1)
    expected = oracles.tensor_similarity(A, B, **measure.options)
    assert float(measure(A, B)) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_one_layer_is_the_mean_over_gaussian_inputs():
    A, B = related(1)
    value = float(vv.tensor_similarity(A, B))
    assert value == pytest.approx(gaussian_mean(A, B), rel=1e-12)
    x = np.random.default_rng(0).normal(size=(400_000, 3))
    f, g = output(A, x), output(B, x)
    drawn = (f * g).sum() / np.sqrt((f * f).sum() * (g * g).sum())
    assert value == pytest.approx(drawn, abs=0.01)


def test_the_forms_differ_by_the_means():
    # With (L, R) antisymmetric in one hidden unit's place the trace, which is the mean, is zero.
    rng = np.random.default_rng(0)

    def traceless():
        L, R = rng.normal(size=(2, 5, 4))
        R = R - (L * R).sum(axis=1, keepdims=True) * L / (L * L).sum(axis=1, keepdims=True)
        return L, R, rng.normal(size=(3, 5))

    A, B = traceless(), traceless()
    forms = [float(vv.tensor_similarity(A, B, form=each)) for each in ("gaussian", "frobenius")]
    assert forms[0] == pytest.approx(forms[1], rel=1e-12)
    A, B = related(1)
    assert abs(float(RECORDS[0](A, B)) - float(RECORDS[1](A, B))) > 0.01


@pytest.mark.parametrize(("width", "error"), [(4, 0.3), (16, 0.08), (64, 0.03)])
def test_stacks_are_off_by_less_the_wider_they_are(width, error):
    for seed in range(3):
        A, B = (stack(width, width, width, hidden=2 * width, seed=seed + k) for k in (0, 50))
        B = mixed(A, B)
        x = np.random.default_rng(seed).normal(size=(50_000, width))
        f, g = output(A, x), output(B, x)
        drawn = (f * g).sum() / np.sqrt((f * f).sum() * (g * g).sum())
        assert float(vv.tensor_similarity(A, B)) == pytest.approx(drawn, abs=error)


def test_stacks_are_not_exact():
    A, B = related(2, width=2)
    off = float(vv.tensor_similarity(A, B)) - gaussian_mean(A, B)
    assert 1e-3 < abs(off) < 0.2


def test_tensors_of_stacks_are_not_symmetric_over_all_inputs():
    # (x₁x₂)·(x₁x₂) and (x₁x₁)·(x₂x₂) are one function, and two tensors.
    e1, e2, D = np.eye(2)[:1], np.eye(2)[1:], np.eye(1)
    one = [(e1, e2, D), (D, D, D)]
    squares = (np.eye(2), np.eye(2), np.eye(2))
    other = [squares, (e1, e2, D)]
    x = np.random.default_rng(0).normal(size=(10, 2))
    np.testing.assert_allclose(output(one, x), output(other, x))
    assert float(vv.tensor_similarity(one, other, form="frobenius")) < 0.9


# What it forgets: changes of the weights of B, layer by layer.


def exchanged(layer, rng):
    L, R, D = layer
    return R, L, D


def rescaled(layer, rng):
    L, R, D = layer
    c = rng.uniform(0.3, 3, size=(len(L), 1)) * rng.choice([-1, 1], size=(len(L), 1))
    return c * L, R / c, D


def reordered(layer, rng):
    L, R, D = layer
    order = rng.permutation(len(L))
    return L[order], R[order], D[:, order]


def scaled(layer, rng):
    return tuple(3.0 * W for W in layer)


def antisymmetric(layer, rng):
    L, R, D = layer
    a, b = rng.normal(size=(2, 1, L.shape[1]))
    d = rng.normal(size=(len(D), 1))
    return np.vstack([L, a, b]), np.vstack([R, b, a]), np.hstack([D, d, -d])


def split(layer, rng):
    # One unit as two halves: another architecture, the same function.
    L, R, D = layer
    return (
        np.vstack([L, L[:1]]),
        np.vstack([R, R[:1]]),
        np.hstack([D, D[:, :1]]) * np.where(np.arange(len(L) + 1) % len(L) == 0, 0.5, 1.0),
    )


CHANGES = {
    SCALING: [scaled],
    HIDDEN_UNITS: [reordered],
    FACTORS: [exchanged, rescaled],
    "": [antisymmetric, split],
}
FORGOTTEN = [(fact, change) for fact, changes in CHANGES.items() for change in changes]


@every_form
@every_depth
@pytest.mark.parametrize(("fact", "change"), FORGOTTEN, ids=[c.__name__ for _, c in FORGOTTEN])
def test_what_is_forgotten(measure, depth, fact, change):
    assert not fact or fact in measure.invariant_to
    A, B = related(depth)
    rng = np.random.default_rng(1)
    changed = [change(layer, rng) for layer in B]
    assert float(measure(A, changed)) == pytest.approx(float(measure(A, B)), rel=1e-10)
    assert float(measure(B, changed)) == pytest.approx(1, rel=1e-12)


@every_form
def test_invertible_maps_between_layers_are_forgotten(measure):
    A, B = related(2)
    M = np.random.default_rng(0).normal(size=(3, 3))
    (L, R, D), (L2, R2, D2) = B
    changed = [(L, R, M @ D), (L2 @ np.linalg.inv(M), R2 @ np.linalg.inv(M), D2)]
    assert float(measure(A, changed)) == pytest.approx(float(measure(A, B)), rel=1e-10)


@every_form
def test_rotations_of_the_inputs_of_both_are_forgotten_and_of_one_are_not(measure):
    A, B = related(1)
    Q = random_rotation(3, np.random.default_rng(0))
    turned = [[(L @ Q, R @ Q, D)] for ((L, R, D),) in (A, B)]
    assert float(measure(*turned)) == pytest.approx(float(measure(A, B)), rel=1e-10)
    assert abs(float(measure(A, turned[1])) - float(measure(A, B))) > 1e-3


@every_form
def test_what_is_felt(measure):
    assert measure.not_invariant_to == {ORTHOGONAL}
    A, B = related(1)
    Q = random_rotation(5, np.random.default_rng(0))
    ((L, R, D),) = B
    assert abs(float(measure(A, (Q @ L, Q @ R, D @ Q.T))) - float(measure(A, B))) > 1e-3
    assert float(measure(A, (L, R, -D))) == pytest.approx(-float(measure(A, B)), rel=1e-12)


# Facts of the records.


@every_form
@every_depth
def test_range_symmetry_and_itself(measure, depth):
    for seed in range(5):
        A, B = stack(*[3] * (depth + 1), seed=seed), stack(*[3] * (depth + 1), seed=seed + 50)
        value = float(measure(A, B))
        assert measure.low - 1e-12 <= value <= measure.high + 1e-12
        assert float(measure(B, A)) == pytest.approx(value, rel=1e-12, abs=1e-15)
        assert float(measure(A, A)) == pytest.approx(1, rel=1e-14)


@every_form
def test_a_layer_is_a_stack_of_one(measure):
    (A,), (B,) = related(1)
    assert float(measure(A, B)) == float(measure([A], [B])) == float(measure([list(A)], [list(B)]))


@every_form
def test_scored_from_what_is_prepared(measure):
    A, B = related(2)
    side = measure.prepare(measure.settings, 0, None)
    met = side.meet(side.run(A), side.run(B))
    assert float(measure.score(measure.settings, met)) == pytest.approx(float(measure(A, B)))


def test_compare_refuses_weights():
    with pytest.raises(ValueError, match=r"which is of weights. Call visavis.tensor_similarity"):
        vv.compare({"a": np.ones((4, 2))}, {"a": np.ones((4, 2))}, measure="tensor_similarity")


@every_form
@pytest.mark.parametrize("by", [1e-100, 1e-8, 1e8, 1e100])
def test_extreme_scales(measure, by):
    A, B = related(3)
    large = [(by * L, R, D) for L, R, D in A]
    assert float(measure(large, B)) == pytest.approx(float(measure(A, B)), rel=1e-10)


@every_form
@pytest.mark.parametrize("library", [torch.tensor, jnp.asarray])
def test_libraries_answer_alike(measure, library):
    A, B = related(2)
    A, B = ([tuple(W.astype("float32") for W in layer) for layer in each] for each in (A, B))
    moved = [[tuple(library(W) for W in layer) for layer in each] for each in (A, B)]
    answer = measure(*moved)
    assert type(answer) is type(moved[0][0][0])
    assert answer.dtype == moved[0][0][0].dtype
    assert float(answer) == pytest.approx(float(measure(A, B)), rel=1e-6)
    assert measure(A, B).dtype == np.float32


@every_form
def test_inside_jit(measure):
    A, B = related(2)
    A, B = ([tuple(map(jnp.asarray, layer)) for layer in each] for each in (A, B))
    assert float(jax.jit(measure)(A, B)) == pytest.approx(float(measure(A, B)), rel=1e-5)


@every_form
@pytest.mark.parametrize("depth", [1, 2])
def test_gradient(measure, depth):
    A, B = related(depth)
    flat = [torch.tensor(W, requires_grad=True) for layer in A for W in layer]
    B = [tuple(torch.tensor(W) for W in layer) for layer in B]

    def value(*weights):
        return measure([weights[i : i + 3] for i in range(0, len(weights), 3)], B)

    assert torch.autograd.gradcheck(value, flat)


# What has no answer.


def test_a_function_that_is_zero():
    (A,) = stack(3, 2)
    L, R, D = A
    with pytest.raises(vv.DegenerateInputError, match=r"`B\[0\]` gives zero for every input"):
        vv.tensor_similarity(A, (L, R, 0 * D))
    cancelled = np.vstack([L, R]), np.vstack([R, L]), np.hstack([D, -D])
    with pytest.raises(vv.DegenerateInputError, match=r"`A\[0\]` gives zero .* units cancel"):
        vv.tensor_similarity(cancelled, A)


def test_one_unit_of_one_input():
    one = np.ones((1, 1))
    assert float(vv.tensor_similarity((one, one, one), (2 * one, -one, one))) == pytest.approx(-1)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_not_finite(spoiled):
    A, B = related(2)
    B[1][2][0, 1] = spoiled
    match = r"`B\[1\]\.D` must be finite, got 1 (NaN|infinite) of 10 entries"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.tensor_similarity(A, B)


L, R, D = (np.ones(shape) for shape in ((4, 3), (4, 3), (2, 4)))
MISFITS = {
    r"`B\[0\]\.R` must be of the shape of L, \(4, 3\), got \(4, 2\)": (L, R[:, :2], D),
    r"`B\[0\]\.D` must have as many columns as L has rows, 4, got 3": (L, R, D[:, :3]),
    r"`B\[0\]\.L` must be 2-D \(hidden, in\), of sizes above 0, got shape \(4,\)": (L[:, 0], R, D),
    r"`B\[1\]\.L` must have a column for each output before, 2, got 3": [(L, R, D), (L, R, D)],
    "`A` and `B` must have as many inputs, got 3 and 2": (L[:, :2], R[:, :2], D),
    "`A` and `B` must have as many outputs, got 2 and 1": (L, R, D[:1]),
    "`A` and `B` must have as many layers, got 1 and 2": [(L, R, L.T @ D.T @ D), (L, R, D)],
}


@pytest.mark.parametrize(("match", "given"), MISFITS.items(), ids=range(len(MISFITS)))
def test_what_does_not_fit(match, given):
    with pytest.raises(ValueError, match=match):
        vv.tensor_similarity((L, R, D), given)


@pytest.mark.parametrize("given", [(), 3, [(L, R)], (L, R), L, [[L.tolist()] * 3]], ids=str)
def test_what_is_no_layer(given):
    with pytest.raises(TypeError, match="`B"):
        vv.tensor_similarity((L, R, D), given)


def test_two_libraries():
    with pytest.raises(TypeError, match=r"`A\[0\]\.L` and `B\[0\]\.L` must be arrays of one libr"):
        vv.tensor_similarity((L, R, D), tuple(torch.tensor(W) for W in (L, R, D)))


def test_an_option_that_there_is_not():
    with pytest.raises(ValueError, match="`form` must be one of 'gaussian', 'frobenius'"):
        vv.tensor_similarity((L, R, D), (L, R, D), form="tensor")
