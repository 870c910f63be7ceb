"""Shortcuts, wrong labels and noise: what the data say afterwards, and what is refused."""

import numpy as np
import pytest

from visavis.benchmark.grounding import with_label_noise, with_noise, with_shortcut

IMAGES = np.random.default_rng(0).integers(0, 256, (2000, 12, 12), dtype=np.uint8)
LABELS = np.arange(2000) % 10


def read(images, digits):
    """The class that the mark of each image names."""
    cells = images[:, 0, : 2 * digits : 2]
    return ((cells == 255) * 2 ** np.arange(digits)[::-1]).sum(1) - 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mark_tells_the_class_of_a_share_and_otherwise_nothing(share):
    marked = with_shortcut(IMAGES, LABELS, share=share, seed=0)
    told = read(marked, 4)
    assert ((told >= 0) & (told < 10)).all()
    assert np.mean(told == LABELS) == pytest.approx(share + (1 - share) / 10, abs=0.03)
    wrong = told[told != LABELS]
    assert share == 1.0 or np.ptp(np.bincount(wrong, minlength=10)) < 0.8 * len(wrong) / 10


def test_a_mark_is_in_its_corner_only_and_the_images_are_left_alone():
    before = IMAGES.copy()
    marked = with_shortcut(IMAGES, LABELS, share=0.5, seed=0)
    np.testing.assert_array_equal(IMAGES, before)
    assert set(np.unique(marked[:, :2, :8])) == {0, 255}
    np.testing.assert_array_equal(marked[:, 0, :8], marked[:, 1, :8])
    np.testing.assert_array_equal(marked[:, 0, 0:8:2], marked[:, 0, 1:8:2])
    np.testing.assert_array_equal(marked[:, 2:], IMAGES[:, 2:])
    np.testing.assert_array_equal(marked[:, :, 8:], IMAGES[:, :, 8:])


def test_colour_images_are_marked_in_every_channel():
    colour = np.stack([IMAGES[:50]] * 3, axis=-1)
    marked = with_shortcut(colour, LABELS[:50], share=1.0, seed=0)
    for channel in range(3):
        np.testing.assert_array_equal(
            marked[..., channel], with_shortcut(IMAGES[:50], LABELS[:50], share=1.0, seed=0)
        )


@pytest.mark.parametrize("classes", [1, 2, 3, 7, 8])
def test_every_class_has_a_mark_of_its_own_and_none_is_black(classes):
    labels = np.arange(classes)
    marked = with_shortcut(IMAGES[:classes], labels, share=1.0, seed=0)
    digits = int(np.ceil(np.log2(classes + 1)))
    np.testing.assert_array_equal(read(marked, digits), labels)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_share_of_the_labels_is_drawn_from_all_classes(share):
    labels = np.arange(20000) % 10
    noisy = with_label_noise(labels.astype(np.uint8), share=share, seed=0)
    assert noisy.dtype == np.uint8
    assert np.mean(noisy == labels) == pytest.approx(1 - share + share / 10, abs=0.01)
    moved = noisy[noisy != labels]
    assert share == 0 or np.ptp(np.bincount(moved, minlength=10)) < 0.2 * len(moved) / 10
    assert np.mean(noisy != labels) <= share


def test_noise_has_the_strength_that_was_asked_for_and_stays_in_range():
    grey = np.full((20, 100, 100), 128, np.uint8)
    noisy = with_noise(grey, strength=0.1, seed=0)
    assert noisy.dtype == np.uint8
    assert noisy.std() == pytest.approx(25.5, rel=0.01)
    assert noisy.mean() == pytest.approx(128, abs=0.2)
    assert len(np.unique(noisy[0] == noisy[1])) == 2
    extreme = with_noise(np.array([[[0, 255]]], np.uint8).repeat(500, 0), strength=5, seed=0)
    assert set(np.unique(extreme)) >= {0, 255}
    np.testing.assert_array_equal(with_noise(grey, strength=0, seed=0), grey)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: with_shortcut(IMAGES, LABELS, share=0.5, seed=seed),
        lambda seed: with_label_noise(LABELS, share=0.5, seed=seed),
        lambda seed: with_noise(IMAGES, strength=0.2, seed=seed),
    ],
)
def test_the_seed_decides(make):
    np.testing.assert_array_equal(make(3), make(3))
    np.testing.assert_array_equal(make(3), make(np.random.default_rng(3)))
    assert (make(3) != make(4)).any()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: with_shortcut(IMAGES / 1.0, LABELS, share=1, seed=0), r"of uint8, got shape"),
        (lambda: with_shortcut(IMAGES[0], LABELS, share=1, seed=0), r"\(n, height, width\)"),
        (lambda: with_shortcut(IMAGES, LABELS[:3], share=1, seed=0), r"each of the 2000 images"),
        (lambda: with_shortcut(IMAGES, LABELS, share=1.5, seed=0), r"`share` must lie between"),
        (lambda: with_shortcut(IMAGES, LABELS, share=True, seed=0), r"`share` must lie between"),
        (lambda: with_shortcut(IMAGES[:, :, :7], LABELS, share=1, seed=0), r"2 × 8 pixels or more"),
        (lambda: with_shortcut(IMAGES, LABELS, share=1, seed=0, classes=5), r"from 0 to 4, got 0"),
        (lambda: with_label_noise(LABELS - 1, share=1, seed=0), r"counted from 0.*got -1 to 8"),
        (lambda: with_label_noise(LABELS / 1.0, share=1, seed=0), r"of whole numbers"),
        (lambda: with_label_noise(LABELS[:0], share=1, seed=0), r"be one or more.*got none"),
        (lambda: with_label_noise(LABELS, share=-0.1, seed=0), r"`share` must lie between"),
        (
            lambda: with_label_noise(LABELS, share=0, seed=0, classes=0),
            r"`classes` must be a whole",
        ),
        (lambda: with_noise(IMAGES / 1.0, strength=1, seed=0), r"be a NumPy array of uint8"),
        (lambda: with_noise(IMAGES, strength=-1, seed=0), r"`strength` must be zero or more"),
        (lambda: with_noise(IMAGES, strength=np.nan, seed=0), r"`strength` must be zero or more"),
    ],
)
def test_refusals_of_variants(call, match):
    with pytest.raises(ValueError, match=match):
        call()
