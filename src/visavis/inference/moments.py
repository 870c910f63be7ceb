"""Exact moments of debiased CKA over all permutations of the rows of one side.

E Tᵏ of T = Σ_ij A_ij B_π(i)π(j) is a sum over the partitions of its 2k index slots of products of
one sum of A and one of B. Of U-centred matrices most of these vanish, and what is left are one sum
of squares, two of cubes and five of fourth powers for each side: they are computed once for each
representation, and any pair of representations then costs a handful of multiplications.
"""

import math
from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis.inference.sides import Centred, host
from visavis.stats.permutation_moments import variance

# The fourth moment has n(n − 1)...(n − 7) as its denominator.
MINIMUM_ROWS = 8


@dataclass(frozen=True)
class Invariants:
    """What the moments need of one U-centred matrix A, at Σ A_ij² = 1.

    Parameters
    ----------
    n : int
        Its rows.
    cubes : ndarray, (2,)
        Σ A_ij³ and tr A³.
    fourth : ndarray, (5,)
        (Σ A_ij²)² = 1, Σ A_ij⁴, Σ_i (Σ_j A_ij²)², Σ A_ij² (A²)_ij and tr A⁴.
    """

    n: int
    cubes: np.ndarray
    fourth: np.ndarray

    @classmethod
    def of(cls, x: Centred) -> "Invariants":
        """Return those of a representation: one product of n × n matrices."""
        xp = array.namespace(x.matrix)
        A = x.matrix / math.sqrt(x.square)
        S, P = A * A, A @ A
        rows = host(xp.sum(S, axis=1))
        sums = [linalg.inner(S, A), linalg.inner(P, A)]
        fourths = [linalg.inner(S, S), linalg.inner(S, P), linalg.inner(P, P)]
        q, g, c = (float(each) for each in fourths)
        return cls(
            x.n,
            np.array([float(each) for each in sums]),
            np.array([1.0, q, float(rows @ rows), g, c]),
        )


@dataclass(frozen=True)
class Moments:
    """The null distribution of debiased CKA by its moments; the mean is 0.

    Parameters
    ----------
    deviation : float
        Standard deviation.
    skewness, kurtosis : float
        Third and fourth standardised moments; a normal distribution has 0 and 3.
    """

    deviation: float
    skewness: float
    kurtosis: float

    @property
    def misfit(self) -> float:
        """By how much the kurtosis differs from that of the gamma distribution of this skewness."""
        return self.kurtosis - (3 + 1.5 * self.skewness**2)


def of_pair(x: Invariants, y: Invariants) -> Moments:
    """Return the moments over all permutations of two representations on the same n ≥ 8 samples."""
    second = variance(x.n)
    third = float(x.cubes @ _third(x.n) @ y.cubes)
    fourth = float(x.fourth @ _fourth(x.n) @ y.fourth)
    return Moments(math.sqrt(second), third / second**1.5, fourth / second**2)


def _falling(n: int, count: int) -> int:
    return math.prod(n - k for k in range(count))


def _third(n: int) -> np.ndarray:
    """Return the weights of the sums of cubes of both sides, (2, 2)."""
    mixed = -8 * (3 * n**2 - 15 * n + 16)
    whole = [
        [4 * (n**4 - 8 * n**3 + 19 * n**2 - 4 * n - 16), mixed],
        [mixed, 8 * (n**3 - 9 * n**2 + 26 * n - 22)],
    ]
    return _divided(whole, _falling(n, 6))


def _fourth(n: int) -> np.ndarray:
    """Return the weights of the sums of fourth powers of both sides, (5, 5)."""
    ss = 12 * (n**4 - 18 * n**3 + 115 * n**2 - 306 * n + 292)
    sq = 24 * (n**4 - 14 * n**3 + 71 * n**2 - 154 * n + 144)
    sd = -48 * (n**4 - 16 * n**3 + 92 * n**2 - 221 * n + 198)
    sg = -96 * (n - 5) * (n**2 - 5 * n + 10)
    sc = 96 * (n - 4) * (n - 5)
    qq = 8 * (n**6 - 13 * n**5 + 49 * n**4 + 29 * n**3 - 338 * n**2 - 112 * n + 960)
    qd = -48 * (n**5 - 13 * n**4 + 59 * n**3 - 61 * n**2 - 214 * n + 384)
    qg = -96 * (3 * n**4 - 26 * n**3 + 53 * n**2 + 66 * n - 192)
    qc = 48 * (n**4 - 14 * n**3 + 87 * n**2 - 266 * n + 288)
    dd = 48 * (n**5 - 11 * n**4 + 24 * n**3 + 150 * n**2 - 722 * n + 804)
    dg = 192 * (n**4 - 4 * n**3 - 30 * n**2 + 177 * n - 222)
    dc = -96 * (n**4 - 16 * n**3 + 100 * n**2 - 277 * n + 270)
    gg = 96 * (n - 4) * (n**4 - 10 * n**3 + 31 * n**2 + 18 * n - 104)
    gc = -192 * (3 * n**3 - 34 * n**2 + 125 * n - 142)
    cc = 48 * (n - 4) * (n**3 - 14 * n**2 + 63 * n - 82)
    whole = [
        [ss, sq, sd, sg, sc],
        [sq, qq, qd, qg, qc],
        [sd, qd, dd, dg, dc],
        [sg, qg, dg, gg, gc],
        [sc, qc, dc, gc, cc],
    ]
    return _divided(whole, _falling(n, 8))


def _divided(whole: list[list[int]], by: int) -> np.ndarray:
    # Whole numbers as long as they may, so that no digit is lost however large n is.
    return np.array([[entry / by for entry in row] for row in whole])
