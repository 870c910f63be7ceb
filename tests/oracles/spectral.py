"""Eigenspace overlap, GULP, Riemannian distance, norm of similarity matrices: from n×n matrices."""

from typing import Literal

import numpy as np
import scipy.linalg

from .centring import Array, centred, lifted
from .spans import projection, rank


def eigenspace_overlap(X: Array, Y: Array) -> float:
    """tr(P_X P_Y)/max(rank) (May et al. 2019, of centred features)."""
    rtol = resolution(X)
    P, R = projection(X, rtol), projection(Y, rtol)
    return float((P * R).sum() / max(rank(X, rtol), rank(Y, rtol)))


def resolution(X: Array) -> float | None:
    """Relative singular values that float32 input resolves; the default otherwise."""
    return 10 * float(np.finfo(np.float32).eps) if X.dtype == np.float32 else None


def smoother(X: Array, regularization: float, *, scale: bool) -> Array:
    """H = Xc(XcᵀXc + nλI)⁻¹Xcᵀ by QR of the features above √(nλ)·I, which squares nothing."""
    if regularization == 0:
        return projection(X, resolution(X))
    n, p = X.shape
    Xc = centred(X)
    unit = np.abs(Xc).max()
    Xc = Xc / unit
    total = np.sqrt((Xc**2).sum()) if scale else np.sqrt(np.longdouble(n)) / unit
    penalty = np.sqrt(np.longdouble(regularization)) * total * np.eye(p)
    Q, _ = np.linalg.qr(np.vstack([Xc, penalty]).astype(np.float64))
    return Q[:n] @ Q[:n].T


def gulp(
    X: Array,
    Y: Array,
    *,
    regularization: float = 0.01,
    scale: bool = True,
    form: Literal["distance", "squared"] = "distance",
) -> float:
    """‖H_X − H_Y‖: what ridge regression predicts of all targets (Boix-Adserà et al. 2022)."""
    H, G = (smoother(Z, regularization, scale=scale) for Z in (X, Y))
    distance = float(np.sqrt(((H - G) ** 2).sum()))
    return distance if form == "distance" else distance**2


def gulp_traces(X: Array, Y: Array, regularization: float) -> float:
    """d² of the paper's formula, of covariances of total variance 1; to half of the digits."""
    X, Y = (
        (Z / np.sqrt((Z**2).mean() * Z.shape[1])).astype(np.float64) for Z in map(centred, (X, Y))
    )
    n = len(X)

    def halves(A: Array, B: Array) -> Array:
        return np.linalg.solve(A.T @ A / n + regularization * np.eye(A.shape[1]), A.T @ B / n)

    own = sum(float(np.trace(halves(Z, Z) @ halves(Z, Z))) for Z in (X, Y))
    return own - 2 * float(np.trace(halves(X, Y) @ halves(Y, X)))


def shrunken(X: Array, shrinkage: float, *, scale: bool) -> tuple[Array, float]:
    """(1 − s)K + s·(tr K/n)·I of the Gram matrix at trace n, and log (tr K/n)."""
    Xc = centred(X)
    unit = np.abs(Xc).max()
    K = (Xc / unit) @ (Xc / unit).T
    n = len(K)
    mean = np.trace(K) / n
    A = (1 - shrinkage) * K / mean + shrinkage * np.eye(n)
    size = 0.0 if scale else float(np.log(mean) + 2 * np.log(unit))
    return A.astype(np.float64), size


def riemannian(X: Array, Y: Array, *, shrinkage: float = 0.1, scale: bool = False) -> float:
    """√Σ log² of the eigenvalues of A⁻¹B (Shahbazi et al. 2021), by Cholesky factors."""
    (A, a), (B, b) = (shrunken(Z, shrinkage, scale=scale) for Z in (X, Y))
    L, M = (np.linalg.cholesky(Z) for Z in (A, B))
    roots = np.linalg.svd(scipy.linalg.solve_triangular(L, M, lower=True), compute_uv=False)
    return float(np.sqrt(((2 * np.log(roots) + b - a) ** 2).sum()))


def rsm_norm_difference(
    X: Array, Y: Array, *, similarity: Literal["linear", "cosine", "correlation"] = "linear"
) -> float:
    """√Σ_ij (s_ij − s′_ij)², entry by entry (Klabunde et al. 2023)."""
    S, T = (_similarities(Z, similarity) for Z in (X, Y))
    n = len(S)
    return float(np.sqrt(sum((S[i, j] - T[i, j]) ** 2 for i in range(n) for j in range(n))))


def _similarities(X: Array, similarity: str) -> Array:
    X = lifted(X)
    if similarity == "correlation":
        X = centred(X.T).T
    if similarity != "linear":
        X = X / np.abs(X).max(axis=1, keepdims=True)
        X = X / np.sqrt((X**2).sum(axis=1, keepdims=True))
    return X @ X.T
