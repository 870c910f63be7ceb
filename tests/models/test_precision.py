"""Dtypes and devices: kept as they are, and said."""

import pytest
import torch
from tests.models.nets import ConvNet, Encoder, Twice, samples, seeded
from torch import nn

from visavis.models import extract

HALF = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", [*HALF, torch.float32, torch.float64])
@pytest.mark.parametrize("pool", [None, "gap", "flatten"])
def test_dtype_of_the_model_is_kept(dtype, pool):
    model, x = seeded(ConvNet).to(dtype), samples(4, 3, 7, 7).to(dtype)
    acts = extract(model, [x[:3], x[3:]], pool=pool)
    assert {X.dtype for X in acts.values()} == {dtype}
    assert [finding.code for finding in acts.findings] == ["VV015"] * (dtype in HALF)


def test_autocast_around_the_call_counts():
    model, x = seeded(ConvNet), samples(4, 3, 7, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        acts = extract(model, x, ["block1.0", "head"])
        with torch.no_grad():
            expected = model(x)
    assert acts["head"].dtype is torch.bfloat16
    assert torch.equal(acts["head"], expected)
    (finding,) = acts.findings
    assert finding.code == "VV015"
    assert finding.severity == "info"
    assert finding.layers == ("block1.0", "head")
    assert "2 of 2 layers were recorded in bfloat16: block1.0, head" in finding.message


def test_autocast_of_a_fused_encoder():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        acts = extract(seeded(Encoder), samples(4, 5, 8), "*.linear1")
    assert {X.dtype for X in acts.values()} == {torch.bfloat16}


class Other(nn.Module):
    """Makes what it gives on a device that is not the model's."""

    def forward(self, x):
        return torch.empty(x.shape, device="meta")


def test_device_moves_what_is_kept():
    model = nn.Sequential(nn.Linear(3, 3)).eval()
    assert extract(model, samples(4, 3))["0"].device.type == "cpu"
    assert extract(model, samples(4, 3), device="meta")["0"].device.type == "meta"
    assert next(model.parameters()).device.type == "cpu"


def test_without_a_device_nothing_is_moved():
    acts = extract(nn.Sequential(Other(), nn.Identity()).eval(), samples(4, 3))
    assert {X.device.type for X in acts.values()} == {"meta"}


def test_batches_go_to_the_device_of_the_model():
    model = nn.Sequential(nn.Linear(3, 3)).to("meta").eval()
    assert extract(model, [(samples(4, 3), None)])["0"].device.type == "meta"
    assert extract(model, [samples(4, 3).numpy()])["0"].device.type == "meta"


def test_device_of_a_model_with_buffers_only():
    model = nn.Sequential(nn.BatchNorm1d(3, affine=False)).to("meta").eval()
    assert extract(model, samples(4, 3))["0"].device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu():
    model, x = seeded(Twice), samples(9, 3)
    reference = extract(model, x, batch_size=4)
    stay = extract(model.cuda(), x, batch_size=4)
    moved = extract(model, x.cuda(), batch_size=4, device="cpu")
    assert {X.device.type for X in stay.values()} == {"cuda"}
    assert {X.device.type for X in moved.values()} == {"cpu"}
    torch.testing.assert_close(dict(moved), dict(reference), rtol=1e-4, atol=1e-5)
    assert reference.digests == stay.digests == moved.digests
