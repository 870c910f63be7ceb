"""Sums on disk, as safetensors."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import array, files
from visavis._core.errors import StoreFormatError
from visavis._core.types import Array
from visavis.stats.sums import Sums

KIND, FORMAT = "visavis.moments", "1"


def save(path: str | Path, sums: Sums | None, *, dtypes: tuple[str, ...], products: str) -> Path:
    """Write sums to a safetensors file and return its path."""
    from safetensors.numpy import save_file

    tensors = {} if sums is None else named(sums)
    header = {"n": sums.n if sums else 0, "dtypes": dtypes, "products": products}
    metadata = {"kind": KIND, "format": FORMAT, "state": json.dumps(header)}
    with files.atomic(path) as part:
        save_file(
            {key: array.to_numpy(value).copy() for key, value in tensors.items()}, part, metadata
        )
    return Path(path)


def load(path: str | Path, *, like: Array | None) -> tuple[Sums | None, tuple[str, ...], str]:
    """Read what `save` wrote: the sums, the dtypes and the precision of the products."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise StoreFormatError(f"{path} is not a readable safetensors file: {error}.") from error
    if metadata.get("kind") != KIND or metadata.get("format") != FORMAT:
        raise StoreFormatError(
            f"{path} is not a saved Moments of format {FORMAT}: its header says "
            f"{metadata.get('kind', 'nothing')} {metadata.get('format', '')}."
        )
    header = _header(metadata.get("state", ""))
    fault = _fault(header, tensors) if header else "its header does not describe a state"
    if header is None or fault:
        raise StoreFormatError(f"{path} is not a complete Moments: {fault}. Save it again.")
    dtypes = tuple(header["dtypes"])
    if header["n"] == 0:
        return None, dtypes, header["products"]
    if like is not None:
        xp = array.namespace(like)
        tensors = {
            key: array.widen(xp.asarray(value, device=array.device(like)))
            for key, value in tensors.items()
        }
    return restored(tensors, header["n"]), dtypes, header["products"]


def named(sums: Sums) -> dict[str, Array]:
    """Return all that sums hold beside their number of rows, by name."""
    tensors: dict[str, Array] = {}
    for i, reference in enumerate(sums.references):
        tensors[f"reference.{i}"] = reference
        tensors[f"first.{i}"] = sums.first[i]
        tensors[f"unit.{i}"] = array.namespace(reference).asarray(
            sums.units[i], dtype=reference.dtype
        )
    for name in ("second", "third", "fourth"):
        for (i, j), value in getattr(sums, name).items():
            tensors[f"{name}.{i}.{j}"] = value
    return tensors


def restored(tensors: Mapping[str, Array], n: int) -> Sums:
    """Return the sums over n rows that have given these names to what they hold."""
    k = range(sum(key.startswith("reference.") for key in tensors))

    def pairs(name: str) -> dict[tuple[int, int], Array]:
        return {(i, j): tensors[key] for i in k for j in k if (key := f"{name}.{i}.{j}") in tensors}

    return Sums(
        n,
        tuple(tensors[f"reference.{i}"] for i in k),
        tuple(float(tensors[f"unit.{i}"]) for i in k),
        tuple(tensors[f"first.{i}"] for i in k),
        pairs("second"),
        pairs("third"),
        pairs("fourth"),
    )


def _header(text: str) -> dict[str, Any] | None:
    """Return the header of a state, or None if the text is none."""
    try:
        header = json.loads(text)
    except ValueError:
        return None
    if not isinstance(header, dict) or set(header) != {"n", "dtypes", "products"}:
        return None
    n, dtypes = header["n"], header["dtypes"]
    counted = isinstance(n, int) and not isinstance(n, bool) and n >= 0
    known = isinstance(dtypes, list) and all(each in ("float32", "float64") for each in dtypes)
    return header if counted and known and header["products"] in ("float64", "input") else None


def _fault(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> str:
    """Return what is missing, too much or of another shape; nothing if all is there."""
    k = range(len(header["dtypes"]) if header["n"] else 0)
    shapes: dict[str, tuple[int, ...]] = {}
    widths = [tensors[f"reference.{i}"].size if f"reference.{i}" in tensors else 0 for i in k]
    for i in k:
        shapes |= {f"reference.{i}": (widths[i],), f"first.{i}": (widths[i],), f"unit.{i}": ()}
        for j in k:
            shapes[f"third.{i}.{j}"] = (widths[i],)
            if i <= j:
                shapes |= {f"second.{i}.{j}": (widths[i], widths[j]), f"fourth.{i}.{j}": ()}
    for name in sorted(shapes.keys() | tensors.keys()):
        if name not in shapes or name not in tensors:
            return f"{name} is {'missing' if name in shapes else 'no part of it'}"
        if tensors[name].shape != shapes[name]:
            return f"{name} has shape {tensors[name].shape}, not {shapes[name]}"
    return ""
