"""Principal axes of one representation, and the overlap of two: the statistic of linear measures.

With Xc = U·diag(σ)·Vᵀ, every measure of the CCA family is a function of the singular values of
both sides and of the overlap M = U_xᵀU_y of their axes in the space of samples.
"""

from dataclasses import dataclass
from functools import cached_property

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of a centred representation.

    Parameters
    ----------
    left : array, (n, r)
        Orthonormal axes in the space of samples, by descending singular value. Axes beyond the
        rank are zero; there are none where the rank can be read.
    values : array, (r,)
        Singular values, scaled by `unit`; zero beyond the rank.
    features : array, (n, p)
        The features as they were given.
    shift : array, (p,), or float
        What is subtracted from them before their large common part can hide the rest.
    unit : float or 0-d array
        What the features were multiplied by before the singular values were taken.
    n : int
        Number of samples.
    """

    left: Array
    values: Array
    features: Array
    unit: Array | float
    n: int
    shift: Array | float = 0.0

    @classmethod
    def of(cls, X: Array) -> "Axes":
        """Return the axes of a representation (n, p), computed in the widest float."""
        xp = array.namespace(X)
        centred, unit = linalg.centred(X)
        given, working = array.precision(X), float(xp.finfo(centred.dtype).eps)
        left, values = linalg.left_axes(centred, given=given)
        tolerance = linalg.rank_tolerance(*X.shape, given=given, working=working)
        left, values = linalg.within_rank(left, values, tolerance)
        shift = linalg.shift_of(array.widen(X))
        return cls(left, values, X, unit, X.shape[0], shift)

    def carried(self, directions: Array) -> Array:
        """Return how much of the features unit directions carry: Σ_j |⟨U·d_i, x_j⟩| for each d_i.

        Parameters
        ----------
        directions : array, (r, k)
            Directions in the coordinates of the axes.

        Returns
        -------
        array, (k,)
            In an arbitrary unit.
        """
        xp = array.namespace(self.left)
        return xp.sum(xp.abs(self._loadings @ directions), axis=0)

    @cached_property
    def _loadings(self) -> Array:
        """What each feature holds of each axis, (p, r): found once for all that it meets."""
        features = array.widen(self.features) - self.shift
        return linalg.scaled(features, linalg.unit_of(features)).T @ self.left


@dataclass(frozen=True, eq=False)
class Overlap:
    """The overlap of the principal axes of two representations of the same samples.

    Parameters
    ----------
    x, y : Axes
        The axes of both.
    known : array, (r_x, r_y), optional
        The matrix, where it does not come from the axes.
    """

    x: Axes
    y: Axes
    known: Array | None = None

    @cached_property
    def matrix(self) -> Array:
        """M_ij = ⟨u_i, v_j⟩, the cosine between axis i of X and axis j of Y, (r_x, r_y)."""
        return self.x.left.T @ self.y.left if self.known is None else self.known

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.x.n

    @property
    def spanned(self) -> bool:
        """Whether one side spans all n − 1 dimensions, so that every correlation is exactly 1."""
        ranks = [array.read(rank(side.values)) for side in (self.x, self.y)]
        # A constant side has no correlations at all, whatever the other spans.
        return all(ranks) and max(size or 0 for size in ranks) >= self.n - 1

    @cached_property
    def canonical(self) -> tuple[Array, Array]:
        """Directions of X, in the coordinates of its axes, and canonical correlations, descending.

        Correlations exceed 1 only by rounding, and are cut there.
        """
        xp = array.namespace(self.matrix)
        if self._coarse and self.matrix.shape[0] <= self.matrix.shape[1]:
            values, directions = linalg.eigen(self.matrix @ self.matrix.T)
        else:
            directions, values, _ = xp.linalg.svd(self.matrix, full_matrices=False)
        return directions, xp.minimum(values, xp.ones_like(values))

    @cached_property
    def correlations(self) -> Array:
        """The canonical correlations alone, at a fraction of the cost of the directions."""
        xp = array.namespace(self.matrix)
        if "canonical" in self.__dict__:
            return self.canonical[1]
        if self._coarse:
            wide = self.matrix.shape[0] <= self.matrix.shape[1]
            square = self.matrix @ self.matrix.T if wide else self.matrix.T @ self.matrix
            values = linalg.roots(xp.linalg.eigvalsh(square))
        else:
            values = xp.linalg.svdvals(self.matrix)
        return xp.minimum(values, xp.ones_like(values))

    @property
    def _coarse(self) -> bool:
        """Whether the input was of such precision that eigenvalues of MMᵀ, at half the cost, do.

        Their roots are uncertain by 1e-8 near zero, where singular values are not: less than such
        input can tell. They have no gradient there.
        """
        given = max(array.precision(side.features) for side in (self.x, self.y))
        working = float(array.namespace(self.matrix).finfo(self.matrix.dtype).eps)
        return given > working and not array.recording(self.matrix)


def rank(values: Array) -> Array:
    """Return the number of singular values above zero, a 0-d array of their dtype."""
    xp = array.namespace(values)
    return xp.sum(xp.astype(values > 0, values.dtype))
