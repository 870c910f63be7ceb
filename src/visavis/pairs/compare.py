"""`compare`: every layer of one model against every layer of another."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypedDict, Unpack, overload

from visavis._core import checks
from visavis.measures import MeasureSpec
from visavis.pairs import live, many, sides
from visavis.pairs.plan import Plan, budget
from visavis.pairs.run import Engine
from visavis.pairs.sides import Side
from visavis.pairs.work import Work, asked, matrices, planned
from visavis.results import (
    Activations,
    Comparison,
    ComparisonSet,
    ModelComparison,
    correspond,
    silence,
)
from visavis.results.correspond import Align

Models = Mapping[str, Mapping[str, Any] | str | Path]


class Options(TypedDict, total=False):
    """The options that all forms of `compare` have in common."""

    align: Align
    silenced: Sequence[str]
    memory: str | float | None
    executor: Executor | None
    checkpoint: str | Path | None
    level: float | None
    progress: bool


# One model, two, or many; by one measure, or several. A model is a mapping like the many, so that
# what is surely one model comes first.
@overload
def compare(
    a: Activations | str | Path,
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    names: tuple[str, str] | None = None,
    **options: Unpack[Options],
) -> Comparison: ...
@overload
def compare(  # pyright: ignore[reportOverlappingOverload]
    a: Models,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    **options: Unpack[Options],
) -> ModelComparison: ...
@overload
def compare(
    a: Mapping[str, Any],
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    names: tuple[str, str] | None = None,
    **options: Unpack[Options],
) -> Comparison: ...
@overload
def compare(
    a: Activations | str | Path,
    b: Side | None = None,
    /,
    *,
    measures: Sequence[MeasureSpec],
    names: tuple[str, str] | None = None,
    **options: Unpack[Options],
) -> ComparisonSet: ...
@overload
def compare(  # pyright: ignore[reportOverlappingOverload]
    a: Models,
    /,
    *,
    measures: Sequence[MeasureSpec],
    **options: Unpack[Options],
) -> dict[str, ModelComparison]: ...
@overload
def compare(
    a: Mapping[str, Any],
    b: Side | None = None,
    /,
    *,
    measures: Sequence[MeasureSpec],
    names: tuple[str, str] | None = None,
    **options: Unpack[Options],
) -> ComparisonSet: ...
@overload
def compare(
    a: Any,
    b: Any,
    loader: Any,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: None = None,
    **options: Any,
) -> Comparison: ...
@overload
def compare(
    a: Any, b: Any, loader: Any, /, *, measures: Sequence[MeasureSpec], **options: Any
) -> ComparisonSet: ...
def compare(
    a: Any,
    b: Any = None,
    loader: Any = None,
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
    level: float | None = 0.95,
    form: str = "exact",
    progress: bool = True,
    **extraction: Any,
) -> Comparison | ComparisonSet | ModelComparison | dict[str, ModelComparison]:
    """Compare all layers of one model with all layers of another, or of itself.

    Parameters
    ----------
    a, b : Activations, mapping of str to array (n, ...), or path
        Layers of two models on the same samples. Without `b` the layers of `a` are compared with
        each other. Arrays of more than two dimensions are flattened to (n, features); one of shape
        (n,) is a single feature. Many models: `a` is a mapping from their names to such sides.
        With `loader`, two models (or one and None): what `visavis.extract` takes.
    loader : iterable of batches, array, or mapping of arrays, optional
        Goes through both models once; see `visavis.extract`. Activations are kept for the time of
        the comparison, on disk where they are many.
    measure : str, function or Measure
        What to compute: a name (``"cka"``), a name with options
        (``"cka(kernel=rbf(0.4), estimator=biased)"``), a function of visavis or a
        ``functools.partial`` of one.
    measures : sequence of these, optional
        Several at once; layers are prepared once for all of them.
    names : pair of str, optional
        What the two sides are called in pictures and reports. By default the names of the files,
        or "a" and "b". Many models have their names already.
    align : {"strict", "inner"}
        ``"strict"`` refuses sides whose samples differ; ``"inner"`` keeps the samples, by id, that
        all have.
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
    level : float or None
        Of the intervals, for measures that have a formula: the jackknife of
        `visavis.inference.jackknife` for debiased ``cka``. All values together take at most three
        times as long with their intervals; None leaves these out. Where there is no formula, rows
        come in groups, or memory is too small, there are none, and ``plan["intervals"]`` says why.
    form : {"exact", "minibatch"}
        ``"minibatch"``, with `loader`: nothing is kept, and debiased HSIC within each batch is
        added up (Nguyen et al. 2021): an estimate, with a standard error from the batches, for
        layers that are too wide for anything else.
    progress : bool
        Draw a progress bar if stderr is a terminal.
    **extraction
        With `loader`: `layers`, `pool`, `inputs`, `ids`, `batch_size`, `device` of
        `visavis.extract`.

    Returns
    -------
    Comparison, ComparisonSet or ModelComparison
        A table per measure, rows from `a` and columns from `b`, with chance levels, z, intervals
        and findings; a `ComparisonSet` if `measures` is given. A layer with no answer (constant,
        not finite) is NaN, with a finding that says why. Of many models a `ModelComparison`, of all
        layers with all layers; a dict of these, by measure, if `measures` is given.

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
    resolved = asked(measure, measures)
    silence((), silenced)  # a code that does not exist is refused before any work
    checks.option("compare", "form", form, live.FORMS)
    _without_loader(loader, form, extraction)
    if level is not None and not 0 < level < 1:
        expected = "lie between 0 and 1, or be None for no intervals"
        raise ValueError(checks.message("compare", "level", expected, repr(level)))
    engine = Engine(executor, None if checkpoint is None else Path(checkpoint))
    work = Work(resolved, silenced, memory, engine, progress, level)
    if loader is not None:
        given = live.Extraction(loader, **extraction)
        called = names or live.names(a, b)
        if form == "minibatch":
            results = live.comparisons(a, b, given, resolved, called, silenced, progress)
        else:
            room = budget("compare", memory)
            with live.extracted(a, b, given, budget=room, progress=progress) as both:
                results = work.comparisons(both, called, "a, b, loader")
    elif b is None and many.is_many(a):
        if names is not None:
            expected = "be left out for many models, which have names already"
            raise ValueError(checks.message("compare", "names", expected, repr(names)))
        models, found = many.corresponding(many.opened(a), align)
        whole = many.together(models)
        results = work.comparisons(
            (whole, whole), many.SIDES, many.call(a), found, align, named=True
        )
        of_models = [many.result(each, models) for each in results]
        return of_models[0] if measures is None else {each.measure: each for each in of_models}
    else:
        acts_a = sides.activations(a, "a")
        acts_b = acts_a if b is None or sides.same(a, b) else sides.activations(b, "b")
        called = sides.names(names, a, b)
        acts_a, acts_b, found = correspond(acts_a, acts_b, align=align)
        results = work.comparisons((acts_a, acts_b), called, sides.call(a, b), found, align)
    return results[0] if measures is None else ComparisonSet(results)


def _without_loader(loader: Any, form: str, extraction: Mapping[str, Any]) -> None:
    """Check that what is said of an extraction comes with something to extract from."""
    if loader is not None or not (extraction or form != "exact"):
        return
    what = next(iter(extraction), "form")
    expected = "come with models and a loader"
    cure = "compare(model_a, model_b, loader, layers=...)."
    raise TypeError(checks.message("compare", what, expected, "no loader", cure))


def plan(
    a: Any,
    b: Side | None = None,
    /,
    *,
    measure: MeasureSpec = "cka",
    measures: Sequence[MeasureSpec] | None = None,
    align: Align = "strict",
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
) -> Plan:
    """Return how `compare` would compute something, without computing it.

    Parameters
    ----------
    a, b, measure, measures, align, memory, executor, checkpoint
        As in `compare`.

    Returns
    -------
    Plan
        Pairs, form, operations, memory at the peak and expected time; printed, it is a text.

    Raises
    ------
    SampleMismatchError
        If the samples of the sides are not the same.
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
        models, _ = many.corresponding(many.opened(a), align)
        acts_a = acts_b = many.together(models)
    else:
        acts_a = sides.activations(a, "a")
        acts_b = acts_a if b is None or sides.same(a, b) else sides.activations(b, "b")
        acts_a, acts_b, _ = correspond(acts_a, acts_b, align=align)
    engine = Engine(executor, None if checkpoint is None else Path(checkpoint))
    return planned(matrices((acts_a, acts_b)), asked(measure, measures), memory, engine)
