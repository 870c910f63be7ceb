"""Collecting: the outputs of every batch joined into whole layers, and what was noticed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models.findings import listed


class Output(NamedTuple):
    """One tensor that a module gave: its module, its own name, and what was kept of it."""

    module: str
    name: str
    kept: Any


class Collector:
    """The layers of one model, batch after batch.

    Attributes
    ----------
    batches : int
        How many batches were added.
    ignored_mask : str or None
        The name of a mask that the batches seem to hold and the model was not given.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._parts: dict[str, list[Array]] = {}
        self._times: Counter[str] = Counter()
        self.batches = 0
        self.ignored_mask: str | None = None

    def add(self, outputs: Sequence[Output], n: int) -> None:
        """Add what the model gave for a batch of `n` samples."""
        given: dict[str, Array] = {output.name: output.kept for output in outputs}
        if self.batches == 0:
            self._parts = {name: [] for name in given}
        self._times.update(given.keys())
        self.batches += 1
        # A layer that is missing once has no row for every sample: what it gave so far is let go.
        self._parts = {name: parts for name, parts in self._parts.items() if name in given}
        self._check_rows({name: given[name] for name in self._parts}, n)
        for name, parts in self._parts.items():
            self._check_shape(name, parts, given[name])
            parts.append(given[name])

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
