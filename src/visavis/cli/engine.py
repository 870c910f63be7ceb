"""Options of commands that compare much: memory, workers, what is kept, and a plan without work."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

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


@contextmanager
def executor(workers: int) -> Iterator[Executor | None]:
    """Yield processes to work in; None if one is enough."""
    if workers == 1:
        yield None
        return
    # Not forked: a library of products may be in the middle of something.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool
