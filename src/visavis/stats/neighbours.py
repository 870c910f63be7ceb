"""Neighbours of every sample: all that the measures of neighbourhoods need of a representation."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.linalg import Points, row_blocks

# Entries of the largest temporary.
BLOCK_ENTRIES = 2**22


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest others of each sample, nearest first, on the host.

    Parameters
    ----------
    indices : ndarray, (n, k)
        Ties stand in the order of the indices.
    features : ndarray, (n, p)
        The representation.
    metric : {"cosine", "euclidean"}
        What near means.
    """

    indices: np.ndarray
    features: np.ndarray
    metric: str

    @classmethod
    def of(cls, X: Array, k: int, metric: str) -> "Neighbours":
        """Return the neighbours in a representation (n, p)."""
        features = array.to_numpy(X)
        return cls(Points.of(features, metric).nearest(k), features, metric)

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.indices.shape[0]

    @property
    def k(self) -> int:
        """Number of neighbours of each."""
        return self.indices.shape[1]

    @cached_property
    def products(self) -> np.ndarray:
        """The entries (n, k) of the centred Gram matrix at the neighbours.

        Of rows of length 1 where the metric is the cosine. On an arbitrary scale.
        """
        rows = Points.of(self.features, self.metric).rows
        rows = rows - rows.mean(axis=0)
        found = np.empty(self.indices.shape)
        for block in row_blocks(self.n, max(1, BLOCK_ENTRIES // (self.k * rows.shape[1]))):
            found[block] = np.einsum("ip,ikp->ik", rows[block], rows[self.indices[block]])
        return found

    @cached_property
    def directions(self) -> np.ndarray:
        """The rows of the features divided by their lengths."""
        return linalg.unit_rows(self.features)

    @cached_property
    def _cosines(self) -> np.ndarray | None:
        """The cosines of all pairs of rows, if they are few enough to be kept."""
        kept = self.n**2 <= BLOCK_ENTRIES
        return self.directions @ self.directions.T if kept else None

    def cosines(self, rows: slice) -> np.ndarray:
        """Return the cosines (b, n) of some rows with all."""
        if self._cosines is not None:
            return self._cosines[rows]
        return self.directions[rows] @ self.directions.T


@dataclass(frozen=True, eq=False)
class Shared:
    """Two sides of the same samples, and which neighbours they share."""

    x: Neighbours
    y: Neighbours

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.x.n

    @property
    def k(self) -> int:
        """Number of neighbours of each."""
        return self.x.k

    @cached_property
    def ranks(self) -> np.ndarray:
        """Ranks (n, k), from 1, that the neighbours in X have among those in Y; 0 if none."""
        found = np.empty(self.x.indices.shape, dtype=np.int32)
        rank = np.arange(1, self.k + 1)
        blocks = list(row_blocks(self.n, max(1, BLOCK_ENTRIES // self.n)))
        table = np.zeros(blocks[0].stop * self.n, dtype=np.int32)
        for block in blocks:
            x, y = self.x.indices[block], self.y.indices[block]
            at = self.n * np.arange(len(x))[:, None]
            table[at + y] = rank
            found[block] = table.take(at + x)
            table[at + y] = 0
        return found

    @cached_property
    def counts(self) -> np.ndarray:
        """Number (n,) of neighbours that each sample has in common."""
        return np.count_nonzero(self.ranks, axis=1)
