"""What a CKA is made of: how much each sample, and each pair of directions, brings to it."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.principal import Principal
from visavis.inference.row_sums import RowSums, taken
from visavis.inference.sides import measured
from visavis.kernels import Kernel
from visavis.measures import Measure, MeasureSpec
from visavis.measures.alignment import kernel_sides

# Fewer rows have no value without one of them.
MINIMUM_ROWS = 5

Order = Literal["share", "raises", "lowers"]


@dataclass(frozen=True, eq=False)
class RowContributions:
    """What each sample brings to a CKA.

    Parameters
    ----------
    value : float
        CKA of all samples.
    parts : ndarray, (n,)
        What each brings to the numerator, over the norm: they add up to `value`.
    without : ndarray, (n,)
        CKA of all other samples; NaN where these have none, as they are all alike.
    weight_x, weight_y : ndarray, (n,)
        What each brings to the squared norm of a side: they add up to 1. A sample that weighs most
        of a side decides what the others can be compared by.
    ids : tuple, optional
        What the samples are called.
    """

    value: float
    parts: np.ndarray
    without: np.ndarray
    weight_x: np.ndarray
    weight_y: np.ndarray
    ids: tuple[Hashable, ...] | None = None

    @property
    def shares(self) -> np.ndarray:
        """The parts of the value that add up to 1; of a value near 0 they are large, both ways."""
        if self.value == 0:
            raise DegenerateInputError(
                "RowContributions: a value of 0 has no shares. See `parts`, which add up to it."
            )
        return self.parts / self.value

    @property
    def effects(self) -> np.ndarray:
        """By how much each sample raises (above 0) or lowers (below 0) the value by being there."""
        return self.value - self.without

    def top(self, count: int = 10, *, by: Order = "share") -> list[Any]:
        """Return the samples that bring, raise or lower most, by id if there are ids.

        Parameters
        ----------
        count : int
            How many.
        by : {"share", "raises", "lowers"}
            By `parts`, or by `effects`. Ties in the order of the rows.
        """
        checks.count("RowContributions.top", "count", count)
        checks.option("RowContributions.top", "by", by, get_args(Order))
        keys = {"share": -self.parts, "raises": -self.effects, "lowers": self.effects}[by]
        rows = np.argsort(keys, kind="stable")[:count].tolist()  # NaN comes last
        return rows if self.ids is None else [self.ids[row] for row in rows]


def row_contributions(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    ids: Sequence[Hashable] | Array | None = None,
) -> RowContributions:
    """Return which samples a CKA is made of, and what it is without each of them.

    Biased: ``x_iᵀXᵀY y_i/(‖XᵀX‖‖YᵀY‖)`` of centred features. Debiased, and with any kernel: the sum
    of row i of the product of the (U-)centred Gram matrices.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        ``cka``, of any kernel and estimator.
    ids : sequence, length n, optional
        What the samples are called.

    Returns
    -------
    RowContributions

    Raises
    ------
    ValueError
        If the measure is another, or there are fewer than 5 samples.
    DegenerateInputError
        If a side has no CKA even with itself.

    Notes
    -----
    A sample far from all others weighs on both sides of the fraction: see ``weight_x`` and
    ``weight_y`` beside the parts. A group of alike outliers hides each of its members from
    ``without``, not from the weights. A kernel with a bandwidth keeps that of all samples.
    *Cost*: that of the value, a few times; no n × n matrix with the linear kernel on narrow layers.

    Examples
    --------
    One sample that is far out in both makes two unrelated representations alike to the biased
    estimate; the debiased one does not count the similarity of a sample to itself:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 10))
    >>> X[7], Y[7] = 30, 30
    >>> found = vv.inference.row_contributions(X, Y, measure="cka(estimator=biased)")
    >>> found.top(1), round(found.value, 1), round(float(found.without[7]), 1)
    ([7], 1.0, 0.1)
    >>> bool(vv.cka(X, Y) < 0.2)
    True
    """
    where = "row_contributions"
    known, kernels = aligned(where, measure)
    X, Y = readable(where, X, Y, MINIMUM_ROWS)
    named = identities(where, ids, int(X.shape[0]))
    sums = RowSums.of(where, X, Y, kernels, known.settings["estimator"])
    return of_sums(sums, X, Y, known, named)


def of_sums(
    sums: RowSums, X: Array, Y: Array, measure: Measure, ids: tuple[Hashable, ...] | None = None
) -> RowContributions:
    """Return the contributions from the sums of each row."""
    without, lost = sums.without_each()
    # Without a row that outweighs all others little is left of the sums: there are at most a few.
    for row in np.flatnonzero(lost).tolist():
        rest = np.delete(np.arange(sums.n), row)
        without[row] = scored(measure, taken(X, rest), taken(Y, rest))
    return RowContributions(
        sums.value,
        sums.xy / sums.norm,
        without,
        sums.xx / sums.xx.sum(),
        sums.yy / sums.yy.sum(),
        ids,
    )


def scored(measure: Measure, X: Array, Y: Array) -> float:
    """Return a measure in the widest float, or NaN where there is none."""
    try:
        return float(measure(array.widen(X), array.widen(Y)))
    except DegenerateInputError:
        return math.nan


def readable(where: str, X: Array, Y: Array, minimum_rows: int) -> tuple[Array, Array]:
    """Return two checked representations as numbers to look at, of which no gradient is taken."""
    X, Y = checks.pair(where, X, Y, minimum_rows=minimum_rows)
    checks.readable(where, because="What drives a value is found on the host", X=X, Y=Y)
    return array.constant(X), array.constant(Y)


def aligned(where: str, measure: MeasureSpec) -> tuple[Measure, tuple[Kernel, Kernel]]:
    """Return CKA as it was asked for and its kernels; ValueError for any other measure."""
    known = measured(where, measure)
    if known.name != "cka":
        expected = "be cka, of any kernel and estimator"
        raise ValueError(checks.message(where, "measure", expected, known.label))
    return known, kernel_sides(where, known.settings["kernel"])


def identities(
    where: str, ids: Sequence[Hashable] | Array | None, n: int
) -> tuple[Hashable, ...] | None:
    """Return what the samples are called, one name each."""
    if ids is None:
        return None
    listed = array.to_numpy(ids).tolist() if array.is_array(ids) else list(ids)
    if len(listed) != n:
        expected = f"have one entry per row ({n})"
        raise ValueError(checks.message(where, "ids", expected, f"{len(listed)}"))
    return tuple(each.item() if isinstance(each, np.generic) else each for each in listed)


@dataclass(frozen=True, eq=False)
class DirectionContributions:
    """What each pair of principal directions brings to a biased linear CKA.

    Parameters
    ----------
    value : float
        Biased linear CKA.
    parts : ndarray, (k, l)
        What direction i of X brings with direction j of Y: ``λ_i μ_j ⟨u_i, v_j⟩²/(‖λ‖‖μ‖)``. Those
        of all directions add up to `value`.
    overlaps : ndarray, (k, l)
        ``⟨u_i, v_j⟩²``: how alike the scores of the samples on two directions are, 0 to 1.
    variance_x, variance_y : ndarray, (k,) and (l,)
        The share of the variance of a side in each direction, λ_i/Σλ.
    power_x, power_y : ndarray, (k,) and (l,)
        Its share of Σλ², by which CKA weighs it.
    """

    value: float
    parts: np.ndarray
    overlaps: np.ndarray
    variance_x: np.ndarray
    variance_y: np.ndarray
    power_x: np.ndarray
    power_y: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """The parts of the value that add up to 1."""
        if self.value == 0:
            raise DegenerateInputError("DirectionContributions: a value of 0 has no shares.")
        return self.parts / self.value

    @property
    def rest(self) -> float:
        """What all other pairs of directions bring."""
        return self.value - float(self.parts.sum())

    def top(self, count: int = 10) -> list[tuple[int, int, float]]:
        """Return the pairs of directions that bring most: i, j and the share of the value."""
        checks.count("DirectionContributions.top", "count", count)
        shares = self.shares
        order = np.argsort(-shares, axis=None, kind="stable")[:count]
        pairs = (np.unravel_index(place, shares.shape) for place in order)
        return [(int(i), int(j), float(shares[i, j])) for i, j in pairs]


def direction_contributions(X: Array, Y: Array, /, *, k: int = 10) -> DirectionContributions:
    """Return which pairs of principal directions carry the linear CKA.

    ``CKA = Σ_ij λ_i μ_j ⟨u_i, v_j⟩²/(‖λ‖‖μ‖)`` with u, λ the left singular vectors and squared
    singular values of centred X, and v, μ those of Y [1]_.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    k : int
        How many leading directions of each side to tell apart; at most its rank is.

    Returns
    -------
    DirectionContributions

    Raises
    ------
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    Of the biased CKA: the debiased one is no such sum. *Cost*: npq and an eigendecomposition of the
    smaller of p × p and n × n on each side.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 10))
    >>> shared = 10 * X[:, :1]
    >>> found = vv.inference.direction_contributions(X + shared, Y + shared)
    >>> found.top(1)[0][:2], bool(found.shares[0, 0] > 0.9)
    ((0, 0), True)
    """
    where = "direction_contributions"
    checks.count(where, "k", k)
    X, Y = readable(where, X, Y, 2)
    with checks.diagnosed(where, X=X, Y=Y):
        x, y = (Principal.of(where, name, each) for name, each in (("X", X), ("Y", Y)))
    return of_principal(x, y, k)


def of_principal(x: Principal, y: Principal, k: int) -> DirectionContributions:
    """Return the contributions of the leading k directions of each side."""
    norm = math.sqrt(x.square * y.square)
    cross = linalg.cross_product(x.features, y.features)
    u, v = x.left[:, :k], y.left[:, :k]
    between = array.to_numpy(u.T @ v) ** 2
    first, second = x.values[:k], y.values[:k]
    return DirectionContributions(
        float(linalg.inner(cross, cross)) / norm,
        first[:, None] * second[None, :] * between / norm,
        between,
        first / x.trace,
        second / y.trace,
        first**2 / x.square,
        second**2 / y.square,
    )
