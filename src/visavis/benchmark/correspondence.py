"""How often a measure finds the same layer in another network, from finished tables of scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from visavis._core import checks
from visavis.benchmark import over_nets
from visavis.benchmark.tables import checked, networks, pairwise
from visavis.results import Interval, saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WHERE = "table_correspondence"


@dataclass(frozen=True, eq=False, repr=False)
class Correspondence:
    """How often the most similar layer of another network is the corresponding one.

    Parameters
    ----------
    measure : str
        What was tested.
    nets : tuple of str
        The networks.
    layers : tuple of str
        Their layers.
    won : ndarray of float64, (nets, nets)
        How many layers of the net of the row were found in the net of the column; 0 on the
        diagonal. Whole numbers unless scores tie.
    confusion : ndarray of float64, (layers, layers)
        How often layer i of one network was taken for layer j of the other. Row i sums to the
        trials of layer i that are not missing, the diagonal to `hits`.
    missing : int
        Number of trials, all lost, in which the two corresponding layers have no score.
    """

    measure: str
    nets: tuple[str, ...]
    layers: tuple[str, ...]
    won: np.ndarray
    confusion: np.ndarray
    missing: int

    def __post_init__(self) -> None:
        nets, layers = len(self.nets), len(self.layers)
        if self.won.shape != (nets, nets) or self.confusion.shape != (layers, layers):
            expected = f"have an entry for each two of {nets} nets, and of {layers} layers"
            seen = f"shapes {self.won.shape} and {self.confusion.shape}"
            raise ValueError(
                checks.message("Correspondence", "won` and `confusion", expected, seen)
            )

    @property
    def hits(self) -> float:
        """Number of trials won."""
        return float(self.won.sum())

    @property
    def total(self) -> int:
        """Number of trials: one for each ordered pair of networks and each layer."""
        return len(self.layers) * len(self.nets) * (len(self.nets) - 1)

    @property
    def accuracy(self) -> float:
        """100 × hits / total, in %."""
        return 100 * self.hits / self.total

    @property
    def chance(self) -> float:
        """100 / layers, in %: the accuracy of a measure that knows nothing."""
        return 100 / len(self.layers)

    @property
    def standard_error(self) -> float | None:
        """Of the accuracy, in %, by the jackknife over networks.

        None with two networks: without one of them no pair is left.
        """
        return over_nets.standard_error(self._won_in_percent)

    def interval(self, level: float = 0.95) -> Interval:
        """Return the accuracy in % with its confidence interval over networks.

        Student's t with a degree of freedom for each network but one, ended by 0 and 100. NaN with
        two networks, and where the accuracy is the same without any of them: then nothing says how
        it would spread. `method` says so.
        """
        return over_nets.interval(self._won_in_percent, level, low=0.0, high=100.0)

    def difference(self, other: "Correspondence", level: float = 0.95) -> Interval:
        """Return by how many % more layers this measure finds than another one of the same nets.

        Paired: both lose or win the same network at a time, so that what makes a network hard for
        both drops out.

        Returns
        -------
        Interval
            ``evidence["pvalue"]`` is two-sided, for the hypothesis of no difference, by Student's t
            with a degree of freedom for each network but one. Ends and p-value are NaN with two
            networks, and where the difference is the same without any of them.

        Raises
        ------
        ValueError
            If the other is of other networks or layers.
        """
        if (self.nets, self.layers) != (other.nets, other.layers):
            raise ValueError(
                checks.message(
                    "difference",
                    "other",
                    "be of the same nets and layers",
                    f"{len(other.nets)} nets and {len(other.layers)} layers for {len(self.nets)} "
                    f"and {len(self.layers)}, or others in name",
                )
            )
        apart = self._won_in_percent - other._won_in_percent
        return over_nets.interval(apart, level, low=-100.0, high=100.0, zero=True)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw which layer is taken for which; see `visavis.plot.confusion`."""
        from visavis.plot import confusion

        return confusion(self.confusion, self.layers, ax, **{"title": str(self), **options})

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON types, with the figures that follow from it."""
        interval = self.interval()
        return saved.plain(
            {
                "measure": self.measure,
                "nets": self.nets,
                "layers": self.layers,
                "accuracy": self.accuracy,
                "standard_error": self.standard_error,
                "low": interval.low,
                "high": interval.high,
                "level": interval.level,
                "chance": self.chance,
                "hits": self.hits,
                "total": self.total,
                "missing": self.missing,
                "won": self.won,
                "confusion": self.confusion,
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Correspondence":
        """Return the record that `to_dict` described."""
        nets, layers = tuple(map(str, data["nets"])), tuple(map(str, data["layers"]))
        return cls(
            measure=str(data["measure"]),
            nets=nets,
            layers=layers,
            won=saved.table(data["won"], (len(nets), len(nets))),
            confusion=saved.table(data["confusion"], (len(layers), len(layers))),
            missing=int(data["missing"]),
        )

    @property
    def _won_in_percent(self) -> np.ndarray:
        return 100 * self.won / len(self.layers)

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.1f}"
        missing = f", {self.missing} without a score" if self.missing else ""
        return (
            f"{self.measure}: {self.accuracy:.1f}{error} % of {self.total} layers found "
            f"(chance {self.chance:.1f} %{missing})"
        )

    __repr__ = __str__


def table_correspondence(
    tables: Mapping[Any, npt.ArrayLike],
    *,
    measure: str = "measure",
    direction: Literal["similarity", "distance"] = "similarity",
    symmetric: bool = True,
    layers: Sequence[str] | None = None,
) -> Correspondence:
    """Return how well a measure finds corresponding layers, from tables of its scores.

    For every ordered pair of networks (a, b) and every layer i of a, it is a hit if of all layers
    of b layer i is the most similar one: ``argmax_j S[i, j] == i`` [1]_, section 6.1. Of
    representations, files or models `layer_correspondence` makes the tables itself.

    Parameters
    ----------
    tables : mapping of (a, b) to array, (layers, layers)
        For every pair of networks the scores ``S[i, j]`` of layer i of a and layer j of b, all with
        the same layers in the same order. NaN where there is no score.
    measure : str
        Name of the measure, for the record.
    direction : {"similarity", "distance"}
        Whether the most similar layer has the highest score or the lowest.
    symmetric : bool
        Whether the measure gives the same score when its two sides are exchanged. Then either of
        (a, b) and (b, a) is enough. Otherwise both are needed, and their sum decides, as in the
        paper: the score of layer i of a and layer j of b is ``S_ab[i, j] + S_ba[j, i]``.
    layers : sequence of str, optional
        Their names, for the record; numbers from 0 without.

    Returns
    -------
    Correspondence
        Accuracy in % with its standard error, chance level and confusions.

    Raises
    ------
    TypeError
        If a table does not hold numbers or a key is not a pair.
    ValueError
        If tables are missing, contradict each other, are not finite, or differ in the number of
        layers.

    Notes
    -----
    *Ties*: k layers that share the best score get 1/k of a trial each, the expected result of
    drawing lots. A measure with one value for everything (Theorem 1 of the paper) thus scores
    chance, not whatever the order of the layers happens to give.

    *Missing scores* are not candidates. If the corresponding layers themselves have none, because
    one of them is dead, the trial is lost and counted in `missing`.

    *Standard error*: with m networks and the accuracy θₖ without network k, se² = (m−1)/m·Σ(θₖ−θ̄)².
    Pairs that share a network are not independent, hence networks and not pairs are left out. It is
    right where networks differ in how well they match, and up to 1.5 times too large (2 times with
    three networks) where they do not; t intervals of nominal 95 % hold the accuracy of all networks
    of the kind in 91 % of simulated cases or more, for 3 to 20 networks.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations
       Revisited", ICML 2019. arXiv:1905.00414

    Examples
    --------
    Every layer is found from both sides, but for the second, which is found from one side only:

    >>> S = [[0.9, 0.2, 0.1], [0.3, 0.5, 0.6], [0.1, 0.4, 0.8]]
    >>> print(table_correspondence({("seed 0", "seed 1"): S}, measure="cka"))
    cka: 83.3 % of 6 layers found (chance 33.3 %)
    """
    checks.option(_WHERE, "direction", direction, ("similarity", "distance"))
    scores = pairwise(_WHERE, checked(_WHERE, tables), symmetric=symmetric)
    count = next(iter(scores.values())).shape[0]
    names = tuple(map(str, range(count))) if layers is None else tuple(map(str, layers))
    if len(names) != count:
        expected = f"name the {count} rows of the tables"
        raise ValueError(checks.message(_WHERE, "layers", expected, f"{len(names)} names"))
    nets = networks(scores)
    at = {net: k for k, net in enumerate(nets)}
    won = np.zeros((len(nets), len(nets)))
    confusion = np.zeros((count, count))
    sign = 1 if direction == "similarity" else -1
    for (a, b), S in scores.items():
        there, back = _votes(sign * S), _votes(sign * S.T)
        won[at[a], at[b]], won[at[b], at[a]] = np.trace(there), np.trace(back)
        confusion += there + back
    return Correspondence(
        measure=measure,
        nets=tuple(map(str, nets)),
        layers=names,
        won=won,
        confusion=confusion,
        missing=sum(2 * int(np.isnan(np.diagonal(S)).sum()) for S in scores.values()),
    )


def _votes(similarity: np.ndarray) -> np.ndarray:
    """Return for each row the share of each column in the best score; none without a diagonal."""
    answerable = ~np.isnan(np.diagonal(similarity))[:, None]
    best = similarity == np.fmax.reduce(similarity, axis=1, keepdims=True)  # fmax passes over NaN
    return np.where(answerable, best / np.maximum(best.sum(axis=1, keepdims=True), 1), 0.0)
