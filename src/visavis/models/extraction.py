"""Extraction: models and a loader in, the activations of their layers out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from visavis._core import checks
from visavis._core.progress import progress_bar
from visavis.models import workers
from visavis.models.collect import Collector, Made
from visavis.models.frameworks import framework, shuffled
from visavis.models.inputs import batches
from visavis.models.passes import Recorder, one_pass
from visavis.models.pooling import Pooling, PoolOption, Storage, pooling
from visavis.models.rows import Ids, Kept, Rows
from visavis.models.selection import Layers
from visavis.models.storing import storing
from visavis.results import Activations


@overload
def extract(  # pyright: ignore[reportOverlappingOverload]  (a model may be anything)
    model: Mapping[str, Any],
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
    into: str | Path | None = ...,
    shard: tuple[int, int] | None = ...,
    progress: bool = ...,
) -> dict[str, Activations]: ...
@overload
def extract(
    model: list[Any] | tuple[Any, ...],
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
    into: str | Path | None = ...,
    shard: tuple[int, int] | None = ...,
    progress: bool = ...,
) -> list[Activations]: ...
@overload
def extract(
    model: Any,
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
    into: str | Path | None = ...,
    shard: tuple[int, int] | None = ...,
    progress: bool = ...,
) -> Activations: ...
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
    into: str | Path | None = None,
    shard: tuple[int, int] | None = None,
    progress: bool = True,
) -> Activations | dict[str, Activations] | list[Activations]:
    """Run models on the batches of a loader and return what their layers gave.

    The loader is iterated once and every batch goes to every model, so the rows of all results
    describe the same samples. The models run in evaluation mode without gradients, and are left as
    they were found; the random state is neither set nor restored. ``torch.autocast`` around the
    call is honoured.

    Parameters
    ----------
    model : model, or mapping or sequence of these
        A ``torch.nn.Module``, the path of an ``.onnx`` file, a ``flax.nnx.Module`` or a
        ``keras.Model``; one or several.
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
        too; names of single outputs (see Returns); or ``"blocks"``, the stream after each block of
        a transformer or residual network (``provenance["selected"]`` says which). A leading ``!``
        excludes, from ``"*"`` if nothing is named beside. Or a predicate ``(name, module) ->
        bool``. ``"*"`` is every module that can run but the model itself; containers such as
        ``ModuleList`` cannot.
    pool : str or callable, optional
        How an output becomes rows, at once and on the model's device. None keeps its shape;
        ``"flatten"`` gives ``(n, -1)``; ``"gap"`` averages over all dimensions after the second, so
        that a map ``(n, c, h, w)`` becomes ``(n, c)`` (of Flax and Keras, whose maps are
        ``(n, h, w, c)``, over all but the last). Of tokens ``(n, t, d)``, ``"mean"`` averages
        those that the ``attention_mask`` of the batch keeps and its ``special_tokens_mask`` does
        not mark, ``"last"`` takes the last and ``"cls"`` the first that the mask keeps, on
        whichever side the padding is. ``"tokens"`` makes a row of every token that ``"mean"`` would
        average, ``"positions"`` of every token or place of a map: see ``groups`` of the result. A
        ``"graph-mean"`` averages the nodes of each graph, by the ``batch`` vector of a mapping. A
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
    into : str or Path, optional
        Write the activations into this folder while they come, one folder in it for each of several
        models, and read them back only when they are asked for: memory holds one batch and 64 MB.
        Run again after an end of any kind, it goes on after the last shard that was finished; the
        loader must give the same batches.
    shard : (int, int), optional
        Take only the batches of one worker of so many: those whose place in the loader, divided by
        the number, leaves the first as remainder. With `into`, ``torchrun`` sets it by itself, and
        the store is complete when the last worker is done.
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
    models, several = _models(where, model)
    how = pooling(where, pool)
    rows, kept = Rows(where, ids), Kept(where, every=every, limit=max_rows, seed=seed)
    turn = workers.turn(where, shard, stored=into is not None, whole=every == 1 and not max_rows)
    in_any_order = shuffled(where, loader, turn)
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
    about = {"pool": how.name, "dtype": dtype, "every": every, "max_rows": max_rows, "seed": seed}
    collectors: dict[Any, Collector] = {
        key: Collector(where)
        if into is None
        else storing(where, recorder, into, key if several else None, about, turn)
        for key, recorder in recorders.items()
    }
    with progress_bar("extracting", total, show=progress) as step:
        one_pass(
            where,
            recorders,
            collectors,
            source,
            rows=rows,
            kept=kept,
            turn=turn,
            graphs=how.name == "graph-mean",
            inputs=inputs,
            step=step,
        )
    results = {}
    for key, collector in collectors.items():
        made = Made(recorders[key], rows, how.name, in_any_order)
        named = {"name": str(key)} if isinstance(model, Mapping) else {}
        results[key] = collector.result(made, named)
    if isinstance(model, Mapping):
        return results
    return list(results.values()) if several else results[0]


def _models(where: str, model: Any) -> tuple[dict[Any, Any], bool]:
    """Return the models by their keys, and whether several were asked for."""
    if isinstance(model, str | Path) or not isinstance(model, Mapping | Sequence):
        return {0: model}, False
    models = dict(model) if isinstance(model, Mapping) else dict(enumerate(model))
    if not models:
        raise ValueError(checks.message(where, "model", "hold at least one model", "none"))
    return models, True


def _recorder(where: str, model: Any, layers: Layers, how: Pooling, storage: Storage) -> Recorder:
    own = framework(where, model)
    return own.Recorder(where, model, layers, own.copier(where, how, storage))
