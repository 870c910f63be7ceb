"""Linear shifts of a time series: a test that asks only that one of the two is stationary."""

import numpy as np

from visavis._core import checks
from visavis._core.types import Array
from visavis.measures import Measure
from visavis.results import TestResult

# Which part of the samples the window of X leaves free on either side.
FREE = 10
# With N shifts to either side the p-value is 1/(N + 1) at best.
MINIMUM_ROWS = 5 * FREE


def linear(where: str, measure: Measure, X: Array, Y: Array, *, sign: float) -> TestResult:
    """Return the test by linear shifts (Harris 2020, arXiv:2012.06862).

    The middle window of X, without N samples on either side, beside the windows of Y that start at
    0, 1, ..., 2N samples: the one at N is what was observed. No row is ever put beside one that is
    not as far away as all others of its window, so that nothing is asked of how a series ends.

    The values are not exchangeable, and their rank alone is no p-value: if one of the series is
    stationary, ``rank/(N + 1)`` is never too small.
    """
    rows = int(X.shape[0])
    checks.rows(where, rows, rows, minimum_rows=MINIMUM_ROWS)
    reach = rows // FREE
    width = rows - 2 * reach
    still = X[reach : reach + width, :]
    values = np.array(
        [float(measure(still, Y[start : start + width, :])) for start in range(2 * reach + 1)]
    )
    observed = sign * values[reach]
    slack = 1e-10 * float(np.abs(values).max())
    rank = int(np.count_nonzero(sign * values >= observed - slack))
    return TestResult(
        float(values[reach]),
        min(1.0, rank / (reach + 1)),
        float(values.mean()),
        float(values.std()),
        len(values),
        f"linear shifts by up to {reach} samples, of {width}",
    )
