"""``visavis measures``: the table of records, or the page of one of them."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from visavis._core import checks
from visavis.cli import options, show
from visavis.measures import Measure, registry, resolve
from visavis.measures import measure as facts_of
from visavis.measures.measure import FAMILIES
from visavis.measures.page import page, widest

NAME, NEEDS_ARGUMENTS = "measures", False

# Where lines are narrower, maps are written by their letters.
_ROOM_FOR_WORDS = 120
# Text in longer lines is hard to read.
_WIDEST_PAGE = 100
_LETTERS = {
    facts_of.TRANSLATION: "T",
    facts_of.SCALING: "S",
    facts_of.PERMUTATION: "P",
    facts_of.ORTHOGONAL: "O",
    facts_of.LINEAR: "L",
    facts_of.LINEAR_X: "Lx",
    facts_of.LINEAR_Y: "Ly",
    facts_of.ROWS: "R",
    facts_of.SHIFT: "C",
    facts_of.HIDDEN_UNITS: "H",
    facts_of.FACTORS: "F",
}


def command(
    measure: Annotated[
        str | None, typer.Argument(help="A measure, with options if you like.")
    ] = None,
    family: Annotated[
        str | None, typer.Option(help=f"One family alone: {', '.join(FAMILIES)}.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """List the measures and what is true of them, or show the page of one."""
    if measure is not None and family is not None:
        raise ValueError(
            checks.message("measures", "family", "stand alone", f"a measure too, {measure!r}")
        )
    chosen = _of(family) if measure is None else [resolve(measure)]
    if as_json:
        show.as_json([facts(each) for each in chosen])
    elif measure is None:
        _tables(show.console(), chosen)
    else:
        _page(show.console(), chosen[0])


def facts(measure: Measure) -> dict[str, object]:
    """Return the facts of a record as plain JSON types."""
    return {
        "name": measure.label,
        "title": measure.title,
        "family": measure.family,
        "inputs": measure.inputs,
        "paired_features": measure.paired_features,
        "required": list(measure.required),
        "range": measure.span,
        "direction": measure.direction,
        "symmetric": measure.symmetric,
        "metric": measure.metric,
        "invariant_to": sorted(measure.invariant_to),
        "not_invariant_to": sorted(measure.not_invariant_to),
        "minimum_rows": measure.minimum_rows,
        "statistic": measure.statistic,
        "cost": measure.cost,
        "chance": measure.chance is not None,
        "reference": measure.reference,
        "options": {key: str(value) for key, value in measure.settings.items()},
    }


def _of(family: str | None) -> list[Measure]:
    if family is None:
        return list(registry.values())
    known = {each.lower(): each for each in FAMILIES}
    if family.lower() not in known:
        checks.option("measures", "family", family, tuple(FAMILIES))
    return [each for each in registry.values() if each.family == known[family.lower()]]


def _tables(out: Console, measures: Sequence[Measure]) -> None:
    """Print a table for each family, the columns of all of them below each other."""
    wide = out.width >= _ROOM_FOR_WORDS
    names, titles, ranges, maps = (
        max(len(text(each)) for each in registry.values())
        for text in (
            lambda each: each.name,
            lambda each: each.title,
            _range,
            lambda each: _maps(each, wide),
        )
    )
    for family, question in FAMILIES.items():
        rows = [each for each in measures if each.family == family]
        if not rows:
            continue
        out.print(Text.assemble((_capital(family), "bold"), f": {question}"))
        table = Table(
            box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=not wide
        )
        table.add_column(min_width=names, no_wrap=True, style="cyan")
        table.add_column(min_width=titles if wide else None, ratio=None if wide else 1)
        table.add_column(min_width=ranges, no_wrap=True)
        table.add_column(min_width=None if wide else maps, no_wrap=not wide)
        for each in rows:
            table.add_row(each.name, Text(each.title), Text(_range(each)), Text(_maps(each, wide)))
        out.print(table)
        out.print()
    out.print(Text(_legend(measures, wide)))


def _range(measure: Measure) -> str:
    arrow = "↑" if measure.direction == "similarity" else "↓"
    return f"{arrow} {measure.span}{'' if measure.symmetric else ' →'}"


def _maps(measure: Measure, wide: bool) -> str:
    found = widest(measure.invariant_to)
    if wide:
        return ", ".join(found) or "–"
    return "".join(letter for name, letter in _LETTERS.items() if name in found) or "–"


def _legend(measures: Sequence[Measure], wide: bool) -> str:
    lines = ["↑ higher is more alike, ↓ lower is; → X and Y are not exchangeable."]
    if wide:
        lines.append("Last, what the value is invariant to.")
    else:
        found = set[str]().union(*(widest(each.invariant_to) for each in measures))
        maps = (f"{letter} {name}" for name, letter in _LETTERS.items() if name in found)
        lines.append(f"Invariant to: {', '.join(maps)}. O includes P; L includes S, P and O.")
    lines.append("visavis measures NAME shows the page of one: when to use it, when not, options.")
    return "\n".join(lines)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _page(out: Console, measure: Measure) -> None:
    """Print the page of a measure: laid out on a terminal, as Markdown into a file or a pipe."""
    text = page(measure)
    if sys.stdout.isatty():
        out.width = min(out.width, _WIDEST_PAGE)
        out.print(Markdown(text, code_theme="ansi_dark"))
    else:
        typer.echo(text, nl=False)
