"""A simulation, its counts so far, and the file in which they are kept.

A study draws data again and again and counts, for each of its cells, how often something was so.
Repetition k of a study has a seed of its own, made of the study's name and k, so that a run may
stop anywhere, and go on with the next repetition another day: the counts are those of one run.
"""

import json
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# What one repetition counts in one cell: 0 or 1, or a number whose mean is of interest.
Counts = dict[str, float]


@dataclass(frozen=True)
class Study:
    """One simulation.

    Parameters
    ----------
    name : str
        What its seeds are made of.
    repetitions : int
        How many are wanted.
    run : callable
        ``run(random)``: the counts of one repetition, by cell.
    facts : dict
        What is true of each cell, such as its population value.
    """

    name: str
    repetitions: int
    run: Callable[[np.random.Generator], dict[str, Counts]]
    facts: dict[str, dict[str, Any]]


def generator(name: str, repetition: int) -> np.random.Generator:
    """Return the source of random numbers of one repetition of a study."""
    return np.random.default_rng([zlib.crc32(name.encode()), repetition])


def load(path: Path) -> dict[str, Any]:
    """Return the counts so far: study → done, cells → counts."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def save(path: Path, held: dict[str, Any]) -> None:
    """Write the counts, a line for each cell, whole or not at all."""
    studies = []
    for name in sorted(held):
        cells = ",\n".join(
            f"  {_line(cell)}: {_line(counts)}" for cell, counts in held[name]["cells"].items()
        )
        done = held[name]["done"]
        studies.append(f'{_line(name)}: {{"done": {done}, "cells": {{\n{cells}\n}}}}')
    beside = path.with_suffix(".part")
    beside.write_text("{\n" + ",\n".join(studies) + "\n}\n", "utf-8")
    beside.replace(path)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def added(record: dict[str, Any], study: Study, repetition: int) -> None:
    """Add one repetition to the counts of a study."""
    for cell, counts in study.run(generator(study.name, repetition)).items():
        sums = record["cells"].setdefault(cell, {"repetitions": 0, **study.facts.get(cell, {})})
        sums["repetitions"] += 1
        for key, count in counts.items():
            whole = isinstance(count, bool | np.bool_)
            sums[key] = sums.get(key, 0) + (int(count) if whole else round(float(count), 6))
    record["done"] = repetition + 1


def run(
    studies: Iterable[Study],
    path: Path,
    *,
    repetitions: int | None = None,
    minutes: float = float("inf"),
) -> None:
    """Bring every study to its number of repetitions, the file up to date all the while."""
    held = load(path)
    end = time.monotonic() + 60 * minutes
    saved = time.monotonic()
    for study in studies:
        record = held.setdefault(study.name, {"done": 0, "cells": {}})
        wanted = study.repetitions if repetitions is None else repetitions
        start, before = time.monotonic(), record["done"]
        for repetition in range(before, wanted):
            added(record, study, repetition)
            if time.monotonic() - saved > 20:
                save(path, held)
                saved = time.monotonic()
            if time.monotonic() > end:
                save(path, held)
                return
        if record["done"] > before:
            save(path, held)
            spent = time.monotonic() - start
            print(f"{study.name}: {record['done']}, {spent:.0f} s", file=sys.stderr, flush=True)
