"""Orders of the rows for permutation tests: any, inside of classes, or shifts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array


def orders(
    random: np.random.Generator,
    rows: int,
    n: int,
    classes: list[np.ndarray] | None,
    *,
    series: bool,
) -> Iterator[np.ndarray]:
    """Yield orders of the rows, the identity first: n, or with `series` one for each shift."""
    plain = np.arange(rows)
    if series:
        yield from (np.roll(plain, -shift) for shift in range(rows))
        return
    yield plain
    for _ in range(n - 1):
        if classes is None:
            yield random.permutation(rows)
        else:
            order = plain.copy()
            for members in classes:
                order[members] = random.permutation(members)
            yield order


def classes_of(
    where: str, labels: Sequence[Any] | Array, rows: int, name: str = "within"
) -> list[np.ndarray]:
    """Return the rows of each class, at least one of which has two."""
    listed = array.to_numpy(labels).tolist() if array.is_array(labels) else list(labels)
    if len(listed) != rows:
        expected = f"have one entry per row ({rows})"
        raise ValueError(checks.message(where, name, expected, f"{len(listed)}"))
    found: dict[Any, list[int]] = {}
    for row, label in enumerate(listed):
        found.setdefault(label, []).append(row)
    if all(len(members) == 1 for members in found.values()):
        expected = "put at least two samples into one class"
        raise ValueError(checks.message(where, name, expected, "every sample alone"))
    return [np.array(members) for members in found.values()]
