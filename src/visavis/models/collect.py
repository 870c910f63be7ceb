"""Collecting: the outputs of every batch joined into whole layers, and what was noticed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models.findings import listed
from visavis.models.rows import Kept


class Output(NamedTuple):
    """One tensor that a module gave: its module, its own name, and what was kept of it.

    `kept` is what the ``keep`` of the recorder returned: `Pooled` rows in a pass over a loader.
    """

    module: str
    name: str
    kept: Any


class Collector:
    """The layers of one model, batch after batch.

    Attributes
    ----------
    batches : int
        How many batches were added.
    counts : list of int or None
        How many rows each sample gave, where a sample gives several.
    ignored_mask : str or None
        The name of a mask that the batches seem to hold and the model was not given.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._parts: dict[str, list[Array]] = {}
        self._times: Counter[str] = Counter()
        self.batches = 0
        self.counts: list[int] | None = None
        self.ignored_mask: str | None = None

    def add(self, outputs: Sequence[Output], n: int, kept: Kept) -> None:
        """Add what the model gave for a batch of `n` samples, of which `kept` says which rows."""
        given: dict[str, Array] = {output.name: output.kept.rows for output in outputs}
        if self.batches == 0:
            self._parts = {name: [] for name in given}
        self._times.update(given.keys())
        self.batches += 1
        # A layer that is missing once has no row for every sample: what it gave so far is let go.
        self._parts = {name: parts for name, parts in self._parts.items() if name in given}
        counts = self._counts({each.name: each.kept.counts for each in outputs})
        if counts is not None:
            self.counts = [*(self.counts or ()), *counts]
        total = n if counts is None else sum(counts)
        self._check_rows({name: given[name] for name in self._parts}, total)
        chosen = kept.rows(total)
        for name, parts in self._parts.items():
            self._check_shape(name, parts, given[name])
            parts.append(given[name] if chosen is None else _take(given[name], chosen))

    def layers(self) -> Iterator[tuple[str, Array]]:
        """Yield every layer as one array, in the order of the first batch, and let its parts go."""
        for name in list(self._parts):
            parts = self._parts.pop(name)
            if len(parts) > 1:
                yield name, array.namespace(parts[0]).concat(parts, axis=0)
            else:
                yield name, parts[0]

    def irregular(self) -> dict[str, int]:
        """Return the outputs that only some batches gave, with the number of these."""
        return {name: times for name, times in self._times.items() if times < self.batches}

    def _counts(self, counts: Mapping[str, tuple[int, ...] | None]) -> tuple[int, ...] | None:
        """Return how many rows each sample of a batch gave, the same in every layer."""
        if not self._parts:
            return None
        first, *others = [(name, counts[name]) for name in self._parts]
        for name, each in others:
            if each != first[1]:
                seen = [f"`{layer}` {_per_sample(k)}" for layer, k in (first, (name, each))]
                raise ValueError(
                    checks.message(
                        self._where,
                        "layers",
                        "give as many rows per sample as each other",
                        listed(seen),
                        "Positions of one layer are not those of another of different size: "
                        "extract them one by one.",
                    )
                )
        return first[1]

    def _check_rows(self, given: Mapping[str, Array], n: int) -> None:
        wrong = [name for name, x in given.items() if x.ndim == 0 or x.shape[0] != n]
        if wrong:
            excluded = listed([f'"!{name}"' for name in wrong])
            raise ValueError(
                checks.message(
                    self._where,
                    "layers",
                    f"give tensors whose first dimension is the batch, {n} here",
                    listed([f"`{name}` {tuple(given[name].shape)}" for name in wrong]),
                    f"Leave them out (add {excluded} to `layers`), or make rows of them with "
                    "pool=callable.",
                )
            )

    def _check_shape(self, name: str, parts: Sequence[Array], x: Array) -> None:
        if parts and parts[0].shape[1:] != x.shape[1:]:
            raise ValueError(
                checks.message(
                    self._where,
                    "layers",
                    "give the same shape for every sample",
                    f"`{name}` {tuple(x.shape)} in batch {self.batches} after "
                    f"{tuple(parts[0].shape)}",
                    "Pool what varies with pool=callable, or pad every batch to one size.",
                )
            )


def _per_sample(counts: tuple[int, ...] | None) -> str:
    if counts is None:
        return "1 row"
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low} rows" if low == high else f"{low} to {high} rows"


def _take(x: Array, rows: Array) -> Array:
    xp = array.namespace(x)
    return xp.take(x, xp.asarray(rows, device=array.device(x)), axis=0)
