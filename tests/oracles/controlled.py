"""CKA within classes, with a third representation taken out, of sampled neurons, of prefixes."""

import numpy as np

from .centring import Array, double_centred, u_centred
from .hsic import Estimator, cka, hsic
from .kernels import Kernel, linear


def class_cka(
    X: Array,
    Y: Array,
    *,
    labels: Array,
    kernel: Kernel = linear,
    estimator: Estimator = "debiased",
) -> float:
    """The mean of CKA over the classes (Kornblith et al. 2019, F.4)."""
    parts = [np.array([k for k, c in enumerate(labels) if c == each]) for each in set(labels)]
    values = [cka(X[rows], Y[rows], kernel=kernel, estimator=estimator) for rows in parts]
    return float(np.mean(values))


def partial_cka(
    X: Array,
    Y: Array,
    *,
    given: Array,
    kernel: Kernel = linear,
    estimator: Estimator = "debiased",
) -> float:
    """The cosine of what is left of two centred Gram matrices beside a third (Székely & Rizzo)."""
    centre = u_centred if estimator == "debiased" else double_centred
    A, B = (centre(kernel(Z)) for Z in (X, Y))
    C = centre(linear(given))
    A, B = (M - (M * C).sum() / (C * C).sum() * C for M in (A, B))
    return float((A * B).sum() / np.sqrt((A * A).sum() * (B * B).sum()))


def sampled_cka(X: Array, Y: Array) -> float:
    """Norms over pairs of different neurons alone, pair by pair (Chun et al. 2025)."""
    p, q = X.shape[1], Y.shape[1]
    # HSIC is linear in each Gram matrix, and K = XXᵀ/p.
    return hsic(X, Y) / (p * q) / np.sqrt(_norm(X) * _norm(Y))


def _norm(X: Array) -> float:
    # ⟨K, K⟩ for K = Σ_j x_j x_jᵀ/p, without what each neuron gives with itself.
    p = X.shape[1]
    columns = [X[:, [j]] for j in range(p)]
    return sum(hsic(columns[i], columns[j]) for i in range(p) for j in range(p) if i != j) / (
        p * (p - 1)
    )


def prefix_cka(
    X: Array,
    Y: Array,
    *,
    dimensions: tuple[int, int],
    kernel: Kernel = linear,
    estimator: Estimator = "debiased",
) -> float:
    """CKA of the first columns."""
    return cka(X[:, : dimensions[0]], Y[:, : dimensions[1]], kernel=kernel, estimator=estimator)
