"""What is recorded: order, repeated calls, nested outputs, in-place operations, rows."""

import numpy as np
import pytest
import torch
from tests.models.nets import (
    Answering,
    Attention,
    Backwards,
    ConvNet,
    Encoder,
    Loop,
    Recurrent,
    Structured,
    Twice,
    samples,
    seeded,
)
from torch import nn

from visavis.models import extract


def split(x, *sizes):
    return list(torch.split(x, list(sizes)))


def test_order_is_that_of_execution():
    acts = extract(seeded(Backwards), samples(4, 3))
    assert list(acts) == ["stem", "blocks.2", "blocks.1", "blocks.0"]


def test_values_are_those_of_the_modules():
    model, x = seeded(Backwards), samples(10, 3)
    acts = extract(model, split(x, 4, 4, 2))
    with torch.no_grad():
        stem = model.stem(x)
        torch.testing.assert_close(acts["stem"], stem)
        torch.testing.assert_close(acts["blocks.2"], model.blocks[2](stem))


def test_in_place_operation_does_not_reach_what_was_recorded():
    model, x = seeded(ConvNet), samples(4, 3, 7, 7)
    acts = extract(model, x, ["block1.1", "block1.2"])
    with torch.no_grad():
        norm = model.block1[1](model.block1[0](x))
    assert (norm < 0).any()
    torch.testing.assert_close(acts["block1.1"], norm)
    torch.testing.assert_close(acts["block1.2"], norm.relu())


def test_in_place_operation_does_not_reach_what_a_pool_returned():
    model, x = seeded(ConvNet), samples(4, 3, 7, 7)
    acts = extract(model, x, "block1.1", pool=lambda output, name: output[:, :, 0, 0])
    with torch.no_grad():
        norm = model.block1[1](model.block1[0](x))[:, :, 0, 0]
    assert (norm < 0).any()
    torch.testing.assert_close(acts["block1.1"], norm)


def test_each_call_of_a_module_is_a_layer():
    model, x = seeded(Twice), samples(5, 3)
    acts = extract(model, split(x, 3, 2), "relu")
    with torch.no_grad():
        first = model.first(x).relu()
        torch.testing.assert_close(acts["relu"], first)
        torch.testing.assert_close(acts["relu#2"], model.second(first).relu())


def test_module_that_never_runs_is_reported():
    acts = extract(seeded(Twice), samples(5, 3))
    assert list(acts) == ["first", "relu", "second", "relu#2"]
    (finding,) = acts.findings
    assert finding.code == "VV006"
    assert finding.layers == ("unused",)
    assert "1 of 4 selected modules never ran: unused" in finding.message


def test_nothing_runs():
    message = "select modules that run, got unused: none of 1 ran on the first batch"
    with pytest.raises(ValueError, match=message):
        extract(seeded(Twice), samples(5, 3), "unused")


def test_calls_that_only_some_batches_make_are_dropped_alone():
    acts = extract(seeded(Loop), split(samples(9, 3), 3, 3, 3))
    assert list(acts) == ["stem", "cell", "branch"]
    assert acts.n == 9
    (finding,) = acts.findings
    assert finding.code == "VV006"
    assert finding.layers == ("cell#2", "cell#3")
    assert "cell#2 (2 of 3 batches), cell#3 (1 of 3 batches)" in finding.message


def test_branch_that_the_last_batch_does_not_take_is_dropped():
    acts = extract(seeded(Loop), split(samples(7, 3), 3, 3, 1), ["stem", "branch"])
    assert list(acts) == ["stem"]
    assert acts.n == 7
    assert [finding.layers for finding in acts.findings] == [("branch",)]


def test_every_layer_dropped():
    with pytest.raises(ValueError, match=r"that every batch runs, got branch \(1 of 2 batches\)"):
        extract(seeded(Loop), split(samples(4, 3), 3, 1), "branch")


def test_nested_output_gives_an_entry_for_every_float_tensor():
    x = samples(4, 3)
    acts = extract(seeded(Structured), split(x, 3, 1))
    assert list(acts) == ["inner[hidden]", "inner[scores][pair][0]", "inner[scores][pair][1]"]
    torch.testing.assert_close(acts["inner[scores][pair][1]"], x + 2)
    assert not acts.findings


class Integers(nn.Module):
    def forward(self, x):
        return {"index": x.argmax(1), "spectrum": torch.fft.fft(x)}


def test_module_without_a_float_output_is_mentioned():
    model = nn.Sequential(nn.Identity(), Answering(), nn.Identity())
    model[1] = Integers()
    with pytest.raises(ValueError, match=r"give a floating point tensor, got 1: none of 1"):
        extract(model.eval(), samples(4, 3), "1")
    acts = extract(model, samples(4, 3), ["0", "1"])
    assert list(acts) == ["0"]
    (finding,) = acts.findings
    assert finding.code == "VV006"
    assert "no floating point tensor came from 1" in finding.message


def test_attention_weights_are_an_output():
    acts = extract(seeded(Attention), samples(5, 6, 4), "attention")
    assert {name: tuple(X.shape) for name, X in acts.items()} == {
        "attention[0]": (5, 6, 4),
        "attention[1]": (5, 6, 6),
    }


def test_inner_modules_of_a_fused_encoder_run():
    model, x = seeded(Encoder), samples(5, 6, 8)
    acts = extract(model, x, ["encoder", "encoder.layers.?", "*.linear?", "*.norm1"])
    assert list(acts)[:4] == [
        f"encoder.layers.0{m}" for m in (".norm1", ".linear1", ".linear2", "")
    ]
    assert not acts.findings
    with torch.no_grad():
        torch.testing.assert_close(acts["encoder"], model(x), rtol=1e-4, atol=1e-5)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_selection_does_not_decide_which_kernels_run():
    batch = {"x": samples(5, 6, 8), "padding_mask": torch.arange(6).expand(5, 6) > 3}
    model = seeded(Encoder)
    alone, among = extract(model, [batch], "encoder"), extract(model, [batch])
    torch.testing.assert_close(alone["encoder"], among["encoder"], rtol=0, atol=0)


def test_fused_kernels_stay_off_if_they_were():
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        extract(seeded(Encoder), samples(5, 6, 8), "encoder")
        assert not torch.backends.mha.get_fastpath_enabled()
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (
            Recurrent,
            (7, 5, 3),
            r"first dimension is the batch, 7 here, got `lstm\[1\]\[0\]` \(2, 7, 4\), "
            r"`lstm\[1\]\[1\]` \(2, 7, 4\)\. Leave them out "
            r'\(add "!lstm\[1\]\[0\]", "!lstm\[1\]\[1\]" to `layers`\)',
        ),
    ],
)
def test_first_dimension_must_be_the_batch(model, shape, message):
    calls = []

    def batches():
        for _ in range(3):
            calls.append(1)
            yield samples(*shape)

    with pytest.raises(ValueError, match=message):
        extract(seeded(model), batches())
    assert len(calls) == 1


def test_pool_can_put_the_batch_first():
    def last_state(output, name):
        return output[-1] if "[1]" in name else output

    acts = extract(seeded(Recurrent), split(samples(7, 5, 3), 4, 3), "lstm", pool=last_state)
    assert [tuple(X.shape) for X in acts.values()] == [(7, 5, 4), (7, 4), (7, 4)]
    torch.testing.assert_close(acts["lstm[0]"][:, -1], acts["lstm[1][0]"])


def test_scalar_output_is_refused():
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean()

    with pytest.raises(ValueError, match=r"got `0` \(\)"):
        extract(nn.Sequential(Mean()), samples(4, 3), pool="flatten")


def test_shape_must_not_change_between_batches():
    batches = [samples(4, 5, 3), samples(4, 6, 3)]
    message = r"same shape for every sample, got `lstm\[0\]` \(6, 4\) in batch 2 after \(5, 4\)"
    with pytest.raises(ValueError, match=message):
        extract(seeded(Recurrent), batches, "lstm[0]")


def test_sparse_output_is_refused():
    class Sparse(nn.Module):
        def forward(self, x):
            return x.to_sparse()

    with pytest.raises(TypeError, match="give dense tensors, got a sparse one from `0`"):
        extract(nn.Sequential(Sparse()), samples(4, 3))
    acts = extract(nn.Sequential(Sparse()), samples(4, 3), pool=lambda x, name: x.to_dense())
    torch.testing.assert_close(acts["0"], samples(4, 3))


@pytest.mark.parametrize("sizes", [(10,), (4, 4, 2), (3, 3, 3, 1), (1, 9), (1,) * 10])
def test_any_batch_sizes_give_the_same(sizes):
    model, x = seeded(ConvNet), samples(10, 3, 7, 7)
    whole, parts = extract(model, x), extract(model, split(x, *sizes))
    assert list(whole) == list(parts)
    torch.testing.assert_close(dict(whole), dict(parts))
    assert whole.digests == parts.digests


def test_empty_batch_is_passed_over():
    acts = extract(seeded(Twice), [samples(0, 3), samples(4, 3), samples(0, 3)], "first")
    assert acts["first"].shape == (4, 3)


def test_nan_is_recorded():
    x = samples(4, 3)
    x[1, 1] = torch.nan
    assert extract(seeded(Twice), x, "first")["first"].isnan().all(1).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("pool", "name", "reference"),
    [
        (None, "none", lambda x: x),
        ("flatten", "flatten", lambda x: x.reshape(len(x), -1)),
        ("gap", "gap", lambda x: x.mean((2, 3)) if x.ndim == 4 else x),
    ],
)
def test_pool(pool, name, reference):
    model, x = seeded(ConvNet), samples(6, 3, 7, 7)
    raw, acts = extract(model, x), extract(model, split(x, 4, 2), pool=pool)
    assert acts.pool == acts.provenance["pool"] == name
    torch.testing.assert_close(dict(acts), {layer: reference(X) for layer, X in raw.items()})


def test_gap_of_a_sequence():
    model = nn.Sequential(nn.Conv1d(3, 4, 1)).eval()
    raw, acts = extract(model, samples(5, 3, 8)), extract(model, samples(5, 3, 8), pool="gap")
    torch.testing.assert_close(acts["0"], raw["0"].mean(2))


def first_pixel(output, layer):
    return output.flatten(1)[:, :1]


def test_pool_callable_is_recorded_by_name():
    acts = extract(seeded(ConvNet), samples(6, 3, 7, 7), pool=first_pixel)
    assert acts.pool.endswith("test_outputs.first_pixel")
    assert {tuple(X.shape) for X in acts.values()} == {(6, 1)}


@pytest.mark.parametrize(
    ("pool", "error", "message"),
    [
        ("max", ValueError, "`pool` must be one of 'flatten', 'gap', .*, got 'max'"),
        (
            lambda x, name: x.tolist(),
            TypeError,
            "`pool` must return a tensor for `first`, got list",
        ),
        (lambda x, name: x.sum(0), ValueError, r"is the batch, 4 here, got `first` \(3,\)"),
    ],
    ids=["unknown", "list", "no batch"],
)
def test_pool_that_does_not_serve(pool, error, message):
    with pytest.raises(error, match=message):
        extract(seeded(Twice), samples(4, 3), "first", pool=pool)


def test_channels_last_maps_come_in_plain_order():
    model = seeded(ConvNet).to(memory_format=torch.channels_last)
    x = samples(4, 3, 7, 7).to(memory_format=torch.channels_last)
    X = extract(model, x, "block1.0")["block1.0"]
    assert X.shape == (4, 4, 5, 5)
    assert X.is_contiguous()


def test_kept_tensor_holds_no_more_memory_than_its_own():
    acts = extract(seeded(ConvNet), samples(6, 3, 7, 7), "block1.0", pool=first_pixel)
    assert acts["block1.0"].untyped_storage().nbytes() == 6 * 4


def test_numbers_agree_with_numpy():
    model, x = seeded(Twice), samples(5, 3)
    weight, bias = (p.detach().numpy() for p in model.first.parameters())
    acts = extract(model, x, "first")
    np.testing.assert_allclose(acts["first"].numpy(), x.numpy() @ weight.T + bias, rtol=1e-5)
