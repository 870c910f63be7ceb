"""Sums of k representations over the same rows, closed under a change of the mean.

For representations x, y, ... of the same samples, with squared norms a, b, ... of the centred rows,
there are per pair (i, j) the sums ``Σ x_i x_jᵀ``, ``Σ x_i a_j`` and ``Σ a_i a_j``: with them the
debiased HSIC of all rows is known, and every other linear measure with the first alone. A change
of the mean maps these sums to each other (`_translated`), so sums over parts merge exactly.
Each batch is centred on its own mean before any product; what is added up is float64.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import hsic
from visavis.stats.features import from_features


@dataclass(frozen=True, eq=False)
class Sums:
    """Centred sums of k representations over the same n rows.

    Parameters
    ----------
    n : int
        Number of rows.
    means : tuple of array, (p_i,)
        Column means in units.
    units : tuple of float or 0-d array
        What each representation was multiplied by; the sums are in these units.
    second : mapping (i, j) to array (p_i, p_j), i <= j
        Σ x_i x_jᵀ of the centred rows.
    third : mapping (i, j) to array (p_i,)
        Σ x_i a_j, with a_j the squared norm of the centred row of representation j.
    fourth : mapping (i, j) to 0-d array, i <= j
        Σ a_i a_j.
    """

    n: int
    means: tuple[Array, ...]
    units: tuple[Array | float, ...]
    second: Mapping[tuple[int, int], Array]
    third: Mapping[tuple[int, int], Array]
    fourth: Mapping[tuple[int, int], Array]

    def trace(self, i: int) -> Array:
        """Return Σ a_i."""
        xp = array.namespace(self.second[i, i])
        return xp.linalg.trace(self.second[i, i])

    def product(self, i: int, j: int) -> Array:
        """Return Σ x_i x_jᵀ for i and j in any order."""
        return self.second[i, j] if i <= j else self.second[j, i].T

    def hsic(self, i: int, j: int, estimator: str) -> Array:
        """Return the linear HSIC of two representations, in their units."""
        cross = self.product(i, j)
        norms = self.fourth[min(i, j), max(i, j)]
        traces = self.trace(i) * self.trace(j)
        return from_features(linalg.inner(cross, cross), norms, traces, self.n, estimator)

    def norm(self, i: int, estimator: str) -> Array:
        """Return the root of the HSIC of one with itself; zero where that is rounding error."""
        eps = float(array.namespace(self.means[i]).finfo(self.means[i].dtype).eps)
        size = self.fourth[i, i] / self.n**2
        return hsic.norm(self.hsic(i, i, estimator), size, precision=eps)


def summed(X: tuple[Array, ...]) -> Sums:
    """Return the sums of one batch, each representation (n, p_i)."""
    shifts = tuple(linalg.shift_of(x) for x in X)
    sums = _about(X, shifts, (1.0,) * len(X))
    if all(_comfortable(sums, i, x) for i, x in enumerate(X)):
        return sums
    # Squares would overflow or underflow: bring each representation to a peak near 1 first.
    units = tuple(_unit(x, shift) for x, shift in zip(X, shifts, strict=True))
    return _about(X, shifts, units)


def _unit(x: Array, shift: Array) -> Array | float:
    moved = x - shift
    peak = array.read(array.namespace(x).max(array.namespace(x).abs(moved)))
    # Rows that do not vary, a single row above all, have the scale of what they are.
    return linalg.unit_of(x if peak == 0 else moved)


def _comfortable(sums: Sums, i: int, x: Array) -> bool:
    """Whether fourth powers of the representation stay well inside the range of its dtype."""
    xp = array.namespace(x)
    largest = float(xp.finfo(x.dtype).max) ** 0.75
    size = array.read(sums.fourth[i, i])
    return size is not None and 1 / largest < size / sums.n < largest


def _about(
    X: tuple[Array, ...], shifts: tuple[Array, ...], units: tuple[Array | float, ...]
) -> Sums:
    """Return the sums of one batch, products taken about `shifts` and in `units`."""
    xp = array.namespace(*X)
    n, k = X[0].shape[0], range(len(X))
    first: list[Array] = []
    second: dict[tuple[int, int], Array] = {}
    third: dict[tuple[int, int], Array] = {}
    fourth: dict[tuple[int, int], Array] = {}
    for rows in linalg.row_blocks(n):
        x = [_scaled(X[i][rows, :] - shifts[i], units[i]) for i in k]
        norms = xp.stack([xp.vecdot(each, each, axis=-1) for each in x])
        # One narrow product for the sums of x itself and of x weighted by each norm.
        weights = xp.concat([xp.ones_like(norms[:1, :]), norms])
        weighted = [array.widen(weights @ each) for each in x]
        first = _added(first, [w[0, :] for w in weighted])
        _add(third, {(i, j): weighted[i][j + 1, :] for i in k for j in k})
        _add(second, {(i, j): array.widen(x[i].T @ x[j]) for i in k for j in k if i <= j})
        between = array.widen(norms) @ array.widen(norms).T
        _add(fourth, {(i, j): between[i, j] for i in k for j in k if i <= j})
    means = tuple(array.widen(shifts[i]) * units[i] for i in k)
    return _translated(Sums(n, means, units, second, third, fourth), first, [-s / n for s in first])


def _added(held: list[Array], parts: list[Array]) -> list[Array]:
    return [a + b for a, b in zip(held, parts, strict=True)] if held else parts


def _add(held: dict[tuple[int, int], Array], parts: dict[tuple[int, int], Array]) -> None:
    for key, part in parts.items():
        held[key] = held[key] + part if key in held else part


def _scaled(x: Array, unit: Array | float) -> Array:
    return x if isinstance(unit, float) and unit == 1.0 else x * unit


def _translated(sums: Sums, first: list[Array], delta: list[Array]) -> Sums:
    """Return the sums about ``means - delta``: every x becomes x + δ, every a = ‖x‖² follows.

    Parameters
    ----------
    sums : Sums
        Sums about ``means``.
    first : list of array
        Σ x about ``means``; zeros if they are the means of the rows.
    delta : list of array
        δ of each representation.
    """
    xp = array.namespace(*delta)
    n, k = sums.n, range(len(delta))
    d = [xp.vecdot(x, x) for x in delta]
    t = [sums.trace(i) for i in k]
    s = first
    second = {
        (i, j): A + s[i][:, None] * delta[j] + delta[i][:, None] * (s[j] + n * delta[j])
        for (i, j), A in sums.second.items()
    }
    third = {
        (i, j): T
        + 2 * (sums.product(i, j) @ delta[j])
        + d[j] * s[i]
        + delta[i] * (t[j] + 2 * xp.vecdot(delta[j], s[j]) + n * d[j])
        for (i, j), T in sums.third.items()
    }
    fourth = {
        (i, j): F
        + 2 * (xp.vecdot(delta[j], sums.third[j, i]) + xp.vecdot(delta[i], sums.third[i, j]))
        + 4 * xp.vecdot(delta[i], sums.product(i, j) @ delta[j])
        + d[j] * (t[i] + 2 * xp.vecdot(delta[i], s[i]))
        + d[i] * (t[j] + 2 * xp.vecdot(delta[j], s[j]))
        + n * d[i] * d[j]
        for (i, j), F in sums.fourth.items()
    }
    means = tuple(mean - x for mean, x in zip(sums.means, delta, strict=True))
    return Sums(n, means, sums.units, second, third, fourth)


def _in_units(sums: Sums, units: tuple[Array | float, ...]) -> Sums:
    """Return the same sums in other units."""
    r = [new / old for new, old in zip(units, sums.units, strict=True)]
    if all(isinstance(each, float) and each == 1.0 for each in r):
        return sums
    return Sums(
        sums.n,
        tuple(mean * each for mean, each in zip(sums.means, r, strict=True)),
        units,
        {(i, j): A * (r[i] * r[j]) for (i, j), A in sums.second.items()},
        {(i, j): T * (r[i] * r[j]) * r[j] for (i, j), T in sums.third.items()},
        {(i, j): F * (r[i] * r[j]) * (r[i] * r[j]) for (i, j), F in sums.fourth.items()},
    )


def merged(a: Sums, b: Sums) -> Sums:
    """Return the sums over the rows of both."""
    xp = array.namespace(*a.means)
    units = tuple(_common_unit(a, b, i) for i in range(len(a.units)))
    a, b = _in_units(a, units), _in_units(b, units)
    n = a.n + b.n
    zeros = [xp.zeros_like(mean) for mean in a.means]
    gaps = [y - x for x, y in zip(a.means, b.means, strict=True)]
    a = _translated(a, zeros, [-(b.n / n) * gap for gap in gaps])
    b = _translated(b, zeros, [(a.n / n) * gap for gap in gaps])
    return Sums(
        n,
        a.means,
        units,
        {key: a.second[key] + b.second[key] for key in a.second},
        {key: a.third[key] + b.third[key] for key in a.third},
        {key: a.fourth[key] + b.fourth[key] for key in a.fourth},
    )


def _common_unit(a: Sums, b: Sums, i: int) -> Array | float:
    """Return a unit in which neither side nor the gap between their means is too large."""
    xp = array.namespace(a.means[i], b.means[i])
    if _silent(a, i):
        return b.units[i]
    if _silent(b, i):
        return a.units[i]
    u, v = a.units[i], b.units[i]
    if not (isinstance(u, float) and isinstance(v, float)):
        return xp.minimum(xp.asarray(u), xp.asarray(v))
    unit = min(u, v)
    gap = xp.max(xp.abs(b.means[i] * (unit / v) - a.means[i] * (unit / u)))
    size = array.read(gap)
    if size is not None and size > float(xp.finfo(gap.dtype).max) ** 0.2:
        return unit * float(array.power_of_two(gap))
    return unit


def _silent(sums: Sums, i: int) -> bool:
    """Whether all rows so far were zero, which says nothing about the scale."""
    xp = array.namespace(sums.means[i])
    return array.read(sums.trace(i) + xp.sum(xp.abs(sums.means[i]))) == 0
