"""What a grounding test found: scores with intervals, and whether a measure passes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visavis._core.extras import require
from visavis._core.text import printable
from visavis.results import Finding, Interval, saved

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Score:
    """One score of one measure.

    Parameters
    ----------
    measure : str
        The measure with its options.
    name : str
        What the score is: ``"AUPRC"``, ``"conformity"``, ``"Spearman ρ"``.
    interval : Interval
        Its value; the interval is over nets. NaN where there is no value, or no interval.
    chance : float
        What a measure that knows nothing scores.
    pvalue : float or None
        How often chance scores as much; None where the interval alone decides.
    reason : str
        Why there is no value or no interval.
    """

    measure: str
    name: str
    interval: Interval
    chance: float
    pvalue: float | None = None
    reason: str = ""

    @property
    def value(self) -> float:
        """The score."""
        return self.interval.value

    @property
    def passed(self) -> bool | None:
        """Whether the score is above chance for sure; None where that cannot be said.

        The lower end of the interval lies above chance and, where there is a p-value, it is no
        larger than one minus the level of the interval.
        """
        if math.isnan(self.interval.low):
            return None
        likely = self.pvalue is not None and self.pvalue > 1 - self.interval.level + 1e-12
        return self.interval.low > self.chance and not likely

    def __str__(self) -> str:
        return f"{self.measure}, {self.name}: {self.interval}, chance {self.chance:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain JSON types."""
        return saved.plain({**asdict(self), "interval": self.interval.to_dict()})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Score":
        """Return the score that `to_dict` described."""
        return cls(
            str(data["measure"]),
            str(data["name"]),
            _interval(data["interval"]),
            _number(data["chance"]),
            None if data["pvalue"] is None else float(data["pvalue"]),
            str(data["reason"]),
        )


@dataclass(frozen=True, eq=False)
class Grounding:
    """The outcome of one grounding test for some measures.

    Printed, it is a table.

    Parameters
    ----------
    test : str
        Which test.
    scores : tuple of Score
        Measure by measure.
    nets : tuple of str
        The nets whose representations were looked at: the units of the intervals.
    n : int
        Number of samples.
    settings : mapping
        Seeds, layers, groups and whatever else decides the values.
    findings : tuple of Finding
        What the comparisons behind it say.
    provenance : mapping
        Versions.
    """

    test: str
    scores: tuple[Score, ...]
    nets: tuple[str, ...]
    n: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures, in the order in which they were asked for."""
        return tuple(dict.fromkeys(score.measure for score in self.scores))

    @property
    def passed(self) -> dict[str, bool | None]:
        """Which measures pass: those of which every score is above chance for sure.

        None for a measure of which that cannot be said, because a score or its interval is missing.
        """
        return {measure: _all(self.of(measure)) for measure in self.measures}

    def of(self, measure: str) -> tuple[Score, ...]:
        """Return the scores of one measure."""
        return tuple(score for score in self.scores if score.measure == measure)

    def __getitem__(self, pair: tuple[str, str]) -> Score:
        """Return one score: ``found["cka", "AUPRC"]``."""
        for score in self.scores:
            if (score.measure, score.name) == pair:
                return score
        known = [(score.measure, score.name) for score in self.scores]
        raise KeyError(f"{pair!r} is not among {known}")

    def __repr__(self) -> str:
        level = self.scores[0].interval.level if self.scores else math.nan
        head = (
            f"{self.test}: {len(self.nets)} nets, {self.n} samples, intervals of {100 * level:g} %"
        )
        body = aligned(
            [
                ("measure", "score", "value", "interval", "chance", "p", "passes"),
                *(_line(score) for score in self.scores),
            ]
        )
        reasons = [
            f"{score.measure}, {score.name}: {score.reason}"
            for score in self.scores
            if score.reason
        ]
        return "\n".join(printable(line) for line in [head, *body, *reasons])

    def to_frame(self) -> "pd.DataFrame":
        """Return one line per measure and score."""
        pandas = require("pandas", extra="tables", purpose="Grounding.to_frame")
        return pandas.DataFrame(
            [
                {
                    "test": self.test,
                    "measure": score.measure,
                    "score": score.name,
                    "value": score.value,
                    "low": score.interval.low,
                    "high": score.interval.high,
                    "chance": score.chance,
                    "pvalue": math.nan if score.pvalue is None else score.pvalue,
                    "passed": score.passed,
                    "reason": score.reason,
                }
                for score in self.scores
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types."""
        return saved.plain(
            {
                "test": self.test,
                "nets": self.nets,
                "n": self.n,
                "scores": [score.to_dict() for score in self.scores],
                "settings": self.settings,
                "findings": [finding.to_dict() for finding in self.findings],
                "provenance": self.provenance,
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Grounding":
        """Return the outcome that `to_dict` described."""
        return cls(
            test=str(data["test"]),
            scores=tuple(Score.from_dict(each) for each in data["scores"]),
            nets=tuple(map(str, data["nets"])),
            n=int(data["n"]),
            settings=dict(data["settings"]),
            findings=tuple(Finding.from_dict(each) for each in data["findings"]),
            provenance=dict(data["provenance"]),
        )

    def save(self, path: str | Path) -> Path:
        """Write the outcome to a JSON file, whole or not at all, and return its path."""
        return saved.write(path, "grounding", self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "Grounding":
        """Read an outcome that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(path, "grounding", cls.from_dict)


WORDS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "-"}


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of text as lines with columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _line(score: Score) -> tuple[str, ...]:
    low, high = score.interval.low, score.interval.high
    return (
        score.measure,
        score.name,
        "-" if math.isnan(score.value) else f"{score.value:.3f}",
        "-" if math.isnan(low) else f"[{low:.3f}, {high:.3f}]",
        f"{score.chance:.3f}",
        "-" if score.pvalue is None else f"{score.pvalue:.2g}",
        WORDS[score.passed],
    )


def _all(scores: Sequence[Score]) -> bool | None:
    told = [score.passed for score in scores]
    if False in told:
        return False
    return None if None in told else True


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _interval(data: Mapping[str, Any]) -> Interval:
    return Interval(
        *(_number(data[key]) for key in ("value", "low", "high", "level", "standard_error")),
        n=int(data["n"]),
        method=str(data["method"]),
        findings=tuple(Finding.from_dict(each) for each in data["findings"]),
        evidence={str(key): _number(value) for key, value in data["evidence"].items()},
    )
