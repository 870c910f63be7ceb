"""Findings: what a result wants its reader to know, under stable codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from visavis._core import checks

Severity = Literal["info", "warning", "error"]

CODES: Mapping[str, str] = MappingProxyType(
    {
        "VV001": "sample ids do not match",
        "VV002": "few samples",
        "VV003": "biased estimate where chance is high",
        "VV004": "one direction dominates",
        "VV005": "few rows carry the score",
        "VV006": "constant, dead or never-executed layer",
        "VV007": "shuffled loader without shared iteration",
        "VV008": "rows are not independent",
        "VV009": "score explained by class labels",
        "VV010": "bootstrap with replacement",
        "VV011": "best of many layers, uncorrected",
        "VV012": "padding without a mask",
        "VV013": "module in training mode",
        "VV014": "saturated measure",
        "VV015": "reduced precision",
        "VV016": "duplicate rows",
        "VV017": "measures disagree",
        "VV018": "score explained by the inputs",
        "VV019": "score decided by the scale of features",
    }
)
"""Every code and its short title; the codes never change their meaning."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the reader of a result should know.

    Parameters
    ----------
    code : str
        A key of `CODES`.
    message : str
        What was seen, in plain words, with its numbers.
    cure : str
        What to do about it.
    severity : {"info", "warning", "error"}
        ``"error"`` means that a value is missing or must not be used.
    layers : tuple of str
        The names of the layers that it is about.
    evidence : mapping of str to float, int or str
        The numbers behind the message.
    """

    code: str
    message: str
    cure: str = ""
    severity: Severity = "warning"
    layers: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.option("Finding", "code", self.code, tuple(CODES))
        checks.option("Finding", "severity", self.severity, get_args(Severity))

    @property
    def title(self) -> str:
        """The short title of the code."""
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.code} {self.title}: {self.message}{' ' + self.cure if self.cure else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON types."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "cure": self.cure,
            "layers": list(self.layers),
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Finding":
        """Return the finding that `to_dict` described."""
        return cls(
            code=data["code"],
            message=data["message"],
            cure=data["cure"],
            severity=data["severity"],
            layers=tuple(data["layers"]),
            evidence=dict(data["evidence"]),
        )


def silence(findings: Iterable[Finding], codes: Iterable[str]) -> tuple[Finding, ...]:
    """Return the findings whose code is not among `codes`."""
    silenced = frozenset([codes] if isinstance(codes, str) else codes)
    for code in silenced:
        checks.option("silence", "codes", code, tuple(CODES))
    return tuple(finding for finding in findings if finding.code not in silenced)
