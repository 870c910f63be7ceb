"""Kernels of distances, with a bandwidth that is a fraction of their median."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels.kernel import Fitted, Kernel, positive


def rbf(fraction: float = 0.5, *, median: str = "pairs") -> Kernel:
    """exp(−‖x − y‖² / 2σ²), with σ a fraction of the median distance.

    Parameters
    ----------
    fraction : float
        σ over the median distance; positive. The paper uses 0.2, 0.4 and 0.8.
    median : {"pairs", "all"}
        ``"pairs"``: the median of the distances between different rows. ``"all"``: σ² is the
        squared fraction of the median of *squared* distances over all n² entries, the zero
        diagonal included, as in the published demonstration of the paper's authors.

    Returns
    -------
    Kernel

    Raises
    ------
    ValueError
        If `fraction` is not positive or `median` is unknown.
    """
    positive("rbf", "fraction", fraction)
    checks.option("rbf", "median", median, ("pairs", "all"))

    def scaled(X: Array) -> tuple[Array, Array | float]:
        squared, largest = linalg.squared_euclidean(X)
        width = _median_of(squared, median)
        if (array.read(largest) or 0.0) > 64 * (array.read(width) or math.inf):
            # The rounding error of the largest row would be felt at the scale of the bandwidth.
            squared, _ = linalg.squared_euclidean(array.widen(X))
            width = _median_of(squared, median)
        width = _bandwidth(width, noise=largest)
        return array.namespace(X).exp(-squared / (2 * fraction**2 * width)), 1.0

    def fitted(X: Array, wide: bool, known: Mapping[str, Any]) -> Fitted:
        moved = known.get("moved") or linalg.fitted_shift(X)
        wide = wide or known.get("wide", False)
        rows = _with_norms(linalg.shifted_rows(X, *moved, wide=wide))
        width = known.get("width")
        if width is None:
            width, largest, precision = _median_of_tiles(rows, X.shape[0], median)
            if not wide and largest > 64 * (width or math.inf):
                return fitted(X, True, {"moved": moved})
            _some_bandwidth(width, error=16 * precision * largest)
        exponent = -1 / (2 * fraction**2 * width)

        def tile(left: tuple[Array, Array], right: tuple[Array, Array]) -> Array:
            return array.namespace(left[0]).exp(_squared_tile(left, right) * exponent)

        return Fitted(rows, tile, 1.0, {"moved": moved, "width": width, "wide": wide})

    extra = (("median", median),) if median != "pairs" else ()
    return Kernel("rbf", (("fraction", fraction), *extra), scaled=scaled, fitted=fitted)


def _median_of(squared: Array, median: str) -> Array:
    if median == "all":
        return linalg.median_all(squared)
    # The median of distances, not of their squares: with an even number of pairs they differ.
    xp = array.namespace(squared)
    low, high = linalg.middle_of_pairs(squared)
    return ((xp.sqrt(low) + xp.sqrt(high)) / 2) ** 2


def _median_of_tiles(
    rows: Callable[[slice], Any], n: int, median: str
) -> tuple[float, float, float]:
    """Return the squared median distance, the largest squared norm, and their precision."""
    largest, precision = _largest(rows, n)
    pairs, entries = n * (n - 1) // 2, n * n
    places = ((pairs - 1) // 2, pairs // 2)
    if median == "all":  # n zeros come first, then each pair twice
        places = (max(0, (entries - 1) // 2 - n) // 2, max(0, entries // 2 - n) // 2)
    low, high = linalg.middle_of_tiles(n, lambda i, j: _squared_tile(rows(i), rows(j)), places)
    width = (low + high) / 2 if median == "all" else ((low**0.5 + high**0.5) / 2) ** 2
    return width, largest, precision


def laplacian(fraction: float = 1.0) -> Kernel:
    """exp(−‖x − y‖₁ / σ), with σ a fraction of the median L1 distance between different rows.

    Parameters
    ----------
    fraction : float
        σ over the median distance; positive.

    Returns
    -------
    Kernel

    Notes
    -----
    Invariant to permutations of the features but not to rotations. O(n²p), without a matrix
    product to carry it.
    """
    positive("laplacian", "fraction", fraction)

    def scaled(X: Array) -> tuple[Array, Array | float]:
        distances = linalg.manhattan(X)
        low, high = linalg.middle_of_pairs(distances)
        width = _bandwidth((low + high) / 2, noise=None)
        return array.namespace(X).exp(-distances / (fraction * width)), 1.0

    def fitted(X: Array, wide: bool, known: Mapping[str, Any]) -> Fitted:
        moved = known.get("moved") or linalg.fitted_shift(X)
        rows = linalg.shifted_rows(X, *moved, wide=True)
        width = known.get("width")
        if width is None:
            n = X.shape[0]
            pairs = n * (n - 1) // 2
            low, high = linalg.middle_of_tiles(
                n,
                lambda i, j: linalg.manhattan_between(rows(i), rows(j)),
                ((pairs - 1) // 2, pairs // 2),
            )
            width = (low + high) / 2
            _some_bandwidth(width, error=0.0)
        scale = fraction * width

        def tile(left: Array, right: Array) -> Array:
            return array.namespace(left).exp(-linalg.manhattan_between(left, right) / scale)

        return Fitted(rows, tile, 1.0, {"moved": moved, "width": width})

    return Kernel("laplacian", (("fraction", fraction),), scaled=scaled, fitted=fitted)


def _bandwidth(width: Array, *, noise: Array | None) -> Array:
    """Return `width` unless it is zero, or no more than the rounding error of a distance."""
    seen = None if array.recording(width) else array.read(width)
    if seen is not None:
        error = 0.0 if noise is None else array.read(noise) or 0.0
        _some_bandwidth(seen, error=16 * array.precision(width) * error)
    return width


def _some_bandwidth(width: float, *, error: float) -> None:
    if width <= error:
        raise DegenerateInputError(
            "kernel: `X` gives no bandwidth: the median distance between rows is zero, since half "
            "of all pairs of rows or more are identical. Drop the duplicate rows."
        )


def _with_norms(rows: Callable[[slice], Array]) -> Callable[[slice], tuple[Array, Array]]:
    """Return what gives rows with their squared norms."""

    def both(part: slice) -> tuple[Array, Array]:
        x = rows(part)
        return x, array.namespace(x).linalg.vecdot(x, x, axis=-1)

    return both


def _largest(rows: Callable[[slice], Any], n: int) -> tuple[float, float]:
    """Return the largest squared norm, and the precision in which it is known."""
    largest, precision = 0.0, 0.0
    for part in linalg.row_blocks(n):
        _, norms = rows(part)
        largest = max(largest, float(array.namespace(norms).max(norms)))
        precision = array.precision(norms)
    return largest, precision


def _squared_tile(left: tuple[Array, Array], right: tuple[Array, Array]) -> Array:
    squared = left[1][:, None] + right[1][None, :] - 2 * (left[0] @ right[0].T)
    # Negative only by rounding.
    return array.namespace(squared).clip(squared, min=0)
