"""Single-pair CKA against the bare matrix products that any form of it needs.

Run with ``make bench``, or ``python bench/pair.py --out docs/pair.png``. Both are timed in turn in
one process; the table gives medians and the ratio of medians, and the error against float64.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import visavis as vv

SHAPES = ((1000, 512, 512), (10000, 512, 512), (2000, 16384, 16384), (50000, 256, 256))
REPEATS = 9


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def bare_features(X: np.ndarray, Y: np.ndarray) -> object:
    """Compute the three products of the feature form."""
    return X.T @ X, Y.T @ Y, X.T @ Y


def bare_grams(X: np.ndarray, Y: np.ndarray) -> object:
    """Compute the two products of the Gram form."""
    return X @ X.T, Y @ Y.T


def reference(X: np.ndarray, Y: np.ndarray, estimator: str) -> float:
    """Return CKA in float64, straight from the definition on Gram matrices or features."""
    X, Y = (Z.astype(np.float64) - Z.mean(axis=0, dtype=np.float64) for Z in (X, Y))
    n = len(X)
    a, b = (X**2).sum(1), (Y**2).sum(1)

    def inner(P: np.ndarray, Q: np.ndarray, p: np.ndarray, q: np.ndarray) -> float:
        if n < P.shape[1]:
            cross = float(((P @ P.T) * (Q @ Q.T)).sum())
        else:
            cross = float(((P.T @ Q) ** 2).sum())
        if estimator == "biased":
            return cross
        return cross - n / (n - 2) * float(p @ q) + p.sum() * q.sum() / ((n - 1) * (n - 2))

    return inner(X, Y, a, b) / np.sqrt(inner(X, X, a, a) * inner(Y, Y, b, b))


def measure(shape: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """Time one shape; return medians in seconds, ratios and errors."""
    n, p, q = shape
    rng = np.random.default_rng(0)
    # Offsets and a shared part, as activations have them.
    shared = rng.standard_normal((n, 16), dtype=np.float32)
    X = rng.standard_normal((n, p), dtype=np.float32) + shared @ rng.standard_normal(
        (16, p), dtype=np.float32
    )
    Y = rng.standard_normal((n, q), dtype=np.float32) + shared @ rng.standard_normal(
        (16, q), dtype=np.float32
    )
    X += 1
    bares = {"features": bare_features, "grams": bare_grams}
    # The form that is far from the cheaper one would not fit in memory.
    if p > 4 * n:
        del bares["features"]
    if n > 4 * p:
        del bares["grams"]
    calls: dict[str, Callable[[], object]] = {
        **{name: lambda f=f: f(X, Y) for name, f in bares.items()},
        "biased": lambda: vv.cka(X, Y, estimator="biased"),
        "debiased": lambda: vv.cka(X, Y),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        turn = repeat % len(calls)  # nobody always follows the same one, whose memory it inherits
        for name in [*list(calls)[turn:], *list(calls)[:turn]]:
            elapsed = seconds(calls[name])
            if repeat:  # the first round warms caches and allocators
                times[name].append(elapsed)
    medians = {name: statistics.median(each) for name, each in times.items()}
    bare = min(medians[name] for name in bares)
    return {
        "bare": bare,
        **{f"{name} ratio": medians[name] / bare for name in ("biased", "debiased")},
        **{
            f"{name} error": abs(float(vv.cka(X, Y, estimator=name)) - reference(X, Y, name))
            for name in ("biased", "debiased")
        },
    }


def draw(results: dict[tuple[int, int, int], dict[str, float]], path: str) -> None:
    """Draw the ratios as bars beside the bare products."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    positions = np.arange(len(results))
    for offset, name in ((-0.2, "biased"), (0.2, "debiased")):
        ratios = [each[f"{name} ratio"] for each in results.values()]
        bars = axes.bar(positions + offset, ratios, 0.36, label=f"cka, {name}")
        axes.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios])
    axes.axhline(1, color="black", linewidth=1, label="bare products")
    axes.set_xticks(positions, [f"n={n}\np={p}\nq={q}" for n, p, q in results])
    axes.set_ylabel("time / bare products")
    axes.legend(loc="upper right", ncols=3, frameon=False)
    axes.set_ylim(0, max(2.0, axes.get_ylim()[1] * 1.15))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Time every shape and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="also draw the ratios to this file")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    results = {}
    header = ("n, p, q", "bare ms", "biased", "debiased", "error", "error debiased")
    print(" | ".join(header))
    for shape in SHAPES:
        results[shape] = found = measure(shape, arguments.repeats)
        print(
            f"{shape} | {1e3 * found['bare']:.1f} | {found['biased ratio']:.2f} | "
            f"{found['debiased ratio']:.2f} | {found['biased error']:.1e} | "
            f"{found['debiased error']:.1e}",
            flush=True,
        )
    if arguments.out:
        draw(results, arguments.out)


if __name__ == "__main__":
    main()
