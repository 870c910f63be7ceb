"""A population that is like three representations: what a simulation draws new samples from.

Each side is normal with the spectrum of its covariance, corrected for the number of samples. The
directions of Y and of Z go with those of X in the order of their variance, each by the same
correlation, and with each other by another: these three are such that debiased CKA of the data, or
what is asked for, is CKA of the population. No population of these spectra has a higher CKA than
that with all directions in order, so that there always is such a correlation.
"""

import math
from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.inference.moment_tests import cka
from visavis.inference.sides import Centred


@dataclass(frozen=True, eq=False)
class Population:
    """A joint distribution of X, Y and Z.

    Parameters
    ----------
    spectra : tuple of ndarray
        The variances of the directions of each, the largest first; each adds up to 1.
    with_x : tuple of float
        The correlation of the directions of Y, and of Z, with those of X.
    rest : float
        The correlation of what is left of Y and Z.
    """

    spectra: tuple[np.ndarray, np.ndarray, np.ndarray]
    with_x: tuple[float, float]
    rest: float

    @classmethod
    def like(
        cls,
        x: tuple[Array, Centred],
        y: tuple[Array, Centred],
        z: tuple[Array, Centred],
        values: tuple[float, float] | None,
    ) -> "Population":
        """Return the one that is like representations, or has other values of CKA."""
        spectra = (spectrum(*x), spectrum(*y), spectrum(*z))
        xy, xz = values or (cka(x[1], y[1]), cka(x[1], z[1]))
        a = correlation(xy, spectra[0], spectra[1])
        b = correlation(xz, spectra[0], spectra[2])
        both = correlation(cka(y[1], z[1]), spectra[1], spectra[2])
        free = math.sqrt((1 - a**2) * (1 - b**2))
        rest = min(1.0, max(-1.0, (both - a * b) / free)) if free > 0 else 0.0
        return cls(spectra, (a, b), rest)

    @property
    def values(self) -> tuple[float, float]:
        """CKA of X with Y, and with Z."""
        x, y, z = self.spectra
        a, b = self.with_x
        return a**2 * highest(x, y), b**2 * highest(x, z)

    def draw(self, n: int, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return n samples of X, Y and Z."""
        widths = [len(each) for each in self.spectra]
        shared, left, right = random.normal(size=(3, n, max(widths)))
        right = self.rest * left + math.sqrt(1 - self.rest**2) * right
        sides = [shared]
        for own, rho in zip((left, right), self.with_x, strict=True):
            sides.append(rho * shared + math.sqrt(1 - rho**2) * own)
        return tuple(
            side[:, :width] * np.sqrt(variances)
            for side, width, variances in zip(sides, widths, self.spectra, strict=True)
        )


def spectrum(X: Array, x: Centred) -> np.ndarray:
    """Return the variances of the directions of a representation, of sum 1, largest first.

    Those of few samples are too uneven. They are drawn towards their mean (over all p features)
    until the sum of their squares is what debiased HSIC says it is.
    """
    n, p = (int(size) for size in X.shape)
    Z = np.asarray(array.to_numpy(linalg.centred(array.widen(X))[0]))
    Z = Z / np.abs(Z).max()
    found = np.linalg.svd(Z, compute_uv=False)[: min(n - 1, p)] ** 2
    found = np.concatenate([found, np.zeros(p - len(found))]) / found.sum()
    squares = (x.square / (n * (n - 3))) / (x.trace / (n - 1)) ** 2
    uneven = float((found**2).sum()) - 1 / p
    kept = math.sqrt(min(1.0, max(0.0, (squares - 1 / p) / uneven))) if uneven > 1e-12 else 0.0
    return kept * found + (1 - kept) / p


def highest(one: np.ndarray, other: np.ndarray) -> float:
    """Return CKA of two spectra whose directions are the same in order."""
    k = min(len(one), len(other))
    norms = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one[:k] @ other[:k]) / float(norms)


def correlation(value: float, one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of the directions at which two spectra have a CKA."""
    return math.sqrt(min(1.0, max(0.0, value / highest(one, other))))
