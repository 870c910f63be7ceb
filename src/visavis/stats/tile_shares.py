"""What each sample adds to debiased HSIC, where Gram matrices exist one tile at a time.

A second sweep, when the row sums of the first are known: each tile is U-centred with them, and the
products of tiles are added up for each sample. As `shares` of whole matrices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.kernels import Fitted, Kernel
from visavis.stats.row_shares import SAMPLES
from visavis.stats.tiles import Known, Tile


@dataclass(frozen=True, eq=False)
class TileShares:
    """What each sample adds, from some tiles of k Gram matrices; `merge` is associative.

    Parameters
    ----------
    own : ndarray, (n, k)
        To the HSIC of each representation with itself.
    cross : ndarray, (n, k_x, k_y)
        To that of each of one side with each of the other.
    """

    own: np.ndarray
    cross: np.ndarray

    def merge(self, other: "TileShares") -> "TileShares":
        """Return what both add up to."""
        return TileShares(self.own + other.own, self.cross + other.cross)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parts by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray]) -> "TileShares":
        """Return the shares from their parts."""
        return cls(**arrays)


def add_shares(
    layers: Sequence[tuple[Array, Kernel]],
    known: Sequence[Known],
    offsets: Sequence[Any],
    tiles: Iterable[Tile],
    *,
    split: int,
    same: bool = False,
    wide: bool = False,
    step: Callable[[], None] = lambda: None,
) -> TileShares:
    """Return what some tiles of the Gram matrices of all layers add for each sample.

    Parameters
    ----------
    layers, known, tiles, split, same, wide, step
        As in `add_tiles`.
    offsets : sequence of array, (n,)
        What is subtracted from rows and columns of each matrix; see `visavis.stats.row_shares`.
    """
    fits: list[Fitted] = []
    for (X, kernel), facts in zip(layers, known, strict=True):
        assert kernel.fitted is not None  # noqa: S101  (the first sweep has asked)
        fits.append(kernel.fitted(X, wide, facts))
    n, k = int(layers[0][0].shape[0]), len(layers)
    total = TileShares(np.zeros((n, k)), np.zeros((n, split, k if same else k - split)))
    left: list[Any] = []
    at: slice | None = None
    for i, j in tiles:
        if at != i:
            left, at = [each.rows(i) for each in fits], i
        right = left if i == j else [each.rows(j) for each in fits]
        made = [
            _centred(each.tile(a, b) - facts["mean"], shift, i, j)
            for each, facts, shift, a, b in zip(fits, known, offsets, left, right, strict=True)
        ]
        xp = array.namespace(*made)
        stack = xp.stack([xp.astype(each, xp.result_type(*made), copy=False) for each in made])
        _add(total, stack, i, split, same)
        if i != j:
            _add(total, xp.permute_dims(stack, (0, 2, 1)), j, split, same)
        step()
    return total


def _centred(tile: Array, offset: Any, i: slice, j: slice) -> Array:
    xp = array.namespace(tile)
    u = xp.asarray(offset, dtype=tile.dtype, device=array.device(tile))
    tile = tile - u[i, None] - u[None, j]
    if i != j:
        return tile
    return tile * (1 - xp.eye(tile.shape[0], dtype=tile.dtype, device=array.device(tile)))


def _add(total: TileShares, stack: Array, rows: slice, split: int, same: bool) -> None:
    """Add the products of (layers, rows, columns) for each row."""
    xp = array.namespace(stack)
    for part in linalg.row_blocks(int(stack.shape[1]), SAMPLES):
        piece = stack[:, part, :]
        places = slice(rows.start + part.start, rows.start + part.stop)
        A = xp.permute_dims(piece[:split, :, :], (1, 0, 2))
        B = xp.permute_dims(piece if same else piece[split:, :, :], (1, 2, 0))
        total.cross[places] += array.to_numpy(A @ B)
        own = xp.linalg.vecdot(piece, piece, axis=-1)
        total.own[places] += array.to_numpy(xp.permute_dims(own, (1, 0)))
