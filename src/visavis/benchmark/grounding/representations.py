"""What a grounding test is given, brought to one form: nets, their layers, how alike these are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import LayerNotFoundError
from visavis.benchmark.grounding.ranking import settled
from visavis.measures import MeasureSpec, resolve
from visavis.pairs import sides
from visavis.results import Activations, Comparison, Finding

ONLY = "representation"
"""The name of the only layer of a net that is given as an array."""

Runs = Mapping[str, Any] | Sequence[Any]


def nets(where: str, runs: Runs, *, fewest: int = 1) -> dict[str, Activations]:
    """Return the layers of each net, by its name.

    Parameters
    ----------
    where : str
        The function that was called.
    runs : mapping or sequence
        Of Activations, mappings from layer name to array (n, ...), paths, or arrays (n, ...), which
        are nets of one layer. Nets of a sequence are called ``"net 0"``, ``"net 1"`` ...
    fewest : int
        How many nets there must be.
    """
    if isinstance(runs, Mapping):
        given = {str(name): each for name, each in runs.items()}
    elif isinstance(runs, Sequence) and not isinstance(runs, str):
        given = {f"net {k}": each for k, each in enumerate(runs)}
    else:
        expected = "be a mapping from the name of a net to its layers, or a sequence of nets"
        raise TypeError(checks.message(where, "runs", expected, type(runs).__name__))
    if len(given) < fewest:
        expected = f"hold {fewest} net{'s' if fewest > 1 else ''} or more"
        raise ValueError(checks.message(where, "runs", expected, f"{len(given)}"))
    return {name: _layers(where, name, each) for name, each in given.items()}


def _layers(where: str, name: str, given: Any) -> Activations:
    if array.is_array(given):
        return Activations({ONLY: given})
    if not isinstance(given, Mapping | str | Path):
        raise TypeError(
            checks.message(
                where,
                f"runs[{name!r}]",
                "be Activations, a mapping from layer name to array, a path, or an array",
                type(given).__name__,
            )
        )
    return sides.activations(given, name)


def at_layer(
    where: str, runs: Mapping[str, Activations], layer: str | None
) -> dict[str, Activations]:
    """Return one layer of each net: the named one, or the last of each."""
    chosen = {}
    for name, layers in runs.items():
        if layer is not None:
            _check_layer(where, name, layers, layer)
        chosen[name] = layers.select([layer or list(layers)[-1]])
    return chosen


def with_layers(
    where: str, runs: Mapping[str, Activations], wanted: Sequence[str]
) -> dict[str, Activations]:
    """Return some layers of each net, which all of them must have."""
    for name, layers in runs.items():
        for layer in wanted:
            _check_layer(where, name, layers, layer)
    return {name: layers.select(wanted) for name, layers in runs.items()}


def _check_layer(where: str, name: str, layers: Activations, layer: str) -> None:
    if layer not in layers:
        expected, seen = "name a layer of every net", f"{layer!r}, which {name} does not have"
        known = f"Its layers are {', '.join(layers)}."
        raise LayerNotFoundError(checks.message(where, "layer", expected, seen, known))


def same_layers(where: str, runs: Mapping[str, Activations], *, fewest: int) -> tuple[str, ...]:
    """Return the layers, of which all nets must have the same."""
    first = tuple(next(iter(runs.values())))
    for name, layers in runs.items():
        if tuple(layers) != first:
            expected = f"have the layers of the first net, {', '.join(first)}"
            seen = ", ".join(layers)
            raise ValueError(checks.message(where, f"runs[{name!r}]", expected, seen))
    if len(first) < fewest:
        expected = f"have {fewest} layers or more"
        raise ValueError(checks.message(where, "runs", expected, f"{len(first)}"))
    return first


def asked(where: str, measures: Sequence[MeasureSpec]) -> list[MeasureSpec]:
    """Return the measures as a list, each of them once."""
    given: list[MeasureSpec] = [measures] if isinstance(measures, str) else list(measures)
    labels = [resolve(each).label for each in given]
    if not labels or len(set(labels)) < len(labels):
        expected, seen = "name one measure or more, each once", ", ".join(labels) or "none"
        raise ValueError(checks.message(where, "measures", expected, seen))
    return given


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike some representations are to each other by one measure.

    Parameters
    ----------
    values : ndarray, (rows, cols)
        Higher is more alike, whatever the direction of the measure.
    reason : str
        Why a value is missing, if one is.
    """

    values: np.ndarray
    reason: str

    @property
    def missing(self) -> bool:
        """Whether there is no value for some pair."""
        return bool(self.reason)


def likeness(there: Comparison, back: Comparison | None = None) -> Likeness:
    """Return how alike rows and columns are, by the mean of both directions if both are given."""
    values = there.values if back is None else (there.values + back.values.T) / 2
    sign = 1 if there.scale.direction == "similarity" else -1
    gone = int(np.isnan(values).sum())
    both = (there,) if back is None else (there, back)
    return Likeness(settled(sign * values), _reason(both, gone, values.size) if gone else "")


def among(found: Comparison) -> Likeness:
    """Return how alike representations are to each other: both directions are averaged."""
    return likeness(found, found)


def _reason(found: Sequence[Comparison], gone: int, of: int) -> str:
    serious = [
        finding for each in found for finding in each.findings if finding.severity == "error"
    ]
    why = f" {serious[0]}" if serious else ""
    return f"no value: {gone} of {of} comparisons have none.{why}"


def findings(*found: Comparison) -> tuple[Finding, ...]:
    """Return what is said of any of some comparisons, each thing once."""
    told: dict[tuple[str, str, tuple[str, ...]], Finding] = {}
    for each in found:
        for finding in each.findings:
            told.setdefault((finding.code, finding.message, finding.layers), finding)
    return tuple(told.values())


def provenance(found: Comparison) -> dict[str, Any]:
    """Return the versions that made a comparison."""
    return {key: found.provenance[key] for key in ("visavis", "numpy", "python")}
