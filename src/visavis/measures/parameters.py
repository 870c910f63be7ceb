"""Weights as arguments: what they may be, and what is wrong with them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array, DType

# The layers of a network as they are given, each W or (W, bias, ...), and as lists.
Layers = Sequence[Array | Sequence[Array]]
Network = list[list[Array]]


def parameter(where: str, name: str, W: object, *, shape: str, ndim: range) -> Array:
    """Return a weight as an array that can be computed with, or say what is wrong.

    Parameters
    ----------
    where, name : str
        The function that was called, and its argument.
    W : object
        What was given.
    shape : str
        What its axes are, for the message.
    ndim : range
        How many axes it may have.
    """
    if not array.is_array(W) or not array.dense(W):
        return checks.representation(where, name, W)  # which refuses it
    seen: Array = W
    if seen.ndim not in ndim or 0 in seen.shape:
        raise ValueError(
            checks.message(
                where, name, f"be {shape}, of sizes above 0", f"shape {tuple(seen.shape)}"
            )
        )
    xp = array.namespace(seen)
    flat = xp.reshape(seen, (seen.shape[0], math.prod(seen.shape[1:])))
    return xp.reshape(checks.representation(where, name, flat), seen.shape)


def same_home(where: str, weights: Mapping[str, Array]) -> DType:
    """Check that all weights are of one library, on one device, and return their common dtype."""
    (first, W), *others = weights.items()
    for name, other in others:
        checks.companions(where, W, other, f"{first}` and `{name}")
    return array.namespace(W).result_type(*(each.dtype for each in weights.values()))


def finite(where: str, weights: Mapping[str, Array]) -> None:
    """Raise if a weight holds a NaN or an infinity, naming the first of them."""
    for name, W in weights.items():
        xp = array.namespace(W)
        bad = int(xp.count_nonzero(~xp.isfinite(W)))
        if bad:
            kind = "NaN" if bool(xp.any(xp.isnan(W))) else "infinite"
            raise DegenerateInputError(
                checks.message(
                    where,
                    name,
                    "be finite",
                    f"{bad} {kind} of {math.prod(W.shape)} entries",
                    "Take a checkpoint from before they appeared.",
                )
            )


def answered(where: str, value: Array, weights: Mapping[str, Array]) -> Array:
    """Return `value` if it is finite (or may not be looked at), else raise with the cause."""
    seen = None if array.recording(value, *weights.values()) else array.read(value)
    if seen is None or math.isfinite(seen):
        return value
    finite(where, weights)
    raise DegenerateInputError(
        f"{where}: there is no answer ({seen}), though all weights are finite: it cannot be "
        f"represented in {array.dtype_name(value)}. Rescale the weights."
    )


def network_of(where: str, name: str, given: Any) -> Network:
    """Return the layers of a network that fit one another, each ``[W, v, ...]``."""
    if not isinstance(given, list | tuple) or not given:
        raise TypeError(
            checks.message(
                where,
                name,
                "be a sequence of layers, each W or (W, bias, ...)",
                f"{'empty ' if isinstance(given, list | tuple) else ''}{type(given).__name__}",
            )
        )
    network: Network = []
    for depth, layer in enumerate(given):
        at = f"{name}[{depth}]"
        parts = list(layer) if isinstance(layer, list | tuple) and layer else [layer]
        W = parameter(where, at, parts[0], shape="(out, in) or (out, in, ...)", ndim=range(2, 9))
        vectors = [
            parameter(where, f"{at}[{place}]", each, shape="(out,)", ndim=range(1, 2))
            for place, each in enumerate(parts[1:], start=1)
        ]
        for place, each in enumerate(vectors, start=1):
            if each.shape[0] != W.shape[0]:
                expected = f"have an entry for each of {W.shape[0]} units"
                raise ValueError(
                    checks.message(where, f"{at}[{place}]", expected, str(each.shape[0]))
                )
        if network:
            _following(where, at, tuple(W.shape), network[-1][0].shape[0])
        network.append([W, *vectors])
    return network


def _following(where: str, at: str, shape: tuple[int, ...], before: int) -> None:
    """Check that a layer takes what the layer before gives, or its flattened feature maps."""
    if shape[1] == before or (len(shape) == 2 and shape[1] % before == 0):
        return
    raise ValueError(
        checks.message(
            where,
            at,
            f"take the {before} outputs of the layer before",
            f"{shape[1]} inputs",
            "Networks with branches or grouped convolutions cannot be matched.",
        )
    )


def different_shapes(where: str, a: list[Any], b: list[Any]) -> None:
    """Raise, saying where two networks of different shapes differ first."""
    depth = next(
        (i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), None
    )
    if depth is None:
        expected, seen = "have as many layers", f"{len(a)} and {len(b)}"
    else:
        expected, seen = f"have the same shapes in layer {depth}", f"{a[depth]} and {b[depth]}"
    raise ValueError(
        checks.message(
            where, "A` and `B", expected, seen, "Other architectures: compare their activations."
        )
    )
