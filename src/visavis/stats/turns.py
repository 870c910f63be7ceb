"""Repeats of each sample as distributions, and the turn that brings two sets of them together.

The best orthogonal map has no closed form. It is approached by majorisation: at the map Q of a
step, a bound of the objective that touches it at Q is a Procrustes problem, so every step lowers
the objective. Steps are taken from a little beyond where the last one ended, as long as that
lowers it too: so a tenth of them will do. Starts are taken from both sides alike, and turn along
with them: neither exchanging the sides nor turning one of them changes more than the rounding.
"""

import math
from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core import array, repeats
from visavis._core.types import Array
from visavis.linalg.padding import padded

# A start is followed for some steps, the best of them to the end.
SCOUTED, FOLLOWED = 30, 2000
# The end: a step turns the rows by no more than this part of the root of a rounding, relative to
# their size. What is left of the way counts in the square.
SETTLED = 0.25
# Distances of pairs that are this small beside the largest weigh no more for being smaller.
NEAREST = 1e-9


@dataclass(frozen=True, eq=False)
class Clouds:
    """The repeats of each sample.

    Parameters
    ----------
    rows : array, (m, r, p)
        Repeats, minus the mean of the sample means.
    means : array, (m, p)
        Their means.
    spread : array, (m, min(r, p), p)
        Factors S of the covariance SᵀS of each sample, with r − 1 degrees of freedom.
    """

    rows: Array
    means: Array
    spread: Array

    @classmethod
    def of(cls, X: Array) -> "Clouds":
        """Return the clouds of repeats (m, r, p)."""
        X = array.widen(X if array.recording(X) else array.host(X))
        xp = array.namespace(X)
        flat = repeats.flat(X)
        m, r, p = X.shape
        flat = flat - linalg.shift_of(flat)
        flat = flat - xp.mean(flat, axis=0)
        if p > m * r and not array.recording(X):
            # A turn into the span of the rows changes no distance.
            flat = _triangle(flat.T).T
        rows = xp.reshape(flat, (m, r, flat.shape[1]))
        means = xp.mean(rows, axis=1)
        noise = rows - means[:, None, :]
        if r > rows.shape[2] and not array.recording(X):
            noise = _triangle(noise)
        return cls(rows, means, noise / max(r - 1, 1) ** 0.5)

    def scaled(self, unit: Array | float) -> "Clouds":
        """Return the clouds times `unit`."""
        return Clouds(*(linalg.scaled(Z, unit) for Z in (self.rows, self.means, self.spread)))

    def wider(self, width: int) -> "Clouds":
        """Return the clouds with zero features up to a width."""
        return Clouds(*(padded(Z, width, -1) for Z in (self.rows, self.means, self.spread)))

    def taller(self, rank: int) -> "Clouds":
        """Return the clouds with zero rows in the factors up to a rank."""
        return Clouds(self.rows, self.means, padded(self.spread, rank, 1))

    def constant(self) -> "Clouds":
        """Return the clouds as constants of differentiation."""
        held = (array.constant(Z) for Z in (self.rows, self.means, self.spread))
        return Clouds(*(array.host(Z) for Z in held))


def common(x: Clouds, y: Clouds) -> tuple[Clouds, Clouds, Array | float]:
    """Return both clouds at one width and in one unit, and that unit."""
    xp = array.namespace(x.rows)
    unit = array.power_of_two(xp.maximum(*(xp.max(xp.abs(each.rows)) for each in (x, y))))
    width = max(x.rows.shape[2], y.rows.shape[2])
    rank = max(x.spread.shape[1], y.spread.shape[1])
    x, y = (each.scaled(unit).wider(width).taller(rank) for each in (x, y))
    return x, y, unit


@dataclass(frozen=True)
class Gaussian:
    """α‖μ − νQ‖² + (2 − α)·(Bures distance of Σ and QᵀΩQ)², averaged over samples.

    The Bures distance is itself a Procrustes problem: min ‖S − UTQ‖ over orthogonal U for factors
    S and T of the covariances.
    """

    alpha: float

    def step(self, x: Clouds, y: Clouds, Q: Array) -> tuple[Array, Array]:
        """Return the better map that follows `Q`, and what is to be lowered at `Q`."""
        xp = array.namespace(x.means)
        U, overlap = polar(x.spread @ _transposed(y.spread @ Q))
        spread, means = 2 - self.alpha, self.alpha
        pulled = xp.sum(_transposed(y.spread) @ (_transposed(U) @ x.spread), axis=0)
        value = -means * xp.sum(x.means * (y.means @ Q)) - spread * xp.sum(overlap)
        return polar(means * (y.means.T @ x.means) + spread * pulled)[0], value

    def squared(self, x: Clouds, y: Clouds, Q: Array) -> Array:
        """Return the squared distance at `Q`, from what is left and not from a difference."""
        xp = array.namespace(x.means)
        value = self.alpha * xp.sum((x.means - y.means @ Q) ** 2)
        if self.alpha < 2:
            U, _ = polar(array.constant(x.spread @ _transposed(y.spread @ Q)))
            left = x.spread - U @ (y.spread @ Q)
            value = value + (2 - self.alpha) * xp.sum(left**2)
        return value / x.means.shape[0]


@dataclass(frozen=True)
class Energy:
    """E‖x − yQ‖^q − ½E‖x − x′‖^q − ½E‖y − y′‖^q of all pairs of repeats, averaged over samples.

    Steps are of iteratively reweighted least squares.
    """

    exponent: float

    def step(self, x: Clouds, y: Clouds, Q: Array) -> tuple[Array, Array]:
        """Return the better map that follows `Q`, and what is to be lowered at `Q`."""
        xp = array.namespace(x.rows)
        squared = _pairs_squared(x.rows, y.rows @ Q)
        floor = NEAREST**2 * xp.max(squared)
        weights = xp.maximum(squared, floor + xp.zeros_like(squared)) ** (self.exponent / 2 - 1)
        pulled = xp.sum(_transposed(y.rows) @ (_transposed(weights) @ x.rows), axis=0)
        return polar(pulled)[0], xp.sum(squared * weights)

    def squared(self, x: Clouds, y: Clouds, Q: Array) -> Array:
        """Return the squared distance at `Q`."""
        xp = array.namespace(x.rows)
        turned = y.rows @ Q
        between, *within = (
            xp.mean(self._powers(a, b))
            for a, b in ((x.rows, turned), (x.rows, x.rows), (turned, turned))
        )
        value = between - sum(within) / 2
        # Below zero only by rounding: it is a squared distance of two empirical distributions.
        return xp.maximum(value, xp.zeros_like(value))

    def _powers(self, a: Array, b: Array) -> Array:
        """Return ‖a_i − b_j‖^q for all pairs, from differences: the near ones keep their digits."""
        xp = array.namespace(a)
        rows = [
            xp.linalg.vecdot(a[:, k, None, :] - b, a[:, k, None, :] - b, axis=-1)
            for k in range(a.shape[1])
        ]
        squared = xp.stack(rows, axis=1)
        some = squared > 0  # the root of zero has no derivative
        root = xp.where(some, squared, xp.ones_like(squared)) ** (self.exponent / 2)
        return xp.where(some, root, xp.zeros_like(root))


Objective = Gaussian | Energy


def best(objective: Objective, x: Clouds, y: Clouds, restarts: int, seed: int) -> Array:
    """Return the best orthogonal map that was found, (p, p), a constant of differentiation."""
    x, y = x.constant(), y.constant()
    ends = [_followed(objective, x, y, start, SCOUTED) for start in _starts(x, y, restarts, seed)]
    values = [float(objective.squared(x, y, Q)) for Q in ends]
    return _followed(objective, x, y, ends[int(np.argmin(values))], FOLLOWED)


def polar(A: Array) -> tuple[Array, Array]:
    """Return the orthogonal factors Q of matrices (…, p, p), which maximise tr(AᵀQ), and that."""
    xp = array.namespace(A)
    left, values, right = xp.linalg.svd(A, full_matrices=False)
    return left @ right, xp.sum(values, axis=-1)


def _followed(objective: Objective, x: Clouds, y: Clouds, Q: Array, steps: int) -> Array:
    xp = array.namespace(Q)
    rows = repeats.flat(y.rows)
    end = SETTLED * float(xp.finfo(Q.dtype).eps) ** 0.5 * xp.linalg.matrix_norm(rows)
    before, least, run = Q, math.inf, 0
    for _ in range(steps):
        # The momentum of Nesterov, which begins again where it has led too far.
        origin = polar(Q + run / (run + 3) * (Q - before))[0] if run else Q
        after, value = objective.step(x, y, origin)
        run += 1
        if run > 1 and value > least:
            origin, run = Q, 1
            after, value = objective.step(x, y, origin)
        before, Q, least = Q, after, value
        if xp.linalg.matrix_norm(rows @ (after - origin)) <= end:
            break
    return Q


def _starts(x: Clouds, y: Clouds, restarts: int, seed: int) -> list[Array]:
    """Return maps to start from: by the means, and by the axes of randomly weighted moments."""
    xp = array.namespace(x.means)
    random = np.random.default_rng(seed)
    by_axes = [_by_axes(x, y, *_weights(x, random, first=k == 0)) for k in range(restarts)]
    cross = y.means.T @ x.means
    size = xp.linalg.matrix_norm(cross)
    if not array.read(size):
        return by_axes
    # Where the means do not say where to turn to, the axes do.
    return [polar(cross / size + 1e-3 * by_axes[0])[0], *by_axes]


def _weights(x: Clouds, random: np.random.Generator, *, first: bool) -> tuple[Array, Array]:
    xp, m = array.namespace(x.means), x.means.shape[0]
    drawn = (np.ones(m) if first else random.exponential(size=m), random.standard_normal(m))
    device = array.device(x.means)
    plain, signed = (xp.asarray(w, dtype=x.means.dtype, device=device) for w in drawn)
    return plain, signed


def _by_axes(x: Clouds, y: Clouds, plain: Array, signed: Array) -> Array:
    """Return the map between the principal axes of second moments, weighted over samples.

    Axes have no sign. Signs are those under which the moments at other weights, seen in these
    axes, and the means agree best: the signs of a leading eigenvector.
    """
    xp = array.namespace(x.means)
    left, right = (xp.linalg.eigh(_moment(each, plain))[1] for each in (x, y))
    seen = [axes.T @ _moment(each, signed) @ axes for each, axes in ((x, left), (y, right))]
    agree = seen[0] * seen[1]
    off = 1 - xp.eye(agree.shape[0], dtype=agree.dtype, device=array.device(agree))
    agree = _unit(agree * off)
    means = _unit(xp.sum((x.means @ left) * (y.means @ right), axis=0)[:, None])
    corner = xp.zeros_like(means[:1, :])
    table = xp.concat(
        [xp.concat([agree, means], axis=1), xp.concat([means.T, corner], axis=1)], axis=0
    )
    leading = xp.linalg.eigh(table)[1][:, -1]
    signs = xp.where(leading[:-1] * leading[-1] < 0, -xp.ones_like(leading[:-1]), 1.0)
    if not array.read(xp.max(xp.abs(means))):
        signs = xp.where(leading[:-1] < 0, -xp.ones_like(leading[:-1]), 1.0)
    return (right * signs) @ left.T


def _moment(each: Clouds, weights: Array) -> Array:
    factors = array.namespace(weights).concat([each.means[:, None, :], each.spread], axis=1)
    weighted = factors * weights[:, None, None]
    return repeats.flat(weighted).T @ repeats.flat(factors)


def _unit(A: Array) -> Array:
    size = array.namespace(A).linalg.matrix_norm(A)
    return A / size if array.read(size) else A


def _pairs_squared(a: Array, b: Array) -> Array:
    """Return ‖a_i − b_j‖² for all pairs of each sample, to the rounding of the norms."""
    xp = array.namespace(a)
    of_a, of_b = (xp.linalg.vecdot(each, each, axis=-1) for each in (a, b))
    squared = of_a[:, :, None] + of_b[:, None, :] - 2 * (a @ _transposed(b))
    return xp.maximum(squared, xp.zeros_like(squared))


def _triangle(A: Array) -> Array:
    return array.namespace(A).linalg.qr(A, mode="reduced")[1]


def _transposed(A: Array) -> Array:
    return array.namespace(A).matrix_transpose(A)
