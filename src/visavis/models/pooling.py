"""Pooling: what becomes of a layer's output on the way to a row."""

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models.masks import Masks

PoolOption: TypeAlias = str | Callable[..., Array] | None


class Pooled(NamedTuple):
    """Rows of one output, and where a sample gives several, how many each sample gave."""

    rows: Array
    counts: tuple[int, ...] | None = None


class Pooling(NamedTuple):
    """A way to pool, and its name for the record.

    ``apply(output, layer, masks)`` gives the `Pooled` rows of an output.
    """

    name: str
    apply: Callable[[Array, str, Masks], Pooled]


class Storage(NamedTuple):
    """Where and in which dtype activations are kept."""

    where: str
    device: Any = None
    dtype: str | None = None

    def cast(self, rows: Array, layer: str) -> Array:
        """Return rows in the dtype that was asked for; ValueError if it cannot hold them."""
        if self.dtype is None:
            return rows
        checks.option(self.where, "dtype", self.dtype, ("float16", "bfloat16", "float32"))
        xp = array.namespace(rows)
        if not hasattr(xp, self.dtype):
            cure = 'float16 and float32 are there, or convert later: dtype="float16".'
            expected = f"be a dtype that {array.libraries([rows])} has"
            raise ValueError(checks.message(self.where, "dtype", expected, self.dtype, cure))
        with np.errstate(over="ignore"):
            kept = xp.astype(rows, getattr(xp, self.dtype))
        if bool(xp.any(xp.isinf(kept) & ~xp.isinf(rows))):
            largest = float(xp.max(xp.abs(rows)))
            expected = f"hold what `{layer}` gives"
            cure = "bfloat16 and float32 hold larger values."
            seen = f"{self.dtype} for values up to {largest:.3g}"
            raise ValueError(checks.message(self.where, "dtype", expected, seen, cure))
        return kept


def pooling(where: str, pool: PoolOption) -> Pooling:
    """Return the pooling that the option `pool` stands for."""
    if pool is None:
        return Pooling("none", lambda output, layer, masks: Pooled(output))
    if callable(pool):
        return Pooling(qualified_name(pool), _called(pool))
    checks.option(where, "pool", pool, tuple(_NAMED))
    return Pooling(pool, _NAMED[pool])


def qualified_name(function: Any) -> str:
    """Return the dotted name of a function, or of the class of a callable object."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _called(pool: Callable[..., Array]) -> Callable[[Array, str, Masks], Pooled]:
    """Return a pooling by the caller's function, which may ask for ``mask`` by name."""
    try:
        asks = "mask" in inspect.signature(pool).parameters
    except (TypeError, ValueError):  # a function of C has no signature
        asks = False

    def apply(output: Array, layer: str, masks: Masks) -> Pooled:
        if not asks:
            return Pooled(pool(output, layer))
        mask = None if output.ndim < 2 else masks.tokens(output, layer, special=True)
        return Pooled(pool(output, layer, mask=mask))

    return apply


# An output without a batch dimension passes as it is: it is refused afterwards, with its own shape.


def _flatten(output: Array, layer: str, masks: Masks) -> Pooled:
    if output.ndim == 0:
        return Pooled(output)
    xp = array.namespace(output)
    return Pooled(xp.reshape(output, (output.shape[0], math.prod(output.shape[1:]))))


def _gap(output: Array, layer: str, masks: Masks) -> Pooled:
    if output.ndim <= 2:
        return Pooled(output)
    return Pooled(array.namespace(output).mean(output, axis=tuple(range(2, output.ndim))))


def _mean(output: Array, layer: str, masks: Masks) -> Pooled:
    if not _has_tokens(output, layer, "mean"):
        return Pooled(output)
    xp = array.namespace(output)
    mask = masks.tokens(output, layer, special=False)
    _no_empty_sample(mask, layer)
    kept = _to(mask, output)[:, :, None]
    # Not a product with the mask: what stands at padding may be infinite. Half precision would
    # lose digits of long sums.
    summed = xp.sum(xp.where(kept, array.lift(output), xp.zeros_like(array.lift(output))), axis=1)
    count = _to(mask.sum(axis=1).astype("float32"), output)[:, None]
    return Pooled(xp.astype(summed / xp.astype(count, summed.dtype), output.dtype))


def _last(output: Array, layer: str, masks: Masks) -> Pooled:
    if not _has_tokens(output, layer, "last"):
        return Pooled(output)
    mask = masks.tokens(output, layer, special=True)
    _no_empty_sample(mask, layer)
    return Pooled(_at(output, mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)))


def _cls(output: Array, layer: str, masks: Masks) -> Pooled:
    if not _has_tokens(output, layer, "cls"):
        return Pooled(output)
    mask = masks.tokens(output, layer, special=True)
    _no_empty_sample(mask, layer)
    # With padding on the left the first token is not at place 0.
    return Pooled(_at(output, np.argmax(mask, axis=1)))


def _tokens(output: Array, layer: str, masks: Masks) -> Pooled:
    if not _has_tokens(output, layer, "tokens"):
        raise ValueError(_no_tokens(output, layer, "tokens"))
    mask = masks.tokens(output, layer, special=False)
    return Pooled(output[_to(mask, output)], tuple(int(k) for k in mask.sum(axis=1)))


def _positions(output: Array, layer: str, masks: Masks) -> Pooled:
    if output.ndim < 3:
        raise ValueError(_no_tokens(output, layer, "positions"))
    if output.ndim == 3:
        return _tokens(output, layer, masks)
    xp = array.namespace(output)
    n, channels = int(output.shape[0]), int(output.shape[1])
    each = math.prod(output.shape[2:])
    moved = xp.permute_dims(xp.reshape(output, (n, channels, each)), (0, 2, 1))
    return Pooled(xp.reshape(moved, (n * each, channels)), (each,) * n)


def _graph_mean(output: Array, layer: str, masks: Masks) -> Pooled:
    xp = array.namespace(output)
    owners = masks.graphs("extract")
    n = int(owners.max()) + 1 if owners.size else 0
    if output.ndim != 2 or output.shape[0] != owners.size:
        if output.ndim >= 1 and output.shape[0] == n:
            return Pooled(output)  # pooled by the model itself
        raise ValueError(
            checks.message(
                "extract",
                "layers",
                f"give a row for each of {owners.size} nodes for pool='graph-mean'",
                f"`{layer}` {tuple(output.shape)}",
                f'Leave it out ("!{layer}"), or pool with a callable.',
            )
        )
    shares = np.zeros((n, owners.size), dtype="float32")
    shares[owners, np.arange(owners.size)] = 1 / np.bincount(owners, minlength=n)[owners]
    lifted = array.lift(output)
    weights = xp.astype(_to(shares, output), lifted.dtype)
    return Pooled(xp.astype(weights @ lifted, output.dtype))


def _has_tokens(output: Array, layer: str, pool: str) -> bool:
    """Whether an output is (n, t, d); one that is a row already passes, any other is refused."""
    if output.ndim <= 2:
        return False
    if output.ndim > 3:
        raise ValueError(_no_tokens(output, layer, pool))
    return True


def _no_tokens(output: Array, layer: str, pool: str) -> str:
    expected = "maps (n, c, ...) or tokens (n, t, d)" if pool == "positions" else "tokens (n, t, d)"
    return checks.message(
        "extract",
        "layers",
        f"give {expected} for pool={pool!r}",
        f"`{layer}` {tuple(output.shape)}",
        f'Leave it out ("!{layer}"), or pool with a callable.',
    )


def _no_empty_sample(mask: np.ndarray, layer: str) -> None:
    empty = np.flatnonzero(~mask.any(axis=1))
    if empty.size:
        raise ValueError(
            checks.message(
                "extract",
                "loader",
                "give every sample at least one token that is no padding and not special",
                f"{empty.size} of {len(mask)} samples of a batch without, the first at {empty[0]}",
                f"`{layer}` has no row for an empty text: leave it out.",
            )
        )


def _at(output: Array, index: np.ndarray) -> Array:
    xp = array.namespace(output)
    rows = xp.asarray(np.arange(len(index)), device=array.device(output))
    return output[rows, xp.asarray(index, device=array.device(output))]


def _to(host: np.ndarray, output: Array) -> Array:
    return array.namespace(output).asarray(host, device=array.device(output))


_NAMED: dict[str, Callable[[Array, str, Masks], Pooled]] = {
    "flatten": _flatten,
    "gap": _gap,
    "mean": _mean,
    "last": _last,
    "cls": _cls,
    "tokens": _tokens,
    "graph-mean": _graph_mean,
    "positions": _positions,
}
