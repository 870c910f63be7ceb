"""Spectral measures and those of rows from the origin: gradients, and inside jax.jit."""

import functools

import jax
import jax.numpy as jnp
import pytest
import torch
from tests.data_makers import independent, related

import visavis as vv

DIFFERENTIABLE = {
    "overlap": vv.eigenspace_overlap,
    "gulp": vv.gulp,
    "gulp, squared": functools.partial(vv.gulp, form="squared", scale=False),
    "riemannian": vv.riemannian,
    "riemannian, scaled": functools.partial(vv.riemannian, scale=True),
    "rsm": vv.rsm_norm_difference,
    "rsm, cosine": functools.partial(vv.rsm_norm_difference, similarity="cosine"),
    "magnitude": vv.magnitude_difference,
    "concentricity": vv.concentricity_difference,
    "uniformity": vv.uniformity_difference,
}
differentiable = pytest.mark.parametrize("measure", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)


@differentiable
def test_gradient(measure):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=12, p=3, q=2)]
    assert torch.autograd.gradcheck(measure, pair)


@differentiable
@pytest.mark.parametrize("side", [0, 1])
def test_one_side_alone_is_recorded(measure, side):
    X, Y = (torch.tensor(Z) for Z in related(n=12, p=3, q=2))
    recorded = (X, Y)[side].requires_grad_()
    answer = measure(X, Y)
    assert float(answer.detach()) == pytest.approx(float(measure(X.detach(), Y.detach())))
    assert torch.autograd.grad(answer, recorded)[0].shape == recorded.shape


@differentiable
def test_jit(measure):
    X, Y = related(n=12, p=3, q=2)
    with jax.enable_x64(True):
        answer = jax.jit(measure)(jnp.asarray(X), jnp.asarray(Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-11)


OF_ROWS = ["rsm", "rsm, cosine", "magnitude", "concentricity", "uniformity"]


@pytest.mark.parametrize("name", OF_ROWS)
def test_jit_with_an_array_from_outside(name):
    # It can be read, but nothing that is computed of it.
    X, Y = related(n=12, p=3, q=2)
    with jax.enable_x64(True):
        answer = jax.jit(functools.partial(DIFFERENTIABLE[name], jnp.asarray(X)))(jnp.asarray(Y))
    assert float(answer) == pytest.approx(float(DIFFERENTIABLE[name](X, Y)), rel=1e-11)


@pytest.mark.parametrize("measure", [vv.eigenspace_overlap, vv.gulp, vv.riemannian])
def test_jit_of_more_features_than_samples(measure):
    # Nothing can be read, so all axes are kept, those beyond the rank as zeros.
    X, Y = independent(n=9, p=14, q=12)
    options = {"allow_saturated": True} if measure is vv.eigenspace_overlap else {}
    measure = functools.partial(measure, **options)
    with jax.enable_x64(True):
        answer = jax.jit(measure)(jnp.asarray(X), jnp.asarray(Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-11)
