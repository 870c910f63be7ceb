"""``visavis matrix RUN RUN ...``: how alike many models are, each with each."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from visavis import pairs, store
from visavis.cli import engine, options, show
from visavis.cli import out as output
from visavis.results import Grouped, ModelComparison, reductions
from visavis.results.correspond import Align
from visavis.results.many import remaining

NAME, NEEDS_ARGUMENTS = "matrix", True


def command(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Stores or files of activations, two or more."),
    ],
    measure: Annotated[
        str, typer.Option("--measure", "-m", help="`visavis measures` lists them.")
    ] = "cka",
    reduce: Annotated[
        str,
        typer.Option(
            help="How layers become one number: same, over layers of the same name; best, the best "
            "partner of each layer; matched, partners one to one."
        ),
    ] = "same",
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="GROUP=PATTERN puts the runs whose name or path fits into a group; means over "
            "pairs of runs of two groups are shown. Repeatable."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Also write a report with map and tree (.html), the result (.json) "
            "or a picture of the matrix (.png, .svg, .pdf).",
        ),
    ] = None,
    ids: options.Ids = None,
    align: options.AlignBy = "strict",
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a run, a layer of a run (RUN/LAYER) or of all; repeatable."),
    ] = None,
    silence: options.Silence = None,
    memory: options.Memory = None,
    workers: options.Workers = 1,
    checkpoint: options.Checkpoint = None,
    plan: options.PlanOnly = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare all layers of many models at once, and say how alike any two models are.

    Exits with 1 if a value is missing: the findings say why.
    """
    output.check(out)
    named = _named(runs)
    models = {name: store.load(run, ids=ids) for name, run in named.items()}
    # What cannot be carried out is refused before the work, not after it.
    layers = remaining({name: tuple(each) for name, each in models.items()}, without or ())
    reductions.check(reduce, layers)
    groups = _groups(group or [], {name: named[name] for name in layers})
    with engine.executor(workers) as executor:
        if plan:
            drawn = pairs.plan(
                models,
                measure=measure,
                align=cast("Align", align),
                memory=memory,
                executor=executor,
                checkpoint=checkpoint,
            )
            typer.echo(str(drawn))
            return
        result = pairs.compare(
            models,
            measure=measure,
            align=cast("Align", align),  # compare checks it
            silenced=silence or (),
            memory=memory,
            executor=executor,
            checkpoint=checkpoint,
            progress=not quiet,
        ).without(*without or ())
    _print(result, reduce, groups, as_json=as_json)
    output.write(
        out,
        report=lambda path: result.to_html(path, reduce=reduce, groups=groups or None),
        result=result.save,
        picture=lambda: result.plot(reduce=reduce).get_figure(root=True),
    )
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(1)


def _named(runs: list[str]) -> dict[str, str]:
    """Return the runs by the shortest ends of their paths that tell them apart."""
    try:
        named = store.told_apart(runs)
    except ValueError:
        named = {}
    if len(named) < 2:
        raise typer.BadParameter("name two runs or more, each once", param_hint="RUN")
    return named


def _groups(given: list[str], runs: dict[str, str]) -> dict[str, str]:
    """Return the group of each run."""
    groups: dict[str, str] = {}
    for each in given:
        name, equals, pattern = each.partition("=")
        if not (name and equals and pattern):
            raise typer.BadParameter(f"must be GROUP=PATTERN, got {each!r}", param_hint="--group")
        fitting = [
            model
            for model, run in runs.items()
            if fnmatchcase(model, pattern) or fnmatchcase(run, pattern)
        ]
        if not fitting:
            seen = f"{pattern!r} fits no run; there are {', '.join(runs)}"
            raise typer.BadParameter(seen, param_hint="--group")
        for model in fitting:
            groups.setdefault(model, name)
    lost = [model for model in runs if given and model not in groups]
    if lost:
        raise typer.BadParameter(f"no pattern fits {lost[0]!r}", param_hint="--group")
    return groups


def _print(result: ModelComparison, reduce: str, groups: dict[str, str], *, as_json: bool) -> None:
    between = result.between(reduce)
    grouped = result.grouped(groups, reduce) if groups else None
    if as_json:
        data = {"models": between.to_dict(), "layers": result.to_dict()}
        show.as_json(data if grouped is None else data | {"groups": grouped.to_dict()})
        return
    console = show.console()
    show.comparison(console, between)
    if grouped is not None:
        _print_groups(console, grouped)
    show.findings(console, result.findings)


def _print_groups(console: Console, grouped: Grouped) -> None:
    table = Table("groups", "mean", "s.d.", "pairs")
    for column in table.columns[1:]:
        column.justify = "right"
    scale = grouped.mean.scale
    for each in grouped.lines():
        table.add_row(
            show.literal(f"{each.row} × {each.col}"),
            show.number(each.mean, scale),
            show.number(each.deviation, scale),
            str(each.pairs),
        )
    console.print(table)
    console.print(show.literal("over pairs of different runs", style="dim"))
