"""Streaming CKA of any number of rows, beside the bare products of the batches.

Run with ``make bench``, or ``python bench/stream.py``. The limit is XᵀX, YᵀY and XᵀY of every
batch, added up in float32. Both are timed in turn in one process; medians.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

import visavis as vv

WIDTH, ROWS, REPEATS = 256, 10**6, 3


def bare(X: np.ndarray, Y: np.ndarray, size: int, total: int) -> np.ndarray:
    """Add up the products of every batch."""
    sums = [np.zeros((WIDTH, WIDTH), np.float32) for _ in range(3)]
    for start in range(0, total, size):
        at = start % (len(X) - size + 1)
        x, y = X[at : at + size], Y[at : at + size]
        sums[0] += x.T @ x
        sums[1] += y.T @ y
        sums[2] += x.T @ y
    return sums[2]


def ours(X: np.ndarray, Y: np.ndarray, size: int, total: int, products: str) -> float:
    """Stream the same batches."""
    moments = vv.Moments.empty(products=products)
    for start in range(0, total, size):
        at = start % (len(X) - size + 1)
        moments = moments.update(X[at : at + size], Y[at : at + size])
    return float(moments.cka())


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print microseconds a row, the ratio and the error."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2**16, WIDTH), dtype=np.float32)
    Y = X @ rng.standard_normal((WIDTH, WIDTH), dtype=np.float32) / 16 + rng.standard_normal(
        X.shape, dtype=np.float32
    )
    print(f"n = {ROWS}, p = q = {WIDTH}, float32: microseconds a row")
    for size in (256, 4096):
        calls = {
            "bare": lambda size=size: bare(X, Y, size, ROWS),
            "input": lambda size=size: ours(X, Y, size, ROWS, "input"),
            "float64": lambda size=size: ours(X, Y, size, ROWS, "float64"),
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(REPEATS):
            for name, call in calls.items():
                times[name].append(seconds(call))
        t = {name: statistics.median(each) / ROWS * 1e6 for name, each in times.items()}
        print(
            f"batches of {size}: bare {t['bare']:.2f}; products in the precision of the input "
            f"{t['input']:.2f} ({t['input'] / t['bare']:.2f} x); in float64 {t['float64']:.2f} "
            f"({t['float64'] / t['bare']:.2f} x)"
        )
    exact = float(vv.cka(X.astype(np.float64), Y.astype(np.float64)))
    print(f"error on {len(X)} rows: {abs(ours(X, Y, 4096, len(X), 'input') - exact):.1e}")


if __name__ == "__main__":
    main()
