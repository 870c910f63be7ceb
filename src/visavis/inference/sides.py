"""Two representations made ready for inference: their centred Gram matrices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures import Measure, MeasureSpec, Shapes, resolve
from visavis.measures.alignment import kernel_sides
from visavis.stats import Gram
from visavis.stats.hsic import EQUIDISTANT


@dataclass(frozen=True)
class Centred:
    """One representation for CKA.

    Parameters
    ----------
    matrix : array, (n, n)
        Debiased: the U-centred Gram matrix, with a zero diagonal and rows that sum to zero. Biased:
        the double-centred one.
    square : float
        The sum of its squares.
    trace : float
        The trace of the double-centred Gram matrix.
    diagonal : bool
        Whether the diagonal counts: biased.
    """

    matrix: Array
    square: float
    trace: float
    diagonal: bool = False

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.matrix.shape[0])

    @classmethod
    def of(
        cls,
        where: str,
        name: str,
        X: Array,
        kernel: Kernel,
        *,
        estimator: str = "debiased",
        wide: bool = True,
    ) -> "Centred":
        """Return a checked representation, or say why it has nothing to align.

        In the widest float; with ``wide=False`` in the precision of the representation.
        """
        with checks.side(where, name), checks.diagnosed(where, **{name: X}):
            held = Gram.of(array.widen(X) if wide else X, kernel)
            norm = held.norm(estimator)
        if not float(norm) > 0:
            checks.locate(where, **{name: X})
            raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
        hollow = array.widen(held.hollow) if wide else held.hollow
        matrix, diagonal = linalg.hollow_centred(hollow, held.diagonal)
        if estimator == "biased":
            matrix = _doubly_centred(matrix, diagonal)
        square = float(linalg.inner(matrix, matrix))
        return cls(matrix, square, float(held.trace()), estimator == "biased")


def _doubly_centred(hollow: Array, diagonal: Array) -> Array:
    """Return K − rows − columns + mean of a Gram matrix that is split."""
    xp = array.namespace(hollow)
    n = hollow.shape[0]
    sums = (array.widen(xp.sum(hollow, axis=1)) + diagonal) / n
    shift = xp.astype(sums - xp.sum(sums) / (2 * n), hollow.dtype, copy=False)
    eye = xp.eye(n, dtype=hollow.dtype, device=array.device(hollow))
    K = hollow + eye * xp.astype(diagonal, hollow.dtype, copy=False)
    return K - shift[:, None] - shift[None, :]


def measured(where: str, measure: MeasureSpec) -> Measure:
    """Return the measure that was asked for."""
    try:
        return resolve(measure)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None


def kernels_of(where: str, measure: Measure) -> tuple[Kernel, Kernel]:
    """Return the kernels of debiased CKA; ValueError for any other measure."""
    settings: Mapping[str, Any] = measure.settings
    if measure.name != "cka" or settings["estimator"] != "debiased":
        raise ValueError(
            checks.message(
                where,
                "measure",
                "be debiased cka, of any kernel",
                measure.label,
                "For other measures there are `subsample` and `permutation_test`.",
            )
        )
    return kernel_sides(where, settings["kernel"])


def chance(X: Array, Y: Array, /, *, measure: MeasureSpec = "cka") -> float:
    """Return the exact mean of a measure over all permutations of the rows of one side.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        One whose record has a closed form: ``visavis measures`` says which do.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no closed form: `permutation_test` gives ``null_mean`` for any measure.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 100))
    >>> round(vv.inference.chance(X, Y, measure="cka(estimator=biased)"), 1)
    0.5
    """
    where = "chance"
    known = measured(where, measure)
    if known.chance is None:
        raise ValueError(
            checks.message(
                where,
                "measure",
                "have a closed form of its mean under permutations",
                known.label,
                "permutation_test(...).null_mean draws it.",
            )
        )
    X, Y = checks.pair(where, X, Y, minimum_rows=known.minimum_rows)
    shapes = Shapes(X.shape[0], (X.shape[1],), (Y.shape[1],))
    with checks.diagnosed(where, X=X, Y=Y):
        x, y = (known.prepare(known.settings, side, shapes) for side in (0, 1))
        met = x.meet(x.run(X), y.run(Y))
        value = known.chance(known.settings, met)
    return float(checks.finite(where, value, X=X, Y=Y))


def host(x: Array) -> np.ndarray:
    """Return a vector of results on the host."""
    return np.asarray(array.to_numpy(x), dtype=np.float64)
