"""Progress: a bar on the terminal, and only there."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    label: str, total: int | None, *, show: bool = True
) -> Iterator[Callable[[], None]]:
    """Draw a bar on stderr while the block runs, if `show` and if stderr is a terminal.

    Yields
    ------
    callable
        To be called after each of the `total` steps.
    """
    if not show or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)
