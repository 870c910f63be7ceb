"""Tiny-10, the network of the paper's layer-correspondence test. The one file here with PyTorch."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from visavis._core import checks

LAYERS = (*(f"conv{i}" for i in range(1, 9)), "gap")
"""The layers that the test compares, each after its ReLU; the paper leaves the logits out."""

EPOCHS = 8
BATCH_SIZE = 32
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-3


def network(*, seed: int, classes: int = 10) -> nn.Sequential:
    """Return an untrained Tiny-10 for grey images, in evaluation mode.

    Eight blocks of convolution, batch normalisation and ReLU, ``conv1`` to ``conv8``; global
    average pooling, ``gap``; and ``logits``. Its nine inner layers are `LAYERS`.

    Parameters
    ----------
    seed : int
        Of the weights. PyTorch's global generator is left as it was.
    classes : int
        Number of logits.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations Revisited",
    ICML 2019, appendix. arXiv:1905.00414
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = OrderedDict[str, nn.Module](
            conv1=_block(1, 16),
            conv2=_block(16, 16),
            conv3=_block(16, 32, stride=2),
            conv4=_block(32, 32),
            conv5=_block(32, 32),
            conv6=_block(32, 64, stride=2),
            conv7=_block(64, 64, padding=0),
            conv8=_block(64, 64, kernel_size=1, padding=0),
            gap=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            logits=nn.Linear(64, classes),
        )
        return nn.Sequential(layers).eval()


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> nn.Sequential:
    """Return a Tiny-10 trained on `images` on the CPU, in evaluation mode.

    Stochastic gradient descent with Nesterov momentum and weight decay on the cross-entropy; the
    learning rate rises and falls once.

    Parameters
    ----------
    images : ndarray of uint8, (n, height, width)
        Grey images.
    labels : ndarray of int, (n,)
        Their classes, counted from 0.
    seed : int
        Of the weights and of the order of the images. On the same machine, with the same number
        of threads, the same seed gives the same network.
    epochs : int
        Number of passes over the images.
    batch_size : int
        Number of images in each step.
    progress : callable, optional
        Called as ``progress(done, total)`` after each step.
    """
    x, y = inputs(images), torch.from_numpy(labels.astype(np.int64))
    if len(x) != len(y):
        raise ValueError(
            checks.message(
                "train", "images` and `labels", "belong together", f"{len(x)} and {len(y)}"
            )
        )
    # Channels last is a third faster on a CPU, and changes no number but in rounding.
    model = network(seed=seed, classes=int(y.max()) + 1)
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True,
        weight_decay=WEIGHT_DECAY,
    )  # fmt: skip
    order = torch.Generator().manual_seed(seed)
    total = epochs * -(-len(x) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=total, cycle_momentum=False
    )
    done = 0
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(batch_size):
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if progress is not None:
                progress(done, total)
    return model.eval()


def steps(epochs: int, *, images: int = 6000, batch_size: int = BATCH_SIZE) -> int:
    """Return how many steps `train` takes, and so how often it reports progress."""
    return epochs * -(-images // batch_size)


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the part of `images` that `model` classifies as `labels` say, from 0 to 1."""
    with torch.inference_mode():
        predicted = model(inputs(images)).argmax(1)
    return float(np.mean(predicted.numpy() == labels))


def inputs(images: np.ndarray) -> torch.Tensor:
    """Return grey images (n, height, width) of bytes as the network takes them: (n, 1, ...)."""
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(
            checks.message(
                "inputs",
                "images",
                "be grey images (n, height, width) of uint8",
                f"shape {images.shape} of {images.dtype}",
            )
        )
    # Background and padding are both zero, so that the border of an image is no feature of it.
    return torch.from_numpy(images)[:, None].float() / 255


def _block(
    channels_in: int, channels_out: int, *, kernel_size: int = 3, stride: int = 1, padding: int = 1
) -> nn.Sequential:
    layers = OrderedDict[str, nn.Module](
        # Batch normalisation has a shift of its own.
        conv=nn.Conv2d(
            channels_in, channels_out, kernel_size, stride=stride, padding=padding, bias=False
        ),
        norm=nn.BatchNorm2d(channels_out),
        relu=nn.ReLU(),
    )
    return nn.Sequential(layers)
