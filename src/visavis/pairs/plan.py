"""How a comparison is computed, as a value that can be read before any work."""

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

from visavis._core import checks, text
from visavis.measures import Measure

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Part:
    """How some of the measures are computed.

    Parameters
    ----------
    measures : tuple of str
        Their labels.
    form : str
        What each representation is turned into once: ``"gram"``, ``"features"``, ``"axes"`` ... ;
        ``"tiles"`` if Gram matrices exist one tile at a time; ``"moments"`` if one pass over the
        samples adds up the products of their features.
    preparations, pairs : int
        How many representations are prepared (again in every group), and how many pairs meet.
    operations : float
        Multiplications and additions, about.
    memory : int
        Bytes at the peak of one task, beside the layers that are in memory already.
    groups : pair of int
        Into how many groups the layers of each side are divided; a task compares two groups.
    rows : int
        Rows of a tile, or of a batch of a pass; 0 without either.
    tasks : int
        How many pieces of work there are.
    """

    measures: tuple[str, ...]
    form: str
    preparations: int
    pairs: int
    operations: float
    memory: int
    groups: tuple[int, int] = (1, 1)
    rows: int = 0
    tasks: int = 1


@dataclass(frozen=True)
class Plan:
    """How a comparison is computed.

    Parameters
    ----------
    samples : int
        Number of samples.
    layers : pair of int
        Number of layers of each side.
    parts : tuple of Part
        What is computed together.
    budget : int, optional
        Bytes that may be used.
    workers : int
        How many tasks run at once.
    rate : float
        Operations in a second, from a product timed just now; NaN where none was.
    """

    samples: int
    layers: tuple[int, int]
    parts: tuple[Part, ...]
    budget: int | None
    workers: int
    rate: float

    @property
    def operations(self) -> float:
        """Multiplications and additions of all parts."""
        return sum(part.operations for part in self.parts)

    @property
    def memory(self) -> int:
        """Bytes at the peak, beside the layers that are in memory already."""
        return self.workers * max(part.memory for part in self.parts)

    @property
    def seconds(self) -> float:
        """Expected time, about: products at the rate of a product."""
        return self.operations / self.rate

    def of(self, measure: Measure) -> dict[str, Any]:
        """Return how one measure is computed, as plain JSON types."""
        part = next(each for each in self.parts if measure.label in each.measures)
        found = {key: value for key, value in asdict(part).items() if key != "measures"}
        if not part.rows:
            found.pop("rows")
        return {**found, "groups": list(part.groups), "operations": float(f"{part.operations:.3g}")}

    def __str__(self) -> str:
        head = (
            f"{self.layers[0]} x {self.layers[1]} layers, {self.samples} samples: about "
            f"{_short(self.operations)} operations, {text.size(self.memory)} and "
            f"{text.duration(self.seconds)}"
        )
        if self.budget is not None:
            head += f" (budget {text.size(self.budget)})"
        return "\n".join([head, *(_line(part) for part in self.parts)])


def _line(part: Part) -> str:
    what = part.form
    if part.rows:
        what += f" of {part.rows} rows"
    split = ""
    if part.groups != (1, 1):
        split = f", layers in {part.groups[0]} x {part.groups[1]} groups"
    tasks = f", {part.tasks} tasks" if part.tasks > 1 else ""
    return (
        f"  {', '.join(part.measures)}: {what}, {part.preparations} preparations, "
        f"{part.pairs} pairs{split}{tasks}"
    )


def _short(number: float) -> str:
    exponent = int(math.log10(max(number, 1)))
    return f"{number / 10**exponent:.1f}e{exponent}"


def budget(where: str, memory: str | float | None) -> int | None:
    """Return a number of bytes from a number or a text such as ``"4GB"``."""
    if memory is None:
        return None
    if isinstance(memory, int | float) and not isinstance(memory, bool) and memory > 0:
        return int(memory)
    found = re.fullmatch(r"\s*([\d.]+)\s*([KMGT]?)i?B?\s*", str(memory), re.IGNORECASE)
    try:
        if found is None:
            raise ValueError
        size = int(float(found[1]) * _UNITS[found[2].upper()])
        if size <= 0:
            raise ValueError
    except ValueError:
        expected = 'be a number of bytes, or a text such as "4GB"'
        raise ValueError(checks.message(where, "memory", expected, repr(memory))) from None
    return size
