"""Sensitivity: whether a measure sees the loss of what a probe needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.progress import progress_bar
from visavis._core.types import Array
from visavis.benchmark.grounding import intervals, probes, ranking
from visavis.benchmark.grounding import representations as given
from visavis.benchmark.grounding.representations import Runs
from visavis.benchmark.grounding.result import Grounding, Score
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec, resolve
from visavis.pairs import compare
from visavis.pairs.sides import Matrices
from visavis.results import Comparison

SHARES = (0.9, 0.75, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02)
FEWEST = 3
WHOLE = "all"


def component_deletion(
    runs: Runs,
    labels: Sequence[Any] | Array,
    /,
    *,
    measures: Sequence[MeasureSpec] = ("cka",),
    shares: Sequence[float] = SHARES,
    layers: Sequence[str] | None = None,
    name: str = "components deleted",
    level: float = 0.95,
    folds: int | Sequence[Any] | Array = 5,
    seed: int = 0,
    progress: bool = True,
) -> Grounding:
    """Test whether a measure ranks losses of principal components as a linear probe does.

    Of each representation X the components of low variance are deleted step by step; the distance
    of what is left from X is held against how far the accuracy of a probe has moved [1]_.

    Parameters
    ----------
    runs : mapping or sequence of nets
        Each Activations, a mapping from layer name to array (n, ...), the path of a store, or an
        array (n, ...). Two nets or more for intervals.
    labels : sequence or array, (n,)
        The class of each sample.
    measures : sequence of str, function or Measure
        Which measures.
    shares : sequence of float
        Which shares of the components to keep, each between 0 and 1.
    layers : sequence of str, optional
        Which layers; by default all.
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
        Of each measure two scores, ``"Spearman ρ"`` and ``"Kendall τ"``: of the distance between X
        and what is left of it, and the absolute difference of the accuracies of their probes, over
        all deletions from all layers of all nets. Chance is 0. Intervals are jackknifed over nets.

    Raises
    ------
    ValueError
        If shares are not as above, or labels and samples do not match.
    LayerNotFoundError
        If a net does not have a layer.
    DegenerateInputError
        If an entry is NaN or infinite.

    Notes
    -----
    A measure *passes* if both intervals lie above chance. There is no value if of some layer fewer
    than three numbers of components can be kept, or no deletion changes an accuracy; a measure
    that gives all deletions the same distance scores 0. Within one representation distances grow
    with the number of components deleted by almost any measure: what tells measures apart is
    whether equal distances mean equal losses in different layers and nets.

    Components are of all samples, without their labels. A measure that does not see orthogonal
    maps judges subspaces; one that does not see invertible linear maps, only their dimensions. A
    measure that is not symmetric is averaged over both directions. *Cost*: of each layer of width
    p as many copies are held as there are shares.

    References
    ----------
    .. [1] Ding, Denain & Steinhardt, "Grounding Representation Similarity with Statistical
       Testing", NeurIPS 2021. arXiv:2108.01661

    Examples
    --------
    Classes that lie in all directions, strong and weak alike:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(300) % 10
    >>> spread = np.linspace(2, 1, 12)
    >>> runs = [
    ...     (rng.normal(size=(10, 12))[labels] + 0.2 * rng.normal(size=(300, 12))) * spread
    ...     for seed in range(3)
    ... ]
    >>> found = component_deletion(runs, labels, measures=["procrustes"])
    >>> bool(found["procrustes", "Spearman ρ"].value > 0.9), found.passed
    (True, {'procrustes': True})
    """
    where = "component_deletion"
    level_checked(where, level)
    specs = given.asked(where, measures)
    kept = _shares(where, shares)
    nets = given.nets(where, runs)
    nets = nets if layers is None else given.with_layers(where, nets, layers)
    with progress_bar("Components", sum(map(len, nets.values())), show=progress) as step:
        deleted = [
            [
                _deleted(where, f"{net}/{layer}", X, labels, specs, kept, folds, seed, step)
                for layer, X in Matrices(own.layers, f"runs[{net!r}]").items()
            ]
            for net, own in nets.items()
        ]
    every = [each for own in deleted for each in own]
    tables = [table for each in every for both in each.tables.values() for table in both]
    return Grounding(
        test=name,
        scores=tuple(
            score for spec in specs for score in _scores(resolve(spec).label, deleted, level)
        ),
        nets=tuple(nets),
        n=max(own.n for own in nets.values()),
        settings={
            "shares": kept,
            "components": {each.name: each.kept for each in every},
            "probe_accuracies": {each.name: each.accuracies for each in every},
            "seed": seed,
        },
        findings=given.findings(*tables),
        provenance=given.provenance(tables[0]) if tables else {},
    )


@dataclass(frozen=True, eq=False)
class _Deletion:
    """What it does to a representation that components are deleted.

    Parameters
    ----------
    name : str
        Of the net and its layer.
    kept : list of int
        How many components are kept, the most first.
    accuracies : list of float
        Of the probe: of the whole representation, then of what is kept each time.
    tables : mapping of str to tuple of Comparison
        By measure: the whole with what is kept, (1, kept); and if it matters also (kept, 1).
    """

    name: str
    kept: list[int]
    accuracies: list[float]
    tables: Mapping[str, tuple[Comparison, ...]]

    def distances(self, measure: str) -> tuple[np.ndarray, str]:
        """Return the distance of what is kept from the whole each time, or why there is none."""
        if not self.tables:
            count = len(self.kept)
            reason = f"no value: {self.name} has {count} deletions to rank, not {FEWEST}."
            return np.full(count, np.nan), f"{reason} Leave the layer out."
        alike = given.likeness(*self.tables[measure])
        return -alike.values[0], alike.reason

    @property
    def changes(self) -> np.ndarray:
        """How far the accuracy of the probe has moved each time."""
        return np.abs(np.subtract(self.accuracies[1:], self.accuracies[0]))


def _deleted(
    where: str,
    name: str,
    X: Array,
    labels: Sequence[Any] | Array,
    specs: Sequence[MeasureSpec],
    shares: Sequence[float],
    folds: int | Sequence[Any] | Array,
    seed: int,
    step: Callable[[], None],
) -> _Deletion:
    checks.all_finite(where, name, X)
    probes.classes(where, labels, int(X.shape[0]))
    xp, wide = array.namespace(X), array.widen(X)
    mean = xp.mean(wide, axis=0)
    left, values, right = xp.linalg.svd(wide - mean, full_matrices=False)
    rank = _rank(X, values)
    kept = sorted({max(1, round(share * rank)) for share in shares} - {rank}, reverse=True)
    kept = kept if rank else []
    if len(kept) < FEWEST:
        step()
        return _Deletion(name, kept, [], {})
    parts = {k: left[:, :k] * values[:k] for k in (rank, *kept)}
    # Turned into as many columns as there are components, which no probe can tell.
    accuracies = [
        probes.probe_accuracy(each, labels, folds=folds, seed=seed) for each in parts.values()
    ]
    whole = {WHOLE: wide}
    less = {f"{k} components": mean + parts[k] @ right[:k, :] for k in kept}
    names = name, f"{name} with less"
    there = compare(whole, less, measures=specs, names=names, level=None, progress=False)
    turned = [spec for spec in specs if not resolve(spec).symmetric]
    back = (
        compare(less, whole, measures=turned, names=(names[1], name), level=None, progress=False)
        if turned
        else {}
    )
    step()
    return _Deletion(
        name,
        kept,
        accuracies,
        {
            label: (table, back[label]) if label in back else (table,)
            for label, table in there.items()
        },
    )


def _rank(X: Array, values: Array) -> int:
    """Return how many components vary beyond the rounding of the dtype in which X was given."""
    working = float(np.finfo(np.float64).eps)
    tolerance = linalg.rank_tolerance(*X.shape, given=array.precision(X), working=working)
    return int((array.to_numpy(values) > tolerance * float(values[0])).sum())


def _scores(measure: str, deleted: Sequence[Sequence[_Deletion]], level: float) -> list[Score]:
    found = [[each.distances(measure) for each in own] for own in deleted]
    reason = next((reason for own in found for _, reason in own if reason), "")
    if reason:
        distances, changes = [np.zeros(0)], [np.zeros(0)]
    else:
        # Measured in the measure's own unit, so that layers and nets are ranked together.
        distances = [np.concatenate([values for values, _ in own]) for own in found]
        changes = [np.concatenate([each.changes for each in own]) for own in deleted]
    scores = []
    for name, correlation in ranking.CORRELATIONS.items():
        scores.append(
            intervals.scored(
                measure,
                name,
                _together(distances, changes, correlation),
                _without(distances, changes, correlation),
                span=(-1.0, 1.0),
                level=level,
                chance=0.0,
                reason=reason or "no value: no deletion changes the accuracy of a probe.",
            )
        )
    return scores


def _without(
    distances: Sequence[np.ndarray], changes: Sequence[np.ndarray], correlation: ranking.Correlation
) -> list[float]:
    """Return the correlation without each net; nothing if there is one."""
    if len(distances) < 2:
        return []
    left = [[k for k in range(len(distances)) if k != net] for net in range(len(distances))]
    return [
        _together([distances[k] for k in each], [changes[k] for k in each], correlation)
        for each in left
    ]


def _together(
    distances: Sequence[np.ndarray], changes: Sequence[np.ndarray], correlation: ranking.Correlation
) -> float:
    """Return the correlation over the deletions of all nets."""
    return correlation(ranking.settled(np.concatenate(distances)), np.concatenate(changes))


def _shares(where: str, shares: Sequence[float]) -> list[float]:
    kept = [float(each) for each in shares]
    if len(kept) < FEWEST or not all(0 < each < 1 for each in kept):
        expected = f"hold {FEWEST} numbers or more, each between 0 and 1"
        raise ValueError(checks.message(where, "shares", expected, repr(list(shares))))
    return sorted(kept, reverse=True)
