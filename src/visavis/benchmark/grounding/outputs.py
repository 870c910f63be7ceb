"""Prediction: whether nets are less alike inside the more their outputs differ."""

from collections.abc import Mapping, Sequence

import numpy as np

from visavis._core import checks
from visavis._core.types import Array
from visavis.benchmark.grounding import intervals, ranking
from visavis.benchmark.grounding import representations as given
from visavis.benchmark.grounding.labellings import as_large, orders
from visavis.benchmark.grounding.representations import Likeness, Runs
from visavis.benchmark.grounding.result import Grounding, Score
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec, registry
from visavis.pairs import compare
from visavis.results import correspond

FEWEST = 4


def output_correlation(
    runs: Runs,
    outputs: Mapping[str, Array] | Sequence[Array],
    /,
    labels: Sequence[int] | Array | None = None,
    *,
    measures: Sequence[MeasureSpec] = ("cka",),
    layer: str | None = None,
    name: str = "output correlation",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    progress: bool = True,
) -> Grounding:
    """Test whether nets are less alike the more their outputs differ.

    Parameters
    ----------
    runs : mapping or sequence of nets
        Four or more, each Activations, a mapping from layer name to array (n, ...), the path of a
        store, or an array (n, ...); all on the same samples.
    outputs : mapping from net to array, or sequence of arrays, (n, classes)
        What each net says of the same samples: logits.
    labels : sequence or array of int, (n,), optional
        The class of each sample; with them the accuracies of nets are looked at too.
    measures : sequence of str, function or Measure
        Which measures.
    layer : str, optional
        The layer to look at; by default the last of each net.
    name : str
        What the test is called in tables.
    level : float
        Of the intervals.
    draws : int
        How many orders of the nets are looked at; all of them where there are no more.
    seed : int
        Draws them.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Grounding
        Of each measure Spearman's ρ over pairs of nets between how unlike they are inside and how
        their outputs differ: ``"ρ disagreement"``, the share of samples put into different classes,
        ``"ρ Jensen-Shannon"``, between their probabilities, and with labels ``"ρ accuracy"``, the
        absolute difference of their accuracies [1]_, [2]_. Chance is 0; `pvalue` is the share of
        the orders of nets, of one side, that score as much. Intervals are jackknifed over nets.

    Raises
    ------
    ValueError
        If there are fewer than four nets, or outputs are not as above.
    LayerNotFoundError
        If a net does not have the layer.
    SampleMismatchError
        If nets or outputs do not have the same samples.

    Notes
    -----
    A measure *passes* if all intervals lie above chance and all p-values are at most ``1 − level``.
    Nets may be equally good for different reasons, so that a weak correlation with accuracy is no
    fault; a measure that sees what matters should follow the other two.

    References
    ----------
    .. [1] Ding, Denain & Steinhardt, "Grounding Representation Similarity with Statistical
       Testing", NeurIPS 2021. arXiv:2108.01661
    .. [2] Klabunde, Wald, Schumacher, Maier-Hein, Strohmaier & Lemmerich, "ReSi: A Comprehensive
       Benchmark for Representational Similarity Measures", 2024. arXiv:2408.00531

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> start, move = rng.normal(size=(2, 200, 6))
    >>> runs = [start + step * move for step in (0.0, 0.1, 0.3, 0.6, 1.0)]
    >>> found = output_correlation(runs, [X[:, :3] for X in runs], measures=["procrustes"])
    >>> bool(found["procrustes", "ρ disagreement"].value > 0.9)
    True
    """
    where = "output_correlation"
    level_checked(where, level)
    checks.count(where, "draws", draws)
    specs = given.asked(where, measures)
    nets = given.at_layer(where, given.nets(where, runs, fewest=FEWEST), layer)
    said = given.at_layer(where, given.nets(where, outputs), None)
    if tuple(said) != tuple(nets):
        expected, seen = f"be of the same nets, {', '.join(nets)}", ", ".join(said)
        raise ValueError(checks.message(where, "outputs", expected, seen))
    for net, layers in nets.items():
        correspond(layers, said[net], names=(net, f"the outputs of {net}"))
    differences: dict[str, MeasureSpec] = {
        "ρ disagreement": "disagreement",
        "ρ Jensen-Shannon": "jensen_shannon",
    }
    if labels is not None:
        differences["ρ accuracy"] = registry["accuracy_difference"].with_options(labels=labels)
    found = compare(nets, measures=specs, level=None, progress=progress)
    differ = compare(said, measures=list(differences.values()), level=None, progress=False)
    apart = {
        key: given.among(each.table) for key, each in zip(differences, differ.values(), strict=True)
    }
    ways = orders(len(nets), draws, seed)
    tables = [each.table for each in (*found.values(), *differ.values())]
    return Grounding(
        test=name,
        scores=tuple(
            _score(label, key, given.among(each.table), other, ways, level)
            for label, each in found.items()
            for key, other in apart.items()
        ),
        nets=tuple(nets),
        n=tables[0].n,
        settings={
            "layers": {net: next(iter(layers)) for net, layers in nets.items()},
            "ways": len(ways),
            "seed": seed,
        },
        findings=given.findings(*tables),
        provenance=given.provenance(tables[0]),
    )


def _score(
    measure: str, name: str, alike: Likeness, same: Likeness, ways: np.ndarray, level: float
) -> Score:
    reason = alike.reason or same.reason
    count = len(alike.values)
    value = float("nan") if reason else _correlated(alike.values, same.values)
    without = []
    for net in range(count) if not reason else ():
        left = np.delete(np.arange(count), net)
        without.append(
            _correlated(alike.values[np.ix_(left, left)], same.values[np.ix_(left, left)])
        )
    return intervals.scored(
        measure,
        name,
        value,
        without,
        span=(-1.0, 1.0),
        level=level,
        chance=0.0,
        pvalue=None if np.isnan(value) else as_large(_in_orders(alike.values, same.values, ways)),
        reason=reason,
    )


def _correlated(alike: np.ndarray, same: np.ndarray) -> float:
    pairs = np.triu_indices(len(alike), 1)
    return ranking.spearman(alike[pairs], same[pairs])


def _in_orders(alike: np.ndarray, same: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the rank correlation with the nets of one side in each order."""
    row, col = np.triu_indices(len(alike), 1)
    return ranking.moved(same, ways) @ ranking.ranked(alike[row, col])
