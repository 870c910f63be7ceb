"""Writing a store while the activations come, so that an end at any moment loses one shard at most.

A worker keeps a journal, ``part-RANK-of-WORLD.json``, that names the shards it has finished. It is
replaced after each shard, in one step; so is the manifest, which the worker that is done last
writes from all journals. What lies in the folder beside what a journal names is left over from a
worker that was killed, and is written again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavis._core import checks, files
from visavis._core.errors import StoreFormatError
from visavis._core.types import Array
from visavis.store import manifest
from visavis.store.manifest import Manifest
from visavis.store.shards import Opened, Shard, write

# Rows wait in memory until a shard is worth a file.
SHARD_BYTES = 2**26


@dataclass
class Journal:
    """What one worker has stored so far.

    Parameters
    ----------
    settings : mapping
        What decides the content: a store is only continued under the same.
    shards : list of Shard
        The finished files.
    facts : mapping
        What must be known to go on, as of the last shard, in plain JSON types.
    complete : bool
        Whether the worker has seen the end of the loader.
    """

    settings: Mapping[str, Any]
    shards: list[Shard] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    complete: bool = False


class Writer:
    """The part of one worker in a store.

    Parameters
    ----------
    where : str
        The public function, for messages.
    folder : Path
        The store; it is made if it does not exist.
    settings : mapping
        See `Journal`, in plain JSON types.
    turn : (int, int)
        Which worker of how many.

    Raises
    ------
    ValueError
        If the folder holds activations of other settings, or something else.
    """

    def __init__(
        self, where: str, folder: Path, settings: Mapping[str, Any], turn: tuple[int, int]
    ) -> None:
        self._where, self.folder, self._turn = where, folder, turn
        folder.mkdir(parents=True, exist_ok=True)
        self._refuse_foreign()
        self.journal = self._found(settings)
        self.stored = {
            label["index"]: label
            for shard in self.journal.shards
            for label in Opened(folder, shard).labels
        }
        for left in folder.glob(f".shard-{turn[0]:04}-*.part"):
            left.unlink(missing_ok=True)
        self._parts: dict[str, list[Array]] = {}
        self._labels: list[dict[str, Any]] = []
        self._bytes = 0

    def add(
        self, layers: Mapping[str, Array], label: dict[str, Any], facts: dict[str, Any]
    ) -> None:
        """Take the rows of a batch in; they are on disk once a shard is full.

        Parameters
        ----------
        layers : mapping of str to array
            The rows of each layer, none that an earlier batch lacked.
        label : dict
            Who the rows are, in plain JSON types, with the place of the batch as ``index``.
        facts : dict
            See `Journal`.
        """
        self._parts = {name: [*self._parts.get(name, ()), x] for name, x in layers.items()}
        self._labels.append(label)
        self._bytes += sum(int(x.nbytes) for x in layers.values())
        if self._bytes >= SHARD_BYTES:
            self._flush(facts)

    def finish(self, facts: dict[str, Any]) -> None:
        """Write what waits, and note that the worker is done."""
        if self._labels:
            self._flush(facts)
        self.journal.complete = True
        self._note(facts)

    def everyone(self) -> list[Journal] | None:
        """Return the journals of all workers, or None while one of them is not done."""
        journals = []
        for rank in range(self._turn[1]):
            path = self._path(rank)
            if not path.exists():
                return None
            journals.append(_journal(self.folder, path))
        return journals if all(each.complete for each in journals) else None

    def publish(
        self,
        layers: Mapping[str, tuple[str, tuple[int, ...]]],
        journals: Sequence[Journal],
        facts: Mapping[str, Any],
    ) -> None:
        """Write the labels of all rows and the manifest; the store is complete then."""
        shards = tuple(shard for journal in journals for shard in journal.shards)
        labels = sorted(
            (label for shard in shards for label in Opened(self.folder, shard, check=False).labels),
            key=lambda label: label["index"],
        )
        text = json.dumps(labels, ensure_ascii=False)
        with self._told(), files.atomic(self.folder / manifest.LABELS) as part:
            part.write_text(text, encoding="utf-8")
        with self._told():
            manifest.save(
                self.folder,
                Manifest(
                    layers,
                    shards,
                    {"labels": hashlib.sha256(text.encode()).hexdigest(), **facts},
                ),
            )

    def _flush(self, facts: dict[str, Any]) -> None:
        name = f"shard-{self._turn[0]:04}-{len(self.journal.shards):06}.safetensors"
        batches = [(label["index"], label["rows"]) for label in self._labels]
        with self._told():
            shard = write(self.folder / name, self._parts, self._labels, batches)
            self.journal.shards.append(shard)
            self._note(facts)
        self._parts, self._labels, self._bytes = {}, [], 0

    def _note(self, facts: dict[str, Any]) -> None:
        self.journal.facts = facts
        content = {
            "format": "visavis.part",
            "version": manifest.VERSION,
            "settings": self.journal.settings,
            "complete": self.journal.complete,
            "facts": facts,
            "shards": [manifest.plain(shard) for shard in self.journal.shards],
        }
        with self._told():
            manifest.write(self._path(self._turn[0]), content)

    def _told(self) -> "_Told":
        return _Told(self._where, self.folder, self.journal)

    def _path(self, rank: int) -> Path:
        return self.folder / f"part-{rank:04}-of-{self._turn[1]:04}.json"

    def _found(self, settings: Mapping[str, Any]) -> Journal:
        path = self._path(self._turn[0])
        if not path.exists():
            return Journal(settings)
        journal = _journal(self.folder, path)
        self._refuse_other(journal.settings, settings)
        return journal

    def _refuse_foreign(self) -> None:
        inside = [each.name for each in self.folder.iterdir()]
        ours = (manifest.NAME, manifest.LABELS, "part-", "shard-", ".")
        foreign = [name for name in inside if not name.startswith(ours)]
        others = [
            name
            for name in inside
            if name.startswith("part-") and not name.endswith(f"-of-{self._turn[1]:04}.json")
        ]
        if foreign or others:
            seen = (
                f"a folder with {', '.join(sorted(foreign)[:3])}"
                if foreign
                else f"a store that another number of workers began ({others[0]})"
            )
            raise ValueError(
                checks.message(
                    self._where,
                    "into",
                    "be a new folder, or one that the same extraction was stored into",
                    seen,
                    "Name another folder.",
                )
            )

    def _refuse_other(self, held: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        given = json.loads(json.dumps(given))
        different = [key for key in {**held, **given} if held.get(key) != given.get(key)]
        if different:
            key = different[0]
            raise ValueError(
                checks.message(
                    self._where,
                    "into",
                    "be a new folder, or hold an extraction with the same settings",
                    f"one in {self.folder} with {key}={held.get(key)!r}, not {given.get(key)!r}",
                    "Name another folder, or delete this one.",
                )
            )


class _Told:
    """Adds to an error of the disk what was stored, and that nothing of it is lost."""

    def __init__(self, where: str, folder: Path, journal: Journal) -> None:
        self._where, self._folder, self._journal = where, folder, journal

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            rows = sum(shard.rows for shard in self._journal.shards)
            reason = error.strerror or str(error)
            raise OSError(
                error.errno,
                f"{self._where}: cannot write into {self._folder}: {reason}. The {rows} rows "
                "stored before are kept: make room (or give permission) and run the same again",
            ) from error


def _journal(folder: Path, path: Path) -> Journal:
    content = manifest.read(path)
    try:
        return Journal(
            dict(content["settings"]),
            [manifest.shard(folder, each) for each in content["shards"]],
            dict(content["facts"]),
            bool(content["complete"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreFormatError(f"store: {path} is damaged: {error!r}.") from error
