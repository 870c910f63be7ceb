"""Two ResNet-18 straight from the models: exact and by minibatches, beside the bare work.

Run with ``make bench``, or ``python bench/models.py``. The limit is the forward passes of both
networks, and for the exact form the Gram matrices of all layers and one product of all of them.
Everything is timed in turn in one process; medians. Images are 32 x 32, so that a processor can do
it. The error of the minibatch form is against the same sums in float64, and the memory is the
growth of the peak over a run in a process of its own.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

import visavis as vv

IMAGES, BATCH, REPEATS = 2048, 256, 3


class Block(nn.Module):
    """The basic block of He et al. (2016)."""

    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inside != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what comes out of the block."""
        short = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + short)


def resnet18(seed: int) -> nn.Module:
    """Return an untrained ResNet-18."""
    torch.manual_seed(seed)
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    blocks, inside = [], 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks += [Block(inside, width, stride), Block(width, width, 1)]
        inside = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)]
    return nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1), *blocks, *head).eval()


def layers(model: nn.Module) -> list[str]:
    """Return the 21 convolutions and linear layers."""
    return [name for name, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def pair() -> tuple[nn.Module, nn.Module, torch.Tensor, list[str]]:
    """Return two networks, images, and the names of layers."""
    a, b = resnet18(0), resnet18(1)
    images = torch.randn(IMAGES, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return a, b, images, layers(a)


def forward(a: nn.Module, b: nn.Module, images: torch.Tensor) -> None:
    """Run both networks alone."""
    with torch.no_grad():
        for batch in images.split(BATCH):
            a(batch)
            b(batch)


def products(acts: dict[str, vv.Activations]) -> torch.Tensor:
    """Compute the Gram matrices of all layers, and one product of all of them."""
    flat = []
    for side in acts.values():
        grams = (X.reshape(len(X), -1) for X in side.values())
        flat.append(torch.stack([(X @ X.T).reshape(-1) for X in grams]))
    return flat[0] @ flat[1].T


def by_hand(acts: dict[str, vv.Activations]) -> np.ndarray:
    """Return the ratio of summed HSIC of batches in float64, from its definition."""
    sums: list[np.ndarray] = []
    for start in range(0, IMAGES, BATCH):
        grams = []
        for side in acts.values():
            for X in side.values():
                x = X[start : start + BATCH].reshape(BATCH, -1).double().numpy()
                x = x - x.mean(0)
                K = x @ x.T
                np.fill_diagonal(K, 0)
                rows = K.sum(0) / (BATCH - 2)
                K = K - rows - rows[:, None] + K.sum() / ((BATCH - 1) * (BATCH - 2))
                np.fill_diagonal(K, 0)
                grams.append(K.reshape(-1))
        flat = np.stack(grams)
        sums.append(flat @ flat.T)
    total = np.sum(sums, axis=0)
    half = len(total) // 2
    own = np.sqrt(np.diag(total))
    return total[:half, half:] / np.outer(own[:half], own[half:])


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


MEMORY = """
import sys
sys.path.insert(0, {folder!r})
import models, visavis as vv
a, b, images, names = models.pair()
models.forward(a, b, images[:256])
vv.compare(a, b, images[:64], layers=names, form={form!r}, progress=False)
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
before = peak()
vv.compare(a, b, images, layers=names, form={form!r}, batch_size=256, progress=False)
print(peak() - before)
"""


def memory(form: str) -> float:
    """Return the growth of the peak over a comparison, in a process of its own."""
    code = MEMORY.format(folder=str(Path(__file__).parent), form=form)
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def main() -> None:
    """Print medians, ratios, error and memory."""
    a, b, images, names = pair()
    acts = vv.extract({"a": a, "b": b}, images, names, batch_size=BATCH, progress=False)
    options = {"layers": names, "batch_size": BATCH, "progress": False}
    calls = {
        "forward": lambda: forward(a, b, images),
        "products": lambda: products(acts),
        "exact": lambda: vv.compare(a, b, images, **options),
        "minibatch": lambda: vv.compare(a, b, images, form="minibatch", **options),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(REPEATS + 1):
        for name, call in calls.items():
            elapsed = seconds(call)
            if repeat:
                times[name].append(elapsed)
    t = {name: statistics.median(each) for name, each in times.items()}
    limit = t["forward"] + t["products"]
    print(f"two ResNet-18, {len(names)} layers each, {IMAGES} images, batches of {BATCH}")
    print(f"forward passes: {t['forward']:.2f} s; Gram products: {t['products']:.2f} s")
    print(f"exact: {t['exact']:.2f} s, {t['exact'] / limit:.2f} x both")
    print(f"minibatch: {t['minibatch']:.2f} s, {t['minibatch'] / t['forward']:.2f} x the forward")
    found = vv.compare(a, b, images, form="minibatch", **options)
    print(f"error of the minibatch form: {np.abs(found.values - by_hand(acts)).max():.1e}")
    for form in ("exact", "minibatch"):
        print(f"peak memory, {form}: {memory(form) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
