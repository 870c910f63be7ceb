"""Flax NNX modules, recorded by their calls. The one file of `models` that imports jax and flax."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Self

import jax
import jax.numpy as jnp
from flax import nnx

from visavis._core import array, checks
from visavis.models.channels import channels_last
from visavis.models.collect import Output
from visavis.models.fingerprint import fingerprint
from visavis.models.inputs import Call
from visavis.models.masks import Masks
from visavis.models.pooling import Pooled, Pooling, Storage
from visavis.models.recording import Recording, noted
from visavis.models.selection import Layers, Selection

# What `Module.eval()` sets.
_EVALUATION = ("deterministic", "use_running_average")
# Under which a module knows its layer's name while it is watched. A static attribute is part of a
# module's structure, so the copies that nnx.jit and nnx.scan make inside have it too.
_MARK = "_visavis_layer"


def accepts(model: object) -> bool:
    """Whether `model` is a Flax NNX module."""
    return isinstance(model, nnx.Module)


class Recorder:
    """Records the selected modules of one model.

    While the model runs, the ``__call__`` of its modules' classes is replaced by one that records,
    and ``jax.jit`` is held off, in which values are not known: ``nnx.jit`` runs as it is written,
    ``nnx.scan`` (and with it ``nnx.RNN``) as a loop, of which every step is a call. What a module
    gives inside of ``nnx.vmap`` or ``nnx.remat`` stays unknown and is reported as nothing to
    record. Afterwards all attributes and variables of the model are what they were: flags,
    statistics, the state of random numbers, intermediate values that it sowed.

    Parameters
    ----------
    where : str
        The public function, for messages.
    model : flax.nnx.Module
    layers
        See `visavis.extract`.
    keep : callable
        What is kept of an output, given its name and the masks of the batch.
    """

    def __init__(
        self,
        where: str,
        model: nnx.Module,
        layers: Layers,
        keep: Callable[[jax.Array, str, Masks], Any],
    ) -> None:
        if not callable(model):
            expected, cure = "have a method __call__", "Give it one, or wrap it in a module."
            seen = f"a {type(model).__name__} without"
            raise TypeError(checks.message(where, "model", expected, seen, cure))
        self._where, self._model = where, model
        self.modules = {name: module for name, module in _named(model) if callable(module) and name}
        self.selection = Selection(where, layers, self.modules)
        self.forward: Callable[..., Any] = model.__call__
        on = [
            any(getattr(module, flag, None) is False for flag in _EVALUATION)
            for module in _modules(model)
        ]
        self.training = (sum(on), len(on))
        self._recording = Recording(self.selection, keep, _floating)
        self.ran, self.given = self._recording.ran, self._recording.given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, call: Call, masks: Masks) -> list[Output]:
        """Run the model and return what was recorded, in the order of completion."""
        args, kwargs = jax.tree.map(_placed, (tuple(call.args), dict(call.kwargs)))
        with (
            self._recording.run(masks) as outputs,
            noted(self._where, type(self._model).__name__, call),
            _as_found(self._model),
            self._watched(),
            jax.disable_jit(),
        ):
            self.forward(*args, **kwargs)
        return outputs

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the activations come from."""
        parameters = jax.tree.leaves(nnx.state(self._model, nnx.Param))
        named = ((str(place), x) for place, x in enumerate(parameters))
        return {
            "model": type(self._model).__name__,
            "parameters": sum(p.size for p in parameters),
            "fingerprint": fingerprint(named),
            "jax": jax.__version__,
        }

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Set evaluation mode, the marks, and classes that record; only the classes are set back.

        The attributes are left to `_as_found`.
        """
        for module in _modules(self._model):
            vars(module).update({flag: True for flag in _EVALUATION if hasattr(module, flag)})
        for name in self.selection.names:
            vars(self.modules[name])[_MARK] = name
        with ExitStack() as stack:
            for kind in {type(self.modules[name]) for name in self.selection.names}:
                if "__call__" in vars(kind):
                    stack.callback(setattr, kind, "__call__", vars(kind)["__call__"])
                else:
                    stack.callback(delattr, kind, "__call__")
                setattr(kind, "__call__", self._recorded(kind, kind.__call__))  # noqa: B010
            yield

    def _recorded(self, kind: type, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            output = original(module, *args, **kwargs)
            name = vars(module).get(_MARK)
            # A class that calls the method of its base passes here twice.
            if name is not None and type(module) is kind:
                self._recording.add(name, output)
            return output

        return call


def copier(
    where: str, pooling: Pooling, storage: Storage
) -> Callable[[jax.Array, str, Masks], Pooled]:
    """Return what keeps an output: pooled, and where `storage` says. JAX arrays never change."""
    device = _device(where, storage.device)
    pooling = channels_last(pooling)

    def copy(output: jax.Array, name: str, masks: Masks) -> Pooled:
        pooled, counts = pooling.apply(output, name, masks)
        if not isinstance(pooled, jax.Array):
            expected = f"return a JAX array for `{name}`"
            raise TypeError(checks.message(where, "pool", expected, type(pooled).__name__))
        kept = storage.cast(pooled, name)
        return Pooled(kept if device is None else jax.device_put(kept, device), counts)

    return copy


def _device(where: str, device: Any) -> Any:
    """Return a device from ``"cpu"`` or ``"gpu:1"``; a device or sharding of JAX as it is."""
    if not isinstance(device, str):
        return device
    platform, _, index = device.partition(":")
    try:
        return jax.devices(platform)[int(index or 0)]
    except (RuntimeError, ValueError, IndexError) as error:
        expected = f"be a device of JAX ({', '.join(map(str, jax.devices()))})"
        raise ValueError(checks.message(where, "device", expected, repr(device))) from error


def _named(node: Any, path: str = "", above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every module with every name that it has, attributes in alphabetical order.

    Flax has that order too, into which ``nnx.jit`` and the like bring the attributes of a module:
    the order of registration is lost in training.
    """
    if any(node is each for each in above):  # a module that knows its parent
        return
    if isinstance(node, nnx.Module):
        yield path, node
    for key, child in _children(node):
        yield from _named(child, f"{path}.{key}" if path else str(key), (*above, node))


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, Sequence) and not isinstance(node, (str, bytes)):
        yield from enumerate(node)
    elif isinstance(node, Mapping):
        yield from sorted(node.items(), key=lambda item: str(item[0]))
    elif isinstance(node, nnx.Module):
        yield from sorted(vars(node).items())


def _modules(model: nnx.Module) -> list[nnx.Module]:
    return list({id(module): module for _, module in _named(model)}.values())


def _floating(leaf: Any) -> jax.Array | None:
    known = isinstance(leaf, jax.Array) and not array.recording(leaf)
    return leaf if known and jnp.issubdtype(leaf.dtype, jnp.floating) else None


def _placed(value: Any) -> Any:
    """Return an array as one of JAX, copied: it may share memory with NumPy, to be used again."""
    if isinstance(value, jax.Array) or not array.is_array(value):
        return value
    host = array.to_numpy(value)
    return jnp.array(host, copy=True) if host.dtype.kind in "biufcV" else value


@contextmanager
def _as_found(model: nnx.Module) -> Iterator[None]:
    """Set all attributes and variables of the model back at the end, whatever happened to them."""
    attributes = [(vars(module), dict(vars(module))) for module in _modules(model)]
    variables = [
        (node, node.get_raw_value())
        for _, node in nnx.iter_graph(model)
        if isinstance(node, nnx.Variable)
    ]
    try:
        yield
    finally:
        for now, before in attributes:
            now.clear()
            now.update(before)
        for variable, value in variables:
            if variable.get_raw_value() is not value:
                variable.set_raw_value(value)
