"""``visavis layers``: the layers of a model or of a file of activations."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from visavis import models, store
from visavis.cli import options, show
from visavis.models import grammar

NAME, NEEDS_ARGUMENTS = "layers", True


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|FILE",
            help=f"{grammar.MODEL_FORMS} (a factory's code is run); or activations: a store or a "
            ".npy, .npz, .safetensors, .h5, .zarr, .parquet or .csv file.",
        ),
    ],
    as_json: options.AsJson = False,
) -> None:
    """List the layers of a model, or of a file of activations."""
    folder = Path(source).is_dir()
    if folder or Path(source).suffix in store.SUFFIXES:
        lines = [
            {"layer": name, "shape": list(shape), "dtype": dtype}
            for name, shape, dtype in store.load(source).described()
        ]
    else:
        model = grammar.model(source)
        lines = [{"layer": each.name, "type": each.type} for each in models.layers(model)]
    if as_json:
        show.as_json(lines)
        return
    table = Table()
    for column in lines[0] if lines else ():
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(show.literal(str(cell)) for cell in line.values()))
    console = show.console()
    console.print(show.literal(source, style="italic"))
    console.print(table)
