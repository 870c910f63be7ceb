"""What a diagnosis looks at: two representations, with what several symptoms need of them."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from visavis._core.types import Array
from visavis.inference.contributions import RowContributions, of_sums
from visavis.inference.principal import Principal
from visavis.inference.row_sums import RowSums
from visavis.kernels import Kernel
from visavis.measures import Measure
from visavis.results import Finding

# A CKA, or a change of one, of this size is worth a word, if it is no chance.
WORTH = 0.1
# How many standard deviations of debiased CKA under permutation are no chance.
SURE = 4.0
# Names of rows or features that a message lists.
LISTED = 10


@dataclass(frozen=True, eq=False)
class Case:
    """Two checked representations that have a CKA.

    Parameters
    ----------
    where : str
        The function that was called.
    X, Y : array, (n, p) and (n, q)
    names : tuple of str
        What the sides are called.
    named : bool
        Whether by their own names, so that findings say which layers they are about.
    ids : tuple, optional
        What the samples are called.
    measure : Measure
        CKA, as it was asked for or as it is.
    kernels : pair of Kernel
        Its kernels.
    """

    where: str
    X: Array
    Y: Array
    names: tuple[str, str]
    named: bool
    ids: tuple[Hashable, ...] | None
    measure: Measure
    kernels: tuple[Kernel, Kernel]

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.X.shape[0])

    @property
    def sides(self) -> tuple[tuple[str, Array], tuple[str, Array]]:
        """Both representations with their names."""
        return (self.names[0], self.X), (self.names[1], self.Y)

    @property
    def label(self) -> str:
        """What the CKA is called in messages."""
        options = {k: v for k, v in self.measure.settings.items() if k != "estimator"}
        kernel = str(options["kernel"])
        return f"{self.estimator} CKA" + ("" if kernel == "linear" else f" (kernel {kernel})")

    @property
    def estimator(self) -> str:
        """Of the CKA."""
        return self.measure.settings["estimator"]

    @cached_property
    def sums(self) -> RowSums:
        """What each row adds to the CKA."""
        return RowSums.of(self.where, self.X, self.Y, self.kernels, self.estimator)

    @cached_property
    def debiased(self) -> RowSums:
        """What each row adds to the debiased one."""
        if self.estimator == "debiased":
            return self.sums
        return RowSums.of(self.where, self.X, self.Y, self.kernels, "debiased")

    @cached_property
    def rows(self) -> RowContributions:
        """What each row brings."""
        return of_sums(self.sums, self.X, self.Y, self.measure)

    @cached_property
    def principal(self) -> tuple[Principal, Principal]:
        """The principal directions of both sides."""
        x, y = (
            Principal.of(self.where, name, each) for name, each in (("X", self.X), ("Y", self.Y))
        )
        return x, y

    @cached_property
    def least(self) -> float:
        """What a debiased CKA, or a change of one, must exceed to be no chance and worth a word."""
        return max(WORTH, SURE * math.sqrt(2 / (self.n * (self.n - 3))))

    def called(self, rows: np.ndarray) -> str:
        """Return what some rows are called, in words."""
        listed = [str(self.ids[row] if self.ids else row) for row in rows[:LISTED].tolist()]
        return ", ".join([*listed, *(["..."] if len(rows) > LISTED else [])])

    def finding(
        self, code: str, message: str, cure: str = "", *, side: int | None = None, **rest: Any
    ) -> Finding:
        """Return a finding about one side, or about both."""
        about = self.names if side is None else (self.names[side],)
        layers = tuple(dict.fromkeys(about)) if self.named else ()
        return Finding(code, message, cure, layers=layers, **rest)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def worded(value: float | None) -> str:
    """Return a value for a sentence."""
    return "undefined" if value is None else f"{value:.2f}"
