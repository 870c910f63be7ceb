"""Documentation of what is public: sections in order, and the facts of the records."""

import doctest
import inspect
import math
import re

import pytest
from tests.measures.maps import implied
from tests.measures.records import EVERYTHING, over

import visavis as vv
from visavis.measures import docstring
from visavis.measures import measure as facts

SECTIONS = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
FAMILIES = [each for each in EVERYTHING if not each.options]
every_record = over(EVERYTHING)
PUBLIC = [name for name in dir(vv) if not name.startswith("_")]
DOCUMENTED = {f"vv.{name}": getattr(vv, name) for name in PUBLIC}
DOCUMENTED |= {f"vv.kernels.{name}": getattr(vv.kernels, name) for name in vv.kernels.__all__}
DOCUMENTED.pop("vv.registry")  # a mapping: its records are documented by their functions

PHRASES = {
    facts.TRANSLATION: "translation",
    facts.SCALING: "isotropic scaling|scale of the features",
    facts.PERMUTATION: "permutations? of (the )?features|feature permutations?",
    facts.ORTHOGONAL: "orthogonal maps",
    facts.LINEAR: "invertible linear maps(?! of [XY])",
    facts.LINEAR_X: "invertible linear maps of X",
    facts.LINEAR_Y: "invertible linear maps of Y",
    facts.SHIFT: "circular shifts",
    facts.HIDDEN_UNITS: "permutations of hidden units",
    facts.FACTORS: "exchange of L and R, rescaling of L",
    facts.ROWS: "permutations? of (the )?rows of Y",
}


def sections(function):
    """The text of each section by its heading; what stands before all of them under ''."""
    doc = inspect.cleandoc(function.__doc__ or "")
    parts = re.split(r"^(\w+)\n-{3,}\n", doc, flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def note(measure, heading):
    """What stands in the Notes after ``*heading*:``, up to the next heading, on one line."""
    notes = " ".join(sections(measure.function)["Notes"].split())
    found = re.search(rf"\*{heading}\*: (.*?)(?=\*[A-Z]|$)", notes)
    return found.group(1) if found else ""


def named(text):
    """The maps that a text names, with those that are special cases of them."""
    return implied(frozenset(name for name, phrase in PHRASES.items() if re.search(phrase, text)))


def number(x):
    """A bound as a docstring writes it."""
    known = {math.inf: "∞", -math.inf: "−∞", math.pi: "π", math.pi / 2: "π/2", math.sqrt(2): "√2"}
    return known.get(x, f"{x:g}".replace("-", "−"))


@over(FAMILIES)
def test_sections_are_all_there_and_in_order(measure):
    assert list(sections(measure.function)) == ["", *SECTIONS]


@over(FAMILIES)
def test_the_summary_is_one_line_and_a_citation_follows(measure):
    summary, _, formula = sections(measure.function)[""].partition("\n\n")
    assert "\n" not in summary
    assert summary.endswith(".")
    assert "[1]_" in formula


@over(FAMILIES)
def test_every_option_is_described(measure):
    text = sections(measure.function)["Parameters"]
    described = re.findall(r"^(\w+) :", text, flags=re.MULTILINE)
    sides = list(inspect.signature(measure.function).parameters)[:2]
    assert described == [*sides, *measure.defaults]


@every_record
def test_the_range_in_returns_is_the_range_of_the_record(measure):
    left = "(" if math.isinf(measure.low) else "["
    right = ")" if math.isinf(measure.high) else "]"
    interval = f"{left}{number(measure.low)}, {number(measure.high)}{right}"
    assert interval in sections(measure.function)["Returns"]


@every_record
def test_the_direction_in_returns_is_that_of_the_record(measure):
    word = {"similarity": "higher is more", "distance": "lower is more"}[measure.direction]
    assert word in " ".join(sections(measure.function)["Returns"].split())


@over([each for each in FAMILIES if not each.symmetric])
def test_asymmetry_is_said(measure):
    assert "Not symmetric" in sections(measure.function)["Returns"]


def family(measure):
    """The record under all its variants that have features to transform."""
    records = [each for each in EVERYTHING if each.name == measure.name]
    return [each for each in records if each.invariant_to | each.not_invariant_to]


@over(FAMILIES)
def test_notes_name_what_is_forgotten_under_all_options(measure):
    always = frozenset.intersection(*(each.invariant_to for each in family(measure)))
    assert always <= named(note(measure, "Invariant to"))


@over(FAMILIES)
def test_notes_name_what_is_forgotten_by_default(measure):
    # It may stand among what the value is not invariant to, with the condition.
    either = named(note(measure, "Invariant to")) | named(note(measure, "Not to"))
    assert measure.invariant_to <= either


@over(FAMILIES)
def test_notes_name_every_map_that_moves_the_value(measure):
    assert measure.not_invariant_to - {facts.LINEAR_X} <= named(note(measure, "Not to"))


@over(FAMILIES)
def test_notes_claim_no_invariance_that_the_record_does_not_declare(measure):
    declared = frozenset.union(*(implied(each.invariant_to) for each in family(measure)))
    assert named(note(measure, "Invariant to")) <= declared


@over([each for each in FAMILIES if each.minimum_rows > 2])
def test_fewest_rows_stand_in_raises(measure):
    assert f"fewer than {measure.minimum_rows} rows" in sections(measure.function)["Raises"]


@over([each for each in FAMILIES if "allow_saturated" in each.defaults])
def test_refusals_stand_in_raises(measure):
    raises = sections(measure.function)["Raises"]
    assert "SaturatedError" in raises
    assert "VV014" in raises


@over(FAMILIES)
@pytest.mark.parametrize("heading", ["When", "When not"])
def test_notes_say_when_to_use_it_and_when_not(measure, heading):
    said = docstring.read(measure.function).note(heading)
    assert len(said.split()) >= 4
    assert said.endswith((".", "?"))


@over(FAMILIES)
def test_when_and_when_not_end_the_notes(measure):
    last = docstring.read(measure.function).notes[-2:]
    assert [each.heading for each in last] == ["When", "When not"]


@over(FAMILIES)
def test_every_citation_is_in_the_references(measure):
    doc = docstring.read(measure.function)
    listed = [each.partition(" ")[0] for each in doc.references]
    assert listed == [f"[{i + 1}]" for i in range(len(listed))]
    cited = set(re.findall(r"(\[\d+\])_", measure.function.__doc__))
    assert cited == set(listed)


@over(FAMILIES)
def test_the_reference_of_the_record_can_be_followed(measure):
    assert re.search(r"doi:10\.|arXiv:\d|JMLR \d", measure.reference)
    assert re.search(
        r"\.\. \[1\] .*(doi:10\.|arXiv:\d|JMLR \d)", sections(measure.function)["References"]
    )


@over([each for each in FAMILIES if each.statistic == "Moments (one pass)"])
def test_streaming_names_a_method_that_exists(measure):
    names = re.findall(r"`Moments\.(\w+)`", note(measure, "Streaming"))
    assert names == [measure.name]
    assert callable(getattr(vv.Moments, names[0]))


@pytest.mark.parametrize("thing", DOCUMENTED.values(), ids=DOCUMENTED)
def test_every_public_name_is_documented(thing):
    doc = inspect.getdoc(thing)
    assert doc
    assert doc != inspect.getdoc(object)
    assert doc.splitlines()[0].rstrip().endswith((".", ":", ")"))


@over(FAMILIES)
def test_examples_run(measure):
    name = f"visavis.{measure.name}"
    (example,) = doctest.DocTestFinder(recurse=False).find(measure.function, name, globs={})
    result = doctest.DocTestRunner(verbose=False).run(example)
    assert result.attempted > 2
    assert result.failed == 0
