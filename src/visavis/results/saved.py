"""Results as JSON that any parser reads, and back."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis._core.files import atomic

FORMAT = 1

# What reading a file may meet that is not one of ours, or was cut, or was made to do harm.
_NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return a value as JSON types.

    JSON has no NaN and no infinity: NaN becomes null and infinity a string, because a file that any
    parser reads beats Python's dialect of it. What has no JSON type becomes its text.

    Examples
    --------
    >>> plain({"chance": (0.5, float("nan"), float("-inf")), 1: Path("runs")})
    {'chance': [0.5, None, '-inf'], '1': 'runs'}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | None) else str(value)


def table(rows: Sequence[Sequence[Any]], shape: tuple[int, int]) -> np.ndarray:
    """Return the array that `plain` made lists of.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    values = [[math.nan if value is None else float(value) for value in row] for row in rows]
    if [len(row) for row in values] != [shape[1]] * shape[0]:
        raise ValueError(f"a table has not the shape {shape} of its layers")
    return np.asarray(values, dtype=np.float64).reshape(shape)


def write(path: str | Path, kind: str, data: Mapping[str, Any]) -> Path:
    """Write `data`, of plain JSON types, to a file that says what it holds; return its path."""
    path = Path(path)
    text = json.dumps({"visavis": kind, "format": FORMAT, "data": data}, indent=1, allow_nan=False)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return path


def read(path: str | Path, kind: str, build: Callable[[Any], T]) -> T:
    """Return what `build` makes of the data in a file that `write` wrote.

    Raises
    ------
    StoreFormatError
        If the file is not one, holds another kind, or was written by a newer version.
    """
    path = Path(path)
    try:
        envelope = json.loads(path.read_text(encoding="utf-8"))
        if envelope["visavis"] != kind:
            raise StoreFormatError(f"{path} holds a {envelope['visavis']}, not a {kind}.")
        if envelope["format"] > FORMAT:
            raise StoreFormatError(
                f"{path} has format {envelope['format']}; this version reads up to {FORMAT}. "
                "Upgrade visavis."
            )
        return build(envelope["data"])
    except StoreFormatError:
        raise
    except _NOT_OURS as error:
        raise StoreFormatError(f"{path} is not a saved {kind}: {error!r}.") from error
