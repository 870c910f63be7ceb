"""The data on which visavis and its peers are compared."""

import numpy as np

Array = np.ndarray
Pair = tuple[Array, Array]


def _published() -> Pair:
    legacy = np.random.RandomState(1337)
    X = legacy.randn(100, 10)
    return X, legacy.randn(100, 10) + X


def related(n: int, p: int, q: int, *, seed: int = 0, inner: int = 8) -> Pair:
    """Return two representations that share a part of low rank, with means and unequal scales."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, inner))
    X, Y = (
        (common @ rng.normal(size=(inner, width)) + rng.normal(size=(n, width)))
        * rng.uniform(0.5, 2, size=width)
        + rng.normal(size=width)
        for width in (p, q)
    )
    return X, Y


def _offset() -> Pair:
    X, Y = related(200, 50, 40)
    return (X + 1e4).astype(np.float32), (Y + 1e4).astype(np.float32)


def _small() -> Pair:
    X, Y = related(200, 50, 40)
    return 0.01 * X, 0.01 * Y


def _tied() -> Pair:
    rng = np.random.default_rng(1)
    X = rng.integers(0, 4, size=(120, 4)).astype(float)
    Y = np.where(rng.random(X.shape) < 0.5, X, rng.integers(0, 4, size=X.shape))
    return X, Y


def _unrelated() -> Pair:
    rng = np.random.default_rng(5)
    return rng.normal(size=(50, 30)), rng.normal(size=(50, 20))


def repeats() -> Pair:
    """Return four noisy measurements of each of 30 samples by two instruments, (30, 4, p)."""
    rng = np.random.default_rng(2)
    X, Y = related(30, 8, 6, seed=2)
    return tuple(
        Z[:, None, :] + rng.normal(size=(30, 4, w)) @ rng.normal(size=(w, w))
        for Z, w in ((X, 8), (Y, 6))
    )  # type: ignore[return-value]


DATA: dict[str, Pair] = {
    "published": _published(),
    "related": related(200, 50, 40),
    "offset": _offset(),
    "small": _small(),
    "wide": related(60, 200, 150),
    "tied": _tied(),
    "unrelated": _unrelated(),
    "repeats": repeats(),
}

WORDS = {
    "published": "the pair of seed 1337 that the demonstration of CKA uses, 100 × 10 and 100 × 10",
    "related": "200 × 50 and 200 × 40 with a common part of rank 8, means and unequal scales",
    "offset": "the same in float32 with 10⁴ added to every entry",
    "small": "the same, times 0.01",
    "wide": "60 × 200 and 60 × 150: more features than samples",
    "tied": "120 × 4 whole numbers from 0 to 3: equal distances and equal rows",
    "unrelated": "50 × 30 and 50 × 20, independent",
    "repeats": "30 samples, 4 measurements of each, in 8 and 6 features with correlated noise",
}
