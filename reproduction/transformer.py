"""A small Transformer encoder that reads an image as a sequence of its rows."""

import torch
from torch import Tensor, nn

TOKENS = 28


class Sublayer(nn.Module):
    """A function of the normalised stream, added to the stream; its output is one layer."""

    def __init__(self, width: int, function: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return x + self.function(self.norm(x))


class Attention(nn.Module):
    """Self-attention with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        q, k, v = self.into(x).view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(n, tokens, width))


class Encoder(nn.Module):
    """Six blocks, each attention and a two-layer net: the twelve sublayers of the paper's F.1."""

    def __init__(self, *, width: int = 64, blocks: int = 6, heads: int = 4) -> None:
        super().__init__()
        self.embed = nn.Linear(TOKENS, width)
        self.position = nn.Parameter(0.02 * torch.randn(TOKENS, width))
        self.sublayers = nn.Sequential()
        for k in range(1, blocks + 1):
            wide = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )
            self.sublayers.add_module(f"attention{k}", Sublayer(width, Attention(width, heads)))
            self.sublayers.add_module(f"feedforward{k}", Sublayer(width, wide))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        stream = self.sublayers(self.embed(images[:, 0]) + self.position)
        return self.logits(self.norm(stream).mean(1))


def encoder(*, width: int = 64, blocks: int = 6, heads: int = 4) -> Encoder:
    """Return an untrained encoder."""
    return Encoder(width=width, blocks=blocks, heads=heads)
