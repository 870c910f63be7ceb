"""``visavis measures``: the records of the registry, as a table, a page, or for machines."""

import io
import json
import re
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from rich.console import Console
from tests.measures.maps import implied
from tests.measures.records import every_record, over

import visavis as vv
from visavis.cli import measures, show
from visavis.measures.measure import FAMILIES as FAMILY_QUESTIONS
from visavis.measures.page import page

PLAIN = list(vv.registry.values())


FAMILIES = list(FAMILY_QUESTIONS)


def lines(result):
    """The cells of each line of the tables, by the name of the measure."""
    cells = [re.split(r"  +", line.strip()) for line in result.stdout.splitlines()]
    return {first: rest for first, *rest in cells if first in vv.registry}


@pytest.fixture
def terminal(monkeypatch, run):
    """Run a command on a terminal that is so wide; what it prints."""

    def command(width, *arguments):
        out = io.StringIO()
        console = Console(file=out, width=width, highlight=False, color_system=None)
        monkeypatch.setattr(show, "console", lambda: console)
        monkeypatch.setattr(measures, "sys", SimpleNamespace(stdout=Terminal()))
        assert run("measures", *arguments).exit_code == 0
        return out.getvalue()

    return command


class Terminal:
    """What says that it is one."""

    def isatty(self):
        return True


def test_table_lists_every_record(run):
    result = run("measures")
    assert result.exit_code == 0
    assert list(lines(result)) == list(vv.registry)
    assert "visavis measures NAME shows the page of one" in result.stdout


@over(PLAIN)
def test_line_of_the_table(run, measure):
    title, span, invariant = lines(run("measures"))[measure.name]
    assert title == measure.title
    arrow = "↑" if measure.direction == "similarity" else "↓"
    assert span == f"{arrow} {measure.span}{'' if measure.symmetric else ' →'}"
    named = implied(frozenset(invariant.split(", ")))
    assert named >= measure.invariant_to or (invariant == "–" and not measure.invariant_to)


def widest_line(text):
    """Columns that the widest line takes: a bar over a letter takes none."""
    return max(map(cell_len, text.splitlines()))


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_fits_the_terminal(terminal, width):
    text = terminal(width)
    assert widest_line(text) <= width
    assert [name for name in vv.registry if f"\n{name} " not in text] == []
    assert "…" not in text


@pytest.mark.parametrize(
    ("width", "maps"),
    [
        (80, "TSPLy"),
        (200, "feature permutation, invertible linear map of Y, isotropic scaling, translation"),
    ],
)
def test_letters_stand_for_maps_where_lines_are_narrow(terminal, width, maps):
    text = terminal(width)
    (line,) = [each for each in text.splitlines() if each.startswith("pwcca ")]
    assert line.partition("→")[2].strip() == maps
    assert ("Ly invertible linear map of Y" in " ".join(text.split())) == (width == 80)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_family_alone(run, family):
    result = run("measures", "--family", family)
    expected = [each.name for each in PLAIN if each.family == family]
    assert list(lines(result)) == expected
    assert run("measures", "--family", family.upper()).stdout == result.stdout
    told = json.loads(run("measures", "--family", family, "--json").stdout)
    assert [each["name"] for each in told] == expected


def test_families_that_there_are_not(refused):
    message = refused("measures", "--family", "rotation")
    assert "measures: `family` must be" in message
    assert [family for family in FAMILIES if family not in message] == []
    message = refused("measures", "cka", "--family", "alignment")
    assert "`family` must stand alone" in message


@over(PLAIN)
def test_page_in_a_pipe_is_markdown(run, measure):
    result = run("measures", measure.name)
    assert result.exit_code == 0
    text = result.stdout
    assert text == page(measure)
    assert text.startswith(f"# {measure.title}\n")
    assert "](" not in re.sub(r"\]\(https://", "", text)  # no links to files beside it
    for heading in ("Formula", "When to use it", "When not to use it", "Example", "References"):
        assert f"\n## {heading}\n" in text
    assert [option for option in measure.defaults if f"- **`{option}`**" not in text] == []


@over(PLAIN)
@pytest.mark.parametrize(("width", "page_width"), [(80, 80), (200, 100)])
def test_page_on_a_terminal(terminal, measure, width, page_width):
    text = terminal(width, measure.name)
    assert widest_line(text) <= page_width
    assert "**`" not in text
    assert "```" not in text
    assert "When not to use it" in text
    assert f"fewest rows       {measure.minimum_rows}" in text or measure.inputs == "weights"


def test_page_of_a_measure_with_options_has_the_facts_under_them(run):
    assert "| range | [-1, 1], higher is more alike |" in run("measures", "cka").stdout
    text = run("measures", "cka(kernel=rbf(0.4), estimator=biased)").stdout
    assert "`cka(kernel=rbf(0.4), estimator=biased)`" in text
    assert "| range | [0, 1], higher is more alike |" in text
    assert "| fewest rows | 2 |" in text
    assert 'here `"biased"`' in text
    assert 'vv.cka(X, Y, /, *, kernel=rbf(0.4), estimator="biased")' in text
    assert "Under other options" not in text


@every_record
def test_json_of_one(run, measure):
    result = run("measures", measure.label, "--json")
    assert result.exit_code == 0
    [facts] = json.loads(result.stdout)
    assert facts["name"] == measure.label
    assert facts["title"] == measure.title
    assert facts["family"] == measure.family
    assert facts["direction"] == measure.direction
    assert facts["symmetric"] is measure.symmetric
    assert facts["metric"] is measure.metric
    assert facts["invariant_to"] == sorted(measure.invariant_to)
    assert facts["not_invariant_to"] == sorted(measure.not_invariant_to)
    assert facts["chance"] is (measure.chance is not None)
    assert facts["options"] == {key: str(value) for key, value in measure.settings.items()}


def test_json_of_all(run):
    facts = json.loads(run("measures", "--json").stdout)
    assert [each["name"] for each in facts] == list(vv.registry)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "ckaa",
            "visavis: compare: `measure` must name a measure, got 'ckaa'. The",
        ),
        (
            "cka(",
            "visavis: compare: `measure` must be a name or name(option=value",
        ),
        ("cka(colour=red)", "visavis: cka: `options` must be among kernel, estimator, got colour"),
        ("", "visavis: compare: `measure` must be a name or name(option=value, ...), got ''"),
    ],
)
def test_unknown_measures(refused, spec, message):
    assert refused("measures", spec).startswith(message)


@pytest.mark.parametrize("name", vv.registry)
def test_the_message_for_an_unknown_measure_has_every_choice(refused, name):
    assert name in refused("measures", "unknown").partition("The measures are")[2]
