"""``visavis compare A B``: two files of activations, layer by layer."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from visavis import pairs, store
from visavis.cli import diagnosed, engine, options, show
from visavis.cli import out as output
from visavis.results import ComparisonSet
from visavis.results.correspond import Align

NAME, NEEDS_ARGUMENTS = "compare", True


def command(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="Activations: a store that `visavis extract` wrote, or a .npy, .npz, "
            ".safetensors, .h5, .zarr, .parquet or .csv file, local or as a URL.",
        ),
    ],
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="The other side; without it, A with itself."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            "-m",
            help="A measure, as in cka or 'cka(kernel=rbf(0.4), estimator=biased)'; repeatable. "
            "`visavis measures` lists them.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Also write a report (.html), result (.json) or picture."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="What a side is called; give it twice.")
    ] = None,
    ids: options.Ids = None,
    align: options.AlignBy = "strict",
    silence: options.Silence = None,
    level: Annotated[
        float, typer.Option(help="Of the intervals, for measures that have a formula.")
    ] = 0.95,
    intervals: Annotated[
        bool, typer.Option("--intervals/--no-intervals", help="Whether to compute intervals.")
    ] = True,
    diagnosis: Annotated[
        bool | None,
        typer.Option(
            "--diagnose/--no-diagnose",
            help="Look in the best matches for what may mislead; by default for a report.",
        ),
    ] = None,
    memory: options.Memory = None,
    workers: options.Workers = 1,
    checkpoint: options.Checkpoint = None,
    plan: options.PlanOnly = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare all layers of A with all layers of B.

    Beside each best match stand its interval, chance level and z, where there is a formula. A
    report says as well what may mislead in the most alike of them.

    Exits with 1 if a value is missing (a dead layer, a saturated measure): the findings say why.
    """
    if name and len(name) != 2:
        raise typer.BadParameter("give --name twice, once for each side", param_hint="--name")
    output.check(out)
    left = a if ids is None else store.load(a, ids=ids)
    right = b if ids is None or b is None else left if b == a else store.load(b, ids=ids)
    with engine.executor(workers) as executor:
        if plan:
            drawn = pairs.plan(
                left,
                right,
                measures=measure or ["cka"],
                align=cast("Align", align),
                memory=memory,
                executor=executor,
                checkpoint=checkpoint,
            )
            typer.echo(str(drawn))
            return
        result = pairs.compare(
            left,
            right,
            measures=measure or ["cka"],
            names=(name[0], name[1]) if name else None,
            align=cast("Align", align),  # compare checks it
            silenced=silence or (),
            memory=memory,
            executor=executor,
            checkpoint=checkpoint,
            level=level if intervals else None,
            progress=not quiet,
        )
    if diagnosis or (diagnosis is None and out is not None and out.suffix == ".html"):
        result = diagnosed.with_findings(
            result,
            left,
            right,
            align=cast("Align", align),
            memory=memory,
            silenced=silence or (),
            progress=not quiet,
        )
    if as_json:
        show.as_json({label: each.to_dict() for label, each in result.items()})
    else:
        console = show.console()
        for each in result.values():
            show.comparison(console, each)
        show.findings(console, result.findings)
    output.write(out, report=result.to_html, result=result.save, picture=lambda: _picture(result))
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(1)


def _picture(result: ComparisonSet) -> Any:
    from visavis import plot

    return plot.grid(list(result.values()))
