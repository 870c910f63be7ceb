"""Intervals, chance, z and evidence in the report."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.report.conftest import parsed

from visavis.report import write_html
from visavis.results import Comparison, Finding

Make = Callable[..., Comparison]


@pytest.fixture
def sure(make: Make) -> Comparison:
    """A comparison with everything beside its values; one pair has no interval."""
    values = make().values
    low, high = values - 0.05, values + 0.025
    low[0, 1] = high[0, 1] = np.nan
    return make(
        low=low, high=high, level=0.9, z=100 * values, chance=np.zeros((4, 4)),
        plan={"intervals": "jackknife"},
    )  # fmt: skip


def test_the_best_matches_have_their_intervals_and_z(sure: Comparison, tmp_path: Path) -> None:
    page = parsed(write_html([sure], tmp_path / "r.html"))
    table = page.one("table", class_="best")
    head = [each.words for each in table.one("thead").all("th")]
    assert head == ["seed0", "seed1", "value", "chance", "z", "lead"]
    first = table.one("tbody").all("tr")[0].all("td")
    assert first[1].one("small").text == "0.850 to 0.925"
    assert [each.words for each in first[2:4]] == ["0.000", "90.0"]
    (reach,) = first[1].all("rect", class_="reach")
    # From 0.85 to 0.925 of a scale of colours from 0 to 1, 52 pixels long.
    assert float(reach.attributes["x"]) == pytest.approx(52 * 0.85, abs=0.1)
    assert float(reach.attributes["width"]) == pytest.approx(52 * 0.075, abs=0.1)


def test_what_the_small_figures_are_is_said(sure: Comparison, tmp_path: Path) -> None:
    page = parsed(write_html([sure], tmp_path / "r.html")).words
    assert "Their 90\N{NO-BREAK SPACE}% intervals are 0.075 wide (median)." in page.replace(
        "90 %", "90\N{NO-BREAK SPACE}%"
    )
    assert "interval, each for itself" in page
    assert "it is no p-value" in page


def test_every_cell_tells_all_when_it_is_pointed_at(sure: Comparison, tmp_path: Path) -> None:
    page = parsed(write_html([sure], tmp_path / "r.html"))
    tips = {each.text for each in page.one("g", class_="cells").all("title")}
    assert "conv0 × conv0: 0.900 (90 % interval 0.850 to 0.925, chance 0.000, z 90.0)" in tips
    assert "conv0 × conv1: 0.603 (chance 0.000, z 60.3)" in tips


def test_all_values_have_their_intervals(sure: Comparison, tmp_path: Path) -> None:
    page = parsed(write_html([sure], tmp_path / "r.html"))
    rows = page.one("table", class_="values").one("tbody").all("tr")
    first, second = rows[0].all("td")[:2]
    assert [each.text for each in first.all("small")] == ["0.850 to 0.925", "z 90.0"]
    assert [each.text for each in second.all("small")] == ["z 60.3"]


def test_without_intervals_the_report_says_why(make: Make, tmp_path: Path) -> None:
    plain = make(plan={"intervals": "none: no formula; subsample makes them"})
    page = parsed(write_html([plain], tmp_path / "r.html")).words
    assert "There are no intervals: no formula; subsample makes them." in page
    assert "p-value" not in page
    untold = parsed(write_html([make()], tmp_path / "s.html")).words
    assert "no intervals" not in untold


def test_evidence_is_shown(make: Make, tmp_path: Path) -> None:
    evidence = {
        "score_without": -0.25,
        "rows": list(range(12)),
        "overlap": float("nan"),
        "side": "<b>conv1</b>",
        "nested": {"a": 1},
    }
    finding = Finding("VV005", "one row decides.", "Look at it.", evidence=evidence)
    page = parsed(write_html([make(findings=(finding,))], tmp_path / "r.html"))
    (item,) = page.one("ul", class_="findings").all("li")
    assert (
        "Evidence: score without −0.25, rows 0, 1, 2, 3, 4, 5, 6, 7, ..., side <b>conv1</b>"
        in item.words
    )
    assert "What to do. Look at it." in item.words
    bare = make(findings=(Finding("VV005", "one row decides."),))
    assert "Evidence" not in parsed(write_html([bare], tmp_path / "s.html")).words
