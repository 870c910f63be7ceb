"""Maps that are fitted on some rows of two representations, and scored on others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import linear
from visavis.stats import procrustes as formulas
from visavis.stats.axes import Axes, Overlap, rank


@dataclass(frozen=True, eq=False)
class Split:
    """A representation in training rows and test rows, both less the mean of the training rows.

    Parameters
    ----------
    axes : Axes
        Principal axes of the training rows.
    train, test : array, (n, p) and (t, p)
        The rows, in the unit of the axes.
    """

    axes: Axes
    train: Array
    test: Array

    @classmethod
    def of(cls, train: Array, test: Array) -> "Split":
        """Return the statistic of training rows (n, p) and test rows (t, p)."""
        xp = array.namespace(train, test)
        axes = Axes.of(train)
        train, test = array.widen(train), array.widen(test)
        shift = linalg.shift_of(train)
        train, test = (linalg.scaled(Z - shift, axes.unit) for Z in (train, test))
        mean = xp.mean(train, axis=0)
        return cls(axes, train - mean, test - mean)

    @cached_property
    def right(self) -> Array:
        """Principal directions (p, r) of the training rows, in the space of features."""
        return self.train.T @ (self.axes.left / _divisor(self.axes.values))

    @cached_property
    def along(self) -> Array:
        """Coordinates (t, r) of the test rows along them."""
        return self.test @ self.right

    @cached_property
    def white(self) -> Array:
        """The same in units of the singular values of the training rows."""
        return self.along / _divisor(self.axes.values)


def turned(x: Split, y: Split, *, alpha: float, form: str, scale: bool) -> Array:
    """Return the distance of the test rows after the turn that is best for the training rows.

    What of the test rows lies in directions that the turn does not know is matched with nothing.
    """
    xp = array.namespace(x.test, y.test)
    sizes = [_stretched(each.axes.values, each.axes.unit, alpha) for each in (x, y)]
    matrix = (x.axes.left.T @ y.axes.left) * sizes[0][:, None] * sizes[1][None, :]
    left, values, right = xp.linalg.svd(matrix, full_matrices=False)
    tolerance = max(matrix.shape) * float(xp.finfo(values.dtype).eps)
    known = xp.astype(values > tolerance * values[0], values.dtype)
    total, parts, norms = 0.0, [], []
    for each, size, turn in ((x, sizes[0], left * known), (y, sizes[1], right.T * known)):
        inside = each.along * (size / _divisor(each.axes.values))
        outside = alpha * (each.test - each.along @ each.right.T)
        norm = xp.sqrt(xp.sum(inside**2) + xp.sum(outside**2))
        matched = inside @ turn
        aside = inside - matched @ turn.T
        total = total + (xp.sum(aside**2) + xp.sum(outside**2)) / norm**2
        parts.append(matched / norm)
        norms.append((norm, each.axes.unit))
    # As in sample: a sum of squares, and not 2 − 2·cosine.
    return formulas.formed(
        total + xp.sum((parts[0] - parts[1]) ** 2), *norms, form=form, scale=scale
    )


def predicted(x: Split, y: Split) -> Array:
    """Return R² of the test rows of Y as the training rows predict them from X."""
    xp = array.namespace(x.test, y.test)
    prediction = x.white @ (x.axes.left.T @ y.train)
    return 1 - xp.sum((y.test - prediction) ** 2) / xp.sum(y.test**2)


def correlated(x: Split, y: Split, options: Mapping[str, Any] | None = None) -> Array:
    """Return the mean correlation of the test rows along the canonical directions of training.

    Parameters
    ----------
    x, y : Split
        Both sides.
    options : mapping, optional
        Those of `linear.truncated`, to keep the leading axes alone.
    """
    xp = array.namespace(x.test, y.test)
    overlap = Overlap(x.axes, y.axes)
    if options is not None:
        overlap = linear.truncated(overlap, **options)
    left, _, right = xp.linalg.svd(overlap.matrix, full_matrices=False)
    a = x.white[:, : left.shape[0]] @ left
    b = y.white[:, : right.shape[1]] @ right.T
    norms = [xp.linalg.vector_norm(each, axis=0) for each in (a, b)]
    if array.recording(a, b):  # where directions beyond the rank may still be there, as zeros
        norms = [xp.where(each > 0, each, xp.ones_like(each)) for each in norms]
    count = xp.minimum(rank(overlap.x.values), rank(overlap.y.values))
    return xp.sum(xp.sum(a * b, axis=0) / norms[0] / norms[1]) / count


def _stretched(values: Array, unit: Array | float, alpha: float) -> Array:
    """Return singular values after partial whitening, in the unit of the features."""
    real = array.namespace(values).astype(values > 0, values.dtype)
    return values if alpha == 1 else (alpha * values + (1 - alpha) * unit) * real


def _divisor(values: Array) -> Array:
    """Return singular values to divide by: 1 instead of the zeros of what is not there."""
    xp = array.namespace(values)
    return xp.where(values > 0, values, xp.ones_like(values))
