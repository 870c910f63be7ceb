"""Stored activations: a store opened for reading, layer by layer."""

import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis.results import Activations, Finding, Lazy
from visavis.store import manifest
from visavis.store.manifest import LABELS, Manifest
from visavis.store.remote import Mirror
from visavis.store.shards import Opened
from visavis.store.writer import Journal


class StoredLayers(Lazy):
    """The layers of a store, read when they are asked for.

    A shard is checked against its checksum before anything of it is used, once. Rows stand in the
    order of the loader, whichever worker stored them.
    """

    def __init__(self, folder: Path, held: Manifest, mirror: Mirror | None = None) -> None:
        self._folder, self._held, self._mirror = folder, held, mirror
        self._opened: dict[str, Opened] = {}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer, known without reading it."""
        return {name: (self._held.rows, *shape) for name, (_, shape) in self._held.layers.items()}

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype in which every layer is stored."""
        return {name: dtype for name, (dtype, _) in self._held.layers.items()}

    def __getitem__(self, layer: str) -> np.ndarray:
        _, shape = self._held.layers[layer]
        values = [part for _, part in sorted(self._parts(layer), key=lambda each: each[0])]
        whole = values[0] if len(values) == 1 else np.concatenate(values)
        if whole.shape != (self._held.rows, *shape):
            raise StoreFormatError(
                f"store: layer {layer!r} of {self._folder} must have shape "
                f"{(self._held.rows, *shape)}, got {whole.shape}: the manifest is not of these "
                "shards."
            )
        return whole

    @property
    def checksum(self) -> str:
        """The checksum of the manifest, which holds those of all shards."""
        return hashlib.sha256((self._folder / manifest.NAME).read_bytes()).hexdigest()

    def sliced(self, layer: str) -> "Pieces":
        """Return what gives rows of a layer by slices, of shards that stay on disk."""
        parts = [part for _, part in sorted(self._parts(layer), key=lambda each: each[0])]
        return Pieces(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by path: no array does."""
        if self._mirror is not None:
            return _from_url, (self._mirror.url,)
        return _from_folder, (str(self._folder.absolute()), self.checksum)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held.layers)

    def __len__(self) -> int:
        return len(self._held.layers)

    def _shard(self, file: str) -> Opened:
        if file not in self._opened:
            shard = next(each for each in self._held.shards if each.file == file)
            if self._mirror is not None:
                self._mirror.fetch(file)
            self._opened[file] = Opened(self._folder, shard)
        return self._opened[file]

    def _parts(self, layer: str) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the rows of a layer by the place of their batch, runs of batches in one piece."""
        for shard in self._held.shards:
            try:
                rows = self._shard(shard.file)[layer]
            except KeyError:
                raise StoreFormatError(
                    f"store: {self._folder / shard.file} lacks layer {layer!r} of the manifest."
                ) from None
            places = [index for index, _ in shard.batches]
            if places and places == list(range(places[0], places[0] + len(places))):
                yield places[0], rows
                continue
            start = 0
            for index, n in shard.batches:
                yield index, rows[start : start + n]
                start += n


class Pieces:
    """Arrays one below the other, of which rows are taken by slices."""

    def __init__(self, parts: list[np.ndarray]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
        self.shape = (self._starts[-1], *parts[0].shape[1:])

    def __getitem__(self, rows: slice) -> np.ndarray:
        first, last, _ = rows.indices(self.shape[0])
        found = [
            part[max(0, first - start) : last - start]
            for part, start in zip(self._parts, self._starts, strict=False)
            if start < last and start + len(part) > first
        ]
        return found[0] if len(found) == 1 else np.concatenate([self._parts[0][:0], *found])


@functools.lru_cache(maxsize=16)
def _from_folder(folder: str, checksum: str) -> StoredLayers:
    # One worker has many tasks of the same store: it is opened, and its shards checked, once.
    layers = StoredLayers(Path(folder), manifest.load(Path(folder)))
    if layers.checksum != checksum:
        raise StoreFormatError(f"store: {folder} is not what it was when the work was planned.")
    return layers


@functools.lru_cache(maxsize=16)
def _from_url(url: str) -> StoredLayers:
    mirror = Mirror(url)
    mirror.fetch(manifest.NAME)
    return StoredLayers(mirror.folder, manifest.load(mirror.folder), mirror)


def load(folder: Path, mirror: Mirror | None = None) -> Activations:
    """Open a store: layers are read when they are asked for.

    Parameters
    ----------
    folder : Path
    mirror : Mirror, optional
        What brings the files to the folder.

    Raises
    ------
    StoreFormatError
        If it is unfinished or damaged.
    """
    if mirror is not None:
        for file in (manifest.NAME, LABELS):
            mirror.fetch(file)
    held = manifest.load(folder)
    layers = StoredLayers(folder, held, mirror)
    facts = held.facts
    labels = _labels(folder, facts.get("labels"))
    return Activations(
        layers,
        ids=_joined(labels, "ids"),
        digests=_joined(labels, "digests"),
        groups=_joined(labels, "groups"),
        shuffled=bool(facts.get("shuffled", False)),
        pool=str(facts.get("pool", "none")),
        findings=[Finding.from_dict(each) for each in facts.get("findings", ())],
        provenance={"name": folder.name, **facts.get("provenance", {}), "store": folder.name},
    )


def part(folder: Path, journal: Journal) -> Activations:
    """Open what one worker has stored, before the store is complete."""
    layers = {
        name: (dtype, tuple(shape)) for name, (dtype, shape) in journal.facts["layers"].items()
    }
    held = Manifest(layers, tuple(journal.shards))
    labels = [each for shard in held.shards for each in Opened(folder, shard, check=False).labels]
    return Activations(
        StoredLayers(folder, held),
        ids=_joined(labels, "ids"),
        digests=_joined(labels, "digests"),
        groups=_joined(labels, "groups"),
        provenance={"name": folder.name, "store": folder.name, "part": True},
    )


def _labels(folder: Path, checksum: object) -> list[dict[str, Any]]:
    """Return who the rows are, batch by batch in the order of the loader."""
    path = folder / LABELS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreFormatError(f"store: {path} cannot be read: {error}.") from error
    if hashlib.sha256(content).hexdigest() != checksum:
        raise StoreFormatError(
            f"store: {path} was changed since it was written: its checksum is not that of the "
            "manifest. Extract again."
        )
    return json.loads(content)


def _joined(labels: list[dict[str, Any]], key: str) -> list[Any] | None:
    if not labels or labels[0].get(key) is None:
        return None
    # JSON has no tuples: the id of a place in a sample comes back as a list.
    return [
        tuple(each) if isinstance(each, list) else each for label in labels for each in label[key]
    ]
