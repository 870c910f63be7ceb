"""Representational similarity analysis from all pairs of rows, one at a time."""

from typing import Literal

import numpy as np
import scipy.stats

from .centring import Array, double_centred, lifted
from .repeats import crossnobis, mahalanobis

Rdm = Literal["euclidean", "sqeuclidean", "correlation", "cosine", "mahalanobis", "crossnobis"]
Compare = Literal[
    "pearson",
    "spearman",
    "kendall_tau_a",
    "kendall_tau_b",
    "rho_a",
    "cosine",
    "whitened_cosine",
    "whitened_pearson",
]


def rsa(
    X: Array,
    Y: Array,
    *,
    rdm: Rdm = "euclidean",
    compare: Compare = "spearman",
    shrinkage: float | None = None,
) -> float:
    """Agreement of the dissimilarities of rows i < j (Kriegeskorte et al. 2008)."""
    if rdm == "mahalanobis":
        x, y = (mahalanobis(Z, shrinkage) for Z in (X, Y))
    elif rdm == "crossnobis":
        x, y = (crossnobis(Z, shrinkage) for Z in (X, Y))
    else:
        x, y = dissimilarities(X, rdm), dissimilarities(Y, rdm)
    unit = rdm in {"correlation", "cosine"}
    match compare:
        case "pearson":
            return _cosine(x - x.mean(), y - y.mean())
        case "cosine":
            return _cosine(x, y)
        case "whitened_cosine":
            # By V⁻¹ of Diedrichsen et al. 2020; `test_rsa_oracles` has V itself.
            return _cosine(*(double_centred(square(d, len(X))).ravel() for d in (x, y)))
        case "whitened_pearson":
            x, y = (square(d - d.mean(), len(X)) for d in (x, y))
            return _cosine(*(double_centred(D).ravel() for D in (x, y)))
        case "spearman":
            x, y = (scipy.stats.rankdata(levels(d, unit=unit)) for d in (x, y))
            return _cosine(x - x.mean(), y - y.mean())
        case "rho_a":
            x, y = (scipy.stats.rankdata(levels(d, unit=unit)) for d in (x, y))
            m = len(x)
            return float(12 * (x @ y) / (m**3 - m) - 3 * (m + 1) / (m - 1))
        case "kendall_tau_a" | "kendall_tau_b":
            return _kendall(levels(x, unit=unit), levels(y, unit=unit), compare[-1])


def dissimilarities(X: Array, rdm: Rdm) -> Array:
    """The dissimilarities of rows i < j, row by row, in extended precision."""
    X = lifted(X)
    # In extended precision, so that squares neither overflow nor vanish.
    return np.concatenate([_from_row(X[i], X[i + 1 :], rdm) for i in range(len(X) - 1)])


def _from_row(x: Array, others: Array, rdm: Rdm) -> Array:
    match rdm:
        case "sqeuclidean":
            return ((x - others) ** 2).sum(axis=1)
        case "euclidean":
            return np.sqrt(((x - others) ** 2).sum(axis=1))
        case "correlation":
            return _angular(x - x.mean(), others - others.mean(axis=1, keepdims=True))
        case "cosine":
            return _angular(x, others)


def _angular(x: Array, others: Array) -> Array:
    # One minus the cosine, without the difference of numbers near one.
    x, others = x / np.sqrt((x**2).sum()), others / np.sqrt((others**2).sum(axis=1, keepdims=True))
    return ((x - others) ** 2).sum(axis=1) / 2


def levels(d: Array, *, unit: bool = False) -> Array:
    """Whole numbers in the order of `d`: equal where dissimilarities are, but for rounding.

    `unit`: of unit vectors.
    """
    order = np.argsort(d)
    ordered = d[order]
    # What float64 can tell apart: of the number, or of unit vectors at that distance.
    root = np.sqrt(ordered[1:])
    rounding = 1e-13 * ordered[1:] + unit * (1e-14 * root + 1e-28)
    gaps = np.diff(ordered) > rounding
    found = np.empty(len(d), dtype=np.int64)
    found[order] = np.concatenate([[0], np.cumsum(gaps)])
    return found


def square(d: Array, n: int) -> Array:
    """The symmetric matrix (n, n) of dissimilarities, zero on the diagonal."""
    D = np.zeros((n, n), dtype=d.dtype)
    D[np.triu_indices(n, 1)] = d
    return D + D.T


def _kendall(x: Array, y: Array, kind: str) -> float:
    """(concordant − discordant) over all pairs (a), or over the roots of the untied ones (b)."""
    agreement = untied_x = untied_y = 0
    for k in range(len(x)):
        s, t = np.sign(x[k] - x[:k]), np.sign(y[k] - y[:k])
        agreement += int(s @ t)
        untied_x += int(s @ s)
        untied_y += int(t @ t)
    if kind == "a":
        return agreement / (len(x) * (len(x) - 1) / 2)
    return agreement / untied_x**0.5 / untied_y**0.5


def _cosine(x: Array, y: Array) -> float:
    return float(x @ y / np.sqrt(x @ x) / np.sqrt(y @ y))
