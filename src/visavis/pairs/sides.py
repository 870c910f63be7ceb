"""The two sides of a comparison: from whatever the user has to matrices with samples in rows."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visavis import store
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.results import Activations

Side = Activations | Mapping[str, Any] | str | Path


def activations(side: Side, name: str) -> Activations:
    """Return a side as `Activations`, reading it from a file if it is a path."""
    if isinstance(side, Activations):
        return side
    if isinstance(side, str | Path):
        return store.load(side)
    if not isinstance(side, Mapping):
        raise TypeError(
            checks.message(
                "compare",
                name,
                "be Activations, a mapping from layer name to array, or the path of a file",
                type(side).__name__,
                "For two arrays there are the measures themselves: visavis.cka(X, Y).",
            )
        )
    if any(isinstance(each, Mapping) for each in side.values()):
        examples = ", ".join([*map(str, list(side)[:3]), *(["..."] if len(side) > 3 else [])])
        raise TypeError(
            checks.message(
                "compare",
                name,
                "map layer names to arrays",
                f"a mapping to mappings ({examples})",
                "Compare two models at a time: compare(runs['a'], runs['b']).",
            )
        )
    return Activations({str(layer): X for layer, X in side.items()})


def same(a: Side, b: Side | None) -> bool:
    """Whether a set of layers is compared with itself."""
    if isinstance(a, str | Path) and isinstance(b, str | Path):
        return Path(a) == Path(b)
    return b is None or b is a


def names(given: tuple[str, str] | None, a: Side, b: Side | None) -> tuple[str, str]:
    """Return what the sides are called: one name twice only if they are the same."""
    if given is not None:
        if isinstance(given, str) or len(given) != 2:
            raise ValueError(checks.message("compare", "names", "be a pair of names", repr(given)))
        return str(given[0]), str(given[1])
    if b is None or same(a, b):
        return _name(a, "a"), _name(a, "a")
    found = _name(a, "a"), _name(b, "b")
    if found[0] != found[1]:
        return found
    if isinstance(a, str | Path) and isinstance(b, str | Path):
        return str(a), str(b)  # acts.npz of one folder and acts.npz of another
    return f"{found[0]} (a)", f"{found[1]} (b)"


def _name(side: Side, fallback: str) -> str:
    if isinstance(side, str | Path):
        return Path(side).stem
    known = side.provenance if isinstance(side, Activations) else {}
    return str(known.get("name", fallback))


def call(a: Side, b: Side | None, *options: str) -> str:
    """Return the call of `compare` that gives a result again, files by their names."""
    sides = [("a", a), *([] if b is None else [("b", b)])]
    shown = [
        repr(Path(side).name) if isinstance(side, str | Path) else name for name, side in sides
    ]
    return f"visavis.compare({', '.join([*shown, *options])})"


def matrices(acts: Activations, name: str) -> dict[str, Array]:
    """Return each layer as a checked (n, p) matrix in a dtype that can be computed with.

    Layers of more dimensions are flattened: every position of every channel is a feature. A layer
    of shape (n,) is one feature. Arrays that lie in host memory are seen as NumPy arrays, without a
    copy, so that both sides agree.
    """
    return {
        layer: checks.representation(
            "compare", f"{name}[{layer!r}]", array.host(_flat(acts[layer]))
        )
        for layer in acts
    }


def one_home(*sides: Mapping[str, Array]) -> None:
    """Check that all layers are of one library and on one device, for any two of them meet."""
    homes = {
        f"{array.libraries([X])} on {array.device(X)}": None
        for side in sides
        for X in side.values()
    }
    if len(homes) > 1:
        raise TypeError(
            checks.message(
                "compare",
                "a` and `b",
                "be of one library and on one device",
                " and ".join(homes),
                "Move one of them, or extract with device='cpu': visavis never moves data.",
            )
        )


def _flat(X: Array) -> Array:
    if X.ndim == 2:
        return X
    return array.namespace(X).reshape(X, (X.shape[0], math.prod(X.shape[1:])))
