"""The one file that knows array libraries: namespace, dtype policy, tracing, hand-over to NumPy.

Everything above is written once against the array API standard. What the standard does not say
(half precision, gradients being recorded, values that cannot be read inside ``jax.jit``) is said
here. No library is imported: an array of a library can only exist if the library already is.
"""

import math
import sys
import threading
from collections.abc import Iterable

import array_api_compat as compat
import array_api_compat.numpy as compat_numpy
import numpy as np

from visavis._core.types import Array, DType, Namespace

HALF = frozenset({"float16", "bfloat16"})


def namespace(*arrays: Array) -> Namespace:
    """Return the array API namespace that all `arrays` share; TypeError if they do not."""
    if all(type(x) is np.ndarray for x in arrays):  # asked often enough to be felt
        return compat_numpy
    return compat.array_namespace(*arrays)


def is_array(value: object) -> bool:
    """Whether `value` is an array of a supported library (a NumPy scalar is not)."""
    return bool(compat.is_array_api_obj(value)) and not isinstance(value, np.generic)


def dtype_name(x: Array) -> str:
    """Return the plain name of the dtype of `x`: ``"float32"``, ``"bfloat16"``, ``"int64"`` ..."""
    # NumPy writes the byte order into the text of a dtype, but not into its name.
    name = x.dtype.name if isinstance(x, np.ndarray) else str(x.dtype)
    return name.rsplit(".", maxsplit=1)[-1]


def device(x: Array) -> object:
    """Return the device of `x`."""
    return compat.device(x)


def itemsize(x: Array) -> int:
    """Return the bytes of an entry of `x`."""
    return 8 if dtype_name(x).endswith("64") else 4 if dtype_name(x).endswith("32") else 2


def wide(x: Array) -> DType:
    """Return the widest real floating dtype of the library on the device of `x`.

    Sums that decide an answer are accumulated in it. It is float64 wherever that exists; it is
    float32 in JAX without ``jax_enable_x64`` and on devices without double precision.
    """
    if type(x) is np.ndarray:
        return np.float64
    xp = namespace(x)
    floats = xp.__array_namespace_info__().dtypes(device=device(x), kind="real floating")
    return floats["float64"] if "float64" in floats else floats["float32"]


def dense(x: Array) -> bool:
    """Whether `x` is a plain array: not masked, not sparse."""
    if compat.is_torch_array(x):
        return x.layout is sys.modules["torch"].strided and not x.is_nested
    return not isinstance(x, np.ma.MaskedArray)


def numeric(x: Array) -> bool:
    """Whether `lift` makes a real float of `x`."""
    name = dtype_name(x)
    if name in {"float16", "bfloat16", "float32", "float64", "float96", "float128", "longdouble"}:
        return True
    if name.startswith(("int", "uint", "bool")):
        return namespace(x).isdtype(x.dtype, ("integral", "bool"))
    return False


def lift(x: Array) -> Array:
    """Return `x` in a dtype that can be computed with.

    Half precision goes to float32, integers and booleans (which are exact) to the widest float,
    extended precision to float64; float32 and float64 pass as they are. `x` must be `numeric`.
    """
    xp = namespace(x)
    name = dtype_name(x)
    if name in {"float32", "float64"}:
        return x
    if name in HALF:
        # astype of the namespace refuses the bfloat16 of ml_dtypes, which NumPy itself converts.
        return x.astype("float32") if isinstance(x, np.ndarray) else xp.astype(x, xp.float32)
    if name in {"float96", "float128", "longdouble"}:
        return xp.astype(x, xp.float64)
    return xp.astype(x, wide(x))


def precision(x: Array) -> float:
    """Return the spacing of the dtype in which `x` was given, its machine epsilon.

    Integers and booleans are exact, so theirs is that of the float they are lifted to.
    """
    name = dtype_name(x)
    if name == "bfloat16":
        return 2.0**-7
    if name == "float16":
        return 2.0**-10
    xp = namespace(x)
    return float(xp.finfo(lift(x).dtype).eps)


def float_named(name: str, like: Array) -> DType:
    """Return the float ``"float32"`` or ``"float64"``, or the widest that the library has."""
    return namespace(like).float32 if name == "float32" else wide(like)


def widen(x: Array) -> Array:
    """Return `x` in the widest float of its library and device."""
    return namespace(x).astype(x, wide(x), copy=False)


def like(value: Array, X: Array) -> Array:
    """Return a 0-d array of the dtype and library of `X` from a 0-d array or scalar of it."""
    xp = namespace(X)
    with np.errstate(
        over="ignore"
    ):  # what the dtype cannot hold is found by the check of the result
        value = np.asarray(value) if isinstance(value, np.generic) else value
        return xp.astype(value, X.dtype, copy=False)


def placed(value: float, X: Array) -> Array:
    """Return a number found on the host as a 0-d array of the dtype, library and device of `X`."""
    return namespace(X).asarray(value, dtype=X.dtype, device=device(X))


def recording(*arrays: Array) -> bool:
    """Whether values may not be looked at, or should not be.

    True inside ``jax.jit``, ``jax.grad``, ``vmap`` and ``torch.compile``, and for torch tensors
    whose gradients are being recorded. Value checks and choices that depend on values are skipped
    then; shape checks stay.
    """
    return any(_recording(x) for x in arrays)


def _recording(x: Array) -> bool:
    if compat.is_jax_array(x):
        jax = sys.modules["jax"]
        # Inside jax.jit what is computed from a constant cannot be read either, though it can.
        return isinstance(x, jax.core.Tracer) or isinstance(jax.numpy.zeros(()), jax.core.Tracer)
    if compat.is_torch_array(x):
        torch = sys.modules["torch"]
        if torch.compiler.is_compiling() or (torch.is_grad_enabled() and x.requires_grad):
            return True
        # Inside torch.func.vmap and grad a tensor is a wrapper, and there is no public question to
        # ask of it; but it refuses to become a number.
        return x.numel() > 0 and read(x.flatten()[0]) is None
    return False


def read(x: Array) -> float | None:
    """Return the value of a 0-d array as a Python float, or None where it cannot be read."""
    if compat.is_jax_array(x) and isinstance(x, sys.modules["jax"].core.Tracer):
        return None
    if compat.is_torch_array(x):
        if sys.modules["torch"].compiler.is_compiling():
            return None
        try:
            return float(x.detach())
        except RuntimeError:
            return None
    return float(x)


def constant(x: Array) -> Array:
    """Return `x` as a constant of differentiation; the value is unchanged."""
    if compat.is_torch_array(x):
        return x.detach()
    if compat.is_jax_array(x):
        return sys.modules["jax"].lax.stop_gradient(x)
    return x


def power_of_two(peak: Array) -> Array | float:
    """Return the power of two that brings `peak` into [1, 2), or as near as the dtype allows.

    Multiplying by it is exact. Where `peak` cannot be read its reciprocal serves; a zero `peak`
    gives 1.
    """
    value = read(peak)
    xp = namespace(peak)
    if value is None:
        peak = constant(peak)
        return 1.0 / xp.where(peak > 0, peak, xp.ones_like(peak))
    if value == 0 or not math.isfinite(value):
        return 1.0
    limit = 126 if dtype_name(peak) == "float32" else 1022
    return 2.0 ** max(-limit, min(limit, 1 - math.frexp(value)[1]))


# The first touch of fresh memory costs more than what is written there: small workspaces are kept
# for the next call of the same thread.
_kept = threading.local()
_KEPT_BYTES, _KEPT_SLOTS = 2**24, 2


def workspace(x: Array, slot: int) -> Array | None:
    """Return an uninitialised array like `x` to write results into; None where that is not done.

    JAX has no such thing, and recorded gradients would be wrong. It is valid until the same thread
    asks for the same slot again, so it must not be handed out.
    """
    if isinstance(x, np.ndarray):
        if slot >= _KEPT_SLOTS or x.nbytes > _KEPT_BYTES:
            return np.empty(x.shape, dtype=x.dtype)
        held: np.ndarray | None = getattr(_kept, f"slot{slot}", None)
        if held is None or held.nbytes < x.nbytes:
            held = np.empty(x.nbytes, dtype=np.uint8)
            setattr(_kept, f"slot{slot}", held)
        return held[: x.nbytes].view(x.dtype).reshape(x.shape)
    if compat.is_torch_array(x) and not recording(x):
        return sys.modules["torch"].empty_like(x)
    return None


def subtract(x: Array, y: Array, out: Array | None) -> Array:
    """Return `x` − `y`, written into `out` if there is one."""
    if out is None:
        return x - y
    if isinstance(out, np.ndarray):
        return np.subtract(x, y, out=out)
    return sys.modules["torch"].sub(x, y, out=out)


def ordered(x: Array, places: tuple[int, ...]) -> tuple[Array, ...]:
    """Return the entries of `x` that stand at some places when all of them are sorted."""
    xp = namespace(x)
    flat = xp.reshape(x, (-1,))
    # The standard has no partial sort, which takes a tenth of the time.
    found = np.partition(flat, places) if type(flat) is np.ndarray else xp.sort(flat)
    return tuple(found[place] for place in places)


def to_numpy(x: Array) -> np.ndarray:
    """Return `x` as a NumPy array on the host, copying only where it must."""
    if isinstance(x, np.ndarray):
        return x
    if compat.is_torch_array(x):
        x = x.detach().cpu()
        return (x.float() if dtype_name(x) == "bfloat16" else x).numpy()
    if compat.is_cupy_array(x):
        return x.get()
    try:
        return np.asarray(x)
    except TypeError:  # array_api_strict refuses implicit conversion
        return np.from_dlpack(x)


def bits(x: Array) -> np.ndarray:
    """Return `x` as a NumPy array on the host; bfloat16, which NumPy does not have, as uint16."""
    if dtype_name(x) != "bfloat16":
        return to_numpy(x)
    if compat.is_torch_array(x):
        torch = sys.modules["torch"]
        return x.detach().cpu().view(torch.int16).numpy().view("<u2")
    return np.asarray(x).view("<u2")


def libraries(arrays: Iterable[Array]) -> str:
    """Name the libraries of `arrays`, for messages: ``"numpy and torch"``."""
    names = (type(x).__module__.split(".")[0].replace("jaxlib", "jax") for x in arrays)
    return " and ".join(dict.fromkeys(names))


def host(x: Array) -> Array:
    """Return an array in host memory as a NumPy array, without a copy; others as they are."""
    if compat.is_torch_array(x) and x.device.type == "cpu":
        return to_numpy(x)
    if compat.is_jax_array(x) and all(each.platform == "cpu" for each in x.devices()):
        return np.asarray(x)
    return x
