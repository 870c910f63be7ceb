"""``visavis layers``: the layers of a model or of a file of activations."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from visavis import models, store
from visavis._core import array
from visavis.cli import show

NAME, NEEDS_ARGUMENTS = "layers", True


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|FILE",
            help="path/to/file.py:factory or package.module:factory (its code is run), or a .npy, "
            ".npz or .safetensors file.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the layers of a model, or of a file of activations."""
    if Path(source).suffix in store.SUFFIXES:
        acts = store.load(source)
        lines = [
            {"layer": name, "shape": list(X.shape), "dtype": array.dtype_name(X)}
            for name, X in acts.items()
        ]
    else:
        model = models.from_factory(source)
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
