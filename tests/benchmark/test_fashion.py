"""The images that come with the package."""

import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from visavis.benchmark import fashion


@pytest.fixture(scope="module")
def images():
    return fashion.load()


@pytest.mark.parametrize(("part", "per_class"), [("train", 600), ("test", 100)])
def test_images_and_labels(images, part, per_class):
    pixels, labels = getattr(images, f"{part}_images"), getattr(images, f"{part}_labels")
    assert pixels.shape == (10 * per_class, 28, 28)
    assert pixels.dtype == labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [per_class] * len(fashion.CLASSES)
    assert pixels.min() == 0
    assert pixels.max() == 255


def test_no_image_is_held_out_and_trained_on(images):
    train = {image.tobytes() for image in images.train_images}
    assert not train & {image.tobytes() for image in images.test_images}


def test_classes_are_mixed_so_that_any_slice_is_a_sample(images):
    assert len(set(images.train_labels[:100].tolist())) == len(fashion.CLASSES)
    assert len(set(images.test_labels[:100].tolist())) == len(fashion.CLASSES)


def test_labels_belong_to_the_images(images):
    # The nearest mean image of a class tells the class of two images in three; by chance, of one
    # in ten.
    means = np.stack([images.train_images[images.train_labels == k].mean(0) for k in range(10)])
    distances = ((images.test_images[:, None] - means) ** 2).sum((2, 3))
    assert np.mean(distances.argmin(1) == images.test_labels) > 0.6


def test_a_trouser_is_narrower_than_a_bag(images):
    def width(name):
        chosen = images.train_labels == fashion.CLASSES.index(name)
        return (images.train_images[chosen].mean(axis=(0, 1)) > 25).sum()

    assert width("Trouser") < width("Bag")


def test_licence_and_origin_lie_beside_the_data():
    text = resources.files("visavis.benchmark").joinpath("data/LICENSE-fashion-mnist.txt")
    licence = text.read_text(encoding="utf-8")
    assert "The MIT License (MIT) Copyright © 2017 Zalando SE" in licence
    assert "https://github.com/zalandoresearch/fashion-mnist" in licence


def test_data_is_small_enough_to_ship():
    size = len(resources.files("visavis.benchmark").joinpath("data/fashion-mnist.npz").read_bytes())
    assert size < 4_000_000


def test_import_of_the_benchmark_loads_no_framework():
    code = (
        "import sys, visavis.benchmark as b; b.fashion.load(); print('torch' in sys.modules, "
        "'jax' in sys.modules, 'matplotlib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"] * 3
