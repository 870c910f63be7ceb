"""Moments: everything that the linear measures need of any number of rows, in one pass."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.stats import hsic, linear, procrustes, saved
from visavis.stats.axes import Overlap
from visavis.stats.between import overlapped
from visavis.stats.sums import Sums, axes_of, merged, summed

PRODUCTS = ("float64", "input")

# Smaller batches wait until that many rows are together: the float64 bookkeeping of an update
# costs as much as the products of some hundred rows.
BUFFER_ROWS = 512


@dataclass(frozen=True, eq=False)
class Moments:
    """Streaming state of two or more representations of the same samples: a value, never changed.

    ``Moments.empty()`` is the identity of `merge`, which is associative and commutative; any
    partition of the rows into updates and merges gives the measures of all rows, to rounding.

    Parameters
    ----------
    sums : Sums, optional
        Centred sums of the rows seen so far, in the library and on the device of the batches.
    waiting : tuple of tuple of array
        Batches too small to be worth an update of their own.
    dtypes : tuple of str
        Dtypes in which the representations were given, which set the rank tolerance and the dtype
        of the answers.
    products : {"float64", "input"}
        Precision in which batches are multiplied; see `empty`.

    Notes
    -----
    Memory: 8·(Σp)² bytes, whatever the number of rows. Cost: 2·n·(Σp)² operations.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 5)) + 1e6
    >>> Y = X @ np.eye(5)[:, ::-1]
    >>> moments = vv.Moments.empty()
    >>> for start in range(0, 100, 7):
    ...     moments = moments.update(X[start : start + 7], Y[start : start + 7])
    >>> moments.n, round(float(moments.cka()), 9)
    (100, 1.0)
    """

    sums: Sums | None = None
    waiting: tuple[tuple[Array, ...], ...] = ()
    dtypes: tuple[str, ...] = ()
    products: str = "float64"

    @classmethod
    def empty(cls, *, products: str = "float64") -> "Moments":
        """Return the state of no rows at all.

        Parameters
        ----------
        products : {"float64", "input"}
            Precision in which the rows of a batch are multiplied. ``"input"`` multiplies float32
            as it comes, in half the time on a CPU and far less on most GPUs: enough for six digits
            of `hsic`, `cka` and `procrustes`. Measures that divide by small singular values (the
            CCA family and regression) are refused then, since float32 products lose those.
        """
        checks.option("Moments.empty", "products", products, PRODUCTS)
        return cls(products=products)

    @property
    def n(self) -> int:
        """Number of rows seen."""
        return (self.sums.n if self.sums else 0) + sum(batch[0].shape[0] for batch in self.waiting)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of features of each representation; empty before the first batch."""
        if self.sums is not None:
            return tuple(each.shape[0] for each in self.sums.references)
        return tuple(x.shape[1] for x in self.waiting[0]) if self.waiting else ()

    def update(self, *batch: Array) -> "Moments":
        """Return the state after more rows.

        Parameters
        ----------
        *batch : array, (b, p_i)
            The same b samples in each representation; any b, a single row included.

        Raises
        ------
        ValueError
            If the representations differ in rows, or in widths or device from earlier batches.
        TypeError
            If they are not numeric arrays, or not of the library of earlier batches.
        DegenerateInputError
            If the batch holds a NaN or an infinity. The state before it is untouched.
        """
        X = self._checked(batch)
        dtypes = _coarser(self.dtypes, tuple(array.dtype_name(x) for x in X))
        if X[0].shape[0] == 0:
            return self
        # A copy: the caller may fill the same buffer with the next batch.
        waiting = (*self.waiting, tuple(x * 1.0 for x in X))
        state = Moments(self.sums, waiting, dtypes, self.products)
        enough = sum(each[0].shape[0] for each in waiting) >= BUFFER_ROWS
        return state._settled() if enough else state

    def merge(self, other: "Moments") -> "Moments":
        """Return the state of the rows of both.

        Raises
        ------
        ValueError
            If the two describe representations of different widths, or are on different devices.
        TypeError
            If they are of different libraries.
        """
        if not self.widths or not other.widths:
            return self if self.widths else other
        _same_widths("Moments.merge", self.widths, other.widths)
        a, b = self._settled(), other._settled()
        assert a.sums is not None and b.sums is not None  # noqa: S101, PT018  (widths are known)
        checks.companions("Moments.merge", a.sums.first[0], b.sums.first[0], "other")
        products = "input" if "input" in (a.products, b.products) else "float64"
        return Moments(merged(a.sums, b.sums), (), _coarser(a.dtypes, b.dtypes), products)

    def save(self, path: str | Path) -> Path:
        """Write the state to a safetensors file and return its path."""
        state = self._settled()
        return saved.save(path, state.sums, dtypes=state.dtypes, products=state.products)

    @classmethod
    def load(cls, path: str | Path, *, like: Array | None = None) -> "Moments":
        """Read a state that `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.
        like : array, optional
            Put the state into the library and on the device of this array; NumPy without it.

        Raises
        ------
        StoreFormatError
            If the file is not a saved state.
        """
        sums, dtypes, products = saved.load(path, like=like)
        return cls(sums, (), dtypes, products)

    def hsic(self, *, estimator: str = "debiased", between: tuple[int, int] = (0, 1)) -> Array:
        """Return the linear HSIC; see `visavis.hsic`."""
        checks.option("Moments.hsic", "estimator", estimator, hsic.ESTIMATORS)
        i, j = between
        sums = self._ready("hsic", between, minimum_rows=4 if estimator == "debiased" else 2)
        with checks.quiet():
            held = sums.hsic(i, j, estimator)
            value = hsic.true_hsic(held, sums.units[i], sums.units[j])
        return self._answer("hsic", value, between, held=held)

    def cka(self, *, estimator: str = "debiased", between: tuple[int, int] = (0, 1)) -> Array:
        """Return the linear CKA; see `visavis.cka`."""
        checks.option("Moments.cka", "estimator", estimator, hsic.ESTIMATORS)
        i, j = between
        sums = self._ready("cka", between, minimum_rows=4 if estimator == "debiased" else 2)
        with checks.quiet():
            norms = [sums.norm(k, estimator) for k in between]
            value = hsic.cka(sums.hsic(i, j, estimator), *norms)
        empty = [k for k, norm in zip(between, norms, strict=True) if array.read(norm) == 0]
        reason = f"representation {empty[0]} {hsic.EQUIDISTANT}" if empty else ""
        return self._answer("cka", value, between, otherwise=reason)

    def cca(
        self,
        *,
        form: str = "rho",
        allow_saturated: bool = False,
        between: tuple[int, int] = (0, 1),
    ) -> Array:
        """Return the mean canonical correlation; see `visavis.cca`."""
        checks.option("Moments.cca", "form", form, linear.FORMS)
        overlap = self.overlap("cca", between=between)
        with checks.quiet():
            value = linear.cca("Moments.cca", overlap, form=form, allow_saturated=allow_saturated)
        return self._answer("cca", value, between)

    def svcca(
        self,
        *,
        form: str = "rho",
        variance: float = 0.99,
        components: int | tuple[int, int] | None = None,
        allow_saturated: bool = False,
        between: tuple[int, int] = (0, 1),
    ) -> Array:
        """Return singular vector CCA; see `visavis.svcca`."""
        linear.check_truncation("Moments.svcca", form, variance, components)
        overlap = linear.truncated(
            self.overlap("svcca", between=between), variance=variance, components=components
        )
        with checks.quiet():
            value = linear.cca("Moments.svcca", overlap, form=form, allow_saturated=allow_saturated)
        return self._answer("svcca", value, between)

    def pwcca(self, *, allow_saturated: bool = False, between: tuple[int, int] = (0, 1)) -> Array:
        """Return projection-weighted CCA; see `visavis.pwcca`."""
        overlap = self.overlap("pwcca", between=between)
        with checks.quiet():
            value = linear.pwcca("Moments.pwcca", overlap, allow_saturated=allow_saturated)
        return self._answer("pwcca", value, between)

    def linear_regression(
        self, *, allow_saturated: bool = False, between: tuple[int, int] = (0, 1)
    ) -> Array:
        """Return the R² of the second predicted from the first; see `visavis.linear_regression`."""
        overlap = self.overlap("linear_regression", between=between)
        with checks.quiet():
            value = linear.linear_regression(
                "Moments.linear_regression", overlap, allow_saturated=allow_saturated
            )
        return self._answer("linear_regression", value, between)

    def canonical_ridge(
        self,
        *,
        kappa: tuple[float, float] = (0.0, 0.0),
        normalization: str = "cca",
        allow_saturated: bool = False,
        between: tuple[int, int] = (0, 1),
    ) -> Array:
        """Return canonical ridge regression; see `visavis.canonical_ridge`."""
        linear.check_ridge("Moments.canonical_ridge", kappa, normalization)
        overlap = self.overlap("canonical_ridge", between=between)
        with checks.quiet():
            value = linear.canonical_ridge(
                "Moments.canonical_ridge",
                overlap,
                kappa=kappa,
                normalization=normalization,
                allow_saturated=allow_saturated,
            )
        return self._answer("canonical_ridge", value, between)

    def procrustes(
        self,
        *,
        form: str = "angular",
        scale: bool = False,
        between: tuple[int, int] = (0, 1),
    ) -> Array:
        """Return the Procrustes distance; see `visavis.procrustes`.

        Notes
        -----
        Near zero the streamed distance carries the square root of the rounding error (about 1e-8
        relative to the norms): the residual, which would avoid it, needs the rows.
        """
        checks.option("Moments.procrustes", "form", form, procrustes.FORMS)
        i, j = between
        sums = self._ready("procrustes", between, minimum_rows=2)
        xp = array.namespace(sums.references[i])
        with checks.quiet():
            norms = [xp.sqrt(sums.trace(k)) for k in between]
            nuclear = xp.sum(xp.linalg.svdvals(sums.product(i, j)))
            similarity = procrustes.cut(nuclear / norms[0] / norms[1])
            value = procrustes.formed(
                2 - 2 * similarity,
                (norms[0], sums.units[i]),
                (norms[1], sums.units[j]),
                form=form,
                scale=scale,
            )
        return self._answer("procrustes", value, between)

    def overlap(self, where: str = "overlap", *, between: tuple[int, int] = (0, 1)) -> Overlap:
        """Return the overlap of principal axes, from which the CCA family follows.

        Notes
        -----
        Singular values come from the roots of eigenvalues: directions below about 1e-7 of the
        largest cannot be told from rounding error and are not counted.
        """
        sums = self._ready(where, between, minimum_rows=2)
        rough = [k for k in between if self.dtypes[k] != array.dtype_name(sums.first[k])]
        if self.products == "input" and rough:
            raise ValueError(
                checks.message(
                    f"Moments.{where}",
                    "products",
                    'be "float64": it divides by singular values that float32 products lose',
                    f'"input" with {self.dtypes[rough[0]]} batches',
                    "Start from Moments.empty(), and add the batches again.",
                )
            )
        x, y = (axes_of(sums, k, self.dtypes[k]) for k in between)
        return overlapped(sums, x, y, between)

    def _checked(self, batch: tuple[Array, ...]) -> tuple[Array, ...]:
        where = "Moments.update"
        if len(batch) < 2:
            raise TypeError(
                checks.message(
                    where, "batch", "be two or more representations", f"{len(batch)} argument(s)"
                )
            )
        X = tuple(checks.representation(where, f"batch[{i}]", x) for i, x in enumerate(batch))
        held = self.sums.first if self.sums else self.waiting[0] if self.waiting else X
        for x in X:
            checks.companions(where, held[0], x, "batch")
            checks.rows(where, X[0].shape[0], x.shape[0], minimum_rows=0)
        if self.widths:
            _same_widths(where, self.widths, tuple(x.shape[1] for x in X))
        for i, x in enumerate(X):
            checks.all_finite(where, f"batch[{i}]", x)
        return X

    def _settled(self) -> "Moments":
        """Return the state with nothing waiting."""
        if not self.waiting:
            return self
        xp = array.namespace(*self.waiting[0])
        together = tuple(xp.concat(parts) for parts in zip(*self.waiting, strict=True))
        if self.products == "float64":
            together = tuple(array.widen(x) for x in together)
        with checks.quiet():
            new = summed(together)
            sums = new if self.sums is None else merged(self.sums, new)
        return replace(self, sums=sums, waiting=())

    def _ready(self, name: str, between: tuple[int, int], *, minimum_rows: int) -> Sums:
        where = f"Moments.{name}"
        if not all(0 <= k < len(self.widths) for k in between):
            raise ValueError(
                checks.message(
                    where,
                    "between",
                    "name two representations that were seen",
                    f"{between} with {len(self.widths)} seen",
                    "Call update with batches first." if not self.widths else "",
                )
            )
        checks.rows(where, self.n, self.n, minimum_rows=minimum_rows)
        sums = self._settled().sums
        assert sums is not None  # noqa: S101  (widths are known, so rows were seen)
        return sums

    def _answer(
        self,
        name: str,
        value: Array,
        between: tuple[int, int],
        *,
        held: Array | None = None,
        otherwise: str = "",
    ) -> Array:
        """Return the value in the dtype of the batches, or say why there is none.

        `held` is what the value was before a unit was taken out of it, in which it may vanish.
        """
        sums = self._settled().sums
        assert sums is not None  # noqa: S101  (`_ready` was asked before)
        dtype = array.float_named(max(self.dtypes[k] for k in between), sums.first[0])
        answer = array.like(value, array.namespace(*sums.first).empty(0, dtype=dtype))
        seen = array.read(answer)
        vanished = held is not None and seen == 0 != array.read(held)
        if seen is None or (math.isfinite(seen) and not vanished):
            return answer
        dead = [k for k in between if array.read(sums.trace(k)) == 0]
        if dead:
            reason = f"representation {dead[0]} is constant over all {self.n} rows. Leave it out."
        elif held is not None:
            size = "small" if vanished else "large"
            reason = f"it is too {size} for {array.dtype_name(answer)}. Rescale the features."
        else:
            reason = otherwise or f"it is {seen}, though every batch was finite and varies."
        raise DegenerateInputError(f"Moments.{name}: there is no answer: {reason}")


def _coarser(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """Return, one by one, the less precise of float32 and float64."""
    return tuple(min(x, y) for x, y in zip(a, b, strict=True)) if a else b


def _same_widths(where: str, held: tuple[int, ...], new: tuple[int, ...]) -> None:
    if held != new:
        raise ValueError(
            checks.message(
                where,
                "batch",
                f"have the widths seen before, {held}",
                f"{new}",
                "One state describes one set of layers; start another with Moments.empty().",
            )
        )
