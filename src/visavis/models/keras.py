"""Keras models of any backend, recorded by their calls. The one file of `models` importing keras.

Layers go by their names in Keras (``model.summary()``), those of nested models and layers by dotted
paths. Activations become NumPy arrays, which every backend can give.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, Self

import keras
import numpy as np

from visavis._core import array, checks
from visavis.models import host
from visavis.models.channels import channels_last
from visavis.models.collect import Output
from visavis.models.fingerprint import fingerprint
from visavis.models.inputs import Call
from visavis.models.masks import Masks
from visavis.models.named import NamedInputs
from visavis.models.pooling import Pooled, Pooling, Storage
from visavis.models.recording import Recording, noted
from visavis.models.selection import Layers, Selection


def accepts(model: object) -> bool:
    """Whether `model` is a Keras model or layer."""
    return isinstance(model, keras.Layer)


class Recorder:
    """Records the selected layers of one model.

    While the model runs, ``keras.Layer.__call__`` is replaced by one that records. The model runs
    with ``training=False`` in a stateless scope, in which no variable changes. A layer that the JAX
    backend runs in a compiled loop, such as the cell of a ``SimpleRNN``, gives values that are not
    known, and is reported as nothing to record; LSTM and GRU do not call their cells at all.

    Parameters
    ----------
    where : str
        The public function, for messages.
    model : keras.Model
        It must be built.
    layers
        See `visavis.extract`.
    keep : callable
        What is kept of an output, given its name and the masks of the batch.
    """

    # Keras has no mode of a model: it is an argument of every call.
    training = (0, 0)

    def __init__(
        self,
        where: str,
        model: keras.Layer,
        layers: Layers,
        keep: Callable[[np.ndarray, str, Masks], Any],
    ) -> None:
        if not model.built:
            expected, cure = "be built", "Its weights are made when it is called: model(batch)."
            seen = f"a {type(model).__name__} that is not"
            raise ValueError(checks.message(where, "model", expected, seen, cure))
        self._where, self._model = where, model
        self.modules = dict(_named(model))
        self.selection = Selection(where, layers, self.modules)
        # A graph of layers takes its inputs by their names, other models what they say.
        self._structure = _structure(model)
        self.forward: Callable[..., Any] = model.call
        if self._structure is not None:
            self.forward = NamedInputs(where, _input_names(self._structure))
        self._recording = Recording(self.selection, keep, _floating)
        self.ran, self.given = self._recording.ran, self._recording.given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, call: Call, masks: Masks) -> list[Output]:
        """Run the model and return what was recorded, in the order of completion."""
        args, kwargs = self._arguments(call)
        with (
            self._recording.run(masks) as outputs,
            noted(self._where, type(self._model).__name__, call),
            self._watched(),
            _no_gradients(),
            keras.StatelessScope(),
        ):
            self._model(*args, **{**kwargs, "training": False})
        return outputs

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the activations come from."""
        return {
            "model": type(self._model).__name__,
            "parameters": self._model.count_params(),
            "fingerprint": fingerprint(
                (each.path, array.to_numpy(each.value)) for each in self._model.weights
            ),
            "keras": keras.version(),
            "backend": keras.config.backend(),
        }

    def _arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: Any = keras.tree.map_structure(_placed, call.args)
        kwargs: Any = keras.tree.map_structure(_placed, dict(call.kwargs))
        # One nested argument is the whole input, in the structure that the model was made with.
        whole = len(args) == 1 and not kwargs and not array.is_array(args[0])
        if self._structure is None or whole:
            return args, kwargs
        given = self.forward(*args, **kwargs)
        flat = [given[name] for name in _input_names(self._structure)]
        return (keras.tree.pack_sequence_as(self._structure, flat),), {}

    @contextmanager
    def _watched(self) -> Iterator[None]:
        recording, original = self._recording, keras.Layer.__call__
        names = {id(self.modules[name]): name for name in self.selection.names}

        @wraps(original)
        def recorded(self: keras.Layer, *args: Any, **kwargs: Any) -> Any:
            output = original(self, *args, **kwargs)
            if id(self) in names:
                recording.add(names[id(self)], output)
            return output

        keras.Layer.__call__ = recorded
        try:
            yield
        finally:
            keras.Layer.__call__ = original


def copier(
    where: str, pooling: Pooling, storage: Storage
) -> Callable[[np.ndarray, str, Masks], Pooled]:
    """Return what keeps an output: pooled, in memory of its own, as `storage` says."""
    last = keras.config.image_data_format() == "channels_last"
    return host.copier(where, channels_last(pooling) if last else pooling, storage)


def _named(
    layer: keras.Layer, path: str = "", above: tuple[keras.Layer, ...] = ()
) -> Iterator[tuple[str, keras.Layer]]:
    """Yield every layer that can run with every name that it has, in the order of registration."""
    taken: set[str] = set()
    # What `Model.layers` is made of; other layers hold layers too and have no public list of them.
    children: Any = layer._flatten_layers(include_self=False, recursive=False)
    for child in children:
        if isinstance(child, keras.layers.InputLayer) or child in above:
            continue
        # Names are unique in a graph, but a class may use one twice.
        name, number = child.name, 0
        while name in taken:
            name, number = f"{child.name}_{number + 1}", number + 1
        taken.add(name)
        yield path + name, child
        yield from _named(child, f"{path}{name}.", (*above, layer))


def _structure(model: keras.Layer) -> Any:
    """Return the symbolic inputs of a graph of layers, in its structure; None for other models."""
    inputs = getattr(model, "inputs", None)
    if not isinstance(model, keras.Model) or not inputs:
        return None
    # A Sequential in another graph calls `input` what it is given there.
    return inputs[0] if isinstance(model, keras.Sequential) else model.input


def _input_names(structure: Any) -> list[str]:
    """Return the names of the inputs of a graph, in the order of its flat structure."""
    if isinstance(structure, dict):
        return sorted(structure)
    return [tensor.name for tensor in keras.tree.flatten(structure)]


def _floating(leaf: Any) -> np.ndarray | None:
    if not keras.ops.is_tensor(leaf) or (array.is_array(leaf) and array.recording(leaf)):
        return None
    dtype = keras.backend.standardize_dtype(leaf.dtype)
    if not keras.backend.is_float_dtype(dtype):
        return None
    values = array.to_numpy(leaf)
    # NumPy itself has no bfloat16, and float32 holds all its values.
    return values.astype("float32") if dtype == "bfloat16" else values


def _placed(value: Any) -> Any:
    """Return a copy of an array as one of NumPy, which a model of any backend takes."""
    return np.array(array.to_numpy(value)) if array.is_array(value) else value


def _no_gradients() -> AbstractContextManager[Any]:
    # Of the backends only PyTorch records gradients without being asked.
    return sys.modules["torch"].no_grad() if keras.config.backend() == "torch" else nullcontext()
