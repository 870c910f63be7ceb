"""HSIC and CKA from n×n Gram matrices."""

from typing import Literal

import numpy as np

from .centring import Array, double_centred, lifted, u_centred
from .kernels import Kernel, linear

Estimator = Literal["debiased", "biased"]


def hsic(
    X: Array, Y: Array, *, kernel: Kernel = linear, estimator: Estimator = "debiased"
) -> float:
    """tr(KHLH)/(n−1)² (Gretton et al. 2005) or HSIC₁ = ⟨K̃, L̃⟩/(n(n−3)) (Song et al. 2012)."""
    return float(_hsic(kernel(X), kernel(Y), estimator))


def cka(X: Array, Y: Array, *, kernel: Kernel = linear, estimator: Estimator = "debiased") -> float:
    """HSIC(K, L)/√(HSIC(K, K) HSIC(L, L)), one estimator throughout (Kornblith et al. 2019)."""
    K, L = kernel(X), kernel(Y)
    # Two square roots: a product of two fourth powers leaves the floating range first.
    return float(
        _hsic(K, L, estimator) / np.sqrt(_hsic(K, K, estimator)) / np.sqrt(_hsic(L, L, estimator))
    )


def hsic_three_terms(X: Array, Y: Array, *, kernel: Kernel = linear) -> float:
    """HSIC₁ as Song et al. 2012 print it, K̃ and L̃ with the diagonal removed.

    [tr(K̃L̃) + 1ᵀK̃1·1ᵀL̃1/((n−1)(n−2)) − 2/(n−2)·1ᵀK̃L̃1]/(n(n−3)). The terms cancel: fit for
    plain data alone.
    """
    K, L = lifted(kernel(X)), lifted(kernel(Y))
    n = K.shape[0]
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    ones = np.ones(n, dtype=np.longdouble)
    total = (
        np.trace(K @ L)
        + (ones @ K @ ones) * (ones @ L @ ones) / ((n - 1) * (n - 2))
        - 2 / np.longdouble(n - 2) * (ones @ K @ L @ ones)
    )
    return float(total / (n * (n - 3)))


def _hsic(K: Array, L: Array, estimator: Estimator) -> np.longdouble:
    n = K.shape[0]
    match estimator:
        case "biased":
            return np.trace(double_centred(K) @ double_centred(L)) / (n - 1) ** 2
        case "debiased":
            return (u_centred(K) * u_centred(L)).sum() / (n * (n - 3))
