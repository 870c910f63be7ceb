"""What HSIC and its kin ask of a pair, whatever form its two sides are kept in."""

from dataclasses import dataclass, field

from visavis._core.types import Array
from visavis.stats import Features, Gram, Swept


@dataclass(frozen=True, eq=False)
class Aligned:
    """Two `Gram` or two `Features`, asked in the same words as the `Sums` of a pair."""

    x: Gram | Features | Swept
    y: Gram | Features | Swept
    off: Array | None = None
    _between: dict[str, Array] = field(default_factory=dict)

    @property
    def units(self) -> tuple[Array | float, ...]:
        """The units in which the two are held."""
        return self.x.unit, self.y.unit

    def hsic(self, i: int, j: int, estimator: str) -> Array:
        """Return the HSIC of the two."""
        if estimator not in self._between:
            known = {} if self.off is None else {"off": self.off}
            self._between[estimator] = self.x.hsic(self.y, estimator, **known)  # pyright: ignore[reportArgumentType]
        return self._between[estimator]

    def norm(self, i: int, estimator: str) -> Array:
        """Return the root of the HSIC of a side with itself."""
        return (self.x, self.y)[i].norm(estimator)

    def trace(self, i: int) -> Array:
        """Return the trace of the centred Gram matrix of a side."""
        return (self.x, self.y)[i].trace()

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.x.n
