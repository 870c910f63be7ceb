"""The command as a whole: help, version, exit codes, and a real process now and then."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import typer

import visavis as vv
from visavis.cli import check

COMMANDS = ["demo", "compare", "measures", "layers", "check"]


def words(text):
    return " ".join(text.replace("│", " ").split())


def test_help_names_the_commands(run):
    result = run("--help")
    assert result.exit_code == 0
    assert "How alike two neural representations are" in words(result.stdout)
    found = [
        line.split()[0] for line in result.stdout.splitlines() if line.startswith(("  ", "│ "))
    ]
    assert [each for each in COMMANDS if each not in words(result.stdout)] == []
    assert found


def test_nothing_asked_is_answered_with_help(run):
    result = run()
    assert "compare" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("demo", ["--out", "--epochs", "--quiet", "Train three small nets from different seeds"]),
        (
            "compare",
            [
                "--measure",
                "--out",
                "--name",
                "--align",
                "--silence",
                "--json",
                "--quiet",
                "visavis compare [OPTIONS]",
                "Compare all layers of A with all layers of B",
                "Exits with 1 if a value is missing",
            ],
        ),
        ("measures", ["--json", "List the measures and what is true of them"]),
        ("layers", ["--json", "MODEL|FILE", "code is run"]),
        ("check", ["--json", "FILE", "describe the same samples", "Exits with 1"]),
    ],
    ids=COMMANDS,
)
def test_help_of_each_command(run, command, told):
    result = run(command, "--help")
    assert result.exit_code == 0
    text = words(result.stdout)
    assert [each for each in told if each not in text] == []


def test_version(run):
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"{vv.__version__}\n"


@pytest.mark.parametrize("command", ["compare", "layers", "check"])
def test_a_command_without_its_arguments_shows_its_help(run, command):
    result = run(command)
    assert f"visavis {command}" in words(result.stdout + result.stderr)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [["compete"], ["compare", "a.npz", "--colour", "red"], ["demo", "--epochs", "0"]]
)
def test_requests_that_cannot_be_understood(refused, arguments):
    assert "Usage: visavis" in words(refused(*arguments))


# Errors.


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("x: `a` must be b, got c."), "visavis: x: `a` must be b, got c.\n"),
        (TypeError("no array"), "visavis: no array\n"),
        (KeyError("'fc2' is not among ['fc']"), "visavis: 'fc2' is not among ['fc']\n"),
        (KeyError(), "visavis: KeyError\n"),
        (vv.LayerNotFoundError("no layer"), "visavis: no layer\n"),
        (FileNotFoundError(2, "No such file", "x"), "visavis: [Errno 2] No such file: 'x'\n"),
        (ImportError("visavis demo needs torch"), "visavis: visavis demo needs torch\n"),
        (vv.SampleMismatchError("VV001 x"), "visavis: VV001 x\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_expected_errors_are_told_without_a_traceback(run, monkeypatch, error, message):
    def fail(path):
        raise error

    monkeypatch.setattr(vv.store, "load", fail)
    result = run("layers", "x.npz")
    assert result.exit_code == 2
    assert result.stderr == message
    assert result.stdout == ""


def test_a_mistake_of_ours_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(check, "report", lambda acts: 1 / 0)
    monkeypatch.setattr(vv.store, "load", lambda path: vv.Activations({"x": np.ones((5, 2))}))
    result = run("check", "x.npz")
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_closed_pipe_is_no_error_to_tell(run, monkeypatch):
    def closed(*arguments, **options):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(typer, "echo", closed)
    result = run("measures", "--json")
    assert result.exit_code == 1
    assert "Broken pipe" not in result.stderr


# A real process.


def process(*arguments, **options):
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "visavis.cli", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        check=False,
        **options,
    )


def test_process_that_compares(files):
    result = process("compare", *files, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    data = json.loads(result.stdout)["cka"]
    assert data["values"] == vv.compare(*files).to_dict()["values"]


def test_process_that_is_refused(files):
    result = process("compare", files[0], "nowhere.npz")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == "visavis: load: nowhere.npz must be a file, got no such file.\n"


def test_process_that_finds_a_fault(tmp_path):
    np.savez(tmp_path / "x.npz", dead=np.ones((20, 2)))
    result = process("check", "x.npz", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("problem x.npz\n")
    assert result.stderr == ""


def test_the_command_loads_no_framework_before_it_needs_one():
    code = (
        "import sys, visavis.cli; "
        "print(sorted({'torch', 'jax', 'matplotlib', 'pandas', 'xarray'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert result.stdout == "[]\n"
