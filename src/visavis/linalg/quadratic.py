"""Couplings of two sets of points by their distances: a quadratic assignment, searched locally.

For Euclidean distances the problem is concave over the couplings (Maron & Lipman 2018,
arXiv:1807.09722), so that vertices are as good as anything. They are so many local minima of the
linear programs of the gradient that these stop early; exchanging pairs two by two goes on.
"""

import math
from collections.abc import Iterator

import numpy as np

from visavis.linalg.assignment import Coupling, transport
from visavis.linalg.blocks import row_blocks

Index = np.ndarray | np.integer

# Rounds of one search. Each lowers the distortion, so they end; a search takes some ten.
ROUNDS = 1000
# What an exchange must gain, beside the sum of all products.
WORTH = 1e-13
# Below this, differences of distances of size 1 are rounding.
NOTHING = 1e-30
# Entries of the largest temporary.
BLOCK_ENTRIES = 2**22


def least_distortion(
    D: np.ndarray, E: np.ndarray, *, starts: int, random: np.random.Generator, purpose: str
) -> float:
    """Return the least Σ (d_ik − e_jl)² P_ij P_kl that was found over couplings of uniform weights.

    Parameters
    ----------
    D, E : ndarray, (p, p) and (q, q)
        Euclidean distances, of size 1.
    starts : int
        Number of searches.
    random : Generator
        Where the third and later searches begin.
    purpose : str
        What needs it, for the message of a missing POT.
    """
    least = math.inf
    for _, start in zip(range(starts), beginnings(D, E, random, purpose), strict=False):
        least = min(least, distortion(D, E, descended(D, E, start, purpose)))
        if least < NOTHING:
            break
    return least


def beginnings(
    D: np.ndarray, E: np.ndarray, random: np.random.Generator, purpose: str
) -> Iterator[Coupling]:
    """Yield couplings to begin from, without end: by like distances, by the mean, at random."""
    from scipy.spatial.distance import cdist  # slow to import

    # The distances of each point in order, at as many places on both sides.
    places = (np.arange(len(E)) + 0.5) / len(E)
    x, y = (np.sort(M, axis=1)[:, (places * len(M)).astype(int)] for M in (D, E))
    yield transport(-cdist(x, y, "sqeuclidean"), purpose=purpose)
    # The first step from the coupling of all with all.
    yield transport(np.outer(D.mean(axis=1), E.mean(axis=1)), purpose=purpose)
    while True:
        yield transport(random.random((len(D), len(E))), purpose=purpose)


def distortion(D: np.ndarray, E: np.ndarray, coupling: Coupling) -> float:
    """Return Σ (d_ik − e_jl)² P_ij P_kl, to its own digits where it is small."""
    rows, cols, weights = coupling.rows, coupling.cols, coupling.weights
    total = 0.0
    for block in row_blocks(rows.size, max(1, BLOCK_ENTRIES // rows.size)):
        difference = D[np.ix_(rows[block], rows)] - E[np.ix_(cols[block], cols)]
        total += float(weights[block] @ difference**2 @ weights)
    return total


def descended(D: np.ndarray, E: np.ndarray, coupling: Coupling, purpose: str) -> Coupling:
    """Return the coupling where the search from `coupling` ends."""
    for _ in range(ROUNDS):
        gains = _gains(D, E, coupling)
        found = transport(gains, purpose=purpose)
        now, then = (gains[each.rows, each.cols] @ each.weights for each in (coupling, found))
        if then > now * (1 + WORTH):
            # Of a concave function: no vertex between is better than this one.
            coupling = found
            continue
        exchanged = _exchanged(D, E, coupling)
        if exchanged is coupling:
            break
        coupling = exchanged
    return coupling


def _gains(D: np.ndarray, E: np.ndarray, coupling: Coupling) -> np.ndarray:
    """Return DPE: how much more of Σ d_ik e_jl P_ij P_kl a pair would bring."""
    return (D[:, coupling.rows] * coupling.weights) @ E[coupling.cols, :]


def _exchanged(D: np.ndarray, E: np.ndarray, coupling: Coupling) -> Coupling:
    """Return the coupling after exchanges of partners, two pairs at a time, or the same one.

    To take t from the pairs a–b and c–d, and give it to a–d and c–b, adds 2t times what `change`
    says to Σ d_ik e_jl P_ij P_kl.
    """
    copies = math.lcm(len(D), len(E))
    # In whole shares, of which none is left by rounding.
    plan = np.zeros((len(D), len(E)), dtype=np.int64)
    plan[coupling.rows, coupling.cols] = np.rint(coupling.weights * copies)
    gains = _gains(D, E, coupling)
    enough = WORTH * float(gains[coupling.rows, coupling.cols] @ coupling.weights)

    def change(a: Index, b: Index, c: Index, d: Index, shares: Index) -> np.ndarray:
        across = gains[a, d] + gains[c, b] - gains[a, b] - gains[c, d]
        return across + 2 * shares / copies * D[a, c] * E[b, d]

    rows, cols = coupling.rows, coupling.cols
    shares = plan[rows, cols]
    least = np.minimum(shares[:, None], shares)
    worth = least * change(rows[:, None], cols[:, None], rows, cols, least)
    partners = worth.argmax(axis=1)
    moved = False
    # The best first; what it changes for the others is known when their turn comes.
    for first in np.argsort(-worth[np.arange(rows.size), partners]):
        second = partners[first]
        a, b, c, d = rows[first], cols[first], rows[second], cols[second]
        share = min(plan[a, b], plan[c, d])
        if share and share / copies * change(a, b, c, d, share) > enough:
            plan[[a, c], [b, d]] -= share
            plan[[a, c], [d, b]] += share
            gains -= share / copies * np.outer(D[:, a] - D[:, c], E[b] - E[d])
            moved = True
    if not moved:
        return coupling
    rows, cols = np.nonzero(plan)
    return Coupling(rows, cols, plan[rows, cols] / copies)
