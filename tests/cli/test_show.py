"""Tables on terminals of any width: nothing is cut, and what is too wide goes on below."""

import io
import re
import sys

import numpy as np
import pytest
from rich.console import Console

from visavis.cli import show
from visavis.results import Comparison, Finding, Scale

CKA = Scale("cka", -1.0, 1.0, "similarity", True, "Debiased: 0 if unrelated.")
HSIC = Scale("hsic", -np.inf, np.inf, "similarity", True)
LONG = [f"encoder.layers.{i}.attention.output" for i in range(12)]


def comparison(rows, cols, scale=CKA, values=None, **fields):
    if values is None:
        values = np.arange(len(rows) * len(cols)).reshape(len(rows), -1) / 1000
    options = {"n": 500, "names": ("a", "b"), **fields}
    return Comparison(np.asarray(values, float), tuple(rows), tuple(cols), scale, **options)


def shown(result, width=80):
    out = io.StringIO()
    show.comparison(Console(file=out, width=width, highlight=False), result)
    return out.getvalue()


def cells(text):
    """The cells of all lines of the tables that show values, in reading order."""
    lines = [line.strip("│").split("│") for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


def test_a_table_that_fits_is_one():
    text = shown(comparison(["conv1", "conv2"], ["conv1", "fc"]))
    assert cells(text) == [["conv1", "0.000", "0.001"], ["conv2", "0.002", "0.003"]]
    assert text.count("┏") == 1
    assert text.count("cka, 500 samples") == 1
    assert text.rstrip().endswith("Debiased: 0 if unrelated.")


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200, 1000])
@pytest.mark.parametrize("names", [LONG, [f"conv{i}" for i in range(12)]], ids=["long", "short"])
def test_every_value_is_there_at_any_width(width, names):
    text = shown(comparison(names, names), width)
    values = re.findall(r"\d\.\d{3}", text)
    assert sorted(values) == [f"{k / 1000:.3f}" for k in range(144)]
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert text.count("cka, 500 samples") == 1


@pytest.mark.parametrize("width", [50, 80, 200])
def test_every_name_is_there_in_whole(width):
    text = shown(comparison(LONG, LONG), width)
    # Folded over lines, but with no letter left out.
    for_row = "".join(line[0] for line in cells(text))
    assert for_row.startswith("".join(LONG))


def test_the_parts_hold_the_columns_in_order():
    names = [f"conv{i}" for i in range(12)]
    text = shown(comparison(names, names), 40)
    assert text.count("┏") > 1
    heading = re.findall(r"conv\d+", "".join(x for x in text.splitlines() if x.startswith("┃")))
    assert heading == names


def test_the_best_match_is_bold():
    result = comparison(["x"], ["a", "b"], values=[[0.25, 0.75]])
    out = io.StringIO()
    show.comparison(
        Console(file=out, width=80, force_terminal=True, color_system="standard"), result
    )
    assert re.search(r"\x1b\[1m *0\.750", out.getvalue())
    assert not re.search(r"\x1b\[1m *0\.250", out.getvalue())


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (0.12345, CKA, "0.123"),
        (1.0, CKA, "1.000"),
        (-0.0312, CKA, "-0.031"),
        (-0.0001, CKA, "0.000"),
        (float("nan"), CKA, "–"),
        (float("nan"), HSIC, "–"),
        (11.878357, HSIC, "11.88"),
        (1234567.0, HSIC, "1.235e+06"),
        (3.14159e-7, HSIC, "3.142e-07"),
        (0.0, HSIC, "0"),
    ],
)
def test_number(value, scale, text):
    assert show.number(value, scale) == text


def test_findings_come_by_gravity_and_are_shown_as_they_are():
    out = io.StringIO()
    found = (
        Finding("VV015", "[bold]half[/bold]", severity="info"),
        Finding("VV003", "high chance.", "Use [the] debiased.", layers=("x",)),
        Finding("VV006", "Layer [/] of a\x1b[31m is dead.", severity="error"),
    )
    show.findings(Console(file=out, width=1000, highlight=False), found)
    assert out.getvalue().splitlines() == [
        r"VV006 constant, dead or never-executed layer: Layer [/] of a\x1b[31m is dead.",
        "VV003 biased estimate where chance is high: high chance. Use [the] debiased.",
        "VV015 reduced precision: [bold]half[/bold]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv1", "conv1"),
        ("", ""),
        ("[red]x", "[red]x"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b]0;t\x07", r"\x1b]0;t\x07"),
        ("a\u202eb\u2028", r"a\u202eb\u2028"),
        ("\ud800", r"\ud800"),
        ("é層🙂 x", "é層🙂 x"),
    ],
)
def test_literal(text, expected):
    assert show.literal(text).plain == expected


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_terminal_has_a_width_and_a_pipe_has_none(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert show.console().width == 60
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert show.console().width > 10_000
