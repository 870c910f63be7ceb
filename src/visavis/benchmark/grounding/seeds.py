"""Specificity: whether another layer makes a larger difference than another seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from visavis._core.types import Array
from visavis.benchmark.grounding import intervals, probes, ranking
from visavis.benchmark.grounding import representations as given
from visavis.benchmark.grounding.representations import Runs
from visavis.benchmark.grounding.result import Grounding, Score
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec
from visavis.pairs import compare
from visavis.pairs.sides import Matrices
from visavis.results import Activations

PERCENTILES = (95, 90)


def seeds_against_layers(
    runs: Runs,
    /,
    labels: Sequence[Any] | Array | None = None,
    *,
    measures: Sequence[MeasureSpec] = ("cka",),
    name: str = "seeds against layers",
    level: float = 0.95,
    folds: int | Sequence[Any] | Array = 5,
    seed: int = 0,
    progress: bool = True,
) -> Grounding:
    """Test whether different layers differ by more than the same layer of different seeds does.

    The test of specificity of [1]_: that nets start from other weights should matter little to a
    measure, and which layer is looked at much.

    Parameters
    ----------
    runs : mapping or sequence of nets
        Nets of one architecture from different seeds, each Activations, a mapping from layer name
        to array (n, ...), or the path of a store: the same layers on the same samples. Three nets
        or more for intervals.
    labels : sequence or array, (n,), optional
        The class of each sample. With them the distances are also held against how well a linear
        probe reads the classes out of each representation.
    measures : sequence of str, function or Measure
        Which measures.
    name : str
        What the test is called in tables.
    level : float
        Of the intervals.
    folds, seed : optional
        Of the probe; see `probe_accuracy`.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Grounding
        Of each measure two scores, ``"above 95 %"`` and ``"above 90 %"``: over nets and pairs of
        layers of a net, the share of distances larger than this percentile of the distances
        between seeds, those of either layer taken together. With labels two more, ``"Spearman ρ"``
        and ``"Kendall τ"``: of the distance from the representation with the best probe, and how
        much worse its own probe is, over all other representations. Intervals are jackknifed over
        nets.

    Raises
    ------
    ValueError
        If there is one net or one layer, or the layers of nets differ.
    SampleMismatchError
        If nets do not have the same samples.

    Notes
    -----
    A measure *passes* if all intervals lie above chance. *Chance*: the share if the distance
    between two layers were one more distance between seeds. The percentile is the smallest of the
    N distances between seeds with at least this share of all others at or below it, the r-th, so
    that chance is (N − r + 1)/(N + 1): for few nets more than 5 %. For correlations it is 0.

    References
    ----------
    .. [1] Ding, Denain & Steinhardt, "Grounding Representation Similarity with Statistical
       Testing", NeurIPS 2021. arXiv:2108.01661

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> layers = rng.normal(size=(4, 100, 8))
    >>> runs = [
    ...     {f"layer{k}": X + 0.1 * rng.normal(size=X.shape) for k, X in enumerate(layers)}
    ...     for seed in range(4)
    ... ]
    >>> found = seeds_against_layers(runs, measures=["cka", "procrustes"])
    >>> found["cka", "above 95 %"].value, found.passed
    (1.0, {'cka': True, 'procrustes': True})
    """
    where = "seeds_against_layers"
    level_checked(where, level)
    specs = given.asked(where, measures)
    nets = given.nets(where, runs, fewest=2)
    layers = given.same_layers(where, nets, fewest=2)
    found = compare(nets, measures=specs, level=None, progress=progress)
    accuracies = None if labels is None else _accuracies(where, nets, labels, folds, seed)
    scores: list[Score] = []
    for label, each in found.items():
        alike = given.among(each.table)
        table = _Table(-alike.values.reshape(2 * (len(nets), len(layers))), accuracies)
        scores += _scores(label, table, alike.reason, level)
    settings = {"layers": list(layers)}
    if accuracies is not None:
        settings |= {"probe_accuracies": dict(zip(nets, accuracies.tolist(), strict=True))}
        settings |= {"seed": seed}
    return Grounding(
        test=name,
        scores=tuple(scores),
        nets=tuple(nets),
        n=next(iter(found.values())).n,
        settings=settings,
        findings=given.findings(*(each.table for each in found.values())),
        provenance=given.provenance(next(iter(found.values())).table),
    )


@dataclass(frozen=True, eq=False)
class _Table:
    """Distances of all layers of all nets, and how well their probes do.

    Parameters
    ----------
    distances : ndarray, (nets, layers, nets, layers)
    accuracies : ndarray, (nets, layers), optional
    """

    distances: np.ndarray
    accuracies: np.ndarray | None

    def without(self, net: int) -> "_Table":
        """Return the table without a net."""
        left = np.delete(np.arange(len(self.distances)), net)
        known = None if self.accuracies is None else self.accuracies[left]
        return _Table(self.distances[left][:, :, left], known)

    def above(self, percentile: int) -> float:
        """Return the share of distances between layers above those between seeds."""
        nets, layers = self.distances.shape[:2]
        if nets < 2:
            return math.nan
        a, b = np.triu_indices(nets, 1)
        net = np.arange(nets)
        above = []
        for i, j in combinations(range(layers), 2):
            between = np.append(self.distances[a, i, b, i], self.distances[a, j, b, j])
            threshold = np.sort(between)[_rank(len(between), percentile) - 1]
            above.append(self.distances[net, i, net, j] > threshold)
        return float(np.mean(above))

    def correlated(self, correlation: ranking.Correlation) -> float:
        """Return the rank correlation of distance and loss of accuracy, from the best probe."""
        assert self.accuracies is not None  # noqa: S101
        accuracies = self.accuracies.ravel()
        best = int(accuracies.argmax())
        others = np.delete(np.arange(len(accuracies)), best)
        distances = self.distances.reshape(len(accuracies), -1)
        return correlation(distances[best, others], accuracies[best] - accuracies[others])


def _rank(count: int, percentile: int) -> int:
    """Return which of some values in ascending order, from 1, is a percentile of them."""
    return math.ceil(round(percentile / 100 * (count - 1), 9)) + 1


def _scores(measure: str, table: _Table, reason: str, level: float) -> list[Score]:
    nets, layers = table.distances.shape[:2]
    left = [] if reason else [table.without(net) for net in range(nets)]
    nan, found = float("nan"), []
    for percentile in PERCENTILES:
        count = nets * (nets - 1)
        found.append(
            intervals.scored(
                measure,
                f"above {percentile} %",
                nan if reason else table.above(percentile),
                [each.above(percentile) for each in left],
                span=(0.0, 1.0),
                level=level,
                chance=(count - _rank(count, percentile) + 1) / (count + 1),
                reason=reason,
                evidence={
                    "distances_between_seeds": count,
                    "pairs_of_layers": math.comb(layers, 2),
                },
            )
        )
    if table.accuracies is None:
        return found
    for name, correlation in ranking.CORRELATIONS.items():
        found.append(
            intervals.scored(
                measure,
                name,
                nan if reason else table.correlated(correlation),
                [each.correlated(correlation) for each in left],
                span=(-1.0, 1.0),
                level=level,
                chance=0.0,
                reason=reason,
            )
        )
    return found


def _accuracies(
    where: str,
    nets: Mapping[str, Activations],
    labels: Sequence[Any] | Array,
    folds: int | Sequence[Any] | Array,
    seed: int,
) -> np.ndarray:
    """Return how well the probe of each layer of each net does, (nets, layers)."""
    probes.classes(where, labels, next(iter(nets.values())).n)
    return np.array(
        [
            [probes.probe_accuracy(held[layer], labels, folds=folds, seed=seed) for layer in layers]
            for net, layers in nets.items()
            for held in [Matrices(layers.layers, f"runs[{net!r}]")]
        ]
    )
