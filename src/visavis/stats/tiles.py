"""HSIC with any kernel in bounded memory: Gram matrices that exist one tile at a time.

A sweep over pairs of blocks of samples adds up, for all layers at once, the products of their tiles
and the row sums; HSIC is a function of these (Song et al. 2012). What is added up is a value, so
that parts of a sweep may be done anywhere and merged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import array_api_extra as xpx

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.kernels import Fitted, Kernel
from visavis.stats.gram import CROSSED_ENTRIES, GramSums

Known = Mapping[str, Any]
Tile = tuple[slice, slice]


@dataclass(frozen=True, eq=False, kw_only=True)
class Swept(GramSums):
    """The sums of a Gram matrix of which only tiles were ever held.

    Parameters
    ----------
    square : 0-d array
        The sum of the squares of all entries off the diagonal.
    """

    def hsic(self, other: "Swept", estimator: str, *, off: Array) -> Array:
        """Return the HSIC with `other`, whose tiles were multiplied in the same sweep."""
        return self.combined(other, estimator, off)


@dataclass(frozen=True, eq=False)
class Tiles:
    """What some tiles of k Gram matrices add up to; `merge` is associative.

    Parameters
    ----------
    sums, diagonals : array, (k, n)
        Row sums without the diagonals, and these, in the widest float.
    squares, peaks : array, (k,)
        Sums of squares and largest entries off the diagonals.
    off : array, (k_x, k_y)
        Inner products of the matrices of one side with those of the other, without diagonals.
    precision : float
        Machine epsilon of the entries.
    """

    sums: Array
    diagonals: Array
    squares: Array
    peaks: Array
    off: Array
    precision: float

    def merge(self, other: "Tiles") -> "Tiles":
        """Return what both add up to."""
        return Tiles(
            self.sums + other.sums,
            self.diagonals + other.diagonals,
            self.squares + other.squares,
            array.namespace(self.peaks).maximum(self.peaks, other.peaks),
            self.off + other.off,
            self.precision,
        )

    def swept(self, known: Sequence[Known]) -> list[Swept]:
        """Return the sums of each matrix, when all tiles are there."""
        return [
            Swept(
                diagonal=self.diagonals[k, :],
                sums=self.sums[k, :],
                square=self.squares[k],
                peak=self.peaks[k],
                precision=self.precision,
                unit=each["unit"],
            )
            for k, each in enumerate(known)
        ]

    def arrays(self) -> dict[str, Array]:
        """Return the parts by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def fit(X: Array, kernel: Kernel, *, wide: bool = False) -> Known:
    """Return what a sweep must know of a representation, from reading its rows once or twice.

    Parameters
    ----------
    X : array, (n, p)
        Of which rows are read by slices.
    kernel : Kernel
    wide : bool
        Compute tiles in float64.
    """
    if kernel.fitted is None:
        raise ValueError(f"tiles: the kernel {kernel} can only be had whole.")
    found = kernel.fitted(X, wide, {})
    # What is subtracted from all entries of a matrix leaves its HSIC; the terms cancel less.
    n = int(X.shape[0])
    few = min(n // 2, 256)
    tile = found.tile(found.rows(slice(0, few)), found.rows(slice(n - few, n)))
    mean = float(array.namespace(tile).mean(array.widen(tile)))
    return {**found.known, "unit": found.unit, "mean": mean}


def tile_rows(n: int, rows: int) -> list[Tile]:
    """Return the pairs of blocks of rows that a sweep goes through."""
    return list(linalg.pair_blocks(n, rows))


def add_tiles(
    layers: Sequence[tuple[Array, Kernel]],
    known: Sequence[Known],
    tiles: Iterable[Tile],
    *,
    split: int,
    same: bool = False,
    wide: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Tiles:
    """Return what some tiles of the Gram matrices of all layers add up to.

    Parameters
    ----------
    layers : sequence of (representation, kernel)
        Of the same samples, those of one side first.
    known : sequence of mapping
        What `fit` found of each.
    tiles : iterable of pair of slice
        Some of `tile_rows`.
    split : int
        How many layers are of the first side.
    same : bool
        Whether a set is compared with itself: then `layers` are of one side.
    wide : bool
        Compute tiles in float64.
    step : callable
        Called after each tile.
    """
    fits: list[Fitted] = []
    for (X, kernel), facts in zip(layers, known, strict=True):
        assert kernel.fitted is not None  # noqa: S101  (`fit` has asked)
        fits.append(kernel.fitted(X, wide, facts))
    total = _Total(int(layers[0][0].shape[0]), split, same)
    left: list[Any] = []
    at: slice | None = None
    for i, j in tiles:
        if at != i:
            left, at = [each.rows(i) for each in fits], i
        right = left if i == j else [each.rows(j) for each in fits]
        total.add(
            i,
            j,
            [
                each.tile(a, b) - facts["mean"]
                for each, facts, a, b in zip(fits, known, left, right, strict=True)
            ],
        )
        step()
    return total.tiles()


class _Total:
    """What is added up over tiles."""

    def __init__(self, n: int, split: int, same: bool) -> None:
        self._n, self._split, self._same = n, split, same
        self._held: Tiles | None = None

    def add(self, i: slice, j: slice, tiles: Sequence[Array]) -> None:
        """Add one tile of each layer, and its mirror image."""
        xp = array.namespace(*tiles)
        dtype = xp.result_type(*tiles)
        stack = xp.stack([xp.astype(each, dtype, copy=False) for each in tiles])
        held = self._held or self._nothing(stack)
        diagonals, sums = held.diagonals, held.sums
        if i == j:
            diagonal = array.widen(xp.linalg.diagonal(stack)) + 0.0
            diagonals = xpx.at(diagonals)[:, i].set(diagonal)
            eye = xp.eye(stack.shape[1], dtype=dtype, device=array.device(stack))
            stack = stack * (1 - eye)
        ones = xp.ones((stack.shape[2],), dtype=dtype, device=array.device(stack))
        sums = xpx.at(sums)[:, i].add(array.widen(stack @ ones))
        if i != j:
            ones = xp.ones((1, stack.shape[1]), dtype=dtype, device=array.device(stack))
            sums = xpx.at(sums)[:, j].add(array.widen((ones @ stack)[:, 0, :]))
        squares, off = held.squares, held.off
        weight = 1 if i == j else 2
        flat = xp.reshape(stack, (len(tiles), -1))
        for part in linalg.row_blocks(flat.shape[1], CROSSED_ENTRIES):
            piece = flat[:, part]
            right = piece if self._same else piece[self._split :, :]
            off = off + weight * array.widen(piece[: self._split, :] @ right.T)
            squares = squares + weight * array.widen(xp.linalg.vecdot(piece, piece))
        peaks = xp.maximum(held.peaks, array.widen(xp.max(xp.abs(flat), axis=1)))
        self._held = Tiles(sums, diagonals, squares, peaks, off, held.precision)

    def _nothing(self, stack: Array) -> Tiles:
        xp = array.namespace(stack)
        like = {"dtype": array.wide(stack), "device": array.device(stack)}
        k = stack.shape[0]
        right = k if self._same else k - self._split
        return Tiles(
            xp.zeros((k, self._n), **like),
            xp.zeros((k, self._n), **like),
            xp.zeros((k,), **like),
            xp.zeros((k,), **like),
            xp.zeros((self._split, right), **like),
            float(xp.finfo(stack.dtype).eps),
        )

    def tiles(self) -> Tiles:
        """Return the sums so far."""
        assert self._held is not None  # noqa: S101  (there is at least one tile)
        return self._held
