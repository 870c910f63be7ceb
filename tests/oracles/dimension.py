"""Dimensions of one representation."""

import math

import numpy as np

from .centring import Array, centred, lifted


def participation_ratio(X: Array) -> float:
    """(Σλ)²/Σλ² over the eigenvalues of the centred Gram matrix (Gao et al. 2017)."""
    lam = _variances(X)
    return math.fsum(lam) ** 2 / math.fsum(lam**2)


def effective_rank(X: Array, *, spectrum: str = "singular") -> float:
    """exp(−Σ p log p), p = σ/Σσ or σ²/Σσ² (Roy & Vetterli 2007)."""
    Xc = centred(X)
    sigma = np.linalg.svd((Xc / np.abs(Xc).max()).astype(float), compute_uv=False)
    weights = sigma if spectrum == "singular" else sigma**2
    shares = weights / math.fsum(weights)
    return math.exp(-math.fsum(p * math.log(p) for p in shares if p > 1e-14))


def two_nn(X: Array, *, discard: float = 0.1) -> float:
    """Least squares through the origin on −log(1 − F) against log μ (Facco et al. 2017)."""
    X = lifted(X)
    n = len(X)
    ratios = []
    for i in range(n):
        first, second = sorted(math.sqrt(((X[i] - X[j]) ** 2).sum()) for j in range(n) if j != i)[
            :2
        ]
        ratios.append(math.log(second / first))
    kept = min(n - 1, math.floor(n * (1 - discard)))
    x = np.array(sorted(ratios)[:kept])
    y = np.array([-math.log(1 - i / n) for i in range(1, kept + 1)])
    return float(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])


def _variances(X: Array) -> Array:
    Xc = centred(X)
    Xc = (Xc / np.abs(Xc).max()).astype(float)
    return np.linalg.eigvalsh(Xc @ Xc.T)
