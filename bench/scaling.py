"""How time grows: with samples, features, layers, and from one worker process to two.

Run with ``make bench``, or ``python bench/scaling.py``. Exponents are fitted to medians over a
doubling grid, beside what the operations say. Weak scaling gives two workers twice the work of one.
"""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import visavis as vv
from visavis.pairs.run import limited
from visavis.stats import Gram, crossed

REPEATS = 5


def side(layers: int, n: int, p: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random layers."""
    rng = np.random.default_rng(seed)
    return {f"layer{k}": rng.standard_normal((n, p), dtype=np.float32) for k in range(layers)}


def seconds(function: Callable[[], object]) -> float:
    """Return the median time of a call."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def exponent(sizes: list[int], times: list[float]) -> float:
    """Return the slope of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def compared(layers: int, n: int, p: int) -> Callable[[], object]:
    """Return a comparison of so many layers."""
    a = side(layers, n, p)
    return lambda: vv.compare(a, progress=False)


def met(layers: int, n: int) -> Callable[[], object]:
    """Return the pairs of so many layers, which were prepared before."""
    grams = [Gram.of(X, vv.kernels.linear()) for X in side(layers, n, 8).values()]
    return lambda: crossed(grams, grams)


GROWTH = {
    # The Gram form costs n² for every feature, and n² for every pair of layers.
    "samples, Gram form": ([1024, 1448, 2048, 2896], 2.0, lambda n: compared(2, n, 4096)),
    "features, Gram form": ([8192, 16384, 32768, 65536], 1.0, lambda p: compared(2, 1024, p)),
    # The feature form costs n for every pair of features.
    "samples, feature form": ([2**17, 2**18, 2**19], 1.0, lambda n: compared(1, n, 128)),
    "features, feature form": ([512, 1024, 2048], 2.0, lambda p: compared(1, 16384, p)),
    # Preparations grow with layers, pairs with their square: wide layers for the first, many for
    # the second.
    "layers, preparations": ([4, 8, 16, 32], 1.0, lambda k: compared(k, 1024, 8192)),
    "layers, pairs": ([64, 128, 256], 2.0, lambda k: met(k, 1024)),
}


def weak(folder: Path, workers: int) -> Callable[[], object]:
    """Return a comparison whose work is in proportion to the workers."""
    layers = 4 * workers
    for name in ("a", "b"):
        arrays: dict[str, Any] = dict(side(layers, 4096, 512, seed=ord(name)))
        np.savez(folder / f"{name}.npz", **arrays)
    a, b = (vv.load(folder / f"{name}.npz") for name in ("a", "b"))
    # Pairs of samples are what is divided: one layer on the other side keeps them in proportion.
    b = b.select([next(iter(b))])

    def run() -> None:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as executor:
            list(executor.map(abs, range(workers)))
            start = time.perf_counter()
            vv.compare(a, b, measure="cka(kernel=rbf)", executor=executor, progress=False)
            taken.append(time.perf_counter() - start)

    taken: list[float] = []
    run.__dict__["taken"] = taken
    return run


def product(_: int) -> float:
    """Return how long products take in one thread of this process."""
    A = np.ones((2048, 2048), np.float32)
    with limited(1):
        A @ A
        start = time.perf_counter()
        for _ in range(20):
            A @ A
        return time.perf_counter() - start


def ceiling() -> float:
    """Return the efficiency of two processes that do nothing but products."""
    spawn = multiprocessing.get_context("spawn")
    times = {}
    for workers in (1, 2):
        with ProcessPoolExecutor(workers, mp_context=spawn) as executor:
            rounds = [max(executor.map(product, range(workers))) for _ in range(REPEATS)]
        times[workers] = statistics.median(rounds)
    return times[1] / times[2]


def main() -> None:
    """Print exponents and the scaling."""
    print("growth | exponent | theory")
    for name, (sizes, theory, make) in GROWTH.items():
        times = [seconds(make(size)) for size in sizes]
        print(f"{name} | {exponent(sizes, times):.2f} | {theory:.0f}", flush=True)
    medians = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder, limited(1):
            run = weak(Path(folder), workers)
            for _ in range(REPEATS):
                run()
            medians[workers] = statistics.median(run.__dict__["taken"])
    print(
        f"weak scaling, one thread each: {medians[1]:.2f} s with one worker, {medians[2]:.2f} s "
        f"for twice the work with two: efficiency {100 * medians[1] / medians[2]:.0f} %; of bare "
        f"products in two processes {100 * ceiling():.0f} %"
    )


if __name__ == "__main__":
    main()
