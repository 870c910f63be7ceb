"""Frameworks: which file takes a model. A framework is loaded only by whoever has a model of it."""

import sys
from types import ModuleType
from typing import Any

from visavis._core import checks


def framework(where: str, model: Any) -> ModuleType:
    """Return the module of `visavis.models` that takes `model`."""
    if "torch" in sys.modules:
        from visavis.models import torch

        if torch.accepts(model):
            return torch
    seen = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise TypeError(
        checks.message(
            where,
            "model",
            "be a torch.nn.Module",
            seen,
            "Give an instance of it." if isinstance(model, type) else "",
        )
    )


def shuffled(where: str, loader: object) -> bool:
    """Whether another pass over `loader` could give the samples in another order."""
    if "torch" in sys.modules:
        from visavis.models import torch

        return torch.shuffled(where, loader)
    return False
