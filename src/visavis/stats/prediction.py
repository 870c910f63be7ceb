"""Prediction out of sample: ridge and partial least squares, and how near they come."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.stats.folds import Directed, Fold, Folded, shrinkage

# Penalties of ridge, relative to the largest squared singular value of the training rows.
PENALTIES = tuple(10.0**k for k in range(-8, 3))
# Errors that agree to so many digits are equal, and rounding does not choose among them.
TIE = 1e-10


def held_out(
    met: Directed, options: Mapping[str, Any], *, turned: bool
) -> Iterator[tuple[Array, Array]]:
    """Yield Y and its prediction from X in the rows of each fold, less the mean in training.

    Parameters
    ----------
    met : Directed
        X and Y.
    options : mapping
        The model and what it is to be told.
    turned : bool
        Whether the columns of Y may be turned, which takes less of many.
    """
    whole = met.y.turned if turned else met.y.features
    xp = array.namespace(whole)
    for index, fold in enumerate(met.x.folds):
        known = xp.take(whole, fold.train, axis=0)
        mean = xp.mean(known, axis=0)
        # What does not vary in training is not known to vary by what its mean is rounded by.
        varies = xp.astype(xp.any(known != known[:1, :], axis=0), known.dtype)
        known = (known - mean) * varies
        actual = xp.take(whole, fold.test, axis=0) - mean
        if fold.values.shape[0] == 0:
            yield actual, xp.zeros_like(actual)
            continue
        cross = (fold.right.T @ (met.x.training(fold).T @ known)) / fold.values[:, None]
        if options["model"] == "pls":
            fitted = partial_least_squares(fold.values, cross, options["components"])
        else:
            penalties = options["penalties"]
            penalty = chosen(met.x, index, known, cross, penalties)
            squares = (fold.values / fold.values[0]) ** 2
            fitted = cross * (squares / (squares + penalty))[:, None]
        weights = fold.right @ (fitted / fold.values[:, None])
        yield actual, met.x.held_out(fold) @ weights


def chosen(
    x: Folded, index: int, known: Array, cross: Array, penalties: tuple[float, ...]
) -> float:
    """Return the penalty, for all targets, with the least squared error when each row is left out.

    Parameters
    ----------
    x : Folded
        What predicts.
    index : int
        Of the fold.
    known : array, (n_train, q)
        The targets in the training rows, centred.
    cross : array, (r, q)
        Their coordinates along the left singular vectors of X.
    penalties : tuple of float
        Relative to the largest squared singular value. Among equals the largest is taken.
    """
    if len(penalties) == 1:
        return penalties[0]
    fold, free = x.folds[index], x.free(penalties)[index]
    T = x.training(fold)
    errors = [
        _left_out(fold, T, known, cross, penalty, free[:, k]) for k, penalty in enumerate(penalties)
    ]
    best = min(errors)
    return max(
        penalty
        for penalty, error in zip(penalties, errors, strict=True)
        if not error > best * (1 + TIE)
    )


def _left_out(
    fold: Fold, T: Array, known: Array, cross: Array, penalty: float, free: Array
) -> float:
    """Return the sum of squared errors of rows each predicted from all others of the training."""
    xp = array.namespace(T)
    # Rows that nothing but themselves tells of, to rounding: there is no error to be had.
    if not fold.spanned and bool(xp.any(free < 64 * float(xp.finfo(T.dtype).eps))):
        return float("inf")
    fitted = T @ (fold.right @ (cross * (shrinkage(fold, penalty) / fold.values)[:, None]))
    residual = fitted if fold.spanned else known - fitted
    return float(xp.sum((residual / free[:, None]) ** 2))


def partial_least_squares(values: Array, cross: Array, components: int) -> Array:
    """Return what a number of components of partial least squares fit of the targets.

    Parameters
    ----------
    values : array, (r,)
        Singular values of X.
    cross : array, (r, q)
        The targets along the left singular vectors of X.
    components : int
        How many; fewer where nothing is left to be fitted.

    Returns
    -------
    array, (r, q)
        The part of `cross` that is fitted: its projection on the scores of the components.
    """
    xp = array.namespace(values)
    values = values / values[0]
    left, scores = cross, cross[:, :0]
    tolerance = values.shape[0] * float(xp.finfo(values.dtype).eps)
    start = xp.linalg.matrix_norm(values[:, None] * left)
    for _ in range(min(components, values.shape[0])):
        # X loses what its scores explain, and so does Y: one deflation does for both.
        covariance = values[:, None] * left
        size = xp.linalg.matrix_norm(covariance)
        if bool(size <= tolerance * start):
            break
        score = values * linalg.leading(covariance / size)
        length = xp.linalg.vector_norm(score)
        for _again in range(2):  # once leaves what rounding brings back
            score = score - scores @ (scores.T @ score)
        if bool(xp.linalg.vector_norm(score) <= tolerance * length):
            break
        score = score / xp.linalg.vector_norm(score)
        scores = xp.concat([scores, score[:, None]], axis=1)
        left = left - score[:, None] * (score @ left)[None, :]
    return cross - left


# Scores: one number from what is held out of every fold.


def explained(met: Directed, options: Mapping[str, Any]) -> float:
    """Return R² of all targets together: what is told of their variance about the known means."""
    lost = total = 0.0
    for actual, predicted in held_out(met, options, turned=True):
        xp = array.namespace(actual)
        lost += float(xp.sum((actual - predicted) ** 2))
        total += float(xp.sum(actual**2))
    return 1 - lost / total


def explained_each(met: Directed, options: Mapping[str, Any]) -> np.ndarray:
    """Return R² of each target, (q,)."""
    still = np.flatnonzero(_host(_spread(met.y.features)) == 0)
    if still.size:
        raise _still(still, "", "average='weighted' counts no variance of theirs")
    lost = total = np.zeros(())
    unit = 1 / _spread(met.y.features)
    for actual, predicted in held_out(met, options, turned=False):
        lost = lost + _host(_squares((actual - predicted) * unit))
        total = total + _host(_squares(actual * unit))
    return 1 - lost / total


def correlations(met: Directed, options: Mapping[str, Any]) -> np.ndarray:
    """Return the correlation of each target with its prediction in each fold, (folds, q)."""
    found = []
    for index, (actual, predicted) in enumerate(held_out(met, options, turned=False)):
        xp = array.namespace(actual)
        where = f" in the rows held out of fold {index}"
        still = np.flatnonzero(_host(xp.max(actual, axis=0) == xp.min(actual, axis=0)))
        if still.size:
            raise _still(still, where, "score='r2' needs no variance of theirs in every fold")
        y, z = (_centred(each) for each in (actual, predicted))
        if z is None or y is None:
            raise DegenerateInputError(
                checks.message(
                    "kernel",
                    "X",
                    "give predictions that vary",
                    f"the same for all rows of fold {index}, of one target at least",
                    "score='r2' has an answer for them.",
                )
            )
        found.append(_host(xp.sum(y * z, axis=0)))
    return np.stack(found)


def _centred(values: Array) -> Array | None:
    """Return columns centred at length 1, or None where one is constant but for rounding."""
    xp = array.namespace(values)
    largest = xp.max(xp.abs(values), axis=0)
    if bool(xp.any(largest == 0)):
        return None
    values = values / largest
    values = values - xp.mean(values, axis=0)
    lengths = xp.sqrt(_squares(values))
    return None if bool(xp.any(lengths < 1e-13)) else values / lengths


def _squares(values: Array) -> Array:
    return array.namespace(values).sum(values**2, axis=0)


def _spread(values: Array) -> Array:
    return array.namespace(values).max(array.namespace(values).abs(values), axis=0)


def _host(values: Array) -> np.ndarray:
    return np.asarray(array.to_numpy(values))


def _still(columns: np.ndarray, where: str, cure: str) -> DegenerateInputError:
    more = f" and {columns.size - 1} more" if columns.size > 1 else ""
    return DegenerateInputError(
        checks.message(
            "kernel",
            "X",
            f"vary in every column that is to be predicted{where}",
            f"column {columns[0]}{more} without variation",
            f"Leave {'them' if more else 'it'} out: {cure}.",
        )
    )
