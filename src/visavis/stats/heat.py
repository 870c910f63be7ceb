"""Heat on the graph of nearest neighbours: the shape of a set of samples at all scales at once."""

from dataclasses import dataclass

import numpy as np

from visavis._core import array
from visavis._core.types import Array
from visavis.linalg import Points

# Times at which two traces are compared first; outside, the weight is below 1e-20 of its peak.
TIMES = np.geomspace(1 / 25, 25, 257)
# How often the neighbourhood of a maximum is divided, and into how many parts.
ROUNDS, PARTS = 4, 64


@dataclass(frozen=True, eq=False)
class Heat:
    """The spectrum of the normalised Laplacian of one representation, on the host.

    Parameters
    ----------
    values : ndarray, (n,)
        Eigenvalues, in [0, 2].
    traces : ndarray, (257,)
        Its heat trace at `TIMES`.
    """

    values: np.ndarray
    traces: np.ndarray

    @classmethod
    def of(cls, X: Array, k: int) -> "Heat":
        """Return the spectrum of a representation (n, p), whose samples know their k nearest."""
        nearest = Points.of(array.to_numpy(X), "euclidean").nearest(k)
        values = np.linalg.eigvalsh(_laplacian(nearest))
        return cls(values, trace(values, TIMES))


def _laplacian(nearest: np.ndarray) -> np.ndarray:
    """Return I − D^(−½)AD^(−½), where A joins a sample and its neighbours in both directions."""
    n = nearest.shape[0]
    A = np.zeros((n, n))
    np.put_along_axis(A, nearest, 1.0, axis=1)
    A = np.maximum(A, A.T)
    root = np.sqrt(A.sum(axis=1))
    return np.eye(n) - A / root / root[:, None]


def trace(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the heat trace over n, the mean of exp(−λt) over eigenvalues, at some times."""
    return np.exp(-np.outer(times, values)).mean(axis=1)


def distance(x: Heat, y: Heat) -> np.ndarray:
    """Return the largest weighted difference of the two traces over all times."""

    def weighted(times: np.ndarray, differences: np.ndarray) -> np.ndarray:
        return np.exp(-2 * (times + 1 / times)) * np.abs(differences)

    found = weighted(TIMES, x.traces - y.traces)
    best = found.max()
    for i in _peaks(found):
        low, high = TIMES[i - 1], TIMES[i + 1]
        for _ in range(ROUNDS):
            times = np.geomspace(low, high, PARTS + 1)
            finer = weighted(times, trace(x.values, times) - trace(y.values, times))
            best = max(best, finer.max())
            at = np.clip(finer.argmax(), 1, PARTS - 1)
            low, high = times[at - 1], times[at + 1]
    return np.asarray(best)


def _peaks(found: np.ndarray) -> np.ndarray:
    """Return where the local maxima stand that may hold the highest between the times."""
    inner = found[1:-1]
    highest = (inner >= found[:-2]) & (inner >= found[2:]) & (inner > 0.9 * found.max())
    return 1 + np.flatnonzero(highest)
