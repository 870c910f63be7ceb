"""``visavis test A B``: how sure the values of a comparison are, and what may mislead in them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.table import Table

from visavis._core import checks
from visavis._core.types import Array
from visavis.cli import options, show
from visavis.inference import diagnose, false_discovery, jackknife, layer_tests
from visavis.pairs import sides
from visavis.pairs.findings import of_layers, of_samples
from visavis.results import Activations, Finding, correspond

if TYPE_CHECKING:
    from visavis.results.correspond import Align

UNEXCHANGEABLE = Finding(
    "VV008",
    "rows of a group depend on each other, and no two groups are of one size, so that none can "
    "change places: the p-values are of rows, and too small.",
    "Read the intervals, which are over pairs of groups; or pool the rows of each group.",
)

NAME, NEEDS_ARGUMENTS = "test", True

# What is said once of all layers, and not again of each pair.
ONCE = ("VV002", "VV015")


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="Activations: a store or a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side.")],
    measure: Annotated[
        str, typer.Option("--measure", "-m", help="Debiased cka, of any kernel.")
    ] = "cka",
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    n: Annotated[int, typer.Option("--permutations", min=1, help="How many, at least.")] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the permutations.")] = 0,
    align: Annotated[
        str, typer.Option(help="strict, or inner: keep the samples, by id, that both have.")
    ] = "strict",
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The class of each sample of A: a .txt with a line for each, or a file of one "
            "array. Says whether a value is no more than that both know the classes.",
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What the networks were given: a file of one array with a row for each sample of "
            "A. Says whether a value is no more than that both keep their inputs.",
        ),
    ] = None,
    diagnosis: Annotated[
        bool, typer.Option("--diagnose/--no-diagnose", help="Look for what may mislead.")
    ] = True,
    as_json: options.AsJson = False,
) -> None:
    """Say how sure the best match of each layer of A in B is: interval, p-value, what may mislead.

    The p-value is that of the best of all layers of B, under permutations of the samples that are
    the same for all layers (of whole groups, where rows belong together); q is the false discovery
    rate over the layers of A. The findings are those of each best match: few rows or one direction
    that decide the value, dependent rows, classes, inputs, copies, measures that disagree.
    """
    given = sides.activations(a, "a")
    acts_a, acts_b, joined = correspond(
        given,
        sides.activations(b, "b"),
        align=cast("Align", align),  # it is checked there
    )
    rows, cols = sides.Matrices(acts_a.layers, "a"), sides.Matrices(acts_b.layers, "b")
    sides.one_home(rows, cols)
    classes = None if labels is None else _labels(labels, given, acts_a)
    shown = None if inputs is None else _inputs(inputs, given, acts_a)
    grouped = acts_a.groups if acts_a.groups is not None else acts_b.groups
    tests = layer_tests(
        rows,
        cols,
        measure=measure,
        n=n,
        seed=seed,
        groups=grouped if _exchangeable(grouped) else None,
    )
    both = (acts_a, acts_b)
    findings: list[tuple[str | None, str | None, Finding]] = [
        (None, None, each)
        for each in (
            *joined,
            *of_samples(acts_a.n, both),
            *of_layers(sides.names(None, a, b), both),
        )
        if diagnosis
    ]
    if not _exchangeable(grouped):
        findings.append((None, None, UNEXCHANGEABLE))
    lines, discovered = [], false_discovery(tests.best)
    for i, row in enumerate(rows):
        j = int(tests.values[i].argmax())
        col = tests.cols[j]
        X, Y = rows[row], cols[col]
        interval = jackknife(X, Y, measure=measure, level=level, groups=grouped)
        found = [*interval.findings]
        if diagnosis:
            found += diagnose(
                X,
                Y,
                measure=measure,
                labels=classes,
                inputs=shown,
                groups=grouped,
                ids=acts_a.ids,
                names=(row, col) if row != col else (f"{row} of A", f"{col} of B"),
                silenced=ONCE,
                seed=seed,
            )
        findings += [(row, col, each) for each in found]
        lines.append(
            {
                "layer": row,
                "best match": col,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "p of the search": float(tests.best[i]),
                "q": float(discovered[i]),
                "p of the pair": float(tests.pvalues[i, j]),
            }
        )
    if as_json:
        show.as_json(
            {
                "samples": acts_a.n,
                "measure": measure,
                "level": level,
                "permutations": tests.draws,
                "method": tests.method,
                "matches": lines,
                "findings": [
                    {"rows": row, "cols": col, **each.to_dict()} for row, col, each in findings
                ],
            }
        )
        return
    console = show.console()
    console.print(
        show.literal(
            f"{measure}, {acts_a.n} samples, {100 * level:g} % intervals, "
            f"{tests.draws} {tests.method}",
            style="italic",
        )
    )
    console.print(_table(lines))
    for row, col, told in _grouped(findings):
        if row is not None:
            console.print(show.literal(f"{row}, {col}:", style="bold"))
        show.findings(console, tuple(told))


def _table(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table()
    for column in lines[0]:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(
            *(show.literal(x if isinstance(x, str) else f"{x:.3g}") for x in line.values())
        )
    return table


def _grouped(
    findings: Sequence[tuple[str | None, str | None, Finding]],
) -> Iterator[tuple[str | None, str | None, list[Finding]]]:
    """Yield the findings of each pair together, in the order of the pairs."""
    pairs = dict.fromkeys((row, col) for row, col, _ in findings)
    for row, col in pairs:
        yield row, col, [each for r, c, each in findings if (r, c) == (row, col)]


def _exchangeable(groups: Sequence[Any] | None) -> bool:
    """Return whether there are groups of which two have one size, or none at all."""
    if groups is None:
        return True
    sizes = Counter(Counter(groups).values())
    return max(sizes.values()) > 1


def _labels(path: str, given: Activations, kept: Activations) -> list[Any]:
    """Return the class of each sample that was kept, from a file with those of all."""
    if Path(path).suffix == ".txt":
        found = Path(path).read_text(encoding="utf-8").splitlines()
    else:
        values = _single(path, "labels")
        if values.size != values.shape[0]:
            seen = f"an array of shape {tuple(values.shape)}"
            expected = "hold one array with a class for each sample"
            raise ValueError(checks.message("test", "labels", expected, seen))
        found = values.reshape(-1).tolist()
    return [found[i] for i in _places("labels", len(found), given, kept)]


def _inputs(path: str, given: Activations, kept: Activations) -> Array:
    """Return the inputs of each sample that was kept, from a file with those of all."""
    values = _single(path, "inputs")
    return values[_places("inputs", len(values), given, kept)]


def _single(path: str, argument: str) -> Array:
    """Return the one array of a file."""
    arrays = sides.activations(path, argument)
    if len(arrays) != 1:
        expected = "hold one array with an entry for each sample"
        raise ValueError(checks.message("test", argument, expected, f"{len(arrays)} arrays"))
    return next(iter(arrays.values()))


def _places(argument: str, count: int, given: Activations, kept: Activations) -> list[int]:
    """Return where the samples that were kept are among all of A."""
    if count != given.n:
        expected = f"have one entry for each of the {given.n} samples of A"
        raise ValueError(checks.message("test", argument, expected, f"{count}"))
    if kept.ids == given.ids:
        return list(range(count))
    # Some samples were dropped, or are in another order: they are told by their ids.
    by_id = {identity: place for place, identity in enumerate(given.ids or ())}
    return [by_id[identity] for identity in kept.ids or ()]
