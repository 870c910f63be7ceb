"""Storing: the outputs of every batch written into a store as they come."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models import workers
from visavis.models.collect import Collector, Facts, Made, Output
from visavis.models.passes import Recorder
from visavis.models.rows import Labelled
from visavis.results import Activations
from visavis.store import Journal, Writer, open_part, open_store


class StoringCollector(Collector):
    """The layers of one model on disk, batch after batch; goes on where an earlier run ended.

    Parameters
    ----------
    where : str
        The public function, for messages.
    recorder : Recorder
        The model, whose record of what ran is kept with what was stored.
    writer : Writer
        Where the rows go.
    """

    def __init__(self, where: str, recorder: Recorder, writer: Writer) -> None:
        super().__init__(where)
        self._recorder, self.writer = recorder, writer
        facts = writer.journal.facts
        if facts:
            self._shapes = {name: tuple(shape) for name, (_, shape) in facts["layers"].items()}
            self._dtypes = {name: dtype for name, (dtype, _) in facts["layers"].items()}
            self._times = Counter(facts["times"])
            self.batches = facts["batches"]
            self.ignored_mask = facts["ignored_mask"]
            recorder.ran.update(facts["ran"])
            self.given: dict[str, str] = dict(facts["given"])
        else:
            self._dtypes, self.given = {}, {}

    def stored(self, index: int) -> tuple[str, tuple[int, ...] | None] | None:
        """Return fingerprint and counts of a batch that an earlier run has stored."""
        label = self.writer.stored.get(index)
        if label is None:
            return None
        counts = label["counts"]
        return label["fingerprint"], None if counts is None else tuple(counts)

    def add(self, outputs: Sequence[Output], labelled: Labelled) -> None:
        """Add what the model gave for a batch, unless an earlier run did."""
        if labelled.batch not in self.writer.stored:
            super().add(outputs, labelled)

    def keep(self, layers: Mapping[str, Array], labelled: Labelled) -> None:
        """Write the rows of a batch that were chosen."""
        if not self._dtypes:
            self._dtypes = {name: array.dtype_name(x) for name, x in layers.items()}
        self.given.update(self._recorder.given)
        rows = len(labelled.digests)
        label = {
            "index": labelled.batch,
            "rows": rows,
            "counts": labelled.counts,
            "fingerprint": labelled.fingerprint,
            "ids": _plain(self._where, labelled.ids),
            "digests": labelled.digests,
            "groups": _plain(self._where, labelled.groups),
        }
        self.writer.add(layers, label, self.facts())

    def result(self, made: Made, named: Mapping[str, str]) -> Activations:
        """Finish the part of this worker, and the store if all others are done.

        Returns the whole store, or while others are still at work the rows of this worker.
        """
        writer = self.writer
        writer.finish(self.facts())
        workers.wait()
        journals = writer.everyone()
        if journals is None:
            return open_part(writer.folder, writer.journal)
        facts = joined(journals)
        noticed = Facts(
            {name: dtype for name, (dtype, _) in facts["layers"].items()},
            facts["batches"],
            {name: k for name, k in facts["times"].items() if k < facts["batches"]},
            facts["ran"],
            facts["given"],
            facts["ignored_mask"],
        )
        noticed.check(self._where)
        # Every worker writes the same bytes: it does not matter who is last.
        writer.publish(
            {name: (dtype, tuple(shape)) for name, (dtype, shape) in facts["layers"].items()},
            journals,
            {
                "pool": made.pool,
                "shuffled": made.shuffled,
                "findings": [each.to_dict() for each in made.findings(noticed, made.rows.groups)],
                "provenance": made.provenance(facts["batches"], named),
            },
        )
        workers.wait()
        return open_store(writer.folder)

    def facts(self) -> dict[str, Any]:
        """Return what must be known to go on, or to say what was noticed, in plain JSON types."""
        return {
            "layers": {
                name: [self._dtypes[name], list(shape)] for name, shape in self._shapes.items()
            },
            "times": dict(self._times),
            "batches": self.batches,
            "ignored_mask": self.ignored_mask,
            "ran": sorted(self._recorder.ran),
            "given": self.given,
        }


def joined(journals: Sequence[Journal]) -> dict[str, Any]:
    """Return the facts of all workers as if one had seen every batch."""
    every = [journal.facts for journal in journals if journal.facts.get("batches")]
    first = every[0]
    times: Counter[str] = Counter()
    for facts in every:
        times.update(facts["times"])
    return {
        "layers": {
            name: layer
            for name, layer in first["layers"].items()
            if all(facts["layers"].get(name) == layer for facts in every)
        },
        "times": dict(times),
        "batches": sum(facts["batches"] for facts in every),
        "ignored_mask": next((f["ignored_mask"] for f in every if f["ignored_mask"]), None),
        "ran": sorted({name for facts in every for name in facts["ran"]}),
        "given": {name: module for facts in every for name, module in facts["given"].items()},
    }


def storing(
    where: str,
    recorder: Recorder,
    into: str | Path,
    key: object,
    about: Mapping[str, Any],
    turn: tuple[int, int],
) -> StoringCollector:
    """Return what collects the layers of a model in a folder, with what is there already.

    Parameters
    ----------
    where : str
        The public function, for messages.
    recorder : Recorder
        The model.
    into : str or Path
        The folder; the one of the model in it where `key` is not None.
    key : object
        What the model is called among several.
    about : mapping
        The options that decide the content.
    turn : (int, int)
        Which worker of how many.
    """
    settings = {
        **about,
        "layers": recorder.selection.description,
        **{key: str(value) for key, value in recorder.provenance.items()},
    }
    folder = Path(into) if key is None else Path(into) / _folder(where, key)
    return StoringCollector(where, recorder, Writer(where, folder, settings, turn))


def _folder(where: str, key: object) -> str:
    """Return the name of the folder of one of several models."""
    name = str(key)
    if not name or name in (".", "..") or Path(name).name != name or "\\" in name:
        expected = "have names that can be folders, to be stored"
        raise ValueError(checks.message(where, "model", expected, repr(name)))
    return name


def _plain(where: str, ids: list[Any] | None) -> list[Any] | None:
    if ids is None:
        return None
    for identity in ids:
        parts = identity if isinstance(identity, tuple) else (identity,)
        if not all(isinstance(part, str | int | float) or part is None for part in parts):
            expected = "be text or numbers, to be stored"
            seen = f"{identity!r}, a {type(identity).__name__}"
            raise TypeError(checks.message(where, "ids", expected, seen, "Write them as text."))
    return [list(each) if isinstance(each, tuple) else each for each in ids]
