"""The list of a model's layers: names, types, shapes, order."""

import pytest
import torch
from tests.models.nets import Backwards, Keyword, Recurrent, Structured, Twice, samples, seeded
from torch import nn

from visavis.models import Layer, extract, layers


def test_without_a_batch_modules_stand_in_order_of_registration():
    assert layers(seeded(Backwards)) == [
        Layer("blocks.0", "Linear"),
        Layer("blocks.1", "Linear"),
        Layer("blocks.2", "Linear"),
        Layer("stem", "Linear"),
    ]


def test_with_a_batch_outputs_stand_in_order_of_execution():
    assert layers(seeded(Twice), samples(5, 3)) == [
        Layer("first", "Linear", (5, 3), "float32", 0),
        Layer("relu", "ReLU", (5, 3), "float32", 1),
        Layer("second", "Linear", (5, 3), "float32", 2),
        Layer("relu#2", "ReLU", (5, 3), "float32", 3),
        Layer("unused", "Linear"),
    ]


def test_output_without_the_batch_first_is_listed():
    listed = layers(seeded(Recurrent).double(), samples(5, 6, 3).double())
    assert [(layer.name, layer.shape) for layer in listed] == [
        ("lstm[0]", (5, 6, 4)),
        ("lstm[1][0]", (2, 5, 4)),
        ("lstm[1][1]", (2, 5, 4)),
        ("head", (5, 2)),
    ]
    assert {layer.dtype for layer in listed} == {"float64"}


@pytest.mark.parametrize(
    "loader",
    [
        samples(5, 3),
        samples(5, 3).numpy(),
        (samples(5, 3), torch.arange(5)),
        [samples(5, 3)],
        [(samples(5, 3), torch.arange(5))],
        iter([samples(5, 3), samples(2, 3)]),
        {"x": samples(5, 3)},
    ],
    ids=["tensor", "numpy", "pair", "list", "list of pairs", "iterator", "mapping"],
)
def test_batch_or_loader(loader):
    assert layers(seeded(Twice), loader)[0].shape == (5, 3)


def test_inputs():
    listed = layers(seeded(Keyword), [{"a": samples(5, 3)}], inputs=lambda batch: batch["a"])
    assert listed[0].shape == (5, 3)


def test_names_are_those_of_extract():
    model, x = seeded(Structured), samples(5, 3)
    assert [layer.name for layer in layers(model, x)] == list(extract(model, x))


def test_model_is_left_as_it_was():
    model = Twice().train()
    layers(model, samples(5, 3))
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("model", "loader", "error", "message"),
    [
        ("resnet", None, TypeError, "layers: `model` must be a torch.nn.Module, .*, got str"),
        ([seeded(Twice)], None, TypeError, "got list"),
        (seeded(Twice), [], ValueError, "layers: `loader` must yield at least one batch, got none"),
        (nn.Linear(3, 2), None, LookupError, "layers: .* wrap it"),
    ],
    ids=["str", "list", "empty", "single"],
)
def test_refusals(model, loader, error, message):
    with pytest.raises(error, match=message):
        layers(model, loader)
