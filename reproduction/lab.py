"""What experiments work with: trained networks, and their layers on images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import visavis as vv
from reproduction import data, training
from reproduction.convolutional import Residual
from reproduction.recipes import Plan, Recipe
from reproduction.transformer import Encoder

TESTED = 2000


@dataclass(frozen=True)
class Lab:
    """The networks of a run, and how large its experiments are.

    Parameters
    ----------
    plan : Plan
        The networks.
    cache : Path
        Where they are kept.
    sizes : mapping
        Numbers of images and the like, of one experiment.
    """

    plan: Plan
    cache: Path
    sizes: Mapping[str, Any]

    def network(self, recipe: Recipe, epoch: int | None = None) -> nn.Module:
        """Return a network after its training or, with 0, before; see `training.network`."""
        return training.network(recipe, self.cache, epoch=epoch)

    def layers(
        self,
        recipes: Mapping[str, Recipe],
        n: int,
        *,
        epoch: int | None = None,
        source: str = "fashion",
        held_out: bool = False,
        pool: str = "flatten",
        **options: Any,
    ) -> dict[str, vv.Activations]:
        """Return all layers but the logits of several networks, on the same first n images."""
        images = data.load(source)
        rows = training.inputs((images.test_images if held_out else images.images)[:n])
        # One by one, since layers have other names in other architectures.
        found = {}
        for name, recipe in recipes.items():
            model = self.network(recipe, epoch)
            found[name] = vv.extract(
                model, rows, layers=layer_names(model), pool=pool, progress=False, **options
            )
        return found

    def accuracy(self, recipes: Mapping[str, Recipe]) -> dict[str, float]:
        """Return the part of held-out images that each network classifies correctly."""
        return {name: self._accuracy(recipe) for name, recipe in recipes.items()}

    def _accuracy(self, recipe: Recipe) -> float:
        source, model = data.load(recipe.source), self.network(recipe)
        with torch.inference_mode():
            told = [
                model(part).argmax(1)
                for part in training.inputs(source.test_images[:TESTED]).split(250)
            ]
        return float(np.mean(torch.cat(told).numpy() == source.test_labels[:TESTED]))


def layer_names(model: nn.Module) -> list[str]:
    """Return the layers that are compared, in the order in which they run; logits are left out."""
    if isinstance(model, Encoder):
        return [f"sublayers.{name}" for name, _ in model.sublayers.named_children()]
    names: list[str] = []
    for name, module in model.named_children():
        if isinstance(module, Residual):
            names.append(f"{name}.inner")
        if name != "logits":
            names.append(name)
    return names


def rows(acts: Mapping[str, Mapping[str, Any]], n: int) -> dict[str, dict[str, Any]]:
    """Return the first n rows of every layer."""
    return {net: {name: np.asarray(X)[:n] for name, X in own.items()} for net, own in acts.items()}


def seeds(recipes: Sequence[Recipe]) -> dict[str, Recipe]:
    """Return recipes that differ in their seed alone by name."""
    return {f"seed {each.seed}": each for each in recipes}
