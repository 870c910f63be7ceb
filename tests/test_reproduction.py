"""The pieces of ``make reproduce``: the paper's nets, training that resumes, an honest cache."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from reproduction import data, depth, page, recipes, residual, subspace, training
from reproduction.catalogue import EXPERIMENTS
from reproduction.convolutional import Residual
from reproduction.experiment import rounded
from reproduction.lab import layer_names
from reproduction.recipes import Recipe

from visavis.benchmark import tiny10

DOCS = Path(__file__).parents[1] / "docs"
SMALL = Recipe("tiny", {"width": 2}, images=96, epochs=3, batch_size=32)
NETS = {
    "tiny": SMALL,
    "without batch norm": replace(SMALL, options={"width": 2, "norm": False}, rate=0.01),
    "encoder": Recipe(
        "encoder", {"width": 8, "blocks": 1}, images=64, epochs=3, optimizer="adamw", rate=1e-3
    ),
}


class KilledError(Exception):
    pass


def shapes(net):
    """Channels, kernel, stride and padding of each convolution."""
    return [
        (each.out_channels, each.kernel_size[0], each.stride[0], each.padding[0])
        for each in net.modules()
        if isinstance(each, torch.nn.Conv2d)
    ]


def test_tiny_is_the_network_that_visavis_trains():
    ours, theirs = Recipe("tiny", seed=3).untrained(), tiny10.network(seed=3)
    assert str(ours) == str(theirs)
    for name, weight in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_plain_has_the_layers_of_the_paper(n):
    net = Recipe("plain", {"depth": n}).untrained()
    c, w = 16, 32
    expected = [(c, 3, 1, 1)] * (3 * n - 1) + [(c, 3, 2, 1)]
    expected += [(w, 3, 1, 1)] * (3 * n - 1) + [(w, 3, 2, 1)]
    expected += [(w, 3, 1, 1)] * (n - 1) + [(w, 3, 1, 0)] + [(w, 1, 1, 0)] * n
    assert shapes(net) == expected
    assert len(layer_names(net)) + 1 == 8 * n + 2


def test_resnet_has_two_convolutions_to_a_block_and_6n_plus_2_layers():
    net = Recipe("resnet", {"blocks": 3}).untrained()
    blocks = [each for each in net if isinstance(each, Residual)]
    assert len(blocks) == 9
    assert 1 + 2 * len(blocks) + 1 == 6 * 3 + 2
    assert layer_names(net)[:4] == ["conv1", "block1.inner", "block1", "block2.inner"]


def test_encoder_has_twelve_sublayers():
    net = Recipe("encoder").untrained()
    assert len(layer_names(net)) == 12
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize("recipe", NETS.values(), ids=NETS)
def test_a_training_that_was_killed_ends_in_the_same_weights(recipe, tmp_path):
    training.train(recipe, tmp_path / "whole")
    left = [int(1.5 * training.steps(recipe))]

    def killed():
        left[0] -= 1
        if left[0] < 0:
            raise KilledError

    with pytest.raises(KilledError):
        training.train(recipe, tmp_path / "killed", step=killed)
    assert training.epochs_done(recipe, tmp_path / "killed") == 1
    training.train(recipe, tmp_path / "killed")
    whole, resumed = (
        training.network(recipe, tmp_path / each).state_dict() for each in ("whole", "killed")
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_training_trains_and_is_not_repeated(tmp_path):
    recipe = replace(SMALL, images=2000, options={"width": 4})
    steps = []
    training.train(recipe, tmp_path, step=lambda: steps.append(1))
    assert len(steps) == 3 * training.steps(recipe)
    training.train(recipe, tmp_path, step=lambda: steps.append(1))
    assert len(steps) == 3 * training.steps(recipe)
    images, labels = data.load("fashion").images[:500], data.load("fashion").labels[:500]
    with torch.inference_mode():
        told = training.network(recipe, tmp_path)(training.inputs(images)).argmax(1)
    assert np.mean(told.numpy() == labels) > 0.4


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"rate": 0.05}, {"images": 64}, {"options": {"width": 4}}, {"decay": 0.0}],
    ids=str,
)
def test_a_net_of_other_settings_is_not_taken(other, tmp_path):
    training.train(SMALL, tmp_path)
    assert training.epochs_done(replace(SMALL, **other), tmp_path) == 0


def test_a_folder_that_says_other_settings_is_not_taken(tmp_path):
    training.train(SMALL, tmp_path)
    file = training.folder(SMALL, tmp_path) / "settings.json"
    file.write_text(json.dumps(SMALL.settings() | {"digest": "of other images"}), "utf-8")
    assert training.epochs_done(SMALL, tmp_path) == 0
    steps = []
    training.train(SMALL, tmp_path, step=lambda: steps.append(1))
    assert len(steps) == SMALL.epochs * training.steps(SMALL)


def test_a_result_is_taken_with_the_same_settings_only(tmp_path):
    experiment, plan = EXPERIMENTS["fig8"], recipes.quick()
    settings = experiment.settings(plan, quick=True)
    kept = {"settings": settings, "source": "", "result": {"is": "kept"}}
    (tmp_path / "fig8.json").write_text(json.dumps(kept), "utf-8")
    assert experiment.finished(tmp_path, plan, quick=True) == {"is": "kept"}
    assert experiment.finished(tmp_path, plan, quick=False) is None
    assert experiment.finished(tmp_path, recipes.full(), quick=True) is None


def test_learning_rate_rises_and_falls_to_nothing():
    rates = [training.rate(SMALL, step, 100) for step in range(100)]
    assert max(rates) == pytest.approx(SMALL.rate, rel=1e-3)
    assert np.argmax(rates) == 24
    assert rates[-1] == 0


def test_a_diverging_training_says_so(tmp_path):
    with pytest.raises(FloatingPointError, match="lower its rate"):
        training.train(replace(NETS["without batch norm"], rate=1e20), tmp_path)


def test_the_idx_format(tmp_path, monkeypatch):
    import gzip

    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    pixels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8)
    for name in data.FASHION_FILES:
        images = "images" in name
        shape = (2, 28, 28) if images else (2,)
        head = bytes([0, 0, 8, len(shape)]) + b"".join(d.to_bytes(4, "big") for d in shape)
        content = head + (pixels if images else pixels[:2]).tobytes()
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(content))
    assert data.fashion_folder() == folder
    read = data._fashion()
    assert np.array_equal(read.images.ravel(), pixels)
    assert read.labels.tolist() == [0, 1]


def test_the_shared_subspace_adds_up_to_cka():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 7))
    Y = X @ rng.normal(size=(7, 5)) + rng.normal(size=(40, 5))
    found = {name: np.array(each) for name, each in subspace.shared(X, Y).items()}
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    cka = np.linalg.norm(Yc.T @ Xc) ** 2
    cka /= np.linalg.norm(Xc.T @ Xc) * np.linalg.norm(Yc.T @ Yc)
    assert np.sum(found["eigenvalue"] * found["length"] * found["cosine"]) == pytest.approx(cka)


def test_a_planted_block_of_layers_is_found():
    values = np.full((8, 8), 0.5)
    np.fill_diagonal(values, 1)
    values[2:6, 2:6] = 0.99
    assert depth.block(values) == (2, 6)


def test_blocks_are_compared_within_their_stage():
    import visavis as vv

    names = ["conv1", *(f"block{k}{end}" for k in range(1, 7) for end in (".inner", "")), "gap"]
    X = {name: np.random.default_rng(k).normal(size=(9, 2)) for k, name in enumerate(names)}
    own = vv.compare(X, names=("net", "net"), level=None, progress=False)
    at = {name: k for k, name in enumerate(names)}
    pairs = [("block1", "block2"), ("block3", "block4"), ("block5", "block6")]
    same = np.mean([own.values[at[a], at[b]] for a, b in pairs])
    between = np.mean([own.values[at[f"{b}.inner"], at[b]] for _, b in pairs])
    assert residual.apart(own) == pytest.approx((same, between))


def test_what_is_kept_has_few_digits_and_no_nan():
    assert rounded({1: [1 / 3, float("nan"), 2], "a": "b"}) == {"1": [0.33333, None, 2], "a": "b"}


def test_the_page_says_what_the_results_say():
    written = DOCS / "reproduction.md"
    text = page.text(written, DOCS / "reproduction", recipes.full(), quick=False)
    assert written.read_text("utf-8") == text, "run `make reproduce`"


def test_a_small_run_from_the_command_line(tmp_path, monkeypatch):
    from reproduction.__main__ import main

    plan = recipes.quick()
    nets = [replace(SMALL, options={"width": w}, seed=s) for w in (2, 4) for s in (0, 1)]
    monkeypatch.setattr(recipes, "quick", lambda: replace(plan, widths=nets))
    arguments = ["--quick", "--only", "fig6", "--cache", str(tmp_path)]
    main(arguments)
    told = (tmp_path / "quick.md").read_text("utf-8")
    assert "Wider networks are more like another of their width." in told
    assert (tmp_path / "quick" / "fig6.png").is_file()
    result = (tmp_path / "results" / "quick" / "fig6.json").stat().st_mtime_ns
    main(arguments)  # only draws again
    assert (tmp_path / "results" / "quick" / "fig6.json").stat().st_mtime_ns == result
    assert (tmp_path / "quick.md").read_text("utf-8") == told
