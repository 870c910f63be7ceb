"""``visavis measures``: the table of records, or one of them in full."""

import inspect
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from visavis.cli import show
from visavis.measures import Measure, registry, resolve

NAME, NEEDS_ARGUMENTS = "measures", False


def command(
    measure: Annotated[
        str | None, typer.Argument(help="A measure, with options if you like.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the measures and what is true of them, or show one in full."""
    chosen = list(registry.values()) if measure is None else [resolve(measure)]
    if as_json:
        show.as_json([facts(each) for each in chosen])
    elif measure is None:
        _table(chosen)
    else:
        _page(chosen[0])


def facts(measure: Measure) -> dict[str, object]:
    """Return the facts of a record as plain JSON types."""
    return {
        "name": measure.label,
        "title": measure.title,
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


def _table(measures: list[Measure]) -> None:
    table = Table(title="Measures of visavis", title_justify="left")
    for column in ("measure", "what it is", "range", "more alike is", "symmetric", "invariant to"):
        table.add_column(column)
    for each in measures:
        more = "higher" if each.direction == "similarity" else "lower"
        table.add_row(
            *(
                Text(cell)
                for cell in (
                    each.name,
                    each.title,
                    each.span,
                    more,
                    "yes" if each.symmetric else "no",
                    ", ".join(sorted(each.invariant_to)) or "–",
                )
            )
        )
    console = show.console()
    console.print(table)
    console.print(Text("visavis measures NAME shows one in full, with its options."))


def _page(measure: Measure) -> None:
    console = show.console()
    table = Table(show_header=False, title=Text(measure.title), title_justify="left")
    for key, value in facts(measure).items():
        table.add_row(Text(key.replace("_", " ")), Text(_worded(value)))
    console.print(table)
    console.print(Text(inspect.getdoc(measure.function) or ""))


def _worded(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
