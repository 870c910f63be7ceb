"""Kernels as functions from features (n, p) to a Gram matrix (n, n)."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from .centring import Array, centred, lifted

Kernel = Callable[[Array], Array]


def linear(X: Array) -> Array:
    """⟨x_i, x_j⟩ of centred features: HSIC does not see the shift, and cancellation does."""
    Xc = centred(X)
    return Xc @ Xc.T


def cosine(X: Array) -> Array:
    """⟨x_i, x_j⟩/(‖x_i‖‖x_j‖) of the features as given. Undefined if a row is zero."""
    X = lifted(X)
    unit = X / np.sqrt((X**2).sum(axis=1, keepdims=True))
    return unit @ unit.T


def polynomial(degree: int = 3, gamma: float = 1.0, coef0: float = 1.0) -> Kernel:
    """(γ⟨x_i, x_j⟩ + c)^d of the features as given."""

    def gram(X: Array) -> Array:
        X = lifted(X)
        return (gamma * (X @ X.T) + coef0) ** degree

    return gram


def laplacian(fraction: float) -> Kernel:
    """exp(−‖x_i − x_j‖₁/σ), σ = fraction × median ‖x_i − x_j‖₁ over pairs i < j."""

    def gram(X: Array) -> Array:
        X = lifted(X)
        D = np.stack([np.abs(X - x).sum(axis=1) for x in X])
        return np.exp(-D / (fraction * np.median(_pairs(D))))

    return gram


def rbf(fraction: float, median: Literal["pairs", "all"] = "pairs") -> Kernel:
    """exp(−‖x_i − x_j‖²/(2σ²)).

    "pairs": σ = fraction × median distance over pairs i < j.
    "all": σ² = fraction² × median *squared* distance over all n² entries, zero diagonal
    included, as the demonstration notebook of Kornblith et al. 2019 has it.
    """

    def gram(X: Array) -> Array:
        X = lifted(X)
        squared = np.stack([((X - x) ** 2).sum(axis=1) for x in X])
        match median:
            case "pairs":
                variance = (fraction * np.median(np.sqrt(_pairs(squared)))) ** 2
            case "all":
                variance = fraction**2 * np.median(squared)
        return np.exp(-squared / (2 * variance))

    return gram


def precomputed(K: Array) -> Array:
    """The argument is already a Gram matrix."""
    return lifted(K)


def _pairs(D: Array) -> Array:
    """Entries of `D` above the diagonal."""
    return D[np.triu_indices(len(D), k=1)]
