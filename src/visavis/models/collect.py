"""Collecting: the outputs of every batch joined into whole layers, and what was noticed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models import findings
from visavis.models.findings import listed
from visavis.models.rows import Labelled, Rows
from visavis.results import Activations, Finding

if TYPE_CHECKING:
    from visavis.models.passes import Recorder


class Output(NamedTuple):
    """One tensor that a module gave: its module, its own name, and what was kept of it.

    `kept` is what the ``keep`` of the recorder returned: `Pooled` rows in a pass over a loader.
    """

    module: str
    name: str
    kept: Any


class Made(NamedTuple):
    """How activations came about: the model, the rows, and the options that name them."""

    recorder: "Recorder"
    rows: Rows
    pool: str
    shuffled: bool

    def provenance(self, batches: int, named: Mapping[str, str]) -> dict[str, Any]:
        """Return where the activations come from."""
        return {
            **self.recorder.provenance,
            **named,
            "selected": self.recorder.selection.description,
            "pool": self.pool,
            "batches": batches,
        }

    def findings(self, facts: "Facts", groups: Sequence[Any] | None) -> list[Finding]:
        """Return what was noticed about the model and the run."""
        names, gave = self.recorder.selection.names, set(facts.given.values())
        return [
            *findings.never_ran([name for name in names if name not in facts.ran], len(names)),
            *findings.nothing_to_record([n for n in names if n in facts.ran and n not in gave]),
            *findings.irregular(facts.irregular, facts.batches),
            *findings.ignored_mask(facts.ignored_mask),
            *findings.training_mode(*self.recorder.training),
            *findings.reduced_precision(facts.dtypes),
            *findings.places(list(facts.dtypes), groups),
        ]


class Facts(NamedTuple):
    """What a pass has shown of the layers of a model."""

    dtypes: Mapping[str, str]
    batches: int
    irregular: Mapping[str, int]
    ran: Iterable[str]
    given: Mapping[str, str]
    ignored_mask: str | None

    def check(self, where: str) -> None:
        """Raise if no layer has a row for every sample."""
        if not self.dtypes:
            raise ValueError(
                checks.message(
                    where,
                    "layers",
                    "select at least one module that every batch runs",
                    findings.in_batches(self.irregular, self.batches),
                )
            )


class Collector:
    """The layers of one model in memory, batch after batch.

    Attributes
    ----------
    batches : int
        How many batches were added.
    ignored_mask : str or None
        The name of a mask that the batches seem to hold and the model was not given.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._parts: dict[str, list[Array]] = {}
        self._times: Counter[str] = Counter()
        self.batches = 0
        self.ignored_mask: str | None = None

    def stored(self, index: int) -> tuple[str, tuple[int, ...] | None] | None:
        """Return fingerprint and counts of a batch that need not be run again: none in memory."""
        return None

    def add(self, outputs: Sequence[Output], labelled: Labelled) -> None:
        """Add what the model gave for a batch."""
        given: dict[str, Array] = {output.name: output.kept.rows for output in outputs}
        if self.batches == 0:
            self._shapes = {name: tuple(x.shape[1:]) for name, x in given.items()}
        self._times.update(given.keys())
        self.batches += 1
        # A layer that is missing once has no row for every sample: what it gave so far is let go.
        self._shapes = {name: shape for name, shape in self._shapes.items() if name in given}
        regular = {name: given[name] for name in self._shapes}
        self._check_rows(regular, labelled.total)
        for name, x in regular.items():
            self._check_shape(name, x)
        chosen = labelled.chosen
        if chosen is not None:
            regular = {name: _take(x, chosen) for name, x in regular.items()}
        self.keep(regular, labelled)

    def keep(self, layers: Mapping[str, Array], labelled: Labelled) -> None:
        """Keep the rows of a batch that were chosen."""
        self._parts = {name: [*self._parts.get(name, ()), x] for name, x in layers.items()}

    def result(self, made: Made, named: Mapping[str, str]) -> Activations:
        """Return what was collected, once the pass is over."""
        irregular, whole = self.irregular(), dict(self.layers())
        facts = Facts(
            {name: array.dtype_name(x) for name, x in whole.items()},
            self.batches,
            irregular,
            made.recorder.ran,
            made.recorder.given,
            self.ignored_mask,
        )
        facts.check(self._where)
        return Activations(
            whole,
            ids=made.rows.ids,
            digests=made.rows.digests,
            groups=made.rows.groups,
            shuffled=made.shuffled,
            pool=made.pool,
            findings=made.findings(facts, made.rows.groups),
            provenance=made.provenance(self.batches, named),
        )

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

    def _check_shape(self, name: str, x: Array) -> None:
        shape = self._shapes[name]
        if shape != tuple(x.shape[1:]):
            raise ValueError(
                checks.message(
                    self._where,
                    "layers",
                    "give the same shape for every sample",
                    f"`{name}` {tuple(x.shape[1:])} in batch {self.batches} after {shape}",
                    "Pool what varies with pool=callable, or pad every batch to one size.",
                )
            )


def counts(where: str, outputs: Mapping[Any, Sequence[Output]]) -> tuple[int, ...] | None:
    """Return how many rows each sample of a batch gave, the same in every layer and model.

    None where every sample is one row.
    """
    every = [(each.name, each.kept.counts) for given in outputs.values() for each in given]
    for name, each in every[1:]:
        if each != every[0][1]:
            seen = [f"`{layer}` {_per_sample(k)}" for layer, k in (every[0], (name, each))]
            raise ValueError(
                checks.message(
                    where,
                    "layers",
                    "give as many rows per sample as each other",
                    listed(seen),
                    "Tokens or places of layers (or models) of different size do not correspond: "
                    "extract them one by one.",
                )
            )
    return every[0][1] if every else None


def _per_sample(counts: tuple[int, ...] | None) -> str:
    if counts is None:
        return "1 row"
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{low} rows" if low == high else f"{low} to {high} rows"


def _take(x: Array, rows: np.ndarray) -> Array:
    xp = array.namespace(x)
    return xp.take(x, xp.asarray(rows, device=array.device(x)), axis=0)
