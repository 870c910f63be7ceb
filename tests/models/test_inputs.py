"""How batches of every kind become the input of a model."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tests.models.nets import AnyKeyword, ConvNet, Keyword, Twice, samples, seeded
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from visavis.models import extract

X = samples(6, 3)
SHIFT = samples(6, 3, seed=1)
LABELS = torch.arange(6)
Batch = namedtuple("Batch", ["x", "y"])


def body(x):
    model = seeded(Keyword)
    with torch.no_grad():
        return model.body(x)


@pytest.mark.parametrize(
    ("batch", "inputs", "expected"),
    [
        (X, None, X),
        (X.numpy(), None, X),
        ((X, LABELS), None, X),
        ([X, LABELS], None, X),
        ([X], None, X),
        (Batch(X, LABELS), None, X),
        ({"pixels": X}, None, X),
        ({"label": LABELS, "pixels": X, "shift": SHIFT}, None, X + SHIFT),
        ({"pixels": X.numpy(), "name": ["a"] * 6}, None, X),
        (OrderedDict(shift=SHIFT, pixels=X), None, X + SHIFT),
        (({"pixels": X, "shift": SHIFT}, LABELS), None, X + SHIFT),
        ((LABELS, X), lambda batch: batch[1], X),
        ((X, SHIFT), lambda batch: batch, X + SHIFT),
        ((X, SHIFT), lambda batch: {"shift": batch[1], "pixels": batch[0]}, X + SHIFT),
        ({"a": X, "b": SHIFT}, lambda batch: (batch["a"], batch["b"]), X + SHIFT),
    ],
    ids=range(15),
)
def test_batch(batch, inputs, expected):
    acts = extract(seeded(Keyword), [batch], inputs=inputs)
    torch.testing.assert_close(acts["body"], body(expected))


def test_keyword_that_was_chosen_is_not_left_out():
    with pytest.raises(TypeError, match="unexpected keyword argument 'label'"):
        extract(seeded(Keyword), [X], inputs=lambda x: {"pixels": x, "label": LABELS})


def test_forward_with_any_keyword_gets_all_but_the_ids():
    model = seeded(AnyKeyword)
    extract(model, [{"pixels": X, "label": LABELS, "id": LABELS}], ids="id")
    assert model.seen == {"label"}


def test_key_of_the_ids_that_forward_takes_is_given():
    acts = extract(seeded(Keyword), [{"pixels": X, "shift": LABELS[:, None]}], ids=lambda b: LABELS)
    torch.testing.assert_close(acts["body"], body(X + LABELS[:, None]))


class Nested(nn.Module):
    """Takes a dict of a list of tensors, and something that is no tensor."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)

    def forward(self, parts, mode="sum", box=None):
        assert isinstance(parts["list"], list)
        assert mode == "difference"
        assert box is None or type(box) is Batch
        first, second = parts["list"]
        return self.body(first - second)


def test_nested_input():
    batch = {"parts": {"list": [X, SHIFT.numpy()]}, "mode": "difference", "box": Batch(X, 3)}
    acts = extract(seeded(Nested), [batch])
    assert acts["body"].shape == (6, 3)


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)

    def forward(self, tokens, head_mask=None, padding_mask=None):
        return self.body(tokens)


@pytest.mark.parametrize(
    ("batch", "inputs", "argument"),
    [
        ((X, X > 0), None, "padding_mask"),
        ({"tokens": X, "attention_mask": X > 0}, None, "attention_mask"),
        ({"tokens": X, "padding_mask": X > 0}, None, None),
        ({"tokens": X, "label": LABELS, "masked_position": X}, None, None),
        ((X, X > 0), lambda batch: (batch[0], None, batch[1]), None),
        ((X,), None, None),
        (X, None, None),
    ],
    ids=range(7),
)
def test_mask_that_is_left_out_is_reported(batch, inputs, argument):
    found = extract(seeded(Masked), [batch], inputs=inputs).findings
    assert [finding.code for finding in found] == ["VV012"] * (argument is not None)
    assert [finding.evidence["argument"] for finding in found] == [argument] * len(found)


@dataclass
class Graph:
    nodes: torch.Tensor
    name: str = "g"


class OnGraphs(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 3))

    def forward(self, graph):
        assert graph.name == "h"
        return self.body(graph.nodes)


def test_dataclass_as_input():
    graph = Graph(X.clone(), "h")
    acts = extract(seeded(OnGraphs), [graph], "body.0")
    assert torch.equal(acts["body.0"], X.relu())
    assert torch.equal(graph.nodes, X)
    assert extract(seeded(OnGraphs).to("meta"), [graph])["body.0"].device.type == "meta"


def test_packed_sequence_is_one_input():
    packed = nn.utils.rnn.pack_sequence([X[:3], X[3:5]])
    acts = extract(nn.Sequential(nn.LSTM(3, 4)).eval(), [(packed, LABELS)], "0[0][data]")
    assert acts["0[0][data]"].shape == (5, 4)


@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray])
@pytest.mark.parametrize(("batch_size", "batches"), [(256, 1), (4, 2), (1, 6)])
def test_array_is_cut_into_batches(kind, batch_size, batches):
    acts = extract(seeded(Twice), kind(X), "first", batch_size=batch_size)
    assert acts.provenance["batches"] == batches
    torch.testing.assert_close(acts["first"], extract(seeded(Twice), [X], "first")["first"])


def test_read_only_array():
    x = X.numpy().copy()
    x.flags.writeable = False
    assert extract(seeded(Twice), x, "first").n == 6


def test_mapping_of_arrays_is_cut_into_batches():
    acts = extract(seeded(Keyword), {"pixels": X, "shift": SHIFT.numpy()}, batch_size=4)
    assert acts.provenance["batches"] == 2
    torch.testing.assert_close(acts["body"], body(X + SHIFT))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True])
def test_batch_size(batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer, got"):
        extract(seeded(Twice), X, batch_size=batch_size)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(X)


@pytest.mark.parametrize(
    "loader",
    [
        [X[:4], X[4:]],
        (X[:4], X[4:]),
        iter([X[:4], X[4:]]),
        (part for part in (X[:4], X[4:])),
        DataLoader(X, batch_size=4),
        DataLoader(TensorDataset(X, LABELS), batch_size=4),
        DataLoader(TensorDataset(X), batch_sampler=[[0, 1, 2, 3], [4, 5]]),
        DataLoader(Stream(), batch_size=4),
    ],
    ids=["list", "tuple", "iterator", "generator", "tensors", "pairs", "batch_sampler", "stream"],
)
def test_loader(loader):
    acts = extract(seeded(Twice), loader, "first")
    assert acts.provenance["batches"] == 2
    torch.testing.assert_close(acts["first"], extract(seeded(Twice), X, "first")["first"])


class Images(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return samples(3, 7, 7), 0


@pytest.mark.parametrize(
    ("loader", "error", "message"),
    [
        (3, TypeError, "`loader` must be an iterable of batches, an array, .* got int"),
        ("images/", TypeError, "got str"),
        (torch.tensor(1.0), TypeError, "got a 0-d array"),
        ({}, TypeError, "got a mapping of nothing"),
        ({"pixels": X, "name": "a"}, TypeError, r"of one length, got a mapping of \(6, 3\), str"),
        ({"pixels": X, "shift": X[:2]}, TypeError, r"got a mapping of \(6, 3\), \(2, 3\)"),
        ([], ValueError, "yield at least one sample, got none. A generator can be iterated only"),
        ([X[:0]], ValueError, "yield at least one sample, got none"),
        (Images(), TypeError, r"yield batches, got a dataset \(Images\).*DataLoader\(dataset"),
        ([["a", "b"]], TypeError, "an array, whose first dimension is the batch, got str.*inputs="),
        ([3], TypeError, "whose first dimension is the batch, got int"),
        ([{}], TypeError, "whose first dimension is the batch, got nothing"),
        ([{"a": X, "b": X}], ValueError, r"arguments of forward \(x\), got a mapping with a, b"),
    ],
)
def test_not_a_loader(loader, error, message):
    with pytest.raises(error, match=message):
        extract(seeded(ConvNet), loader)
