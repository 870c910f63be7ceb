"""All layers of two models against each other, beside the bare products of their Gram matrices.

Run with ``make bench``, or ``python bench/layers.py``. The limit is the Gram matrix of every layer,
and one product of all of them, flattened; both are timed in turn in one process.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

import visavis as vv

LAYERS, ROWS, WIDTH, REPEATS = 20, 2048, 1024, 3


def layers(seed: int) -> dict[str, np.ndarray]:
    """Return layers that share a part."""
    rng = np.random.default_rng(seed)
    shared = np.random.default_rng(0).standard_normal((ROWS, 16), dtype=np.float32)
    return {
        f"layer{k}": rng.standard_normal((ROWS, WIDTH), dtype=np.float32)
        + shared @ rng.standard_normal((16, WIDTH), dtype=np.float32)
        for k in range(LAYERS)
    }


def bare(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the Gram matrices and the product of all of them."""
    flat = [np.stack([(X @ X.T).reshape(-1) for X in side.values()]) for side in (a, b)]
    return flat[0] @ flat[1].T


def reference(X: np.ndarray, Y: np.ndarray) -> float:
    """Return debiased CKA in float64, from its definition."""
    grams = []
    for Z in (X, Y):
        centred = Z.astype(np.float64) - Z.mean(axis=0, dtype=np.float64)
        K = centred @ centred.T
        np.fill_diagonal(K, 0)
        grams.append(K)
    n = len(X)

    def hsic(K: np.ndarray, L: np.ndarray) -> float:
        rows = K.sum(0) @ L.sum(0)
        return float((K * L).sum() + K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows)

    K, L = grams
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print medians, the ratio and the error."""
    a, b = layers(1), layers(2)
    calls = {
        "bare": lambda: bare(a, b),
        "cka": lambda: vv.compare(a, b, level=None, progress=False),
        "cka with intervals": lambda: vv.compare(a, b, progress=False),
        "cka, rbf": lambda: vv.compare(a, b, measure="cka(kernel=rbf)", level=None, progress=False),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(REPEATS + 1):
        for name, call in calls.items():
            elapsed = seconds(call)
            if repeat:
                times[name].append(elapsed)
    medians = {name: statistics.median(each) for name, each in times.items()}
    values = vv.compare(a, b, progress=False).values
    error = abs(values[0, 1] - reference(a["layer0"], b["layer1"]))
    print(f"{LAYERS} x {LAYERS} layers, n = {ROWS}, p = {WIDTH}, float32")
    for name, median in medians.items():
        print(f"{name}: {median:.2f} s, {median / medians['bare']:.2f} x the bare products")
    print(f"error of cka: {error:.1e}")


if __name__ == "__main__":
    main()
