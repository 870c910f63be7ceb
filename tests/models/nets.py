"""Small networks, each with one habit that extraction must survive."""

from dataclasses import dataclass

import torch
from torch import nn


def seeded(make, *args, seed=0):
    """Build a network with reproducible weights, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make(*args).eval()


def samples(*shape, seed=0):
    """Gaussian tensor of the given shape."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class ConvNet(nn.Module):
    """Convolution, batch norm and an in-place ReLU, twice, and a head."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.block2 = nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU(inplace=True))
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        return self.head(self.block2(self.block1(x)).mean((2, 3)))


class Backwards(nn.Module):
    """Registered in the reverse of the order of execution."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.stem = nn.Linear(3, 4)

    def forward(self, x):
        x = self.stem(x)
        for block in reversed(self.blocks):
            x = block(x)
        return x


class Twice(nn.Module):
    """One ReLU that runs after both linear layers, and a head that is never called."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.relu = nn.ReLU()
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))))


class Loop(nn.Module):
    """A cell that runs once more for every batch, and a branch for big batches."""

    def __init__(self):
        super().__init__()
        self.stem, self.cell, self.branch = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        self.steps = 0

    def forward(self, x):
        self.steps += 1
        x = self.stem(x)
        for _ in range(self.steps):
            x = self.cell(x)
        return self.branch(x) if len(x) > 2 else x


@dataclass
class Answer:
    hidden: torch.Tensor
    scores: dict
    note: str = "not a tensor"
    cache: torch.Tensor | None = None


class Answering(nn.Module):
    """Gives a dataclass with a dict of a tuple in it."""

    def forward(self, x):
        return Answer(x, {"pair": (x + 1, x + 2), "top": x.argmax(1)})


class Structured(nn.Module):
    """Wraps a module that gives a nested output."""

    def __init__(self):
        super().__init__()
        self.inner = Answering()

    def forward(self, x):
        return self.inner(x).hidden


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        steps, _ = self.lstm(x)
        return self.head(steps[:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


class Encoder(nn.Module):
    """In evaluation mode PyTorch runs it as one fused kernel, past every inner module."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x, padding_mask=None):
        return self.encoder(x, src_key_padding_mask=padding_mask)


class Keyword(nn.Module):
    """Takes two arguments by name."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)

    def forward(self, pixels, shift=None):
        return self.body(pixels if shift is None else pixels + shift)


class AnyKeyword(nn.Module):
    """Takes any argument, and keeps their names."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)
        self.seen = set()

    def forward(self, pixels, **others):
        self.seen = set(others)
        return self.body(pixels)


class Failing(nn.Module):
    """Raises on its second batch."""

    def __init__(self, error):
        super().__init__()
        self.body, self.error, self.calls = nn.Linear(3, 3), error, 0

    def forward(self, x):
        self.calls += 1
        x = self.body(x)
        if self.calls > 1:
            raise self.error
        return x
