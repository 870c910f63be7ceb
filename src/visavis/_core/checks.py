"""Input checks and the wording of every message about input.

Form of a message: ``{where}: `{argument}` must {expected}, got {seen}. {cure}``.
Shapes and types are checked before any work; values are checked once, on the finished result, and
only a result that is not finite is traced back to the row or column that spoiled it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import numpy as np

from visavis._core import array
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array


def message(where: str, argument: str, expected: str, seen: str, cure: str = "") -> str:
    """Word a message about an argument."""
    return f"{where}: `{argument}` must {expected}, got {seen}.{' ' + cure if cure else ''}"


def representation(where: str, name: str, X: Array) -> Array:
    """Return `X` as a 2-D array that can be computed with, or say what is wrong."""
    if not array.is_array(X):
        raise TypeError(
            message(
                where,
                name,
                "be an array of NumPy, PyTorch, JAX, CuPy or another array API library",
                f"{type(X).__module__.split('.')[0]}.{type(X).__qualname__}",
                "Convert it first, for instance with numpy.asarray.",
            )
        )
    name_of_dtype = array.dtype_name(X)
    if not array.dense(X):
        raise TypeError(
            message(
                where,
                name,
                "be a plain dense array",
                f"a masked or sparse {type(X).__qualname__}",
                "Fill or densify it first.",
            )
        )
    if not array.numeric(X):
        raise TypeError(
            message(
                where,
                name,
                "have a real floating, integer or boolean dtype",
                name_of_dtype,
                "Take the real and imaginary parts as features."
                if "complex" in name_of_dtype
                else "Convert it to float32 or float64.",
            )
        )
    if X.ndim != 2:
        cure = (
            f"Reshape it to ({X.shape[0]}, {math.prod(X.shape[1:])}), or pool it."
            if X.ndim > 2
            else "One feature of n samples is an (n, 1) array: X[:, None]."
        )
        raise ValueError(
            message(where, name, "be 2-D (samples, features)", f"shape {tuple(X.shape)}", cure)
        )
    if X.shape[1] == 0:
        raise ValueError(
            message(where, name, "have at least one feature", f"shape {tuple(X.shape)}")
        )
    return array.lift(X)


def pair(where: str, X: Array, Y: Array, *, minimum_rows: int) -> tuple[Array, Array]:
    """Return `X` and `Y` checked: one library, one device, one float dtype, the same samples."""
    X, Y = representation(where, "X", X), representation(where, "Y", Y)
    companions(where, X, Y)
    rows(where, X.shape[0], Y.shape[0], minimum_rows=minimum_rows)
    xp = array.namespace(X, Y)
    dtype = xp.result_type(X.dtype, Y.dtype)
    return xp.astype(X, dtype, copy=False), xp.astype(Y, dtype, copy=False)


def companions(where: str, X: Array, Y: Array, argument: str = "X` and `Y") -> None:
    """Check that two arrays are of one library and on one device."""
    try:
        array.namespace(X, Y)
    except TypeError:
        raise TypeError(
            message(
                where,
                argument,
                "be arrays of one library",
                array.libraries((X, Y)),
                "Convert one of them; visavis never moves data between libraries.",
            )
        ) from None
    devices = array.device(X), array.device(Y)
    # An array inside jax.jit has no device to speak of.
    if None not in devices and devices[0] != devices[1]:
        raise ValueError(
            message(
                where,
                argument,
                "be on one device",
                f"{devices[0]} and {devices[1]}",
                "Move one of them; visavis never moves data between devices.",
            )
        )


def rows(where: str, n_x: int, n_y: int, *, minimum_rows: int) -> None:
    """Check that both sides have the same number of rows, and enough of them."""
    if n_x != n_y:
        raise ValueError(
            message(
                where,
                "X` and `Y",
                "describe the same samples",
                f"{n_x} and {n_y} rows",
                "Give both the same samples in the same order.",
            )
        )
    if n_x < minimum_rows:
        raise ValueError(
            message(
                where,
                "X` and `Y",
                f"have at least {minimum_rows} rows",
                f"{n_x}",
                "Give more samples.",
            )
        )


def option(where: str, name: str, value: object, choices: tuple[str, ...]) -> None:
    """Check that `value` is one of `choices`."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(message(where, name, f"be one of {listed}", repr(value)))


def count(where: str, name: str, value: object) -> None:
    """Check that `value` is a whole number, 1 or more."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(message(where, name, "be a whole number, 1 or more", repr(value)))


def readable(
    where: str, *, because: str = "Neighbours are found on the host", **arrays: Array
) -> None:
    """Check that values may be looked at, which what is computed on the host has to do."""
    for name, X in arrays.items():
        if array.read(X[0, 0]) is None:
            raise TypeError(
                message(
                    where,
                    name,
                    "hold values that can be read",
                    "an array inside a transformation (jit, vmap, compile)",
                    f"{because}: call it outside.",
                )
            )


def flag(where: str, name: str, value: object) -> None:
    """Check that `value` is True or False: a word such as "no" would count as true."""
    if not isinstance(value, bool):
        raise TypeError(message(where, name, "be True or False", repr(value)))


@contextmanager
def quiet() -> Iterator[None]:
    """Let NumPy divide by zero without a warning: the result is checked and explained instead."""
    with np.errstate(all="ignore"):
        yield


@contextmanager
def side(where: str, name: str) -> Iterator[None]:
    """Say which argument a kernel refuses, which only knows the array."""
    try:
        yield
    except (DegenerateInputError, ValueError) as error:
        reason = str(error)
        if reason.startswith("kernel: `X`"):
            raise type(error)(f"{where}: `{name}`{reason.removeprefix('kernel: `X`')}") from None
        raise


@contextmanager
def diagnosed(where: str, **arrays: Array) -> Iterator[None]:
    """Turn the failure of a decomposition into the reason for it, where the input is the reason."""
    try:
        with quiet():
            yield
    except DegenerateInputError:
        # A kernel found no answer: a NaN or a constant side is the better reason.
        locate(where, **arrays)
        raise
    except Exception as error:
        # numpy.linalg.LinAlgError, torch.linalg.LinAlgError, scipy's: no common class, one name.
        if type(error).__name__.lstrip("_") == "LinAlgError":
            locate(where, **arrays)
            raise DegenerateInputError(
                f"{where}: there is no answer ({error}), though the input is finite and varies: "
                "its products leave the range of its dtype. Rescale the input."
            ) from error
        raise


def finite(where: str, value: Array, *, otherwise: str = "", **arrays: Array) -> Array:
    """Return `value` if it is finite (or may not be looked at), else raise with the cause.

    Parameters
    ----------
    where : str
        The function that was called.
    value : 0-d array
        Its answer.
    otherwise : str
        The cause that remains where the input is finite and varies.
    **arrays : array
        The input by argument name.

    Raises
    ------
    DegenerateInputError
        Naming the array, the row and column, or the constant representation.
    """
    seen = array.read(value) if not array.recording(value, *arrays.values()) else None
    if seen is None or math.isfinite(seen):
        return value
    locate(where, **arrays)
    raise DegenerateInputError(
        f"{where}: there is no answer ({seen}), though the input is finite and varies. "
        + (
            otherwise
            or f"It cannot be represented in {array.dtype_name(value)}: rescale the input."
        )
    )


def all_finite(where: str, name: str, X: Array) -> None:
    """Raise if `X` holds a NaN or an infinity, naming the first."""
    if array.recording(X) or X.shape[0] == 0:
        return
    xp = array.namespace(X)
    # A sum is finite only if every entry is; where only the sum overflows nothing is found.
    if not math.isfinite(array.read(xp.sum(X)) or 0.0):
        _locate_not_finite(where, name, X)


def locate(where: str, **arrays: Array) -> None:
    """Raise for the first NaN, infinity or constant array among `arrays`, if there is one."""
    for name, X in arrays.items():
        if not array.recording(X):
            _locate_not_finite(where, name, X)
    for name, X in arrays.items():
        if not array.recording(X):
            _locate_constant(where, name, X)


def _locate_not_finite(where: str, name: str, X: Array) -> None:
    xp = array.namespace(X)
    bad = ~xp.isfinite(X)
    count = int(xp.count_nonzero(bad))
    if not count:
        return
    flat = int(xp.argmax(xp.astype(xp.reshape(bad, (-1,)), xp.int8)))
    row, column = divmod(flat, X.shape[1])
    seen = float(X[row, column])
    bad_rows = int(xp.count_nonzero(xp.any(bad, axis=1)))
    raise DegenerateInputError(
        message(
            where,
            name,
            "be finite",
            f"{seen} at row {row}, column {column} ({count} such "
            f"value{'s' if count > 1 else ''} in {bad_rows} of {X.shape[0]} rows)",
            "Drop these rows from both sides, or find out why the model produced them."
            if not math.isinf(seen)
            else "Half precision overflows above 65504: run the model in float32 or bfloat16.",
        )
    )


def _locate_constant(where: str, name: str, X: Array) -> None:
    xp = array.namespace(X)
    if bool(xp.all(xp.max(X, axis=0) == xp.min(X, axis=0))):
        raise DegenerateInputError(
            message(
                where,
                name,
                "vary over the samples",
                f"{X.shape[0]} identical rows",
                "A constant (dead) layer has no similarity to anything: leave it out.",
            )
        )
