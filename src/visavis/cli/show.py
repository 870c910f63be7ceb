"""Tables and findings on the terminal."""

import json
import math
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from visavis.results import Comparison, Finding

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def console() -> Console:
    """Return the console for results, on standard output."""
    return Console(highlight=False, soft_wrap=False)


def as_json(data: Any) -> None:
    """Print data for machines: one JSON document on standard output."""
    typer.echo(json.dumps(data, indent=1, allow_nan=False))


def comparison(out: Console, result: Comparison) -> None:
    """Print a table of values, the best match of each row in bold."""
    table = Table(title=Text(f"{result.measure}, {result.n} samples"), title_justify="left")
    table.add_column(Text(f"{result.names[0]} \\ {result.names[1]}"), no_wrap=True)
    for col in result.cols:
        table.add_column(Text(col), justify="right")
    best = result.best_match()
    for i, row in enumerate(result.rows):
        cells = [
            Text(number(value), style="bold" if best[row] == col else "")
            for col, value in zip(result.cols, result.values[i], strict=True)
        ]
        table.add_row(Text(row), *cells)
    out.print(table)
    out.print(Text(result.scale.description, style="dim"))


def number(value: float) -> str:
    """Return a value with three digits after the point, or a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def findings(out: Console, found: tuple[Finding, ...]) -> None:
    """Print findings, the gravest first."""
    order = list(STYLES)
    for finding in sorted(found, key=lambda each: order.index(each.severity)):
        line = Text(f"{finding.code} {finding.title}: ", style=STYLES[finding.severity])
        line.append(finding.message, style="default")
        if finding.cure:
            line.append(f" {finding.cure}", style="dim")
        out.print(line)
