"""``visavis extract MODEL --data DATA --out DIR``: activations of a model into a store."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from visavis import models
from visavis._core import array, text
from visavis.cli import show
from visavis.models import grammar
from visavis.results import Activations

NAME, NEEDS_ARGUMENTS = "extract", True


def command(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help=f"{grammar.MODEL_FORMS}. A factory's code is run."),
    ],
    data: Annotated[
        str, typer.Option("--data", "-d", help=f"{grammar.DATA_FORMS}. A factory's code is run.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The folder of the store; run again to go on."),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layers",
            "-l",
            help="A name, a pattern as in 'layer*.conv2', '!name' to leave out, or 'blocks'; "
            "repeatable. Every module without it.",
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            help="flatten, gap, mean, last, cls, tokens, positions or graph-mean; none without it."
        ),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="For texts: a name or folder; that of hf:ID without it.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples of a batch.")] = 32,
    image_size: Annotated[int, typer.Option(min=1, help="Images become squares of it.")] = 224,
    max_length: Annotated[
        int | None, typer.Option(min=1, help="Texts are cut to so many tokens.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Store as float16, bfloat16 or float32.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Keep one of so many rows.")] = 1,
    max_rows: Annotated[int | None, typer.Option(min=1, help="Stop after so many rows.")] = None,
    device: Annotated[
        str | None, typer.Option(help="Run the model there, as in cuda or cuda:1.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="One batch, what the whole would take, and stop.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No plan, no progress bar.")] = False,
) -> None:
    """Run a model on data and store what its layers give, with the ids of the samples."""
    if out is None and not dry_run:
        raise typer.BadParameter("say where to: --out DIR (or --dry-run)", param_hint="--out")
    made = grammar.model(model)
    if device is not None:
        if not hasattr(made, "to"):
            raise typer.BadParameter("only a PyTorch model can be moved", param_hint="--device")
        made = made.to(device)
    samples = grammar.samples(
        data,
        tokenizer=lambda: grammar.tokenizer(_tokenizer(tokenizer, model)),
        batch_size=batch_size,
        image_size=image_size,
        max_length=max_length,
    )
    options: dict[str, Any] = {
        "layers": layers[0] if layers and len(layers) == 1 else layers or "*",
        "pool": pool,
        "dtype": dtype,
        "every": every,
        "batch_size": batch_size,
    }
    # A generator gives its first batch once only: it is not asked for a plan.
    if dry_run or (not quiet and samples.n is not None):
        _print(*_first(made, samples, options, batch_size))
    if dry_run or out is None:
        return
    acts = models.extract(
        made,
        samples.loader,
        ids=samples.ids,
        into=out,
        max_rows=max_rows,
        progress=not quiet,
        **options,
    )
    console = show.console()
    for finding in acts.findings:
        console.print(show.literal(str(finding), style=show.STYLES[finding.severity]))
    console.print(show.literal(f"written: {out} ({acts.n} rows, {len(acts)} layers)"))


def _tokenizer(given: str | None, model: str) -> str:
    if given is None and not model.startswith("hf:"):
        raise typer.BadParameter(
            "texts need a tokenizer, and only hf:ID brings its own: --tokenizer NAME",
            param_hint="--tokenizer",
        )
    return given or model


def _first(
    model: Any, samples: grammar.Samples, options: dict[str, Any], batch_size: int
) -> tuple[Activations, grammar.Samples, float]:
    """Extract the first batch and return what it gave, and how many seconds it took."""
    loader = samples.loader
    if array.is_array(loader):
        batch = loader[:batch_size]
    elif isinstance(loader, dict):
        batch = [{key: x[:batch_size] for key, x in loader.items()}]
    else:
        batch = [next(iter(loader))]
    start = time.perf_counter()
    return (
        models.extract(model, batch, progress=False, **options),
        samples,
        time.perf_counter() - start,
    )


def _print(first: Activations, samples: grammar.Samples, seconds: float) -> None:
    """Print what the layers are, and what all samples will take."""
    table = Table()
    for column in ("layer", "row", "dtype", "bytes a row"):
        table.add_column(column, overflow="fold")
    total = 0
    for name, shape, dtype in first.described():
        size = int(first[name].nbytes) // max(1, first.n)
        total += size
        table.add_row(show.literal(name), str(tuple(shape[1:])), dtype, f"{size:,}")
    console = show.console()
    console.print(table)
    seen = len(set(first.groups)) if first.groups is not None else first.n
    rows = first.n / max(1, seen)
    if samples.n is None:
        told = f"{total:,} bytes a row; the number of samples is not known"
    else:
        size = total * rows * samples.n
        whole = text.duration(seconds / seen * samples.n)
        told = (
            f"{samples.n} samples, about {text.size(size)} on disk and {whole} "
            f"({seen} samples took {seconds:.2f} s)"
        )
    console.print(show.literal(f"{first.provenance['selected']}: {told}"))
