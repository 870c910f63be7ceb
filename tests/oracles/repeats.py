"""Distances in units of noise, from repeats (samples, repeats, features), pair by pair."""

import numpy as np
import scipy.linalg

from .centring import Array


def mahalanobis(X: Array, shrinkage: float | None) -> Array:
    """(μ_i − μ_j)ᵀΣ⁻¹(μ_i − μ_j) for samples i < j."""
    means = X.mean(axis=1).astype(np.float64)
    sigma = noise(X, shrinkage)
    return np.array([d @ scipy.linalg.solve(sigma, d) for d in _differences(means)])


def crossnobis(X: Array, shrinkage: float | None) -> Array:
    """The mean over repeats k of (a_i − a_j)ᵀΣ⁻¹(b_i − b_j).

    b is repeat k; a is the mean and Σ the covariance of the noise of all others.
    """
    folds = []
    for k in range(X.shape[1]):
        others = np.delete(X, k, axis=1)
        sigma = noise(others, shrinkage)
        a, b = _differences(others.mean(axis=1)), _differences(X[:, k])
        folds.append([s @ scipy.linalg.solve(sigma, t) for s, t in zip(a, b, strict=True)])
    return np.mean(folds, axis=0)


def noise(X: Array, shrinkage: float | None) -> Array:
    """The covariance of repeats about the mean of their sample, taken towards its diagonal."""
    m, r, p = X.shape
    rows = [X[i, k] - X[i].mean(axis=0) for i in range(m) for k in range(r)]
    freedom = m * (r - 1)
    sigma = sum(np.outer(e, e) for e in rows) / freedom
    weight = shrinkage_of(np.array(rows), freedom) if shrinkage is None else shrinkage
    off = ~np.eye(p, dtype=bool)
    sigma[off] *= 1 - weight
    return sigma


def shrinkage_of(rows: Array, freedom: int) -> float:
    """Σ Var(c_jk)/Σ c_jk² over j ≠ k for the correlations c of the rows, cut to [0, 1]."""
    rows = rows / np.sqrt((rows**2).sum(axis=0) / freedom)
    variance = size = 0.0
    for j in range(rows.shape[1]):
        for k in range(rows.shape[1]):
            if j != k:
                products = rows[:, j] * rows[:, k]
                c = products.sum() / freedom
                variance += (products**2).sum() / freedom**2 - c**2 / freedom
                size += c**2
    return float(np.clip(variance / size, 0, 1)) if size else 0.0


def _differences(means: Array) -> list[Array]:
    m = len(means)
    return [means[i] - means[j] for i in range(m) for j in range(i + 1, m)]
