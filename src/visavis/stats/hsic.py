"""What every route to HSIC shares: the norm of a representation, CKA as a ratio, its chance level.

A *form* holds one representation: `Gram` (n × n, any kernel) or `Features` (n × p, linear). Both
answer ``hsic(other, estimator)``, ``norm(estimator)`` and ``trace()`` in a unit of their own,
which similarity ratios never see and `true_hsic` takes out again.
"""

from visavis._core import array
from visavis._core.types import Array

ESTIMATORS = ("debiased", "biased")
EQUIDISTANT = (
    "has nothing to align: all its samples are equally far from each other, as one-hot rows are, "
    'or all but one are identical. Leave it out, or use estimator="biased".'
)


def norm(self_hsic: Array, size: Array | float, *, precision: float) -> Array:
    """Return the root of the HSIC of a representation with itself, zero where it is all rounding.

    Parameters
    ----------
    self_hsic : 0-d array
        A squared norm, so negative only by rounding.
    size : 0-d array or float
        The size of the terms that were added up to it: less than their rounding error is zero.
    precision : float
        Machine epsilon of the terms.
    """
    xp = array.namespace(self_hsic)
    real = self_hsic > 32 * precision * size
    safe = xp.where(real, self_hsic, xp.ones_like(self_hsic))
    # What is not finite stays so: only a number can be rounding error.
    rest = xp.where(xp.isfinite(self_hsic), xp.zeros_like(safe), self_hsic)
    return xp.where(real, xp.sqrt(safe), rest)


def coarse(self_hsic: Array, size: Array) -> bool:
    """Whether terms of a given size leave less of their sum than float32 resolves to 1e-6."""
    value, terms = array.read(self_hsic), array.read(size)
    return value is not None and terms is not None and value < 0.1 * terms


def cka(xy: Array, norm_x: Array, norm_y: Array) -> Array:
    """Return centred kernel alignment; NaN or infinite where a norm is zero."""
    return xy / norm_x / norm_y


def true_hsic(xy: Array, unit_x: Array | float, unit_y: Array | float) -> Array:
    """Return HSIC in the units of the caller's features."""
    # One division at a time: the product of the units may overflow where the quotient does not.
    return xy / unit_x / unit_y / unit_x / unit_y


def chance(trace_x: Array, trace_y: Array, n: int, estimator: str) -> Array:
    """Return the exact mean of HSIC over all permutations of the rows of one side.

    Zero for the debiased estimator; tr(Kc)·tr(Lc)/(n − 1)³ for the biased one.
    """
    if estimator == "debiased":
        return 0.0 * trace_x
    return trace_x * trace_y / (n - 1) ** 3


def debiased(off: Array, rows: Array, total: Array, n: int) -> Array:
    """Return HSIC₁ from sums over different samples (Song et al. 2012).

    Parameters
    ----------
    off : 0-d array
        Σ_{i≠j} K_ij·L_ij.
    rows : 0-d array
        Σ_i k_i·l_i of the row sums without the diagonal.
    total : 0-d array
        The product of the sums of all entries without the diagonal.
    n : int
        Number of samples, at least 4.
    """
    return (off + total / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows) / (n * (n - 3))
