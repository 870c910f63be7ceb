"""Findings of several comparisons, each said once, the worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from visavis.results import Comparison, Finding

# Entries of evidence that are lists are cut after so many.
_LISTED = 8

GRAVITY = {
    "error": ("Errors", "A value is missing, or must not be used."),
    "warning": ("Warnings", "The numbers stand, but may mislead."),
    "info": ("Notes", "Good to know."),
}


@dataclass(frozen=True)
class Told:
    """A finding, and the comparisons that have it; none if all have."""

    finding: Finding
    labels: tuple[str, ...]

    @property
    def evidence(self) -> str:
        """The numbers behind the message, as text."""
        shown = {key: _evidence(value) for key, value in self.finding.evidence.items()}
        return ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in shown.items() if text)


@dataclass(frozen=True)
class Group:
    """The findings of one severity, in the order of their codes."""

    severity: str
    title: str
    meaning: str
    told: tuple[Told, ...]


def _evidence(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−") if isfinite(value) else ""
    if isinstance(value, list | tuple):
        listed = [_evidence(each) for each in value[:_LISTED]]
        return ", ".join(listed + ["..."] * (len(value) > _LISTED))
    return "" if isinstance(value, Mapping) else str(value)


def grouped(comparisons: Mapping[str, Comparison]) -> list[Group]:
    """Return the findings by severity, errors first; the same finding of two comparisons is one."""
    owners: dict[tuple[str, ...], tuple[Finding, list[str]]] = {}
    for label, comparison in comparisons.items():
        for finding in comparison.findings:
            key = (finding.code, finding.severity, finding.message, finding.cure, *finding.layers)
            owners.setdefault(key, (finding, []))[1].append(label)
    told = [
        Told(finding, () if len(labels) == len(comparisons) else tuple(labels))
        for finding, labels in owners.values()
    ]
    told.sort(key=lambda each: each.finding.code)
    groups = [
        Group(
            severity, *GRAVITY[severity], tuple(t for t in told if t.finding.severity == severity)
        )
        for severity in GRAVITY
    ]
    return [group for group in groups if group.told]


def tally(groups: Sequence[Group]) -> str:
    """Return how many findings there are of each severity, in words."""
    nouns = {"error": "error", "warning": "warning", "info": "note"}
    counts = [
        f"{len(group.told)} {nouns[group.severity]}{'s' if len(group.told) > 1 else ''}"
        for group in groups
    ]
    return ", ".join(counts) or "none"
