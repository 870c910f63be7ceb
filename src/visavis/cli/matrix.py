"""``visavis matrix RUN RUN ...``: how alike many models are, each with each."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import typer

from visavis import pairs, store
from visavis._core.files import atomic
from visavis.cli import engine, show
from visavis.results import Comparison, ModelComparison
from visavis.results.correspond import Align

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
            help="same: layers of the same name; best: the best partner of each layer; matched: "
            "partners one to one."
        ),
    ] = "same",
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="GROUP=PATTERN puts runs whose name fits into a group; means over pairs of two "
            "groups are shown. Repeatable."
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
    ids: Annotated[
        str | None,
        typer.Option(help="The array or column of the files that holds the sample ids."),
    ] = None,
    align: Annotated[
        str, typer.Option(help="strict, or inner: keep the samples, by id, that all have.")
    ] = "strict",
    silence: Annotated[
        list[str] | None, typer.Option(help="Leave out findings of a code; repeatable.")
    ] = None,
    memory: engine.Memory = None,
    workers: engine.Workers = 1,
    checkpoint: engine.Checkpoint = None,
    plan: engine.PlanOnly = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Compare all layers of many models at once, and say how alike any two models are.

    Exits with 1 if a value is missing: the findings say why.
    """
    _check_out(out)
    models = {name: store.load(run, ids=ids) for name, run in _named(runs).items()}
    groups = _groups(group or [], list(models))
    with engine.executor(workers) as executor:
        if plan:
            drawn = pairs.plan(
                models, measure=measure, memory=memory, executor=executor, checkpoint=checkpoint
            )
            typer.echo(str(drawn))
            return
        result = pairs.compare(
            models,
            measure=measure,
            align=cast("Align", align),
            silenced=silence or (),
            memory=memory,
            executor=executor,
            checkpoint=checkpoint,
            progress=not quiet,
        )
    between = result.between(reduce)
    grouped = result.grouped(groups, reduce) if groups else None
    if as_json:
        data = {"models": between.to_dict(), "layers": result.to_dict()}
        if grouped is not None:
            mean, deviation = grouped
            data["groups"] = {"mean": mean.to_dict(), "standard_deviation": _plain(deviation)}
        show.as_json(data)
    else:
        console = show.console()
        show.comparison(console, between)
        if grouped is not None:
            console.print()
            show.comparison(console, grouped[0])
            for line in _spread(*grouped):
                console.print(show.literal(line))
        show.findings(console, result.findings)
    if out is not None:
        _write(result, out, reduce, groups)
        typer.echo(f"written: {out}", err=True)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(1)


def _named(runs: list[str]) -> dict[str, str]:
    """Return the runs by the shortest ends of their paths that tell them apart."""
    if len(set(runs)) < max(2, len(runs)):
        raise typer.BadParameter("name two runs or more, each once", param_hint="RUN")
    parts = {run: [each for each in Path(run).with_suffix("").parts if each != "/"] for run in runs}
    for length in range(1, max(len(each) for each in parts.values()) + 1):
        names = {run: "-".join(each[-length:]) for run, each in parts.items()}
        if len(set(names.values())) == len(runs):
            return {name: run for run, name in names.items()}
    return {run.replace("/", "-"): run for run in runs}


def _groups(given: list[str], models: list[str]) -> dict[str, str]:
    groups: dict[str, str] = {}
    for each in given:
        name, equals, pattern = each.partition("=")
        if not (name and equals and pattern):
            raise typer.BadParameter(f"must be GROUP=PATTERN, got {each!r}", param_hint="--group")
        for model in models:
            if fnmatchcase(model, pattern):
                groups.setdefault(model, name)
    if given:
        left = [model for model in models if model not in groups]
        if left:
            raise typer.BadParameter(f"no pattern fits {left[0]!r}", param_hint="--group")
    return groups


def _spread(mean: Comparison, deviation: np.ndarray) -> list[str]:
    lines = []
    for i, row in enumerate(mean.rows):
        for j, col in enumerate(mean.cols):
            if i <= j and mean.values[i, j] == mean.values[i, j]:
                spread = deviation[i, j]
                known = f" ± {spread:.3g} (s.d. over pairs)" if spread == spread else ""
                lines.append(f"{row} and {col}: {mean.values[i, j]:.3g}{known}")
    return lines


def _plain(values: np.ndarray) -> list[list[float | None]]:
    return [[None if x != x else float(x) for x in row] for row in values]


def _check_out(out: Path | None) -> None:
    if out is None:
        return
    known = (".html", ".json", ".png", ".svg", ".pdf")
    if out.suffix not in known:
        expected = f"must end in one of {', '.join(known)}, got {out.name!r}"
        raise typer.BadParameter(expected, param_hint="--out")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"the folder {out.parent} does not exist", param_hint="--out")


def _write(result: ModelComparison, out: Path, reduce: str, groups: dict[str, str]) -> None:
    if out.suffix == ".html":
        result.to_html(out, reduce=reduce, groups=groups or None)
    elif out.suffix == ".json":
        result.save(out)
    else:
        figure = result.plot(reduce=reduce).get_figure(root=True)
        assert figure is not None  # noqa: S101  (it was made a moment ago)
        with atomic(out) as part:
            figure.savefig(part, dpi=200, format=out.suffix[1:])
