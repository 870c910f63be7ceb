"""Which measures pass which grounding tests."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from visavis._core import checks
from visavis._core.extras import require
from visavis._core.text import printable
from visavis.benchmark.grounding.result import WORDS, Grounding, aligned
from visavis.results import saved

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class GroundingTable:
    """Several grounding tests together. Printed, it is a table of measures and tests.

    Parameters
    ----------
    tests : tuple of Grounding
        Each of another name.

    Examples
    --------
    >>> import numpy as np
    >>> from visavis.benchmark.grounding import GroundingTable, layer_monotonicity
    >>> rng = np.random.default_rng(0)
    >>> runs = {}
    >>> for seed in range(3):
    ...     walk = np.cumsum(rng.normal(size=(4, 200, 10)), axis=0)
    ...     runs[f"seed {seed}"] = {f"layer{k}": X for k, X in enumerate(walk)}
    >>> found = layer_monotonicity(runs, measures=["cka", "procrustes"])
    >>> print(GroundingTable((found,)))
    measure     layer monotonicity
    cka         no 1.000
    procrustes  no 1.000
    """

    tests: tuple[Grounding, ...]

    def __post_init__(self) -> None:
        names = [each.test for each in self.tests]
        if not names or len(set(names)) < len(names):
            expected, seen = "be one or more, each with a name of its own", ", ".join(names)
            raise ValueError(checks.message("GroundingTable", "tests", expected, seen or "none"))

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures of all tests."""
        return tuple(dict.fromkeys(each for test in self.tests for each in test.measures))

    @property
    def passed(self) -> dict[str, dict[str, bool | None]]:
        """For each measure whether it passes each test; None where that cannot be said."""
        return {
            measure: {test.test: test.passed.get(measure) for test in self.tests}
            for measure in self.measures
        }

    def __getitem__(self, test: str) -> Grounding:
        """Return one test by its name."""
        for each in self.tests:
            if each.test == test:
                return each
        raise KeyError(f"{test!r} is not among {[each.test for each in self.tests]}")

    def __repr__(self) -> str:
        head = ("measure", *(test.test for test in self.tests))
        rows = [
            (measure, *(_cell(test, measure) for test in self.tests)) for measure in self.measures
        ]
        return "\n".join(printable(line) for line in aligned([head, *rows]))

    def to_frame(self) -> "pd.DataFrame":
        """Return one line per test, measure and score."""
        pandas = require("pandas", extra="tables", purpose="GroundingTable.to_frame")
        return pandas.concat([test.to_frame() for test in self.tests], ignore_index=True)

    def save(self, path: str | Path) -> Path:
        """Write all tests to one JSON file, whole or not at all, and return its path."""
        tests = [test.to_dict() for test in self.tests]
        return saved.write(path, "grounding-table", {"tests": tests})

    @classmethod
    def load(cls, path: str | Path) -> "GroundingTable":
        """Read the tests that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(
            path,
            "grounding-table",
            lambda data: cls(tuple(Grounding.from_dict(each) for each in data["tests"])),
        )


def _cell(test: Grounding, measure: str) -> str:
    """Return whether a measure passes, with its first score."""
    scores = test.of(measure)
    if not scores:
        return ""
    value = scores[0].value
    shown = "" if math.isnan(value) else f" {value:.3f}"
    return WORDS[test.passed[measure]] + shown
