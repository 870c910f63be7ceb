"""Distances of noisy representations at a given map, and the least over maps by plain descent."""

import numpy as np
import scipy.linalg
import scipy.optimize

from .centring import Array


def stochastic_shape_at(X: Array, Y: Array, Q: Array, *, form: str, **options: float) -> float:
    """√(mean over samples of D²) with Y turned by Q; X (m, r, p) and Y (m, s, p)."""
    X, Y = (Z - Z.mean(axis=1).mean(axis=0) for Z in (X, Y))
    ask = {"gaussian": gaussian_squared, "energy": energy_squared}[form]
    return float(np.sqrt(np.mean([ask(x, y @ Q, **options) for x, y in zip(X, Y, strict=True)])))


def gaussian_squared(x: Array, y: Array, alpha: float = 1.0) -> float:
    """α‖μ − ν‖² + (2 − α)(tr Σ + tr Ω − 2 tr (Σ^½ΩΣ^½)^½)."""
    mean = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    if alpha == 2:
        return alpha * mean
    sigma, omega = (np.atleast_2d(np.cov(z, rowvar=False)) for z in (x, y))
    root = _root(sigma)
    cross = np.trace(_root(root @ omega @ root))
    return alpha * mean + (2 - alpha) * (np.trace(sigma) + np.trace(omega) - 2 * cross)


def energy_squared(x: Array, y: Array, exponent: float = 1.0) -> float:
    """E‖x − y‖^q − ½E‖x − x′‖^q − ½E‖y − y′‖^q, every pair of repeats once."""

    def expected(a: Array, b: Array) -> float:
        return float(np.mean([np.linalg.norm(s - t) ** exponent for s in a for t in b]))

    return expected(x, y) - expected(x, x) / 2 - expected(y, y) / 2


def stochastic_shape_in_the_plane(X: Array, Y: Array, *, form: str, **options: float) -> float:
    """The least over all turns and reflections of two features, by looking at all of them."""

    def at(angle: float, flip: int) -> float:
        c, s = np.cos(angle), np.sin(angle)
        return stochastic_shape_at(
            X, Y, np.array([[c, -s], [flip * s, flip * c]]), form=form, **options
        )

    best = np.inf
    for flip in (1, -1):
        angles = np.linspace(0, 2 * np.pi, 181)
        start = angles[np.argmin([at(angle, flip) for angle in angles])]
        found = scipy.optimize.minimize_scalar(
            at, (start - 0.04, start, start + 0.04), args=(flip,), tol=1e-12
        )
        best = min(best, found.fun)
    return float(best)


def _root(A: Array) -> Array:
    values, vectors = scipy.linalg.eigh(A)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T
