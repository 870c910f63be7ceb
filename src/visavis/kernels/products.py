"""Kernels of inner products: linear, polynomial, cosine."""

import math
from collections.abc import Mapping
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels.kernel import Fitted, Kernel, positive


def linear() -> Kernel:
    """⟨x, y⟩: the kernel of Kornblith et al. (2019), eq. 3.

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        moved, unit = linalg.shifted(X)
        return moved @ moved.T, unit

    def fitted(X: Array, wide: bool, known: Mapping[str, Any]) -> Fitted:
        moved = known.get("moved") or linalg.fitted_shift(X)
        return Fitted(
            linalg.shifted_rows(X, *moved, wide=wide), _products, moved[1], {"moved": moved}
        )

    return Kernel("linear", scaled=scaled, fitted=fitted)


def polynomial(degree: int = 3, *, gamma: float | None = None, coef0: float = 1.0) -> Kernel:
    """(γ⟨x, y⟩ + c)^degree on the features as they are.

    Parameters
    ----------
    degree : int
        At least 1.
    gamma : float, optional
        γ; one over the number of features if not given.
    coef0 : float
        c; not negative.

    Returns
    -------
    Kernel

    Notes
    -----
    Not invariant to translation, nor (unless ``coef0=0``) to the scale of the features. Computed
    on the scale of its largest entry, so that no power overflows; similarity ratios ignore it.
    """
    if not isinstance(degree, int) or degree < 1:
        expected = "be a whole number, 1 or more"
        raise ValueError(checks.message("polynomial", "degree", expected, repr(degree)))
    _not_negative("polynomial", "coef0", coef0)
    if gamma is not None:
        positive("polynomial", "gamma", gamma)

    def scaled(X: Array) -> tuple[Array, Array | float]:
        xp = array.namespace(X)
        X = array.widen(X)
        unit = linalg.unit_of(X)
        X = X * unit
        offset = (coef0 * unit) * unit
        base = (gamma if gamma is not None else 1 / X.shape[1]) * (X @ X.T) + offset
        peak = array.power_of_two(xp.max(xp.abs(base)))
        return (base * peak) ** degree, _power(unit * peak * unit, degree / 2)

    def fitted(X: Array, wide: bool, known: Mapping[str, Any]) -> Fitted:
        unit, scale = known.get("scales") or _scales(X)

        def tile(left: Array, right: Array) -> Array:
            return (base(left @ right.T, X.shape[1], unit) * scale) ** degree

        return Fitted(
            lambda part: array.widen(linalg.rows_of(X, part)) * unit,
            tile,
            _power(unit * scale * unit, degree / 2),
            {"scales": (unit, scale)},
        )

    def base(products: Any, p: int, unit: float) -> Any:
        return (gamma if gamma is not None else 1 / p) * products + (coef0 * unit) * unit

    def _scales(X: Array) -> tuple[float, float]:
        """Return powers of two for the features and for the base of the power."""
        peak, largest = linalg.largest_of(X)
        if not math.isfinite(peak):
            raise DegenerateInputError("kernel: `X` must be finite.")
        unit = 2.0 ** -math.frexp(peak)[1] if 0 < peak < math.inf else 1.0
        bound = base(largest * unit * unit, X.shape[1], unit)
        return unit, 2.0 ** -math.frexp(bound)[1] if 0 < bound < math.inf else 1.0

    given = (("gamma", gamma),) if gamma is not None else ()
    shift = (("coef0", coef0),) if coef0 != 1.0 else ()
    return Kernel("polynomial", (("degree", degree), *given, *shift), scaled=scaled, fitted=fitted)


def cosine() -> Kernel:
    """⟨x, y⟩ / ‖x‖‖y‖ of the rows as they are; not invariant to translation.

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        X = _unit_rows(X, 0)
        return X @ X.T, 1.0

    def fitted(X: Array, wide: bool, known: Mapping[str, Any]) -> Fitted:
        if "checked" not in known:
            for part in linalg.row_blocks(X.shape[0]):
                _unit_rows(linalg.rows_of(X, part), part.start)
        return Fitted(
            lambda part: _unit_rows(linalg.rows_of(X, part), part.start),
            _products,
            1.0,
            {"checked": True},
        )

    return Kernel("cosine", scaled=scaled, fitted=fitted)


def _not_negative(where: str, name: str, value: float) -> None:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(checks.message(where, name, "be a number, zero or more", repr(value)))


def _power(unit: Array | float, exponent: float) -> Array | float:
    try:
        return unit**exponent
    except OverflowError:
        return math.inf


def _products(left: Array, right: Array) -> Array:
    return left @ right.T


def _unit_rows(x: Array, start: int) -> Array:
    """Return rows divided by their norms, each by its own peak first: a square may overflow."""
    xp = array.namespace(x)
    x = array.widen(x)
    peaks = xp.max(xp.abs(x), axis=1)
    if not array.recording(x) and bool(xp.any(peaks == 0)):
        row = start + int(xp.argmax(xp.astype(peaks == 0, xp.int8)))
        raise DegenerateInputError(
            f"kernel: `X` holds an all-zero row, which has no angle to others: row {row}. "
            "Leave such rows out of both sides, or use the linear kernel."
        )
    x = x / peaks[:, None]
    return x / xp.sqrt(xp.linalg.vecdot(x, x, axis=-1))[:, None]
