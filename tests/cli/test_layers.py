"""``visavis layers``: of a model that a factory makes, or of a file."""

import json
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

NET = '''
"""A model and several ways to get at it."""
from torch import nn

SIZE = 3


def build():
    return nn.Sequential(nn.Linear(SIZE, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))


def needs(size):
    return nn.Linear(size, 4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)


net = build()
'''
SEQUENTIAL = [
    {"layer": "0", "type": "Linear"},
    {"layer": "1", "type": "ReLU"},
    {"layer": "2", "type": "Sequential"},
    {"layer": "2.0", "type": "Linear"},
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a model in a file and in a package, which is the working directory."""
    (tmp_path / "net.py").write_text(NET)
    package = tmp_path / "visavis_test_project"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(NET)
    (package / "broken.py").write_text("import not_there_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("visavis_test_project"):
            del sys.modules[name]


@pytest.mark.parametrize(
    "source", ["net.py:build", "net.py:net", "visavis_test_project.nets:build"]
)
def test_layers_of_a_model(run, project, source):
    result = run("layers", source, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == SEQUENTIAL


def test_layers_of_a_class(run, project):
    lines = json.loads(run("layers", f"{project / 'net.py'}:Net", "--json").stdout)
    assert lines == [{"layer": "conv", "type": "Conv2d"}]


def test_table_of_a_model(run, project):
    result = run("layers", "net.py:build")
    assert result.exit_code == 0
    rows = [line.strip("│").split("│") for line in result.stdout.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        list(each.values()) for each in SEQUENTIAL
    ]
    assert result.stdout.startswith("net.py:build")


FACTORIES = {
    "net.py": (
        "visavis: model: `MODEL` must be path/to/file.py:factory or package.module:factory, got "
        "'net.py'. The factory is a function without arguments that returns the model."
    ),
    "net.py:": "got 'net.py:'. The factory is a function",
    ":build": "got ':build'. The factory is a function",
    "net.py:build()": "got 'net.py:build()'. The factory is a function",
    "net.py:nothing": "visavis: model: net.py has no 'nothing'. It has",
    "nowhere.py:build": "visavis: model: there is no file nowhere.py.",
    "no_such_module_at_all:build": "visavis: No module named 'no_such_module_at_all'",
    "visavis_test_project.broken:build": "visavis: No module named 'not_there_at_all'",
    "net.py:needs": "missing 1 required positional argument: 'size'",
    "net.py:SIZE": "visavis: ",
}


@pytest.mark.parametrize(("source", "message"), FACTORIES.items(), ids=FACTORIES)
def test_factories_that_are_refused(refused, project, source, message):
    assert message in refused("layers", source)


def test_names_in_a_file_that_lacks_the_factory(refused, project):
    message = refused("layers", "net.py:nothing")
    assert "build" in message
    assert "Net" in message


# Files.


@pytest.fixture
def acts(tmp_path):
    """A file of two layers."""
    path = tmp_path / "acts.npz"
    np.savez(path, conv=np.ones((5, 2, 4, 4), "f4"), fc=np.ones((5, 3)), ids=np.arange(5))
    return path


def test_layers_of_a_file(run, acts):
    result = run("layers", acts, "--json")
    assert json.loads(result.stdout) == [
        {"layer": "conv", "shape": [5, 2, 4, 4], "dtype": "float32"},
        {"layer": "fc", "shape": [5, 3], "dtype": "float64"},
    ]


def test_table_of_a_file(run, acts):
    out = run("layers", acts).stdout
    assert out.splitlines()[0].strip() == str(acts)
    assert "│ conv  │ [5, 2, 4, 4] │ float32 │" in out
    assert "│ fc    │ [5, 3]       │ float64 │" in out


def test_files_that_are_refused(refused, tmp_path):
    assert "must be a file, got no such file." in refused("layers", "nowhere.npz")
    (tmp_path / "x.npz").write_text("layer,value\n")
    assert "it is not a zip archive" in refused("layers", tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("[red]x[/red]", "[red]x[/red]"), ("[/]", "[/]"), ("a\nb\x1b[31m", r"a\nb\x1b[31m")],
    ids=["markup", "closing markup", "control characters"],
)
def test_names_are_shown_as_they_are(run, tmp_path, name, shown):
    save_file({name: np.ones((5, 2))}, tmp_path / "x.safetensors")
    out = run("layers", tmp_path / "x.safetensors").stdout
    assert [line for line in out.splitlines() if line.startswith(f"│ {shown} ")]
    assert "\x1b" not in out
