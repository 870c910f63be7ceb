"""The processes in which a command has its work done."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


@contextmanager
def executor(workers: int) -> Iterator[Executor | None]:
    """Yield processes to work in; None if one is enough."""
    if workers == 1:
        yield None
        return
    # Not forked: a library of products may be in the middle of something.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool
