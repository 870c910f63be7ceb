"""Representation topology divergence from the coboundary matrix of a mapping cone.

The cross-barcode is the persistent homology of the cone of VR(w) → VR(min(w, w̃)). Its cycles of
dimension 1 are born with the edges of the second complex (every vertex is joined to the tip from
the beginning). They die by what is added: the triangles of the second complex, each the sum of its
three edges, and the edges of the first, each the edge of the second that it becomes.
"""

import itertools
import math

import numpy as np

from .centring import Array, lifted


def rtd(X: Array, Y: Array, *, batch: int = 500, trials: int = 10, seed: int = 0) -> float:
    """The mean of both directions of the sum of the lengths of bars (Barannikov et al. 2022)."""
    assert len(X) <= batch  # all rows, once: then neither trials nor seed matter
    w, v = (_normalised(Z) for Z in (X, Y))
    return float(sum(d - b for b, d in bars(w, v)) + sum(d - b for b, d in bars(v, w))) / 2


def _normalised(X: Array) -> Array:
    X = lifted(X)
    D = np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=-1))
    flat = sorted(D.ravel().tolist())
    # Linear between the entries below and above nine tenths of the way.
    place = 0.9 * (len(flat) - 1)
    low = math.floor(place)
    high = min(low + 1, len(flat) - 1)
    return D / (flat[low] + (place - low) * (flat[high] - flat[low]))


def bars(w: Array, other: Array) -> list[tuple[float, float]]:
    """Birth and death of the cycles of dimension 1, from two matrices of distances."""
    n = len(w)
    m = np.minimum(w, other)
    i, j = np.array(list(itertools.combinations(range(n), 2))).T
    a, b, c = np.array(list(itertools.combinations(range(n), 3))).reshape(-1, 3).T
    # What ends a cycle: the edges of the first complex, and the triangles of the second.
    ends = np.concatenate([w[i, j], np.max([m[a, b], m[a, c], m[b, c]], axis=0)])
    order = np.argsort(ends, kind="stable")
    place = np.argsort(order)
    triangle = np.zeros((n, n, n), dtype=int)
    for x, y, z in itertools.permutations((a, b, c)):
        triangle[x, y, z] = place[len(i) :]
    pivots: dict[int, Array] = {}
    found = []
    # The latest edge first: what it is part of, less what a later one accounts for.
    for edge in np.argsort(m[i, j], kind="stable")[::-1]:
        x, y = i[edge], j[edge]
        others = np.delete(triangle[x, y], [x, y])
        column = np.sort(np.append(others, place[edge]))
        while int(column[0]) in pivots:
            column = np.setxor1d(column, pivots[int(column[0])], assume_unique=True)
        pivots[int(column[0])] = column
        found.append((m[x, y], ends[order[column[0]]]))
    return found
