"""The array libraries that every measure must serve alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import array_api_compat
import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import torch

Array = Any

# Fixed, for JAX compiles and torch dispatches for each: features are cheaper, Gram matrices are,
# one feature, sides of either kind.
SHAPES = {
    "tall": {"n": 40, "p": 6, "q": 5},
    "wide": {"n": 13, "p": 30, "q": 20},
    "single": {"n": 12, "p": 1, "q": 1},
    "mixed": {"n": 14, "p": 3, "q": 25},
}


@dataclass(frozen=True)
class Library:
    """An array library in one mode of use.

    Parameters
    ----------
    name : str
        How tests call it.
    array : callable
        From a NumPy array to an array of the library with the same dtype, on its own memory.
    dtypes : tuple of str
        The floats that it computes in, the widest last.
    shapes : tuple of str
        The `SHAPES` that are worth the time here.
    enabled : callable
        Context in which its arrays are made and used.
    """

    name: str
    array: Callable[[np.ndarray], Array]
    dtypes: tuple[str, ...] = ("float32", "float64")
    shapes: tuple[str, ...] = tuple(SHAPES)
    enabled: Callable[[], AbstractContextManager[Any]] = nullcontext

    def dtype(self, name: str) -> Any:
        """The dtype of that name."""
        return self.array(np.zeros((1, 1), name)).dtype


def _read_only(x: np.ndarray) -> np.ndarray:
    x = np.array(x)
    x.flags.writeable = False
    return x


LIBRARIES = {
    library.name: library
    for library in (
        Library("numpy", np.array),
        Library("numpy, read-only", _read_only),
        Library("array_api_strict", array_api_strict.asarray),
        Library("torch", lambda x: torch.tensor(np.ascontiguousarray(x))),
        Library("jax", jnp.asarray, dtypes=("float32",)),
        Library(
            "jax, x64",
            jnp.asarray,
            dtypes=("float64",),
            shapes=("mixed",),  # every shape is compiled once more for the other dtype
            enabled=lambda: jax.enable_x64(True),
        ),
    )
}


def same_home(answer: Array, given: Array) -> bool:
    """Whether two arrays are of one class, dtype and device: nothing was converted or moved."""
    return (
        type(answer) is type(given)
        and answer.dtype == given.dtype
        and array_api_compat.device(answer) == array_api_compat.device(given)
    )


def as_numpy(x: Array) -> np.ndarray:
    """The values of an array of any of the libraries."""
    return (
        np.from_dlpack(x) if isinstance(x, array_api_strict.empty(0).__class__) else np.asarray(x)
    )
