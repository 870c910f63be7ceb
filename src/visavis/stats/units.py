"""The units (features) of one representation, one by one, and what pairs of them have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.linalg import Coupling

# So many columns are named in a message.
NAMED = 5


@dataclass(frozen=True, eq=False)
class Units:
    """The centred units of a representation, in rows.

    Parameters
    ----------
    rows : array, (p, n)
        Each unit over the samples, in the widest float: of norm 1 each, or all together.
    norm : 0-d array
        The Frobenius norm of the centred representation, in `unit`.
    unit : 0-d array or float
        What the representation was multiplied by.
    """

    rows: Array
    norm: Array
    unit: Array | float

    @classmethod
    def together(cls, X: Array) -> "Units":
        """Return the units of a representation (n, p) divided by its Frobenius norm."""
        xp = array.namespace(X)
        centred, unit = linalg.centred(X)
        norm = xp.linalg.matrix_norm(centred)
        return cls(xp.matrix_transpose(centred) / norm, norm, unit)

    @classmethod
    def each(cls, X: Array) -> "Units":
        """Return the units of a representation (n, p) divided by their own norms.

        Raises
        ------
        DegenerateInputError
            Naming the units that do not vary.
        """
        xp = array.namespace(X)
        centred, unit = linalg.centred(X)
        rows = xp.matrix_transpose(centred)
        # Units may differ in scale by more than a square can hold: each by its own peak first.
        peaks = xp.max(xp.abs(rows), axis=1, keepdims=True)
        if not array.recording(X):
            _check_varying(array.to_numpy(peaks)[:, 0] == 0)
        rows = rows / peaks
        rows = rows / xp.linalg.vector_norm(rows, axis=1, keepdims=True)
        return cls(rows, xp.linalg.matrix_norm(centred), unit)

    @property
    def count(self) -> int:
        """The number of units."""
        return self.rows.shape[0]


def _check_varying(dead: np.ndarray) -> None:
    columns = np.flatnonzero(dead)
    if not columns.size:
        return
    one = columns.size == 1
    named = ", ".join(str(column) for column in columns[:NAMED])
    named += f", … ({columns.size} in all)" if columns.size > NAMED else ""
    raise DegenerateInputError(
        f"kernel: `X` has {'a unit that does' if one else 'units that do'} not vary over the "
        f"samples, and so {'has' if one else 'have'} no correlation with any other: "
        f"{'column' if one else 'columns'} {named}. Leave {'it' if one else 'them'} out."
    )


@dataclass(frozen=True, eq=False)
class Paired:
    """The units of two sides, and the products of all their pairs."""

    x: Units
    y: Units

    @cached_property
    def products(self) -> Array:
        """The inner products (p, q) of all pairs: correlations, of units of norm 1."""
        xp = array.namespace(self.x.rows, self.y.rows)
        return self.x.rows @ xp.matrix_transpose(self.y.rows)

    def coupled(self, solve: Callable[[np.ndarray], Coupling]) -> Coupling:
        """Return what `solve` makes of the products, on the host.

        A coupling is constant under differentiation: to first order the optimum does not move.
        """
        products = array.to_numpy(array.constant(self.products))
        if not np.isfinite(products).all():
            # No solver takes it; the answer says so, and its cause is looked for.
            nowhere = np.zeros(1, dtype=np.intp)
            return Coupling(nowhere, nowhere, np.full(1, np.nan))
        return solve(products.astype(np.float64, copy=False))

    def apart(self, coupling: Coupling, x: float = 1.0, y: float = 1.0) -> Array:
        """Return Σ w‖x·x_i − y·y_j‖² over the pairs of a coupling.

        Near zero it keeps the digits that norms minus products would lose.
        """
        xp = array.namespace(self.x.rows, self.y.rows)
        left, right = _take(self.x.rows, coupling.rows), _take(self.y.rows, coupling.cols)
        difference = x * left - y * right
        return _weighted(xp.linalg.vecdot(difference, difference, axis=-1), coupling.weights)

    def to_best(self) -> Array:
        """Return the mean of ‖x_i − y_j‖² over the units of X, each with its best partner j."""
        xp = array.namespace(self.x.rows, self.y.rows)
        best = xp.argmax(array.constant(self.products), axis=1)
        difference = self.x.rows - xp.take(self.y.rows, best, axis=0)
        return xp.mean(xp.linalg.vecdot(difference, difference, axis=-1))

    def alone(self, coupling: Coupling) -> Array:
        """Return the sum of the squared norms of the units that are in no pair."""
        left = _left_over(self.x.rows, coupling.rows)
        return left + _left_over(self.y.rows, coupling.cols)


def _take(rows: Array, indices: np.ndarray) -> Array:
    xp = array.namespace(rows)
    return xp.take(rows, xp.asarray(indices, device=array.device(rows)), axis=0)


def _weighted(values: Array, weights: np.ndarray) -> Array:
    xp = array.namespace(values)
    held = xp.asarray(weights, dtype=values.dtype, device=array.device(values))
    return xp.linalg.vecdot(values, held)


def _left_over(rows: Array, paired: np.ndarray) -> Array:
    xp = array.namespace(rows)
    unpaired = np.setdiff1d(np.arange(rows.shape[0]), paired)
    left = _take(rows, unpaired)
    return xp.sum(left * left)
