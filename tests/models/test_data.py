"""Images from a folder, and the grammar by which data and models are named in text."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import visavis as vv
from visavis.models import grammar, images


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cats").mkdir()
    random = np.random.default_rng(0)
    for name, shape in {"b.png": (8, 12), "cats/é.jpg": (9, 9), "a.bmp": (20, 6)}.items():
        pixels = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_images_come_in_the_order_of_their_paths(folder):
    batches = list(images(folder, size=6, batch_size=2))
    assert [ids for _, ids in batches] == [["a.bmp", "b.png"], ["cats/é.jpg"]]
    assert [pixels.shape for pixels, _ in batches] == [(2, 3, 6, 6), (1, 3, 6, 6)]
    assert {str(pixels.dtype) for pixels, _ in batches} == {"float32"}


@pytest.mark.parametrize(
    ("mode", "value"), [("RGB", (255, 0, 51)), ("L", 51), ("RGBA", (9, 9, 9, 1))]
)
def test_values_are_those_of_the_file(mode, value, tmp_path):
    Image.new(mode, (5, 5), value).save(tmp_path / "one.png")
    [(pixels, _)] = images(tmp_path, size=5, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 2.0))
    colour = np.array((value,) * 3 if mode == "L" else value[:3]) / 255
    expected = (colour - [0.5, 0.25, 0.0]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(pixels[0, :, 2, 3], expected, atol=1e-6)


def test_the_middle_square_of_an_image_is_taken(tmp_path):
    pixels = np.zeros((4, 12, 3), np.uint8)
    pixels[:, 4:8] = 255
    Image.fromarray(pixels).save(tmp_path / "one.png")
    [(square, _)] = images(tmp_path, size=4, mean=(0, 0, 0), std=(1, 1, 1))
    np.testing.assert_array_equal(square, 1)


def test_a_folder_without_images(tmp_path):
    with pytest.raises(ValueError, match=r"must hold images .*, got none in"):
        images(tmp_path)


def test_a_damaged_image(folder):
    (folder / "c.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(ValueError, match=r"c\.png cannot be read as an image"):
        list(images(folder, size=6))


def sampled(text, **options):
    def none():
        raise AssertionError("no tokenizer is needed")

    return grammar.samples(str(text), tokenizer=none, **{"batch_size": 2, **options})


def test_a_folder_of_images_as_data(folder):
    samples = sampled(folder, image_size=4)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 2))
    acts = vv.extract(model, samples.loader, ids=samples.ids)
    assert (samples.n, acts.ids) == (3, ("a.bmp", "b.png", "cats/é.jpg"))


def test_one_array_is_the_input(tmp_path):
    np.savez(tmp_path / "x.npz", image=np.ones((5, 3), "f4"), ids=np.array(list("abcde")))
    samples = sampled(tmp_path / "x.npz")
    acts = vv.extract(torch.nn.Sequential(torch.nn.Linear(3, 2)), samples.loader, ids=samples.ids)
    assert (samples.n, acts.ids) == (5, tuple("abcde"))


def test_several_arrays_are_arguments_by_name(tmp_path):
    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Identity()

        def forward(self, left, right):
            return self.inner(left + right)

    np.savez(tmp_path / "x.npz", left=np.ones((5, 3)), right=np.full((5, 3), 2.0))
    acts = vv.extract(Both(), sampled(tmp_path / "x.npz").loader)
    np.testing.assert_array_equal(acts["inner"], 3)


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "def loader(): return DataLoader(TensorDataset(torch.ones(7, 3)), batch_size=2)\n"
        "def array(): return torch.ones(7, 3)\n"
        "def stream(): return (torch.ones(2, 3) for _ in range(3))\n"
        "def parts(): return {'x': torch.ones(7, 3)}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "n"), [("loader", 7), ("array", 7), ("stream", None), ("parts", 7)]
)
def test_a_factory_of_a_loader(name, n, project):
    assert sampled(f"{project / 'mine.py'}:{name}").n == n


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("nothing", ValueError, "`DATA` must be an array file, a .txt"),
        ("no.txt", FileNotFoundError, "there is no file no.txt"),
        ("no.npz", FileNotFoundError, "no.npz"),
        ("no/such.py:loader", FileNotFoundError, "no file"),
    ],
)
def test_data_that_is_none(text, error, message):
    with pytest.raises(error, match=message):
        sampled(text)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("no.onnx", FileNotFoundError, "there is no file no.onnx"),
        ("timm:resnet18", ImportError, "timm"),
        ("resnet18", ValueError, "`MODEL` must be"),
    ],
)
def test_models_that_are_none(text, error, message):
    with pytest.raises(error, match=message):
        grammar.model(text)


def test_a_model_with_the_interface_of_timm(monkeypatch):
    # timm needs torchvision, which is not always there: what is asked of it is this one call.
    import sys
    import types

    made = torch.nn.Sequential(torch.nn.Linear(3, 2))
    fake = types.ModuleType("timm")
    fake.create_model = lambda name, *, pretrained: made if (name, pretrained) == ("x", True) else 0
    monkeypatch.setitem(sys.modules, "timm", fake)
    monkeypatch.setattr(grammar, "require", lambda *args, **options: None)
    assert grammar.model("timm:x") is made


def test_loaders_of_other_sizes_have_no_number_of_samples():
    loader = DataLoader(TensorDataset(torch.ones(7, 3)), batch_size=2)
    assert len(loader.dataset) == 7
