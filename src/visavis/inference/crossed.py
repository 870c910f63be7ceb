"""The variance of a value over two crossed factors: samples, and seeds or subjects.

Every seed sees every sample, so that both are drawn anew in another experiment. The jackknife over
samples holds the seeds fixed and that over seeds the samples; each of the two counts what is
peculiar to a sample in a seed, the interaction, so that their sum counts it twice. It is estimated
from the values without one sample and one seed, and taken off once (as for means of two-way tables:
Owen 2007, doi:10.1214/07-AOAS122; for RSA by a bootstrap: Schütt et al. 2023,
doi:10.7554/eLife.82566). The result is never below that of either factor alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Variance:
    """A variance over two factors by its parts.

    Parameters
    ----------
    rows, units : float
        The jackknife variances over samples and over seeds, each with the interaction in it.
    both : float
        The interaction.
    total : float
        ``rows + units − both``, and no less than either of them.
    freedom : float
        Its degrees of freedom (Satterthwaite): those of each part, weighed by its square.
    """

    rows: float
    units: float
    both: float
    total: float
    freedom: float

    def reach(self, level: float) -> float:
        """Return half the width of a t interval."""
        return float(stats.t.ppf((1 + level) / 2, self.freedom)) * self.total**0.5


def variance(
    value: float,
    without_row: np.ndarray,
    without_unit: np.ndarray,
    without_both: np.ndarray,
    *,
    floor: float = 0.0,
) -> Variance:
    """Return the variance of a value over n samples and R seeds.

    Parameters
    ----------
    value : float
        With all.
    without_row : ndarray, (n,)
        Without each sample.
    without_unit : ndarray, (R,)
        Without each seed.
    without_both : ndarray, (R, n)
        Without each seed and each sample.
    floor : float
        The least variance over samples, that of the null hypothesis.
    """
    R, n = without_both.shape
    off = without_row - without_row.mean()
    rows = max(floor, (n - 1) / n * float((off**2).sum()))
    units = (R - 1) / R * float(((without_unit - without_unit.mean()) ** 2).sum())
    # The part of the value in each cell of the table; of a mean of cells it is the cell.
    cells = (
        R * n * value
        - R * (n - 1) * without_row[None, :]
        - (R - 1) * n * without_unit[:, None]
        + (R - 1) * (n - 1) * without_both
    )
    rest = cells - cells.mean(0) - cells.mean(1)[:, None] + cells.mean()
    both = float((rest**2).sum()) / ((R - 1) * (n - 1) * R * n)
    total = max(rows + units - both, rows, units)
    parts = rows**2 / freedom_of(off) + units**2 / (R - 1)
    freedom = total**2 / parts if parts > 0 else float(R - 1)
    return Variance(rows, units, both, total, freedom)


def freedom_of(off: np.ndarray) -> float:
    """Return the degrees of freedom of a sum of squares, by how evenly they are spread over rows.

    ``2(Σd²)²/(Σd⁴ − (Σd²)²/n)``, n − 1 at most: few rows that carry the variance make it uncertain,
    and the variance is smaller the smaller the value is.
    """
    n = len(off)
    second, fourth = float((off**2).sum()), float((off**4).sum())
    spread = fourth - second**2 / n
    return min(max(2 * second**2 / spread, 2.0), n - 1.0) if spread > 0 else n - 1.0
