"""What inference must give, recomputed the slow way: every deletion and permutation one by one."""

import itertools

import numpy as np
from tests.oracles import exact


def dcka(X, Y):
    return exact.cka(X, Y, estimator="debiased")


def without_each(X, Y):
    """Debiased CKA of all rows but each one."""
    return np.array([dcka(np.delete(X, i, 0), np.delete(Y, i, 0)) for i in range(len(X))])


def without_pairs(X, Y):
    """Debiased CKA of all rows but each two, (n, n)."""
    n = len(X)
    values = np.full((n, n), np.nan)
    for i, j in itertools.combinations(range(n), 2):
        values[i, j] = values[j, i] = dcka(np.delete(X, [i, j], 0), np.delete(Y, [i, j], 0))
    return values


def ordered(X, Y, orders):
    """Debiased CKA with the rows of Y in each of some orders."""
    K, L = ((Z - Z.mean(0)) @ (Z - Z.mean(0)).T for Z in (X, Y))
    norm = np.sqrt(_hsic(K, K) * _hsic(L, L))
    return np.array([_hsic(K, L[np.ix_(order, order)]) / norm for order in map(np.array, orders)])


def _hsic(K, L):
    """Song et al. (2012), eq. 5, as it stands there."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    first = (K * L).sum() + K.sum() * L.sum() / ((n - 1) * (n - 2))
    return (first - 2 / (n - 2) * (K.sum(0) @ L.sum(0))) / (n * (n - 3))


def over_groups(X, Y, labels):
    """HSIC over quadruples of rows from four different groups, by enumeration.

    The U-statistic ⟨x_i, x_j⟩(⟨y_i, y_j⟩ + ⟨y_k, y_l⟩ − 2⟨y_i, y_k⟩), each term averaged over the
    rows that it names, from groups that all differ.
    """
    K, L = X @ X.T, Y @ Y.T
    n = len(X)
    sums, counts = np.zeros(3), np.zeros(3)
    for i, j in itertools.permutations(range(n), 2):
        if labels[i] == labels[j]:
            continue
        sums[0] += K[i, j] * L[i, j]
        counts[0] += 1
        for k in range(n):
            if labels[k] in (labels[i], labels[j]):
                continue
            sums[1] += K[i, j] * L[i, k]
            counts[1] += 1
            for m in range(n):
                if labels[m] not in (labels[i], labels[j], labels[k]):
                    sums[2] += K[i, j] * L[k, m]
                    counts[2] += 1
    return sums[0] / counts[0] - 2 * sums[1] / counts[1] + sums[2] / counts[2]
