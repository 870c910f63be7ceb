"""Several models are fed the same batches in one pass."""

import re

import pytest
import torch
from tests.models.nets import AnyKeyword, ConvNet, Keyword, Twice, samples, seeded
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from visavis.models import extract
from visavis.results import Activations, correspond


def test_mapping_gives_a_dict():
    models = {"a": seeded(Twice, seed=1), "b": seeded(Twice, seed=2)}
    both = extract(models, samples(5, 3), "first")
    assert list(both) == ["a", "b"]
    torch.testing.assert_close(dict(both["a"]), dict(extract(models["a"], samples(5, 3), "first")))
    torch.testing.assert_close(dict(both["b"]), dict(extract(models["b"], samples(5, 3), "first")))


@pytest.mark.parametrize("form", [list, tuple])
def test_sequence_gives_a_list(form):
    both = extract(form([seeded(Twice), seeded(Twice)]), samples(5, 3), "first")
    assert type(both) is list
    assert [type(acts) for acts in both] == [Activations] * 2


def test_modules_that_hold_modules_are_one_model():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    assert isinstance(extract(model, samples(4, 3)), Activations)


@pytest.mark.parametrize("none", [{}, []])
def test_no_model(none):
    with pytest.raises(ValueError, match="`model` must hold at least one model, got none"):
        extract(none, samples(4, 3))


def test_one_pass_over_a_generator_with_the_same_batches():
    passes = []

    def batches():
        passes.append(1)
        yield samples(4, 3, seed=1)
        yield samples(2, 3, seed=2)

    model = seeded(Twice)
    a, b = extract([model, seeded(Twice)], batches(), "first")
    assert passes == [1]
    torch.testing.assert_close(a["first"], b["first"])
    assert a.digests == b.digests


def test_same_model_twice():
    model = seeded(Twice)
    both = extract({"a": model, "b": model}, samples(5, 3))
    assert list(both["a"]) == list(both["b"]) == ["first", "relu", "second", "relu#2"]


def test_models_that_share_a_module():
    trunk = nn.Linear(3, 3)
    a, b = nn.Sequential(trunk, nn.ReLU()), nn.Sequential(nn.Tanh(), trunk)
    x = samples(4, 3)
    first, second = extract([a, b], x)
    with torch.no_grad():
        torch.testing.assert_close(first["0"], trunk(x))
        torch.testing.assert_close(second["1"], trunk(x.tanh()))
    assert list(second) == ["0", "1"]
    assert [{f.code for f in acts.findings} for acts in (first, second)] == [{"VV013"}] * 2
    assert trunk.training


def test_shared_module_that_only_the_other_model_runs():
    other = seeded(Twice)
    model = seeded(Twice)
    model.unused = other.first
    first, second = extract([other, model], samples(4, 3))
    assert first.findings == second.findings
    assert second.findings[0].layers == ("unused",)


def test_each_model_gets_the_arguments_that_it_takes():
    batch = {"pixels": samples(4, 3), "shift": samples(4, 3, seed=1), "label": torch.arange(4)}
    both = extract({"named": seeded(Keyword), "any": (model := seeded(AnyKeyword))}, [batch])
    assert model.seen == {"shift", "label"}
    correspond(both["named"], both["any"])


def test_shuffled_loader_in_one_pass_corresponds():
    loader = DataLoader(TensorDataset(samples(50, 3)), batch_size=8, shuffle=True)
    model = seeded(Twice)
    a, b = extract([model, model], loader, "first")
    assert a.shuffled
    torch.testing.assert_close(a["first"], b["first"])
    correspond(a, b)


def test_provenance_is_each_models_own():
    both = extract([seeded(Twice), nn.Sequential(nn.Linear(3, 2))], [samples(4, 3), samples(1, 3)])
    assert [acts.provenance["model"] for acts in both] == ["Twice", "Sequential"]
    assert [acts.provenance["parameters"] for acts in both] == [36, 8]


def test_provenance():
    acts = extract(seeded(ConvNet), [samples(4, 3, 7, 7)] * 3, ["head", "block?"], pool="gap")
    provenance = dict(acts.provenance)
    assert re.fullmatch(r"[0-9a-f]{16}", provenance.pop("fingerprint"))
    assert provenance == {
        "model": "ConvNet",
        "parameters": (3 * 9 + 1) * 4 + 2 * 4 + (4 * 9 + 1) * 5 + 2 * 5 + (5 + 1) * 2,
        "torch": str(torch.__version__),
        "selected": "head, block?",
        "pool": "gap",
        "batches": 3,
    }
