"""Tables and findings on the terminal."""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from visavis._core.text import printable
from visavis.results import Comparison, Finding, Scale

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}

# Longer names of columns are folded, that more columns fit beside each other.
_WIDEST_HEADING = 14
# A border and a space on either side of a cell.
_AROUND_CELL = 3
# Where no terminal folds the lines, nothing is folded or cut.
_ENDLESS = 100_000


def console() -> Console:
    """Return the console for results, on standard output."""
    width = None if sys.stdout.isatty() else _ENDLESS
    return Console(highlight=False, soft_wrap=False, width=width)


def as_json(data: Any) -> None:
    """Print data for machines: one JSON document on standard output."""
    typer.echo(json.dumps(data, indent=1, allow_nan=False))


def literal(text: str, style: str = "") -> Text:
    r"""Return text from a file as it is, what would steer the terminal written as escapes.

    Examples
    --------
    >>> print(literal("[red]conv\n1[/red]"))
    [red]conv\n1[/red]
    """
    return Text(printable(text), style=style)


def comparison(out: Console, result: Comparison) -> None:
    """Print a table of values, the best match of each row in bold, in parts that fit the width."""
    out.print(literal(f"{result.measure}, {result.n} samples", style="italic"))
    for cols in _parts(result, out.width):
        out.print(_table(result, cols, out.width))
    out.print(literal(result.scale.description, style="dim"))
    if result.unit == "layer" and len(result.tables) > 1:
        _sureness(out, result)


def _sureness(out: Console, result: Comparison) -> None:
    """Print the best match of each row with its interval, chance and z."""
    table = Table()
    for name in (result.names[0], "best match"):
        table.add_column(literal(name), overflow="fold", max_width=out.width // 3)
    known = result.tables
    columns = ["value", *([f"{100 * result.level:g} % interval"] if result.level else [])]
    for name in (*columns, *(each for each in ("chance", "z") if each in known)):
        table.add_column(name, justify="right")
    for row, col in result.best_match().items():
        if col is not None:
            at = result.rows.index(row), result.cols.index(col)
            cells = _cells({name: float(each[at]) for name, each in known.items()}, result.scale)
            table.add_row(literal(row), literal(col), *cells)
    if table.row_count:
        out.print(table)
        out.print(literal(_explained(result), style="dim"))


def _cells(known: dict[str, float], scale: Scale) -> Iterator[str]:
    """Yield the value of a pair as text, and what is known beside it."""
    yield number(known["values"], scale)
    if "low" in known:
        ends = known["low"], known["high"]
        yield "–" if math.isnan(sum(ends)) else " to ".join(number(each, scale) for each in ends)
    if "chance" in known:
        yield number(known["chance"], scale)
    if "z" in known:
        yield "–" if math.isnan(known["z"]) else f"{known['z']:z.1f}"


def _explained(result: Comparison) -> str:
    """Return what stands beside the values, and why some of it does not."""
    notes = []
    if result.level is not None:
        notes.append("Each interval is for itself; the matches were chosen by their values.")
    elif (lacking := str(result.plan.get("intervals", ""))).startswith("none: "):
        notes.append(f"No intervals: {lacking.removeprefix('none: ')}.")
    if "z" in result.tables:
        notes.append("z: standard deviations above chance, under permutations of the samples.")
    return " ".join(notes)


def _parts(result: Comparison, width: int) -> Iterator[Sequence[int]]:
    """Yield the columns of one table after the other."""
    names = max(cell_len(literal(name).plain) for name in (_corner(result), *result.rows))
    room = width - min(names, width // 2) - _AROUND_CELL - 1
    part: list[int] = []
    used = 0
    for j, col in enumerate(result.cols):
        digits = max(len(number(value, result.scale)) for value in result.values[:, j])
        needed = max(digits, min(cell_len(literal(col).plain), _WIDEST_HEADING)) + _AROUND_CELL
        if part and used + needed > room:
            yield part
            part, used = [], 0
        part.append(j)
        used += needed
    yield part


def _table(result: Comparison, cols: Sequence[int], width: int) -> Table:
    table = Table()
    table.add_column(literal(_corner(result)), overflow="fold", max_width=width // 2)
    for j in cols:
        name = literal(result.cols[j])
        table.add_column(name, justify="right", overflow="fold", max_width=_WIDEST_HEADING)
    best = result.best_match()
    for row, values in zip(result.rows, result.values, strict=True):
        cells = [
            Text(
                number(values[j], result.scale),
                style="bold" if best[row] == result.cols[j] else "",
            )
            for j in cols
        ]
        table.add_row(literal(row), *cells)
    return table


def _corner(result: Comparison) -> str:
    return f"{result.names[0]} \\ {result.names[1]}"


def number(value: float, scale: Scale) -> str:
    """Return a value as text: three decimals in a bounded range, else four digits; or a dash."""
    if math.isnan(value):
        return "–"
    bounded = math.isfinite(scale.low) and math.isfinite(scale.high)
    return f"{value:z.3f}" if bounded else f"{value:.4g}"  # z: no minus sign before a zero


def findings(out: Console, found: tuple[Finding, ...]) -> None:
    """Print findings, the gravest first."""
    order = list(STYLES)
    for finding in sorted(found, key=lambda each: order.index(each.severity)):
        line = Text(f"{finding.code} {finding.title}: ", style=STYLES[finding.severity])
        line.append_text(literal(finding.message, style="default"))
        if finding.cure:
            line.append_text(literal(f" {finding.cure}", style="dim"))
        out.print(line)
