"""Models whose layers lie on several devices: each output stays on its own, or goes where asked."""

import subprocess
import sys

import pytest
import torch
from torch import nn

import visavis as vv


class Split(nn.Module):
    """A model of two halves. The meta device has no values, but it is another device."""

    def __init__(self):
        super().__init__()
        self.near = nn.Linear(4, 3)
        self.far = nn.Linear(3, 2, device="meta")

    def forward(self, x):
        return self.far(self.near(x).to("meta"))


def test_torch_outputs_stay_where_they_are():
    loader = list(torch.randn(12, 4).split(5))
    acts = vv.extract(Split(), loader, layers=["near", "far"], device=None)
    assert {name: (x.device.type, tuple(x.shape)) for name, x in acts.items()} == {
        "near": ("cpu", (12, 3)),
        "far": ("meta", (12, 2)),
    }
    with pytest.raises(TypeError, match=r"be of one library and on one device, got .*cpu.*meta"):
        vv.compare(acts)


# JAX splits a processor into several devices if it is told so before it starts.
JAX = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import jax, numpy as np, visavis as vv
from flax import nnx

first, second = jax.devices()

class Split(nnx.Module):
    def __init__(self, rngs):
        self.near = nnx.Linear(4, 3, rngs=rngs)
        self.far = nnx.Linear(3, 2, rngs=rngs)
        nnx.update(self.far, jax.device_put(nnx.state(self.far), second))

    def __call__(self, x):
        return self.far(jax.device_put(self.near(x), second))

model = Split(nnx.Rngs(0))
x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")

def places(device):
    acts = vv.extract(model, [x[:5], x[5:]], layers=["near", "far"], device=device)
    np.testing.assert_allclose(acts["far"], model(x), rtol=1e-5)
    return [acts[name].devices() for name in acts]

assert places(None) == [{first}, {second}]
assert places("cpu:0") == [{first}, {first}]
assert places(second) == [{second}, {second}]
acts = vv.extract(model, [x[:5], x[5:]], layers=["near", "far"], pool="flatten")
assert np.isfinite(vv.compare(acts).values).all()
print("done")
"""


def test_jax_on_two_devices():
    run = subprocess.run([sys.executable, "-c", JAX], capture_output=True, text=True, check=False)
    assert run.stdout == "done\n", run.stderr[-3000:]
