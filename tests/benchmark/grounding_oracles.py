"""Slow versions of the scores of grounding tests, written from their definitions."""

import math
from itertools import combinations, permutations

import numpy as np


def gram_cosine(X, Y):
    """Biased linear CKA."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    K, L = X @ X.T, Y @ Y.T
    return np.sum(K * L) / np.linalg.norm(K) / np.linalg.norm(L)


def average_precision(likeness, positive):
    """Σ ΔR·P over thresholds, from the highest down."""
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(likeness), reverse=True):
        taken = [p for s, p in zip(likeness, positive, strict=True) if s >= threshold]
        recall = sum(taken) / sum(positive)
        area += (recall - recall_before) * sum(taken) / len(taken)
        recall_before = recall
    return area


def pairs_of(S, groups):
    """Likeness of every pair of nets, and whether it is within a group."""
    pairs = list(combinations(range(len(S)), 2))
    return [S[a][b] for a, b in pairs], [groups[a] == groups[b] for a, b in pairs]


def auprc(S, groups):
    return average_precision(*pairs_of(S, groups))


def points(x, y):
    """1 if x is larger, 1/2 for a tie, else 0."""
    return 1.0 if x > y else 0.5 if x == y else 0.0


def conformity(S, groups):
    nets = range(len(S))
    won = [
        points(S[a][b], S[a][c])
        for a in nets
        for b in nets
        for c in nets
        if a != b and groups[a] == groups[b] and groups[a] != groups[c]
    ]
    return sum(won) / len(won)


def in_order(S):
    won = []
    for i, j, k in combinations(range(len(S)), 3):
        won += [points(S[i][j], S[i][k]), points(S[j][k], S[i][k])]
    return sum(won) / len(won)


def ranks(x):
    """Mean ranks, from 1."""
    return [
        sum(other < each for other in x) + (1 + sum(other == each for other in x)) / 2 for each in x
    ]


def spearman(x, y):
    u, v = np.array(ranks(x)), np.array(ranks(y))
    u, v = u - u.mean(), v - v.mean()
    return float(u @ v / math.sqrt((u @ u) * (v @ v)))


def kendall(x, y):
    """τ_b, from concordant and discordant pairs."""
    signs = [
        (np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in combinations(range(len(x)), 2)
    ]
    both = sum(a * b for a, b in signs)
    left, right = sum(a != 0 for a, _ in signs), sum(b != 0 for _, b in signs)
    return float(both / math.sqrt(left * right))


def jackknife_error(without):
    m, centre = len(without), sum(without) / len(without)
    return math.sqrt((m - 1) / m * sum((each - centre) ** 2 for each in without))


def left_out(S, keep):
    return [[S[a][b] for b in keep] for a in keep]


def of_every_order(statistic, S, groups):
    """A statistic with the groups dealt out in every order of the nets."""
    return [statistic(S, [groups[k] for k in order]) for order in permutations(range(len(S)))]


def probe(X, labels, parts, penalties):
    """Accuracy of ridge regression of classes, its penalty from leaving out rows one by one."""
    Y = np.array([[float(label == c) for c in sorted(set(labels))] for label in labels])
    X, right = np.asarray(X, dtype=float), 0
    for test in parts:
        train = [i for i in range(len(X)) if i not in set(test)]
        largest = np.linalg.svd(X[train] - X[train].mean(0), compute_uv=False)[0] ** 2
        errors = []
        for penalty in penalties:
            error = 0.0
            for i in train:
                rest = [k for k in train if k != i]
                error += np.sum((Y[i] - ridge(X, Y, rest, penalty * largest)(X[i])) ** 2)
            errors.append(error)
        fitted = ridge(X, Y, train, penalties[int(np.argmin(errors))] * largest)
        right += sum(int(fitted(X[i]).argmax() == Y[i].argmax()) for i in test)
    return right / len(X)


def ridge(X, Y, rows, penalty):
    A, B = X[rows].mean(0), Y[rows].mean(0)
    U, V = X[rows] - A, Y[rows] - B
    W = np.linalg.solve(U.T @ U + penalty * np.eye(X.shape[1]), U.T @ V)
    return lambda x: B + (x - A) @ W
