"""What kernels refuse, how they are written, and when two are one."""

import math

import numpy as np
import pytest
from tests.data_makers import related

import visavis as vv
from visavis import kernels
from visavis.kernels import Kernel, cosine, laplacian, linear, polynomial, precomputed, rbf

NOT_FOR = {
    "wide Gram": ("precomputed", np.ones((6, 7)), r"must be square \(n, n\), got shape \(6, 7\)"),
    "tall Gram": ("precomputed", np.ones((6, 5)), r"must be square \(n, n\), got shape \(6, 5\)"),
    "asymmetric": (
        "precomputed",
        np.eye(6) + 0.25 * np.eye(6, k=2),
        r"must be symmetric, .* mirror image by up to 0\.25\. Give a Gram matrix",
    ),
    "duplicates": ("rbf", np.eye(6)[:, :1], r"gives no bandwidth: the median distance .* zero"),
    "all duplicates": (rbf(median="all"), np.eye(6)[:, :1], r"gives no bandwidth: .* duplicate"),
    "duplicates in L1": ("laplacian", np.eye(6)[:, :1], r"gives no bandwidth: .* duplicate rows"),
    "zero row": ("cosine", 1 - np.eye(6)[:, :1], r"all-zero row, .* row 0\. Leave such rows out"),
    "zero rows": ("cosine", np.eye(6)[:, 2:4], r"all-zero row, .* row 0\. Leave such rows out"),
    "last row zero": ("cosine", np.eye(6)[:, :5], r"all-zero row, .* row 5\. Leave such rows out"),
}
every_unfit_input = pytest.mark.parametrize(
    ("kernel", "Z", "message"), NOT_FOR.values(), ids=NOT_FOR
)


@every_unfit_input
def test_a_gram_matrix_of_unfit_input(kernel, Z, message):
    with pytest.raises(ValueError, match=f"kernel: `X` .*{message}"):
        kernels.named("cka", kernel).gram(Z)


@every_unfit_input
@pytest.mark.parametrize("name", ["cka", "hsic"])
@pytest.mark.parametrize("side", [0, 1], ids=["X", "Y"])
def test_a_measure_names_the_side_of_unfit_input(kernel, Z, message, name, side):
    fit = related(n=6, p=3)[0]
    pair, sides = ((Z, fit), (kernel, "linear")) if side == 0 else ((fit, Z), ("linear", kernel))
    with pytest.raises(ValueError, match=f"{name}: `{'XY'[side]}` .*{message}"):
        vv.registry[name].function(*pair, kernel=sides)


def test_precomputed_forgives_rounding():
    X = related(n=50, p=30)[0].astype(np.float32)
    K = X @ X.T
    K[3, 4] *= 1 + 1e-6
    np.testing.assert_allclose(precomputed().gram(K), K, rtol=1e-6)


REFUSED = {
    "zero fraction": (lambda: rbf(0), "rbf: `fraction` must be .*positive.*, got 0"),
    "negative fraction": (
        lambda: laplacian(-1.0),
        "laplacian: `fraction` must be .*positive.*, got -1.0",
    ),
    "NaN": (lambda: rbf(math.nan), "rbf: `fraction` must be .*positive.*, got nan"),
    "median": (
        lambda: rbf(median="mean"),
        "rbf: `median` must be one of 'pairs', 'all', got 'mean'",
    ),
    "degree 0": (lambda: polynomial(0), "polynomial: `degree` must .*, got 0"),
    "half a degree": (lambda: polynomial(2.5), r"polynomial: `degree` must .*, got 2\.5"),
    "negative gamma": (lambda: polynomial(gamma=-1.0), r"polynomial: `gamma` must .*, got -1\.0"),
    "negative coef0": (
        lambda: polynomial(coef0=-1),
        "polynomial: `coef0` must be .*zero or more, got -1",
    ),
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
    grams = [np.sign(Z) @ np.sign(Z).T for Z in (X, Y)]
    expected = float(vv.cka(*grams, kernel="precomputed"))
    assert float(vv.cka(X, Y, kernel=sign)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("estimator", ["biased", "debiased"])
def test_a_kernel_may_give_what_it_was_given(estimator):
    given = Kernel("given", scaled=lambda X: (X, 1.0))
    K, L = (Z @ Z.T for Z in related())
    before = K.copy()
    vv.cka(K, L, kernel=given, estimator=estimator)
    np.testing.assert_array_equal(K, before)
