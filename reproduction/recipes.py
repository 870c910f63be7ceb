"""The plan: every network that is trained, from which images, and for how long.

Times are those of two free cores, where a Tiny-10 takes 0.5 ms for an image (measured); the whole
full run is planned for ninety minutes, of which twenty are left for comparisons.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import nn

from reproduction import convolutional, data, transformer

NETS: Mapping[str, Callable[..., nn.Module]] = {
    "tiny": convolutional.tiny,
    "plain": convolutional.plain,
    "resnet": convolutional.resnet,
    "encoder": transformer.encoder,
}


@dataclass(frozen=True)
class Recipe:
    """What a trained network is made from, and nothing else: the same recipe, the same network.

    Parameters
    ----------
    net : str
        Its architecture, of `NETS`.
    options : mapping
        Of the architecture.
    seed : int
        Of the weights and of the order of the images.
    source, images : str and int
        The first so many training images of this data.
    epochs, batch_size : int
        Passes over the images, images in a step.
    optimizer : {"sgd", "adamw"}
        SGD has Nesterov's momentum 0.9.
    rate, decay : float
        Highest learning rate, and weight decay.
    """

    net: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    source: str = "fashion"
    images: int = 60_000
    epochs: int = 5
    batch_size: int = 64
    optimizer: str = "sgd"
    rate: float = 0.1
    decay: float = 1e-3

    @property
    def name(self) -> str:
        """What a reader calls it; `key` is what tells it from all others."""
        options = "".join(f"-{option}={value}" for option, value in self.options.items())
        return f"{self.net}{options}-{self.source}-seed{self.seed}".lower()

    def settings(self) -> dict[str, Any]:
        """Return everything that decides what the trained network is, as plain JSON."""
        images = min(self.images, len(data.load(self.source).images))
        return asdict(self) | {
            "options": dict(self.options),
            "images": images,
            "digest": data.digest(self.source, images),
        }

    def key(self) -> str:
        """Return a short digest of the settings."""
        text = json.dumps(self.settings(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def untrained(self) -> nn.Module:
        """Return the network before its training, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return NETS[self.net](**self.options).eval()


@dataclass(frozen=True)
class Plan:
    """All networks of a run, by experiment, the most important first."""

    table2: list[Recipe]
    mnist: list[Recipe]
    few: list[Recipe]
    bare: list[Recipe]
    depths: list[Recipe]
    residual: list[Recipe]
    encoders: list[Recipe]
    widths: list[Recipe]

    def all(self) -> list[Recipe]:
        """Return every recipe, in order of importance."""
        return [each for part in vars(self).values() for each in part]

    def without_mnist(self) -> "Plan":
        """Return the plan where MNIST is not installed: Fig. 7 then says so."""
        return replace(self, mnist=[])


def full() -> Plan:
    """Return the plan of the full run. Seconds are those of two free cores."""
    return Plan(
        table2=[Recipe("tiny", seed=s) for s in range(10)],  # 1560 s
        mnist=[_few("mnist", seed) for seed in range(3)],  # 75 s
        few=[_few("fashion", seed) for seed in range(3)],  # 75 s
        bare=[Recipe("tiny", {"norm": False}, seed=s, rate=0.02) for s in range(3)],  # 375 s
        depths=[Recipe("plain", {"depth": d}, images=30_000, epochs=3) for d in (1, 2, 4)],  # 460 s
        residual=[
            Recipe("resnet", {"blocks": 3}, seed=s, images=30_000, epochs=3) for s in range(2)
        ],  # 290 s
        encoders=[_encoder(s, images=30_000, epochs=3) for s in range(4)],  # 330 s
        widths=[
            Recipe("tiny", {"width": w}, seed=s, images=12_000, epochs=3)
            for w in (2, 4, 8, 16, 32, 64)
            for s in range(2)
        ],  # 860 s
    )


def quick() -> Plan:
    """Return the plan of a run of minutes, which shows that everything works and little else."""
    few = {"images": 2_000, "epochs": 2, "batch_size": 32}
    return Plan(
        table2=[Recipe("tiny", seed=s, **few) for s in range(3)],
        mnist=[Recipe("tiny", seed=s, source="mnist", **few) for s in range(2)],
        few=[Recipe("tiny", seed=s, **few) for s in range(2)],
        bare=[Recipe("tiny", {"norm": False}, seed=s, rate=0.02, **few) for s in range(2)],
        depths=[Recipe("plain", {"depth": d, "channels": 4}, **few) for d in (1, 2)],
        residual=[Recipe("resnet", {"blocks": 1, "channels": 8}, seed=s, **few) for s in range(2)],
        encoders=[_encoder(s, images=2_000, epochs=2) for s in range(2)],
        widths=[Recipe("tiny", {"width": w}, seed=s, **few) for w in (2, 4, 8) for s in range(2)],
    )


def _few(source: str, seed: int) -> Recipe:
    # MNIST has 4,000 images here, and so many are taken of Fashion-MNIST beside it.
    return Recipe("tiny", seed=seed, source=source, images=4_000, epochs=12)


def _encoder(seed: int, *, images: int, epochs: int) -> Recipe:
    return Recipe(
        "encoder", seed=seed, images=images, epochs=epochs, optimizer="adamw", rate=2e-3, decay=0.01
    )
