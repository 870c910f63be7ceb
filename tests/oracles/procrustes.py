"""Procrustes measures by turning X onto Y and looking at what is left."""

from typing import Literal

import numpy as np
import scipy.linalg

from .centring import Array, centred

Form = Literal["angular", "euclidean", "squared", "similarity"]


def best_rotation(X: Array, Y: Array) -> Array:
    """The orthogonal Q that minimises ‖XQ − Y‖, X and Y of one width."""
    Q, _ = scipy.linalg.orthogonal_procrustes(X.astype(np.float64), Y.astype(np.float64))
    return Q


def procrustes(X: Array, Y: Array, *, form: Form = "angular", scale: bool = False) -> float:
    """min over Q of ‖XcQ − Yc‖ ("euclidean"), its square, or the similarity behind both.

    "similarity" is NBS = ‖XcᵀYc‖_*/(‖Xc‖‖Yc‖) and "angular" arccos NBS, in radians.
    `scale` divides Xc and Yc by their norms first; NBS and its angle always do.
    """
    Xc, Yc = _one_width(centred(X), centred(Y))
    X_unit, Y_unit = Xc / _norm(Xc), Yc / _norm(Yc)
    Q = best_rotation(X_unit, Y_unit)
    chord = _norm(X_unit @ Q - Y_unit)
    match form:
        case "similarity":
            return float(np.linalg.norm((X_unit.T @ Y_unit).astype(np.float64), "nuc"))
        case "angular":
            # arccos loses half of the digits near 1. The chord of the same angle loses none.
            return float(2 * np.arcsin(chord / 2))
        case "euclidean":
            return float(chord if scale else _norm(Xc @ Q - Yc))
        case "squared":
            return float((chord if scale else _norm(Xc @ Q - Yc)) ** 2)


def _one_width(X: Array, Y: Array) -> tuple[Array, Array]:
    """Zero columns added to the narrower of the two."""
    width = max(X.shape[1], Y.shape[1])
    return (
        np.pad(X, ((0, 0), (0, width - X.shape[1]))),
        np.pad(Y, ((0, 0), (0, width - Y.shape[1]))),
    )


def _norm(X: Array) -> np.longdouble:
    # Not np.linalg.norm, which casts to float64 and squares there.
    return np.sqrt((X**2).sum())
