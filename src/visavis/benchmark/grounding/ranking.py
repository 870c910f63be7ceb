"""How well an order agrees with what is known: precision, conformity, rank correlation."""

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

# Values that agree to so many digits of the largest are equal: no order is made of rounding.
DIGITS = 9

Correlation = Callable[[np.ndarray, np.ndarray], float]


def settled(values: np.ndarray) -> np.ndarray:
    """Return values in which those that differ by rounding alone are equal."""
    finite = np.abs(values[np.isfinite(values)])
    peak = float(finite.max()) if finite.size else 0.0
    if peak == 0:
        return values
    unit = 2.0 ** round(math.log2(peak))  # dividing by a power of two loses nothing
    return np.round(values / unit, DIGITS) * unit


def average_precision(likeness: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the area under the curve of precision and recall, as a sum over its steps.

    ``Σ (Rₖ − Rₖ₋₁) Pₖ`` over the different values k of `likeness` from the highest down, with the
    precision Pₖ and the recall Rₖ of taking all that is as high.

    Parameters
    ----------
    likeness : ndarray, (pairs,)
        Higher is more alike. Pairs that tie are taken together.
    positive : ndarray of bool, (ways, pairs)
        Which pairs belong together, in one or more ways; one at least and not all.

    Returns
    -------
    ndarray, (ways,)
        1 if all pairs that belong together come first.
    """
    order = np.argsort(-likeness, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(likeness[order])), len(order) - 1)
    hits = np.cumsum(positive[:, order], axis=1)[:, ends]
    precision = hits / (ends + 1)
    gained = np.diff(hits, axis=1, prepend=0)
    return (gained * precision).sum(axis=1) / hits[:, -1]


def conformity(likeness: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Return how often a representation is more like one of its group than one of another.

    Over all triples of a, b of the group of a, and c of another: the share with s(a, b) > s(a, c);
    a tie counts half.

    Parameters
    ----------
    likeness : ndarray, (nets, nets)
        Symmetric.
    member : ndarray of int, (ways, nets)
        The group of each, in one or more ways.

    Returns
    -------
    ndarray, (ways,)
    """
    won = np.sign(likeness[:, :, None] - likeness[:, None, :]) / 2 + 0.5
    same = (member[:, :, None] == member[:, None, :]).astype(np.float64)
    other = 1 - same
    same = same - np.eye(len(likeness))
    sums = np.einsum("tab,tac,abc->t", same, other, won, optimize=True)
    return sums / (same.sum(axis=2) * other.sum(axis=2)).sum(axis=1)


def lost(likeness: np.ndarray, member: np.ndarray) -> float:
    """Return the share of the triples of `conformity` with s(a, b) < s(a, c)."""
    upper = likeness[:, :, None] < likeness[:, None, :]
    same = member[:, None] == member[None, :]
    triples = (same & ~np.eye(len(member), dtype=bool))[:, :, None] & ~same[:, None, :]
    return float(upper[triples].mean())


def in_order(likeness: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return how often likeness falls with the distance of layers, for layers in some order.

    Over all i < j < k: the share of the inequalities s(i, j) > s(i, k) and s(j, k) > s(i, k) that
    hold; a tie counts half.

    Parameters
    ----------
    likeness : ndarray, (layers, layers)
        Symmetric.
    orders : ndarray of int, (ways, layers)
        The layers, in one order or more.

    Returns
    -------
    ndarray, (ways,)
    """
    nearer, farther = _inequalities(likeness, orders)
    return (np.sign(nearer - farther) / 2 + 0.5).mean(axis=1)


def violated(likeness: np.ndarray) -> float:
    """Return the share of the inequalities of `in_order` that hold the other way round."""
    nearer, farther = _inequalities(likeness, np.arange(len(likeness))[None])
    return float((nearer < farther).mean())


def _inequalities(likeness: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    layers = likeness.shape[0]
    first, middle, last = np.array(
        [
            (i, j, k)
            for i in range(layers)
            for j in range(i + 1, layers)
            for k in range(j + 1, layers)
        ]
    ).T
    i, j, k = orders[:, first], orders[:, middle], orders[:, last]
    nearer = np.concatenate([likeness[i, j], likeness[j, k]], axis=1)
    return nearer, np.concatenate([likeness[i, k]] * 2, axis=1)


def ranked(x: np.ndarray) -> np.ndarray:
    """Return ranks, centred and of length 1: of two such vectors the product is Spearman's ρ.

    Zeros where all values are equal, so that the product is that of `spearman`.
    """
    ranks = stats.rankdata(x)
    ranks = ranks - ranks.mean()
    length = float(np.linalg.norm(ranks))
    return ranks / length if length > 0 else ranks


def moved(table: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the `ranked` pairs of a symmetric table, (ways, pairs), its items in each order."""
    row, col = np.triu_indices(len(table), 1)
    of_pair = np.zeros(table.shape)
    of_pair[row, col] = of_pair[col, row] = ranked(table[row, col])
    return of_pair[ways[:, row], ways[:, col]]


def spearman(seen: np.ndarray, known: np.ndarray) -> float:
    """Return Spearman's ρ of what a measure sees and what is known.

    0 if the measure sees the same everywhere: the mean over all orders that ties leave open. NaN
    if what is known does not vary, or there are fewer than three values.
    """
    return _correlated(stats.spearmanr, seen, known)


def kendall(seen: np.ndarray, known: np.ndarray) -> float:
    """Return Kendall's τ_b of what a measure sees and what is known; 0 and NaN as `spearman`."""
    return _correlated(stats.kendalltau, seen, known)


CORRELATIONS: dict[str, Correlation] = {"Spearman ρ": spearman, "Kendall τ": kendall}


def _correlated(
    correlation: Callable[..., tuple[float, float]], seen: np.ndarray, known: np.ndarray
) -> float:
    finite = np.isfinite(seen).all() and np.isfinite(known).all()
    if not finite or len(seen) < 3 or np.ptp(known) == 0:
        return float("nan")
    return float(correlation(seen, known)[0]) if np.ptp(seen) > 0 else 0.0
