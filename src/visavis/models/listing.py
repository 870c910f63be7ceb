"""Listing: the layers of a model, and on one batch their shapes and the order in which they run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models.frameworks import framework, shuffled
from visavis.models.inputs import batches, call
from visavis.models.masks import Masks
from visavis.models.passes import Recorder


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a model, under the name that `visavis.extract` gives it.

    Parameters
    ----------
    name : str
        Dotted name; a repeated call adds ``#2``, a nested output ``[0]`` or ``[key]``.
    type : str
        The class of the module.
    shape : tuple of int, optional
        The shape of the output, batch first. None if the model was not run, or if the module did
        not run, or if it gave no floating point tensor.
    dtype : str, optional
        The dtype of the output.
    order : int, optional
        The place in the order of execution, from 0.
    """

    name: str
    type: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    order: int | None = None


def layers(
    model: Any, loader: Any = None, *, inputs: Callable[[Any], Any] | None = None
) -> list[Layer]:
    """Return the layers of a model, as `extract` names them.

    Parameters
    ----------
    model : model
        See `extract`.
    loader : iterable of batches, array, or mapping of arrays, optional
        See `extract`; the model is run on the first batch.
    inputs : callable, optional
        See `extract`.

    Returns
    -------
    list of Layer
        Without `loader` every module in the order of registration. With it every output in the
        order of execution, then the modules that did not run or gave no floating point tensor.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    >>> for layer in layers(model, torch.zeros(10, 3)):
    ...     print(layer.order, layer.name, layer.type, layer.shape)
    0 0 Linear (10, 4)
    1 1 ReLU (10, 4)
    """
    where = "layers"
    recorder: Recorder = framework(where, model).Recorder(where, model, "*", _shape_and_dtype)
    found = []
    if loader is not None:
        shuffled(where, loader)
        source, _ = batches(where, loader, batch_size=256)
        first = next(iter(source), None)
        if first is None:
            raise ValueError(checks.message(where, "loader", "yield at least one batch", "none"))
        with recorder:
            found = recorder.run(
                call(first, inputs).fit(where, recorder.forward, without=None), Masks()
            )
    ran = {output.module for output in found}
    types = {name: type(module).__name__ for name, module in recorder.modules.items()}
    return [
        Layer(name, types[module], shape, dtype, order)
        for order, (module, name, (shape, dtype)) in enumerate(found)
    ] + [Layer(name, types[name]) for name in recorder.selection.names if name not in ran]


def _shape_and_dtype(output: Array, name: str, masks: Masks) -> tuple[tuple[int, ...], str]:
    return tuple(output.shape), array.dtype_name(output)
