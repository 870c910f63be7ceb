"""PyTorch modules, recorded with forward hooks. The one file of `models` that imports torch."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Self

import numpy as np
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    SequentialSampler,
)

from visavis._core import array, checks
from visavis.models.collect import Output
from visavis.models.fingerprint import fingerprint
from visavis.models.inputs import Call
from visavis.models.masks import Masks
from visavis.models.nested import leaves
from visavis.models.pooling import Pooled, Pooling, Storage
from visavis.models.selection import Layers, Selection

# Modules that stand around another one of the same name; their names are no part of a layer's name.
_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def accepts(model: object) -> bool:
    """Whether `model` is a module that hooks can record."""
    return isinstance(model, nn.Module)


class Recorder:
    """Records the selected modules of one model while its ``with`` block lasts.

    In the block every module is in evaluation mode. Only the flags are set, and set back one by
    one: ``train()`` and ``eval()`` are overridden by modules that freeze or merge weights in them.

    Parameters
    ----------
    where : str
        The public function, for messages.
    model : torch.nn.Module
    layers
        See `visavis.extract`.
    keep : callable
        What is kept of an output: called at once with the tensor, its name and the masks of the
        batch, because an in-place operation that follows changes the tensor.
    """

    def __init__(
        self,
        where: str,
        model: nn.Module,
        layers: Layers,
        keep: Callable[[torch.Tensor, str, Masks], Any],
    ) -> None:
        if isinstance(model, torch.jit.ScriptModule):
            raise TypeError(
                checks.message(
                    where,
                    "model",
                    "be an ordinary torch.nn.Module",
                    "a TorchScript module",
                    "TorchScript runs its submodules outside of Python, where no hook sees them: "
                    "use the module that it was made from.",
                )
            )
        self._where = where
        self._model = _unwrapped(model)
        self.modules = _named_modules(self._model)
        self.selection = Selection(where, layers, self.modules)
        self.forward: Callable[..., Any] = self._model.forward
        flags = [module.training for module in self._model.modules()]
        self.training = (sum(flags), len(flags))
        self.ran: set[str] = set()
        self.given: dict[str, str] = {}
        self._keep = keep
        self._masks = Masks()
        self._opened = ExitStack()
        self._calls: Counter[str] = Counter()
        self._outputs: list[Output] = []
        # Two models may share modules, and one module's hooks fire for both.
        self._running = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(_evaluation_mode(self._model))
            for name in self.selection.names:
                hook = partial(self._record, name)
                stack.callback(self.modules[name].register_forward_hook(hook).remove)
            self._opened = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def run(self, call: Call, masks: Masks) -> list[Output]:
        """Run the model and return what was recorded, in the order of completion."""
        self._calls.clear()
        self._masks = masks
        self._running = True
        try:
            # What is recorded must be ordinary tensors even if the caller is in inference mode.
            with _every_module_runs(), torch.inference_mode(False), torch.no_grad():
                device = _device(self._model)
                args, kwargs = _placed(call.args, device), _placed(dict(call.kwargs), device)
                self._model(*args, **kwargs)
            return self._outputs
        except Exception as error:
            inputs = ", ".join(f"{tuple(x.shape)} {array.dtype_name(x)}" for x in call.arrays())
            error.add_note(f"{self._where}: {self.name} was run on {inputs}; see `inputs`.")
            raise
        finally:
            self._running = False
            self._outputs = []

    @property
    def name(self) -> str:
        """The name of the model's class."""
        return type(self._model).__name__

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the activations come from."""
        parameters = (p for p in self._model.parameters() if not nn.parameter.is_lazy(p))
        return {
            "model": self.name,
            "parameters": sum(p.numel() for p in parameters),
            "fingerprint": fingerprint(_tensors(self._model)),
            "torch": str(torch.__version__),
        }

    def _record(self, module: str, _module: nn.Module, _args: Any, output: Any) -> None:
        if not self._running:
            return
        self.ran.add(module)
        self._calls[module] += 1
        times = self._calls[module]
        called = module if times == 1 else f"{module}#{times}"
        for path, tensor in leaves(output):
            name = called + path
            if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
                continue
            self.given[name] = module
            if self.selection.keeps(module, name):
                self._outputs.append(Output(module, name, self._keep(tensor, name, self._masks)))


def copier(
    where: str, pooling: Pooling, storage: Storage
) -> Callable[[torch.Tensor, str, Masks], Pooled]:
    """Return what keeps an output: pooled, detached, in memory of its own, as `storage` says."""
    target = None if storage.device is None else torch.device(storage.device)

    def copy(output: torch.Tensor, name: str, masks: Masks) -> Pooled:
        pooled, counts = pooling.apply(output.detach(), name, masks)
        if not isinstance(pooled, torch.Tensor):
            expected = f"return a tensor for `{name}`"
            raise TypeError(checks.message(where, "pool", expected, type(pooled).__name__))
        if pooled.is_nested or pooled.layout is not torch.strided:
            raise TypeError(
                checks.message(
                    where,
                    "layers",
                    "give dense tensors",
                    f"a {'nested' if pooled.is_nested else 'sparse'} one from `{name}`",
                    "Make it dense with pool=callable.",
                )
            )
        # Rows that lie one after another become a matrix later without another copy.
        kept = storage.cast(pooled.detach(), name).to(
            pooled.device if target is None else target,
            copy=True,
            memory_format=torch.contiguous_format,
        )
        return Pooled(kept, counts)

    return copy


def shuffled(where: str, loader: object, turn: tuple[int, int]) -> bool:
    """Whether another pass over `loader` could give the samples in another order."""
    if isinstance(loader, Dataset) and not isinstance(loader, IterableDataset):
        raise TypeError(
            checks.message(
                where,
                "loader",
                "yield batches",
                f"a dataset ({type(loader).__name__}), which yields single samples",
                "Wrap it: torch.utils.data.DataLoader(dataset, batch_size=256).",
            )
        )
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return False
    # A batch sampler of the caller's own decides alone; loader.sampler is not used then.
    batch_sampler, sampler = loader.batch_sampler, loader.sampler
    if type(batch_sampler) is BatchSampler:
        sampler = batch_sampler.sampler
    elif batch_sampler is not None:
        return True
    if isinstance(sampler, DistributedSampler) and turn[1] > 1:
        raise ValueError(
            checks.message(
                where,
                "loader",
                f"be the same for all {turn[1]} workers, who share its batches",
                "a DistributedSampler, which gives every worker samples of its own",
                "Leave the sampler out. (It would also repeat samples to fill the last batch.)",
            )
        )
    return not isinstance(sampler, SequentialSampler)


def _unwrapped(model: nn.Module) -> nn.Module:
    # Data parallel wrappers run copies of the module on parts of the batch.
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif (inner := dict(model.named_children()).get("_orig_mod")) is not None:
            model = inner
        else:
            return model


def _named_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Return every module that can run, under every name that it has, in order of registration."""
    found: dict[str, nn.Module] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        parts = [part for part in path.split(".") if part not in _WRAPPERS]
        # Parametrizations turn weights into weights: they are no layers.
        if parts == [""] or not parts or "parametrizations" in parts:
            continue
        # Containers without a forward of their own (ModuleList, ModuleDict) never run.
        if getattr(module.forward, "__func__", None) is not nn.Module.forward:
            found[".".join(parts)] = module
    return found


def _tensors(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the parameters and buffers that have values."""
    for name, x in chain(model.named_parameters(), model.named_buffers()):
        if not nn.parameter.is_lazy(x) and x.device.type != "meta":
            yield name, torch.view_as_real(x.detach()) if x.is_complex() else x.detach()


def _device(model: nn.Module) -> torch.device | None:
    first = next(chain(model.parameters(), model.buffers()), None)
    return None if first is None else first.device


def _placed(value: Any, device: torch.device | None) -> Any:
    """Return a copy of the arrays in `value` as tensors on `device`.

    A copy, because a model whose first operation works in place would change the caller's arrays
    and the input of the next model.
    """
    if isinstance(value, torch.Tensor):
        return value.detach().to(device or value.device, copy=True)
    if isinstance(value, np.ndarray):
        return torch.tensor(value, device=device) if value.dtype.kind in "biufc" else value
    if array.is_array(value):
        return torch.tensor(array.to_numpy(value), device=device)
    if hasattr(value, "to"):
        return value if device is None else value.to(device)
    if isinstance(value, Mapping):
        return {key: _placed(child, device) for key, child in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_placed(child, device) for child in value))
    if isinstance(value, (tuple, list)):
        return type(value)(_placed(child, device) for child in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _placed(getattr(value, f.name), device) for f in fields(value) if f.init}
        return replace(value, **parts)
    return value


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    flags = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in flags:
            module.training = False
        yield
    finally:
        for module, training in flags:
            module.training = training


@contextmanager
def _every_module_runs() -> Iterator[None]:
    """Switch off what would run a module's inside without calling it, and its hooks with it.

    These are the fused kernels of ``nn.TransformerEncoderLayer`` and ``nn.MultiheadAttention``, and
    code that ``torch.compile`` made before the hooks were there.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        # Nothing is compiled as long as the compiler is not loaded, which takes seconds. Before
        # PyTorch 2.6 it cannot be held off; what it then swallows is reported as never run.
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fused)
        torch.backends.mha.set_fastpath_enabled(False)
        yield
