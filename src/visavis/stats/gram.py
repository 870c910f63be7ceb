"""The Gram matrix of one representation: all that HSIC and CKA with any kernel need of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array, DType
from visavis.kernels import Kernel
from visavis.stats import hsic

# Entries of each matrix that `crossed` multiplies at a time: few enough that a float32 sum keeps
# its digits and the blocks of all layers stay in cache, enough that the product is worth a call.
CROSSED_ENTRIES = 2**15


@dataclass(frozen=True, eq=False, kw_only=True)
class GramSums:
    """What HSIC needs of a Gram matrix beside its products with others.

    Parameters
    ----------
    diagonal, sums : array, (n,)
        The diagonal, and the row sums without it, in the widest float.
    square : 0-d array, optional
        The sum of the squares of all entries off the diagonal; `Gram` finds it when asked.
    peak : 0-d array
        The largest entry off the diagonal before it was centred: what rounding errors scale with.
    precision : float
        Machine epsilon of the entries.
    unit : float or 0-d array
        Entries are ``unit**2`` times those of the kernel.
    """

    diagonal: Array
    sums: Array
    square: Array | None = None
    peak: Array
    precision: float
    unit: Array | float = 1.0
    _norms: dict[str, Array] = field(default_factory=dict, repr=False)

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.sums.shape[0]

    def squared(self) -> Array:
        """Return the sum of the squares of all entries off the diagonal."""
        assert self.square is not None  # noqa: S101
        return self.square

    def combined(self, other: "GramSums", estimator: str, off: Array) -> Array:
        """Return the HSIC with `other`, in the units in which the two are held.

        Biased: tr(KHLH)/(n − 1)². Debiased: the U-statistic of Song et al. (2012). Both from the
        same few sums, of which only ``off``, the inner product of the matrices without their
        diagonals, costs n² operations.
        """
        xp = array.namespace(off)
        n = self.n
        if estimator == "debiased":
            total = xp.sum(self.sums) * xp.sum(other.sums)
            return hsic.debiased(off, xp.linalg.vecdot(self.sums, other.sums), total, n)
        k, m = self.sums + self.diagonal, other.sums + other.diagonal
        total = xp.sum(k) * xp.sum(m) / n**2
        everything = off + xp.linalg.vecdot(self.diagonal, other.diagonal)
        return (everything + total - 2 / n * xp.linalg.vecdot(k, m)) / (n - 1) ** 2

    def norm(self, estimator: str) -> Array:
        """Return the root of the HSIC with itself; exactly zero where that is rounding error."""
        if estimator not in self._norms:
            value = self.combined(self, estimator, self.squared())
            # Centring may leave nothing but the rounding of what it took away.
            size = self._size() + self.precision * self.peak**2
            self._norms[estimator] = hsic.norm(value, size, precision=self.precision)
        return self._norms[estimator]

    def trace(self) -> Array:
        """Return the trace of the centred Gram matrix, in the units in which it is held."""
        xp = array.namespace(self.sums)
        return xp.sum(self.diagonal) - xp.sum(self.sums + self.diagonal) / self.n

    def coarse(self) -> bool:
        """Whether digits are lost because a few rows outweigh all others."""
        if array.recording(self.sums) or self.n < 4:
            return False
        value = self.combined(self, "debiased", self.squared())
        return hsic.coarse(value, self._size())

    def _size(self) -> Array:
        """Return the size of the terms of the HSIC with itself."""
        xp = array.namespace(self.sums)
        # Both estimators divide by about n², and no term is larger than these two.
        return (self.squared() + xp.linalg.vecdot(self.sums, self.sums) / self.n) / self.n**2


@dataclass(frozen=True, eq=False, kw_only=True)
class Gram(GramSums):
    """A Gram matrix, split into what HSIC combines.

    Parameters
    ----------
    hollow : array, (n, n)
        The Gram matrix with a zero diagonal, centred to rounding error.
    """

    hollow: Array
    _squares: list[Array] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, X: Array, kernel: Kernel) -> "Gram":
        """Return the statistic of a representation (n, p)."""
        held = cls._of(X, kernel)
        if not held.coarse():
            return held
        held = cls._of(array.widen(X), kernel)
        # Zero is zero because of the size of what it was before centring: that must not be lost.
        degenerate = array.read(held.norm("debiased")) == 0
        return held if degenerate else cls._of(array.widen(X), kernel, centre=True)

    @classmethod
    def _of(cls, X: Array, kernel: Kernel, *, centre: bool = False) -> "Gram":
        K, unit = kernel.scaled(X)
        # The split writes into what it is given, which a kernel may have been given itself.
        hollow, diagonal = linalg.split_diagonal(K * 1.0 if K is X else K)
        xp = array.namespace(K)
        peak = array.widen(xp.max(xp.abs(hollow)))
        if centre or kernel.name != "linear":
            # The linear one centres the features instead, at a fraction of the cost.
            hollow, diagonal = linalg.hollow_centred(hollow, diagonal)
        ones = xp.ones((K.shape[0],), dtype=hollow.dtype, device=array.device(K))
        return cls(
            hollow=hollow,
            diagonal=diagonal,
            sums=array.widen(hollow @ ones),
            peak=peak,
            precision=float(xp.finfo(hollow.dtype).eps),
            unit=unit,
        )

    def squared(self) -> Array:
        """Return the sum of the squares of all entries off the diagonal."""
        if not self._squares:
            self._squares.append(linalg.inner(self.hollow, self.hollow))
        return self._squares[0]

    def hsic(self, other: "Gram", estimator: str, *, off: Array | None = None) -> Array:
        """Return the HSIC with `other`; `crossed` gives ``off`` for many pairs at once."""
        if off is None:
            off = linalg.inner(self.hollow, other.hollow)
        return self.combined(other, estimator, off)


def crossed(xs: Sequence[Gram], ys: Sequence[Gram]) -> Array:
    """Return the inner products of all hollow matrices with all others, in the widest float.

    One product of flattened matrices, in blocks that are added up in float64: each matrix is read
    once, and not once for every pair.

    Parameters
    ----------
    xs, ys : sequence of Gram
        Of the same samples.

    Returns
    -------
    array, (len(xs), len(ys))
    """
    xp = array.namespace(*(each.hollow for each in (*xs, *ys)))
    dtype = xp.result_type(*(each.hollow for each in (*xs, *ys)))
    n = xs[0].n
    same = len(xs) == len(ys) and all(x is y for x, y in zip(xs, ys, strict=True))
    total = None
    for rows in linalg.row_blocks(n, max(1, CROSSED_ENTRIES // n)):
        left = _flattened(xs, rows, dtype)
        right = left if same else _flattened(ys, rows, dtype)
        part = array.widen(left @ right.T)
        total = part if total is None else total + part
    assert total is not None  # noqa: S101  (there is at least one row)
    return total


def _flattened(side: Sequence[Gram], rows: slice, dtype: DType) -> Array:
    xp = array.namespace(side[0].hollow)
    parts = (xp.reshape(each.hollow[rows, :], (-1,)) for each in side)
    return xp.stack([xp.astype(part, dtype, copy=False) for part in parts])
