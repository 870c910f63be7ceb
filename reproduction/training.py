"""Training that a kill does not undo, and the cache of what was trained.

A folder of the cache holds one network: ``settings.json``, its weights after each epoch
(``epoch-1.safetensors``, ...) and, until it is done, ``state.safetensors`` with the optimiser's
state. Files appear whole or not at all. What an epoch does depends on the recipe and the number of
the epoch alone, so that a training that was interrupted ends in the same weights.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from reproduction import data
from reproduction.files import write
from reproduction.recipes import Recipe

Step = Callable[[], None]

WARM_UP = 0.25
MOMENTUM = 0.9


def folder(recipe: Recipe, cache: Path) -> Path:
    """Return where a network is kept. A recipe with any other setting has another folder."""
    return cache / "nets" / f"{recipe.name}-{recipe.key()}"


def epochs_done(recipe: Recipe, cache: Path) -> int:
    """Return how many epochs of the training are in the cache, those of other settings excluded."""
    kept = folder(recipe, cache)
    if _read(kept / "settings.json") != recipe.settings():
        return 0
    if _weights(kept, recipe.epochs).is_file():
        return recipe.epochs
    state = kept / "state.safetensors"
    return int(load(state.read_bytes())["epochs"]) if state.is_file() else 0


def steps(recipe: Recipe) -> int:
    """Return how many steps an epoch takes."""
    return -(-recipe.settings()["images"] // recipe.batch_size)


def train(recipe: Recipe, cache: Path, *, step: Step = lambda: None) -> None:
    """Train a network, from where its training was interrupted.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    cache : Path
        Where networks are kept.
    step : callable
        Called after each of `steps` for each epoch that is not done yet.
    """
    kept, done = folder(recipe, cache), epochs_done(recipe, cache)
    if done == recipe.epochs:
        return
    kept.mkdir(parents=True, exist_ok=True)
    model = recipe.untrained()
    # Channels last is faster on a CPU, and changes no number but in rounding.
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = _optimizer(recipe, model)
    if done:
        _restore(model, optimizer, load((kept / "state.safetensors").read_bytes()))
    else:
        for other in kept.glob("*.safetensors"):  # of settings that are not these
            other.unlink()
        write(kept / "settings.json", json.dumps(recipe.settings(), indent=1).encode())
    for epoch in range(done, recipe.epochs):
        _epoch(recipe, model, optimizer, epoch, step)
        # In this order, so that a state is never ahead of the weights.
        write(_weights(kept, epoch + 1), save(_plain(model.state_dict())))
        if epoch + 1 < recipe.epochs:
            write(kept / "state.safetensors", save(_state(model, optimizer, epoch + 1)))
    (kept / "state.safetensors").unlink(missing_ok=True)


def network(recipe: Recipe, cache: Path, *, epoch: int | None = None) -> nn.Module:
    """Return a trained network as it was after an epoch, by default the last; 0 is untrained."""
    model = recipe.untrained()
    epoch = recipe.epochs if epoch is None else epoch
    if epoch == 0:
        return model
    if epochs_done(recipe, cache) < epoch:
        raise FileNotFoundError(
            f"{recipe.name} is not trained for {epoch} epochs. Call train first."
        )
    model.load_state_dict(load(_weights(folder(recipe, cache), epoch).read_bytes()))
    return model.eval()


def rate(recipe: Recipe, step: int, total: int) -> float:
    """Return the learning rate of a step: up in a line, down by half a cosine."""
    done = (step + 1) / total
    if done < WARM_UP:
        return recipe.rate * done / WARM_UP
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _epoch(
    recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, step: Step
) -> None:
    images, labels = _tensors(recipe)
    # A generator of each epoch's own: nothing is left to remember between two of them.
    generator = torch.Generator().manual_seed(1000 * recipe.seed + epoch)
    batches = torch.randperm(len(images), generator=generator).split(recipe.batch_size)
    model.train()
    for k, batch in enumerate(batches):
        now = rate(recipe, epoch * len(batches) + k, recipe.epochs * len(batches))
        for group in optimizer.param_groups:
            group["lr"] = now
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the training of {recipe.name} diverged in epoch {epoch + 1}: lower its rate"
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step()


def _tensors(recipe: Recipe) -> tuple[Tensor, Tensor]:
    source = data.load(recipe.source)
    labels = torch.from_numpy(source.labels[: recipe.images].astype("int64"))
    return inputs(source.images[: recipe.images]), labels


def inputs(images: Any) -> Tensor:
    """Return grey images of bytes as the networks take them; background and padding are zero."""
    return torch.tensor(images)[:, None].float() / 255


def _optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    return torch.optim.SGD(
        model.parameters(),
        lr=recipe.rate,
        momentum=MOMENTUM,
        nesterov=True,
        weight_decay=recipe.decay,
    )


def _weights(kept: Path, epoch: int) -> Path:
    return kept / f"epoch-{epoch}.safetensors"


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _state(model: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> dict[str, Tensor]:
    tensors = {f"model {name}": tensor for name, tensor in model.state_dict().items()}
    for k, entries in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer {k} {name}": torch.as_tensor(v) for name, v in entries.items()}
    return _plain(tensors | {"epochs": torch.tensor(epochs)})


def _restore(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    model.load_state_dict(
        {name.removeprefix("model "): v for name, v in tensors.items() if name.startswith("model ")}
    )
    entries: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(" ")
        if kind == "optimizer":
            k, _, entry = rest.partition(" ")
            entries.setdefault(int(k), {})[entry] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": entries, "param_groups": groups})


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else None
