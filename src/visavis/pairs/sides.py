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
        raise TypeError(
            checks.message(
                "compare",
                name,
                "map layer names to arrays",
                f"a mapping to mappings ({', '.join(map(str, list(side)[:3]))}, ...)",
                "Compare two models at a time: compare(runs['a'], runs['b']).",
            )
        )
    return Activations({str(layer): X for layer, X in side.items()})


def name_of(side: Side, acts: Activations, fallback: str) -> str:
    """Return what a side is called: its file, its model, or `fallback`."""
    if isinstance(side, str | Path):
        return Path(side).stem
    return str(acts.provenance.get("name", fallback))


def matrices(acts: Activations, name: str) -> dict[str, Array]:
    """Return each layer as a checked (n, p) matrix in a dtype that can be computed with.

    Layers of more dimensions are flattened: every position of every channel is a feature. Arrays
    that lie in host memory are seen as NumPy arrays, without a copy, so that both sides agree.
    """
    return {
        layer: checks.representation(
            "compare", f"{name}[{layer!r}]", array.host(_flat(acts[layer]))
        )
        for layer in acts
    }


def _flat(X: Array) -> Array:
    if X.ndim == 2:
        return X
    return array.namespace(X).reshape(X, (X.shape[0], math.prod(X.shape[1:])))
