"""Shapes as points of a sphere: centred representations of Frobenius norm 1, up to a turn."""

from dataclasses import dataclass

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import procrustes as formulas

# Roundings of a mean of tangents that vanishes.
SETTLED = 1e3


def point(X: Array) -> Array:
    """Return a representation centred and at Frobenius norm 1, in the widest float."""
    centred, _ = linalg.centred(X)
    return centred / array.namespace(X).linalg.matrix_norm(centred)


def turned(x: Array, y: Array) -> Array:
    """Return `y` after the orthogonal map that brings it nearest to `x`, both of one width."""
    xp = array.namespace(x, y)
    if x.shape[1] <= x.shape[0]:
        left, _, right = xp.linalg.svd(y.T @ x, full_matrices=False)
        return (y @ left) @ right
    # Both lie in n dimensions: they are turned there, and put where x is.
    basis, inner = xp.linalg.qr(x.T, mode="reduced")
    _, other = xp.linalg.qr(y.T, mode="reduced")
    left, _, right = xp.linalg.svd(other @ inner.T, full_matrices=False)
    return ((other.T @ left) @ right) @ basis.T


def angle(x: Array, y: Array) -> Array:
    """Return the angle between two shapes."""
    return formulas.formed(
        formulas.unit_squared_distance(x, y), (1.0, 1.0), (1.0, 1.0), form="angular", scale=True
    )


def log(x: Array, y: Array) -> Array:
    """Return the tangent at `x` that leads to `y`: as long as the angle between them."""
    xp = array.namespace(x, y)
    chord = turned(x, y) - x
    half = formulas.cut(xp.linalg.matrix_norm(chord) / 2)
    theta = 2 * xp.asin(half)
    # y − cos θ·x, without the difference of numbers near one.
    tangent = chord + 2 * half**2 * x
    sine = xp.sin(theta)
    some = sine > 0
    one = xp.ones_like(sine)
    return tangent * xp.where(some, theta / xp.where(some, sine, one), one)


def exp(x: Array, v: Array) -> Array:
    """Return where the tangent `v` at `x` leads."""
    xp = array.namespace(x, v)
    size = xp.linalg.matrix_norm(v)
    some, one = size > 0, xp.ones_like(size)
    return xp.cos(size) * x + v * xp.where(some, xp.sin(size) / xp.where(some, size, one), one)


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of shapes, the angles to them, and how the search ended."""

    shape: Array
    distances: Array
    iterations: int
    residual: float
    converged: bool


def mean(points: list[Array], iterations: int, tolerance: float | None) -> Mean:
    """Return the mean of shapes of one width: where the tangents to them have mean zero."""
    shape = points[0]
    xp = array.namespace(shape)
    enough = SETTLED * float(xp.finfo(shape.dtype).eps) if tolerance is None else tolerance
    steps, residual = 0, 0.0
    for steps in range(iterations + 1):
        tangents = xp.stack([log(shape, y) for y in points])
        step = xp.mean(tangents, axis=0)
        residual = float(array.constant(xp.linalg.matrix_norm(step)))
        if residual <= enough or steps == iterations:
            break
        # Back onto the sphere, from which rounding leads away.
        shape = point(exp(shape, step))
    distances = xp.stack([angle(shape, y) for y in points])
    return Mean(shape, distances, steps, residual, residual <= enough)
