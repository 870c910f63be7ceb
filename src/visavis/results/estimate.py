"""Estimates: a value with what is known of its error, and the outcome of a test."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from visavis.results.finding import Finding


@dataclass(frozen=True)
class Interval:
    """A value with a confidence interval.

    Parameters
    ----------
    value : float
        The estimate from all samples.
    low, high : float
        Ends of the interval.
    level : float
        How often such an interval holds the population value.
    standard_error : float
        The plain leave-one-out standard error.
    n : int
        Number of independent units: samples, or groups of them.
    method : str
        How the interval was made.
    findings : tuple of Finding
        What its reader should know.
    evidence : mapping
        The numbers behind it.
    """

    value: float
    low: float
    high: float
    level: float
    standard_error: float
    n: int
    method: str
    findings: tuple[Finding, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({100 * self.level:g} %)"

    def to_dict(self) -> dict[str, Any]:
        """Return the interval as plain JSON types."""
        return {**asdict(self), "findings": [each.to_dict() for each in self.findings]}


@dataclass(frozen=True)
class TestResult:
    """The outcome of a test.

    Parameters
    ----------
    value : float
        What was seen.
    pvalue : float
        How often a value as extreme is seen under the null hypothesis.
    null_mean, null_std : float
        Mean and standard deviation of the value under the null hypothesis.
    draws : int
        How many values of the null hypothesis were looked at; 0 if it was a formula.
    method : str
        Which test.
    """

    __test__ = False  # the name is the field's; pytest need not look in here

    value: float
    pvalue: float
    null_mean: float
    null_std: float
    draws: int
    method: str

    @property
    def z(self) -> float:
        """How many standard deviations the value lies above the mean of the null hypothesis."""
        return (self.value - self.null_mean) / self.null_std if self.null_std else float("nan")

    def __str__(self) -> str:
        return f"{self.value:.3f}, p = {self.pvalue:.2g} ({self.method})"

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types."""
        return asdict(self)
