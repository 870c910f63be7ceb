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
    """HSIC over quadruples of rows from four different groups, by enumeration: the U-statistic
    ⟨x_i, x_j⟩(⟨y_i, y_j⟩ + ⟨y_k, y_l⟩ − 2⟨y_i, y_k⟩), averaged over all of them.
    """
    K, L = X @ X.T, Y @ Y.T
    total = count = 0
    for i, j, k, m in itertools.permutations(range(len(K)), 4):
        if len({labels[row] for row in (i, j, k, m)}) == 4:
            total += K[i, j] * (L[i, j] + L[k, m] - 2 * L[i, k])
            count += 1
    return total / count


def every_order(X, Y):
    """Debiased CKA under every permutation of the rows of Y."""
    K, L = u_centred(X), u_centred(Y)
    orders = np.array(list(itertools.permutations(range(len(X)))))
    return sums(K, L, orders) / np.sqrt((K**2).sum() * (L**2).sum())


def every_order_within(A, B, classes):
    """Σ_ij A_ij B_π(i)π(j) under every permutation π inside of classes."""
    plain = np.arange(len(A))
    orders = []
    for parts in itertools.product(*(itertools.permutations(rows) for rows in classes)):
        order = plain.copy()
        for rows, moved in zip(classes, parts, strict=True):
            order[rows] = moved
        orders.append(order)
    return sums(A, B, np.array(orders))


def sums(A, B, orders):
    """Σ_ij A_ij B_π(i)π(j) for each of many π."""
    return np.array([(A * B[np.ix_(order, order)]).sum() for order in orders])


def u_centred(X):
    """The U-centred Gram matrix, from Székely & Rizzo (2014), eq. 2.4."""
    K = X @ X.T
    n = len(K)
    np.fill_diagonal(K, 0)
    rows = K.sum(0)
    K = K - rows / (n - 2) - rows[:, None] / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(K, 0)
    return K


def moment_by_partitions(X, Y, power):
    """E Tᵏ over all permutations of debiased CKA, as a sum over the partitions of 2k slots.

    T is a sum over pairs of rows, Tᵏ one over 2k rows; which of these are the same row is a
    partition, and under a random permutation the rows of Y are as many different ones.
    """
    K, L = u_centred(X), u_centred(Y)
    K, L = K / np.sqrt((K**2).sum()), L / np.sqrt((L**2).sum())
    n = len(K)
    every = list(_partitions(2 * power))
    # Zero diagonal: no two slots of one factor in one part.
    loops = [{2 * f, 2 * f + 1} for f in range(power)]
    every = [tau for tau in every if not any(pair <= set(part) for pair in loops for part in tau)]
    known = {}
    total = 0.0
    for tau in every:
        if len(tau) <= n:
            falling = np.prod([float(n - k) for k in range(len(tau))])
            total += _different(K, tau, known) * _different(L, tau, known) / falling
    return total


def _partitions(m):
    if m == 0:
        yield []
        return
    for smaller in _partitions(m - 1):
        for k in range(len(smaller)):
            yield [*smaller[:k], [*smaller[k], m - 1], *smaller[k + 1 :]]
        yield [*smaller, [m - 1]]


def _different(A, tau, known):
    """Σ over different rows, one for each part, of the product of the entries of A."""
    key = (id(A), tuple(map(tuple, tau)))
    if key not in known:
        value = _any(A, tau, known)
        # Less those in which some parts are the same row after all.
        for sigma in _partitions(len(tau)):
            if len(sigma) < len(tau):
                merged = [sorted(slot for k in part for slot in tau[k]) for part in sigma]
                value -= _different(A, sorted(merged), known)
        known[key] = value
    return known[key]


def _any(A, tau, known):
    """The same sum over any rows, equal or not."""
    place = {slot: k for k, part in enumerate(tau) for slot in part}
    power = len(place) // 2
    pairs = [(place[2 * f], place[2 * f + 1]) for f in range(power)]
    if any(a == b for a, b in pairs):
        return 0.0
    degree = [sum(v in pair for pair in pairs) for v in range(len(tau))]
    if 1 in degree:  # rows sum to zero
        return 0.0
    names = "abcdefgh"
    formula = ",".join(names[a] + names[b] for a, b in pairs) + "->"
    return float(np.einsum(formula, *[A] * power, optimize=True))
