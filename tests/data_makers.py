"""Seeded pairs of representations, plain and hostile.

Each maker returns `(X, Y)`: n samples by p and q features, float64 unless it says otherwise, Y
partly predictable from X. The same arguments give the same arrays. Cast afterwards for other
dtypes, and give the cast arrays to the oracle too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pair = tuple[Array, Array]
Maker = Callable[..., Pair]

# Factors that every scale-invariant measure must survive, by dtype.
FLOAT64_SCALES = (1e-150, 1e-30, 1e30, 1e150)
FLOAT32_SCALES = (1e-25, 1e25)


def reference_pair() -> Pair:
    """The pair (100 × 10, 100 × 10) of the published fixture values, seed 1337."""
    random = np.random.RandomState(1337)
    X = random.randn(100, 10)
    return X, random.randn(100, 10) + X


# Plain data: every measure has a value, and no arithmetic is in danger.


def related(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Gaussian X, and Y a random linear map of X plus noise of the same size."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((n, p))
    weights = random.standard_normal((p, q)) / np.sqrt(p)
    return X, X @ weights + random.standard_normal((n, q))


def independent(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Two independent Gaussians: similarity is chance alone."""
    random = np.random.default_rng(seed)
    return random.standard_normal((n, p)), random.standard_normal((n, q))


def decaying(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair mixed so that singular values fall by half from one to the next."""
    random = np.random.default_rng(seed + 1)
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return (
        X * 0.5 ** np.arange(p) @ random_rotation(p, random),
        Y * 0.5 ** np.arange(q) @ random_rotation(q, random),
    )


def relu_like(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair after a ReLU: non-negative, about half zeros."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return np.maximum(X, 0), np.maximum(Y, 0)


def integers(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair rounded to int64."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return (10 * X).round().astype(np.int64), (10 * Y).round().astype(np.int64)


def single_column(*, n: int = 40, seed: int = 0) -> Pair:
    """One feature on each side."""
    return related(n=n, p=1, q=1, seed=seed)


def rotated(*, n: int = 40, p: int = 6, scale: float = 3.0, seed: int = 0) -> Pair:
    """Y is X turned, scaled and shifted: every measure of the paper but HSIC says identical."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((n, p))
    return X, scale * X @ random_rotation(p, random) + random.standard_normal(p)


# Hostile data: every measure still has a value, and a careless formula loses it.


def offset(*, by: float = 1e4, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair with column means `by` standard deviations from zero, of either sign."""
    random = np.random.default_rng(seed + 1)
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return (
        X + by * X.std() * random.choice([-1.0, 1.0], size=p),
        Y + by * Y.std() * random.choice([-1.0, 1.0], size=q),
    )


def dead_columns(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """First column of each side all zero, second constant at a value binary cannot hold."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    X[:, 0], X[:, 1] = 0.0, 1e4 / 3
    Y[:, 0], Y[:, 1] = 0.0, -0.1
    return X, Y


def duplicate_columns(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Each column of X twice and the first of Y three times: rank below width."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return np.hstack([X, X]), np.hstack([Y, Y[:, :1], Y[:, :1]])


def duplicate_rows(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Second half of the samples repeats the first: distances of zero off the diagonal."""
    X, Y = related(n=-(-n // 2), p=p, q=q, seed=seed)
    return np.vstack([X, X])[:n], np.vstack([Y, Y])[:n]


def wide(*, n: int = 12, p: int = 300, q: int = 200, seed: int = 0) -> Pair:
    """Far more features than samples: rank n − 1 on both sides, where Theorem 1 holds."""
    return related(n=n, p=p, q=q, seed=seed)


def rank_one(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Both sides one direction times one column of weights."""
    random = np.random.default_rng(seed + 1)
    x, y = related(n=n, p=1, q=1, seed=seed)
    return x * random.standard_normal(p), y * random.standard_normal(q)


def orthonormal(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Centred orthonormal columns (p, q < n): all singular values of each side equal."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return np.linalg.qr(X - X.mean(axis=0))[0], np.linalg.qr(Y - Y.mean(axis=0))[0]


def heavy_tailed(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Cauchy features, Y sharing half of X: a few entries carry almost everything."""
    random = np.random.default_rng(seed)
    X = random.standard_cauchy((n, p))
    return X, X @ random.standard_normal((p, q)) + random.standard_cauchy((n, q))


def outlier_row(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair with one sample a thousand times larger on both sides."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    X[n // 2] *= 1e3
    Y[n // 2] *= 1e3
    return X, Y


def mixed_scales(*, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """Columns of the related pair from size 1 down to 1e-3."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return X * np.logspace(0, -3, p), Y * np.logspace(-3, 0, q)


def scaled(*, by: float = 1e150, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """The related pair, both sides multiplied by `by`."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return X * by, Y * by


# Degenerate data: no measure has a value, and the reason must be named.


def constant(*, value: float = 0.1, n: int = 40, p: int = 6, q: int = 5, seed: int = 0) -> Pair:
    """X the same number everywhere, Y plain."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    return np.full_like(X, value), Y


def spoiled(
    *,
    value: float = np.nan,
    row: int = 7,
    column: int = 2,
    n: int = 40,
    p: int = 6,
    q: int = 5,
    seed: int = 0,
) -> Pair:
    """The related pair with NaN, or another `value`, at one place of X."""
    X, Y = related(n=n, p=p, q=q, seed=seed)
    X[row, column] = value
    return X, Y


def random_rotation(p: int, random: np.random.Generator) -> Array:
    """An orthogonal (p, p) matrix, uniformly drawn."""
    Q, R = np.linalg.qr(random.standard_normal((p, p)))
    # QR alone prefers some rotations; with the signs of R's diagonal none is preferred.
    return Q * np.sign(np.diag(R))


PLAIN: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (related, independent, decaying, relu_like, integers, single_column, rotated)
}
HOSTILE: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        offset,
        dead_columns,
        duplicate_columns,
        duplicate_rows,
        wide,
        rank_one,
        orthonormal,
        heavy_tailed,
        outlier_row,
        mixed_scales,
        scaled,
    )
}
MAKERS = PLAIN | HOSTILE
