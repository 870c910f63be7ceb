"""Blocks: where the residual stream of a network can be read, ``layers="blocks"``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from visavis.models.findings import listed

_NUMBERED = re.compile(r"(?P<parent>.*\.)?(?P<number>\d+)")
# Classes of one operation: a numbered run of them is a network, not a run of blocks.
_OPERATIONS = re.compile(
    r"(torch\.nn|keras\.src\.layers|flax\.nnx)\.(?!.*\b(Transformer\w*Layer|Sequential)$)"
)


def blocks(modules: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the blocks of a model, in order of registration; none if it has none.

    A block is one of several modules of one class that stand numbered beside each other, as in
    ``encoder.layer.0`` to ``encoder.layer.5``: the families that people compare (BERT, GPT, Llama,
    T5, ViT, ResNet, EfficientNet and what was built like them) have them under many names, and in
    all of them the stream from block to block is what a block gives. Blocks inside of blocks do
    not count.
    """
    runs: dict[tuple[str, type], list[str]] = {}
    for name, module in modules.items():
        match = _NUMBERED.fullmatch(name)
        kind = type(module)
        if match and not _OPERATIONS.match(f"{kind.__module__}.{kind.__qualname__}"):
            runs.setdefault((match["parent"] or "", kind), []).append(name)
    found = [name for run in runs.values() if len(run) > 1 for name in run]
    outer = {name for name in found if not _inside(name, found)}
    return tuple(name for name in modules if name in outer)


def _inside(name: str, others: list[str]) -> bool:
    return any(name.startswith(f"{other}.") for other in others)


def described(names: Sequence[str], modules: Mapping[str, Any]) -> str:
    """Say which blocks were picked."""
    kinds = dict.fromkeys(type(modules[name]).__name__ for name in names)
    return f"blocks: {len(names)} of {', '.join(kinds)} ({listed(names)})"
