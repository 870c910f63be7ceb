"""``visavis test A B``: how sure the values of a comparison are."""

from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.table import Table

from visavis.cli import show
from visavis.inference import jackknife, layer_tests
from visavis.pairs import sides
from visavis.results import correspond

if TYPE_CHECKING:
    from visavis.results.correspond import Align

NAME, NEEDS_ARGUMENTS = "test", True


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say how sure the best match of each layer of A in B is: interval, and p-value of the search.

    The p-value is that of the best of all layers of B, under permutations of the samples that are
    the same for all layers.
    """
    acts_a, acts_b, _ = correspond(
        sides.activations(a, "a"),
        sides.activations(b, "b"),
        align=cast("Align", align),  # it is checked there
    )
    rows, cols = sides.Matrices(acts_a.layers, "a"), sides.Matrices(acts_b.layers, "b")
    sides.one_home(rows, cols)
    tests = layer_tests(rows, cols, measure=measure, n=n, seed=seed)
    grouped = acts_a.groups if acts_a.groups is not None else acts_b.groups
    lines, findings = [], []
    for i, row in enumerate(rows):
        j = int(tests.values[i].argmax())
        col = tests.cols[j]
        interval = jackknife(rows[row], cols[col], measure=measure, level=level, groups=grouped)
        findings += [(row, col, each) for each in interval.findings]
        lines.append(
            {
                "layer": row,
                "best match": col,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "p of the search": float(tests.best[i]),
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
                "matches": lines,
                "findings": [
                    {"rows": row, "cols": col, **each.to_dict()} for row, col, each in findings
                ],
            }
        )
        return
    table = Table()
    for column in lines[0]:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(
            *(show.literal(x if isinstance(x, str) else f"{x:.3g}") for x in line.values())
        )
    console = show.console()
    console.print(
        show.literal(
            f"{measure}, {acts_a.n} samples, {100 * level:g} % intervals, "
            f"{tests.draws} permutations",
            style="italic",
        )
    )
    console.print(table)
    for row, col, each in findings:
        console.print(show.literal(f"{row}, {col}: {each}", style=show.STYLES[each.severity]))
