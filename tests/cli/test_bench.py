"""``visavis bench``: which measures find the same layer in another net, as Python says it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from tests.benchmark.nets import nets, turned

import visavis as vv
from visavis.benchmark import MEASURES, LayerCorrespondence, NearestLayers, layer_correspondence

FACTORIES = """
import torch
from torch import nn

def net(seed, depth=2):
    torch.manual_seed(seed)
    hidden = [each for _ in range(depth) for each in (nn.Linear(6, 6), nn.Tanh())]
    return nn.Sequential(*hidden, nn.Linear(6, 3)).eval()

def seed0(): return net(0)
def seed1(): return net(1)
def seed2(): return net(2)
def deep(): return net(3, depth=4)

def loader():
    return list(torch.randn(60, 6, generator=torch.Generator().manual_seed(0)).split(20))
"""


@pytest.fixture
def files(tmp_path):
    """Three nets, as seed0.npz to seed2.npz."""
    paths = []
    for name, layers in nets(3, noise=3, seed=2).items():
        paths.append(tmp_path / f"{name}.npz")
        np.savez(paths[-1], **layers)
    return paths


@pytest.fixture
def factories(tmp_path, monkeypatch):
    """The folder with models and data that a command line can name."""
    (tmp_path / "small.py").write_text(FACTORIES, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def machine(result):
    """The one JSON document on standard output; NaN and Infinity are no JSON."""

    def refuse(token):
        pytest.fail(f"{token} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)


def told(message):
    """What a refusal says, without its frame and line breaks."""
    return " ".join(message.replace("│", " ").split())


def cells(result):
    """The rows of the tables on standard output."""
    return [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in result.stdout.splitlines()
        if line.startswith("│")
    ]


# What is printed.


def test_table(run, files):
    result = run("bench", *files, "-m", "cka", "-m", "procrustes")
    assert (result.exit_code, result.stderr) == (0, "")
    expected = layer_correspondence(files, measures=["cka", "procrustes"])
    assert result.stdout.splitlines()[0].strip() == expected.heading
    assert [tuple(row) for row in cells(result)] == expected.rows()
    assert all(note in result.stdout for note in expected.notes)


def test_the_measures_of_the_paper_without_any(run, files):
    result = run("bench", *files)
    assert result.exit_code == 0
    assert [row[0] for row in cells(result)] == list(MEASURES)
    # One line says of which measures the chance level is high.
    assert result.stdout.count("VV003") == 1
    assert "would score above 0.1 by CCA (R²), " in result.stdout


def test_json_is_one_document_that_says_what_python_says(run, files):
    result = run("bench", *files, "-m", "cka", "-m", "linear_regression", "--json")
    expected = layer_correspondence(files, measures=["cka", "linear_regression"])
    found = LayerCorrespondence.from_dict(machine(result)["layer_correspondence"])
    assert str(found) == str(expected)
    assert [each.won.tolist() for each in found.values()] == [
        each.won.tolist() for each in expected.values()
    ]


def test_layers_are_those_asked_for(run, files):
    options = ("-m", "cka", "--layers", "!fc", "--layers", "!conv2", "--json")
    data = machine(run("bench", *files, *options))
    found = LayerCorrespondence.from_dict(data["layer_correspondence"])
    assert found.layers == ("conv1", "conv3")


@pytest.mark.parametrize("name", ["[red]x[/red]", "$x_1$", "<b>"])
def test_names_are_shown_as_they_are(run, tmp_path, name):
    name = name.replace("/", "|")
    for seed, each in nets(2).items():
        layers = {name: each["fc"], "other": each["conv1"]}
        np.savez(tmp_path / f"{name} {seed}.npz", **layers)
    result = run("bench", *tmp_path.glob("*.npz"), "-m", "cka")
    assert result.exit_code == 0
    assert f"({name} ... other)" in result.stdout


# Nets of different architectures.


@pytest.fixture
def deeper(files, tmp_path):
    """A net that has each layer of the first one twice."""
    random = np.random.default_rng(0)
    layers = dict(np.load(files[0])).items()
    twice = [turned(X, random) for _, X in layers for _ in range(2)]
    path = tmp_path / "deep.npz"
    np.savez(path, **{f"block{k}": X for k, X in enumerate(twice)})
    return path


def test_nets_of_different_architectures_get_nearest_layers(run, files, deeper):
    result = run("bench", files[0], deeper)
    assert result.exit_code == 0
    assert "layers of different names ('conv1' in 'seed0' and not in 'deep')" in result.stdout
    rows = cells(result)
    assert ["deep → seed0", "0.98", "4 of 4"] in rows
    assert any(row[:4] == ["block2", "0.38", "conv2", "0.50"] for row in rows)


def test_nearest_layers_as_json_and_by_a_measure(run, files, deeper):
    result = run("bench", files[0], deeper, "-m", "procrustes", "--json")
    found = NearestLayers.from_dict(machine(result)["nearest_layers"])
    expected = vv.benchmark.nearest_layers([files[0], deeper], measure="procrustes")
    assert str(found) == str(expected)


def test_layers_of_one_name_are_sought_if_only_these_are_asked_for(run, files, tmp_path):
    more = tmp_path / "more.npz"
    np.savez(more, **dict(np.load(files[1])), logits=np.random.default_rng(0).normal(size=(60, 3)))
    assert "nearest layers instead" in run("bench", files[0], more, "-m", "cka").stdout
    result = run("bench", files[0], more, "-m", "cka", "-l", "!logits")
    assert result.stdout.startswith("Layers found again")


def test_many_maps_are_not_printed(run, files, tmp_path):
    # Four nets are twelve maps.
    for name in ("p", "q"):
        np.savez(
            tmp_path / f"{name}.npz", **{f"{name}{k}": X for k, X in np.load(files[0]).items()}
        )
    result = run("bench", *files[:2], tmp_path / "p.npz", tmp_path / "q.npz")
    assert len(cells(result)) == 12


def test_several_measures_of_different_architectures_are_refused(refused, files, deeper):
    message = told(refused("bench", files[0], deeper, "-m", "cka", "-m", "cca"))
    assert "layers of different names" in message
    assert "give one measure" in message


# Models.


def test_models_run_on_data(run, factories):
    models = [f"small.py:seed{k}" for k in range(3)]
    result = run("bench", *models, "--data", "small.py:loader", "-m", "cka", "--json")
    assert result.exit_code == 0
    found = LayerCorrespondence.from_dict(machine(result)["layer_correspondence"])
    assert found.nets == ("small.py:seed0", "small.py:seed1", "small.py:seed2")
    assert (found.layers, found.n) == (("0", "1", "2", "3", "4"), 60)


def test_models_of_different_depth(run, factories):
    models = ("small.py:seed0", "small.py:deep", "--data", "small.py:loader")
    result = run("bench", *models, "--layers", "!0")
    assert result.exit_code == 0
    assert "small.py:deep → small.py:seed0" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pool", "gap"], "--pool: comes with models and --data"),
        (["--tokenizer", "x"], "--tokenizer: comes with models and --data"),
        (["--data", "small.py:loader", "--ids", "id"], "--ids: is of files"),
        (["--data", "nowhere.npz"], "nowhere.npz"),
        (["--data", "words.txt"], "--tokenizer: texts need one tokenizer for all models"),
    ],
)
def test_options_of_models_that_are_refused(refused, factories, options, message):
    Path("words.txt").write_text("one\ntwo\n", "utf-8")
    models = ("small.py:seed0", "small.py:seed1")
    assert message in told(refused("bench", *models, *options)).replace("'", "")


# Findings, exit codes, what cannot be carried out.


@pytest.fixture
def dead(tmp_path, files):
    """The nets, and one more with a dead layer."""
    layers = dict(np.load(files[0])) | {"conv2": np.ones((60, 3))}
    np.savez(tmp_path / "dead.npz", **layers)
    return [*files, tmp_path / "dead.npz"]


def test_exit_code_1_where_a_value_is_missing(run, dead):
    result = run("bench", *dead, "-m", "cka")
    assert result.exit_code == 1
    assert "VV006 constant, dead or never-executed layer: Layer dead/conv2 must" in result.stdout
    [row] = cells(result)
    assert row[-1] == "6"  # of conv2: to and from three nets
    assert run("bench", *dead, "-m", "cka", "--layers", "!conv2").exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-m", "ckaa"], "visavis: compare: `measure` must name a measure, got 'ckaa'."),
        (["--align", "outer"], "visavis: compare: `align` must be one of 'strict', 'inner'"),
        (["--silence", "VV999"], "visavis: silence: `codes` must be one of 'VV001',"),
        (["--layers", "conf1"], "visavis: bench: `layers` must name or match one of the 4 layers"),
        (["--layers", "fc"], "visavis: bench: `runs` must have two layers or more, got 'fc' alone"),
        (["--memory", "lots"], "visavis: compare: `memory` must be"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_are_refused(refused, files, options, message):
    assert refused("bench", *files, *options).startswith(message)


@pytest.mark.parametrize("count", [1, 4])
def test_one_run_or_the_same_twice_is_refused(refused, files, count):
    given = [*files, files[0]][:count]
    assert "name two runs or more, each once" in told(refused("bench", *given))


def test_files_that_are_refused(refused, files, tmp_path):
    assert "nowhere.npz must be a file" in refused("bench", files[0], "nowhere.npz")
    np.savez(tmp_path / "few.npz", **{k: X[:50] for k, X in np.load(files[0]).items()})
    message = refused("bench", *files, tmp_path / "few.npz")
    assert "`seed0` and `few` must describe the same samples" in message


def test_joined_by_id(run, refused, tmp_path):
    rows = [np.arange(50), np.arange(59, 9, -1), np.arange(0, 60, 2)]
    paths = []
    for (name, layers), kept in zip(nets(3).items(), rows, strict=True):
        paths.append(tmp_path / f"{name}.npz")
        np.savez(paths[-1], image=kept, **{k: X[kept] for k, X in layers.items()})
    assert "must have the same ids" in refused("bench", *paths, "--ids", "image")
    options = ("--ids", "image", "--align", "inner", "-m", "cka")
    assert "20 samples" in run("bench", *paths, *options).stdout
    assert "VV002" not in run("bench", *paths, *options, "--silence", "VV002").stdout


# How it is computed.


def test_a_plan_stops_there(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("it went on"))
    result = run("bench", *files, "--plan", "--out", tmp_path / "r.html")
    assert result.exit_code == 0
    assert "78 pairs" in result.stdout
    assert not (tmp_path / "r.html").exists()


def test_kept_parts_are_used_again(run, files, tmp_path, monkeypatch):
    options = ("-m", "cka", "--checkpoint", tmp_path / "kept", "--memory", "20MB", "--json")
    first = run("bench", *files, *options)
    assert list((tmp_path / "kept").iterdir())
    for name in ("visavis.pairs.blocks._block", "visavis.pairs.sweep._add"):
        monkeypatch.setattr(name, lambda *_: pytest.fail("computed again"))
    assert machine(run("bench", *files, *options)) == machine(first)


# --out.


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("r.html", b"<!DOCTYPE html>"),
        ("r.json", b'{\n "visavis": "layer-correspondence"'),
        ("r.png", b"\x89PNG"),
        ("r.svg", b"<?xml"),
        ("r.pdf", b"%PDF"),
    ],
)
def test_out(run, files, tmp_path, name, start):
    out = tmp_path / name
    result = run("bench", *files, "-m", "cka", "-m", "pwcca", "--out", out)
    plt.close("all")
    assert result.exit_code == 0
    assert result.stderr == f"written: {out}\n"
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["n.html", "n.json", "n.png"])
def test_out_of_different_architectures(run, files, deeper, tmp_path, name):
    assert run("bench", files[0], deeper, "--out", tmp_path / name).exit_code == 0
    plt.close("all")
    assert (tmp_path / name).stat().st_size > 500


def test_out_is_read_back(run, files, tmp_path):
    run("bench", *files, "-m", "cka", "-o", tmp_path / "r.json")
    again = LayerCorrespondence.load(tmp_path / "r.json")
    assert str(again) == str(layer_correspondence(files, measures=["cka"]))


def test_out_is_written_where_a_value_is_missing(run, dead, tmp_path):
    assert run("bench", *dead, "-m", "cka", "--out", tmp_path / "r.html").exit_code == 1
    assert "missing" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["r.xlsx", "r", "new/r.html"])
def test_out_that_is_refused_before_any_work(refused, tmp_path, name):
    # The files to compare are not there: nothing was looked at yet.
    message = told(refused("bench", "nowhere.npz", "no.npz", "--out", tmp_path / name))
    assert "must end in one of" in message or "does not exist" in message


# The whole way.


def test_three_stores_made_by_the_command_line(factories):
    def visavis(*arguments):
        command = [sys.executable, "-m", "visavis.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    for k in range(3):
        data = ("--data", "small.py:loader", "--out", f"runs/seed{k}")
        visavis("extract", f"small.py:seed{k}", *data, "--quiet")
    done = visavis("bench", *(f"runs/seed{k}" for k in range(3)), "--layers", "!4", "--json")
    assert done.stderr == ""
    found = LayerCorrespondence.from_dict(machine(done)["layer_correspondence"])
    assert (found.nets, found.layers) == (("seed0", "seed1", "seed2"), ("0", "1", "2", "3"))
    assert list(found) == list(MEASURES)
    expected = layer_correspondence([f"runs/seed{k}" for k in range(3)], layers="!4")
    assert str(found) == str(expected)
