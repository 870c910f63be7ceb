"""The command line without a process of its own, and files to give it."""

import numpy as np
import pytest
from tests.pairs.conftest import layers
from typer.testing import CliRunner

from visavis.cli import app


@pytest.fixture
def run():
    """Run the command with these arguments; the result has exit_code, stdout and stderr."""

    def command(*arguments):
        return CliRunner().invoke(app, [str(each) for each in arguments], prog_name="visavis")

    return command


@pytest.fixture
def refused(run):
    """Run a command that cannot be carried out; the message it ends with."""

    def command(*arguments):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    return command


@pytest.fixture
def files(tmp_path):
    """Three layers of two models on 60 samples, as a.npz and b.npz."""
    paths = tmp_path / "a.npz", tmp_path / "b.npz"
    for path, side in zip(paths, layers(n=60), strict=True):
        np.savez(path, **side)
    return paths
