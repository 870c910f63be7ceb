"""The progress bar is drawn on a terminal, and nowhere else."""

import io
import sys

import pytest

from visavis._core.progress import progress_bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("total", [3, None])
def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch, total):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("comparing layers", total) as step:
        for _ in range(3):
            step()
    assert "comparing layers" in terminal.getvalue()
    # The last thing is to erase the line of the bar.
    assert terminal.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(
    ("stream", "show"), [(io.StringIO, True), (Terminal, False)], ids=["a pipe", "not wanted"]
)
def test_elsewhere_there_is_silence(monkeypatch, stream, show):
    stderr = stream()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress_bar("comparing layers", 2, show=show) as step:
        step()
        step()
    assert stderr.getvalue() == ""


def test_a_failure_in_the_block_comes_through(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(RuntimeError, match="half way"), progress_bar("x", 2):
        raise RuntimeError("half way")
