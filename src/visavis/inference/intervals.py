"""Intervals: how far a value may be from that of the population."""

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from visavis._core import checks
from visavis._core.types import Array
from visavis.inference import blocks
from visavis.inference.leave_one_out import deleted
from visavis.inference.sides import Centred, kernels_of, measured
from visavis.measures import MeasureSpec
from visavis.results import Finding, Interval
from visavis.stats import jackknife as formulas
from visavis.stats.jackknife import MINIMUM_ROWS
from visavis.stats.permutation_moments import variance


def jackknife(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    level: float = 0.95,
    groups: Sequence[Any] | Array | None = None,
) -> Interval:
    """Debiased CKA with a confidence interval, from the values without each sample.

    The delete-one jackknife on a scale on which the spread is steady: shifted by half the chance
    level, ``artanh √((s + c)/(1 + c))``. Deterministic.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        Debiased ``cka``, with any kernel.
    level : float
        Between 0 and 1.
    groups : sequence, length n, optional
        Which rows belong together and are not independent of each other: the tokens of a text, the
        places of an image, repeats. The value is then estimated over pairs of different groups
        (linear kernel only): the one over rows reports the dependence within them as similarity.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the measure is another, or there are fewer than 6 rows (or groups).
    DegenerateInputError
        If a side has no CKA even with itself.

    Notes
    -----
    *Coverage*: 93 % or more of nominal 95 % for n of 30 to 1000, p/n of 0.1 to 10, CKA of 0 to 0.9,
    flat and steep spectra; conservative near 0. Finding ``VV005`` says where few rows carry the
    interval and it may be too short. *Cost*: O(n²(p + q)).

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 10))
    >>> interval = vv.inference.jackknife(X, X + rng.normal(size=(100, 10)))
    >>> interval.low < interval.value < interval.high
    True
    """
    where = "jackknife"
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
    kernels = kernels_of(where, measured(where, measure))
    X, Y = checks.pair(where, X, Y, minimum_rows=MINIMUM_ROWS)
    if groups is not None:
        return blocks.jackknife(where, X, Y, kernels, level=level, groups=groups)
    x, y = (
        Centred.of(where, name, each, kernel)
        for name, each, kernel in (("X", X, kernels[0]), ("Y", Y, kernels[1]))
    )
    n = x.n
    xy, xx, yy = deleted(x, y), deleted(x, x), deleted(y, y)
    values = xy.without / np.sqrt(xx.without * yy.without)
    # Half the chance level of the biased estimate: √(PR_x·PR_y)/(2(n − 1)).
    ratios = [(each.trace / (n - 1)) ** 2 / self_.value for each, self_ in ((x, xx), (y, yy))]
    half = float(formulas.half_chance(math.sqrt(ratios[0] * ratios[1]), n))
    value = xy.value / math.sqrt(xx.value * yy.value)
    return from_values(value, values, half=half, floor=variance(n), level=level, method="jackknife")


def from_values(
    value: float, values: np.ndarray, *, half: float, floor: float, level: float, method: str
) -> Interval:
    """Return the interval of a debiased CKA from its leave-one-out values.

    Parameters
    ----------
    value : float
        With all units.
    values : ndarray, (n,)
        Without each.
    half : float
        Half the chance level, by which the scale is shifted.
    floor : float
        The variance under the null hypothesis, which no other may fall below.
    level : float
        Of the interval.
    method : str
        For the record.
    """
    n = len(values)
    made = formulas.jackknifed(value, values, half=half, level=level, floor=floor)
    low, high, error, freedom, share = (
        float(each) for each in (made.low, made.high, made.error, made.freedom, made.share)
    )
    evidence = {"half_chance": half}
    if math.isfinite(freedom):
        evidence |= {"degrees_of_freedom": freedom}
    row = int(made.row)
    found = (
        (
            Finding(
                "VV005",
                f"this interval rests on few rows: row {row} alone carries "
                f"{100 * share:.0f} % of its width.",
                "Look at these rows; an interval of a value that few rows decide may be too short.",
                evidence={"degrees_of_freedom": freedom, "row": row},
            ),
        )
        if formulas.few_rows(value, made.freedom)
        else ()
    )
    return Interval(value, low, high, level, error, n, method, found, evidence)


def subsample(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec,
    level: float = 0.95,
    repeats: int = 200,
    seed: int = 0,
) -> Interval:
    """Any measure with an interval, from random halves of the samples, drawn without replacement.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        What to compute.
    level : float
        Between 0 and 1.
    repeats : int
        How many halves.
    seed : int
        Draws them.

    Returns
    -------
    Interval
        Around the value of all samples, with percentiles of how halves stray from their mean: a
        half does so as all samples do from the population.

    Notes
    -----
    A measure whose mean depends on the number of samples (a biased one) has that bias with all
    samples too, and no resampling takes it away. *Cost*: `repeats` times the measure at n/2.
    """
    where = "subsample"
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
    if not isinstance(repeats, int) or repeats < 20:
        raise ValueError(checks.message(where, "repeats", "be at least 20", repr(repeats)))
    known = measured(where, measure)
    X, Y = checks.pair(where, X, Y, minimum_rows=2 * known.minimum_rows)
    n = int(X.shape[0])
    value = float(known(X, Y))
    random = np.random.default_rng(seed)
    halves = np.array(
        [
            float(known(_rows(X, chosen), _rows(Y, chosen)))
            for chosen in (np.sort(random.permutation(n)[: n // 2]) for _ in range(repeats))
        ]
    )
    off = halves - halves.mean()
    # Of m of n samples without replacement the variance is (n − m)/m of that of all n.
    off = off * math.sqrt((n // 2) / (n - n // 2))
    low, high = np.quantile(off, [(1 - level) / 2, (1 + level) / 2])
    low, high = max(known.low, value + float(low)), min(known.high, value + float(high))
    error = float(off.std(ddof=1))
    return Interval(value, low, high, level, error, n, "subsample", (), {"repeats": repeats})


def bootstrap(*_: object, **__: object) -> NoReturn:
    """Refuse to resample rows with replacement, and say what to do instead.

    Raises
    ------
    ValueError
        Always, with code VV010.
    """
    raise ValueError(
        "VV010 bootstrap: rows drawn with replacement repeat each other, and a repeated row is "
        "maximally similar to itself in both representations: for independent data, whose debiased "
        "CKA is 0.000, the bootstrap averages 0.664. Use visavis.inference.jackknife, or "
        "subsample, which draws without replacement."
    )


def _rows(X: Array, rows: np.ndarray) -> Array:
    from visavis._core import array

    xp = array.namespace(X)
    return xp.take(X, xp.asarray(rows, device=array.device(X)), axis=0)
