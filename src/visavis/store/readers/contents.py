"""What a file holds: layers, and the ids of their rows."""

from typing import NamedTuple

import numpy as np

from visavis._core.errors import StoreFormatError


class Contents(NamedTuple):
    """Layers in file order, and the ids of their rows if the file has them."""

    layers: dict[str, np.ndarray]
    ids: np.ndarray | None = None


def parted(arrays: dict[str, np.ndarray], ids: str | None) -> Contents:
    """Part the array of ids from the layers: the one named `ids`, by default ``"ids"`` if there.

    Raises
    ------
    StoreFormatError
        If `ids` names no array, or the only one, or the ids are not 1-D.
    """
    name = "ids" if ids is None else ids
    if name in arrays and len(arrays) > 1:
        layers = {each: X for each, X in arrays.items() if each != name}
        if arrays[name].ndim != 1:
            shape = arrays[name].shape
            raise StoreFormatError(f"the ids {name!r} must be a 1-D array, got shape {shape}.")
        return Contents(layers, arrays[name])
    if ids is not None:
        raise absent(ids, list(arrays), "array")
    return Contents(arrays)


def absent(ids: str, names: list[str], kind: str) -> StoreFormatError:
    """Return the error for ids that are not in the file, or alone in it."""
    return StoreFormatError(
        f"`ids` must name one {kind} of several, got {ids!r} where there is {listed(names)}."
    )


def listed(names: list[str], most: int = 8) -> str:
    """Return names for a message, not all where there are many."""
    shown = ", ".join(repr(name) for name in names[:most]) or "none"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def refused_text(name: str, dtype: object) -> StoreFormatError:
    """Return the error for an array that is neither numbers nor the ids."""
    return StoreFormatError(
        f"{name!r} must hold real or complex numbers, got {dtype}. "
        f"If it names the samples give ids={name!r}, else leave it out."
    )
