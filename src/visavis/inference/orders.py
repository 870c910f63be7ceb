"""Which rows may change places with which under the null hypothesis, and orders drawn of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array

Labels = Sequence[Any] | Array


@dataclass(frozen=True, eq=False)
class Exchange:
    """Units of rows that change places whole, each with others of its stratum.

    Parameters
    ----------
    strata : tuple of ndarray, (units, rows of a unit)
        The rows of each unit; together all n of them. Single rows are units of one.
    """

    strata: tuple[np.ndarray, ...]

    @classmethod
    def of_rows(cls, n: int) -> "Exchange":
        """Return that of any rows with any others."""
        return cls((np.arange(n)[:, None],))

    @classmethod
    def within(cls, where: str, labels: Labels, n: int, name: str = "within") -> "Exchange":
        """Return that of rows of one class with each other."""
        classes = classes_of(where, labels, n, name)
        if all(len(rows) == 1 for rows in classes):
            expected = "put at least two samples into one class"
            raise ValueError(checks.message(where, name, expected, "every sample alone"))
        return cls(tuple(rows[:, None] for rows in classes))

    @classmethod
    def of_groups(cls, where: str, labels: Labels, n: int) -> "Exchange":
        """Return that of whole groups of rows with others of the same size."""
        sizes: dict[int, list[np.ndarray]] = {}
        for rows in classes_of(where, labels, n, "groups"):
            sizes.setdefault(len(rows), []).append(rows)
        if all(len(units) == 1 for units in sizes.values()):
            raise ValueError(
                checks.message(
                    where,
                    "groups",
                    "have at least two of the same size, that can change places",
                    f"{len(sizes)} of sizes that are all different",
                    "Pool the rows of each group, and permute groups.",
                )
            )
        return cls(tuple(np.stack(units) for units in sizes.values()))

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        return sum(rows.size for rows in self.strata)

    @property
    def whole(self) -> bool:
        """Whether any row may change places with any other."""
        return len(self.strata) == 1 and self.strata[0].shape[1] == 1

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Return one of all orders, each as likely: row i of X beside row order[i] of Y."""
        if self.whole:
            return random.permutation(self.n)
        order = np.arange(self.n)
        for rows in self.strata:
            order[rows] = random.permutation(rows)
        return order

    def orders(self, random: np.random.Generator, count: int) -> Iterator[np.ndarray]:
        """Yield orders of the rows, the identity first."""
        yield np.arange(self.n)
        for _ in range(count - 1):
            yield self.draw(random)

    def cycle(self) -> int:
        """Return how many units a cycle is best made of.

        All cycles turn together and have one length, so that what does not fill a cycle stays where
        it is until the next coset: with a share f of the rows fixed, the values of a coset are
        correlated by f², and ℓ of them are worth ``ℓ/(1 + (ℓ − 1)f²)``.
        """
        longest = max(len(rows) for rows in self.strata)
        return max(range(2, longest + 1), key=self.worth)

    def worth(self, length: int) -> float:
        """Return of how many independent orders a coset of this length is worth."""
        fixed = sum(len(rows) % length * rows.shape[1] for rows in self.strata) / self.n
        return length / (1 + (length - 1) * fixed**2)


def classes_of(where: str, labels: Labels, n: int, name: str) -> list[np.ndarray]:
    """Return the rows of each class, in the order in which they come."""
    listed = array.to_numpy(labels).tolist() if array.is_array(labels) else list(labels)
    if len(listed) != n:
        expected = f"have one entry per row ({n})"
        raise ValueError(checks.message(where, name, expected, f"{len(listed)}"))
    found: dict[Any, list[int]] = {}
    for row, label in enumerate(listed):
        found.setdefault(label, []).append(row)
    return [np.array(members) for members in found.values()]
