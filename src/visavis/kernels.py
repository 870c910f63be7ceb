"""Kernels: how alike two samples of one representation are.

A kernel is a value with a name, its parameters and a function from a representation ``(n, p)`` to
its Gram matrix ``(n, n)``. Bandwidths are fractions of a median distance, so every kernel here
but `polynomial` ignores the scale of the features.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array

__all__ = ["Kernel", "cosine", "laplacian", "linear", "polynomial", "precomputed", "rbf"]


@dataclass(frozen=True)
class Kernel:
    """A named kernel.

    Parameters
    ----------
    name : str
        The field's name.
    parameters : tuple of (str, value)
        What distinguishes it from others of its name; two kernels are equal if these are.
    scaled : callable
        From a representation (n, p) to a Gram matrix (n, n) that is safe to compute with, and the
        unit that it is in: its entries are ``unit**2`` times those of the kernel.
    """

    name: str
    parameters: tuple[tuple[str, object], ...] = ()
    scaled: Callable[[Array], tuple[Array, Array | float]] = field(
        compare=False, repr=False, kw_only=True
    )

    def gram(self, X: Array) -> Array:
        """Return the Gram matrix (n, n) of a representation (n, p).

        The linear kernel centres the features first, which no use of it in visavis can tell.
        """
        K, unit = self.scaled(X)
        return K / unit / unit

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        (_, first), *others = self.parameters
        return f"{self.name}({', '.join([repr(first), *(f'{k}={v!r}' for k, v in others)])})"


def linear() -> Kernel:
    """⟨x, y⟩: the kernel of Kornblith et al. (2019), eq. 3.

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        moved, unit = linalg.shifted(X)
        return moved @ moved.T, unit

    return Kernel("linear", scaled=scaled)


def rbf(fraction: float = 0.5, *, median: str = "pairs") -> Kernel:
    """exp(−‖x − y‖² / 2σ²), with σ a fraction of the median distance.

    Parameters
    ----------
    fraction : float
        σ over the median distance; positive. The paper uses 0.2, 0.4 and 0.8.
    median : {"pairs", "all"}
        ``"pairs"``: the median of the distances between different rows. ``"all"``: σ² is the
        squared fraction of the median of *squared* distances over all n² entries, the zero
        diagonal included, as in the published demonstration of the paper's authors.

    Returns
    -------
    Kernel

    Raises
    ------
    ValueError
        If `fraction` is not positive or `median` is unknown.
    """
    _positive("rbf", "fraction", fraction)
    checks.option("rbf", "median", median, ("pairs", "all"))

    def scaled(X: Array) -> tuple[Array, Array | float]:
        squared, largest = linalg.squared_euclidean(X)
        width = _median(squared)
        if (array.read(largest) or 0.0) > 64 * (array.read(width) or math.inf):
            # The rounding error of the largest row would be felt at the scale of the bandwidth.
            squared, _ = linalg.squared_euclidean(array.widen(X))
            width = _median(squared)
        width = _bandwidth(width, noise=largest)
        return array.namespace(X).exp(-squared / (2 * fraction**2 * width)), 1.0

    def _median(squared: Array) -> Array:
        if median == "all":
            return linalg.median_all(squared)
        # The median of distances, not of their squares: with an even number of pairs they differ.
        xp = array.namespace(squared)
        low, high = linalg.middle_of_pairs(squared)
        return ((xp.sqrt(low) + xp.sqrt(high)) / 2) ** 2

    extra = (("median", median),) if median != "pairs" else ()
    return Kernel("rbf", (("fraction", fraction), *extra), scaled=scaled)


def laplacian(fraction: float = 1.0) -> Kernel:
    """exp(−‖x − y‖₁ / σ), with σ a fraction of the median L1 distance between different rows.

    Parameters
    ----------
    fraction : float
        σ over the median distance; positive.

    Returns
    -------
    Kernel

    Notes
    -----
    Invariant to permutations of the features but not to rotations. O(n²p), without a matrix
    product to carry it.
    """
    _positive("laplacian", "fraction", fraction)

    def scaled(X: Array) -> tuple[Array, Array | float]:
        distances = linalg.manhattan(X)
        low, high = linalg.middle_of_pairs(distances)
        width = _bandwidth((low + high) / 2, noise=None)
        return array.namespace(X).exp(-distances / (fraction * width)), 1.0

    return Kernel("laplacian", (("fraction", fraction),), scaled=scaled)


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
        _positive("polynomial", "gamma", gamma)

    def scaled(X: Array) -> tuple[Array, Array | float]:
        xp = array.namespace(X)
        X = array.widen(X)
        unit = linalg.unit_of(X)
        X = X * unit
        offset = (coef0 * unit) * unit
        base = (gamma if gamma is not None else 1 / X.shape[1]) * (X @ X.T) + offset
        peak = array.power_of_two(xp.max(xp.abs(base)))
        return (base * peak) ** degree, _power(unit * peak * unit, degree / 2)

    given = (("gamma", gamma),) if gamma is not None else ()
    shift = (("coef0", coef0),) if coef0 != 1.0 else ()
    return Kernel("polynomial", (("degree", degree), *given, *shift), scaled=scaled)


def cosine() -> Kernel:
    """⟨x, y⟩ / ‖x‖‖y‖ of the rows as they are; not invariant to translation.

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        xp = array.namespace(X)
        X = array.widen(X)
        # Rows may differ in scale by more than a square can hold: each by its own peak first.
        peaks = xp.max(xp.abs(X), axis=1)
        if not array.recording(X) and bool(xp.any(peaks == 0)):
            row = int(xp.argmax(xp.astype(peaks == 0, xp.int8)))
            raise DegenerateInputError(
                f"kernel: `X` holds an all-zero row, which has no angle to others: row {row}. "
                "Leave such rows out of both sides, or use the linear kernel."
            )
        X = X / peaks[:, None]
        X = X / xp.sqrt(xp.linalg.vecdot(X, X, axis=-1))[:, None]
        return X @ X.T, 1.0

    return Kernel("cosine", scaled=scaled)


def precomputed() -> Kernel:
    """Take the input itself as a symmetric Gram matrix (n, n).

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        xp = array.namespace(X)
        if X.shape[0] != X.shape[1]:
            raise ValueError(
                checks.message("kernel", "X", "be square (n, n)", f"shape {tuple(X.shape)}")
            )
        if not array.recording(X):
            checks.all_finite("kernel", "X", X)
            with checks.quiet():
                asymmetry = float(xp.max(xp.abs(X - X.T)))
            largest = float(xp.max(xp.abs(X)))
            if math.isfinite(asymmetry) and asymmetry > 1e3 * array.precision(X) * largest:
                raise ValueError(
                    checks.message(
                        "kernel",
                        "X",
                        "be symmetric",
                        f"entries that differ from their mirror image by up to {asymmetry:.3g}",
                        "Give a Gram matrix, not features or distances.",
                    )
                )
        X = array.widen(X)
        unit = linalg.unit_of(X)
        return X * unit, unit**0.5

    return Kernel("precomputed", scaled=scaled)


NAMED: Mapping[str, Callable[..., Kernel]] = MappingProxyType(
    {
        factory.__name__: factory
        for factory in (linear, rbf, laplacian, polynomial, cosine, precomputed)
    }
)
"""Every kernel by name, for text such as ``"rbf(0.4)"``."""


def named(where: str, kernel: Kernel | str) -> Kernel:
    """Return the kernel that `kernel` is or names with its default parameters."""
    if isinstance(kernel, Kernel):
        return kernel
    if not isinstance(kernel, str):
        raise TypeError(
            checks.message(
                where,
                "kernel",
                "be a name or a visavis.kernels.Kernel",
                type(kernel).__name__,
                "For instance visavis.kernels.rbf(0.4).",
            )
        )
    checks.option(where, "kernel", kernel, tuple(NAMED))
    return NAMED[kernel]()


def _positive(where: str, name: str, value: float) -> None:
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(checks.message(where, name, "be a positive number", repr(value)))


def _not_negative(where: str, name: str, value: float) -> None:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(checks.message(where, name, "be a number, zero or more", repr(value)))


def _power(unit: Array | float, exponent: float) -> Array | float:
    try:
        return unit**exponent
    except OverflowError:
        return math.inf


def _bandwidth(width: Array, *, noise: Array | None) -> Array:
    """Return `width` unless it is zero, or no more than the rounding error of a distance."""
    seen = None if array.recording(width) else array.read(width)
    error = 0.0 if noise is None else 16 * array.precision(width) * (array.read(noise) or 0.0)
    if seen is not None and seen <= error:
        raise DegenerateInputError(
            "kernel: `X` gives no bandwidth: the median distance between rows is zero, since half "
            "of all pairs of rows or more are identical. Drop the duplicate rows."
        )
    return width
