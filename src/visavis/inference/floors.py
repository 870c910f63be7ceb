"""Floors: how alike a representation is to one that has learned nothing, or only the classes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from visavis._core import checks
from visavis._core.types import Array
from visavis.inference.permutations import within_classes
from visavis.inference.runs import Runs, named, table, together
from visavis.inference.sides import measured
from visavis.inference.spread import level_checked
from visavis.measures import MeasureSpec
from visavis.results import Interval


def floor(
    X: Array, untrained: Runs, /, *, measure: MeasureSpec = "cka", level: float = 0.95
) -> Interval:
    """Return how alike a representation is to untrained nets: what a trained one has to exceed.

    Parameters
    ----------
    X : array, (n, p)
        The representation in question.
    untrained : sequence or mapping of arrays (n, p_k)
        The same layer of two or more nets at their initialisation, on the same samples.
    measure : str, function or Measure
        What to compute, X first.
    level : float
        Of the interval.

    Returns
    -------
    Interval
        The mean over nets, and where the value of *one more* untrained net lies: the prediction
        interval ``mean ± t·s·√(1 + 1/k)`` of normal values. A trained net is beyond the floor if
        its value is outside. ``standard_error`` is that of the mean.

    Raises
    ------
    ValueError
        If there are fewer than 2 nets.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.normal(size=(80, 20))
    >>> nets = [np.maximum(inputs @ rng.normal(size=(20, 30)), 0) for _ in range(6)]
    >>> X = np.maximum(inputs @ rng.normal(size=(20, 30)), 0)
    >>> bool(vv.inference.floor(X, nets[1:]).low < vv.cka(X, nets[0]))
    True
    """
    where = "floor"
    level_checked(where, level)
    known = measured(where, measure)
    nets = named(where, "untrained", untrained, fewest=2)
    X = checks.representation(where, "X", X)
    together(where, "X` and `untrained", X, *nets.values())
    values = table(where, known, {"X": X}, nets)[0]
    count = len(values)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * deviation * math.sqrt(1 + 1 / count)
    return Interval(
        mean,
        max(known.low, mean - reach),
        min(known.high, mean + reach),
        level,
        deviation / math.sqrt(count),
        count,
        "prediction over untrained nets",
        (),
        {"deviation": deviation, "lowest": float(values.min()), "highest": float(values.max())},
    )


def class_floor(
    X: Array,
    Y: Array,
    labels: Sequence[Any] | Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    level: float = 0.95,
    n: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return how alike two representations are by the classes alone.

    The values with samples exchanged inside of classes, which leaves all that both know of the
    classes and takes what they share beyond.

    Parameters
    ----------
    X : array, (samples, p)
    Y : array, (samples, q)
        The same samples.
    labels : sequence, length samples
        The class of each.
    measure : str, function or Measure
        What to compute.
    level : float
        Which share of the permuted values the interval holds.
    n : int
        How many permutations.
    seed : int
        Draws them.

    Returns
    -------
    Interval
        The mean over permutations (exact for debiased ``cka``) and their central quantiles; the
        ``standard_error`` is their standard deviation. ``permutation_test(..., within=labels)`` is
        the test.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(np.arange(4), 20)
    >>> X, Y = (3 * rng.normal(size=(4, 8))[labels] + rng.normal(size=(80, 8)) for _ in "xy")
    >>> found = vv.inference.class_floor(X, Y, labels)
    >>> bool(found.low < vv.cka(X, Y) < found.high)
    True
    """
    where = "class_floor"
    level_checked(where, level)
    checks.count(where, "n", n)
    known = measured(where, measure)
    drawn = within_classes(where, known, X, Y, labels, n=n, seed=seed, argument="labels")
    low, high = np.quantile(drawn.values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        drawn.mean,
        float(low),
        float(high),
        level,
        drawn.deviation,
        len(drawn.values),
        drawn.method,
        (),
        {"value": float(drawn.values[0])},
    )
