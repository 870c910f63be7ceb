"""Pooling: what becomes of a layer's output on the way to a row."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from visavis._core import checks
from visavis._core.types import Array

PoolOption: TypeAlias = str | Callable[[Array, str], Array] | None


class Pooling(NamedTuple):
    """A way to pool, and its name for the record."""

    name: str
    apply: Callable[[Array, str], Array]


def pooling(where: str, pool: PoolOption) -> Pooling:
    """Return the pooling that the option `pool` stands for."""
    if pool is None:
        return Pooling("none", lambda output, layer: output)
    if callable(pool):
        return Pooling(qualified_name(pool), pool)
    checks.option(where, "pool", pool, tuple(_NAMED))
    return Pooling(pool, _NAMED[pool])


def qualified_name(function: Any) -> str:
    """Return the dotted name of a function, or of the class of a callable object."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


# An output without a batch dimension passes as it is: it is refused afterwards, with its own shape.


def _flatten(output: Array, layer: str) -> Array:
    if output.ndim == 0:
        return output
    return output.reshape(output.shape[0], math.prod(output.shape[1:]))


def _gap(output: Array, layer: str) -> Array:
    return output.mean(tuple(range(2, output.ndim))) if output.ndim > 2 else output


_NAMED: dict[str, Callable[[Array, str], Array]] = {"flatten": _flatten, "gap": _gap}
