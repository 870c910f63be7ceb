"""Linear regression and canonical ridge through least squares."""

from typing import Literal

import numpy as np

from .centring import Array, centred
from .spans import tolerance


def linear_regression(X: Array, Y: Array, *, rtol: float | None = None) -> float:
    """R² = 1 − ‖Yc − XcB‖²/‖Yc‖² with B the least-squares solution: Y predicted from X."""
    Xc, Yc = centred(X), centred(Y)
    Xc = (Xc / np.abs(Xc).max()).astype(np.float64)
    Yc = (Yc / np.abs(Yc).max()).astype(np.float64)
    B = np.linalg.lstsq(Xc, Yc, rcond=tolerance(X, rtol))[0]
    return float(1 - ((Yc - Xc @ B) ** 2).sum() / (Yc**2).sum())


def canonical_ridge(
    X: Array,
    Y: Array,
    *,
    kappa: tuple[float, float],
    normalization: Literal["cca", "cka"] = "cca",
    rtol: float | None = None,
) -> float:
    """tr(S_X S_Y) of the ridge smoothers, normalised (Kornblith et al. 2019).

    S has the eigenvectors u_i of the centred Gram matrix and the eigenvalues
    w_i = λ_i/(λ_i + κ). "cca" divides by Σw^X_i w^Y_i, both in descending order, "cka" by
    √Σw_X²·√Σw_Y². An infinite κ stands for its limit, w ∝ λ.
    """
    S = _smoother(X, kappa[0], rtol)
    T = _smoother(Y, kappa[1], rtol)
    shared = np.trace(S @ T)
    match normalization:
        case "cca":
            return float(shared / (np.linalg.eigvalsh(S) @ np.linalg.eigvalsh(T)))
        case "cka":
            return float(shared / (np.linalg.norm(S) * np.linalg.norm(T)))


def _smoother(X: Array, kappa: float, rtol: float | None) -> Array:
    """The matrix (n, n) that takes a target to its ridge prediction from centred `X`."""
    Xc = centred(X)
    n, p = Xc.shape
    if np.isinf(kappa):
        # Both normalisations cancel the size, so it may be chosen where nothing overflows.
        unit = (Xc / np.abs(Xc).max()).astype(np.float64)
        return unit @ unit.T
    # Ridge is ordinary least squares with p more rows √κ·I whose targets are zero. It squares
    # no condition number, and at κ = 0 the minimum-norm solution makes S the projection.
    augmented = np.vstack([Xc.astype(np.float64), np.sqrt(kappa) * np.eye(p)])
    targets = np.vstack([np.eye(n), np.zeros((p, n))])
    S = Xc.astype(np.float64) @ np.linalg.lstsq(augmented, targets, rcond=tolerance(X, rtol))[0]
    return (S + S.T) / 2
