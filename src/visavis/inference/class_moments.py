"""Exact mean and variance of Σ_ij A_ij B_π(i)π(j) over all permutations inside of classes.

Each block of rows of one class and columns of another is split into its mean, effects of its rows
and of its columns, and a rest whose rows and columns sum to zero. Independent permutations of the
classes move these parts independently of each other, but for what belongs to one class: its row
effects in all blocks move together.
"""

import math

import numpy as np


def mean_and_deviation(
    A: np.ndarray, B: np.ndarray, classes: list[np.ndarray]
) -> tuple[float, float]:
    """Return mean and standard deviation over all permutations inside of classes.

    Parameters
    ----------
    A, B : ndarray, (n, n)
        Symmetric.
    classes : list of ndarray
        The rows of each class; together all n of them.
    """
    mean = variance = 0.0
    # For each class the effects of its rows on T, in pairs: those of A weighted, those of B.
    effects: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in classes]
    for k, rows in enumerate(classes):
        a, b = (_Within(M[np.ix_(rows, rows)]) for M in (A, B))
        m = len(rows)
        mean += a.trace * b.trace / m + m * (m - 1) * a.mean * b.mean
        if m > 3:
            variance += 2 * float((a.rest**2).sum()) * float((b.rest**2).sum()) / (m * (m - 3))
        effects[k] += [(2 * (m - 2) * a.rows, b.rows), (a.diagonal, b.diagonal)]
    for k, rows in enumerate(classes):
        for other in range(k + 1, len(classes)):
            cols = classes[other]
            a, b = (_Between(M[np.ix_(rows, cols)]) for M in (A, B))
            m, q = len(rows), len(cols)
            mean += 2 * m * q * a.mean * b.mean
            if m > 1 and q > 1:
                size = float((a.rest**2).sum()) * float((b.rest**2).sum())
                variance += 4 * size / ((m - 1) * (q - 1))
            effects[k].append((2 * q * a.rows, b.rows))
            effects[other].append((2 * m * a.cols, b.cols))
    for rows, own in zip(classes, effects, strict=True):
        if len(rows) > 1:
            F, G = (np.stack(side) for side in zip(*own, strict=True))
            variance += float(((F @ F.T) * (G @ G.T)).sum()) / (len(rows) - 1)
    return mean, math.sqrt(variance)


class _Within:
    """The parts of the block of one class with itself."""

    def __init__(self, block: np.ndarray) -> None:
        m = len(block)
        diagonal = np.diag(block)
        off = block - np.diag(diagonal)
        self.trace = float(diagonal.sum())
        self.diagonal = diagonal - diagonal.mean()
        self.mean = float(off.sum()) / (m * (m - 1)) if m > 1 else 0.0
        self.rows = np.zeros(m)
        if m > 2:
            self.rows = (off.sum(axis=1) - (m - 1) * self.mean) / (m - 2)
        rest = off - self.rows[:, None] - self.rows[None, :] - self.mean
        self.rest = rest * ~np.eye(m, dtype=bool)


class _Between:
    """The parts of the block of two classes."""

    def __init__(self, block: np.ndarray) -> None:
        self.mean = float(block.mean())
        self.rows = block.mean(axis=1) - self.mean
        self.cols = block.mean(axis=0) - self.mean
        self.rest = block - self.rows[:, None] - self.cols[None, :] - self.mean
