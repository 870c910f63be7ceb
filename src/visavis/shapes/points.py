"""Representations as points of shape space: checked, centred, at Frobenius norm 1."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array, DType
from visavis.linalg.padding import padded
from visavis.stats import sphere

# Roundings that an angle between turns of one shape may have.
SAME = 1e3


def unit(where: str, name: str, X: Array) -> Array:
    """Return a checked representation as a point, in the widest float."""
    with checks.quiet():
        point = sphere.point(X)
        size = array.read(array.namespace(point).sum(point))
    if size is not None and math.isnan(size):
        checks.locate(where, **{name: X})
        raise DegenerateInputError(
            f"{where}: `{name}` has no direction in float64, though it varies: rescale it."
        )
    return point


def pair(where: str, X: Array, Y: Array) -> tuple[Array, Array, DType]:
    """Return two points of one width, and the dtype in which to answer."""
    X, Y = checks.pair(where, X, Y, minimum_rows=2)
    width = max(X.shape[1], Y.shape[1])
    x, y = (padded(unit(where, name, Z), width) for name, Z in (("X", X), ("Y", Y)))
    return x, y, X.dtype


def several(
    where: str, Xs: Iterable[Array] | Mapping[str, Array], *, fewest: int
) -> tuple[list[Array], DType]:
    """Return points of one width, and the dtype in which to answer."""
    given = list(Xs.values() if isinstance(Xs, Mapping) else Xs)
    if len(given) < fewest:
        number = f"{fewest} representation{'s' if fewest > 1 else ''} or more"
        raise ValueError(checks.message(where, "Xs", f"hold {number}", f"{len(given)}"))
    names = [f"Xs[{place}]" for place in range(len(given))]
    held = [checks.representation(where, name, X) for name, X in zip(names, given, strict=True)]
    for name, X in zip(names[1:], held[1:], strict=True):
        checks.companions(where, held[0], X, f"Xs[0]` and `{name}")
        if X.shape[0] != held[0].shape[0]:
            raise ValueError(
                checks.message(
                    where,
                    f"Xs[0]` and `{name}",
                    "describe the same samples",
                    f"{held[0].shape[0]} and {X.shape[0]} rows",
                    "Give all the same samples in the same order.",
                )
            )
    if held[0].shape[0] < 2:
        raise ValueError(checks.message(where, "Xs", "have at least 2 rows", f"{held[0].shape[0]}"))
    width = max(X.shape[1] for X in held)
    dtype = array.namespace(*held).result_type(*(X.dtype for X in held))
    points = [padded(unit(where, name, X), width) for name, X in zip(names, held, strict=True)]
    return points, dtype


def nothing(angle: Array) -> bool:
    """Whether an angle, in radians, is no more than rounding."""
    if array.recording(angle):
        return False
    return float(angle) <= SAME * float(array.namespace(angle).finfo(angle.dtype).eps)


def given(x: Array, dtype: DType) -> Array:
    """Return an answer in the dtype of what was asked about."""
    x = np.asarray(x) if isinstance(x, np.generic) else x
    return array.namespace(x).astype(x, dtype, copy=False)
