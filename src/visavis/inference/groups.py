"""Whether two groups of seeds differ: by the labels of models on a table of all of them."""

import itertools
import math
from collections.abc import Iterator, Mapping

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError
from visavis.inference.runs import Runs, named, symmetric, table, together
from visavis.measures import MeasureSpec
from visavis.results import Comparison, TestResult

FEWEST = 2


def group_difference(
    A: Runs, B: Runs, /, *, measure: MeasureSpec = "cka", n: int = 1000, seed: int = 0
) -> TestResult:
    """Test whether two groups of seeds differ by more than seeds do among themselves.

    The mean similarity within the groups, of both alike, less that between them (for a distance:
    between less within), against the same with the labels of the models exchanged.

    Parameters
    ----------
    A, B : sequence or mapping of arrays (n, p_r)
        The same layer of two or more seeds of each, all on the same samples.
    measure : str, function or Measure
        Any symmetric one.
    n : int
        How many labellings; all of them where there are no more.
    seed : int
        Draws them.

    Returns
    -------
    TestResult
        ``value`` is within less between, positive where the groups differ. Two groups of three
        have a p-value of 0.1 at best, of four 0.03: `method` says it.

    Raises
    ------
    ValueError
        If a group has fewer than 2, or the measure is not symmetric.

    Notes
    -----
    Exact whatever the measure, if under the null hypothesis all models are draws of one kind, for
    these samples. Groups that differ in their spread alone differ too. The statistic is the energy
    distance (Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018) on the measure's scale. For
    whole nets see `labelled_difference`.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(2, 60, 5))
    >>> A, B = ([each + rng.normal(size=(60, 5)) for _ in range(4)] for each in shared)
    >>> round(vv.inference.group_difference(A, B).pvalue, 3)
    0.029
    """
    where = "group_difference"
    checks.count(where, "n", n)
    known = symmetric(where, measure)
    a, b = named(where, "A", A, fewest=FEWEST), named(where, "B", B, fewest=FEWEST)
    together(where, "A` and `B", *a.values(), *b.values())
    everything = {f"{name} of A": X for name, X in a.items()}
    everything |= {f"{name} of B": X for name, X in b.items()}
    values = table(where, known, everything)
    first = np.arange(len(everything)) < len(a)
    return exchanged(values, first, sign=_sign(known.direction), n=n, seed=seed)


def labelled_difference(
    models: Comparison, groups: Mapping[str, str], /, *, n: int = 1000, seed: int = 0
) -> TestResult:
    """Test whether two groups of models differ, on a table of all models with all models.

    Parameters
    ----------
    models : Comparison
        Model × model, such as ``vv.compare(runs).between()``.
    groups : mapping of str to str
        The group of each model, two in all.
    n : int
        How many labellings; all of them where there are no more.
    seed : int
        Draws them.

    Returns
    -------
    TestResult
        As of `group_difference`.

    Raises
    ------
    ValueError
        If the table is not one of models with themselves, or there are not two groups of two.
    DegenerateInputError
        If a pair has no value.
    """
    where = "labelled_difference"
    checks.count(where, "n", n)
    if models.rows != models.cols or not models.scale.symmetric:
        expected = "be a symmetric table of models with themselves"
        raise ValueError(checks.message(where, "models", expected, models.measure))
    lost = [name for name in models.rows if name not in groups]
    if lost:
        expected = "name a group for each model"
        raise ValueError(checks.message(where, "groups", expected, f"none for {lost[0]!r}"))
    member = [groups[name] for name in models.rows]
    names = list(dict.fromkeys(member))
    if len(names) != 2 or min(member.count(name) for name in names) < FEWEST:
        seen = ", ".join(f"{member.count(name)} of {name}" for name in names)
        expected = "be two, of two models or more each"
        raise ValueError(checks.message(where, "groups", expected, seen))
    off = ~np.eye(len(member), dtype=bool)
    if np.isnan(models.values[off]).any():
        raise DegenerateInputError(f"{where}: `models` must have a value for each pair, got NaN.")
    first = np.array([each == names[0] for each in member])
    return exchanged(models.values, first, sign=_sign(models.scale.direction), n=n, seed=seed)


def _sign(direction: str) -> float:
    return 1.0 if direction == "similarity" else -1.0


def exchanged(
    values: np.ndarray, first: np.ndarray, *, sign: float, n: int, seed: int
) -> TestResult:
    """Return the test of a table of models of which some are of the first group."""
    count, size = len(first), int(first.sum())
    number = math.comb(count, size)
    whole = number <= n
    found = np.array(
        [
            sign * _contrast(values, labels)
            for labels in (_every(first) if whole else _some(first, n, seed))
        ]
    )
    slack = 1e-10 * float(np.abs(values).max())
    pvalue = float(np.mean(found >= found[0] - slack))
    # Exchanging both names leaves the value, where the groups are of one size.
    best = (2 if 2 * size == count else 1) / number if whole else 1 / n
    method = f"{'all ' if whole else ''}{len(found)} labellings, p at least {best:.2g}"
    mean, deviation = float(found.mean()), float(found.std())
    return TestResult(float(found[0]), pvalue, mean, deviation, len(found), method)


def _contrast(values: np.ndarray, first: np.ndarray) -> float:
    """Return the mean over pairs within, of both groups alike, less that between."""
    within = 0.0
    for members in (first, ~first):
        block = values[np.ix_(members, members)]
        size = len(block)
        within += float(block.sum() - np.trace(block)) / (size * (size - 1)) / 2
    return within - float(values[np.ix_(first, ~first)].mean())


def _every(first: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all labellings, the one that there is first."""
    yield first
    count, size = len(first), int(first.sum())
    own = tuple(np.flatnonzero(first).tolist())
    for chosen in itertools.combinations(range(count), size):
        if chosen != own:
            labels = np.zeros(count, dtype=bool)
            labels[list(chosen)] = True
            yield labels


def _some(first: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
    yield first
    random = np.random.default_rng(seed)
    for _ in range(n - 1):
        yield random.permutation(first)
