"""Progress on stderr: bars on a terminal, a line for each finished part elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def say(text: str) -> None:
    """Write a line."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def bar(label: str, total: int) -> Iterator[Callable[[], None]]:
    """Show how far the block is; what it yields is called after each of so many steps."""
    start = time.monotonic()
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda: progress.advance(task)
    else:
        yield lambda: None
    say(f"{label}: {time.monotonic() - start:.0f} s")
