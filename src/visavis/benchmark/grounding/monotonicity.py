"""Order: whether layers are less alike the farther apart they are in a net."""

from collections.abc import Sequence

import numpy as np

from visavis._core import checks
from visavis.benchmark.grounding import intervals, ranking
from visavis.benchmark.grounding import representations as given
from visavis.benchmark.grounding.labellings import as_large, drawn_orders, orders
from visavis.benchmark.grounding.representations import Likeness, Runs
from visavis.benchmark.grounding.result import Grounding, Score
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec
from visavis.pairs import compare

FEWEST_LAYERS = 3


def layer_monotonicity(
    runs: Runs,
    /,
    *,
    measures: Sequence[MeasureSpec] = ("cka",),
    name: str = "layer monotonicity",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    progress: bool = True,
) -> Grounding:
    """Test whether two layers of a net are less alike the farther apart they are.

    For all layers i < j < k of a net: ``s(i, j) ≥ s(i, k)`` and ``s(j, k) ≥ s(i, k)`` [1]_.

    Parameters
    ----------
    runs : mapping or sequence of nets
        Each Activations, a mapping from layer name to array (n, ...), or the path of a store, with
        three layers or more, in order. Nets may differ in their layers and in their samples.
    measures : sequence of str, function or Measure
        Which measures.
    name : str
        What the test is called in tables.
    level : float
        Of the intervals.
    draws : int
        How many orders of the layers are looked at; all of them where there are no more.
    seed : int
        Draws them.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Grounding
        Of each measure two scores, means over nets. ``"conformity"``: the share of the
        inequalities that hold, ties counting half; a measure that knows nothing scores 1/2.
        ``"Spearman ρ"``: of the distance of two layers, k − i, and how unlike they are; chance is
        0. `pvalue` is the share of the orders of layers that score as much, with one order for all
        nets of as many layers. Intervals are jackknifed over nets.

    Raises
    ------
    ValueError
        If a net has fewer than three layers.

    Notes
    -----
    A measure *passes* if both intervals lie above chance and both p-values are at most
    ``1 − level``. That neighbours are most alike is expected of plain chains of layers; skip
    connections and layers that all do the same make exceptions. `Interval.evidence` has
    ``"violations"``: the share of inequalities that hold the other way round.

    References
    ----------
    .. [1] Klabunde, Wald, Schumacher, Maier-Hein, Strohmaier & Lemmerich, "ReSi: A Comprehensive
       Benchmark for Representational Similarity Measures", 2024. arXiv:2408.00531

    Examples
    --------
    Layers that are turned, scaled and moved a little at each step:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> runs = [
    ...     {f"layer{k}": X for k, X in enumerate(np.cumsum(rng.normal(size=(5, 300, 9)), axis=0))}
    ...     for seed in range(3)
    ... ]
    >>> found = layer_monotonicity(runs, measures=["cka", "procrustes"])
    >>> found["cka", "conformity"].value, found.passed
    (1.0, {'cka': True, 'procrustes': True})
    """
    where = "layer_monotonicity"
    level_checked(where, level)
    checks.count(where, "draws", draws)
    specs = given.asked(where, measures)
    nets = given.nets(where, runs)
    for net, layers in nets.items():
        if len(layers) < FEWEST_LAYERS:
            expected, seen = f"have {FEWEST_LAYERS} layers or more, in order", f"{len(layers)}"
            raise ValueError(checks.message(where, f"runs[{net!r}]", expected, seen))
    found = [
        compare(layers, measures=specs, names=(net, net), level=None, progress=progress)
        for net, layers in nets.items()
    ]
    tables = {label: [each[label] for each in found] for label in found[0]}
    counts = sorted({len(layers) for layers in nets.values()})
    # Of nets that differ in their layers all have as many orders, for these are taken together.
    of_count = orders if len(counts) == 1 else drawn_orders
    ways = {count: of_count(count, draws, seed) for count in counts}
    return Grounding(
        test=name,
        scores=tuple(
            score
            for label, each in tables.items()
            for score in _scores(label, [given.among(table) for table in each], ways, level)
        ),
        nets=tuple(nets),
        n=max(layers.n for layers in nets.values()),
        settings={
            "layers": {net: list(layers) for net, layers in nets.items()},
            "ways": {count: len(each) for count, each in ways.items()},
            "seed": seed,
        },
        findings=given.findings(*(table for each in tables.values() for table in each)),
        provenance=given.provenance(next(iter(tables.values()))[0]),
    )


def _scores(
    measure: str, alike: Sequence[Likeness], ways: dict[int, np.ndarray], level: float
) -> list[Score]:
    reason = next((each.reason for each in alike if each.missing), "")
    known = [] if reason else [each.values for each in alike]
    conforming = [ranking.in_order(values, ways[len(values)]) for values in known]
    correlated = [_correlations(values, ways[len(values)]) for values in known]
    violations = float(np.mean([ranking.violated(values) for values in known])) if known else 0.0
    return [
        _over_nets(measure, "conformity", conforming, (0.0, 1.0), 0.5, level, reason, violations),
        _over_nets(measure, "Spearman ρ", correlated, (-1.0, 1.0), 0.0, level, reason, violations),
    ]


def _over_nets(
    measure: str,
    name: str,
    of_nets: list[np.ndarray],
    span: tuple[float, float],
    chance: float,
    level: float,
    reason: str,
    violations: float,
) -> Score:
    """Return the mean of a statistic over nets, given in all orders of their layers."""
    seen = np.array([values[0] for values in of_nets])
    value = float(seen.mean()) if len(seen) else float("nan")
    pvalue = as_large(np.mean(of_nets, axis=0)) if np.isfinite(value) else None
    return intervals.scored(
        measure,
        name,
        value,
        intervals.means_without(seen),
        span=span,
        level=level,
        chance=chance,
        pvalue=pvalue,
        reason=reason,
        evidence={"violations": violations} if len(seen) else {},
    )


def _correlations(values: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the rank correlation of distance and unlikeness for layers in each order."""
    row, col = np.triu_indices(len(values), 1)
    return ranking.moved(-values, ways) @ ranking.ranked(col - row)
