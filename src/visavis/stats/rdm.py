"""The dissimilarity matrix (RDM) of one representation, and the comparison of two of them."""

from dataclasses import dataclass, field

import numpy as np

from visavis._core import array
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.linalg import pairs
from visavis.stats import noise as noisy
from visavis.stats.directions import unit_rows

OF_REPEATS = ("mahalanobis", "crossnobis")
RDMS = ("euclidean", "sqeuclidean", "correlation", "cosine", *OF_REPEATS)
RANKED = ("spearman", "kendall_tau_a", "kendall_tau_b", "rho_a")
COMPARISONS = ("pearson", *RANKED, "cosine", "whitened_cosine", "whitened_pearson")
# Roundings, in units of the last place, below which two dissimilarities are one.
SLACK = 512
EQUIDISTANT = (
    "kernel: `X` has a constant RDM: all its samples are equally far from each other, as one-hot "
    "rows are. Leave it out, or use compare='cosine', which does not subtract the mean."
)
NOWHERE_APART = (
    "kernel: `X` has an RDM of zeros: no two samples differ in what the RDM looks at. Leave it "
    "out, or use rdm='euclidean'."
)


@dataclass(frozen=True, eq=False)
class Rdm:
    """The dissimilarities of all pairs of samples of one representation.

    Parameters
    ----------
    values : array, (n(n − 1)/2,)
        Those of the pairs i < j, row by row, on an arbitrary scale. Crossvalidated ones may be
        negative.
    n : int
        Number of samples.
    noise : float
        Rounding error of the unit vectors whose squared distances they are; 0 where the
        dissimilarities have a relative error alone.
    error : float
        Rounding error of every dissimilarity, however small.
    """

    values: Array
    n: int
    noise: float = 0.0
    error: float = 0.0
    _vectors: dict[str, tuple[Array, Array]] = field(default_factory=dict, repr=False)
    _ranked: list[tuple[np.ndarray, float]] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, X: Array, rdm: str) -> "Rdm":
        """Return the RDM of a representation (n, p)."""
        # In host memory there is float64, whatever the library.
        X = array.widen(X if array.recording(X) else array.host(X))
        n, noise = X.shape[0], 0.0
        if rdm in {"correlation", "cosine"}:
            X, noise = unit_rows(X, centre=rdm == "correlation")
        values = pairs.squared_pairs(X)
        xp = array.namespace(values)
        zeros = xp.zeros_like(values)
        if noise:
            values = xp.where(values > noise**2, values, zeros)
        if rdm == "euclidean":
            # The root of zero has no derivative.
            values = xp.where(values == 0, zeros, xp.sqrt(xp.where(values == 0, 1.0, values)))
        return cls(values, n, noise)

    @classmethod
    def of_repeats(cls, X: Array, rdm: str, shrinkage: float | None) -> "Rdm":
        """Return the RDM of the repeats (n, r, p) of each sample, in units of their noise."""
        X = array.widen(X if array.recording(X) else array.host(X))
        if rdm == "mahalanobis":
            return cls(noisy.mahalanobis(X, shrinkage), X.shape[0])
        values, error = noisy.crossnobis(X, shrinkage)
        return cls(values, X.shape[0], error=SLACK * error)

    @property
    def size(self) -> int:
        """Number of pairs of samples."""
        return self.n * (self.n - 1) // 2

    def vector(self, compare: str) -> tuple[Array, Array]:
        """Return the vector whose inner products a comparison takes, and its norm."""
        form = "ranks" if compare in RANKED else compare
        if form not in self._vectors:
            made = {
                "ranks": lambda: self.ranking[0],
                "pearson": self._centred,
                "cosine": lambda: self.values,
                "whitened_cosine": lambda: self._whitened(keep_mean=True),
                "whitened_pearson": lambda: self._whitened(keep_mean=False),
            }[form]()
            norm = array.namespace(made).linalg.vector_norm(made)
            if not array.recording(made) and array.read(norm) == 0:
                raise DegenerateInputError(NOWHERE_APART)
            self._vectors[form] = made, norm
        return self._vectors[form]

    @property
    def ranking(self) -> tuple[np.ndarray, float]:
        """Average ranks minus their mean, and the number of tied pairs, on the host."""
        if not self._ranked:
            self._ranked.append(self._rank())
        return self._ranked[0]

    def _rank(self) -> tuple[np.ndarray, float]:
        values = array.to_numpy(self.values)
        if not np.isfinite(np.sum(values)):
            return np.full(values.shape, np.nan), 0.0
        order = np.argsort(values)
        ordered = values[order]
        slack = self._slack() * np.abs(ordered[1:]) + self.error
        if self.noise:
            slack += self.noise * (self.noise + 2 * np.sqrt(ordered[1:]))
        apart = np.diff(ordered) > slack
        ranks = np.empty(self.size)
        if apart.all():
            ranks[order] = np.arange(self.size) - (self.size - 1) / 2
            return ranks, 0.0
        starts = np.concatenate([[0], 1 + np.flatnonzero(apart)])
        if len(starts) == 1:
            raise DegenerateInputError(EQUIDISTANT if ordered[-1] else NOWHERE_APART)
        counts = np.diff(starts, append=self.size)
        ranks[order] = np.repeat(starts + (counts - self.size) / 2, counts)
        return ranks, float(np.sum(counts * (counts - 1.0)) / 2)

    def _slack(self) -> float:
        return SLACK * float(array.namespace(self.values).finfo(self.values.dtype).eps)

    def _centred(self) -> Array:
        xp = array.namespace(self.values)
        if not array.recording(self.values):
            low, high = (array.read(each(self.values)) or 0.0 for each in (xp.min, xp.max))
            if (high or low) and high - low <= self._slack() * max(high, -low) + self.error:
                raise DegenerateInputError(EQUIDISTANT)
        return self.values - xp.mean(self.values)

    def _whitened(self, *, keep_mean: bool) -> Array:
        """Return V^(−1/2)·d for the covariance V of squared distances of independent noise.

        Without the mean it is what Pearson's correlation takes.

        V is 4 for a pair, 1 for two pairs that share a sample, else 0 (Diedrichsen et al. 2020):
        2n on what is the same for all pairs, n on sums of one number for each sample, 2 on the
        rest.
        """
        xp, at, n = array.namespace(self.values), array.device(self.values), self.n
        i, j = np.divmod(pairs.upper(n), n)
        mean = xp.mean(self.values)
        sums = xp.sum(pairs.square(self.values, n), axis=1)
        effect = (sums - (n - 1) * mean) / (n - 2)
        effects = xp.take(effect, xp.asarray(i, device=at)) + xp.take(
            effect, xp.asarray(j, device=at)
        )
        rest = self.values - mean - effects
        if keep_mean:
            return mean / (2 * n) ** 0.5 + effects / n**0.5 + rest / 2**0.5
        self._centred()  # where all samples are equally far nothing is left
        return effects / n**0.5 + rest / 2**0.5


def compared(x: Rdm, y: Rdm, compare: str) -> Array:
    """Return how alike two RDMs of the same samples are."""
    (left, left_norm), (right, right_norm) = x.vector(compare), y.vector(compare)
    if compare.startswith("kendall"):
        return _kendall(x, y, compare)
    inner = left @ right
    if compare == "rho_a":
        # The mean Spearman correlation over all ways to break ties (Schütt et al. 2023).
        return 12 * inner / (x.size * (x.size**2 - 1.0))
    return inner / left_norm / right_norm


def chance(x: Rdm, y: Rdm, compare: str) -> Array:
    """Return the exact mean over all permutations of the samples of one side.

    Only what is the same for all pairs survives it: nothing of centred values and of ranks.
    """
    (left, left_norm), (right, right_norm) = x.vector(compare), y.vector(compare)
    if "cosine" not in compare:
        return 0.0 * left_norm
    xp = array.namespace(left)
    return (xp.sum(left) / left_norm) * (xp.sum(right) / right_norm) / x.size


def _kendall(x: Rdm, y: Rdm, compare: str) -> Array:
    from scipy.stats import kendalltau  # slow to import

    (left, ties_x), (right, ties_y) = x.ranking, y.ranking
    # The asymptotic p-value, which nobody asks for, costs nothing.
    statistic, _ = kendalltau(left, right, method="asymptotic")
    tau_b = np.asarray(statistic)
    if compare == "kendall_tau_b":
        return tau_b
    total = x.size * (x.size - 1) / 2
    return tau_b * (1 - ties_x / total) ** 0.5 * (1 - ties_y / total) ** 0.5
