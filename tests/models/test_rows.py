"""Ids and fingerprints: rows of two extractions are matched, or found not to match."""

import hashlib

import numpy as np
import pytest
import torch
from tests.models.nets import Keyword, Twice, samples, seeded
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from visavis._core.errors import SampleMismatchError
from visavis.models import extract
from visavis.results import correspond

X = samples(40, 3)
NAMES = [f"img{number}" for number in range(40)]


def first(loader, **options):
    return extract(seeded(Twice), loader, "first", **options)


def pairs(**options):
    return DataLoader(TensorDataset(X, torch.arange(40)), batch_size=16, **options)


def records(order):
    return [{"pixels": X[part], "id": part} for part in torch.split(order, 16)]


def test_shuffled_loader_iterated_twice_is_found_out():
    loader = pairs(shuffle=True)
    a, b = first(loader), first(loader)
    assert a.shuffled
    assert b.shuffled
    with pytest.raises(SampleMismatchError, match="VV007") as caught:
        correspond(a, b)
    assert caught.value.code == "VV007"


def test_shuffled_and_plain_loader_are_found_out():
    with pytest.raises(SampleMismatchError, match="VV007"):
        correspond(first(pairs(shuffle=True)), first(pairs()))


def test_plain_loader_iterated_twice_corresponds():
    a, b = first(pairs()), first(pairs())
    assert not a.shuffled
    correspond(a, b)


@pytest.mark.parametrize("other", [X.numpy(), [X[:7], X[7:]], pairs(), [(X, None)]])
def test_same_input_has_the_same_fingerprint_however_it_comes(other):
    assert first(other).digests == first(X).digests


def test_fingerprint_is_of_the_bytes_of_the_row():
    expected = [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in X.numpy()]
    assert list(first(X).digests) == expected


def test_fingerprint_covers_every_input_and_no_label():
    one = {"pixels": X, "shift": X}
    other = {"pixels": X, "shift": X + 1}
    a, b, c = (
        extract(seeded(Keyword), [batch]) for batch in (one, other, ({"pixels": X, "shift": X}, 0))
    )
    assert not set(a.digests) & set(b.digests)
    assert a.digests == c.digests


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.bool, torch.int64])
def test_fingerprint_of_any_dtype(dtype):
    x = (10 * X).to(dtype)
    acts = first([x], inputs=lambda batch: batch.float())
    assert len(set(acts.digests)) == len(set(map(tuple, x.tolist())))


def test_batch_can_hold_what_has_no_bytes():
    batch = {"pixels": X, "name": np.array(NAMES), "path": np.array(NAMES, dtype=object)}
    acts = extract(seeded(Keyword), [batch])
    assert acts.digests == extract(seeded(Keyword), [{"pixels": X}]).digests


@pytest.mark.parametrize(
    ("loader", "expected"),
    [
        (pairs(), False),
        (pairs(drop_last=True), False),
        (pairs(shuffle=True), True),
        (pairs(sampler=RandomSampler(X)), True),
        (pairs(sampler=SubsetRandomSampler(range(9))), True),
        (DataLoader(X, batch_size=None, shuffle=False), False),
        (DataLoader(X, batch_sampler=BatchSampler(SequentialSampler(X), 4, False)), False),
        (DataLoader(X, batch_sampler=BatchSampler(RandomSampler(X), 4, False)), True),
        (DataLoader(X, batch_sampler=[[3, 4], [1, 2]]), True),
        ([X], False),
    ],
    ids=range(10),
)
def test_shuffled(loader, expected):
    inputs = None if not isinstance(loader, DataLoader) or loader.batch_size else as_batch
    assert first(loader, inputs=inputs).shuffled is expected


def as_batch(batch):
    batch = batch[0] if isinstance(batch, list) else batch
    return batch if batch.ndim == 2 else batch[None]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (NAMES, NAMES),
        (tuple(NAMES), NAMES),
        (range(40), list(range(40))),
        (np.arange(40), list(range(40))),
        (torch.arange(40), list(range(40))),
        ([torch.tensor(i) for i in range(40)], list(range(40))),
        (None, None),
    ],
    ids=["list", "tuple", "range", "numpy", "torch", "tensors", "none"],
)
def test_ids_in_the_order_of_the_rows(ids, expected):
    acts = first(pairs(), ids=ids)
    assert acts.ids == (None if expected is None else tuple(expected))


@pytest.mark.parametrize("ids", ["id", lambda batch: batch["id"].tolist()], ids=["key", "callable"])
def test_ids_from_the_batch_join_shuffled_passes(ids):
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    a = extract(seeded(Keyword), records(torch.arange(40)), ids=ids)
    b = extract(seeded(Keyword), records(order), ids=ids)
    assert b.ids == tuple(order.tolist())
    with pytest.raises(SampleMismatchError, match="another order"):
        correspond(a, b)
    a, b, _ = correspond(a, b, align="inner")
    torch.testing.assert_close(a["body"], b["body"])


def test_ids_of_a_batch_of_pairs():
    acts = first(pairs(shuffle=True), ids=lambda batch: batch[1])
    assert sorted(acts.ids) == list(range(40))


@pytest.mark.parametrize(
    ("loader", "ids", "error", "message"),
    [
        ([X], NAMES[:-1], ValueError, r"one entry per row \(40 and more\), got 39"),
        ([X[:20], X[20:]], NAMES[:9], ValueError, r"one entry per row \(20 and more\), got 9"),
        ([X], [*NAMES, "more"], ValueError, r"one entry per row \(40\), got 41"),
        ([X], [*NAMES[:-1], "img3"], ValueError, "be unique, got 'img3' more than once"),
        (records(torch.tensor([1, 2, 1])), "id", ValueError, "be unique, got 1 more than once"),
        (records(torch.arange(3)) * 2, "id", ValueError, "be unique, got 0 more than once"),
        (records(torch.arange(3)), "idx", TypeError, "'idx' should, got a mapping with pixels, id"),
        ([X], "id", TypeError, "name a key of the batch, as 'id' should, got a Tensor"),
        ([X], lambda batch: [1], ValueError, r"one entry per row \(40 and more\), got 1"),
        (pairs(shuffle=True), NAMES, ValueError, "a sequence, whose order the loader does not"),
    ],
    ids=range(10),
)
def test_ids_that_do_not_fit(loader, ids, error, message):
    def as_input(batch):
        if isinstance(batch, dict):
            return batch["pixels"]
        return batch[0] if isinstance(batch, list) else batch

    with pytest.raises(error, match=message):
        first(loader, ids=ids, inputs=as_input)


def test_repeated_ids_are_refused_before_the_model_runs():
    def batches():
        pytest.fail("the loader was touched")
        yield

    with pytest.raises(ValueError, match="be unique"):
        first(batches(), ids=["a", "a"])


class Message(torch.nn.Module):
    """One round of messages between nodes, as graph networks have it."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 4)

    def forward(self, x, edge_index):
        sums = torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]])
        return self.inner(x + sums)


def graphs(sizes, seed=0):
    """A batch of graphs with edges in a ring."""
    random = torch.Generator().manual_seed(seed)
    owners = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    ring = [(s + i, s + (i + 1) % k) for s, k in zip(starts, sizes, strict=True) for i in range(k)]
    x = torch.randn(sum(sizes), 3, generator=random)
    return {"x": x, "edge_index": torch.tensor(ring).T, "batch": owners}


def test_nodes_are_averaged_graph_by_graph():
    batch = graphs([2, 5, 1])
    acts = extract(seeded(Message), [batch, graphs([4], seed=1)], "inner", pool="graph-mean")
    model = seeded(Message)
    with torch.no_grad():
        nodes = model(batch["x"], batch["edge_index"])
    expected = torch.stack([nodes[:2].mean(0), nodes[2:7].mean(0), nodes[7:].mean(0)])
    torch.testing.assert_close(acts["inner"][:3], expected)
    assert (acts.n, len(set(acts.digests))) == (4, 4)


def test_graphs_without_their_nodes():
    batch = {key: value for key, value in graphs([2, 3]).items() if key != "batch"}
    with pytest.raises(ValueError, match=r"say which graph each node is of, as 'batch'"):
        extract(seeded(Message), [batch], pool="graph-mean")
