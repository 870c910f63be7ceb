"""What a score is made of, the slow way: matrices entry by entry, permutations one by one."""

import itertools

import numpy as np


def double_centred(X):
    K = X @ X.T
    n = len(K)
    return np.array(
        [[K[i, j] - K[i].mean() - K[:, j].mean() + K.mean() for j in range(n)] for i in range(n)]
    )


def u_centred(X):
    """Székely & Rizzo (2014), definition 2, of a Gram matrix without its diagonal."""
    K = X @ X.T
    np.fill_diagonal(K, 0)
    n = len(K)
    A = np.zeros((n, n))
    for i, j in itertools.permutations(range(n), 2):
        A[i, j] = (
            K[i, j] - K[i].sum() / (n - 2) - K[:, j].sum() / (n - 2) + K.sum() / ((n - 1) * (n - 2))
        )
    return A


CENTRED = {"biased": double_centred, "debiased": u_centred}


def parts(X, Y, estimator):
    """What each row brings to CKA."""
    K, L = (CENTRED[estimator](Z) for Z in (X, Y))
    norm = np.sqrt((K**2).sum() * (L**2).sum())
    return np.array([sum(K[i, j] * L[i, j] for j in range(len(K))) for i in range(len(K))]) / norm


def involved(X, Y, rows, estimator):
    """What pairs with at least one of some rows bring to CKA."""
    K, L = (CENTRED[estimator](Z) for Z in (X, Y))
    norm = np.sqrt((K**2).sum() * (L**2).sum())
    pairs = itertools.product(range(len(K)), repeat=2)
    return sum(K[i, j] * L[i, j] for i, j in pairs if {i, j} & set(rows)) / norm


def agreements(X, Y):
    """The correlation of each row of both centred Gram matrices, the sample itself left out."""
    K, L = u_centred(X), u_centred(Y)
    n = len(K)
    return np.array([np.corrcoef(np.delete(K[i], i), np.delete(L[i], i))[0, 1] for i in range(n)])


def directions(X, Y):
    """λ_i μ_j ⟨u_i, v_j⟩²/(‖λ‖‖μ‖) of all directions, from singular value decompositions."""
    u, s, _ = np.linalg.svd(X - X.mean(0), full_matrices=False)
    v, t, _ = np.linalg.svd(Y - Y.mean(0), full_matrices=False)
    lam, mu = s**2, t**2
    return np.outer(lam, mu) * (u.T @ v) ** 2 / np.sqrt((lam**2).sum() * (mu**2).sum())


def without_directions(X, k):
    """X rebuilt from all singular vectors but the first k."""
    X = X - X.mean(0)
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    return u[:, k:] @ np.diag(s[k:]) @ vt[k:]


def within_classes(X, Y, member):
    """The mean of debiased CKA over all permutations of the rows of Y within their classes."""
    K, L = u_centred(X), u_centred(Y)
    norm = np.sqrt((K**2).sum() * (L**2).sum())
    classes = [np.flatnonzero(member == c) for c in np.unique(member)]
    values = []
    for orders in itertools.product(*(itertools.permutations(rows) for rows in classes)):
        order = np.arange(len(K))
        for rows, moved in zip(classes, orders, strict=True):
            order[rows] = moved
        values.append((K * L[np.ix_(order, order)]).sum() / norm)
    return np.mean(values)
