"""How much a CKA depends on a few rows, a few directions, and the scale of the features."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference.contributions import (
    MINIMUM_ROWS,
    RowContributions,
    aligned,
    of_sums,
    readable,
    scored,
)
from visavis.inference.principal import Principal
from visavis.inference.row_sums import RowSums, taken
from visavis.inference.sides import host
from visavis.kernels import Kernel
from visavis.measures import Measure, MeasureSpec

# The part of a change that is most of it.
MOST = 0.9


@dataclass(frozen=True)
class Robustness:
    """A CKA, and what it is with less.

    Parameters
    ----------
    value : float
        Of everything.
    without_rows : float or None
        Without the rows that matter most. None, here and below, where nothing is left.
    rows : tuple of int
        Their positions.
    without_directions : float or None
        Without the leading principal directions of each side.
    directions : int
        How many.
    standardised : float or None
        With every feature at standard deviation 1.
    """

    value: float
    without_rows: float | None
    rows: tuple[int, ...]
    without_directions: float | None
    directions: int
    standardised: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain JSON types."""
        return {**asdict(self), "rows": list(self.rows)}


def robustness(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    rows: float = 0.01,
    directions: int = 1,
) -> Robustness:
    """Compute a CKA again without its strongest rows, without its strongest directions, z-scored.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        ``cka``, of any estimator and any kernel of features.
    rows : float
        The share of the rows to leave out, one at least. Of those that bring most to the score,
        weigh most in X, weigh most in Y, or lower the score most, the ones without which it changes
        most.
    directions : int
        How many leading principal directions to leave out of each side.

    Returns
    -------
    Robustness

    Raises
    ------
    ValueError
        If the measure is another, or fewer than 5 rows would be left.
    DegenerateInputError
        If a side has no CKA even with itself.

    Notes
    -----
    A small change says that nothing rests on these; a large one says what to look at, not which of
    the two values is right. *Cost*: a few times that of the value, and an eigendecomposition of the
    smaller of p × p and n × n on each side.

    Examples
    --------
    Two representations with nothing in common but one large direction:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 200, 10))
    >>> shared = 10 * X[:, :1]
    >>> found = vv.inference.robustness(X + shared, Y + shared)
    >>> bool(found.value > 0.9), bool(abs(found.without_directions) < 0.1)
    (True, True)
    """
    where = "robustness"
    known, kernels = of_features(where, measure)
    if not (isinstance(rows, float) and 0 < rows < 1):
        raise ValueError(checks.message(where, "rows", "lie between 0 and 1", repr(rows)))
    checks.count(where, "directions", directions)
    X, Y = readable(where, X, Y, MINIMUM_ROWS)
    count = share_of(int(X.shape[0]), rows)
    checks.rows(where, int(X.shape[0]), int(X.shape[0]), minimum_rows=MINIMUM_ROWS + count)
    sums = RowSums.of(where, X, Y, kernels, known.settings["estimator"])
    x, y = (Principal.of(where, name, each) for name, each in (("X", X), ("Y", Y)))
    dropped, left = without_rows(of_sums(sums, X, Y, known), X, Y, known, count)
    return Robustness(
        sums.value,
        left,
        tuple(np.sort(dropped).tolist()),
        without_directions(x, y, known, directions),
        directions,
        standardised(X, Y, known),
    )


def of_features(where: str, measure: MeasureSpec) -> tuple[Measure, tuple[Kernel, Kernel]]:
    """Return CKA of features and its kernels; ValueError for one of given Gram matrices."""
    known, kernels = aligned(where, measure)
    if any(kernel.name == "precomputed" for kernel in kernels):
        raise ValueError(checks.message(where, "measure", "have a kernel of features", known.label))
    return known, kernels


def share_of(n: int, share: float) -> int:
    """Return how many rows a share of them is, one at least."""
    return max(1, math.ceil(share * n - 1e-9))


def without_rows(
    found: RowContributions, X: Array, Y: Array, measure: Measure, count: int
) -> tuple[np.ndarray, float | None]:
    """Return the rows without which a CKA changes most, and what it is then.

    They are in the order of what made them suspicious, the most so first.
    """
    every = np.arange(int(X.shape[0]))
    best, most, left = every[:0], -1.0, None
    for rows in _candidates(found, count):
        rest = np.delete(every, rows)
        value = scored(measure, taken(X, rest), taken(Y, rest))
        # That nothing is left without them is the largest change of all.
        change = math.inf if math.isnan(value) else abs(value - found.value)
        if change > most:
            best, most, left = rows, change, None if math.isnan(value) else value
    return best, left


def _candidates(found: RowContributions, count: int) -> Iterator[np.ndarray]:
    """Yield sets of rows that may matter most, each once."""
    seen = set[bytes]()
    for key in (-found.parts, -found.weight_x, -found.weight_y, found.effects):
        rows = np.argsort(key, kind="stable")[:count]
        known = np.sort(rows).tobytes()
        if known not in seen:
            seen.add(known)
            yield rows


def fewest_rows(
    rows: np.ndarray, X: Array, Y: Array, measure: Measure, value: float, left: float
) -> tuple[np.ndarray, float]:
    """Return the first of some rows that make most of the change of a CKA, and what is left then.

    From `value` with all of them to `left` without any. By halving: each row more is taken to
    change more.
    """
    every = np.arange(int(X.shape[0]))
    low, high, kept = 0, len(rows), left
    while high - low > 1:
        middle = (low + high) // 2
        rest = np.delete(every, rows[:middle])
        found = scored(measure, taken(X, rest), taken(Y, rest))
        if abs(found - value) >= MOST * abs(left - value):
            high, kept = middle, found
        else:
            low = middle
    return rows[:high], kept


def without_directions(x: Principal, y: Principal, measure: Measure, k: int) -> float | None:
    """Return CKA without the k leading directions of each side, None if nothing is left."""
    X, Y = x.without(k), y.without(k)
    return None if X is None or Y is None else _known(scored(measure, X, Y))


def standardised(X: Array, Y: Array, measure: Measure) -> float | None:
    """Return CKA with every feature at standard deviation 1, None where there is none."""
    return _known(scored(measure, *(z_scored(each) for each in (X, Y))))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def z_scored(X: Array) -> Array:
    """Return the features in the widest float at mean 0, standard deviation 1; constants at 0."""
    xp = array.namespace(X)
    wide = array.widen(X)
    constant = xp.asarray(constant_features(X), device=array.device(X))
    unit = xp.max(xp.abs(wide), axis=0)
    unit = xp.where(constant, xp.ones_like(unit), unit)
    moved = wide / unit
    moved = moved - xp.mean(moved, axis=0)
    moved = moved - xp.mean(moved, axis=0)
    deviation = xp.sqrt(xp.mean(moved**2, axis=0))
    zero = xp.zeros_like(deviation)
    return moved * xp.where(constant, zero, 1 / xp.where(constant, zero + 1, deviation))


def constant_features(X: Array) -> np.ndarray:
    """Return which features do not vary beyond the rounding of their dtype, (p,)."""
    xp = array.namespace(X)
    low, high = host(xp.min(X, axis=0)), host(xp.max(X, axis=0))
    return high - low <= 4 * array.precision(X) * np.maximum(np.abs(low), np.abs(high))
