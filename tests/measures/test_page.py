"""The page of a measure is the Markdown that was meant, and says what the record says."""

import re

import pytest
from markdown_it import MarkdownIt
from tests.measures.maps import implied
from tests.measures.records import EVERYTHING, over

import visavis as vv
from visavis.measures import docstring
from visavis.measures.page import facts, page, widest

PLAIN = [each for each in EVERYTHING if not each.options]
MARKS = {"blockquote_open", "ordered_list_open", "hr", "html_block", "code_block"}


def tokens(measure):
    return MarkdownIt().enable("table").parse(page(measure, linked=True))


@over(EVERYTHING)
def test_nothing_reads_as_a_mark_that_was_not_meant(measure):
    assert MARKS.isdisjoint(each.type for each in tokens(measure))


@over(PLAIN)
def test_nothing_but_the_family_is_emphasised(measure):
    inline = [each.children for each in tokens(measure) if each.type == "inline"]
    first = [kids[i + 1].content for kids in inline for i, k in enumerate(kids) if k.tag == "em"]
    assert first[0] == measure.family
    assert len(first) == 2  # where it opens and where it closes


@over(PLAIN)
def test_no_mark_of_a_docstring_is_left(measure):
    prose = re.sub(r"^```.*?^```", "", page(measure), flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"``|\]_|\u2800", prose)


@over(PLAIN)
def test_lines_are_short_but_in_tables_and_code(measure):
    prose = re.sub(r"^```.*?^```", "", page(measure), flags=re.DOTALL | re.MULTILINE)
    assert [each for each in prose.splitlines() if len(each) > 100 and each[0] != "|"] == []


@over(PLAIN)
def test_nothing_of_the_docstring_is_lost(measure):
    doc = docstring.read(measure.function)
    words = re.findall(r"[^\W\d_]+", page(measure).lower())
    for text in (doc.summary, *doc.formula, *(each.text for each in (*doc.parameters, *doc.notes))):
        assert set(re.findall(r"[^\W\d_]+", text.lower())) <= set(words)


@over(EVERYTHING)
def test_the_widest_maps_imply_all_others(measure):
    wide = widest(measure.invariant_to)
    assert implied(frozenset(wide)) >= measure.invariant_to
    assert set(wide) <= measure.invariant_to


@over(EVERYTHING)
def test_the_table_has_every_fact(measure):
    text = page(measure)
    assert [
        each for each in facts(measure).items() if f"| {each[0]} | {each[1]} |" not in text
    ] == []


def test_variants_stand_on_the_page_of_the_plain_measure_alone():
    text = page(vv.registry["procrustes"])
    assert "- `procrustes(form=euclidean)`: range: [0, ∞), lower is more alike;" in text
    assert "Under other options" not in page(vv.registry["procrustes"].with_options(scale=True))
    assert "Under other options" not in page(vv.registry["bures"])


def test_links_lead_to_other_measures():
    text = page(vv.registry["hsic"], linked=True)
    assert "[`cka`](cka.md)" in text
    assert "](hsic.md)" not in text
    assert "](cka.md)" not in page(vv.registry["hsic"])


@pytest.mark.parametrize("text", ["a + b ", "word - word ", "1. x ", "word > word "])
def test_no_line_begins_with_a_mark(text):
    lines = docstring.filled(text * 60).splitlines()
    assert len(lines) > 1
    assert [each for each in lines[1:] if re.match(r"([-+>]|\d+\.)(\s|$)", each)] == []


DOI = "10.1016/S0927-5398(03)00007-0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"doi:{DOI}; of", f"[doi:{DOI}](https://doi.org/{DOI}); of"),
        ("doi:10.1214/0090.", "[doi:10.1214/0090](https://doi.org/10.1214/0090)."),
        ("arXiv:1905.00414, and", "[arXiv:1905.00414](https://arxiv.org/abs/1905.00414), and"),
        ("JMLR 13.", "JMLR 13."),
    ],
)
def test_references_are_linked(text, expected):
    assert docstring.reference(text) == expected
