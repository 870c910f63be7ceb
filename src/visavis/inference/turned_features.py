"""Linear CKA under cosets of permutations from the features: for many samples of narrow layers.

With centred features the numerator is ``‖Σ_i x_i y_π(i)ᵀ‖²``, less what the debiased estimator
takes off; under all turns of a coset each entry of that matrix is one circular correlation.
Nothing of size n × n is formed.
"""

import math
from collections.abc import Sequence

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.cosets import ENTRIES, Cycles
from visavis.inference.orders import Exchange
from visavis.inference.sides import host
from visavis.kernels import Kernel
from visavis.stats import Features, gram_moments
from visavis.stats.hsic import EQUIDISTANT

# Below this number of samples Gram matrices are no burden, and from FORCED on they are not formed
# if features will do.
MANY, FORCED = 1024, 8192


def cheaper(X: Array, Y: Array, kernels: Sequence[Kernel], exchange: Exchange) -> bool:
    """Return whether to take features in place of Gram matrices.

    A coset is p·q transforms of length n, or n/2 of them for either Gram matrix, which has to be
    formed. Only of Gram matrices are the moments within classes known.
    """
    n, p, q = int(X.shape[0]), int(X.shape[1]), int(Y.shape[1])
    if n < MANY or any(kernel.name != "linear" for kernel in kernels):
        return False
    return (exchange.whole and p * q <= n) or (n >= FORCED and p * q < n**2 / 2)


def values(
    where: str,
    X: Array,
    Y: Array,
    estimator: str,
    exchange: Exchange,
    orders: Sequence[np.ndarray],
) -> tuple[np.ndarray, float, float]:
    """Return linear CKA under cosets of permutations, the observed value first.

    Parameters
    ----------
    where : str
        Who asks.
    X, Y : arrays (n, p), (n, q)
        Checked.
    estimator : {"debiased", "biased"}
        Which estimator.
    exchange : Exchange
        Which rows may change places.
    orders : sequence of ndarray
        As `cosets.drawn_orders` gives them.

    Returns
    -------
    tuple
        The values, and their mean and standard deviation over all permutations of all rows.
    """
    x, y = _Side.of(where, "X", X, estimator), _Side.of(where, "Y", Y, estimator)
    cycles = Cycles.of(exchange)
    n = exchange.n
    left = _Turned(x, cycles, orders[0])
    found = []
    for order in orders[1:]:
        right = _Turned(y, cycles, order)
        squares = left.squares(right, cycles.length)
        if estimator == "debiased":
            norms = left.norms(right, cycles.length)
            squares = squares - n / (n - 2) * norms + x.trace * y.trace / ((n - 1) * (n - 2))
        found.append(squares)
    mean, variance = 0.0, 2 / (n * (n - 3))
    if estimator == "biased":
        mean = x.trace * y.trace / ((n - 1) * x.size * y.size)
        variance = gram_moments.variance(x.norms / x.size, y.norms / y.size)
    return np.concatenate(found) / (x.size * y.size), mean, math.sqrt(variance)


class _Side:
    """Centred features, and the root of the numerator of CKA with themselves."""

    def __init__(self, held: Features, size: float) -> None:
        self.held, self.size = held, size
        self.norms = host(held.norms)
        self.trace = float(self.norms.sum())

    @classmethod
    def of(cls, where: str, name: str, X: Array, estimator: str) -> "_Side":
        with checks.side(where, name), checks.diagnosed(where, **{name: X}):
            held = Features.of(array.widen(X))
            norm = float(held.norm(estimator))
        if not norm > 0:
            checks.locate(where, **{name: X})
            raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
        n = held.n
        return cls(held, norm * (n - 1 if estimator == "biased" else math.sqrt(n * (n - 3))))


class _Turned:
    """Features with their rows put into the slots of cycles, transformed over the turns."""

    def __init__(self, side: _Side, cycles: Cycles, order: np.ndarray) -> None:
        xp = self._xp = array.namespace(side.held.centred)
        device = array.device(side.held.centred)
        moving = order[cycles.slots[:, : cycles.tracks]]
        rest = order[cycles.rest]
        p = int(side.held.centred.shape[1])
        taken = xp.take(side.held.centred, xp.asarray(moving.reshape(-1), device=device), axis=0)
        self._spectra = xp.fft.rfft(xp.reshape(taken, (*moving.shape, p)), axis=0)
        self._still = xp.take(side.held.centred, xp.asarray(rest, device=device), axis=0)
        self._norms = np.fft.rfft(side.norms[moving], axis=0)
        self._still_norms = side.norms[rest]

    def squares(self, other: "_Turned", length: int) -> np.ndarray:
        """Return the squared norm of the cross product of the features under every turn."""
        xp = self._xp
        still = xp.permute_dims(self._still, (1, 0)) @ other._still
        left = xp.conj(xp.permute_dims(self._spectra, (0, 2, 1)))
        p, q = int(left.shape[1]), int(other._spectra.shape[2])
        total = np.zeros(length)
        for part in linalg.row_blocks(p, max(1, ENTRIES // (length * q))):
            crossed = xp.matmul(left[:, part, :], other._spectra)
            turned = xp.fft.irfft(crossed, n=length, axis=0) + still[part, :]
            total += host(xp.sum(xp.reshape(turned * turned, (length, -1)), axis=1))
        return total

    def norms(self, other: "_Turned", length: int) -> np.ndarray:
        """Return the sum of products of the squared norms of the rows under every turn."""
        crossed = (np.conj(self._norms) * other._norms).sum(axis=1)
        return np.fft.irfft(crossed, n=length) + float(self._still_norms @ other._still_norms)
