"""What the report says, read from the parsed page."""

import base64
from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import pytest

from visavis.report import Image, Section, Table
from visavis.results import Comparison, Finding

Make = Callable[..., Comparison]
Report = Callable[..., Any]  # returns the parsed document
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 10


def cells(table: Any) -> list[list[str]]:
    return [
        [cell.words for cell in row.children if not isinstance(cell, str)]
        for row in table.one("tbody").all("tr")
    ]


def test_the_title_names_both_sides(make: Make, report: Report) -> None:
    document = report(make())

    assert document.one("h1").text == "seed0 vis-à-vis seed1"
    assert document.one("head").one("title").text == "seed0 vis-à-vis seed1"


@pytest.mark.parametrize(
    ("names", "title"),
    [
        ([("net", "net")], "net, layer by layer"),
        ([("a", "b"), ("a", "c")], "2 pairs of models, layer by layer"),
    ],
)
def test_the_title_of_other_reports(
    make: Make, report: Report, names: list[tuple[str, str]], title: str
) -> None:
    assert report(*(make(names=pair) for pair in names)).one("h1").text == title


def test_a_title_can_be_given(make: Make, report: Report) -> None:
    assert report(make(), title="<Mine> & yours").one("h1").text == "<Mine> & yours"


def test_the_head_counts_samples_layers_and_findings(make: Make, report: Report) -> None:
    findings = (Finding("VV004", "a"), Finding("VV016", "b"), Finding("VV006", "c", "", "error"))
    facts = report(make(4, 3, findings=findings)).one("dl", class_="facts")

    assert [fact.words for fact in facts.all("dd")] == [
        "2,500",
        "4 × 3",
        "cka",
        "1 error, 2 warnings",
    ]


def test_the_result_is_said_in_words(make: Make, report: Report) -> None:
    values = np.array([[0.9, 0.2, 0.1], [0.7, 0.5, 0.1], [nan, nan, nan]])
    chance = np.full((3, 3), 0.25)
    lead = report(make(3, 3, values=values, chance=chance)).one("p", class_="lead")

    assert lead.words == (
        "1 of 3 layers of seed0 is most like the layer of the same name in seed1. "
        "The best matches are at 0.70 to 0.90, with a median of 0.80. 1 layer has no value. "
        "Chance alone, with the samples of one side shuffled, reaches 0.25."
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"cols": ("a", "b", "c", "d")}, "4 of 4 layers of seed0 are most like the "
                     "layer at the same depth in seed1.", id="by depth"),
        pytest.param({"names": ("net", "net")}, "Each layer of net is held against the others.",
                     id="itself"),
        pytest.param({"values": np.full((4, 4), nan)}, "No pair of layers has a value", id="none"),
    ],
)  # fmt: skip
def test_the_result_of_other_comparisons(
    make: Make, report: Report, fields: dict[str, Any], words: str
) -> None:
    assert words in report(make(**fields)).one("p", class_="lead").words


def test_sizes_that_differ_are_held_against_each_other(make: Make, report: Report) -> None:
    lead = report(make(1, 3)).one("p", class_="lead").words

    assert lead.startswith("1 layer of seed0 is held against 3 layers of seed1. The best match is")


def test_best_matches_have_value_chance_and_lead(make: Make, report: Report) -> None:
    values = np.array([[0.9, 0.25], [0.8, 0.1]])
    document = report(make(2, 2, values=values, chance=np.array([[0.125, nan], [0.25, 0.5]])))

    assert cells(document.one("table", class_="best")) == [
        ["conv0", "● conv0", "0.900", "0.125", "0.650"],
        ["conv1", "○ conv0", "0.800", "0.250", "0.700"],
    ]


def test_a_row_without_a_value_says_so_and_why(make: Make, report: Report) -> None:
    values = np.array([[nan, nan], [0.8, 0.1]])
    findings = (
        Finding("VV004", "one direction", layers=("conv0",)),
        Finding("VV006", "conv0 is dead.", severity="error", layers=("conv0",)),
    )
    document = report(make(2, 2, values=values, findings=findings))
    reasons = [cell.attributes["title"] for cell in document.all("td") if cell.text == "–"]

    assert cells(document.one("table", class_="best"))[0] == ["conv0", "– no value"]
    assert cells(document.one("table", class_="values"))[0] == ["conv0", "–", "–"]
    assert reasons == ["no value: conv0 is dead."] * 2


def test_missing_values_without_a_finding_are_named_as_such(make: Make, report: Report) -> None:
    [cell] = [
        cell
        for cell in report(make(1, 2, values=np.array([[nan, 0.5]]))).all("td")
        if cell.text == "–" and "title" in cell.attributes
    ]

    assert cell.attributes["title"] == "no value"


def test_the_caption_says_what_the_picture_shows(make: Make, report: Report) -> None:
    values = np.array([[0.9, 0.2], [nan, 0.7]])
    chance = np.zeros((2, 2))
    caption = report(make(2, 2, values=values, chance=chance)).one("figcaption").words

    assert caption == (
        "Rows are the layers of seed0, the first at the bottom; columns are the layers of seed1, "
        "the first at the left. Brighter is more alike. A ring marks the best match of each row. "
        "Hatched squares have no value. The green line on the scale is the level of chance. "
        "Layers of the same name average 0.80, all other pairs 0.20."
    )


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("cka", "Debiased: 0 if unrelated. A similarity, from −1.00 to 1.00; higher is more"),
        ("procrustes", "An angle in radians. A distance, from 0.00 to 1.57; lower is more alike."),
        ("hsic", "A similarity, from 0 up, without a bound; higher is more alike."),
        ("linear_regression", "It is directed: from the rows to the columns."),
    ],
)
def test_the_numbers_are_explained(make: Make, report: Report, measure: str, words: str) -> None:
    assert words in report(make(measure=measure)).one("p", class_="meaning").words


def test_findings_are_grouped_errors_first_each_once(make: Make, report: Report) -> None:
    shared = Finding("VV016", "3 rows twice.", "Drop them.", layers=("conv1",))
    error = Finding("VV006", "conv0 is dead.", severity="error")
    note = Finding("VV001", "2 rows left out.", severity="info")
    findings = report(
        make(findings=(note, shared)), make(measure="hsic", findings=(shared, error))
    ).one("section", id="findings")

    assert [each.words for each in findings.all("h3")] == [
        "Errors A value is missing, or must not be used.",
        "Warnings The numbers stand, but may mislead.",
        "Notes Good to know.",
    ]
    assert [each.words for each in findings.all("li")] == [
        "VV006 constant, dead or never-executed layer conv0 is dead. In: hsic",
        "VV016 duplicate rows 3 rows twice. What to do. Drop them. Layers: conv1",
        "VV001 sample ids do not match 2 rows left out. In: cka",
    ]


def test_no_findings_is_said(make: Make, report: Report) -> None:
    document = report(make())

    assert "No findings." in document.one("section", id="findings").words
    assert document.one("dl", class_="facts").all("dd")[-1].words == "none"


def test_the_table_holds_every_value_with_headers(make: Make, report: Report) -> None:
    values = np.array([[0.1234, -0.0004], [0.5, 1.0]])
    table = report(make(2, 2, values=values)).one("table", class_="values")

    assert [cell.words for cell in table.one("thead").all("th", scope="col")] == ["conv0", "conv1"]
    assert cells(table) == [["conv0", "0.123", "0.000"], ["conv1", "0.500", "1.000"]]
    assert len(table.all("th", scope="row")) == 2


def test_chance_stands_beside_each_value_where_it_differs(make: Make, report: Report) -> None:
    table = report(make(1, 2, chance=np.array([[0.25, 0.5]]))).one("table", class_="values")

    assert [small.text for small in table.all("small")] == ["0.250", "0.500"]


def test_one_chance_for_all_is_said_once(make: Make, report: Report) -> None:
    values = report(make(chance=np.zeros((4, 4)))).one("section", id="values")

    assert values.all("small") == []
    assert "Chance is 0.00 everywhere." in values.words


def test_a_table_too_large_to_read_is_left_out(make: Make, report: Report) -> None:
    values = report(make(101, 100)).one("section", id="values")

    assert values.all("table") == []
    assert "10,100 values, too many to list here" in values.words


def test_provenance_is_a_list_of_terms(make: Make, report: Report) -> None:
    comparison = make(
        plan={"form": "gram"},
        provenance={
            "versions": {"numpy": "2.4.0"},
            "widths": {f"conv{i}": 64 for i in range(4)},
            "row_meaning": "flatten",
            "seeds": [0, 1],
            "aligned": True,
            "weights": None,
        },
    )
    section = report(comparison).one("section", id="provenance")

    assert [term.words for term in section.all("dt")] == [
        "versions", "numpy", "widths", "row meaning", "seeds", "aligned", "weights", "plan", "form",
    ]  # fmt: skip
    assert [text.words for text in section.all("dd")] == [
        "numpy 2.4.0", "2.4.0", "64 (all 4)", "flatten", "0, 1", "yes", "none", "form gram", "gram",
    ]  # fmt: skip


def test_provenance_that_is_shared_is_told_once(make: Make, report: Report) -> None:
    a, b = ({"seeds": seed, "host": "h"} for seed in (1, 2))
    document = report(
        make(provenance=a), make(measure="hsic", provenance=a), make(2, 2, provenance=b)
    )
    section = document.one("section", id="provenance")

    assert section.words == ("Where the numbers come from host h cka, hsic seeds 1 cka #2 seeds 2")


def test_provenance_of_many_layers_takes_one_line_each(make: Make, report: Report) -> None:
    layers = {f"conv{i}": {"shape": [300, 8 + i], "dtype": "float32"} for i in range(2)}
    comparison = make(provenance={"sides": [{"name": "seed0", "pool": "gap", "layers": layers}]})

    assert report(comparison).one("section", id="provenance").words == (
        "Where the numbers come from sides seed0 pool gap layers "
        "conv0 shape (300, 8), dtype float32 conv1 shape (300, 9), dtype float32"
    )


def test_without_provenance_there_is_no_section_for_it(make: Make, report: Report) -> None:
    document = report(make())

    assert document.all("section", id="provenance") == []
    assert document.all("section", id="again") == []


def test_the_calls_are_told_each_once(make: Make, report: Report) -> None:
    first = make(provenance={"call": "a = vv.load('a')\nvv.compare(a)"})
    second = make(measure="hsic", provenance={"call": ["a = vv.load('a')\nvv.compare(a)", "x()"]})

    assert report(first, second).one("pre").text == "a = vv.load('a')\nvv.compare(a)\nx()\n"


def test_several_measures_are_summed_up_with_links(make: Make, report: Report) -> None:
    document = report(make(chance=np.zeros((4, 4))), make(measure="procrustes"), make(2, 3, "hsic"))
    table = document.one("table", class_="summary")
    parts = document.all("section", class_="comparison")

    assert cells(table) == [
        ["cka", "4 of 4", "0.90", "0.00"],
        ["procrustes", "4 of 4", "0.30", "–"],
        ["hsic", "–", "0.900", "–"],
    ]
    assert [link.attributes["href"] for link in table.all("a")] == [
        f"#{part.attributes['id']}" for part in parts
    ]
    assert [part.one("h2").words for part in parts] == ["cka", "procrustes", "hsic"]


def test_one_measure_of_several_pairs_is_told_apart(make: Make, report: Report) -> None:
    document = report(make(), make(names=("seed0", "seed2")))

    assert [row[0] for row in cells(document.one("table", class_="summary"))] == [
        "cka: seed0 × seed1",
        "cka: seed0 × seed2",
    ]


def test_sections_stand_before_the_result(make: Make, report: Report) -> None:
    section = Section(
        "The <demo>",
        ["One & two.", "Three."],
        Table(["measure", "here"], [["cka", "70 %"]], "How many."),
        Image(PNG, 'a "picture"', "A caption."),
    )
    document = report(make(), sections=[section])
    told = document.one("section", class_="told")

    assert document.all("h2")[0].text == "The <demo>"
    assert [each.text for each in told.all("p")] == ["One & two.", "Three."]
    assert cells(told.one("table")) == [["cka", "70 %"]]
    assert told.one("caption").text == "How many."
    assert told.one("img").attributes["alt"] == 'a "picture"'
    assert told.one("img").attributes["src"].partition(",")[2] == base64.b64encode(PNG).decode()
    assert told.one("figcaption").text == "A caption."
