"""The paper's convolutional networks, with layers that visavis finds by name.

Blocks are convolution, batch normalisation and ReLU: ``conv1``, ``conv2``, ...; then ``gap`` and
``logits``. The layers that are compared are all but the logits.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional


def tiny(*, width: int = 16, norm: bool = True) -> nn.Sequential:
    """Return a Tiny-10: at width 16 the network of the paper, for grey images."""
    narrow, middle, wide = width, 2 * width, 4 * width
    return _stack(
        [
            (narrow, {}),
            (narrow, {}),
            (middle, {"stride": 2}),
            (middle, {}),
            (middle, {}),
            (wide, {"stride": 2}),
            (wide, {"padding": 0}),
            (wide, {"kernel_size": 1, "padding": 0}),
        ],
        norm=norm,
    )


def plain(*, depth: int = 1, channels: int = 16) -> nn.Sequential:
    """Return a Plain-(8n+2) with n = `depth`; the paper has 96 channels, then 192."""
    n, wide = depth, 2 * channels
    return _stack(
        [
            *[(channels, {})] * (3 * n - 1),
            (channels, {"stride": 2}),
            *[(wide, {})] * (3 * n - 1),
            (wide, {"stride": 2}),
            *[(wide, {})] * (n - 1),
            (wide, {"padding": 0}),
            *[(wide, {"kernel_size": 1, "padding": 0})] * n,
        ]
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut; ``inner`` is the layer within, the block that after."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.inner = block(before, channels, stride=stride)
        self.second = block(channels, channels, relu=False)
        same = stride == 1 and before == channels
        self.shortcut = (
            nn.Identity()
            if same
            else block(before, channels, kernel_size=1, stride=stride, padding=0, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.inner(x)) + self.shortcut(x))


def resnet(*, blocks: int = 3, channels: int = 16) -> nn.Sequential:
    """Return a ResNet-(6n+2) with n = `blocks` in each of three stages."""
    layers = OrderedDict[str, nn.Module](conv1=block(1, channels))
    before = channels
    for stage in range(3):
        for k in range(blocks):
            after, stride = channels * 2**stage, 2 if stage and not k else 1
            layers[f"block{stage * blocks + k + 1}"] = Residual(before, after, stride)
            before = after
    return nn.Sequential(_ended(layers, before))


def block(
    before: int,
    after: int,
    *,
    kernel_size: int = 3,
    stride: int = 1,
    padding: int = 1,
    norm: bool = True,
    relu: bool = True,
) -> nn.Sequential:
    """Return convolution, batch normalisation and ReLU."""
    # Batch normalisation has a shift of its own.
    conv = nn.Conv2d(before, after, kernel_size, stride=stride, padding=padding, bias=not norm)
    layers = OrderedDict[str, nn.Module](conv=conv)
    if norm:
        layers["norm"] = nn.BatchNorm2d(after)
    else:
        # PyTorch's own start lets the signal die out over ten layers, which a norm would mend.
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(conv.bias)
    if relu:
        layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)


def _stack(shapes: list[tuple[int, dict[str, int]]], *, norm: bool = True) -> nn.Sequential:
    layers, before = OrderedDict[str, nn.Module](), 1
    for k, (channels, options) in enumerate(shapes, start=1):
        layers[f"conv{k}"] = block(before, channels, norm=norm, **options)
        before = channels
    return nn.Sequential(_ended(layers, before))


def _ended(layers: OrderedDict[str, nn.Module], channels: int) -> OrderedDict[str, nn.Module]:
    layers["gap"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    layers["logits"] = nn.Linear(channels, 10)
    return layers
