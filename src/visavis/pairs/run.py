"""Run a plan: its tasks one after the other, or on an executor, keeping what is finished."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from visavis._core.files import atomic
from visavis.pairs.sides import Matrices

Step = Callable[[], None]


class Result(Protocol):
    """What a task gives, as arrays that can be kept in a file."""

    def arrays(self) -> Mapping[str, Any]:
        """Return the parts by name."""
        ...


@dataclass(frozen=True)
class Engine:
    """Where tasks run, and where what they give is kept.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Without one, tasks run here, one after the other.
    folder : Path, optional
        Where finished tasks are kept, by what they were of.
    """

    executor: Executor | None = None
    folder: Path | None = None

    @property
    def workers(self) -> int:
        """How many tasks run at once."""
        if self.executor is None:
            return 1
        known = getattr(self.executor, "_max_workers", None)
        if known is None:  # the executor of a cluster knows its client
            client = getattr(self.executor, "_client", None)
            known = sum(client.nthreads().values()) if client is not None else None
        return max(1, int(known or os.cpu_count() or 1))

    def all(
        self,
        tasks: Sequence[Callable[[], Result]],
        step: Step = lambda: None,
        *,
        names: Sequence[str] | None = None,
        restore: Callable[[Mapping[str, np.ndarray]], Result] | None = None,
    ) -> list[Any]:
        """Return what all tasks give, in their order.

        Parameters
        ----------
        tasks : sequence of callable
            Which other processes can be sent, if the executor has them.
        step : callable
            Called after each task.
        names : sequence of str, optional
            What each is of: where a result of that name is kept, the task is not run.
        restore : callable, optional
            From the arrays of a result to the result; with `names`.
        """
        kept = [_Kept(self.folder, name) for name in names or ()]
        found: dict[int, Any] = {}
        for index, each in enumerate(kept):
            arrays = each.read()
            if arrays is not None and restore is not None:
                found[index] = restore(arrays)
                step()
        left = [index for index in range(len(tasks)) if index not in found]
        for index, result in self._finished(tasks, left):
            if kept:
                kept[index].write(result)
            found[index] = result
            step()
        return [found[index] for index in range(len(tasks))]

    def _finished(
        self, tasks: Sequence[Callable[[], Result]], left: Sequence[int]
    ) -> Iterator[tuple[int, Any]]:
        if self.executor is None:
            for index in left:
                yield index, tasks[index]()
            return
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        local = isinstance(self.executor, ThreadPoolExecutor)
        # Threads of one process share the library of products and its limit; a process has its own.
        run = _called if local else partial(_called, threads=threads)
        with limited(threads) if local else nullcontext():
            futures: dict[Future[Any], int] = {
                self.executor.submit(run, tasks[index]): index for index in left
            }
            told: set[int] = set()
            try:
                for future in as_completed(futures):
                    result = future.result()
                    told.add(futures[future])
                    yield futures[future], result
            except BaseException as error:
                for future, index in futures.items():
                    # What others have finished by now is not lost.
                    done = not future.cancel() and future.done() and not future.exception()
                    if done and index not in told:
                        yield index, future.result()
                if self.folder is not None:
                    error.add_note(f"What was finished is kept in {self.folder}: run it again.")
                raise


def _called(task: Callable[[], Result], threads: int | None = None) -> Result:
    """Run a task where it was sent to."""
    with limited(threads):
        return task()


def limited(threads: int | None) -> AbstractContextManager[Any]:
    """Limit the threads of matrix products, where threadpoolctl is installed."""
    if threads is None:
        return nullcontext()
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(threads)


class _Kept:
    """The file in which what a task gave is kept."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._path = None
        if folder is not None:
            digest = hashlib.sha256(name.encode()).hexdigest()[:24]
            self._path = folder / f"{digest}.npz"

    def read(self) -> dict[str, np.ndarray] | None:
        """Return what was kept; None if nothing was, or if it is damaged."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            with np.load(io.BytesIO(self._path.read_bytes()), allow_pickle=False) as file:
                return dict(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, result: Result) -> None:
        """Keep a result."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {key: np.asarray(x) for key, x in result.arrays().items()}
        np.savez(buffer, **arrays)
        with atomic(self._path) as part:
            Path(part).write_bytes(buffer.getvalue())


def named(kind: str, sides: tuple[Matrices, Matrices], *facts: Any) -> str:
    """Return what distinguishes a run from all others: the data, and how it is computed."""
    from visavis import __version__

    prints = [side.identity(list(side)) for side in {id(each): each for each in sides}.values()]
    return json.dumps([kind, __version__, prints, [str(each) for each in facts]])
