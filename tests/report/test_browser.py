"""The report in a real browser: nothing runs, nothing is fetched, everything is seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.conftest import Seen

from visavis.report import Section, Table, write_html
from visavis.results import Comparison, Finding

Make = Callable[..., Comparison]
WIDTHS = [390, 1280]


@pytest.fixture
def rich(make: Make, hostile: Comparison) -> Callable[[], list[Comparison]]:
    """Comparisons that use every part of the report."""

    def comparisons() -> list[Comparison]:
        names = tuple(f"model.encoder.layers.{i}.self_attention.output.dense" for i in range(48))
        findings = (Finding("VV003", "Chance is 0.4.", "Debias.", layers=names[:9]),)
        longest = "x" * 200
        return [
            make(9, 9, chance=np.random.default_rng(0).random((9, 9)), findings=findings),
            make(48, 48, "procrustes", rows=names, cols=names, names=(longest, names[0])),
            make(3, 2, "hsic", rows=(longest, "b", "c"), names=(longest, longest)),
            make(60, 60),
            hostile,
        ]

    return comparisons


def test_opening_runs_nothing_fetches_nothing_and_complains_of_nothing(
    rich: Callable[[], list[Comparison]], open_page: Callable[..., Seen], tmp_path: Path
) -> None:
    path = write_html(rich(), tmp_path / "report.html")
    seen = open_page(path)
    fetched = [url for url in seen.requests if not url.startswith("data:")]

    assert fetched == [path.as_uri()]
    assert seen.console == []
    assert seen.dialogs == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_heatmap_is_seen_and_nothing_sticks_out(
    rich: Callable[[], list[Comparison]],
    open_page: Callable[..., Seen],
    tmp_path: Path,
    width: int,
) -> None:
    table = Table(["measure", *"abcdefgh"], [["x" * 60, *["99.9 %"] * 8]], "A wide table.")
    section = Section("Wide", ["w" * 300], table)
    page = open_page(write_html(rich(), tmp_path / "r.html", sections=[section]), width).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    boxes = [heat.bounding_box() for heat in page.locator("svg.heat").all()]

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(boxes) == 5
    assert min(box["width"] for box in boxes) > 80
    assert min(box["height"] for box in boxes) > 80
    assert max(box["x"] + box["width"] for box in boxes) <= width


def test_cells_are_painted(make: Make, open_page: Callable[..., Seen], tmp_path: Path) -> None:
    values = np.array([[0.0, 1.0]])
    page = open_page(write_html([make(1, 2, values=values)], tmp_path / "r.html")).page
    fills = [
        cell.evaluate("each => getComputedStyle(each).fill")
        for cell in page.locator("svg.heat .cells rect").all()
    ]

    assert fills == ["rgb(0, 0, 4)", "rgb(252, 253, 191)"]  # the ends of magma


def test_numbers_keep_their_own_ink(
    make: Make, open_page: Callable[..., Seen], tmp_path: Path
) -> None:
    values = np.array([[0.0, 1.0]])
    page = open_page(write_html([make(1, 2, values=values)], tmp_path / "r.html")).page
    inks = [
        number.evaluate("each => getComputedStyle(each).fill")
        for number in page.locator("svg.heat .number text").all()
    ]

    assert inks == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_colour_scheme(
    make: Make, open_page: Callable[..., Seen], tmp_path: Path, scheme: str, dark: bool
) -> None:
    page = open_page(write_html([make()], tmp_path / "r.html"), scheme=scheme).page
    ground, ink = (
        sum(map(int, page.evaluate(f"getComputedStyle(document.body).{name}")[4:-1].split(",")))
        for name in ("backgroundColor", "color")
    )

    assert (ground < ink) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(
    make: Make, open_page: Callable[..., Seen], tmp_path: Path, scheme: str
) -> None:
    findings = tuple(
        Finding("VV006", "m", "c", severity, ("conv0",))
        for severity in ("error", "warning", "info")
    )
    comparison = make(chance=np.random.default_rng(0).random((4, 4)), findings=findings)
    page = open_page(write_html([comparison], tmp_path / "r.html"), scheme=scheme).page

    # 4.5 is the contrast that WCAG 2 asks of small text.
    assert [text for text, contrast in page.evaluate(CONTRASTS) if contrast < 4.5] == []


def test_a_long_table_keeps_its_heads_in_sight(
    make: Make, open_page: Callable[..., Seen], tmp_path: Path
) -> None:
    page = open_page(write_html([make(60, 60)], tmp_path / "r.html")).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate("document.querySelector('#values .scroll').scrollTo(400, 400)")
    scroller = page.locator("#values .scroll").bounding_box()
    column = page.locator("#values thead th").nth(20).bounding_box()
    row = page.locator("#values tbody th").nth(20).bounding_box()

    assert column["y"] == pytest.approx(scroller["y"], abs=1)
    assert row["x"] == pytest.approx(scroller["x"], abs=1)


def test_hostile_names_are_read_as_they_are(
    hostile: Comparison, open_page: Callable[..., Seen], tmp_path: Path
) -> None:
    named = replace(hostile, names=("a", "b"))
    page = open_page(write_html([named], tmp_path / "r.html")).page
    shown = page.locator("table.best tbody th").all_inner_texts()

    assert shown == [name.replace("\n", r"\n") for name in hostile.rows]


# Every text on the page beside its contrast with the first opaque ground below it. Symbols that
# only repeat what words say, and names in the picture that the table repeats, are no text.
CONTRASTS = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = each => {
    for (; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const each = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || each.closest("svg") || "●○".includes(text)) continue;
    const [a, b] = [light(getComputedStyle(each).color), light(ground(each))];
    found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}"""
