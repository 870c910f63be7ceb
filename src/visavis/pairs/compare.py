"""`compare`: every layer of one model against every layer of another."""

import platform
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from visavis._core import array, checks
from visavis._core.progress import progress_bar
from visavis.measures import Measure, MeasureSpec, resolve
from visavis.measures.measure import REPRESENTATIONS
from visavis.pairs import findings, sides
from visavis.pairs.sides import Side
from visavis.pairs.table import Prepared, Table, tables
from visavis.results import (
    Activations,
    Comparison,
    ComparisonSet,
    Finding,
    Scale,
    correspond,
    silence,
)
from visavis.results.correspond import Align

MINIMUM_ROWS = 4


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
    progress: bool = True,
) -> Comparison | ComparisonSet:
    """Compare all layers of one model with all layers of another, or of itself.

    Parameters
    ----------
    a, b : Activations, mapping of str to array (n, ...), or path
        Layers of two models on the same samples. Without `b` the layers of `a` are compared with
        each other. Arrays of more than two dimensions are flattened to (n, features); one of shape
        (n,) is a single feature.
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
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Comparison or ComparisonSet
        A table per measure, rows from `a` and columns from `b`, with chance levels and findings; a
        `ComparisonSet` if `measures` is given. A layer with no answer (constant, not finite) is
        NaN, with a finding that says why.

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
    rows = sides.matrices(acts_a, "a")
    cols = rows if acts_b is acts_a else sides.matrices(acts_b, "b")
    sides.one_home(rows, cols)
    prepared = Prepared((rows, cols))
    both = (acts_a, acts_b)
    shared = [*joined, *findings.of_samples(acts_a.n, both), *findings.of_layers(called, both)]
    total = len(resolved) * len(rows) * len(cols)
    with progress_bar("comparing layers", total, show=progress) as step:
        computed = tables(prepared, resolved, step)
    comparisons = []
    for each, table in zip(resolved, computed, strict=True):
        found = silence([*shared, *findings.of_table(each, table, called)], silenced)
        aligned = ["align='inner'"] if align == "inner" else []
        call = sides.call(a, b, f"measure={each.label!r}", *aligned)
        comparisons.append(_comparison(each, table, prepared, both, called, found, call))
    return comparisons[0] if measures is None else ComparisonSet(comparisons)


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
    """Check that a measure needs nothing but two representations."""
    if measure.inputs != REPRESENTATIONS:
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
    prepared: Prepared,
    both: tuple[Activations, Activations],
    names: tuple[str, str],
    found: tuple[Finding, ...],
    call: str,
) -> Comparison:
    rows, cols = prepared.sides
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
        plan=_plan(measure, prepared),
        provenance={"call": call, **_provenance(both, names)},
    )


def _plan(measure: Measure, prepared: Prepared) -> dict[str, Any]:
    key = measure.prepare(measure.settings, 0, prepared.shapes).key
    form = key[0] if isinstance(key, tuple) else key
    layers = {id(side): len(side) for side in prepared.sides}
    rows, cols = (len(side) for side in prepared.sides)
    mirrored = measure.symmetric and prepared.same
    pairs = rows * (rows + 1) // 2 if mirrored else rows * cols
    return {"form": str(form), "preparations": sum(layers.values()), "pairs": pairs}


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
                    layer: {"shape": list(X.shape), "dtype": array.dtype_name(X)}
                    for layer, X in side.items()
                },
            }
            for name, side in zip(names, both, strict=True)
        ],
    }


def _short(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
