"""Shape space by its formulas: one rotation, one angle, and means by a general minimiser."""

import numpy as np
import scipy.linalg
import scipy.optimize

from .centring import Array, centred


def shape(X: Array, width: int) -> Array:
    """X̂ = Xc/‖Xc‖ with zero features up to a width."""
    Xc = centred(X)
    Xc = (Xc / np.sqrt((Xc**2).sum())).astype(np.float64)
    return np.pad(Xc, ((0, 0), (0, width - Xc.shape[1])))


def aligned(X: Array, Y: Array) -> tuple[Array, Array, float]:
    """X̂, ŶQ and the angle between them."""
    width = max(X.shape[1], Y.shape[1])
    x, y = shape(X, width), shape(Y, width)
    Q, _ = scipy.linalg.orthogonal_procrustes(y, x)
    y = y @ Q
    return x, y, 2 * np.arcsin(np.linalg.norm(x - y) / 2)


def geodesic(X: Array, Y: Array, t: float) -> Array:
    """[sin((1 − t)θ)X̂ + sin(tθ)ŶQ]/sin θ."""
    x, y, theta = aligned(X, Y)
    return (np.sin((1 - t) * theta) * x + np.sin(t * theta) * y) / np.sin(theta)


def log_map(X: Array, Y: Array) -> Array:
    """θ/sin θ·(ŶQ − cos θ·X̂)."""
    x, y, theta = aligned(X, Y)
    return theta / np.sin(theta) * (y - np.cos(theta) * x)


def angle(X: Array, Y: Array) -> float:
    """arccos of the nuclear norm of X̂ᵀŶ."""
    return aligned(X, Y)[2]


def variance_of_the_mean(Xs: list[Array]) -> float:
    """The least mean squared angle to all, by a minimiser that knows no geometry."""
    n, width = len(Xs[0]), max(X.shape[1] for X in Xs)

    def spread(flat: Array) -> float:
        return float(np.mean([angle(flat.reshape(n, width), X) ** 2 for X in Xs]))

    starts = [shape(X, width).ravel() for X in Xs]
    found = [
        scipy.optimize.minimize(spread, start, method="L-BFGS-B", options={"maxiter": 500}).fun
        for start in starts
    ]
    return min(found)
