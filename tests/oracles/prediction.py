"""Prediction out of sample, model by model and row by row: refits where others take a formula."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .centring import Array, centred, lifted
from .spans import tolerance

PENALTIES = tuple(10.0**k for k in range(-8, 3))


def predictivity(
    X: Array,
    Y: Array,
    *,
    model: str = "ridge",
    score: str = "r2",
    average: str | None = None,
    folds: Any = 5,
    seed: int | None = 0,
    penalties: Any = None,
    components: int = 25,
) -> float:
    """R² or correlation of Y with its prediction from X over folds (Schrimpf et al. 2018)."""
    penalties = np.atleast_1d(PENALTIES if penalties is None else penalties)
    actual, predicted, scores = [], [], []
    for test in dealt(len(X), folds, seed):
        train = np.array([i for i in range(len(X)) if i not in set(test)])
        T, Z, S = _unit(X, train, test, X)
        K, A, _ = _unit(Y, train, test, Y)
        P = fit(model, T, K, Z, float(S), penalties, components)
        actual.append(A)
        predicted.append(P)
        if score == "pearson":
            scores.append([np.corrcoef(a, p)[0, 1] for a, p in zip(A.T, P.T, strict=True)])
    over = {"mean": np.mean, "median": np.median}
    if score == "pearson":
        return float(np.mean([over[average or "median"](each) for each in scores]))
    lost = ((np.vstack(actual) - np.vstack(predicted)) ** 2).sum(axis=0)
    total = (np.vstack(actual) ** 2).sum(axis=0)
    if average in {None, "weighted"}:
        return float(1 - lost.sum() / total.sum())
    assert average is not None
    return float(over[average](1 - lost / total))


def dealt(n: int, folds: Any, seed: int | None) -> list[list[int]]:
    """The rows of each fold."""
    if not isinstance(folds, int):
        return [[i for i in range(n) if folds[i] == each] for each in sorted(set(folds))]
    order = list(range(n) if seed is None else np.random.default_rng(seed).permutation(n))
    sizes = [n // folds + (k < n % folds) for k in range(folds)]
    return [sorted(order[sum(sizes[:k]) : sum(sizes[: k + 1])]) for k in range(folds)]


def _unit(Z: Array, train: Array, test: Any, whole: Array) -> tuple[Array, Array, float]:
    """Training and test rows less the mean of the training, at the size of all, and a tolerance."""
    unit = np.abs(centred(whole)).max()
    Z = centred(Z) / unit
    mean = Z[train].mean(axis=0)
    return Z[train] - mean, Z[test] - mean, tolerance(whole)


def fit(
    model: str,
    T: Array,
    K: Array,
    Z: Array,
    rtol: float,
    penalties: Array,
    components: int,
) -> Array:
    """Predictions for the rows `Z` of a model of targets `K` in training rows `T`."""
    if T.shape[1] > T.shape[0]:
        # Distances and inner products of all rows are kept, and nothing else is asked for.
        both = triangle(np.vstack([T, Z]).T).T
        T, Z = both[: len(T)], both[len(T) :]
    singular = np.linalg.svd(T.astype(float), compute_uv=False)
    if singular[0] < 1e-15:
        return np.zeros((len(Z), K.shape[1]))
    if model == "pls":
        return nipals(T, K, Z, min(components, int((singular > rtol * singular[0]).sum())), rtol)
    penalty = penalties[0]
    if len(penalties) > 1:
        errors = left_out(T.astype(float), K.astype(float), penalties * singular[0] ** 2, rtol)
        best = min(errors)
        penalty = max(p for p, e in zip(penalties, errors, strict=True) if e <= best * (1 + 1e-10))
    return ridge(T, K, Z, penalty * singular[0] ** 2, rtol)


def left_out(T: Array, K: Array, penalties: Array, rtol: float) -> list[float]:
    """Σ_i ‖y_i − ŷ_i‖² over rows, each predicted by a model refitted without it."""
    n = len(T)
    errors = np.zeros(len(penalties))
    rest = np.array([[j for j in range(n) if j != i] for i in range(n)])
    means, targets = T[rest].mean(axis=1), K[rest].mean(axis=1)
    U, s, Vh = np.linalg.svd(T[rest] - means[:, None], full_matrices=False)
    known = np.swapaxes(U, 1, 2) @ (K[rest] - targets[:, None])
    along = ((T - means)[:, None] @ np.swapaxes(Vh, 1, 2))[:, 0]
    real = s > rtol * s[:, :1]
    for k, penalty in enumerate(penalties):
        weights = np.where(real, s / np.where(real, s**2 + penalty, 1), 0)
        predicted = targets + ((along * weights)[:, None] @ known)[:, 0]
        errors[k] = ((K - predicted) ** 2).sum()
    return list(errors)


def ridge(T: Array, K: Array, Z: Array, penalty: float, rtol: float) -> Array:
    """Least squares with a row √λ for every feature, whose targets are zero."""
    if penalty == 0:
        return Z @ np.linalg.lstsq(T.astype(float), K.astype(float), rcond=rtol)[0]
    p = T.shape[1]
    rows = np.vstack([T, np.sqrt(np.longdouble(penalty)) * np.eye(p)])
    R = triangle(np.hstack([rows, np.vstack([K, np.zeros((p, K.shape[1]))])]), p)
    weights = np.zeros((p, K.shape[1]), dtype=np.longdouble)
    for i in reversed(range(p)):
        weights[i] = (R[i, p:] - R[i, i + 1 : p] @ weights[i + 1 :]) / R[i, i]
    return Z @ weights


def triangle(A: Array, columns: int | None = None) -> Array:
    """R of the QR decomposition of the first columns, in extended precision, by reflections."""
    R = lifted(A).copy()
    known: int = columns or min(len(R), R.shape[1])
    for k in range(min(known, len(R) - 1)):
        v = R[k:, k].copy()
        length = np.sqrt((v**2).sum())
        if length > 0:
            v[0] += length if v[0] >= 0 else -length
            v /= np.sqrt((v**2).sum())
            R[k:] -= 2 * np.outer(v, v @ R[k:])
    return R[:known]


def nipals(T: Array, K: Array, Z: Array, components: int, rtol: float) -> Array:
    """Partial least squares, component by component, both sides deflated (Wold et al.)."""
    E, F, Z = T.copy(), K.copy(), Z.copy()
    _, s, Vh = np.linalg.svd(T.astype(float), full_matrices=False)
    if (s <= rtol * s[0]).any():
        # Directions below the resolution of the input are none.
        V = Vh[s > rtol * s[0]].T
        E, Z = E @ V @ V.T, Z @ V @ V.T
    predicted = np.zeros((len(Z), K.shape[1]), dtype=np.longdouble)
    start = float(np.linalg.norm((E.T @ F).astype(float)))
    for w in _weights(E, F, components, start):
        t = E @ w
        p, q = E.T @ t / (t @ t), F.T @ t / (t @ t)
        score = Z @ w
        predicted += np.outer(score, q)
        E -= np.outer(t, p)
        F -= np.outer(t, q)
        Z -= np.outer(score, p)
    return predicted


def _weights(E: Array, F: Array, components: int, start: float) -> Iterator[Array]:
    for _ in range(components):
        covariance = (E.T @ F).astype(float)
        if np.linalg.norm(covariance) <= 1e-13 * start:
            return
        yield lifted(np.linalg.svd(covariance)[0][:, 0])
