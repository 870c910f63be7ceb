"""Sums on disk, as safetensors."""

import json
from pathlib import Path

from visavis._core import array, files
from visavis._core.errors import StoreFormatError
from visavis._core.types import Array
from visavis.stats.sums import Sums

KIND, FORMAT = "visavis.moments", "1"


def save(path: str | Path, sums: Sums | None, dtypes: tuple[str, ...]) -> Path:
    """Write sums to a safetensors file and return its path."""
    from safetensors.numpy import save_file

    tensors: dict[str, Array] = {}
    if sums is not None:
        for i, reference in enumerate(sums.references):
            tensors[f"reference.{i}"] = reference
            tensors[f"first.{i}"] = sums.first[i]
            tensors[f"unit.{i}"] = array.namespace(reference).asarray(
                sums.units[i], dtype=reference.dtype
            )
        for name in ("second", "third", "fourth"):
            for (i, j), value in getattr(sums, name).items():
                tensors[f"{name}.{i}.{j}"] = value
    header = {"n": sums.n if sums else 0, "dtypes": dtypes}
    metadata = {"kind": KIND, "format": FORMAT, "state": json.dumps(header)}
    with files.atomic(path) as part:
        save_file(
            {key: array.to_numpy(value).copy() for key, value in tensors.items()}, part, metadata
        )
    return Path(path)


def load(
    path: str | Path, *, like: Array | None
) -> tuple[Sums | None, tuple[tuple[Array, ...], ...], tuple[str, ...]]:
    """Read what `save` wrote: the sums, nothing waiting, and the dtypes."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("kind") != KIND or metadata.get("format") != FORMAT:
                raise StoreFormatError(
                    f"{path} is not a saved Moments of format {FORMAT}: its header says "
                    f"{metadata.get('kind', 'nothing')} {metadata.get('format', '')}."
                )
            header = json.loads(metadata["state"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise StoreFormatError(f"{path} is not a readable safetensors file: {error}.") from error
    if header["n"] == 0:
        return None, (), tuple(header["dtypes"])
    if like is not None:
        xp = array.namespace(like)
        tensors = {
            key: array.widen(xp.asarray(value, device=array.device(like)))
            for key, value in tensors.items()
        }
    parts: dict[str, dict[tuple[int, ...], Array]] = {}
    for key, value in tensors.items():
        name, *index = key.split(".")
        parts.setdefault(name, {})[tuple(int(i) for i in index)] = value
    k = range(len(parts["reference"]))
    sums = Sums(
        header["n"],
        tuple(parts["reference"][i,] for i in k),
        tuple(float(parts["unit"][i,]) for i in k),
        tuple(parts["first"][i,] for i in k),
        {(i, j): value for (i, j), value in parts["second"].items()},
        {(i, j): value for (i, j), value in parts["third"].items()},
        {(i, j): value for (i, j), value in parts["fourth"].items()},
    )
    return sums, (), tuple(header["dtypes"])
