"""Options that several commands have: of samples, findings, output, and of the engine."""

from pathlib import Path
from typing import Annotated

import typer

Ids = Annotated[
    str | None,
    typer.Option(help="The array or column of the files that holds the sample ids."),
]
AlignBy = Annotated[
    str, typer.Option("--align", help="strict, or inner: keep the samples, by id, that all have.")
]
Silence = Annotated[
    list[str] | None, typer.Option(help="Leave out findings of a code; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]
Memory = Annotated[
    str | None,
    typer.Option(help="What may be used beside layers in memory already, as in 4GB."),
]
Workers = Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="A folder for finished parts: run again to go on after an interruption."),
]
PlanOnly = Annotated[
    bool, typer.Option("--plan", help="Print what would be computed, and stop there.")
]
