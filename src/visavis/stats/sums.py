"""Sums of k representations over the same rows, closed under a change of their reference.

For representations x, y, ... of the same samples, each about a reference near its mean, with
squared norms a, b, ... of the rows, there are the sums Σx and per pair (i, j) ``Σ x_i x_jᵀ``,
``Σ x_i a_j`` and ``Σ a_i a_j``: with them the debiased HSIC of all rows is known, and every other
linear measure with the first two alone. A change of the reference maps these sums to each other
(`_moved`), so sums over parts merge exactly. Each batch has its own reference, so that nothing
large is multiplied; what is added up over batches is float64.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import hsic
from visavis.stats.axes import Axes

# Entries of a block of rows: more, and it leaves the shared cache between its shift and its
# products; fewer, and the float64 addition of the products is felt.
BLOCK_ENTRIES = 2**21

# Products of so few features cost nothing in float64, and long sums keep their digits.
NARROW = 64

Pair = tuple[int, int]
Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of k representations over the same n rows.

    Parameters
    ----------
    n : int
        Number of rows.
    references : tuple of array, (p_i,)
        What was subtracted from the rows, in units.
    units : tuple of float or 0-d array
        What each representation was multiplied by; the sums are in these units.
    first : tuple of array, (p_i,)
        Σ x_i: small, since the references are near the means.
    second : mapping (i, j) to array (p_i, p_j), i <= j
        Σ x_i x_jᵀ, of the pairs that are wanted and of each with itself.
    third : mapping (i, j) to array (p_i,)
        Σ x_i a_j, with a_j the squared norm of the row of representation j; both (i, j) and (j, i).
    fourth : mapping (i, j) to 0-d array, i <= j
        Σ a_i a_j.
    """

    n: int
    references: tuple[Array, ...]
    units: tuple[Array | float, ...]
    first: tuple[Array, ...]
    second: Mapping[Pair, Array]
    third: Mapping[Pair, Array]
    fourth: Mapping[Pair, Array]

    def product(self, i: int, j: int) -> Array:
        """Return Σ x_i x_jᵀ of the centred rows, for i and j in any order."""
        if i > j:
            return self.product(j, i).T
        s = self.first
        return self.second[i, j] - s[i][:, None] * (s[j] / self.n)[None, :]

    def trace(self, i: int) -> Array:
        """Return the sum of the squared norms of the centred rows."""
        xp = array.namespace(*self.first)
        return self._norms(i) - xp.linalg.vecdot(self.first[i], self.first[i]) / self.n

    def hsic(self, i: int, j: int, estimator: str) -> Array:
        """Return the linear HSIC of two representations, in their units."""
        if i > j:
            i, j = j, i
        xp = array.namespace(*self.first)
        n, s, C = self.n, self.first, self.second[i, j]
        x, y = s[i], s[j]
        xx, yy = xp.linalg.vecdot(x, x), xp.linalg.vecdot(y, y)
        cross = linalg.inner(C, C)
        middle = xp.linalg.vecdot(x, array.widen(C @ xp.astype(y, C.dtype, copy=False)))
        if estimator == "biased":
            # ‖C − xyᵀ/n‖², without forming the difference.
            return (cross - 2 / n * middle + xx * yy / n**2) / (n - 1) ** 2
        norms = self.fourth[i, j]
        rows = (
            middle
            - xp.linalg.vecdot(x, self.third[i, j])
            - xp.linalg.vecdot(y, self.third[j, i])
            + norms
        )
        total = (xx - self._norms(i)) * (yy - self._norms(j))
        return hsic.debiased(cross - norms, rows, total, n)

    def norm(self, i: int, estimator: str) -> Array:
        """Return the root of the HSIC of one with itself; zero where that is rounding error."""
        eps = float(array.namespace(*self.first).finfo(self.first[i].dtype).eps)
        size = self.fourth[i, i] / self.n**2
        return hsic.norm(self.hsic(i, i, estimator), size, precision=eps)

    def coarse(self, i: int) -> bool:
        """Whether float32 loses digits of the HSIC of one with itself: a few rows outweigh all."""
        if self.n < 4 or array.recording(*self.first):
            return False
        return hsic.coarse(self.hsic(i, i, "debiased"), self.fourth[i, i] / self.n**2)

    def _norms(self, i: int) -> Array:
        A = self.second[i, i]
        return array.widen(array.namespace(A).linalg.trace(A))


def summed(X: tuple[Array, ...], wanted: Collection[Pair] | None = None) -> Sums:
    """Return the sums of one batch, each representation (n, p_i).

    Parameters
    ----------
    X : tuple of array, (n, p_i)
        The same samples in each.
    wanted : collection of (i, j), optional
        Pairs, i < j, that will be asked for; all of them without it.
    """
    if sum(x.shape[1] for x in X) <= NARROW:
        X = tuple(array.widen(x) for x in X)
    k = range(len(X))
    between = [(i, j) for i in k for j in k if i < j] if wanted is None else sorted(wanted)
    pairs = [*((i, i) for i in k), *between]
    references = tuple(linalg.shift_of(x) for x in X)
    sums = _about(X, references, (1.0,) * len(X), pairs)
    if not all(_comfortable(sums, i, x) for i, x in enumerate(X)):
        # Squares would overflow or underflow: bring each representation to a peak near 1 first.
        units = tuple(_unit(x, reference) for x, reference in zip(X, references, strict=True))
        sums = _about(X, references, units, pairs)
    if any(x.dtype != array.wide(x) and sums.coarse(i) for i, x in enumerate(X)):
        return summed(tuple(array.widen(x) for x in X), wanted)
    return sums


def _comfortable(sums: Sums, i: int, x: Array) -> bool:
    xp = array.namespace(*sums.first)
    return linalg.comfortable(xp.sqrt(sums.fourth[i, i] / sums.n), x)


def _unit(x: Array, reference: Array) -> Array | float:
    xp = array.namespace(x)
    moved = x - reference
    # Rows that do not vary, a single row above all, have the scale of what they are.
    return linalg.peak_unit(x if array.read(xp.max(xp.abs(moved))) == 0 else moved)


def _about(
    X: tuple[Array, ...],
    references: tuple[Array, ...],
    units: tuple[Array | float, ...],
    pairs: Collection[Pair],
) -> Sums:
    """Return the sums of one batch about `references` and in `units`."""
    xp = array.namespace(*X)
    n, k = X[0].shape[0], range(len(X))
    first: dict[int, Array] = {}
    second: dict[Pair, Array] = {}
    third: dict[Pair, Array] = {}
    fourth: dict[Pair, Array] = {}
    both = dict.fromkeys([*pairs, *((j, i) for i, j in pairs)])
    spaces: list[Array | None] = []
    height = max(1, BLOCK_ENTRIES // max(each.shape[1] for each in X))
    for rows in linalg.row_blocks(n, height):
        parts = [each[rows, :] for each in X]
        # Every block is shifted in the same memory; the last one may have fewer rows.
        spaces = spaces or [array.workspace(part, i) for i, part in enumerate(parts)]
        into = [s if s is None else s[: parts[i].shape[0], :] for i, s in enumerate(spaces)]
        moved = [array.subtract(parts[i], references[i], out=into[i]) for i in k]
        x = [linalg.scaled(moved[i], units[i]) for i in k]
        norms = xp.stack([xp.linalg.vecdot(each, each, axis=-1) for each in x])
        # One narrow product for the sums of x itself and of x weighted by each norm.
        weights = xp.concat([xp.ones_like(norms[:1, :]), norms])
        weighted = [array.widen(weights @ each) for each in x]
        _add(first, {i: weighted[i][0, :] for i in k})
        _add(third, {(i, j): weighted[i][j + 1, :] for i, j in both})
        _add(second, {(i, j): x[i].T @ x[j] for i, j in pairs})
        between = array.widen(norms) @ array.widen(norms).T
        _add(fourth, {(i, j): between[i, j] for i, j in pairs})
    held = tuple(array.widen(references[i]) * units[i] for i in k)
    return Sums(n, held, units, tuple(first[i] for i in k), second, third, fourth)


def _add(held: dict[Key, Array], parts: Mapping[Key, Array]) -> None:
    """Add parts to what is held, in the widest float as soon as there is something to add."""
    for key, part in parts.items():
        held[key] = array.widen(held[key]) + part if key in held else part


def _moved(sums: Sums, delta: list[Array]) -> Sums:
    """Return the sums about ``references - delta``: x becomes x + δ, and a = ‖x‖² follows."""
    xp = array.namespace(*delta)
    n, k, s = sums.n, range(len(delta)), sums.first
    d = [xp.linalg.vecdot(x, x) for x in delta]
    t = [sums._norms(i) for i in k]
    ds = [xp.linalg.vecdot(delta[i], s[i]) for i in k]

    def times(i: int, j: int) -> Array:
        """Σ x_i x_jᵀ δ_j."""
        A = sums.second[i, j] if i <= j else sums.second[j, i].T
        return array.widen(A) @ delta[j]

    second = {
        # Σ (x_i + δ_i)(x_j + δ_j)ᵀ: what is added has rank two.
        (i, j): A + xp.stack([s[i], delta[i]], axis=1) @ xp.stack([delta[j], s[j] + n * delta[j]])
        for (i, j), A in sums.second.items()
    }
    third = {
        (i, j): T + 2 * times(i, j) + d[j] * s[i] + delta[i] * (t[j] + 2 * ds[j] + n * d[j])
        for (i, j), T in sums.third.items()
    }
    fourth = {
        (i, j): F
        + 2
        * (
            xp.linalg.vecdot(delta[j], sums.third[j, i])
            + xp.linalg.vecdot(delta[i], sums.third[i, j])
        )
        + 4 * xp.linalg.vecdot(delta[i], times(i, j))
        + d[j] * (t[i] + 2 * ds[i])
        + d[i] * (t[j] + 2 * ds[j])
        + n * d[i] * d[j]
        for (i, j), F in sums.fourth.items()
    }
    references = tuple(r - x for r, x in zip(sums.references, delta, strict=True))
    first = tuple(s[i] + n * delta[i] for i in k)
    return Sums(n, references, sums.units, first, second, third, fourth)


def _in_units(sums: Sums, units: tuple[Array | float, ...]) -> Sums:
    """Return the same sums in other units."""
    r = [new / old for new, old in zip(units, sums.units, strict=True)]
    if all(isinstance(each, float) and each == 1.0 for each in r):
        return sums
    return Sums(
        sums.n,
        tuple(x * each for x, each in zip(sums.references, r, strict=True)),
        units,
        tuple(x * each for x, each in zip(sums.first, r, strict=True)),
        {(i, j): array.widen(A) * (r[i] * r[j]) for (i, j), A in sums.second.items()},
        {(i, j): T * (r[i] * r[j]) * r[j] for (i, j), T in sums.third.items()},
        {(i, j): F * (r[i] * r[j]) * (r[i] * r[j]) for (i, j), F in sums.fourth.items()},
    )


def merged(a: Sums, b: Sums) -> Sums:
    """Return the sums over the rows of both, about their common mean."""
    units = tuple(_common_unit(a, b, i) for i in range(len(a.units)))
    a, b = _in_units(a, units), _in_units(b, units)
    n = a.n + b.n
    # From each reference to the mean of all rows; differences first, since references are large.
    gaps = [y - x for x, y in zip(a.references, b.references, strict=True)]
    means = [(s + t + b.n * g) / n for s, t, g in zip(a.first, b.first, gaps, strict=True)]
    a = _moved(a, [-m for m in means])
    b = _moved(b, [g - m for g, m in zip(gaps, means, strict=True)])
    return Sums(
        n,
        a.references,
        units,
        tuple(x + y for x, y in zip(a.first, b.first, strict=True)),
        {key: a.second[key] + b.second[key] for key in a.second},
        {key: a.third[key] + b.third[key] for key in a.third},
        {key: a.fourth[key] + b.fourth[key] for key in a.fourth},
    )


def _common_unit(a: Sums, b: Sums, i: int) -> Array | float:
    """Return a unit in which neither side nor the gap between their references is too large."""
    xp = array.namespace(a.references[i], b.references[i])
    if _silent(a, i):
        return b.units[i]
    if _silent(b, i):
        return a.units[i]
    u, v = a.units[i], b.units[i]
    if not (isinstance(u, float) and isinstance(v, float)):
        return xp.minimum(xp.asarray(u), xp.asarray(v))
    unit = min(u, v)
    gap = xp.max(xp.abs(b.references[i] * (unit / v) - a.references[i] * (unit / u)))
    size = array.read(gap)
    if size is not None and size > float(xp.finfo(gap.dtype).max) ** 0.2:
        return unit * float(array.power_of_two(gap))
    return unit


def _silent(sums: Sums, i: int) -> bool:
    """Whether all rows so far were zero, which says nothing about the scale."""
    xp = array.namespace(sums.references[i])
    return array.read(sums._norms(i) + xp.sum(xp.abs(sums.references[i]))) == 0


def axes_of(sums: Sums, i: int, dtype: str) -> tuple[Axes, Array]:
    """Return the principal axes of one representation, and its right singular vectors (p, r).

    Without the rows, samples are told by their coordinates on the axes themselves.
    """
    A = array.widen(sums.product(i, i))
    xp = array.namespace(A)
    given, working = (float(xp.finfo(each).eps) for each in (array.float_named(dtype, A), A.dtype))
    values, right = linalg.eigen(A)
    # The roots of eigenvalues that are rounding error of the largest.
    tolerance = max(4 * math.sqrt(A.shape[0] * working), 10 * given if given > working else 0.0)
    right, values = linalg.within_rank(right, values, tolerance)
    own = xp.eye(values.shape[0], dtype=values.dtype, device=array.device(values))
    return Axes(own, values, (right * values).T, sums.units[i], sums.n), right
