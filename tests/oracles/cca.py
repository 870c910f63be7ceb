"""CCA, SVCCA and PWCCA through projection matrices."""

import math
from typing import Literal

import numpy as np

from .centring import Array, centred
from .spans import basis, projection, rank

Form = Literal["rho", "r2"]


def canonical_correlations(X: Array, Y: Array, *, rtol: float | None = None) -> Array:
    """ρ, descending: the min(rank) largest singular values of P_X P_Y, clipped to [0, 1]."""
    shared = min(rank(X, rtol), rank(Y, rtol))
    return _correlations(projection(X, rtol), projection(Y, rtol), shared)


def cca(X: Array, Y: Array, *, form: Form = "rho", rtol: float | None = None) -> float:
    """Σρ/min(rank) or Σρ²/min(rank)."""
    return _summary(canonical_correlations(X, Y, rtol=rtol), form)


def kept_components(
    X: Array, *, variance: float = 0.99, components: int | None = None, rtol: float | None = None
) -> Array:
    """Left singular vectors (n, k) of centred `X` that SVCCA keeps.

    The fewest whose Σσ² reaches `variance` of the total, or the first `components`; never more
    than the rank. They are eigenvectors of the Gram matrix here.
    """
    Xc = centred(X)
    Xc = (Xc / np.abs(Xc).max()).astype(np.float64)
    eigenvalues, U = np.linalg.eigh(Xc @ Xc.T)
    full = rank(X, rtol)
    power, U = eigenvalues[::-1][:full], U[:, ::-1][:, :full]
    if components is not None:
        return U[:, :components]
    # What is dropped is compared, not what is kept: at variance 1 it is the empty sum, exactly 0.
    allowed = (1 - variance) * math.fsum(power)
    k = next(k for k in range(1, full + 1) if math.fsum(power[k:]) <= allowed)
    return U[:, :k]


def svcca(
    X: Array,
    Y: Array,
    *,
    form: Form = "rho",
    variance: float = 0.99,
    components: int | None = None,
    rtol: float | None = None,
) -> float:
    """CCA of the leading singular vectors (Raghu et al. 2017)."""
    U = kept_components(X, variance=variance, components=components, rtol=rtol)
    V = kept_components(Y, variance=variance, components=components, rtol=rtol)
    shared = min(U.shape[1], V.shape[1])
    return _summary(_correlations(U @ U.T, V @ V.T, shared), form)


def pwcca(X: Array, Y: Array, *, rtol: float | None = None) -> float:
    """Σα_iρ_i/Σα_i, α_i = Σ_j |⟨h_i, x_j⟩| (Morcos et al. 2018).

    h_i are the unit canonical variables of X, x_j the columns of centred X. The h_i are the
    leading eigenvectors of P_Y seen from inside the span of X.
    """
    Q = basis(X, rtol)
    shared = min(Q.shape[1], rank(Y, rtol))
    _, inside = np.linalg.eigh(Q.T @ projection(Y, rtol) @ Q)
    h = Q @ inside[:, ::-1][:, :shared]
    # ρ_i as the length of h_i's shadow on the span of Y: the root of an eigenvalue near 0 is noise.
    rho = np.linalg.norm(projection(Y, rtol) @ h, axis=0).clip(0, 1)
    alpha = np.abs(h.T @ centred(X)).sum(axis=1)
    return float((alpha * rho).sum() / alpha.sum())


def _correlations(P: Array, R: Array, shared: int) -> Array:
    return np.linalg.svd(P @ R, compute_uv=False)[:shared].clip(0, 1)


def _summary(rho: Array, form: Form) -> float:
    match form:
        case "rho":
            return math.fsum(rho) / len(rho)
        case "r2":
            return math.fsum(rho**2) / len(rho)
