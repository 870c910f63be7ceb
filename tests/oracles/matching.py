"""Matching of units, by other algorithms than those of the package.

One-to-one matchings by the sparse LAPJV of SciPy, couplings by the network simplex of POT, shifts
one after the other, Gromov–Wasserstein by all permutations. Values are sums of extended precision
over the units that were matched.
"""

import itertools
import math

import numpy as np
import ot
import scipy.sparse

from .centring import Array, centred
from .procrustes import Form, procrustes


def unit_columns(X: Array) -> Array:
    """Centred columns of norm 1, each by its own peak first: its square may leave the range."""
    Xc = centred(X)
    Xc = Xc / np.abs(Xc).max(axis=0)
    return Xc / np.sqrt((Xc**2).sum(axis=0))


def matched(X: Array, Y: Array) -> tuple[Array, Array]:
    """The one-to-one matching of the columns of X and Y with the largest sum of products."""
    products = (X.T @ Y).astype(np.float64)
    # What is left out of a sparse matrix is no edge, so that no weight may be zero.
    weights = 1 + (products.max() - products) / (np.abs(products).max() or 1)
    return scipy.sparse.csgraph.min_weight_full_bipartite_matching(scipy.sparse.csr_array(weights))


def hard_matching(X: Array, Y: Array) -> float:
    """Mean correlation of the best one-to-one matching (Li et al. 2015)."""
    X, Y = unit_columns(X), unit_columns(Y)
    i, j = matched(X, Y)
    return float((X[:, i] * Y[:, j]).sum(axis=0).mean())


def semi_matching(X: Array, Y: Array) -> float:
    """Mean over the columns of X of the largest correlation with one of Y (Li et al. 2015)."""
    X, Y = unit_columns(X), unit_columns(Y)
    return math.fsum(float(max(x @ y for y in Y.T)) for x in X.T) / X.shape[1]


def coupled(X: Array, Y: Array) -> Array:
    """The coupling of the columns of X and Y with the least mean squared distance."""
    p, q = X.shape[1], Y.shape[1]
    products = (X.T @ Y).astype(np.float64)
    cost = np.ascontiguousarray(-products / (np.abs(products).max() or 1))
    return ot.emd(np.full(p, 1 / p), np.full(q, 1 / q), cost, numItermax=10**7)


def soft_matching(X: Array, Y: Array, *, form: str = "correlation", scale: bool = True) -> float:
    """max Σ P_ij corr(x_i, y_j), or min √(Σ P_ij ‖x_i − y_j‖²) (Khosla & Williams 2024)."""
    if form == "correlation" or scale:
        X, Y = unit_columns(X), unit_columns(Y)
    else:
        X, Y = centred(X), centred(Y)
    plan = coupled(X / np.abs(X).max(), Y / np.abs(Y).max())
    i, j = np.nonzero(plan)
    if form == "correlation":
        return float(((X[:, i] * Y[:, j]).sum(axis=0) * plan[i, j]).sum())
    return float(np.sqrt((((X[:, i] - Y[:, j]) ** 2).sum(axis=0) * plan[i, j]).sum()))


def permutation_procrustes(
    X: Array, Y: Array, *, form: Form = "angular", scale: bool = False, partial: bool = False
) -> float:
    """min over Π of ‖Xc − YcΠ‖, zero columns added to the narrower side, or to both if `partial`.

    "similarity" is the cosine behind it and "angular" its angle (Williams et al. 2021).
    """
    p, q = X.shape[1], Y.shape[1]
    width = p + q if partial else max(p, q)
    X, Y = centred(X), centred(Y)
    X, Y = np.pad(X, ((0, 0), (0, width - p))), np.pad(Y, ((0, 0), (0, width - q)))
    unit_x, unit_y = X / norm(X), Y / norm(Y)
    i, j = matched(unit_x, unit_y)
    unit_x, unit_y = unit_x[:, i], unit_y[:, j]
    match form:
        case "similarity":
            return float((unit_x * unit_y).sum())
        case "angular":
            return float(2 * np.arctan2(norm(unit_x - unit_y), norm(unit_x + unit_y)))
        case _:
            distance = norm(unit_x - unit_y) if scale else norm(X[:, i] - Y[:, j])
            return float(distance if form == "euclidean" else distance**2)


def convolution_procrustes(
    X: Array, Y: Array, *, shifts: bool = True, form: Form = "angular", scale: bool = False
) -> float:
    """The best of all circular shifts of Y, with positions as rows (Williams et al. 2021)."""
    h, w = X.shape[2:] if shifts else (1, 1)
    best = max if form == "similarity" else min
    return best(
        procrustes(positions(X), positions(np.roll(Y, shift, axis=(2, 3))), form=form, scale=scale)
        for shift in itertools.product(range(h), range(w))
    )


def positions(X: Array) -> Array:
    """Feature maps (n, c, h, w) with each position of each sample as a row (n·h·w, c)."""
    return np.moveaxis(X, 1, -1).reshape(-1, X.shape[1])


def unit_distances(X: Array, metric: str) -> Array:
    """Distances of the columns to each other."""
    X = unit_columns(X) if metric == "correlation" else centred(X) / np.sqrt(len(X))
    return np.sqrt(((X[:, :, None] - X[:, None, :]) ** 2).sum(axis=0))


def gromov_wasserstein(X: Array, Y: Array, *, metric: str = "correlation") -> float:
    """½ min √(mean (d_ik − e_π(i)π(k))²) over all permutations of a few columns (Mémoli 2011).

    The problem is concave, so that no coupling does better than the best permutation.
    """
    D, E = unit_distances(X, metric), unit_distances(Y, metric)
    permutations = (list(each) for each in itertools.permutations(range(len(E))))
    return float(min(np.sqrt(((D - E[np.ix_(pi, pi)]) ** 2).mean()) / 2 for pi in permutations))


def norm(X: Array) -> np.longdouble:
    """The Frobenius norm, with squares in extended precision."""
    return np.sqrt((X**2).sum())
