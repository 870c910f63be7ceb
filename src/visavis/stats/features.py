"""The centred features of one representation: the cheaper form of linear HSIC for narrow layers."""

from dataclasses import dataclass, field

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats import hsic


@dataclass(frozen=True, eq=False)
class Features:
    """A centred representation.

    Parameters
    ----------
    centred : array, (n, p)
        The features, centred to rounding error and scaled by `unit`.
    norms : array, (n,)
        Squared norms of its rows, in the widest float.
    unit : float or 0-d array
        What the features were multiplied by.
    """

    centred: Array
    norms: Array
    unit: Array | float
    _norms: dict[str, Array] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, X: Array) -> "Features":
        """Return the statistic of a representation (n, p)."""
        held = cls._of(X)
        if X.dtype != array.wide(X) and held.n >= 4 and held._coarse():
            return cls._of(array.widen(X))
        return held

    def _coarse(self) -> bool:
        """Whether float32 loses digits: a few rows outweigh all others."""
        if array.recording(self.centred):
            return False
        size = array.namespace(self.norms).linalg.vecdot(self.norms, self.norms) / self.n**2
        return hsic.coarse(self.hsic(self, "debiased"), size)

    @classmethod
    def _of(cls, X: Array) -> "Features":
        xp = array.namespace(X)
        moved, unit = linalg.shifted(X)
        centred = moved - xp.mean(moved, axis=0)
        return cls(centred, array.widen(xp.linalg.vecdot(centred, centred, axis=-1)), unit)

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.centred.shape[0]

    def hsic(self, other: "Features", estimator: str) -> Array:
        """Return the linear HSIC with `other`, in the units in which the two are held."""
        xp = array.namespace(self.centred, other.centred)
        cross = linalg.cross_product(self.centred, other.centred)
        return from_features(
            linalg.inner(cross, cross),
            xp.linalg.vecdot(self.norms, other.norms),
            self.trace() * other.trace(),
            self.n,
            estimator,
        )

    def norm(self, estimator: str) -> Array:
        """Return the root of the HSIC with itself; exactly zero where that is rounding error."""
        if estimator not in self._norms:
            xp = array.namespace(self.centred)
            size = xp.linalg.vecdot(self.norms, self.norms) / self.n**2
            eps = float(xp.finfo(self.norms.dtype).eps)
            self._norms[estimator] = hsic.norm(self.hsic(self, estimator), size, precision=eps)
        return self._norms[estimator]

    def trace(self) -> Array:
        """Return the trace of the centred Gram matrix, in the units in which it is held."""
        return array.namespace(self.norms).sum(self.norms)


def from_features(cross: Array, norms: Array, traces: Array, n: int, estimator: str) -> Array:
    """Return HSIC from sums over centred features.

    Parameters
    ----------
    cross : 0-d array
        ‖XᵀY‖².
    norms : 0-d array
        Σ_i ‖x_i‖²‖y_i‖².
    traces : 0-d array
        Σ‖x_i‖² · Σ‖y_i‖².
    n : int
        Number of samples.
    estimator : {"debiased", "biased"}
        Which estimator.
    """
    if estimator == "biased":
        return cross / (n - 1) ** 2
    # Rows of a centred Gram matrix sum to zero: without the diagonal, to minus the diagonal.
    return hsic.debiased(cross - norms, norms, traces, n)
