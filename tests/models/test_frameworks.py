"""Frameworks are loaded only by whoever has a model of them, and the terminal only if it is one."""

import subprocess
import sys

import pytest
from tests.models.nets import Twice, samples, seeded
from torch import nn

from visavis._core.progress import progress_bar
from visavis.models import extract


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_import_loads_no_framework():
    code = (
        "import sys, visavis.models\n"
        "print(*(name for name in ('torch', 'jax', 'rich', 'matplotlib') if name in sys.modules))"
    )
    assert run(code) == []


def test_refusal_loads_no_framework():
    code = (
        "import sys, visavis.models\n"
        "try: visavis.models.extract('resnet', [])\n"
        "except TypeError: print('torch' in sys.modules)"
    )
    assert run(code) == ["False"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "extract: `model` must be a torch.nn.Module, .*, got int"),
        (lambda x: x, "got function"),
        ({"a": 3}, "got int"),
        (nn.Linear, "got the class Linear. Give an instance of it"),
    ],
    ids=["int", "function", "mapping", "class"],
)
def test_not_a_model(model, message):
    with pytest.raises(TypeError, match=message):
        extract(model, samples(4, 3))


def test_nothing_is_written_where_stderr_is_no_terminal(capsys):
    extract(seeded(Twice), samples(4, 3))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("show", "drawn"), [(True, True), (False, False)])
def test_bar_on_a_terminal(capsys, monkeypatch, show, drawn):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    extract(seeded(Twice), [samples(4, 3)] * 3, progress=show)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("extracting" in err) is drawn


def test_bar_is_taken_down_after_an_exception(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(KeyboardInterrupt), progress_bar("working", None, show=True):
        raise KeyboardInterrupt
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    err = capsys.readouterr().err
    assert err.count(hidden) == err.count(shown) > 0
