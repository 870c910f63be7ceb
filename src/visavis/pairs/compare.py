"""`compare`: every layer of one model against every layer of another."""

import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, cast, overload

import numpy as np

from visavis._core import checks
from visavis._core.progress import progress_bar
from visavis.measures import Measure, MeasureSpec, resolve
from visavis.measures.measure import OUTPUTS, REPRESENTATIONS
from visavis.pairs import findings, many, sides
from visavis.pairs.computed import computed_tables, steps
from visavis.pairs.plan import Plan, Task, budget, planned
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices, Side, one_home
from visavis.pairs.table import Table
from visavis.results import (
    Activations,
    Comparison,
    ComparisonSet,
    Finding,
    ModelComparison,
    Scale,
    correspond,
    silence,
)
from visavis.results.correspond import Align

MINIMUM_ROWS = 4
Models = Mapping[str, Side]


@overload
def compare(  # pyright: ignore[reportOverlappingOverload]  (a model is a mapping, too)
    a: Mapping[str, Mapping[str, Any]] | Mapping[str, Activations] | Mapping[str, str | Path],
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> ModelComparison: ...
@overload
def compare(
    a: Side,
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    names: tuple[str, str] | None = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Comparison: ...
@overload
def compare(
    a: Side,
    b: Side | None = None,
    /,
    *,
    measures: Sequence[MeasureSpec],
    names: tuple[str, str] | None = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> ComparisonSet: ...
def compare(
    a: Side,
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: Sequence[MeasureSpec] | None = None,
    names: tuple[str, str] | None = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Comparison | ComparisonSet | ModelComparison | dict[str, ModelComparison]:
    """Compare all layers of one model with all layers of another, or of itself.

    Parameters
    ----------
    a, b : Activations, mapping of str to array (n, ...), or path
        Layers of two models on the same samples. Without `b` the layers of `a` are compared with
        each other. Arrays of more than two dimensions are flattened to (n, features); one of shape
        (n,) is a single feature. Many models: `a` is a mapping from their names to such sides.
    measure : str, function or Measure
        What to compute: a name (``"cka"``), a name with options
        (``"cka(kernel=rbf(0.4), estimator=biased)"``), a function of visavis or a
        ``functools.partial`` of one.
    measures : sequence of these, optional
        Several at once; layers are prepared once for all of them.
    names : pair of str, optional
        What the two sides are called in pictures and reports. By default the names of the files,
        or "a" and "b".
    align : {"strict", "inner"}
        ``"strict"`` refuses sides whose samples differ; ``"inner"`` keeps the samples, by id, that
        both have.
    silenced : sequence of str
        Codes of findings to leave out.
    memory : str or float, optional
        How much may be used beside the layers that are in memory already, as ``"4GB"`` or in bytes.
        The work is divided so that it is enough; layers of a store are read when they are needed.
        `plan` says how.
    executor : concurrent.futures.Executor, optional
        Runs the tasks into which the work is divided: threads, processes, a cluster's. Layers of a
        store are read by the workers; other arrays are sent to processes.
    checkpoint : str or Path, optional
        A folder in which finished tasks are kept: after an interruption the same call goes on.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Comparison, ComparisonSet or ModelComparison
        A table per measure, rows from `a` and columns from `b`, with chance levels and findings; a
        `ComparisonSet` if `measures` is given. A layer with no answer (constant, not finite) is
        NaN, with a finding that says why. Of many models a `ModelComparison`, of all layers with
        all layers; a dict of these, by measure, if `measures` is given.

    Raises
    ------
    SampleMismatchError
        If the samples of the two sides are not the same (``VV001``), or a shuffled loader was
        iterated once for each model (``VV007``).
    ValueError
        If there are fewer than 4 samples (``VV002``), or there is no such measure.
    TypeError
        If a side is not what is listed above, a layer is not numeric, or layers are of several
        libraries or on several devices. NumPy, PyTorch and JAX in host memory may be mixed.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> a = {"conv1": rng.normal(size=(100, 8)), "conv2": rng.normal(size=(100, 16))}
    >>> b = {name: layer[:, ::-1] for name, layer in a.items()}
    >>> vv.compare(a, b).best_match()
    {'conv1': 'conv1', 'conv2': 'conv2'}
    """
    resolved = _resolved(measure, measures)
    silence((), silenced)  # a code that does not exist is refused before any work
    models = None
    if b is None and many.is_many(a):
        acts_a, models, joined = many.joined(cast("Models", a), align)
        acts_b, called = acts_a, ("models", "models")
    else:
        acts_a = sides.activations(a, "a")
        acts_b = acts_a if b is None or sides.same(a, b) else sides.activations(b, "b")
        called = sides.names(names, a, b)
        acts_a, acts_b, joined = correspond(acts_a, acts_b, align=align)
    if acts_a.n < MINIMUM_ROWS:
        raise ValueError(
            checks.message(
                "VV002 compare",
                "a` and `b",
                f"have at least {MINIMUM_ROWS} samples",
                f"{acts_a.n}",
                "A few hundred steady most comparisons.",
            )
        )
    both = (acts_a, acts_b)
    layers = _matrices(both)
    engine = Engine(executor, None if checkpoint is None else Path(checkpoint))
    drawn = _planned(layers, resolved, memory, engine)
    shared = [*joined, *findings.of_samples(acts_a.n, both)]
    shared += findings.of_layers(
        tuple(models or ()) or called, tuple((models or {}).values()) or both
    )
    with progress_bar("comparing layers", steps(drawn, layers, resolved), show=progress) as step:
        computed = computed_tables(drawn, layers, resolved, engine, step)
    comparisons = []
    for each, table in zip(resolved, computed, strict=True):
        found = silence([*shared, *findings.of_table(each, table, called)], silenced)
        aligned = ["align='inner'"] if align == "inner" else []
        call = sides.call(a, b, f"measure={each.label!r}", *aligned)
        comparisons.append(_comparison(each, table, drawn, both, called, found, call))
    if models is not None:
        layers_of = {name: tuple(each) for name, each in models.items()}
        tables_of = [ModelComparison(each, layers_of) for each in comparisons]
        return tables_of[0] if measures is None else {each.measure: each for each in tables_of}
    return comparisons[0] if measures is None else ComparisonSet(comparisons)


def plan(
    a: Side,
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: Sequence[MeasureSpec] | None = None,
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
) -> Plan:
    """Return how `compare` would compute something, without computing it.

    Parameters
    ----------
    a, b, measure, measures, memory, executor, checkpoint
        As in `compare`.

    Returns
    -------
    Plan
        Pairs, form, operations, memory at the peak and expected time; printed, it is a text.

    Raises
    ------
    ValueError
        If the memory is not enough for two layers at a time, or there is no such measure.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> a = {f"layer{k}": np.zeros((1000, 64), "float32") for k in range(8)}
    >>> vv.plan(a, measure="cka(kernel=rbf)", memory="20MB").parts[0].form
    'tiles'
    """
    if b is None and many.is_many(a):
        acts_a, _, _ = many.joined(cast("Models", a), "strict")
        acts_b = acts_a
    else:
        acts_a = sides.activations(a, "a")
        acts_b = acts_a if b is None or sides.same(a, b) else sides.activations(b, "b")
    engine = Engine(executor, None if checkpoint is None else Path(checkpoint))
    return _planned(_matrices((acts_a, acts_b)), _resolved(measure, measures), memory, engine)


def _matrices(both: tuple[Activations, Activations]) -> tuple[Matrices, Matrices]:
    a, b = both
    rows = Matrices(a.layers, "a")
    cols = rows if b is a else Matrices(b.layers, "b")
    one_home(rows, cols)
    return rows, cols


def _planned(
    layers: tuple[Matrices, Matrices],
    measures: Sequence[Measure],
    memory: str | float | None,
    engine: Engine,
) -> Plan:
    widths = [tuple(p for _, p in side.shapes.values()) for side in layers]
    whole = budget("compare", memory)
    workers = engine.workers
    task = Task(
        n=next(iter(layers[0].shapes.values()))[0],
        widths=(widths[0], widths[1]),
        same=layers[0] is layers[1],
        itemsize=max(side.itemsize for side in layers),
        stored=any(side.stored for side in layers),
        budget=None if whole is None else whole // workers,
        workers=workers,
        split=engine.executor is not None or engine.folder is not None,
    )
    return planned(measures, task, layers[0].sample)


def _resolved(one: MeasureSpec, several: Sequence[MeasureSpec] | None) -> list[Measure]:
    if several is None:
        return [_ready(resolve(one))]
    if isinstance(several, str) or one != "cka":
        seen = repr(several) if isinstance(several, str) else f"it beside measure={one!r}"
        raise TypeError(
            checks.message(
                "compare",
                "measures",
                "be a sequence of measures, in place of `measure`",
                seen,
                'For instance measures=["cka", "procrustes"].',
            )
        )
    resolved = [_ready(resolve(spec)) for spec in several]
    labels = [measure.label for measure in resolved]
    if not labels or len(set(labels)) < len(labels):
        raise ValueError(
            checks.message(
                "compare", "measures", "name at least one measure, each once", repr(labels)
            )
        )
    return resolved


def _ready(measure: Measure) -> Measure:
    """Check that a measure needs nothing but two arrays with one row for each sample."""
    if measure.inputs not in (REPRESENTATIONS, OUTPUTS):
        raise ValueError(
            checks.message(
                "compare",
                "measure",
                "be of representations, one row for each sample",
                f"{measure.name}, which is of {measure.inputs}",
                f"Call visavis.{measure.name} itself.",
            )
        )
    missing = [key for key in measure.required if measure.settings[key] is None]
    if missing:
        raise TypeError(
            checks.message(
                "compare",
                "measure",
                f"come with {', '.join(missing)}",
                measure.label,
                f"For instance functools.partial(visavis.{measure.name}, {missing[0]}=...).",
            )
        )
    return measure


def _comparison(
    measure: Measure,
    table: Table,
    drawn: Plan,
    both: tuple[Activations, Activations],
    names: tuple[str, str],
    found: tuple[Finding, ...],
    call: str,
) -> Comparison:
    rows, cols = both
    known = bool(np.isfinite(table.chance).any())
    return Comparison(
        values=table.values,
        rows=tuple(rows),
        cols=tuple(cols),
        scale=Scale(
            label=measure.label,
            low=measure.low,
            high=measure.high,
            direction=measure.direction,
            symmetric=measure.symmetric,
            description=f"{measure.title}: {measure.description()}",
        ),
        n=both[0].n,
        chance=table.chance if known else None,
        findings=found,
        names=names,
        plan=drawn.of(measure),
        provenance={"call": call, **_provenance(both, names)},
    )


def _provenance(both: tuple[Activations, Activations], names: tuple[str, str]) -> dict[str, Any]:
    from visavis import __version__

    return {
        "visavis": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "sides": [
            {
                **{str(key): _short(value) for key, value in side.provenance.items()},
                "name": name,
                "samples": "by id" if side.ids is not None else "by position",
                "pool": side.pool,
                "layers": {
                    layer: {"shape": list(shape), "dtype": dtype}
                    for layer, shape, dtype in side.described()
                },
            }
            for name, side in zip(names, both, strict=True)
        ],
    }


def _short(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
