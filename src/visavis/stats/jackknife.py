"""The chance-shifted jackknife of debiased CKA: from leave-one-out values to intervals.

Near 0 debiased CKA plus its chance level is a weighted χ², near 1 it is bounded: on the scale
``artanh √((s + c)/(1 + c))``, with c half the chance level, its spread hardly depends on it. All
functions are of one pair of representations or of a table of them.
"""

from dataclasses import dataclass, fields

import numpy as np

from visavis._core import checks
from visavis.linalg import row_blocks
from visavis.stats.permutation_moments import variance

MINIMUM_ROWS = 6
# Below this many effective degrees of freedom few rows carry the interval of a value above this.
FEW, ABOVE = 15, 0.1
# Nearer to 1 than this a value is that of two representations that are the same.
_EXACT = 1e-9
# Leave-one-out values that are looked at together.
_TOGETHER = 2**17


@dataclass(frozen=True, eq=False)
class Jackknifed:
    """Intervals of values, with what is known of them.

    Parameters
    ----------
    low, high : ndarray
        Ends of the intervals.
    error : ndarray
        Plain leave-one-out standard errors.
    freedom : ndarray
        Satterthwaite's degrees of freedom: how many rows carry the interval, about; infinite where
        the representations are the same.
    row : ndarray of int
        The row that carries the most of it.
    share : ndarray
        Which part of the width it carries, squared.
    """

    low: np.ndarray
    high: np.ndarray
    error: np.ndarray
    freedom: np.ndarray
    row: np.ndarray
    share: np.ndarray


def without_each(shares: np.ndarray) -> np.ndarray:
    """Return debiased HSIC without each sample.

    Deleting a row of U-centred matrices A, B and centring again takes 2hᵢ + 2hᵢ/(m − 2) from
    ⟨A, B⟩, with m = n − 1.

    Parameters
    ----------
    shares : ndarray, (n, ...)
        hᵢ = Σⱼ A_ij B_ij, of which ⟨A, B⟩ is the sum.
    """
    m = len(shares) - 1
    return (shares.sum(axis=0) - 2 * shares - 2 * shares / (m - 2)) / (m * (m - 3))


def half_chance(ratio: np.ndarray | float, n: int) -> np.ndarray:
    """Return half the chance level of biased CKA, from √(PR_x·PR_y) of the participation ratios."""
    return np.maximum(1e-9, np.asarray(ratio) / (2 * (n - 1)))


def steady(values: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    """Return debiased CKA on a scale on which its spread hardly depends on it."""
    return np.arctanh(np.sqrt(np.clip((values + half) / (1 + half), 0, 1 - 1e-9)))


def back(place: np.ndarray | float, half: float | np.ndarray) -> np.ndarray:
    """Return the values at places of that scale."""
    return np.clip((1 + half) * np.tanh(np.maximum(place, 0.0)) ** 2 - half, -1.0, 1.0)


def jackknifed(
    values: np.ndarray | float,
    without: np.ndarray,
    *,
    half: float | np.ndarray,
    level: float,
    floor: float | None = None,
    rounding: float = _EXACT,
) -> Jackknifed:
    """Return intervals of debiased CKA from its leave-one-out values.

    Parameters
    ----------
    values : float or ndarray
        With all units.
    without : ndarray, (units, ...)
        Without each.
    half : float or ndarray
        Half the chance level, by which the scale is shifted.
    level : float
        Of the intervals.
    floor : float, optional
        The variance under the null hypothesis, which no other may fall below; by default that
        under permutations of as many rows.
    rounding : float
        What values of 1 may have lost. Nearer to 1 than this there is nothing to be unsure of.
    """
    from scipy.special import stdtrit  # which changes filters of warnings

    values = np.asarray(values)
    n = len(without)
    if floor is None:
        floor = variance(n)
    off = without - without.mean(axis=0)
    error = np.sqrt((n - 1) / n * (off**2).sum(axis=0))
    moved = steady(without, half)
    off = moved - moved.mean(axis=0)
    squares = off**2
    second, fourth = squares.sum(axis=0), (squares**2).sum(axis=0)
    spread = fourth - second**2 / n
    row = squares.argmax(axis=0)
    with checks.quiet():
        freedom = np.where(spread > 0, 2 * second**2 / spread, n - 1.0)
        share = np.max(squares, axis=0) / second
    freedom = np.clip(freedom, 2.0, n - 1.0)
    total = np.maximum((n - 1) / n * second, floor * (1 + half) / (4 * half))
    reach = stdtrit(freedom, (1 + level) / 2) * np.sqrt(total)
    centre = steady(values, half)
    same = values >= 1 - max(rounding, _EXACT)
    low, high = (np.where(same, 1.0, back(centre + sign * reach, half)) for sign in (-1, 1))
    # Not above the value itself, by the digits that it has lost.
    low = np.where(same & (values < 1 - _EXACT), values, low)
    freedom = np.where(same, np.inf, freedom)
    return Jackknifed(low, high, error, freedom, row, share)


def few_rows(values: np.ndarray | float, freedom: np.ndarray) -> np.ndarray:
    """Return for which values few rows carry the interval, so that it may be too short."""
    return (freedom < FEW) & (values > ABOVE)


def of_table(
    values: np.ndarray,
    cross: np.ndarray,
    own: tuple[np.ndarray, np.ndarray],
    *,
    half: np.ndarray,
    level: float,
    rounding: float = _EXACT,
) -> Jackknifed:
    """Return the intervals of a table of debiased CKA.

    Parameters
    ----------
    values, half : ndarray, (rows, cols)
        The values, and half the chance level of each.
    cross : ndarray, (n, rows, cols)
        What each sample adds to debiased HSIC; see `visavis.stats.row_shares`.
    own : pair of ndarray, (n, rows) and (n, cols)
        The same of each representation with itself.
    level, rounding : float
        As in `jackknifed`.
    """
    left, right = (without_each(each) for each in own)
    made: list[Jackknifed] = []
    n, rows, cols = cross.shape
    # Few rows at a time, so that what is made of them stays in cache.
    for part in row_blocks(rows, max(1, _TOGETHER // (n * cols))):
        with checks.quiet():
            norms = np.sqrt(left[:, part, None] * right[:, None, :])
            without = without_each(cross[:, part, :]) / norms
            made.append(
                jackknifed(values[part], without, half=half[part], level=level, rounding=rounding)
            )
    return Jackknifed(
        *(
            np.concatenate([getattr(each, name.name) for each in made])
            for name in fields(Jackknifed)
        )
    )
