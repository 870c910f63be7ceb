"""Streaming: what extraction gives, batch by batch."""

import pytest
import torch
from tests.models.nets import Twice, samples, seeded

import visavis as vv


def test_batches_together_are_the_extraction():
    x = samples(10, 3)
    parts = list(vv.stream(seeded(Twice), x.split([4, 5, 1])))
    whole = vv.extract(seeded(Twice), x)
    assert [part.n for part in parts] == [4, 5, 1]
    for name in whole:
        torch.testing.assert_close(torch.cat([part[name] for part in parts]), whole[name])
    assert tuple(d for part in parts for d in part.digests) == whole.digests


def test_several_models_and_ids():
    models = {"a": seeded(Twice), "b": seeded(Twice)}
    batches = [{"x": samples(2, 3), "id": ["p", "q"]}, {"x": samples(1, 3), "id": ["r"]}]
    parts = list(vv.stream(models, batches, ids="id"))
    assert [part["b"].ids for part in parts] == [("p", "q"), ("r",)]


def test_moments_of_a_stream():
    x = samples(30, 3)
    model = seeded(Twice)
    names = list(vv.extract(model, x))[:2]
    state = vv.Moments.empty()
    for part in vv.stream(model, x, pool="flatten", batch_size=7):
        state = state.update(*(part[name] for name in names))
    whole = vv.extract(model, x, pool="flatten")
    X, Y = (whole[name] for name in names)
    assert float(state.cka()) == pytest.approx(float(vv.cka(X, Y)), rel=1e-5)


def test_the_model_is_left_as_it_was_when_a_stream_is_abandoned():
    model = seeded(Twice).train()
    next(iter(vv.stream(model, samples(10, 3), batch_size=2)))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_ids_by_position_have_no_place_for_a_batch():
    with pytest.raises(TypeError, match=r"stream: `ids` must be a key of the batch .* got a list"):
        next(vv.stream(seeded(Twice), samples(3, 3), ids=[1, 2, 3]))
