"""Permutation tests, beside the Gram matrices that they start from.

Run with ``make bench``, or ``python bench/permutations.py``.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

import visavis as vv

REPEATS = 7


def seconds(function: Callable[[], object]) -> float:
    """Return the median time of a call."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the times."""
    rng = np.random.default_rng(0)
    X, Y = (rng.standard_normal((500, 64), dtype=np.float32) for _ in range(2))
    bare = seconds(lambda: (X @ X.T, Y @ Y.T))
    test = seconds(lambda: vv.inference.permutation_test(X, Y, n=1000))
    print(f"1000 permutations of n = 500: {test:.3f} s; the two Gram matrices: {bare:.4f} s")
    a, b = (
        {f"layer{k}": rng.standard_normal((1000, 256), dtype=np.float32) for k in range(20)}
        for _ in range(2)
    )
    matrix = seconds(lambda: vv.compare(a, b, progress=False))
    tests = seconds(lambda: vv.inference.layer_tests(a, b, n=1000))
    intervals = seconds(lambda: vv.inference.layer_intervals(a, b))
    print(f"intervals of 20 x 20 layers: {intervals:.2f} s, {intervals / matrix:.2f} x the values")
    print(
        f"20 x 20 layers, n = 1000, 1000 permutations: {tests:.2f} s; the comparison: {matrix:.2f}"
    )


if __name__ == "__main__":
    main()
