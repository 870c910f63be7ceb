"""Measures of neighbourhoods, sample by sample, from all distances.

Equal distances stand in the order of the indices. Equal are distances that agree to fourteen
digits: of numbers that were rounded when they were given nothing finer can be said.
"""

import math

import numpy as np

from .centring import Array, lifted


def neighbours(X: Array, metric: str = "euclidean") -> list[list[int]]:
    """For each sample all others, nearest first."""
    X = _directions(X) if metric == "cosine" else lifted(X)
    return [_sorted(i, np.sqrt(((X - x) ** 2).sum(axis=1)), metric) for i, x in enumerate(X)]


def _sorted(i: int, distances: Array, metric: str) -> list[int]:
    others = sorted((float(d), j) for j, d in enumerate(distances) if j != i)
    # Directions are of length 1, and rounded there.
    slack = 1e-14 if metric == "cosine" else 0.0
    groups: list[list[int]] = []
    last = -math.inf
    for distance, j in others:
        if distance - last <= 1e-14 * distance + slack:
            groups[-1].append(j)
        else:
            groups.append([j])
        last = distance
    return [j for group in groups for j in sorted(group)]


def _directions(X: Array) -> Array:
    X = lifted(X)
    return X / np.sqrt((X**2).sum(axis=1, keepdims=True))


def _both(X: Array, Y: Array, k: int, metric: str) -> list[tuple[list[int], list[int]]]:
    sides = (neighbours(Z, metric) for Z in (X, Y))
    return [(a[:k], b[:k]) for a, b in zip(*sides, strict=True)]


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def mutual_knn(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Mean |N_X ∩ N_Y|/k (Huh et al. 2024)."""
    return _mean([len(set(a) & set(b)) / k for a, b in _both(X, Y, k, metric)])


def knn_jaccard(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Mean |N_X ∩ N_Y|/|N_X ∪ N_Y| (Schumacher et al. 2021)."""
    return _mean([len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in _both(X, Y, k, metric)])


def rank_similarity(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Mean (1/v_max) Σ 2/((1 + |r − r'|)(r + r')) over shared neighbours (Wang et al. 2020)."""
    scores = []
    for a, b in _both(X, Y, k, metric):
        shared = [j for j in a if j in b]
        ranks = [(a.index(j) + 1, b.index(j) + 1) for j in shared]
        most = sum(1 / s for s in range(1, len(shared) + 1))
        worth = sum(2 / ((1 + abs(r - s)) * (r + s)) for r, s in ranks)
        scores.append(worth / most if shared else 0.0)
    return _mean(scores)


def lcs_knn(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Mean length of the longest common subsequence over k (Huh et al. 2024)."""
    return _mean([_common(a, b) / k for a, b in _both(X, Y, k, metric)])


def _common(a: list[int], b: list[int]) -> int:
    longest = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            longest[i + 1][j + 1] = (
                longest[i][j] + 1 if left == right else max(longest[i][j + 1], longest[i + 1][j])
            )
    return longest[-1][-1]


def cycle_knn(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Share of samples among the neighbours in X of their neighbours in Y (Huh et al. 2024)."""
    there, back = neighbours(Y, metric), neighbours(X, metric)
    return _mean([float(any(i in back[j][:k] for j in there[i][:k])) for i in range(len(X))])


def second_order_cosine(X: Array, Y: Array, *, k: int = 10) -> float:
    """Mean cosine of the cosines to the union of the neighbours (Hamilton et al. 2016)."""
    S, T = (_directions(Z) @ _directions(Z).T for Z in (X, Y))
    scores = []
    for i, (a, b) in enumerate(_both(X, Y, k, "cosine")):
        either = sorted(set(a) | set(b))
        s, t = S[i, either], T[i, either]
        scores.append(float((s * t).sum() / np.sqrt((s**2).sum() * (t**2).sum())))
    return _mean(scores)


def cknna(X: Array, Y: Array, *, k: int = 10, metric: str = "cosine") -> float:
    """Align(K, L)/√(Align(K, K)·Align(L, L)) of centred Gram matrices (Huh et al. 2024).

    Align(K, L) = Σ_ij α_ij K_ij L_ij, α_ij = 1 where j is a neighbour of i on both sides.
    """
    grams, masks = [], []
    for Z in (X, Y):
        rows = _directions(Z) if metric == "cosine" else lifted(Z)
        rows = rows - rows.mean(axis=0)
        rows = (rows - rows.mean(axis=0)) / np.abs(rows).max()
        grams.append(rows @ rows.T)
        mask = np.zeros((len(Z), len(Z)), dtype=bool)
        for i, others in enumerate(neighbours(Z, metric)):
            mask[i, others[:k]] = True
        masks.append(mask)

    def align(a: int, b: int) -> Array:
        return (grams[a] * grams[b])[masks[a] & masks[b]].sum()

    return float(align(0, 1) / np.sqrt(align(0, 0) * align(1, 1)))


def information_imbalance(X: Array, Y: Array, *, k: int = 1) -> float:
    """(2/n) × mean rank in Y of the k nearest neighbours in X (Glielmo et al. 2022)."""
    near, order = neighbours(X), neighbours(Y)
    ranks = [order[i].index(j) + 1 for i in range(len(X)) for j in near[i][:k]]
    return 2 / len(X) * _mean(ranks)
