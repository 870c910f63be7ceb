"""Many models at once: one table of all their layers, each prepared once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, TypeGuard

from visavis._core import array, checks
from visavis._core.errors import SampleMismatchError
from visavis._core.types import Array
from visavis.pairs import record, sides
from visavis.results import (
    Activations,
    Comparison,
    Finding,
    Lazy,
    ModelComparison,
    correspond,
)
from visavis.results.correspond import Align

SIDES = ("all models", "all models")


def is_many(side: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a mapping is from models to their layers, and not from layers to arrays."""
    if isinstance(side, Activations) or not isinstance(side, Mapping) or not side:
        return False
    return all(isinstance(each, Mapping | str | Path) for each in side.values())


def opened(models: Mapping[str, Any]) -> dict[str, Activations]:
    """Return the layers of each model, by its name as text.

    Raises
    ------
    ValueError
        If there is one model only, or names are empty, alike as text, or hold a slash.
    """
    names = [str(name) for name in models]
    if len(names) < 2:
        raise ValueError(checks.message("compare", "a", "hold two models at least", "one"))
    for name in names:
        if not name or "/" in name or names.count(name) > 1:
            expected = "have a name of its own for each model, without a slash"
            raise ValueError(checks.message("compare", "a", expected, repr(name)))
    return {
        name: sides.activations(each, name)
        for name, each in zip(names, models.values(), strict=True)
    }


def call(models: Mapping[str, Any]) -> str:
    """Return the models as a call of `compare` names them: files by their names."""
    if not all(isinstance(each, str | Path) for each in models.values()):
        return "models"
    return repr({str(name): Path(each).name for name, each in models.items()})


def corresponding(
    models: Mapping[str, Activations], align: Align
) -> tuple[dict[str, Activations], tuple[Finding, ...]]:
    """Return the models with corresponding rows, and what was left out.

    Raises
    ------
    SampleMismatchError
        If the samples of any two models differ; with ``"inner"``, if no id is common to all.
    """
    checks.option("compare", "align", align, ("strict", "inner"))
    if align == "inner":
        return _joined(models)
    # Any two must agree: one without ids agrees with two that do not agree with each other.
    distinct: dict[object, str] = {}
    for name, each in models.items():
        distinct.setdefault((each.ids, each.digests, each.n, each.shuffled), name)
    for one, other in combinations(distinct.values(), 2):
        correspond(models[one], models[other], names=(one, other))
    return dict(models), ()


def _joined(
    models: Mapping[str, Activations],
) -> tuple[dict[str, Activations], tuple[Finding, ...]]:
    listed = {name: each.ids for name, each in models.items() if each.ids is not None}
    if lacking := [name for name in models if name not in listed]:
        raise _no_join('have ids to be joined with align="inner"', f"none for {lacking[0]}")
    first, *others = listed.values()
    common = set(first).intersection(*others)
    kept = tuple(each for each in first if each in common)
    if not kept:
        raise _no_join("have samples in common", f"no id that all {len(models)} models have")
    if all(ids == kept for ids in listed.values()):
        return dict(models), ()
    taken = {}
    for name, each in models.items():
        position = {identity: row for row, identity in enumerate(listed[name])}
        taken[name] = each.take([position[identity] for identity in kept])
    counts = sorted(each.n for each in models.values())
    note = Finding(
        "VV001",
        f"joined by id: {len(kept)} samples are common to all {len(models)} models, which have "
        f"{counts[0]} to {counts[-1]}.",
        severity="info",
        evidence={"kept": len(kept)}
        | {f"dropped_{name}": each.n - len(kept) for name, each in models.items()},
    )
    return taken, (note,)


def _no_join(expected: str, seen: str) -> SampleMismatchError:
    cure = "Pass ids when extracting or loading; an integer is not its text."
    return SampleMismatchError(checks.message("VV001 compare", "a", expected, seen, cure))


def together(models: Mapping[str, Activations]) -> Activations:
    """Return all layers of all models as one set, named ``"model/layer"``."""
    layers: Mapping[str, Array] = AllLayers({name: each.layers for name, each in models.items()})
    if not any(isinstance(each.layers, Lazy) for each in models.values()):
        layers = dict(layers)
    return Activations(
        layers,
        digests=next((each.digests for each in models.values() if each.digests), None),
        groups=next((each.groups for each in models.values() if each.groups is not None), None),
        findings=_told(models),
    )


def _told(models: Mapping[str, Activations]) -> list[Finding]:
    """Return what was noticed of any model, each thing once, with the models it is of."""
    owners: dict[tuple[str, ...], tuple[Finding, list[str], list[str]]] = {}
    for name, each in models.items():
        for finding in each.findings:
            key = (finding.code, finding.severity, finding.message, finding.cure)
            _, named, layers = owners.setdefault(key, (finding, [], []))
            named.append(name)
            layers += [f"{name}/{layer}" for layer in finding.layers]
    return [
        Finding(
            finding.code,
            f"{', '.join(named)}: {finding.message}",
            finding.cure,
            finding.severity,
            tuple(layers),
            finding.evidence if len(named) == 1 else {},
        )
        for finding, named, layers in owners.values()
    ]


def result(table: Comparison, models: Mapping[str, Activations]) -> ModelComparison:
    """Return the comparison of the models that a table of all their layers is."""
    sides_of = [record.of_side(name, each) for name, each in models.items()]
    table = replace(table, provenance={**table.provenance, "sides": sides_of})
    return ModelComparison(table, {name: tuple(each) for name, each in models.items()})


class AllLayers(Lazy):
    """The layers of several models, named ``"model/layer"``, some of them on disk."""

    def __init__(self, models: Mapping[str, Mapping[str, Array]]) -> None:
        self._models = {
            name: each if isinstance(each, Lazy) else dict(each) for name, each in models.items()
        }
        # Once, for they are asked for once per layer and task.
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._dtypes: dict[str, str] = {}
        for name, each in self._models.items():
            for layer, shape, dtype in Activations(each).described():
                self._shapes[f"{name}/{layer}"], self._dtypes[f"{name}/{layer}"] = shape, dtype

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer."""
        return self._shapes

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of every layer, by name."""
        return self._dtypes

    @property
    def checksum(self) -> str | None:
        """A checksum of everything, if all of it lies on disk."""
        known = {
            name: each.checksum if isinstance(each, Lazy) else None
            for name, each in self._models.items()
        }
        return None if None in known.values() else str(known)

    def sliced(self, layer: str) -> Any:
        """Return what gives rows of a layer by slices."""
        model, _, name = layer.partition("/")
        layers = self._models[model]
        return layers.sliced(name) if isinstance(layers, Lazy) else array.host(layers[name])

    def __getitem__(self, layer: str) -> Array:
        model, _, name = layer.partition("/")
        return self._models[model][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)
