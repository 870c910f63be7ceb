"""Whether a tuned net has drifted from its base by more than seeds of the base differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.types import Array
from visavis.inference.runs import Runs, named, symmetric, table, together
from visavis.inference.spread import jackknifed, level_checked
from visavis.inference.two_factors import Pairs, combined, one_kernel
from visavis.measures import Measure, MeasureSpec
from visavis.results import Interval, TestResult

FEWEST = 3


@dataclass(frozen=True)
class Drift:
    """How far a tuned net is from its base, beside how far seeds are from each other.

    Parameters
    ----------
    test : TestResult
        Whether it is farther away than one more seed would be; ``value`` is the measure between
        base and tuned, ``null_mean`` that between seeds.
    excess : Interval
        By how much it is less alike (or more distant) than seeds on average are: above 0 is beyond
        them.
    """

    test: TestResult
    excess: Interval

    def __str__(self) -> str:
        return f"{self.test.value:.3f} beside {self.test.null_mean:.3f}, p = {self.test.pvalue:.2g}"

    def to_dict(self) -> dict[str, Any]:
        """Return the drift as plain JSON types."""
        return {"test": self.test.to_dict(), "excess": self.excess.to_dict()}


def drift(
    base: Runs,
    tuned: Array,
    /,
    *,
    parent: str | int | None = None,
    measure: MeasureSpec = "cka",
    level: float = 0.95,
) -> Drift:
    """Return whether the drift from base to tuned is beyond the noise between seeds of the base.

    Parameters
    ----------
    base : sequence or mapping of arrays (n, p_r)
        A layer of three or more seeds of the base.
    tuned : array, (n, q)
        The layer of the tuned net on the same samples.
    parent : str or int, optional
        The base, by name or place, from which it was tuned: its drift from there is compared with
        that from there to the other seeds. Without it its mean over all seeds is compared with
        theirs.
    measure : str, function or Measure
        Any symmetric one.
    level : float
        Of the interval.

    Returns
    -------
    Drift
        The p-value is a rank: the share of seeds, the tuned net among them, that are at least as
        far away. With B seeds it is 1/(B + 1) at best, with a parent 1/B. The interval is over
        seeds, and with debiased ``cka`` over samples too.

    Raises
    ------
    ValueError
        If there are fewer than 3 seeds, no such parent, or the measure is not symmetric.

    Notes
    -----
    The rank is exact if under the null hypothesis the tuned net is one more draw of a seed (given
    the parent). A tuned net is usually *closer* to its parent than another seed: then it has not
    left the noise, and a small drift needs other evidence, such as `jackknife` of the value itself.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> shared, other = rng.normal(size=(2, 60, 5))
    >>> base = [shared + 0.5 * rng.normal(size=(60, 5)) for _ in range(9)]
    >>> found = vv.inference.drift(base, shared + other)
    >>> found.test.pvalue, found.excess.low > 0
    (0.1, True)
    """
    where = "drift"
    level_checked(where, level)
    known = symmetric(where, measure)
    seeds = named(where, "base", base, fewest=FEWEST)
    tuned = checks.representation(where, "tuned", tuned)
    together(where, "base` and `tuned", *seeds.values(), tuned)
    names = list(seeds)
    if "tuned" in names:
        raise ValueError(checks.message(where, "base", "not be named so", "'tuned'"))
    own = None if parent is None else _parent(where, names, parent)
    values = table(where, known, {**seeds, "tuned": tuned})
    # What is far has a large number, whatever the measure.
    sign = -1.0 if known.direction == "similarity" else 1.0
    return Drift(
        _ranked(values, own, sign), _excess(where, known, seeds, tuned, values, own, sign, level)
    )


def _parent(where: str, names: list[str], parent: str | int) -> int:
    if isinstance(parent, int) and not isinstance(parent, bool) and 0 <= parent < len(names):
        return parent
    if parent in names:
        return names.index(str(parent))
    expected = f"be one of {', '.join(names)}, or a place among them"
    raise ValueError(checks.message(where, "parent", expected, repr(parent)))


def _ranked(values: np.ndarray, parent: int | None, sign: float) -> TestResult:
    """Return the rank of the tuned net, the last of the table, among the seeds."""
    if parent is None:
        count = len(values)
        each = (values.sum(axis=1) - np.diag(values)) / (count - 1)
        method = f"rank among {count} nets, each with all others"
        between = values[:-1, :-1]
        null = between[np.triu_indices(count - 1, 1)]
    else:
        each = np.delete(values[parent], parent)
        null = each[:-1]
        method = f"rank among {len(each)} nets, by their similarity to the parent"
    slack = 1e-10 * float(np.abs(values).max())
    pvalue = float(np.mean(sign * each >= sign * each[-1] - slack))
    return TestResult(
        float(each[-1]), pvalue, float(null.mean()), float(null.std(ddof=1)), len(each), method
    )


def _excess(
    where: str,
    known: Measure,
    seeds: dict[str, Array],
    tuned: Array,
    values: np.ndarray,
    parent: int | None,
    sign: float,
    level: float,
) -> Interval:
    names = [*seeds, "tuned"]
    last = len(names) - 1
    if parent is None:
        pairs = [(i, j) for j in range(len(names)) for i in range(j)]
        units = list(range(last))
    else:
        pairs = [(parent, j) for j in range(len(names)) if j != parent]
        units = [j for j in range(last) if j != parent]
    members = np.array([[unit in pair for pair in pairs] for unit in units])
    far = np.array([last in pair for pair in pairs])

    def statistic(found: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return sign * (found[kept & far].mean(axis=0) - found[kept & ~far].mean(axis=0))

    plain = np.array([values[pair] for pair in pairs])
    everything = np.ones(len(pairs), dtype=bool)
    value = float(statistic(plain, everything))
    if known.name == "cka" and known.settings["estimator"] == "debiased":
        called = [(names[i], names[j]) for i, j in pairs]
        kernel = one_kernel(where, known)
        found = Pairs.of(where, {**seeds, "tuned": tuned}, kernel, called)
        spread = combined(found, members, statistic)
        reach = spread.reach(level)
        method = f"jackknife over samples and {len(units)} seeds"
        error = float(np.sqrt(spread.total))
        evidence = {
            "variance_samples": spread.rows,
            "variance_seeds": spread.units,
            "variance_interaction": spread.both,
            "degrees_of_freedom": spread.freedom,
        }
        low, high = value - reach, value + reach
        return Interval(value, low, high, level, error, found.n, method, (), evidence)
    without = np.array([float(statistic(plain, ~gone)) for gone in members])
    method = "jackknife over seeds, for these samples"
    return jackknifed(value, without, level=level, method=method)
