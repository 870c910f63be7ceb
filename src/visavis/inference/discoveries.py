"""False discoveries: how many of the small p-values of a table are there by chance."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from scipy import stats

from visavis._core import array, checks
from visavis._core.types import Array

Dependence = Literal["positive", "any"]
_NAMED = {"positive": "bh", "any": "by"}


def false_discovery(
    pvalues: Array | Sequence[float], *, dependence: Dependence = "positive"
) -> np.ndarray:
    """Return the q-value of each p-value: the false discovery rate at which it is a discovery.

    Of all entries with a q-value of at most 0.05 no more than 5 % are false, on average.

    Parameters
    ----------
    pvalues : array or sequence, of any shape
        All tests of one question. NaN, such as of dead layers, are left out and stay NaN.
    dependence : {"positive", "any"}
        ``"positive"``: tests are independent, or such that a small p-value makes other small ones
        no less likely, as pairs of layers on the same samples are (Benjamini & Hochberg 1995,
        doi:10.1111/j.2517-6161.1995.tb02031.x). ``"any"``: whatever their dependence, at a price
        of log(number of tests) (Benjamini & Yekutieli 2001, doi:10.1214/aos/1013699998).

    Returns
    -------
    ndarray, of the same shape

    Raises
    ------
    ValueError
        If a p-value is not in [0, 1].

    Notes
    -----
    The step-down maximum of `layer_tests` answers a stricter question: whether there is a single
    false one among them.

    Examples
    --------
    >>> import visavis as vv
    >>> vv.inference.false_discovery([0.01, 0.02, 0.03, 0.5]).tolist()
    [0.04, 0.04, 0.04, 0.5]
    """
    where = "false_discovery"
    checks.option(where, "dependence", dependence, get_args(Dependence))
    given = array.to_numpy(pvalues) if array.is_array(pvalues) else pvalues
    p = np.asarray(given, dtype=np.float64)
    real = ~np.isnan(p)
    if np.any((p[real] < 0) | (p[real] > 1)):
        bad = p[real][(p[real] < 0) | (p[real] > 1)][0]
        raise ValueError(checks.message(where, "pvalues", "lie in [0, 1]", f"{bad}"))
    q = np.full(p.shape, np.nan)
    if real.any():
        q[real] = stats.false_discovery_control(p[real], method=_NAMED[dependence])
    return q
