"""Extraction: models and a loader in, the activations of their layers out."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from visavis._core import checks
from visavis._core.progress import progress_bar
from visavis._core.types import Array
from visavis.models import findings
from visavis.models.collect import Collector
from visavis.models.frameworks import framework, shuffled
from visavis.models.inputs import batches
from visavis.models.passes import Recorder, one_pass
from visavis.models.pooling import Pooling, PoolOption, Storage, pooling
from visavis.models.rows import Ids, Kept, Rows
from visavis.models.selection import Layers
from visavis.results import Activations, Finding

if TYPE_CHECKING:
    from torch.nn import Module


@overload
def extract(
    model: "Module",
    loader: Any,
    layers: Layers = ...,
    *,
    pool: PoolOption = ...,
    device: Any = ...,
    ids: Ids = ...,
    inputs: Callable[[Any], Any] | None = ...,
    batch_size: int = ...,
    dtype: str | None = ...,
    every: int = ...,
    max_rows: int | None = ...,
    seed: int = ...,
    progress: bool = ...,
) -> Activations: ...
@overload
def extract(
    model: Mapping[str, "Module"],
    loader: Any,
    layers: Layers = ...,
    *,
    pool: PoolOption = ...,
    device: Any = ...,
    ids: Ids = ...,
    inputs: Callable[[Any], Any] | None = ...,
    batch_size: int = ...,
    dtype: str | None = ...,
    every: int = ...,
    max_rows: int | None = ...,
    seed: int = ...,
    progress: bool = ...,
) -> dict[str, Activations]: ...
@overload
def extract(
    model: Sequence["Module"],
    loader: Any,
    layers: Layers = ...,
    *,
    pool: PoolOption = ...,
    device: Any = ...,
    ids: Ids = ...,
    inputs: Callable[[Any], Any] | None = ...,
    batch_size: int = ...,
    dtype: str | None = ...,
    every: int = ...,
    max_rows: int | None = ...,
    seed: int = ...,
    progress: bool = ...,
) -> list[Activations]: ...
def extract(
    model: Any,
    loader: Any,
    layers: Layers = "*",
    *,
    pool: PoolOption = None,
    device: Any = None,
    ids: Ids = None,
    inputs: Callable[[Any], Any] | None = None,
    batch_size: int = 256,
    dtype: str | None = None,
    every: int = 1,
    max_rows: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Activations | dict[str, Activations] | list[Activations]:
    """Run models on the batches of a loader and return what their layers gave.

    The loader is iterated once and every batch goes to every model, so the rows of all results
    describe the same samples. The models run in evaluation mode without gradients, and are left as
    they were found; the random state is neither set nor restored. ``torch.autocast`` around the
    call is honoured.

    Parameters
    ----------
    model : torch.nn.Module, or mapping or sequence of these
        One model or several.
    loader : iterable of batches, array, or mapping of arrays
        A batch is an array, the model's input; a tuple or list, whose first element is the input
        and whose rest (labels) is ignored; or a mapping, of which ``forward`` gets as keyword
        arguments those that it takes (all but the ids if it takes ``**kwargs``). An input that is a
        mapping is treated like a batch that is one. Batches are moved to the device of the model's
        first parameter, and copied, so that the model cannot change them. An array, or a mapping of
        arrays of one length, is cut into batches here.
    layers : str, sequence of str, or callable
        Names of modules as in ``model.named_modules()``, without what wrappers such as
        ``torch.compile`` add; patterns with ``*``, ``?`` and ``[...]``, where ``*`` matches dots
        too; names of single outputs (see Returns). A leading ``!`` excludes, from ``"*"`` if
        nothing is named beside. Or a predicate ``(name, module) -> bool``. ``"*"`` is every module
        that can run but the model itself; containers such as ``ModuleList`` cannot.
    pool : str or callable, optional
        How an output becomes rows, at once and on the model's device. None keeps its shape;
        ``"flatten"`` gives ``(n, -1)``; ``"gap"`` averages over all dimensions after the second, so
        that a map ``(n, c, h, w)`` becomes ``(n, c)``. Of tokens ``(n, t, d)``, ``"mean"`` averages
        those that the ``attention_mask`` of the batch keeps and its ``special_tokens_mask`` does
        not mark, ``"last"`` takes the last and ``"cls"`` the first that the mask keeps, on
        whichever side the padding is. ``"tokens"`` makes a row of every token that ``"mean"`` would
        average, ``"positions"`` of every token or place of a map: see ``groups`` of the result. A
        callable gets the tensor, which it must not change, and the layer's name (and the mask
        (n, t), if it has a parameter ``mask``), and returns a tensor whose first dimension is the
        batch.
    device : str or torch.device, optional
        Where the activations are kept, for instance ``"cpu"``. None leaves them on the model's
        device.
    ids : sequence, str or callable, optional
        The identity of every sample: in the order of the rows; or the key of a mapping batch; or a
        function of the batch. Without them rows are known by position and by a fingerprint of their
        input.
    inputs : callable, optional
        Says how a batch becomes the model's input, in place of the rule above: returns a tensor, a
        tuple of positional arguments, or a mapping of keyword arguments.
    batch_size : int
        Rows of a batch where `loader` is an array or a mapping of arrays.
    dtype : {"float16", "bfloat16", "float32"}, optional
        In which the activations are kept; by default as the layer gave them. A value that a dtype
        cannot hold is an error.
    every : int
        Keep one of so many rows, the first of them drawn by `seed`: of tokens and places there may
        be too many.
    max_rows : int, optional
        Stop once so many rows are kept.
    seed : int
        See `every`.
    progress : bool
        Whether to draw a progress bar if stderr is a terminal.

    Returns
    -------
    Activations, dict of Activations, or list of Activations
        One for one model, else in the form in which the models were given. Layers stand in the
        order in which they completed in the first batch. The k-th call of a module is ``name#k``
        from the second on. Of a tuple, list, mapping or dataclass every tensor is an entry of its
        own: ``name[0]``, ``name[hidden]``, ``name#2[0][1]``. What is not a floating point tensor is
        left out. A module registered under several names is one layer, under the first of its names
        that was selected.

    Raises
    ------
    LayerNotFoundError
        If a name or pattern in `layers` matches nothing.
    ValueError
        If a layer's first dimension is not the batch (told at the first batch), if its shape
        differs between batches, if nothing that was selected ran, or if `ids` do not fit.

    Notes
    -----
    Findings of the result: ``VV006`` modules that never ran, and outputs left out because only
    some batches gave them; ``VV012`` a mask that the rule for batches left out; ``VV013`` a model
    in training mode; ``VV015`` half precision.

    The batch is the first dimension of the first array of the input. A model that computes with
    another dimension as batch (``batch_first=False``) is refused, unless the two sizes agree.

    Outputs are copied when they are recorded, so in-place operations that follow do not change
    them. While a model runs, ``torch.compile`` and the fused kernels of
    ``nn.TransformerEncoderLayer`` are held off, which would pass by the modules inside. Memory
    peaks at all that is kept and the largest layer once more.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> extract(model, torch.zeros(10, 3), layers=["0", "2"])
    Activations of 10 samples (positions), pool=none
      0: (10, 4) float32
      2: (10, 2) float32
    """
    where = "extract"
    models = _models(where, model)
    how = pooling(where, pool)
    kept = Kept(where, every=every, limit=max_rows, seed=seed)
    rows = Rows(where, ids)
    in_any_order = shuffled(where, loader)
    source, total = batches(where, loader, batch_size)
    if in_any_order and rows.by_position:
        raise ValueError(
            checks.message(
                where,
                "ids",
                "come with the batches of a shuffled loader",
                "a sequence, whose order the loader does not keep",
                'Name their key in the batch (ids="id"), take them from it (ids=lambda batch: '
                "...), or use shuffle=False.",
            )
        )
    storage = Storage(where, device, dtype)
    recorders = {key: _recorder(where, one, layers, how, storage) for key, one in models.items()}
    with progress_bar("extracting", total, show=progress) as step:
        collectors = one_pass(
            where, recorders, source, rows=rows, kept=kept, inputs=inputs, step=step
        )
    results = {}
    for key, recorder in recorders.items():
        whole, noticed = _whole(where, recorder, collectors[key])
        noticed += findings.places(list(whole), rows.groups)
        results[key] = Activations(
            whole,
            ids=rows.ids,
            digests=rows.digests,
            groups=rows.groups,
            shuffled=in_any_order,
            pool=how.name,
            findings=noticed,
            provenance={
                **recorder.provenance,
                **({"name": str(key)} if isinstance(model, Mapping) else {}),
                "selected": recorder.selection.description,
                "pool": how.name,
                "batches": collectors[key].batches,
            },
        )
    if isinstance(model, Mapping):
        return results
    return list(results.values()) if isinstance(model, Sequence) else results[0]


def _models(where: str, model: Any) -> dict[Any, Any]:
    if not isinstance(model, (Mapping, Sequence)):
        return {0: model}
    models = dict(model) if isinstance(model, Mapping) else dict(enumerate(model))
    if not models:
        raise ValueError(checks.message(where, "model", "hold at least one model", "none"))
    return models


def _recorder(where: str, model: Any, layers: Layers, how: Pooling, storage: Storage) -> Recorder:
    own = framework(where, model)
    return own.Recorder(where, model, layers, own.copier(where, how, storage))


def _whole(
    where: str, recorder: Recorder, collector: Collector
) -> tuple[dict[str, Array], list[Finding]]:
    """Return the layers of one model and what was noticed about them."""
    irregular, whole = collector.irregular(), dict(collector.layers())
    if not whole:
        raise ValueError(
            checks.message(
                where,
                "layers",
                "select at least one module that every batch runs",
                findings.in_batches(irregular, collector.batches),
            )
        )
    names = recorder.selection.names
    gave = set(recorder.given.values())
    return whole, [
        *findings.never_ran([name for name in names if name not in recorder.ran], len(names)),
        *findings.nothing_to_record([n for n in names if n in recorder.ran and n not in gave]),
        *findings.irregular(irregular, collector.batches),
        *findings.ignored_mask(collector.ignored_mask),
        *findings.training_mode(*recorder.training),
        *findings.reduced_precision(whole),
    ]
