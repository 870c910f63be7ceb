"""Compiled and wrapped modules: recorded under their own names, by what they are made of."""

import pytest
import torch
from tests.models.nets import Twice, samples, seeded
from torch import nn
from torch.nn.utils import parametrizations

from visavis.models import extract, layers

X = samples(6, 3)


def compiled_inside():
    model = seeded(Twice)
    model.first = torch.compile(nn.Sequential(model.first), backend="eager")
    model.second.compile(backend="eager")
    return model


def plain(model):
    with torch.no_grad():
        return model(X)


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_compiled_module_runs_and_keeps_its_names(warm):
    model = seeded(Twice)
    compiled = torch.compile(model, backend="eager")
    if warm:
        plain(compiled)
    acts = extract(compiled, X)
    torch.testing.assert_close(dict(acts), dict(extract(model, X)))
    assert acts.provenance["model"] == "Twice"


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_compiled_parts_run_and_keep_their_names(warm):
    model = compiled_inside()
    if warm:
        plain(model)
    acts = extract(model, X)
    assert list(acts) == ["first.0", "first", "relu", "second", "relu#2"]
    torch.testing.assert_close(acts["relu#2"], plain(seeded(Twice)))


def test_compiled_module_is_compiled_again_afterwards():
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    model = torch.compile(seeded(Twice), backend=backend)
    extract(model, X)
    assert not graphs
    plain(model)
    assert len(graphs) == 1


def test_data_parallel():
    acts = extract(nn.DataParallel(seeded(Twice)), X)
    torch.testing.assert_close(dict(acts), dict(extract(seeded(Twice), X)))


def test_distributed_data_parallel(tmp_path):
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        model = torch.compile(nn.parallel.DistributedDataParallel(seeded(Twice)), backend="eager")
        acts = extract(model, [{"x": X}])
    finally:
        torch.distributed.destroy_process_group()
    torch.testing.assert_close(dict(acts), dict(extract(seeded(Twice), X)))


def test_parametrizations_are_no_layers():
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2)), nn.ReLU()).eval()
    assert list(extract(model, X)) == ["0", "1"]
    assert [layer.name for layer in layers(model)] == ["0", "1"]


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("make", [torch.jit.script, lambda model: torch.jit.trace(model, X)])
def test_torchscript_is_refused(make):
    with pytest.raises(TypeError, match=r"ordinary torch\.nn\.Module, got a TorchScript module"):
        extract(make(seeded(Twice)), X)


def test_lazy_module():
    acts = extract(nn.Sequential(nn.LazyLinear(4), nn.ReLU()).eval(), X)
    assert acts.provenance["parameters"] == 16
    assert acts["1"].shape == (6, 4)
