"""Separation: whether nets that were trained alike are more alike than others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from visavis._core import checks
from visavis.benchmark.grounding import intervals, ranking
from visavis.benchmark.grounding import representations as given
from visavis.benchmark.grounding.labellings import as_large, labellings
from visavis.benchmark.grounding.representations import Likeness, Runs
from visavis.benchmark.grounding.result import Grounding, Score
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec
from visavis.pairs import compare


def _precision(values: np.ndarray, ways: np.ndarray) -> np.ndarray:
    row, col = np.triu_indices(len(values), 1)
    return ranking.average_precision(values[row, col], ways[:, row] == ways[:, col])


# Every statistic of the likeness of nets and ways to group them, (ways,).
_STATISTICS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "AUPRC": _precision,
    "conformity": ranking.conformity,
}


def group_separation(
    runs: Runs,
    groups: Mapping[str, Any] | Sequence[Any],
    /,
    *,
    measures: Sequence[MeasureSpec] = ("cka",),
    layer: str | None = None,
    name: str = "group separation",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    progress: bool = True,
) -> Grounding:
    """Test whether nets of one group are more alike than nets of different groups.

    Groups are what is known to differ: nets that learned a shortcut of some strength, from labels
    with some noise, with some augmentation, each from several seeds [1]_. `with_shortcut`,
    `with_label_noise` and `with_noise` make the data.

    Parameters
    ----------
    runs : mapping or sequence of nets
        Each Activations, a mapping from layer name to array (n, ...), the path of a store, or an
        array (n, ...); all on the same samples.
    groups : mapping from net to group, or sequence as long as `runs`
        Two or more groups of two nets or more each.
    measures : sequence of str, function or Measure
        Which measures.
    layer : str, optional
        The layer to look at; by default the last of each net.
    name : str
        What the test is called in tables.
    level : float
        Of the intervals.
    draws : int
        How many ways to deal the nets to groups are looked at; all of them where there are no more.
    seed : int
        Draws them.
    progress : bool
        Draw a progress bar if stderr is a terminal.

    Returns
    -------
    Grounding
        Of each measure two scores. ``"AUPRC"``: pairs of nets are ranked from the most alike down;
        the area under precision and recall of those within a group (average precision).
        ``"conformity"``: of all triples of two nets of a group and one of another, the share in
        which the first is more like the second than the third. Both are 1 for groups that are
        wholly apart. `chance` is the mean over the ways to deal out the groups (conformity: 1/2),
        `pvalue` their share that scores as much. Intervals are jackknifed over nets.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or one of them has fewer than two nets.
    LayerNotFoundError
        If a net does not have the layer.
    SampleMismatchError
        If nets do not have the same samples.

    Notes
    -----
    A measure *passes* if both intervals lie above chance and both p-values are at most
    ``1 − level``. Two groups of three nets have a p-value of 0.1 at best, of four 0.03, three of
    three 0.004. The chance of AUPRC is above the share of pairs within groups where these are few.

    *Ties* are taken together in AUPRC and count half in conformity, so that a measure with one
    value for everything scores chance. A measure that is not symmetric is averaged over both
    directions. `Interval.evidence` has ``"violations"``: the share of triples in the wrong order.

    References
    ----------
    .. [1] Klabunde, Wald, Schumacher, Maier-Hein, Strohmaier & Lemmerich, "ReSi: A Comprehensive
       Benchmark for Representational Similarity Measures", 2024. arXiv:2408.00531

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> kinds = rng.normal(size=(3, 100, 8))
    >>> runs = [X + 0.3 * rng.normal(size=X.shape) for X in kinds for seed in range(3)]
    >>> found = group_separation(runs, [0, 0, 0, 1, 1, 1, 2, 2, 2])
    >>> found["cka", "AUPRC"].value, found.passed
    (1.0, {'cka': True})
    """
    where = "group_separation"
    level_checked(where, level)
    checks.count(where, "draws", draws)
    specs = given.asked(where, measures)
    nets = given.at_layer(where, given.nets(where, runs, fewest=4), layer)
    member, names = _members(where, groups, tuple(nets))
    found = compare(nets, measures=specs, level=None, progress=progress)
    ways = labellings(member, draws, seed)
    return Grounding(
        test=name,
        scores=tuple(
            score
            for label, each in found.items()
            for score in _scores(label, given.among(each.table), ways, level)
        ),
        nets=tuple(nets),
        n=next(iter(found.values())).n,
        settings={
            "groups": {net: names[k] for net, k in zip(nets, member.tolist(), strict=True)},
            "layers": {net: next(iter(layers)) for net, layers in nets.items()},
            "ways": len(ways),
            "seed": seed,
        },
        findings=given.findings(*(each.table for each in found.values())),
        provenance=given.provenance(next(iter(found.values())).table),
    )


def _members(
    where: str, groups: Mapping[str, Any] | Sequence[Any], nets: tuple[str, ...]
) -> tuple[np.ndarray, list[str]]:
    """Return the number of the group of each net, and what the groups are called."""
    if isinstance(groups, Mapping):
        lost = [net for net in nets if net not in groups]
        if lost:
            expected, seen = "name a group for each net", f"none for {lost[0]!r}"
            raise ValueError(checks.message(where, "groups", expected, seen))
        listed = [str(groups[net]) for net in nets]
    else:
        listed = [str(group) for group in groups]
        if len(listed) != len(nets):
            expected = f"have an entry for each of the {len(nets)} nets"
            raise ValueError(checks.message(where, "groups", expected, f"{len(listed)}"))
    names = list(dict.fromkeys(listed))
    member = np.array([names.index(group) for group in listed])
    sizes = np.bincount(member)
    if len(names) < 2 or sizes.min() < 2:
        seen = ", ".join(
            f"{size} of {group!r}" for group, size in zip(names, sizes.tolist(), strict=True)
        )
        expected = "name two groups or more, of two nets or more each"
        cure = "One net alone cannot be like its group."
        raise ValueError(checks.message(where, "groups", expected, seen, cure))
    return member, names


def _scores(measure: str, alike: Likeness, ways: np.ndarray, level: float) -> list[Score]:
    values, nan = alike.values, float("nan")
    rest = [np.delete(np.arange(len(values)), k) for k in range(len(values))]
    found = []
    for name, statistic in _STATISTICS.items():
        if alike.missing:
            of_ways, without, evidence = np.array([nan]), [], {}
        else:
            of_ways = statistic(values, ways)
            without = [
                float(statistic(values[np.ix_(left, left)], ways[:1, left])[0]) for left in rest
            ]
            evidence = {"violations": ranking.lost(values, ways[0])}
        found.append(
            intervals.scored(
                measure,
                name,
                float(of_ways[0]),
                without,
                span=(0.0, 1.0),
                level=level,
                chance=0.5 if name == "conformity" else float(of_ways.mean()),
                pvalue=as_large(of_ways),
                reason=alike.reason,
                evidence=evidence,
            )
        )
    return found
