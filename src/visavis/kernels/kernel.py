"""A kernel as a value, and a kernel on one representation tile by tile."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from visavis._core import checks
from visavis._core.types import Array


@dataclass(frozen=True)
class Fitted:
    """A kernel on one representation, tile by tile.

    Parameters
    ----------
    rows : callable
        From a slice to these rows as `tile` takes them.
    tile : callable
        From two blocks of rows to their part of the Gram matrix.
    unit : float or 0-d array
        Entries are ``unit**2`` times those of the kernel.
    known : mapping
        What reading all rows has told, as plain numbers and arrays: given again, nothing is read.
    """

    rows: Callable[[slice], Any]
    tile: Callable[[Any, Any], Array]
    unit: Array | float = 1.0
    known: Mapping[str, Any] = field(default_factory=dict)


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
    fitted : callable, optional
        ``fitted(X, wide, known)``: from a representation whose rows can be sliced to the kernel on
        it tile by tile, in float64 if `wide`. None where it can only be had whole.
    """

    name: str
    parameters: tuple[tuple[str, object], ...] = ()
    scaled: Callable[[Array], tuple[Array, Array | float]] = field(
        compare=False, repr=False, kw_only=True
    )
    fitted: Callable[[Array, bool, Mapping[str, Any]], Fitted] | None = field(
        default=None, compare=False, repr=False, kw_only=True
    )

    def gram(self, X: Array) -> Array:
        """Return the Gram matrix (n, n) of a representation (n, p).

        The linear kernel centres the features first, which no use of it in visavis can tell.
        """
        K, unit = self.scaled(X)
        return K / unit / unit

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by name: functions inside of functions cannot."""
        return _again, (self.name, self.parameters)

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        (_, first), *others = self.parameters
        return f"{self.name}({', '.join([repr(first), *(f'{k}={v!r}' for k, v in others)])})"


def _again(name: str, parameters: tuple[tuple[str, Any], ...]) -> Kernel:
    from visavis.kernels.names import NAMED

    if name not in NAMED:
        raise ValueError(f"kernel: {name} is not one of visavis, and cannot reach another process.")
    return NAMED[name](**dict(parameters))


def positive(where: str, name: str, value: float) -> None:
    """Check that a parameter is a positive number."""
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(checks.message(where, name, "be a positive number", repr(value)))
