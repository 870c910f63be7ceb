"""Derivatives by torch.autograd, against differences, where the derivative exists."""

import functools

import numpy as np
import pytest
import torch
from tests.backends.test_transformations import MEASURES, every_measure
from tests.data_makers import offset, orthonormal, random_rotation, related, rotated

import visavis as vv
from visavis.measures import Shapes
from visavis.measures.alignment import cheaper_form

# Few entries, for gradcheck evaluates each one twice, and yet both forms of the linear kernel.
SHAPES = {"features": {"n": 12, "p": 3, "q": 2}, "gram": {"n": 5, "p": 14, "q": 12}}
every_form = pytest.mark.parametrize("form", SHAPES)
WITHOUT_DECOMPOSITION = ["cka-linear-debiased", "cka-rbf-debiased", "hsic-linear-biased"]


@pytest.fixture(autouse=True)
def warn_always():
    """Let torch repeat warnings that it gives once a process, so that each test hears them."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


@every_form
def test_shapes_take_both_forms(form):
    n, p, q = SHAPES[form].values()
    assert cheaper_form(Shapes(n, (p,), (q,))) == form


def recorded(*arrays, dtype=torch.float64):
    return tuple(torch.tensor(each, dtype=dtype, requires_grad=True) for each in arrays)


@every_form
@every_measure
def test_gradient(measure, form):
    assert torch.autograd.gradcheck(measure, recorded(*related(**SHAPES[form])))


@pytest.mark.parametrize("kernel", ["laplacian", "polynomial", "cosine"])
def test_gradient_of_other_kernels(kernel):
    measure = functools.partial(vv.cka, kernel=kernel)
    assert torch.autograd.gradcheck(measure, recorded(*related(**SHAPES["features"])))


@every_form
@every_measure
def test_gradient_where_singular_values_repeat(measure, form):
    # Three orthonormal columns, turned into the width of the form: the derivative of a single
    # singular vector does not exist, that of the measure does.
    n, p, q = SHAPES[form].values()
    rank = min(3, p, q)
    X, Y = orthonormal(n=n, p=rank, q=rank)
    random = np.random.default_rng(0)
    X, Y = X @ random_rotation(p, random)[:rank], Y @ random_rotation(q, random)[:rank]
    assert torch.autograd.gradcheck(measure, recorded(X, Y))


@pytest.mark.parametrize("form", ["angular", "euclidean", "squared", "similarity"])
def test_gradient_where_cross_covariance_is_a_rotation(form):
    # Singular values of XᵀY repeat while X and Y differ.
    X, _ = orthonormal(n=12, p=4, q=4)
    turn = np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 0.8, -0.6], [0, 0, 0.6, 0.8]])
    Y = np.vstack([X[6:] @ turn, X[:6] @ turn])
    measure = functools.partial(vv.procrustes, form=form)
    assert torch.autograd.gradcheck(measure, recorded(X, Y))


@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_gradient_where_rows_repeat(measure, estimator):
    # A distance of zero: its square root has no derivative, the kernel does. The rows that repeat
    # lie apart, so that the median is the distance of two others and has a derivative too.
    X, Y = related(n=7, p=3, q=2)
    X[1] *= 9
    X[4] = X[1]
    measure = functools.partial(measure, kernel="rbf", estimator=estimator)
    given = recorded(X, Y)
    gradients = torch.autograd.grad(measure(*given), given)
    for variable, gradient in zip(given, gradients, strict=True):
        differences = by_differences(measure, given, variable)
        np.testing.assert_allclose(gradient.numpy(), differences, rtol=1e-5, atol=1e-8)


def by_differences(measure, given, variable, step=1e-6):
    """The gradient with regard to one of the arrays, entry by entry."""
    gradient = torch.zeros_like(variable)
    with torch.no_grad():
        for index in np.ndindex(*variable.shape):
            held = variable[index].item()
            ends = []
            for end in (held + step, held - step):
                variable[index] = end
                ends.append(float(measure(*given)))
            variable[index] = held
            gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient.numpy()


@pytest.mark.parametrize("name", ["cka-linear-debiased", "cka-rbf-debiased", "procrustes-squared"])
def test_gradient_is_zero_at_the_optimum(name):
    X, Y = recorded(*rotated(n=12, p=4, scale=1.0))
    gradient = torch.autograd.grad(MEASURES[name](X, Y), X)[0]
    np.testing.assert_allclose(gradient.numpy(), 0.0, atol=1e-12)


@pytest.mark.parametrize("maker", [related, offset])
@every_measure
def test_gradient_in_float32_is_that_in_float64(measure, maker):
    pair = [each.astype("float32") for each in maker(n=30, p=5, q=4)]
    gradients = []
    for dtype in (torch.float32, torch.float64):
        X, Y = recorded(*pair, dtype=dtype)
        gradients.append(torch.autograd.grad(measure(X, Y), X)[0])
    assert gradients[0].dtype == torch.float32
    largest = gradients[1].abs().max().item()
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=0, atol=1e-3 * largest)


@every_measure
def test_answer_carries_its_gradient(measure):
    X, Y = recorded(*related(n=12, p=3, q=2))
    answer = measure(X, Y)
    assert answer.requires_grad
    assert answer.shape == ()
    assert float(answer.detach()) == float(measure(X.detach(), Y.detach()))


@every_measure
def test_one_side_alone_is_recorded(measure):
    X, Y = recorded(*related(n=12, p=3, q=2))
    gradient = torch.autograd.grad(measure(X, Y.detach()), X)[0]
    assert torch.equal(gradient, torch.autograd.grad(measure(X, Y), X)[0])


@every_measure
def test_no_gradient_where_none_is_asked_for(measure):
    X, Y = recorded(*related(n=12, p=3, q=2))
    with torch.no_grad():
        assert not measure(X, Y).requires_grad


@pytest.mark.parametrize("name", WITHOUT_DECOMPOSITION)
def test_values_are_not_checked_while_recording(name):
    # A training loop handles a NaN loss as it sees fit; the step is not stopped to look for it.
    X, Y = recorded(*related(n=12, p=3, q=2))
    spoiled = X * torch.where(torch.arange(12) == 3, torch.nan, 1.0)[:, None]
    assert torch.isnan(MEASURES[name](spoiled, Y))


def test_values_are_checked_when_not_recording():
    X, Y = recorded(*related(n=12, p=3, q=2))
    with torch.no_grad(), pytest.raises(vv.DegenerateInputError, match="got nan at row 3, column"):
        vv.cka(X * torch.where(torch.arange(12) == 3, torch.nan, 1.0)[:, None], Y)
