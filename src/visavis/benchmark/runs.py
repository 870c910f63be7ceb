"""Trained nets in whatever form they are given: named, with the layers asked for, and compared."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from visavis import pairs, store
from visavis._core import checks
from visavis._core.errors import LayerNotFoundError
from visavis.measures import Measure, MeasureSpec, resolve
from visavis.pairs import live, sides
from visavis.pairs.compare import Options
from visavis.pairs.plan import budget
from visavis.results import Activations, ModelComparison

Runs: TypeAlias = (
    Mapping[str, Any] | Sequence[str | Path] | ModelComparison | Mapping[str, ModelComparison]
)
Measures: TypeAlias = Sequence[MeasureSpec] | Mapping[str, MeasureSpec]


def compared(
    where: str,
    runs: Runs,
    measures: Measures | None,
    default: Measures,
    *,
    layers: str | Sequence[str] | None,
    data: Any,
    extraction: Mapping[str, Any],
    options: Options,
) -> dict[str, ModelComparison]:
    """Return all layers of all nets against each other, by the name of each measure.

    Parameters
    ----------
    where : str
        The public function, for messages.
    runs, measures, layers, data, extraction
        See `visavis.benchmark.layer_correspondence`.
    default : sequence or mapping of measures
        What is computed if `measures` is None. Of comparisons that are there already all are taken.
    options : mapping
        Of `visavis.compare`.
    """
    if (known := _finished(runs)) is not None:
        if data is not None:
            expected = "be left out beside finished comparisons"
            raise TypeError(checks.message(where, "data", expected, type(data).__name__))
        return {
            name: _with_layers(where, each, layers)
            for name, each in _asked_for(where, known, measures).items()
        }
    wanted = _named(default if measures is None else measures, where)
    nets = _nets(where, runs)
    with opened(where, nets, data, layers, extraction, options) as ready:
        return between(ready, wanted, options)


def between(
    nets: Mapping[str, Activations], measures: Mapping[str, MeasureSpec], options: Options
) -> dict[str, ModelComparison]:
    """Return all layers of all nets against each other, by the name of each measure."""
    labels = {name: resolve(spec).label for name, spec in measures.items()}
    # Only the order of values is looked at: their intervals would take time for nothing.
    found = pairs.compare(nets, measures=list(measures.values()), **{**options, "level": None})
    return {name: found[label] for name, label in labels.items()}


def _finished(runs: Runs) -> dict[str, ModelComparison] | None:
    if isinstance(runs, ModelComparison):
        return {runs.measure: runs}
    if not isinstance(runs, Mapping) or not runs:
        return None
    known = {str(name): each for name, each in runs.items() if isinstance(each, ModelComparison)}
    return known if len(known) == len(runs) else None


def _asked_for(
    where: str, known: Mapping[str, ModelComparison], measures: Measures | None
) -> dict[str, ModelComparison]:
    if measures is None:
        return dict(known)
    found = {}
    by_label = {each.measure: each for each in known.values()}
    for name, measure in _named(measures, where).items():
        if measure.label not in by_label:
            expected = f"be among the comparisons: {', '.join(by_label)}"
            raise ValueError(checks.message(where, "measures", expected, measure.label))
        found[name] = by_label[measure.label]
    return found


def _named(measures: Measures, where: str) -> dict[str, Measure]:
    """Return the measures by the names they are given, else by their labels."""
    if isinstance(measures, str) or not isinstance(measures, Mapping | Sequence) or not measures:
        seen = (
            repr(measures) if isinstance(measures, str) or not measures else type(measures).__name__
        )
        expected = "be a sequence of measures, or a mapping from names to them"
        cure = 'For instance measures=["cka", "procrustes"].'
        raise TypeError(checks.message(where, "measures", expected, seen, cure))
    if isinstance(measures, Mapping):
        return {str(name): resolve(spec) for name, spec in measures.items()}
    resolved = [resolve(spec) for spec in measures]
    named = {each.label: each for each in resolved}
    if len(named) < len(resolved):
        labels = [each.label for each in resolved]
        raise ValueError(checks.message(where, "measures", "name each once", repr(labels)))
    return named


def _nets(where: str, runs: Any) -> dict[str, Any]:
    """Return the nets by name, or say what is not one."""
    if isinstance(runs, Mapping) and not isinstance(runs, Activations):
        if any(isinstance(name, tuple) for name in runs):
            expected = "map names of nets to their layers"
            cure = "Finished tables: table_correspondence(tables, measure=...)."
            raise TypeError(checks.message(where, "runs", expected, "pairs of nets", cure))
        nets = {str(name): each for name, each in runs.items()}
    elif isinstance(runs, str | Path | Activations):
        nets = {"": runs}
    elif isinstance(runs, Sequence) and all(isinstance(each, str | Path) for each in runs):
        nets = store.told_apart([str(each) for each in runs])
    else:
        expected = "map names of nets to their layers, or be a sequence of paths"
        cure = 'Name them: {"seed 0": ..., "seed 1": ...}.'
        raise TypeError(checks.message(where, "runs", expected, type(runs).__name__, cure))
    if len(nets) < 2:
        seen = "one" if nets else "none"
        raise ValueError(checks.message(where, "runs", "hold two nets at least", seen))
    return nets


@contextmanager
def opened(
    where: str,
    nets: Mapping[str, Any],
    data: Any,
    layers: str | Sequence[str] | None,
    extraction: Mapping[str, Any],
    options: Options,
) -> Iterator[dict[str, Activations]]:
    """Yield the layers of each net that were asked for; those of models while the block lasts."""
    if data is not None:
        given = live.Extraction(
            data, **({} if layers is None else {"layers": layers}), **extraction
        )
        room, show = budget(where, options.get("memory")), options.get("progress", True)
        with live.held(dict(nets), given, budget=room, progress=show) as found:
            yield found
        return
    if extraction:
        expected = "come with models and what they are run on"
        cure = f"{where}({{name: model}}, data=loader)."
        raise TypeError(checks.message(where, next(iter(extraction)), expected, "no data", cure))
    for name, each in nets.items():
        if not isinstance(each, Mapping | str | Path):
            expected = "be Activations, a mapping from layer name to array, or the path of a file"
            cure = f"Models come with what they are run on: {where}({{name: model}}, data=loader)."
            raise TypeError(
                checks.message(where, f"runs[{name!r}]", expected, type(each).__name__, cure)
            )
    acts = {name: sides.activations(each, name) for name, each in nets.items()}
    kept = selected(where, layers, {name: tuple(each) for name, each in acts.items()})
    yield {
        name: each if kept[name] == tuple(each) else each.select(kept[name])
        for name, each in acts.items()
    }


def _with_layers(
    where: str, found: ModelComparison, layers: str | Sequence[str] | None
) -> ModelComparison:
    kept = selected(where, layers, found.layers)
    dropped = [
        f"{net}/{layer}"
        for net, own in found.layers.items()
        for layer in own
        if layer not in kept[net]
    ]
    return found.without(*dropped) if dropped else found


def selected(
    where: str, layers: str | Sequence[str] | None, own: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the layers of each net that names or patterns choose, in the order of the net.

    Parameters
    ----------
    where : str
        The public function, for messages.
    layers : str, sequence of str, or None
        Names or patterns; those with a leading ``!`` leave out, from all if nothing else is named.
    own : mapping of str to sequence of str
        The layers of each net.

    Raises
    ------
    LayerNotFoundError
        If a pattern fits no layer of any net, or a net has none left.
    """
    if layers is None:
        return {net: tuple(names) for net, names in own.items()}
    patterns = [layers] if isinstance(layers, str) else list(layers)
    everything = list(dict.fromkeys(name for names in own.values() for name in names))
    for pattern in patterns:
        if not any(_fits(name, pattern.removeprefix("!")) for name in everything):
            near = difflib.get_close_matches(pattern.removeprefix("!"), everything, n=3, cutoff=0.5)
            cure = f"{'Nearest' if near else 'There are'}: {', '.join(near or everything[:12])}."
            expected = f"name or match one of the {len(everything)} layers"
            raise LayerNotFoundError(checks.message(where, "layers", expected, repr(pattern), cure))
    wanted = [each for each in patterns if not each.startswith("!")] or ["*"]
    out = [each.removeprefix("!") for each in patterns if each.startswith("!")]
    kept = {
        net: tuple(
            name
            for name in names
            if any(_fits(name, each) for each in wanted)
            and not any(_fits(name, each) for each in out)
        )
        for net, names in own.items()
    }
    for net, names in kept.items():
        if not names:
            expected = "leave a layer of each net"
            raise LayerNotFoundError(checks.message(where, "layers", expected, f"none of {net}"))
    return kept


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
