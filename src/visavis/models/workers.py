"""Workers: which share of the batches this process takes, beside others that run the same."""

import os
import sys

from visavis._core import checks


def turn(
    where: str, shard: tuple[int, int] | None, *, stored: bool, whole: bool
) -> tuple[int, int]:
    """Return which worker of how many this is.

    Parameters
    ----------
    where : str
        The public function, for messages.
    shard : (int, int), optional
        What the caller says; without it, and if the rows are stored, what ``torchrun`` or the
        process group says.
    stored, whole : bool
        Whether the rows go into a store, and whether all of them are kept.
    """
    found = shard if shard is not None else (_group() or _torchrun() if stored else None)
    rank, world = (0, 1) if found is None else found
    if not 0 <= rank < world:
        expected = "be (worker, number of workers), counted from 0"
        raise ValueError(checks.message(where, "shard", expected, repr(found)))
    if world > 1 and not whole:
        raise ValueError(
            checks.message(
                where,
                "every` and `max_rows",
                "be left alone where several workers share the rows",
                f"them with {world} workers",
                "Rows are counted over all batches, which no worker sees.",
            )
        )
    return rank, world


def wait() -> None:
    """Wait for all workers, if they form a process group."""
    if _group():
        sys.modules["torch"].distributed.barrier()


def _group() -> tuple[int, int] | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available():
        return None
    group = torch.distributed
    return (group.get_rank(), group.get_world_size()) if group.is_initialized() else None


def _torchrun() -> tuple[int, int] | None:
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
