"""Ranks by distance: who is nearest to each sample, and how far down the others stand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visavis._core import array
from visavis._core.types import Array
from visavis.linalg import Points

# Ranks of all pairs are kept if there are not more of them; otherwise they are found again.
KEPT_RANKS = 2**26


@dataclass(frozen=True, eq=False)
class Ranks:
    """The k nearest others of each sample, and the rank of any other, from 1; on the host.

    Parameters
    ----------
    features : ndarray, (n, p)
        The representation.
    k : int
        Number of neighbours.
    kept : pair of ndarray, optional
        The neighbours (n, k), and the ranks (n, n) of all, 0 on the diagonal.
    """

    features: np.ndarray
    k: int
    kept: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def of(cls, X: Array, k: int, *, keep: bool) -> "Ranks":
        """Return the ranks in a representation (n, p); to `keep` them pays for many pairs."""
        self = cls(array.to_numpy(X), k)
        n = self.features.shape[0]
        if not keep or n**2 > KEPT_RANKS:
            return self
        nearest, table = np.empty((n, k), dtype=np.int32), np.empty((n, n), dtype=np.int16)
        for block, order in self.points.orders():
            nearest[block] = order[:, :k]
            table[block] = _ranks(order)
        return cls(self.features, k, (nearest, table))

    @property
    def points(self) -> Points:
        """The samples as points among which distances are ordered."""
        return Points.of(self.features, "euclidean")

    @cached_property
    def nearest(self) -> np.ndarray:
        """Indices (n, k) of the nearest others, nearest first; ties in the order of the indices."""
        return self.points.nearest(self.k) if self.kept is None else self.kept[0]

    def of_pairs(self, indices: np.ndarray) -> np.ndarray:
        """Return the ranks (n, k) that these samples have around each sample."""
        if self.kept is not None:
            table = self.kept[1]
            return table.reshape(-1).take(indices + len(table) * np.arange(len(table))[:, None])
        found = np.empty(indices.shape, dtype=np.int32)
        for block, order in self.points.orders():
            found[block] = np.take_along_axis(_ranks(order), indices[block], axis=1)
        return found


def _ranks(order: np.ndarray) -> np.ndarray:
    """Return the rank (b, n) of each column from orders of the others (b, n − 1); 0 for itself."""
    n = order.shape[1] + 1
    ranks = np.zeros((order.shape[0], n), dtype=np.int32)
    ranks.put(order + n * np.arange(len(order))[:, None], np.arange(1, n))
    return ranks
