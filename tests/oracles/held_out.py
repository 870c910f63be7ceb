"""Alignments fitted on training rows and scored on test rows, in the space of features."""

import numpy as np
import scipy.linalg

from .centring import Array


def held_out(X: Array, Y: Array, T: Array, U: Array, *, measure: str, **options: object) -> float:
    """The measure on rows T and U with what it fits taken from rows X and Y (full rank)."""
    T, U = T - X.mean(axis=0), U - Y.mean(axis=0)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    match measure:
        case "linear_regression":
            weights = np.linalg.lstsq(X, Y, rcond=None)[0]
            return float(1 - ((U - T @ weights) ** 2).sum() / (U**2).sum())
        case "cca":
            return _correlated(X, Y, T, U)
        case "svcca":
            k = options["components"]
            turns = [np.linalg.svd(Z)[2][:k].T for Z in (X, Y)]
            return _correlated(X @ turns[0], Y @ turns[1], T @ turns[0], U @ turns[1])
        case "shape_distance":
            maps = [_whitening(Z, float(options["alpha"])) for Z in (X, Y)]
            X, T = X @ maps[0], T @ maps[0]
            Y, U = Y @ maps[1], U @ maps[1]
    width = max(X.shape[1], Y.shape[1])
    X, Y, T, U = (np.pad(Z, ((0, 0), (0, width - Z.shape[1]))) for Z in (X, Y, T, U))
    U = U @ scipy.linalg.orthogonal_procrustes(Y, X)[0]
    cosine = (T * U).sum() / np.linalg.norm(T) / np.linalg.norm(U)
    match options.get("form", "angular"):
        case "euclidean":
            return float(np.linalg.norm(T - U))
        case "squared":
            return float(np.linalg.norm(T - U) ** 2)
        case "similarity":
            return float(cosine)
    return float(np.arccos(cosine))


def _correlated(X: Array, Y: Array, T: Array, U: Array) -> float:
    white = [scipy.linalg.inv(scipy.linalg.sqrtm(Z.T @ Z)) for Z in (X, Y)]
    left, _, right = np.linalg.svd(white[0] @ X.T @ Y @ white[1], full_matrices=False)
    a, b = T @ white[0] @ left, U @ white[1] @ right.T
    return float(np.mean((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))))


def _whitening(Z: Array, alpha: float) -> Array:
    return alpha * np.eye(Z.shape[1]) + (1 - alpha) * scipy.linalg.inv(scipy.linalg.sqrtm(Z.T @ Z))
