"""Streaming: the activations of one batch after another, none of them kept."""

from collections.abc import Callable, Iterator
from typing import Any

from visavis._core import checks
from visavis.models.extraction import extract
from visavis.models.inputs import batches
from visavis.models.pooling import PoolOption
from visavis.models.selection import Layers


def stream(
    model: Any,
    loader: Any,
    layers: Layers = "*",
    *,
    pool: PoolOption = None,
    device: Any = None,
    ids: str | Callable[[Any], Any] | None = None,
    inputs: Callable[[Any], Any] | None = None,
    batch_size: int = 256,
    dtype: str | None = None,
) -> Iterator[Any]:
    """Yield what `extract` would give, batch by batch: for `Moments`, and where nothing is stored.

    Parameters
    ----------
    model, loader, layers, pool, device, inputs, batch_size, dtype
        See `extract`.
    ids : str or callable, optional
        The key of a mapping batch under which its ids stand, or a function of the batch.

    Yields
    ------
    Activations, dict of Activations, or list of Activations
        Of one batch, in the form in which the models were given.

    Raises
    ------
    ValueError, TypeError, LayerNotFoundError
        As `extract` does, at the batch that shows it.

    Examples
    --------
    >>> import torch
    >>> import visavis as vv
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    >>> moments = vv.Moments.empty()
    >>> for acts in vv.stream(model, torch.randn(100, 3), batch_size=30):
    ...     moments = moments.update(acts["0"], acts["1"])
    >>> moments.n
    100
    """
    if not (ids is None or isinstance(ids, str) or callable(ids)):
        expected = "be a key of the batch or a function of it"
        seen = f"a {type(ids).__name__}"
        cure = "A sequence has no place for a batch: put the ids into the batches."
        raise TypeError(checks.message("stream", "ids", expected, seen, cure))
    source, _ = batches("stream", loader, batch_size)
    for batch in source:
        yield extract(
            model,
            [batch],
            layers,
            pool=pool,
            device=device,
            ids=ids,
            inputs=inputs,
            dtype=dtype,
            progress=False,
        )
