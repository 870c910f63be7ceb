"""Nearest neighbours of every row: exact, in blocks of rows, ties by index.

On the host and in float64, whatever the library: an order that a rounding error decides is no
order, and the array API standard knows no partial sort. Distances come from one matrix product per
block; where that product leaves few digits they are taken again from the differences themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from visavis._core.errors import DegenerateInputError
from visavis.linalg.blocks import row_blocks
from visavis.linalg.centre import shifted

METRICS = ("cosine", "euclidean")

# Entries of the distances of a block, and of the differences of rows that are held at once.
BLOCK_ENTRIES = 2**22
EPS = float(np.finfo(np.float64).eps)
# A squared distance below this part of the squared norms has lost digits to their difference.
NEAR = 2.0**-14


@dataclass(frozen=True, eq=False)
class Points:
    """Rows whose Euclidean distances are to be ordered.

    Parameters
    ----------
    given : ndarray, (n, p)
        In float64: features as they were given, or their directions.
    unit : float
        What they are multiplied by, so that their squares are harmless.
    rows : ndarray, (n, p)
        The same, in that unit and near their mean.
    norms : ndarray, (n,)
        Squared norms of `rows`.
    grain : float
        Error of a row, as a length: zero for rows that were given as they are.
    """

    given: np.ndarray
    unit: float
    rows: np.ndarray
    norms: np.ndarray
    grain: float

    @classmethod
    def of(cls, X: np.ndarray, metric: str) -> "Points":
        """Return the points whose Euclidean distances have the order of a metric on `X` (n, p)."""
        directions = metric == "cosine"
        given = unit_rows(X) if directions else np.asarray(X, dtype=np.float64)
        rows, unit = shifted(given)
        norms = np.einsum("ij,ij->i", rows, rows)
        # Unit vectors carry the rounding of their own length.
        grain = 2 * EPS * float(unit) if directions else 0.0
        if not np.isfinite(norms).all():
            raise DegenerateInputError(
                "kernel: `X` gives no distances: they are out of range. Rescale the features."
            )
        if np.sqrt(norms.max()) <= 16 * grain:
            raise DegenerateInputError(
                "kernel: `X` must have rows that differ in direction, got rows that are multiples "
                'of one another. Use metric="euclidean".'
                if directions
                else "kernel: `X` must vary over the samples, got identical rows."
            )
        return cls(given, float(unit), rows, norms, grain)

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.rows.shape[0]

    def nearest(self, k: int) -> np.ndarray:
        """Return the indices (n, k) of the k nearest others of each row, nearest first."""
        return np.concatenate([self._first(ids, D, k) for ids, D in self._blocks()])

    def orders(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield blocks of rows, and all others of each of them (b, n − 1), nearest first."""
        for ids, D in self._blocks():
            yield slice(int(ids[0]), int(ids[-1]) + 1), self._first(ids, D, self.n - 1)

    def between(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return the squared distances of pairs of rows from their differences."""
        found = np.empty(len(i))
        for part in row_blocks(len(i), max(1, BLOCK_ENTRIES // self.given.shape[1])):
            # Not of the shifted rows, which are rounded: of near rows the difference is exact.
            difference = (self.given[i[part]] - self.given[j[part]]) * self.unit
            found[part] = np.einsum("ij,ij->i", difference, difference)
        return found

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of some rows and their squared distances to all, ∞ to themselves."""
        for block in row_blocks(self.n, max(1, BLOCK_ENTRIES // self.n)):
            ids = np.arange(self.n)[block]
            D = self.rows[block] @ self.rows.T
            D *= -2
            D += self.norms[block, None]
            D += self.norms
            D[np.arange(len(ids)), ids] = np.inf
            close = NEAR * self.norms[block, None] > D
            if close.any():
                i, j = np.nonzero(close)
                D[i, j] = self._close(ids[i], j)
            yield ids, D

    def _close(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return the squared distances of pairs of rows that are close or the same."""
        if len(i) <= self.n:
            return self.between(i, j)
        # Thousands of identical rows (dead units) are told by their numbers, not by differences.
        whole = np.ascontiguousarray(self.given + 0.0)  # −0 is 0
        whole = whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize)))[:, 0]
        _, label = np.unique(whole, return_inverse=True)
        differ = label[i] != label[j]
        found = np.zeros(len(i))
        found[differ] = self.between(i[differ], j[differ])
        return found

    def _first(self, ids: np.ndarray, D: np.ndarray, k: int) -> np.ndarray:
        """Return the k nearest others (b, k) of some rows, nearest first."""
        # Distances and indices are sorted in one: the last bits of a distance, which say nothing,
        # hold the index. Where they would have said something, the row is looked at again.
        bits = max(1, (self.n - 1).bit_length())
        last = np.int64((1 << bits) - 1)
        keys = D.view(np.int64) + (last >> 1)
        keys &= ~last
        keys |= np.arange(self.n)
        if k + 1 < self.n:
            keys = np.partition(keys, k, axis=1)[:, : k + 1]
        keys.sort(axis=1)
        # One more than was asked for, to see whether it is as near; the row itself, at ∞, is last.
        seen = keys[:, : self.n - 1]
        first = seen[:, :k] & last
        values = (seen & ~last).view(np.float64)
        # The error of the largest one bounds all others.
        most = self._error(ids, values[:, -1:]) + 2.0 ** (bits - 51) * values[:, -1:]
        rows = np.flatnonzero((np.diff(values, axis=1) <= most).any(axis=1))
        if len(rows):
            first[rows] = self._exactly(ids[rows], D[rows])[:, :k]
        return first

    def _exactly(self, ids: np.ndarray, D: np.ndarray) -> np.ndarray:
        """Return all others (b, n − 1) of some rows, nearest first, ties by index."""
        order = np.argsort(D, axis=1)[:, :-1]
        ties = self._ties(ids, np.take_along_axis(D, order, axis=1))
        rows = np.flatnonzero(ties.any(axis=1))
        if len(rows):
            group = np.zeros((len(rows), order.shape[1]), dtype=np.int64)
            np.cumsum(~ties[rows], axis=1, out=group[:, 1:])
            order[rows] = np.sort(group * self.n + order[rows], axis=1) % self.n
        return order

    def _ties(self, ids: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return which of the sorted squared distances equal the one before, but for rounding."""
        return np.diff(values, axis=1) <= self._error(ids, values[:, 1:])

    def _error(self, ids: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return by how much two equal squared distances of a row may differ."""
        norms = self.norms[ids, None]
        lost = np.where(values < NEAR * norms, 0.0, norms)
        # Products of p terms err by about √p units in the last place.
        error = (8 + 4 * self.rows.shape[1] ** 0.5) * EPS * (2 * values + 3 * lost)
        return error + 16 * self.grain * (np.sqrt(values) + self.grain)


def unit_rows(X: np.ndarray) -> np.ndarray:
    """Return the rows of `X` in float64, each divided by its length."""
    X = np.asarray(X, dtype=np.float64)
    # Rows may differ in scale by more than a square can hold: each by its own peak first.
    peaks = np.abs(X).max(axis=1)
    if (peaks == 0).any():
        row = int(np.argmax(peaks == 0))
        raise DegenerateInputError(
            f"kernel: `X` holds an all-zero row, which has no angle to others: row {row}. "
            'Leave such rows out of both sides, or use metric="euclidean".'
        )
    X = X / peaks[:, None]
    return X / np.sqrt(np.einsum("ij,ij->i", X, X))[:, None]
