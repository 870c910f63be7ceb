"""Representations read by blocks of rows: what can be known of them without holding them whole.

`X` may be any array whose rows can be sliced, as a memory-mapped file can.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.linalg.blocks import row_blocks
from visavis.linalg.centre import SHIFT_ROWS, comfortable, scaled, shift_of

# Rows that are read at a time, and rows in one run of a sample.
READ_ROWS, RUN = 1024, 64
# Distances among so many rows bracket the median of all.
BRACKET_ROWS = 1024
# The bracket: so many standard errors of a median of independent pairs on both sides, and more,
# since pairs that share a row are not independent.
BRACKET = 0.02


def rows_of(X: Array, part: slice) -> Array:
    """Return some rows of `X`, which may be an array or anything whose rows can be sliced."""
    return X[part, :] if array.is_array(X) else X[part]


def spread_rows(X: Array, rows: int = SHIFT_ROWS) -> Array:
    """Return some rows from all over `X`, or all of them where there are few."""
    n = X.shape[0]
    if n <= rows:
        return rows_of(X, slice(0, n))
    starts = np.linspace(0, n - RUN, rows // RUN).astype(int).tolist()
    parts = [rows_of(X, slice(start, start + RUN)) for start in starts]
    return array.namespace(parts[0]).concat(parts, axis=0)


def fitted_shift(X: Array) -> tuple[Array, Array | float]:
    """Return a shift near the column means and a unit safe for products, reading `X` once."""
    shift = shift_of(spread_rows(X))
    peak, largest = largest_of(X, shift)
    if not math.isfinite(peak):
        raise DegenerateInputError("kernel: `X` must be finite.")
    like = array.namespace(shift).sum(shift) * 0
    return shift, 1.0 if comfortable(like + largest, shift) else array.power_of_two(like + peak)


def largest_of(X: Array, shift: Array | float = 0.0) -> tuple[float, float]:
    """Return the largest absolute entry of the shifted rows and their largest squared norm."""
    peak = largest = 0.0
    for part in row_blocks(X.shape[0], READ_ROWS):
        moved = rows_of(X, part) - shift
        xp = array.namespace(moved)
        with checks.quiet():
            norms = xp.linalg.vecdot(moved, moved, axis=-1)
            # A NaN must not be passed over by a comparison.
            peak = float(np.maximum(peak, float(xp.max(xp.abs(moved)))))
            largest = float(np.maximum(largest, float(xp.max(norms))))
    return peak, largest


def shifted_rows(
    X: Array, shift: Array, unit: Array | float, *, wide: bool = False
) -> Callable[[slice], Array]:
    """Return what gives rows of `X`, shifted near the column means and in a safe unit."""
    shift = array.widen(shift) if wide else shift

    def rows(part: slice) -> Array:
        x = rows_of(X, part)
        return scaled((array.widen(x) if wide else x) - shift, unit)

    return rows


def pair_blocks(n: int, rows: int) -> Iterator[tuple[slice, slice]]:
    """Yield pairs of blocks of rows i <= j that cover all pairs of rows once."""
    blocks = list(row_blocks(n, rows))
    for k, left in enumerate(blocks):
        for right in blocks[k:]:
            yield left, right


def middle_of_tiles(
    n: int, tile: Callable[[slice, slice], Array], places: tuple[int, int]
) -> tuple[float, float]:
    """Return two order statistics of a distance over the pairs i < j, exactly, by blocks.

    A sample of rows brackets them; one sweep counts what is below and keeps what is between.

    Parameters
    ----------
    n : int
        Number of rows.
    tile : callable
        The distances between two blocks of rows, all of them finite.
    places : pair of int
        Where the two stand among all n(n − 1)/2 distances in order.
    """
    pairs = n * (n - 1) // 2
    low, high = _bracket(n, tile, places, pairs)
    while True:
        below, kept = 0, []
        for left, right in pair_blocks(n, READ_ROWS):
            values = _different(tile(left, right), left == right)
            below += int(np.count_nonzero(values < low))
            kept.append(values[(values >= low) & (values <= high)])
        between = np.sort(np.concatenate(kept))
        inside = [place - below for place in places]
        if inside[0] >= 0 and inside[1] < between.size:
            first, second = (float(between[place]) for place in inside)
            return first, second
        # The sample was not like the rest: look on that side.
        low, high = (low, np.inf) if inside[0] >= 0 else (-np.inf, high)


def _bracket(
    n: int, tile: Callable[[slice, slice], Array], places: tuple[int, int], pairs: int
) -> tuple[float, float]:
    if n <= BRACKET_ROWS:
        return -np.inf, np.inf
    starts = np.linspace(0, n - RUN, BRACKET_ROWS // RUN).astype(int).tolist()
    parts = [slice(start, start + RUN) for start in starts]
    values = np.concatenate(
        [
            _different(tile(left, right), left == right)
            for k, left in enumerate(parts)
            for right in parts[k:]
        ]
    )
    shares = (places[0] / pairs - BRACKET, places[1] / pairs + BRACKET)
    low, high = np.quantile(values, np.clip(shares, 0, 1))
    return (
        float(low) if shares[0] > 0 else -np.inf,
        float(high) if shares[1] < 1 else np.inf,
    )


def _different(values: Array, same: bool) -> np.ndarray:
    """Return a tile as a vector on the host, of a block with itself each pair of rows once."""
    host = array.to_numpy(values)
    if not same:
        return host.reshape(-1)
    return host[~np.tri(host.shape[0], dtype=bool)]
