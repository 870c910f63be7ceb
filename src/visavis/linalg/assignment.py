"""Partners of rows and columns: the matchings and couplings of the largest sum, on the host."""

import math
from dataclasses import dataclass

import numpy as np

from visavis._core import extras

# Sides of different widths are matched as copies of their rows and columns up to this many copies.
COPIES = 4096
# Far more steps than a transportation problem takes: beyond them it runs in circles.
STEPS = 10**8


@dataclass(frozen=True, eq=False)
class Coupling:
    """Who is coupled with whom, and with what weight.

    Parameters
    ----------
    rows, cols : ndarray, (m,)
        The m pairs, none of them twice.
    weights : ndarray, (m,)
        The weight of each pair, above zero.
    """

    rows: np.ndarray
    cols: np.ndarray
    weights: np.ndarray

    @property
    def mean(self) -> "Coupling":
        """The same pairs with weights that add up to 1."""
        return Coupling(self.rows, self.cols, self.weights / self.weights.sum())


def matching(gains: np.ndarray) -> Coupling:
    """Return the one-to-one matching of the largest sum: min(p, q) pairs of weight 1.

    Parameters
    ----------
    gains : ndarray, (p, q)
        What each pair is worth, finite.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    rows, cols = linear_sum_assignment(gains, maximize=True)
    return Coupling(rows, cols, np.ones(rows.size))


def transport(gains: np.ndarray, *, purpose: str) -> Coupling:
    """Return the coupling P with marginals 1/p and 1/q and the largest Σ P_ij gains_ij.

    A vertex of the polytope of couplings, exactly optimal but for rounding. With as many rows as
    columns it is a matching. Otherwise rows and columns are copied until they are as many, and the
    copies matched; where that takes too many copies the transportation problem is solved by POT.

    Parameters
    ----------
    gains : ndarray, (p, q)
        What each pair is worth, finite.
    purpose : str
        What needs it, for the message of a missing POT.

    Raises
    ------
    ImportError
        If p and q have no common multiple up to 4096 and POT is not installed.
    """
    p, q = gains.shape
    copies = math.lcm(p, q)
    if copies <= max(COPIES, p, q):
        return _of_copies(gains, copies)
    ot = extras.require("ot", extra="ot", purpose=f"{purpose} with {p} and {q} units")
    # Marginals of whole numbers keep the plan in whole numbers; the tolerance of the solver is
    # absolute, and gains are of size 1.
    peak = np.abs(gains).max()
    cost = np.ascontiguousarray(gains / -(peak or 1.0))
    supply, demand = np.full(p, float(copies // p)), np.full(q, float(copies // q))
    plan, log = ot.emd(supply, demand, cost, numItermax=STEPS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"{purpose}: the transportation problem failed: {log['warning']}")
    rows, cols = np.nonzero(plan)
    return Coupling(rows, cols, plan[rows, cols] / copies)


def _of_copies(gains: np.ndarray, copies: int) -> Coupling:
    p, q = gains.shape
    of_row, of_col = copies // p, copies // q
    matched = matching(np.repeat(np.repeat(gains, of_row, axis=0), of_col, axis=1))
    pairs, counts = np.unique(
        matched.rows // of_row * q + matched.cols // of_col, return_counts=True
    )
    return Coupling(pairs // q, pairs % q, counts / copies)
