"""What kernels refuse, how they are written, and when two are one."""

import math

import numpy as np
import pytest
from tests.data_makers import related

import visavis as vv
from visavis import kernels
from visavis.kernels import Kernel, cosine, laplacian, linear, polynomial, precomputed, rbf


@pytest.mark.parametrize("shape", [(6, 5), (5, 6)])
def test_precomputed_wants_a_square(shape):
    message = rf"precomputed: `X` must be square \(n, n\), got shape \({shape[0]}, {shape[1]}\)"
    with pytest.raises(ValueError, match=message):
        precomputed().gram(np.ones(shape))


def test_precomputed_wants_symmetry():
    K = np.eye(5)
    K[1, 3] = 0.25
    with pytest.raises(ValueError, match=r"mirror image by up to 0\.25\. Give a Gram matrix"):
        precomputed().gram(K)


def test_precomputed_forgives_rounding():
    X = related(n=50, p=30)[0].astype(np.float32)
    K = X @ X.T
    K[3, 4] *= 1 + 1e-6
    np.testing.assert_allclose(precomputed().gram(K), K, rtol=1e-6)


@pytest.mark.parametrize("kernel", [rbf(0.5), rbf(0.5, median="all"), laplacian()], ids=str)
def test_no_bandwidth_from_rows_that_mostly_agree(kernel):
    X = np.zeros((10, 3))
    X[:2] = related(n=2, p=3)[0]
    with pytest.raises(
        vv.DegenerateInputError, match=f"{kernel.name}: the median distance .* zero"
    ):
        kernel.gram(X)


@pytest.mark.parametrize("row", [0, 4])
def test_cosine_names_the_row_without_an_angle(row):
    X = related()[0]
    X[row] = 0
    message = f"cosine: the angle to an all-zero row is not defined, and row {row} is one. Leave"
    with pytest.raises(vv.DegenerateInputError, match=message):
        cosine().gram(X)


REFUSED = {
    "zero fraction": (lambda: rbf(0), "rbf: `fraction` must be positive, got 0"),
    "negative fraction": (
        lambda: laplacian(-1.0),
        "laplacian: `fraction` must be positive, got -1.0",
    ),
    "NaN": (lambda: rbf(math.nan), "rbf: `fraction` must be positive, got nan"),
    "median": (
        lambda: rbf(median="mean"),
        "rbf: `median` must be one of 'pairs', 'all', got 'mean'",
    ),
    "degree 0": (lambda: polynomial(0), "polynomial: `degree` must .*, got 0"),
    "half a degree": (lambda: polynomial(2.5), r"polynomial: `degree` must .*, got 2\.5"),
    "negative gamma": (lambda: polynomial(gamma=-1.0), r"polynomial: `gamma` must .*, got -1\.0"),
    "negative coef0": (lambda: polynomial(coef0=-1), "polynomial: `coef0` must be zero or more"),
    "NaN coef0": (lambda: polynomial(coef0=math.nan), "polynomial: `coef0` must .*, got nan"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", kernels.NAMED)
def test_every_kernel_has_its_name(name):
    kernel = kernels.named("cka", name)
    assert kernel == kernels.NAMED[name]()
    assert kernel.name == name
    assert name in kernels.__all__
    assert kernels.named("cka", kernel) is kernel


def test_unknown_names_and_types():
    with pytest.raises(
        ValueError, match=r"cka: `kernel` must be one of 'linear', 'rbf', .* 'gauss'"
    ):
        kernels.named("cka", "gauss")
    with pytest.raises(TypeError, match=r"cka: `kernel` must be a name or a .* For instance vis"):
        kernels.named("cka", rbf)


WRITTEN = {
    "linear": linear(),
    "rbf(0.5)": rbf(),
    "rbf(0.2, median='all')": rbf(0.2, median="all"),
    "laplacian(2.0)": laplacian(2.0),
    "polynomial(3)": polynomial(),
    "polynomial(2, gamma=0.5, coef0=0.0)": polynomial(2, gamma=0.5, coef0=0.0),
    "cosine": cosine(),
    "precomputed": precomputed(),
}


@pytest.mark.parametrize(("text", "kernel"), WRITTEN.items(), ids=WRITTEN)
def test_a_kernel_writes_as_it_is_made(text, kernel):
    assert str(kernel) == text


def test_kernels_are_equal_by_name_and_parameters():
    assert rbf(0.4) == rbf(0.4)
    assert hash(rbf(0.4)) == hash(rbf(0.4))
    assert len({rbf(0.4), rbf(0.2), rbf(0.4, median="all"), laplacian(0.4), linear()}) == 5


def test_a_kernel_of_ones_own():
    # Anything that gives a Gram matrix and its unit is a kernel.
    sign = Kernel("sign", scaled=lambda X: (np.sign(X) @ np.sign(X).T, 1.0))
    X, Y = related()
    assert float(vv.cka(X, Y, kernel=sign)) == pytest.approx(
        float(vv.cka(np.sign(X) @ np.sign(X).T, np.sign(Y) @ np.sign(Y).T, kernel="precomputed")),
        rel=1e-12,
    )
