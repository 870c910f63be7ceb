"""Principal axes of one representation, and the overlap of two: the statistic of the linear measures.

With Xc = U·diag(σ)·Vᵀ, every measure of the CCA family is a function of the singular values of
both sides and of the overlap M = U_xᵀU_y of their axes in the space of samples.
"""

from dataclasses import dataclass

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of a centred representation.

    Parameters
    ----------
    left : array, (n, r)
        Orthonormal axes in the space of samples, by descending singular value.
    values : array, (r,)
        Singular values, scaled by `unit`. Values beyond the rank are zero; there are none where
        the rank could be read.
    right : array, (p, r)
        Orthonormal axes in the space of features.
    unit : float or 0-d array
        What the features were multiplied by.
    """

    left: Array
    values: Array
    right: Array
    unit: Array | float

    @classmethod
    def of(cls, X: Array) -> "Axes":
        """Return the axes of a representation (n, p), computed in the widest float."""
        xp = array.namespace(X)
        centred, unit = linalg.centred(X)
        given, working = array.precision(X), float(xp.finfo(centred.dtype).eps)
        spectrum = linalg.left_axes(centred, given=given)
        tolerance = linalg.rank_tolerance(*X.shape, given=given, working=working)
        return cls.within_rank(spectrum, tolerance, unit)

    @classmethod
    def within_rank(
        cls, spectrum: linalg.Spectrum, tolerance: float, unit: Array | float
    ) -> "Axes":
        """Return the axes whose singular values exceed `tolerance` times the largest."""
        left, values, right = spectrum
        xp = array.namespace(values)
        keep = xp.astype(values > tolerance * values[0], values.dtype)
        size = array.read(xp.sum(keep))
        if size is None:
            # The shape may not depend on values here: axes beyond the rank become zero instead.
            return cls(left * keep, values * keep, right * keep, unit)
        kept = int(size)
        return cls(left[:, :kept], values[:kept], right[:, :kept], unit)

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.left.shape[0]


@dataclass(frozen=True, eq=False)
class Overlap:
    """The overlap of the principal axes of two representations.

    Parameters
    ----------
    matrix : array, (r_x, r_y)
        M_ij = ⟨u_i, v_j⟩, the cosine between axis i of X and axis j of Y.
    x, y : array, (r_x,) and (r_y,)
        Singular values of both, scaled by their units; zero beyond the rank.
    loadings : array, (p, r_x)
        Right axes of X times its singular values: Xc = U·loadingsᵀ.
    unit_x, unit_y : float or 0-d array
        What the features were multiplied by.
    n : int
        Number of samples.
    """

    matrix: Array
    x: Array
    y: Array
    loadings: Array
    unit_x: Array | float
    unit_y: Array | float
    n: int

    @classmethod
    def of(cls, a: Axes, b: Axes) -> "Overlap":
        """Return the overlap of two representations of the same samples."""
        return cls(a.left.T @ b.left, a.values, b.values, a.right * a.values, a.unit, b.unit, a.n)

    def rank_x(self) -> Array:
        """Return the rank of X."""
        return rank(self.x)

    def rank_y(self) -> Array:
        """Return the rank of Y."""
        return rank(self.y)


def rank(values: Array) -> Array:
    """Return the number of singular values above zero, a 0-d array of their dtype."""
    xp = array.namespace(values)
    return xp.sum(xp.astype(values > 0, values.dtype))
