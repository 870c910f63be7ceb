"""Tiny-10: its architecture, and training that repeats."""

import numpy as np
import pytest
import torch
from torch import nn

from visavis.benchmark import fashion, tiny10

IMAGES = fashion.load()


def outputs(model, x):
    """The output of each child of the model, by name."""
    seen = {}
    for name, layer in model.named_children():
        x = layer(x)
        seen[name] = x
    return seen


def few(n=120, classes=10):
    chosen = IMAGES.train_labels < classes
    return IMAGES.train_images[chosen][:n], IMAGES.train_labels[chosen][:n]


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


# Table of the paper for 32 × 32 images, here from 28 × 28: (channels, side) of each output.
SHAPES = {
    "conv1": (16, 28, 28),
    "conv2": (16, 28, 28),
    "conv3": (32, 14, 14),
    "conv4": (32, 14, 14),
    "conv5": (32, 14, 14),
    "conv6": (64, 7, 7),
    "conv7": (64, 5, 5),
    "conv8": (64, 5, 5),
    "gap": (64,),
    "logits": (10,),
}
KERNELS = {f"conv{i}": 3 for i in range(1, 8)} | {"conv8": 1}


@pytest.fixture(scope="module")
def untrained():
    return tiny10.network(seed=0)


@pytest.mark.parametrize("name", SHAPES)
def test_layers_have_the_shapes_of_the_paper(untrained, name):
    seen = outputs(untrained, tiny10.inputs(IMAGES.test_images[:2]))
    assert tuple(seen[name].shape[1:]) == SHAPES[name]
    assert list(seen) == list(SHAPES)


@pytest.mark.parametrize("name", KERNELS)
def test_a_block_is_convolution_batch_norm_relu(untrained, name):
    conv, norm, relu = untrained.get_submodule(name).children()
    assert isinstance(conv, nn.Conv2d)
    assert conv.kernel_size == (KERNELS[name],) * 2
    assert conv.bias is None
    assert isinstance(norm, nn.BatchNorm2d)
    assert isinstance(relu, nn.ReLU)


def test_the_compared_layers_are_all_but_the_logits_and_follow_their_relu(untrained):
    assert list(tiny10.LAYERS) == list(SHAPES)[:-1]
    seen = outputs(untrained, tiny10.inputs(IMAGES.test_images[:20]))
    assert all(seen[name].min() >= 0 for name in tiny10.LAYERS)
    assert seen["logits"].min() < 0


def test_seed_decides_the_weights_and_leaves_the_global_generator():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = (tiny10.network(seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


def test_training_repeats_and_leaves_the_global_generator():
    images, labels = few()
    before = torch.random.get_rng_state()
    one, same, other = (
        tiny10.train(images, labels, seed=seed, epochs=2, batch_size=32) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), weights(tiny10.network(seed=1)))


def test_training_learns_classes_and_returns_a_model_that_is_ready_to_use():
    images, labels = few(300, classes=2)  # T-shirts and trousers
    model = tiny10.train(images, labels, seed=0, epochs=4, batch_size=32)
    assert not any(module.training for module in model.modules())
    assert model.get_submodule("logits").out_features == 2
    held_out = IMAGES.test_labels < 2
    found = tiny10.accuracy(model, IMAGES.test_images[held_out], IMAGES.test_labels[held_out])
    assert found > 0.8


def test_accuracy_is_the_part_that_is_classified_as_labelled():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.eye(10)[[3]].expand(len(x), -1)

    assert tiny10.accuracy(Constant(), IMAGES.test_images, IMAGES.test_labels) == 0.1


def test_progress_is_told_after_every_step_the_last_short_one_included():
    images, labels = few(100)
    told = []
    tiny10.train(
        images, labels, seed=0, epochs=2, batch_size=32, progress=lambda *step: told.append(step)
    )
    assert told == [(done, 8) for done in range(1, 9)]
    assert tiny10.steps(2, images=100, batch_size=32) == 8


def test_inputs_are_between_zero_and_one_with_a_channel():
    x = tiny10.inputs(IMAGES.test_images[:3])
    assert x.shape == (3, 1, 28, 28)
    assert x.dtype == torch.float32
    np.testing.assert_allclose(x.numpy()[:, 0] * 255, IMAGES.test_images[:3], rtol=1e-6)


@pytest.mark.parametrize(
    ("images", "match"),
    [
        (IMAGES.test_images[0], r"`images` must be grey images .*got shape \(28, 28\) of uint8"),
        (IMAGES.test_images[:2].astype(float), r"got shape \(2, 28, 28\) of float64"),
    ],
)
def test_images_must_be_grey_bytes(images, match):
    with pytest.raises(ValueError, match=match):
        tiny10.inputs(images)


def test_every_image_needs_a_label():
    with pytest.raises(ValueError, match=r"`images` and `labels` must belong together, got 3 and"):
        tiny10.train(IMAGES.test_images[:3], IMAGES.test_labels[:2], seed=0)
