"""Frameworks: which file takes a model. A framework is loaded only by whoever has a model of it."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from visavis._core import checks, extras

# The library of a model, and the file that knows it. Keras comes before PyTorch, on which it may
# stand: its models are then both.
_OWN = {"onnxruntime": "onnx", "keras": "keras", "torch": "torch", "flax": "jax"}


def is_onnx(model: Any) -> bool:
    """Whether `model` is the path of an ONNX file."""
    return isinstance(model, str | Path) and str(model).endswith(".onnx")


def framework(where: str, model: Any) -> ModuleType:
    """Return the module of `visavis.models` that takes `model`."""
    for library, own in _OWN.items():
        if _concerns(library, model):
            if is_onnx(model):
                extras.require("onnx", extra="onnx", purpose=f"{where} of an .onnx file")
                extras.require("onnxruntime", extra="onnx", purpose=f"{where} of an .onnx file")
            file: ModuleType = import_module(f"visavis.models.{own}")
            if file.accepts(model):
                return file
    seen = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise TypeError(
        checks.message(
            where,
            "model",
            "be a torch.nn.Module, an .onnx file, a flax.nnx.Module or a keras.Model",
            seen,
            "Give an instance of it." if isinstance(model, type) else "",
        )
    )


def _concerns(library: str, model: Any) -> bool:
    # An object can only come from a library that is loaded; a file does not say what it needs.
    # ONNX Runtime may be there for other reasons, and without the library that reads files.
    if library == "onnxruntime":
        return is_onnx(model) or type(model).__module__.startswith("onnx")
    return library in sys.modules


def shuffled(where: str, loader: object, turn: tuple[int, int] = (0, 1)) -> bool:
    """Whether another pass over `loader` could give the samples in another order."""
    if "torch" in sys.modules:
        from visavis.models import torch

        return torch.shuffled(where, loader, turn)
    return False
