"""Two of many representations whose sums are known, in the words of a pair that was kept whole."""

from dataclasses import dataclass

from visavis._core import array
from visavis._core.types import Array
from visavis.stats.axes import Axes, Overlap
from visavis.stats.sums import Pair, Sums


@dataclass(frozen=True, eq=False)
class Between:
    """Two of the representations, asked as if there were no others.

    Parameters
    ----------
    sums : Sums
    pair : (i, j)
        Which two.
    """

    sums: Sums
    pair: Pair

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.sums.n

    @property
    def units(self) -> tuple[Array | float, ...]:
        """The units of both."""
        return tuple(self.sums.units[k] for k in self.pair)

    def hsic(self, i: int, j: int, estimator: str) -> Array:
        """Return the linear HSIC of two of the two."""
        return self.sums.hsic(self.pair[i], self.pair[j], estimator)

    def norm(self, i: int, estimator: str) -> Array:
        """Return the root of the HSIC of one with itself."""
        return self.sums.norm(self.pair[i], estimator)

    def trace(self, i: int) -> Array:
        """Return the sum of the squared norms of the centred rows of one."""
        return self.sums.trace(self.pair[i])


def overlapped(sums: Sums, x: tuple[Axes, Array], y: tuple[Axes, Array], between: Pair) -> Overlap:
    """Return the overlap of two representations whose axes `axes_of` has found."""
    (left, right_x), (across, right_y) = x, y
    xp = array.namespace(right_x)
    # A constant representation keeps one axis, of length zero.
    scales = [xp.where(each > 0, each, xp.ones_like(each)) for each in (left.values, across.values)]
    product = array.widen(sums.product(*between))
    return Overlap(left, across, (right_x / scales[0]).T @ product @ (right_y / scales[1]))
