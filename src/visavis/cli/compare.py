"""``visavis compare A B``: two files of activations, layer by layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

import typer

from visavis import pairs, store
from visavis._core.files import atomic
from visavis.cli import engine, show
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
    ids: Annotated[
        str | None,
        typer.Option(help="The array or column of the files that holds the sample ids."),
    ] = None,
    align: Annotated[
        str, typer.Option(help="strict, or inner: keep the samples, by id, that both have.")
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
    """Compare all layers of A with all layers of B.

    Exits with 1 if a value is missing (a dead layer, a saturated measure): the findings say why.
    """
    if name and len(name) != 2:
        raise typer.BadParameter("give --name twice, once for each side", param_hint="--name")
    write = _writer(out)
    left = a if ids is None else store.load(a, ids=ids)
    right = b if ids is None or b is None else left if b == a else store.load(b, ids=ids)
    with engine.executor(workers) as executor:
        if plan:
            drawn = pairs.plan(
                left,
                right,
                measures=measure or ["cka"],
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
            progress=not quiet,
        )
    if as_json:
        show.as_json({label: each.to_dict() for label, each in result.items()})
    else:
        console = show.console()
        for each in result.values():
            show.comparison(console, each)
        show.findings(console, result.findings)
    if write is not None and out is not None:
        write(result, out)
        typer.echo(f"written: {out}", err=True)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(1)


def _writer(out: Path | None) -> Callable[[ComparisonSet, Path], None] | None:
    """Return how to write the result, refusing an unknown suffix before any work is done."""
    if out is None:
        return None
    writers = {".html": _html, ".json": _json, ".png": _picture, ".svg": _picture, ".pdf": _picture}
    if out.suffix not in writers:
        raise typer.BadParameter(
            f"must end in one of {', '.join(writers)}, got {out.name!r}", param_hint="--out"
        )
    if not out.parent.is_dir():
        raise typer.BadParameter(f"the folder {out.parent} does not exist", param_hint="--out")
    return writers[out.suffix]


def _html(result: ComparisonSet, out: Path) -> None:
    result.to_html(out)


def _json(result: ComparisonSet, out: Path) -> None:
    result.save(out)


def _picture(result: ComparisonSet, out: Path) -> None:
    from visavis import plot

    figure = plot.grid(list(result.values()))
    with atomic(out) as part:
        figure.savefig(part, dpi=200, format=out.suffix[1:])
