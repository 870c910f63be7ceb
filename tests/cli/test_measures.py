"""``visavis measures``: the records of the registry, as a table, a page, or for machines."""

import json

import pytest
from tests.measures.records import every_record, over

import visavis as vv

PLAIN = list(vv.registry.values())


def table(result):
    rows = [line.strip("│").split("│") for line in result.stdout.splitlines() if "│" in line]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_table_lists_every_record(run):
    result = run("measures")
    assert result.exit_code == 0
    assert list(table(result)) == list(vv.registry)
    assert "visavis measures NAME shows one in full, with its options." in result.stdout


@over(PLAIN)
def test_line_of_the_table(run, measure):
    title, span, more, symmetric, invariant = table(run("measures"))[measure.name]
    assert title == measure.title
    assert span == measure.span
    assert more == ("higher" if measure.direction == "similarity" else "lower")
    assert symmetric == ("yes" if measure.symmetric else "no")
    assert set(invariant.split(", ")) == set(measure.invariant_to or {"–"})


@over(PLAIN)
def test_page(run, measure):
    result = run("measures", measure.name)
    assert result.exit_code == 0
    facts = table(result)
    assert facts["name"] == [measure.name]
    assert facts["reference"] == [measure.reference]
    assert facts["minimum rows"] == [str(measure.minimum_rows)]
    options = facts["options"][0]
    assert [option for option in measure.defaults if f"{option}=" not in options] == []
    # The whole docstring of the function, formula and all.
    assert measure.function.__doc__.strip().splitlines()[0] in result.stdout
    assert "Returns\n-------" in result.stdout


def test_page_of_a_measure_with_options_has_the_facts_under_them(run):
    assert table(run("measures", "cka"))["range"] == ["[-1, 1]"]
    facts = table(run("measures", "cka(kernel=rbf(0.4), estimator=biased)"))
    assert facts["name"] == ["cka(kernel=rbf(0.4), estimator=biased)"]
    assert facts["range"] == ["[0, 1]"]
    assert "feature permutation" in facts["invariant to"][0]


@every_record
def test_json_of_one(run, measure):
    result = run("measures", measure.label, "--json")
    assert result.exit_code == 0
    [facts] = json.loads(result.stdout)
    assert facts["name"] == measure.label
    assert facts["title"] == measure.title
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
