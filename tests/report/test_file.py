"""The report as a file: names stay text, nothing is loaded, it is written whole or not at all."""

import base64
import hashlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visavis.report import Image, Section, Table, write_html
from visavis.results import Comparison, ComparisonSet

Make = Callable[..., Comparison]
Report = Callable[..., Any]  # returns the parsed document


# Names stay text


def test_hostile_text_makes_no_element_and_no_attribute(
    hostile: Comparison, report: Report
) -> None:
    document = report(hostile, hostile, sections=[Section(hostile.rows[0], hostile.rows)])
    attributes = [name for each in document.all() for name in each.attributes]

    assert document.all("script") == []
    assert document.all("img") == []
    assert not [name for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("index", range(4))
def test_hostile_names_are_shown_in_full(hostile: Comparison, report: Report, index: int) -> None:
    shown = hostile.rows[index].replace("\n", r"\n")
    document = report(hostile)

    assert document.one("table", class_="best").all("th", scope="row")[index].text == shown
    assert document.one("table", class_="values").all("th", scope="row")[index].words == shown
    assert shown in [tag.text for tag in document.one("section", id="findings").all("span")]
    assert shown in [title.text for title in document.one("svg", class_="heat").all("title")]


@pytest.mark.parametrize("name", ["\x00", "\x1b[31m", "\ud800", "\u202etxt.exe"])
def test_characters_that_a_file_cannot_hold_become_escapes(
    make: Make, report: Report, name: str
) -> None:
    text = report(make(1, 1, rows=(name,), cols=(name,), names=(name, name)), title=name).text

    assert name not in text
    assert name.encode("unicode_escape").decode() in text


# The file


def test_the_policy_forbids_scripts_and_network_and_admits_its_style(
    make: Make, report: Report
) -> None:
    document = report(make())
    [policy] = [
        meta.attributes["content"]
        for meta in document.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    style = document.one("style").text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_is_loaded_and_no_style_is_inline(hostile: Comparison, report: Report) -> None:
    document = report(hostile)
    links = [
        each.attributes[name]
        for each in document.all()
        for name in ("src", "href")
        if name in each.attributes
    ]

    assert all(link.startswith(("#", "data:")) for link in links)
    assert not [each for each in document.all() if "style" in each.attributes]
    assert "url(" not in document.one("style").text


def test_ids_are_unique_and_links_lead_somewhere(make: Make, report: Report) -> None:
    document = report(make(), make(measure="hsic"))
    ids = [each.attributes["id"] for each in document.all() if "id" in each.attributes]
    inner = [a.attributes["href"].removeprefix("#") for a in document.all("a")]

    assert len(set(ids)) == len(ids)
    assert set(inner) <= set(ids)


def test_the_same_input_gives_the_same_bytes(make: Make, tmp_path: Path) -> None:
    once = write_html([make(60, 60)], tmp_path / "a.html").read_bytes()

    assert write_html([make(60, 60)], tmp_path / "b.html").read_bytes() == once


def test_the_path_comes_back_and_nothing_else_is_left(make: Make, tmp_path: Path) -> None:
    path = write_html([make()], str(tmp_path / "report.html"))

    assert path == tmp_path / "report.html"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_has_the_permissions_of_any_new_file(make: Make, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    path = write_html([make()], tmp_path / "report.html")

    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_failure_leaves_the_old_report_as_it_was(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_html([make()], path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_named_with_the_cure(make: Make, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"must lie in an existing folder.*mkdir -p .*away"):
        write_html([make()], tmp_path / "away" / "report.html")


def test_a_folder_is_no_file(make: Make, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"`path` must be a file.*report\.html"):
        write_html([make()], tmp_path)


def test_nothing_to_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must hold at least one Comparison, got none"):
        write_html([], tmp_path / "report.html")


def test_a_set_is_to_be_given_as_a_list(make: Make, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"got str in it. Of a ComparisonSet, give list"):
        write_html(ComparisonSet([make()]), tmp_path / "report.html")


def test_comparisons_and_sets_write_themselves(make: Make, tmp_path: Path) -> None:
    one = make().to_html(tmp_path / "one.html", title="One")
    two = ComparisonSet([make(), make(measure="hsic")]).to_html(tmp_path / "two.html")

    assert "<h1" in one.read_text()
    assert two.read_text().count('<section class="comparison"') == 2


def test_a_table_with_a_ragged_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`rows` must have one cell per column \(2\), got 1"):
        Table(["a", "b"], [["1", "2"], ["1"]])


def test_only_png_pictures_are_taken(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"<svg onload=alert(1)>")

    with pytest.raises(ValueError, match="`png` must be the content of a PNG file, got b'<svg"):
        Image.read(tmp_path / "x.png", alt="x")
