"""Exact moments of biased CKA over all permutations of the rows of one side.

``E (Σ_ij A_ij B_π(i)π(j))ᵏ`` is a sum over the partitions of the 2k indices: which of them are the
same row. Each is a graph with k edges whose vertices are rows, and contributes a sum over different
rows of a product of k entries of A, times the same of B, divided by the number of ways to choose
the rows. A sum over different rows is made of sums over any rows (Möbius), and of double-centred
matrices without a trace most of these vanish: what is left are two sums for the second moment, five
for the third and fifteen for the fourth, of each representation by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import factorial, prod

import numpy as np

Edges = tuple[tuple[int, int], ...]

# The sums that do not vanish, as graphs: an edge (i, j) is a factor A_ij, (i, i) one of the
# diagonal. In the order in which `Invariants.of` has them.
SECOND: tuple[Edges, ...] = (((0, 0),) * 2, ((0, 1),) * 2)
THIRD: tuple[Edges, ...] = (
    ((0, 0),) * 3,
    ((0, 0), (0, 1), (0, 1)),
    ((0, 0), (0, 1), (1, 1)),
    ((0, 1),) * 3,
    ((0, 1), (1, 2), (0, 2)),
)
FOURTH: tuple[Edges, ...] = (
    ((0, 0), (0, 0), (1, 1), (1, 1)),
    ((0, 0), (0, 0), (1, 2), (1, 2)),
    ((0, 1), (0, 1), (2, 3), (2, 3)),
    ((0, 0),) * 4,
    ((0, 1),) * 4,
    ((0, 0), (0, 1), (0, 1), (0, 1)),
    ((0, 0), (0, 0), (0, 1), (0, 1)),
    ((0, 0), (1, 1), (0, 1), (0, 1)),
    ((0, 0), (0, 0), (1, 1), (0, 1)),
    ((0, 1), (0, 1), (1, 2), (0, 2)),
    ((0, 0), (0, 1), (1, 2), (0, 2)),
    ((0, 1), (0, 1), (1, 2), (1, 2)),
    ((0, 1), (0, 1), (1, 2), (2, 2)),
    ((0, 0), (0, 1), (1, 2), (2, 2)),
    ((0, 1), (1, 2), (2, 3), (0, 3)),
)
KINDS = {2: SECOND, 3: THIRD, 4: FOURTH}


@dataclass(frozen=True)
class Invariants:
    """What the moments need of one double-centred Gram matrix A at ΣA_ij² = 1.

    Parameters
    ----------
    n : int
        Its rows.
    trace : float
        tr A, which makes the mean; the rest is of A without it.
    sums : tuple of ndarray
        Those of `SECOND`, `THIRD` and `FOURTH`.
    """

    n: int
    trace: float
    sums: tuple[np.ndarray, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, A: np.ndarray) -> "Invariants":
        """Return those of a matrix at norm 1: one product of n × n matrices."""
        n = len(A)
        trace = float(np.trace(A))
        # What is taken off is the same in every order of the rows: a constant of the statistic.
        A = A - trace / (n - 1) * (np.eye(n) - 1 / n)
        a = np.diagonal(A)
        S, P = A * A, A @ A
        rows, squares = S.sum(axis=1), a * a
        Aa = A @ a
        own, all_of = float(squares.sum()), float(rows.sum())
        second = np.array([own, all_of])
        third = np.array([a @ squares, a @ rows, a @ Aa, np.vdot(S, A), np.vdot(P, A)], dtype=float)
        fourth = np.array(
            [
                own**2,
                own * all_of,
                all_of**2,
                squares @ squares,
                np.vdot(S, S),
                a @ (S * A).sum(axis=1),
                squares @ rows,
                a @ S @ a,
                squares @ Aa,
                np.vdot(S, P),
                a @ (P * A).sum(axis=1),
                rows @ rows,
                rows @ Aa,
                Aa @ Aa,
                np.vdot(P, P),
            ],
            dtype=float,
        )
        return cls(n, trace, (second, third, fourth))


def central(x: Invariants, y: Invariants) -> tuple[float, float, float, float]:
    """Return mean and second to fourth central moments over all permutations, n ≥ 4."""
    found = [
        float(one @ weights(power, x.n) @ other)
        for power, one, other in zip((2, 3, 4), x.sums, y.sums, strict=True)
    ]
    return x.trace * y.trace / (x.n - 1), found[0], found[1], found[2]


def variance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the variance over all permutations from the diagonals of both matrices at norm 1."""
    sums = []
    for diagonal in (a, b):
        n, trace = len(diagonal), float(diagonal.sum())
        own = diagonal - trace / n
        sums.append(np.array([float(own @ own), 1 - trace**2 / (n - 1)]))
    return float(sums[0] @ weights(2, len(a)) @ sums[1])


@lru_cache(maxsize=64)
def weights(power: int, n: int) -> np.ndarray:
    """Return how much each product of a sum of A and one of B counts."""
    most = min(n, 2 * power)
    size = len(KINDS[power])
    whole = np.zeros((size, size), dtype=object)
    for rows, table in tables(power).items():
        if rows <= n:
            whole = whole + table * prod(n - k for k in range(rows, most))
    # Whole numbers until here, so that no digit is lost however large n is.
    by = prod(n - k for k in range(most))
    return np.array([[entry / by for entry in row] for row in whole])


@lru_cache(maxsize=4)
def tables(power: int) -> dict[int, np.ndarray]:
    """Return the same for each number of different rows, before the division by their orders."""
    places = {signature(edges): k for k, edges in enumerate(KINDS[power])}
    found = {
        rows: np.zeros((len(places), len(places)), dtype=object) for rows in range(1, 2 * power + 1)
    }
    graphs: dict[Edges, int] = {}
    for slots in partitions(2 * power):
        graph = tidy(tuple(zip(slots[::2], slots[1::2], strict=True)))
        graphs[graph] = graphs.get(graph, 0) + 1
    for graph, count in graphs.items():
        rows = 1 + max(max(edge) for edge in graph)
        distinct = np.zeros(len(places), dtype=object)
        for merged in partitions(rows):
            kind = places.get(signature(tuple((merged[i], merged[j]) for i, j in graph)))
            if kind is not None:
                sizes = np.bincount(merged)
                distinct[kind] += prod((-1) ** (int(b) - 1) * factorial(int(b) - 1) for b in sizes)
        found[rows] += count * np.outer(distinct, distinct)
    return found


def partitions(m: int) -> Iterator[tuple[int, ...]]:
    """Yield the partitions of m things: the number of the part of each, parts as they appear."""
    if m == 0:
        yield ()
        return
    for smaller in partitions(m - 1):
        for part in range(max(smaller, default=-1) + 2):
            yield (*smaller, part)


def tidy(graph: Edges) -> Edges:
    """Return a graph with its edges in order, so that fewer that are the same look different."""
    edges = sorted(tuple(sorted(edge)) for edge in graph)
    number: dict[int, int] = {}
    for edge in edges:
        for vertex in edge:
            number.setdefault(vertex, len(number))
    return tuple(sorted((min(p), max(p)) for p in ((number[i], number[j]) for i, j in edges)))


@lru_cache(maxsize=2**14)
def signature(graph: Edges) -> tuple[tuple[tuple[int, tuple[int, ...]], ...], ...]:
    """Return what tells the graphs of `KINDS` apart: components, and the edges at each vertex."""
    beside: dict[int, dict[int, int]] = {}
    for i, j in graph:
        for one, other in {(i, j), (j, i)}:
            beside.setdefault(one, {}).setdefault(other, 0)
            beside[one][other] += 1
    left, found = set(beside), []
    while left:
        component, more = set(), {min(left)}
        while more:
            component |= more
            more = {j for i in more for j in beside[i]} - component
        left -= component
        found.append(
            tuple(
                sorted(
                    (beside[i].get(i, 0), tuple(sorted(c for j, c in beside[i].items() if j != i)))
                    for i in component
                )
            )
        )
    return tuple(sorted(found))
