"""Values under whole cosets of permutations at a time, by a Fourier transform.

The rows (or units of rows) that may change places stand in cycles of one length ℓ, put together at
random. Turning all cycles by one step at a time is a cyclic group of ℓ permutations; with another
random order of one side it is a coset of it. Under the ℓ permutations of a coset the statistic
``Σ_ij A_ij B_π(i)π(j)`` is a sum of circular correlations, which a transform of length ℓ gives all
at once: O(n² log ℓ) for ℓ permutations. The union of such cosets through the identity is a set for
which the test is exact (Hemerik & Goeman 2018, doi:10.1007/s11749-017-0571-1).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from visavis._core import array
from visavis._core.types import Array
from visavis.inference.orders import Exchange
from visavis.inference.sides import Centred, host

# Entries that are transformed at a time: few enough for any memory, enough for the calls to be few.
ENTRIES = 2**22


@dataclass(frozen=True, eq=False)
class Cycles:
    """Slots for the rows, most of them in cycles that turn together.

    Parameters
    ----------
    slots : ndarray, (length, tracks + rest)
        Places of rows. Each of the first columns is a cycle, turned from one entry to the next;
        each of the others is one place that no turn moves.
    tracks : int
        How many cycles there are.
    """

    slots: np.ndarray
    tracks: int

    @classmethod
    def of(cls, exchange: Exchange) -> "Cycles":
        """Return as many cycles of units as there are, of the length that is worth most."""
        length = exchange.cycle()
        moving, rest = [], []
        for rows in exchange.strata:
            kept = len(rows) // length * length
            # A cycle of units is a cycle for each of the rows that a unit has.
            moving += [rows[start : start + length] for start in range(0, kept, length)]
            rest.append(rows[kept:].reshape(-1))
        still = np.concatenate(rest)
        still = np.broadcast_to(still, (length, len(still)))
        tracks = sum(each.shape[1] for each in moving)
        return cls(np.concatenate([*moving, still], axis=1), tracks)

    @property
    def length(self) -> int:
        """How many turns there are."""
        return len(self.slots)

    @property
    def rest(self) -> np.ndarray:
        """The places that no turn moves."""
        return self.slots[0, self.tracks :]

    def series(self, *, diagonal: bool) -> "Series":
        """Return every pair of rows that turns, once, as series of those that become each other."""
        length, tracks = self.length, self.tracks
        own = np.arange(1, length // 2 + 1)
        still = np.arange(tracks, self.slots.shape[1])
        one, other = np.triu_indices(tracks, 1)
        every = np.arange(tracks)
        parts = [
            # A cycle with itself: half a turn is met from both ends.
            (np.repeat(every, len(own)), np.repeat(every, len(own)), np.tile(own, tracks)),
            (np.repeat(one, length), np.repeat(other, length), np.tile(self._turns, len(one))),
            (np.repeat(every, len(still)), np.tile(still, tracks), np.zeros(tracks * len(still))),
        ]
        weights = [
            np.tile(np.where(2 * own == length, 1.0, 2.0), tracks),
            *(np.full(len(part[0]), 2.0) for part in parts[1:]),
        ]
        if diagonal:
            parts.append((every, every, np.zeros(tracks)))
            weights.append(np.ones(tracks))
        first, second, ahead = (
            np.concatenate(each).astype(int) for each in zip(*parts, strict=True)
        )
        return Series(first, second, ahead, np.concatenate(weights))

    def pairs(self, series: "Series") -> tuple[np.ndarray, np.ndarray]:
        """Return the slots of the pairs of series, numbered row by row, (length, series) each."""
        columns = self.slots.shape[1]
        ahead = (self._turns[:, None] + series.ahead) % self.length
        return self._turns[:, None] * columns + series.first, ahead * columns + series.second

    def places(self, order: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return where in a flat matrix pairs of slots are with rows in an order."""
        rows = order[self.slots].reshape(-1)
        found = np.take(rows * len(order), pairs[0])
        found += np.take(rows, pairs[1])
        return found

    @property
    def _turns(self) -> np.ndarray:
        return np.arange(self.length)


@dataclass(frozen=True, eq=False)
class Series:
    """Pairs of slots: which columns, by how many turns the second is ahead, how often they count.

    All of them arrays of one length.
    """

    first: np.ndarray
    second: np.ndarray
    ahead: np.ndarray
    weights: np.ndarray

    def parts(self, size: int) -> "Iterator[Series]":
        """Yield them, no more than some at a time."""
        for start in range(0, len(self.weights), size):
            part = slice(start, start + size)
            yield Series(*(each[part] for each in vars(self).values()))


def drawn_orders(
    exchange: Exchange, n: int, random: np.random.Generator | None
) -> list[np.ndarray]:
    """Return the order of the rows of X in the slots, then that of Y for each coset.

    As many cosets as n independent permutations are worth, or without a generator one, of the rows
    in the order in which they are. The first order of Y is that of X, so that its turn by nothing
    leaves all as it was observed.
    """
    if random is None:
        return [np.arange(exchange.n)] * 2
    # The last of a thousand is no reason for another coset.
    count = math.ceil(0.999 * n / exchange.worth(exchange.cycle()))
    first = exchange.draw(random)
    return [first, first, *(exchange.draw(random)[first] for _ in range(count - 1))]


def values(
    xs: Sequence[Centred],
    ys: Sequence[Centred],
    exchange: Exchange,
    orders: Sequence[np.ndarray],
) -> np.ndarray:
    """Return CKA of all pairs of representations under cosets of permutations.

    Parameters
    ----------
    xs, ys : sequence of Centred
        Of the same samples.
    exchange : Exchange
        Which rows may change places.
    orders : sequence of ndarray
        As `drawn_orders` gives them.

    Returns
    -------
    ndarray, (permutations, len(xs), len(ys))
        The observed values first.
    """
    cycles = Cycles.of(exchange)
    series = cycles.series(diagonal=xs[0].diagonal)
    first, orders = orders[0], orders[1:]
    xp = array.namespace(xs[0].matrix, ys[0].matrix)
    crossed: list[Array] = [0.0] * len(orders)
    size = max(1, ENTRIES // (cycles.length * max(len(xs), len(ys))))
    for part in series.parts(size):
        pairs = cycles.pairs(part)
        left = xp.conj(_spectra(xs, cycles.places(first, pairs), part.weights))
        for coset, order in enumerate(orders):
            right = _spectra(ys, cycles.places(order, pairs))
            product = xp.matmul(left, xp.permute_dims(right, (0, 2, 1)))
            crossed[coset] = crossed[coset] + product
    still = _still(xs, first[cycles.rest])
    found = [
        host(xp.fft.irfft(sums, n=cycles.length, axis=0)) + still @ _still(ys, order[cycles.rest]).T
        for sums, order in zip(crossed, orders, strict=True)
    ]
    return np.concatenate(found)


def _spectra(
    side: Sequence[Centred], places: np.ndarray, weights: np.ndarray | None = None
) -> Array:
    """Return the transforms of series of pairs, (frequencies, representations, series), at norm 1.

    Frequencies first, so that all pairs of representations are one product of matrices for each.
    """
    device = array.device(side[0].matrix)
    xp = array.namespace(side[0].matrix)
    where = xp.asarray(places.reshape(-1), device=device)
    spectra = []
    for each in side:
        found = xp.fft.rfft(
            xp.reshape(xp.take(xp.reshape(each.matrix, (-1,)), where), places.shape), axis=0
        )
        scale = 1 / math.sqrt(each.square)
        if weights is not None:
            dtype = each.matrix.dtype
            scale = xp.asarray(weights * scale, dtype=dtype, device=device)
        spectra.append(found * scale)
    return xp.stack(spectra, axis=1)


def _still(side: Sequence[Centred], rows: np.ndarray) -> np.ndarray:
    """Return the entries between rows that no turn moves, (representations, rows²), at norm 1."""
    found = []
    for each in side:
        xp = array.namespace(each.matrix)
        index = xp.asarray(rows, device=array.device(each.matrix))
        kept = xp.take(xp.take(each.matrix, index, axis=0), index, axis=1)
        found.append(host(kept).reshape(-1) / math.sqrt(each.square))
    return np.stack(found)
