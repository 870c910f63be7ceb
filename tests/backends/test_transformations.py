"""Compilation, batching and differentiation give the values of the plain call."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.backends.libraries import SHAPES
from tests.data_makers import related

import visavis as vv

MEASURES = {
    f"{function.__name__}-{kernel}-{estimator}": functools.partial(
        function, kernel=kernel, estimator=estimator
    )
    for function in (vv.cka, vv.hsic)
    for kernel in ("linear", "rbf")
    for estimator in ("debiased", "biased")
} | {
    f"procrustes-{form}": functools.partial(vv.procrustes, form=form)
    for form in ("angular", "euclidean", "squared", "similarity")
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
every_shape = pytest.mark.parametrize("shape", ["tall", "wide"])

# Dynamo says so of a library that we call: its caches are of types, which do not change.
compiling = pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


def slope(measure, X, Y, direction, step=1e-5):
    """Derivative of the measure along a direction of X, by fourth-order differences in NumPy."""
    near, far = (
        float(measure(X + k * step * direction, Y)) - float(measure(X - k * step * direction, Y))
        for k in (1, 2)
    )
    return (8 * near - far) / (12 * step)


@every_shape
@every_measure
def test_jax_jit(measure, shape, x64):
    X, Y = related(**SHAPES[shape])
    answer = jax.jit(measure)(jnp.asarray(X), jnp.asarray(Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    "measure", ["cka-linear-debiased", "hsic-rbf-biased", "procrustes-angular"]
)
def test_jax_jit_with_one_side_closed_over(measure, x64):
    measure = MEASURES[measure]
    X, Y = related(**SHAPES["tall"])
    # Arrays from outside: a teacher that stands still. What is computed from them is staged too.
    A, B = jnp.asarray(X), jnp.asarray(Y)
    left = jax.jit(lambda x: measure(x, B))(A)
    right = jax.jit(lambda y: measure(A, y))(B)
    assert [float(left), float(right)] == pytest.approx([float(measure(X, Y))] * 2, rel=1e-12)


@every_shape
@every_measure
def test_jax_grad(measure, shape, x64):
    X, Y = related(**SHAPES[shape])
    direction = np.random.default_rng(7).standard_normal(X.shape)
    # One compilation in place of one for each operation.
    gradient = jax.jit(jax.grad(measure))(jnp.asarray(X), jnp.asarray(Y))
    assert gradient.shape == X.shape
    along = float(np.sum(np.asarray(gradient) * direction))
    assert along == pytest.approx(slope(measure, X, Y, direction), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    "measure", ["cka-linear-debiased", "cka-rbf-debiased", "procrustes-squared"]
)
def test_jax_grad_inside_jit(measure, x64):
    measure = MEASURES[measure]
    X, Y = (jnp.asarray(each) for each in related(**SHAPES["tall"]))
    value, gradient = jax.jit(jax.value_and_grad(measure))(X, Y)
    assert float(value) == pytest.approx(float(measure(X, Y)), rel=1e-12)
    np.testing.assert_allclose(gradient, jax.grad(measure)(X, Y), rtol=1e-9, atol=1e-12)


@every_shape
@every_measure
def test_jax_vmap(measure, shape, x64):
    pairs = [related(**SHAPES[shape], seed=seed) for seed in range(3)]
    X, Y = (jnp.asarray(np.stack(side)) for side in zip(*pairs, strict=True))
    answers = jax.vmap(measure)(X, Y)
    plain = [float(measure(*pair)) for pair in pairs]
    np.testing.assert_allclose(np.asarray(answers), plain, rtol=1e-12, atol=1e-14)


@every_shape
@every_measure
def test_torch_vmap(measure, shape):
    pairs = [related(**SHAPES[shape], seed=seed) for seed in range(3)]
    X, Y = (torch.tensor(np.stack(side)) for side in zip(*pairs, strict=True))
    answers = torch.func.vmap(measure)(X, Y)
    plain = [float(measure(*pair)) for pair in pairs]
    np.testing.assert_allclose(answers.numpy(), plain, rtol=1e-12, atol=1e-14)


@every_measure
def test_torch_grad_function(measure):
    X, Y = related(**SHAPES["tall"])
    direction = np.random.default_rng(7).standard_normal(X.shape)
    gradient = torch.func.grad(measure)(torch.tensor(X), torch.tensor(Y))
    along = float(np.sum(gradient.numpy() * direction))
    assert along == pytest.approx(slope(measure, X, Y, direction), rel=1e-6, abs=1e-8)


@compiling
@pytest.mark.parametrize("measure", ["cka-linear-debiased", "cka-rbf-biased", "procrustes-angular"])
def test_torch_compile(measure):
    # The eager back end traces as every other does, and needs no compiler on the machine.
    measure = MEASURES[measure]
    X, Y = related(**SHAPES["tall"])
    compiled = torch.compile(lambda x, y: measure(x, y), backend="eager")
    answer = compiled(torch.tensor(X), torch.tensor(Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-12)


@every_measure
def test_values_are_not_looked_at_inside_jit(measure):
    # A NaN is then an answer, not an error that only the first call would raise.
    X, Y = (jnp.asarray(each.astype("float32")) for each in related(**SHAPES["tall"]))
    assert np.isnan(jax.jit(measure)(X.at[2, 1].set(jnp.nan), Y))


def test_shapes_are_checked_inside_jit():
    X, Y = (jnp.asarray(each.astype("float32")) for each in related(**SHAPES["tall"]))
    with pytest.raises(ValueError, match="must describe the same samples, got 40 and 39 rows"):
        jax.jit(vv.cka)(X, Y[1:])
