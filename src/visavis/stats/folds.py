"""Representations split into folds: fitted on all rows but those of one fold, seen on these."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import rows

Rows = np.ndarray[Any, Any]
Folds = int | Sequence[Any] | Array


def assigned(folds: Folds, n: int, seed: int | None) -> list[Rows]:
    """Return the rows that each fold holds out.

    Parameters
    ----------
    folds : int, or labels (n,)
        The number of folds, of sizes that differ by one at most, or the fold of each row.
    n : int
        Number of samples.
    seed : int, optional
        Of the order in which rows are dealt out; without it folds are runs of rows.
    """
    if isinstance(folds, Integral):
        order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
        return [np.sort(each) for each in np.array_split(order, int(folds))]
    member = numbered(folds)
    return [np.flatnonzero(member == k) for k in range(member.max() + 1)]


def numbered(folds: Sequence[Any] | Array) -> Rows:
    """Return the fold of each row, (n,), from 0 in the order of the labels."""
    labels = array.to_numpy(folds) if array.is_array(folds) else np.asarray(folds)
    return np.unique(labels, return_inverse=True)[1]


def key(folds: Folds) -> Hashable:
    """Return what two assignments have in common if and only if they are the same."""
    return int(folds) if isinstance(folds, Integral) else numbered(folds).tobytes()


@dataclass(frozen=True, eq=False)
class Fold:
    """A representation fitted on the training rows of one fold.

    Parameters
    ----------
    train, test : array, (n_train,) and (n_test,)
        Their rows.
    mean : array, (w,)
        Column means of the training rows.
    values : array, (r,)
        Singular values of the centred training rows above rounding error, descending.
    right : array, (w, r)
        Their right singular vectors.
    """

    train: Array
    test: Array
    mean: Array
    values: Array
    right: Array

    @property
    def spanned(self) -> bool:
        """Whether the training rows have as many dimensions as they can have."""
        return self.values.shape[0] >= self.train.shape[0] - 1


@dataclass(frozen=True, eq=False)
class Folded:
    """A representation, what is fitted of it in every fold, and what it would predict.

    Parameters
    ----------
    features : array, (n, p)
        The features in the widest float, centred over all rows, in an arbitrary unit.
    given : float
        Machine epsilon of the dtype in which they were given.
    parts : sequence of array
        The rows that each fold holds out.
    """

    features: Array
    given: float
    parts: Sequence[Rows]
    _free: dict[tuple[float, ...], list[Array]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, X: Array, parts: Sequence[Rows]) -> "Folded":
        """Return the statistic of a representation (n, p), which must vary."""
        given = array.precision(X)
        centred, _ = linalg.centred(rows.exact(array.constant(X), host=True))
        return cls(centred, given, parts)

    @cached_property
    def turned(self) -> Array:
        """The features turned into n columns where there are more, which no fit can tell."""
        xp = array.namespace(self.features)
        n, p = self.features.shape
        return xp.linalg.qr(self.features.T)[1].T if p > n else self.features

    @cached_property
    def folds(self) -> list[Fold]:
        """What is fitted of X once, whatever it is to predict."""
        return [self._fold(test) for test in self.parts]

    def free(self, penalties: tuple[float, ...]) -> list[Array]:
        """Return for each fold what is free of itself in a row that is fitted: 1 − leverage.

        Parameters
        ----------
        penalties : tuple of float
            Ridge penalties, relative to the largest squared singular value.

        Returns
        -------
        list of array, (n_train, penalties)
            Divided by the penalty where the training rows are `Fold.spanned`.
        """
        if penalties not in self._free:
            self._free[penalties] = [self._free_of(fold, penalties) for fold in self.folds]
        return self._free[penalties]

    def training(self, fold: Fold) -> Array:
        """Return the centred training rows of a fold."""
        return array.namespace(self.turned).take(self.turned, fold.train, axis=0) - fold.mean

    def held_out(self, fold: Fold) -> Array:
        """Return the rows that a fold holds out, less the mean of the training rows."""
        return array.namespace(self.turned).take(self.turned, fold.test, axis=0) - fold.mean

    def _fold(self, test: Rows) -> Fold:
        xp, X = array.namespace(self.turned), self.turned
        train = np.setdiff1d(np.arange(X.shape[0]), test)
        train, test = (xp.asarray(each, device=array.device(X)) for each in (train, test))
        T = xp.take(X, train, axis=0)
        mean = xp.mean(T, axis=0)
        T = T - mean
        working = float(xp.finfo(T.dtype).eps)
        if self.given > working:  # what this loses lies below what the input could resolve
            values, right = linalg.eigen(T.T @ T)
        else:
            _, values, right = xp.linalg.svd(T, full_matrices=False)
            right = right.T
        tolerance = linalg.rank_tolerance(*T.shape, given=self.given, working=working)
        # Training rows that are all alike differ by rounding, from the size of the whole.
        least = 64 * working * xp.linalg.matrix_norm(X)
        return Fold(train, test, mean, *_leading(values, right, tolerance, least))

    def _free_of(self, fold: Fold, penalties: tuple[float, ...]) -> Array:
        xp = array.namespace(self.turned)
        n = fold.train.shape[0]
        if fold.values.shape[0] == 0:
            shape = (n, len(penalties))
            return xp.full(shape, 1 - 1 / n, dtype=fold.mean.dtype, device=array.device(fold.mean))
        squares = (self.training(fold) @ (fold.right / fold.values)) ** 2
        shrunk = xp.stack([shrinkage(fold, each) for each in penalties], axis=1)
        # Of training rows that span everything the leverage is 1 but for the penalty.
        return squares @ shrunk if fold.spanned else 1 - 1 / n - squares @ shrunk


def _leading(values: Array, right: Array, tolerance: float, least: Array) -> tuple[Array, Array]:
    """Return the singular values that are more than rounding, and their vectors."""
    real = (values > tolerance * values[0]) & (values > least)
    rank = int(array.namespace(values).count_nonzero(real))
    return values[:rank], right[:, :rank]


def shrinkage(fold: Fold, penalty: float) -> Array:
    """Return σ²/(σ² + λ), what ridge leaves of a direction; where `Fold.spanned`, 1/(σ² + λ).

    The latter is what it takes, divided by λ: as λ goes to zero it keeps its digits.
    """
    squares = (fold.values / fold.values[0]) ** 2
    return (1.0 if fold.spanned else squares) / (squares + penalty)


@dataclass(frozen=True, eq=False)
class Directed:
    """Two representations of the same samples, the first of which predicts the second."""

    x: Folded
    y: Folded
