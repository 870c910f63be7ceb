"""Zeros up to a size."""

from visavis._core import array
from visavis._core.types import Array


def padded(A: Array, size: int, axis: int = -1) -> Array:
    """Return `A` with zeros added along an axis until it has that size."""
    xp = array.namespace(A)
    missing = size - A.shape[axis]
    if not missing:
        return A
    shape = list(A.shape)
    shape[axis] = missing
    nothing = xp.zeros(tuple(shape), dtype=A.dtype, device=array.device(A))
    return xp.concat([A, nothing], axis=axis)
