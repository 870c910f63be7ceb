"""How often tests at 5 % reject where there is nothing to find."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from bench.calibration import populations
from bench.calibration.study import Counts, Study

import visavis as vv

REPETITIONS, DEAR = 2000, 600
Pair = tuple[np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator], Any]


def studies() -> Iterator[Study]:
    """Yield the simulations."""
    yield from permutations()
    yield from layers()
    yield from differences()
    yield from seeds()


def _study(name: str, run: Callable[[np.random.Generator], Counts], level: float = 0.05) -> Study:
    name = f"size; {name}"
    dear = ("linear", "n=1200", "difference; .*n=200", "drift")
    repetitions = DEAR if any(re.search(part, name) for part in dear) else REPETITIONS
    return Study(name, repetitions, lambda random: {name: run(random)}, {name: {"level": level}})


def _pairs(one: Callable[[np.random.Generator], np.ndarray]) -> Draw:
    return lambda random: (one(random), one(random))


def _normal(random: np.random.Generator) -> np.ndarray:
    return random.normal(size=(30, 3))


def _steep(random: np.random.Generator) -> np.ndarray:
    return random.normal(size=(100, 100)) / np.arange(1, 101)


def _heavy(random: np.random.Generator) -> np.ndarray:
    return populations.sizes(random, 60)[:, None] * random.normal(size=(60, 20))


def _relu(random: np.random.Generator) -> np.ndarray:
    hidden = random.normal(size=(50, 8)) @ random.normal(size=(8, 40))
    return np.maximum(hidden, 0)


def _outlier(random: np.random.Generator) -> np.ndarray:
    X = random.normal(size=(50, 10))
    X[random.integers(50)] *= 8
    return X


CLASSES = np.repeat(np.arange(5), [30, 20, 20, 15, 15])
GROUPS = np.repeat(np.arange(24), np.resize([3, 4, 5], 24))


def _of_classes(random: np.random.Generator) -> np.ndarray:
    return 2 * random.normal(size=(5, 6))[CLASSES] + random.normal(size=(100, 6))


def _of_groups(random: np.random.Generator) -> np.ndarray:
    return populations.grouped(random, GROUPS, 20, 0.5)


def _series(phi: float) -> Callable[[np.random.Generator], np.ndarray]:
    def draw(random: np.random.Generator) -> np.ndarray:
        X = random.normal(size=(260, 3))
        for t in range(1, 260):
            X[t] += phi * X[t - 1]
        return X[60:]

    return draw


def _walk(random: np.random.Generator) -> np.ndarray:
    return np.cumsum(random.normal(size=(200, 3)), axis=0)


DATA = {"normal, n=30": _normal, "1/k, n=100": _steep, "t rows, n=60": _heavy, "ReLU, n=50": _relu}


def permutations() -> Iterator[Study]:
    """Yield tests of one pair."""
    for told, one in {**DATA, "one outlier each, n=50": _outlier}.items():
        for kind, options in {
            "permutations": {"n": 400},
            "permutations, biased cka": {"n": 400, "measure": "cka(estimator=biased)"},
            "moments, else permutations": {"n": 400, "method": "auto"},
            "moments, else permutations, biased cka": {
                "n": 400,
                "method": "auto",
                "measure": "cka(estimator=biased)",
            },
        }.items():
            yield _tested(f"{kind}; {told}", _pairs(one), options)
    rbf = {"n": 400, "measure": "cka(kernel=rbf)"}
    yield _tested("permutations, rbf; normal, n=30", _pairs(_normal), rbf)
    yield _study("permutations by features; 1/k, n=1200", _features)
    within = {"n": 400, "within": CLASSES}
    yield _tested("within classes; 5 classes, n=100", _pairs(_of_classes), within)
    yield _tested("across classes (wrong); 5 classes, n=100", _pairs(_of_classes), {"n": 400})
    groups = {"n": 400, "groups": GROUPS}
    yield _tested("of groups; 24 groups, n=96", _pairs(_of_groups), groups)
    yield _tested("of rows in groups (wrong); 24 groups, n=96", _pairs(_of_groups), {"n": 400})
    for phi in (0.0, 0.5, 0.9):
        draw = _pairs(_series(phi))
        yield _tested(f"cyclic shifts; AR({phi}), n=200", draw, {"series": "cyclic"})
        yield _tested(f"linear shifts; AR({phi}), n=200", draw, {"series": "linear"})
        yield _tested(f"rows of a series (wrong); AR({phi}), n=200", draw, {"n": 400})
    mixed: Draw = lambda random: (_series(0.5)(random), _walk(random))  # noqa: E731
    yield _tested("linear shifts; AR(0.5) and a walk, n=200", mixed, {"series": "linear"})
    yield _tested("cyclic shifts (wrong); two walks, n=200", _pairs(_walk), {"series": "cyclic"})


def _tested(name: str, draw: Draw, options: dict[str, Any]) -> Study:
    def run(random: np.random.Generator) -> Counts:
        X, Y = draw(random)
        seed = int(random.integers(2**31))
        found = vv.inference.permutation_test(X, Y, **options, seed=seed)
        return {"rejected": found.pvalue <= 0.05, "by_moments": found.draws == 0}

    return _study(name, run)


def _features(random: np.random.Generator) -> Counts:
    X, Y = (random.normal(size=(1200, 6)) / np.arange(1, 7) for _ in "xy")
    seed = int(random.integers(2**31))
    return {"rejected": vv.inference.permutation_test(X, Y, seed=seed).pvalue <= 0.05}


def layers() -> Iterator[Study]:
    """Yield tests of all layers of two nets that have nothing in common."""
    for method in ("permutations", "auto"):
        told = {"auto": "moments, else permutations"}.get(method, method)

        def run(random: np.random.Generator, method: str = method) -> Counts:
            a, b = (_net(random) for _ in "ab")
            seed = int(random.integers(2**31))
            found = vv.inference.layer_tests(a, b, n=400, method=method, seed=seed)
            return {
                "rejected": found.adjusted.min() <= 0.05,
                "best": found.best[0] <= 0.05,
                "uncorrected": found.pvalues.min() <= 0.05,
                "by_moments": found.draws == 0,
            }

        yield _study(f"any of 4 x 4 layers, {told}; n=60", run)


def _net(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return four layers, each a map of the one before."""
    X, found = random.normal(size=(60, 10)), {}
    for k in range(4):
        X = np.tanh(X @ random.normal(size=(X.shape[1], 10)) / 3)
        found[f"layer{k}"] = X
    return found


def differences() -> Iterator[Study]:
    """Yield tests of a difference that is none (INFERENCE §4)."""
    for n in (50, 200):
        for kind in ("copies", "rotated", "halves", "none"):

            def run(random: np.random.Generator, n: int = n, kind: str = kind) -> Counts:
                found = vv.inference.difference(*_triple(random, n, kind))
                return {"rejected": found.evidence["pvalue"] <= 0.05}

            yield _study(f"difference; {kind}, n={n}", run)


def _triple(random: np.random.Generator, n: int, kind: str) -> tuple[np.ndarray, ...]:
    X, E, F = random.normal(size=(3, n, 8))
    if kind == "copies":
        return X, X + E, X + F
    if kind == "rotated":
        turn = np.linalg.qr(random.normal(size=(8, 8)))[0]
        return X, X + E, (X + F) @ turn
    if kind == "halves":
        halves = np.repeat([[1.0, 0.0]], 4, axis=0).T.reshape(-1)
        return X, X * halves + 0.5 * E, X * (1 - halves) + 0.5 * F
    return X, E, F


def seeds() -> Iterator[Study]:
    """Yield tests between groups of seeds, and of drift beyond them."""

    def nets(random: np.random.Generator, count: int) -> list[np.ndarray]:
        shared = random.normal(size=(40, 6))
        return [shared + random.normal(size=(40, 6)) for _ in range(count)]

    def groups(random: np.random.Generator) -> Counts:
        runs = nets(random, 10)
        return {"rejected": vv.inference.group_difference(runs[:5], runs[5:]).pvalue <= 0.05}

    def drift(random: np.random.Generator) -> Counts:
        *base, tuned = nets(random, 20)
        found = vv.inference.drift(base, tuned)
        return {"rejected": found.test.pvalue <= 0.05, "beyond": found.excess.low > 0}

    def parent(random: np.random.Generator) -> Counts:
        *base, tuned = nets(random, 21)
        found = vv.inference.drift(base, tuned, parent=0)
        return {"rejected": found.test.pvalue <= 0.05, "beyond": found.excess.low > 0}

    # Of 126 ways to part ten nets six are 4.8 %.
    yield _study("group difference; 5 and 5 seeds", groups, 6 / 126)
    yield _study("drift; 19 seeds", drift)
    yield _study("drift from a parent; 20 seeds", parent)
