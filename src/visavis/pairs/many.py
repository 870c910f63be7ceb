"""Many models at once: one table of all their layers, each prepared once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.pairs import sides
from visavis.results import Activations, Finding, Lazy, correspond
from visavis.results.correspond import Align


def is_many(side: object) -> bool:
    """Whether a mapping is from models to their layers, and not from layers to arrays."""
    if isinstance(side, Activations) or not isinstance(side, Mapping) or not side:
        return False
    return all(isinstance(each, Mapping | str | Path) for each in side.values())


def joined(
    models: Mapping[str, Any], align: Align
) -> tuple[Activations, dict[str, Activations], tuple[Finding, ...]]:
    """Return all layers of all models as one set, the models with corresponding rows, and why.

    Raises
    ------
    SampleMismatchError
        If the samples of two models differ.
    ValueError
        If there is one model only, or a name holds a slash.
    """
    if len(models) < 2:
        raise ValueError(checks.message("compare", "a", "hold two models at least", "one"))
    held = {str(name): sides.activations(each, str(name)) for name, each in models.items()}
    for name in held:
        if not name or "/" in name:
            expected = "name each model, without a slash"
            raise ValueError(checks.message("compare", "a", expected, repr(name)))
    found: list[Finding] = []
    names = list(held)
    # Twice over all: what the last one lacks, the first must lose as well.
    for name in [*names[1:], *(names[1:] if align == "inner" else ())]:
        first, other, notes = correspond(held[names[0]], held[name], align=align)
        held[names[0]], held[name] = first, other
        found += [each for each in notes if each not in found]
    first = held[names[0]]
    layers: Mapping[str, Array] = AllLayers({name: each.layers for name, each in held.items()})
    if not any(isinstance(each.layers, Lazy) for each in held.values()):
        layers = dict(layers)
    whole = Activations(layers, ids=first.ids, digests=first.digests, groups=first.groups)
    return whole, held, tuple(found)


class AllLayers(Lazy):
    """The layers of several models, named ``"model/layer"``."""

    def __init__(self, models: Mapping[str, Mapping[str, Array]]) -> None:
        self._models = {
            name: each if isinstance(each, Lazy) else dict(each) for name, each in models.items()
        }

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer."""
        return {
            f"{name}/{layer}": layers.shapes[layer]
            if isinstance(layers, Lazy)
            else tuple(layers[layer].shape)
            for name, layers in self._models.items()
            for layer in layers
        }

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of every layer, by name."""
        return {
            f"{name}/{layer}": layers.dtypes[layer]
            if isinstance(layers, Lazy)
            else array.dtype_name(layers[layer])
            for name, layers in self._models.items()
            for layer in layers
        }

    def sliced(self, layer: str) -> Any:
        """Return what gives rows of a layer by slices."""
        model, _, name = layer.partition("/")
        layers = self._models[model]
        return layers.sliced(name) if isinstance(layers, Lazy) else layers[name]

    def __getitem__(self, layer: str) -> Array:
        model, _, name = layer.partition("/")
        return self._models[model][name]

    def __iter__(self) -> Iterator[str]:
        return (f"{name}/{layer}" for name, layers in self._models.items() for layer in layers)

    def __len__(self) -> int:
        return sum(len(layers) for layers in self._models.values())
