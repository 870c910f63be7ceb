"""The manifest of a store: what it holds, where, and under which checksums."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavis._core import files
from visavis._core.errors import StoreFormatError
from visavis.store.shards import Shard

NAME, LABELS = "manifest.json", "labels.json"
FORMAT, VERSION = "visavis.activations", 1
_FILE = re.compile(r"shard-\d{4}-\d{6}\.safetensors")


@dataclass(frozen=True)
class Manifest:
    """What a complete store holds.

    Parameters
    ----------
    layers : mapping of str to (str, tuple of int)
        Dtype and shape of one row of every layer, in execution order.
    shards : tuple of Shard
        The files.
    facts : mapping
        What else `visavis.Activations` carry: pool, shuffled, findings, provenance; and the
        settings of the extraction.
    """

    layers: Mapping[str, tuple[str, tuple[int, ...]]]
    shards: tuple[Shard, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(shard.rows for shard in self.shards)


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest: from then on the store is complete."""
    write(
        folder / NAME,
        {
            "format": FORMAT,
            "version": VERSION,
            "rows": manifest.rows,
            "layers": [
                {"name": name, "dtype": dtype, "shape": list(shape)}
                for name, (dtype, shape) in manifest.layers.items()
            ],
            "shards": [plain(shard) for shard in manifest.shards],
            **manifest.facts,
        },
    )


def load(folder: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    StoreFormatError
        If it is no manifest of this format, or names files outside of its folder.
    """
    path = folder / NAME
    content = read(path)
    if content.get("format") != FORMAT:
        raise StoreFormatError(f"store: {path} is no manifest of activations.")
    if content.get("version") != VERSION:
        raise StoreFormatError(
            f"store: {path} has version {content.get('version')!r}, and this visavis reads "
            f"{VERSION}. Update visavis, or extract again."
        )
    try:
        layers = {
            str(each["name"]): (str(each["dtype"]), tuple(int(k) for k in each["shape"]))
            for each in content["layers"]
        }
        shards = tuple(shard(folder, each) for each in content["shards"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreFormatError(f"store: {path} is damaged: {error!r}.") from error
    known = {"format", "version", "rows", "layers", "shards"}
    manifest = Manifest(layers, shards, {k: v for k, v in content.items() if k not in known})
    if manifest.rows != content.get("rows"):
        raise StoreFormatError(f"store: {path} is damaged: its shards do not add up to its rows.")
    return manifest


def plain(shard: Shard) -> dict[str, Any]:
    """Return a shard in plain JSON types."""
    return {
        "file": shard.file,
        "size": shard.size,
        "sha256": shard.sha256,
        "batches": [list(each) for each in shard.batches],
    }


def shard(folder: Path, entry: Mapping[str, Any]) -> Shard:
    """Return a shard from plain JSON types; StoreFormatError if it names a foreign file."""
    name = str(entry["file"])
    if not _FILE.fullmatch(name):
        raise StoreFormatError(
            f"store: {folder} names {name!r} as one of its files, which is none of a store: a "
            "manifest may not lead out of its folder."
        )
    batches: Sequence[Sequence[int]] = entry["batches"]
    return Shard(
        name,
        int(entry["size"]),
        str(entry["sha256"]),
        tuple((int(index), int(rows)) for index, rows in batches),
    )


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; StoreFormatError if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreFormatError(f"store: {path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise StoreFormatError(f"store: {path} is damaged: it is no JSON object.")
    return content


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that a reader never sees half of it."""
    with files.atomic(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
