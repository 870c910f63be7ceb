"""Standard deviations of CKA over all permutations of the rows of one side, in closed form.

Debiased, with U-centred matrices A, B of norm 1: ``Var Σ A_ij B_π(i)π(j) = 2/(n(n − 3))``, whatever
the matrices are. Biased, with double-centred ones: Kazi-Aoual, Hitier, Sabatier & Lebreton (1995,
doi:10.1016/0167-9473(94)00064-2), from traces and squared diagonals. The distributions are skewed:
a z from these says how far a value is from chance, and is no p-value.
"""

from typing import Protocol

from visavis._core import array
from visavis._core.types import Array

# What a ratio of sums over pairs of samples may have lost, in single precision.
_ROUNDING = 4e-6


class Pair(Protocol):
    """Two representations in whatever form, as measures of alignment meet them."""

    @property
    def n(self) -> int:
        """Number of samples."""
        ...

    def norm(self, i: int, estimator: str) -> Array:
        """Return the root of the HSIC of one with itself."""
        ...

    def trace(self, i: int) -> Array:
        """Return the trace of the double-centred Gram matrix of one."""
        ...


def variance(n: int) -> float:
    """Return the variance of debiased CKA of n samples under permutation."""
    return 2 / (n * (n - 3))


def variance_biased(met: Pair) -> Array:
    """Return the variance of biased CKA of two representations of the same n ≥ 4 samples.

    Zero where that is rounding error: of samples that are all equally far from each other no
    permutation changes anything.
    """
    n = met.n
    (left, excess), (other_left, other_excess) = (_spectrum(met, i) for i in (0, 1))
    normal = left * other_left + (n - 3) / (2 * n * (n - 1)) * excess * other_excess
    xp = array.namespace(normal)
    normal = xp.where(xp.abs(normal) > n**3 * _ROUNDING**2, normal, xp.zeros_like(normal))
    return 2 / ((n + 1) * (n - 1) ** 2 * (n - 2)) * normal


def _spectrum(met: Pair, i: int) -> tuple[Array, Array]:
    """Return n − 1 − β with β = (tr A)²/tr A², and the excess of Σ A_ii² over a normal one."""
    n = met.n
    # The root of tr A², for the biased HSIC is that over (n − 1)².
    size = met.norm(i, "biased") * (n - 1)
    ratio = (met.trace(i) / size) ** 2
    # The debiased HSIC differs from the biased one by the diagonal.
    debiased = (met.norm(i, "debiased") / size) ** 2 * n * (n - 3)
    diagonal = (n - 2) / n * (1 + ratio / ((n - 1) * (n - 2)) - debiased)
    excess = (n - 1) / (n - 3) * (n * (n + 1) * diagonal - (n - 1) * (ratio + 2))
    return n - 1 - ratio, excess
