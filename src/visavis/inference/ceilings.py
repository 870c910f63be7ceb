"""Noise ceilings: how alike even the best model can be to subjects, repeats or seeds that differ.

The lower and upper bound are those of Nili et al. (2014, doi:10.1371/journal.pcbi.1003553), for any
measure that is the cosine of two vectors, one for each representation: the U-centred Gram matrix
(debiased CKA), the centred one (biased CKA), the RDM (RSA by cosine), its standardised entries or
their ranks (Pearson, Spearman). The mean of all vectors, at length 1, is the one that is most like
all of them on average, so no model can do better; each and the mean of the others is what a model
does that knows all that subjects share and nothing of the one that is predicted.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError
from visavis.inference.runs import Runs, named, off_diagonal, symmetric, table
from visavis.inference.sides import measured
from visavis.inference.spread import jackknifed, level_checked
from visavis.measures import Measure, MeasureSpec
from visavis.results import Interval

# Comparisons of RDMs that are a cosine of something.
COSINES = ("pearson", "spearman", "cosine", "whitened_cosine", "whitened_pearson")


@dataclass(frozen=True, eq=False)
class Ceiling:
    """The range in which the mean similarity of the best possible model to all subjects lies.

    Parameters
    ----------
    lower : Interval
        Mean over subjects of the similarity to the mean of the others.
    upper : Interval
        Mean over subjects of the similarity to the mean of all: no model can exceed it on these.
    each_lower, each_upper : ndarray, (subjects,)
        The values of the subjects.
    subjects : tuple of str
        Their names.
    """

    lower: Interval
    upper: Interval
    each_lower: np.ndarray
    each_upper: np.ndarray
    subjects: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.lower.value:.3f} to {self.upper.value:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the ceiling as plain JSON types."""
        return {
            "lower": self.lower.to_dict(),
            "upper": self.upper.to_dict(),
            "each_lower": self.each_lower.tolist(),
            "each_upper": self.each_upper.tolist(),
            "subjects": list(self.subjects),
        }


def ceiling(subjects: Runs, /, *, measure: MeasureSpec = "cka", level: float = 0.95) -> Ceiling:
    """Return the noise ceiling of similarity to subjects, repeats or seeds.

    With unit vectors v_s and C_st = ⟨v_s, v_t⟩, the measure of subjects s and t: the upper value
    of s is ⟨v_s, Σ_t v_t⟩/‖Σ_t v_t‖, the lower one the same without s in the sums.

    Parameters
    ----------
    subjects : sequence or mapping of arrays (n, p_s)
        The same samples as each of three or more saw them.
    measure : str, function or Measure
        ``cka`` (any kernel, both estimators), or ``rsa`` with a Pearson, Spearman or cosine
        comparison; with Spearman the mean of ranks is not ranked again.
    level : float
        Of the intervals.

    Returns
    -------
    Ceiling
        With intervals over subjects, by the jackknife: what other subjects would have given.

    Raises
    ------
    ValueError
        If there are fewer than 3, or the measure is no cosine: see `agreement` for any measure.
    DegenerateInputError
        If a subject has no value, or others cancel out.

    Notes
    -----
    For a model, compare the mean over subjects of its similarity to each. Subjects are the only
    thing that varies here; `two_factor` counts samples as well. *Cost*: all pairs of subjects.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(60, 5))
    >>> subjects = [shared + rng.normal(size=(60, 5)) for _ in range(6)]
    >>> found = vv.inference.ceiling(subjects)
    >>> model = np.mean([vv.cka(shared, each) for each in subjects])
    >>> bool(found.lower.value < model < found.upper.value)
    True
    """
    where = "ceiling"
    level_checked(where, level)
    known = _cosine(where, measure)
    given = named(where, "subjects", subjects, fewest=3)
    C = table(where, known, given)
    low, high = bounds(where, C)
    others = [np.delete(np.arange(len(C)), s) for s in range(len(C))]
    rest = [bounds(where, C[np.ix_(kept, kept)]) for kept in others]
    without = [np.array([part[k].mean() for part in rest]) for k in (0, 1)]
    made = [
        jackknifed(float(each.mean()), one, level=level, method="jackknife over subjects")
        for each, one in zip((low, high), without, strict=True)
    ]
    return Ceiling(made[0], made[1], low, high, tuple(given))


def bounds(where: str, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper value of each subject from the measures of all pairs."""
    sums = C.sum(axis=1)
    total = float(sums.sum())
    own = np.diag(C)
    rest = total - 2 * sums + own  # ‖Σ of the others‖²
    if not (total > 0 and np.all(rest > 1e-12 * len(C))):
        raise DegenerateInputError(f"{where}: `subjects` cancel out, so that their mean is zero.")
    return (sums - own) / np.sqrt(rest), sums / math.sqrt(total)


def agreement(runs: Runs, /, *, measure: MeasureSpec = "cka", level: float = 0.95) -> Interval:
    """Return how alike seeds, subjects or repeats are to each other: the mean over all pairs.

    Parameters
    ----------
    runs : sequence or mapping of arrays (n, p_r)
        Three or more, on the same samples.
    measure : str, function or Measure
        Any symmetric one.
    level : float
        Of the interval.

    Returns
    -------
    Interval
        Over runs, by the jackknife; ``evidence`` has the standard deviation, lowest and highest of
        the pairs, for where a single pair is judged.

    Raises
    ------
    ValueError
        If there are fewer than 3, or the measure is not symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(60, 5))
    >>> seeds = [shared + rng.normal(size=(60, 5)) for _ in range(6)]
    >>> found = vv.inference.agreement(seeds, measure="procrustes")
    >>> found.evidence["pairs"], bool(found.low < found.value < found.high)
    (15, True)
    """
    where = "agreement"
    level_checked(where, level)
    known = symmetric(where, measure)
    C = table(where, known, named(where, "runs", runs, fewest=3))
    pairs = off_diagonal(C)
    count = len(C)
    of_each = C.sum(axis=1) - np.diag(C)
    without = (pairs.sum() - of_each) / ((count - 1) * (count - 2) / 2)
    return jackknifed(
        float(pairs.mean()),
        without,
        level=level,
        method="jackknife over runs",
        evidence={
            "pairs": len(pairs),
            "deviation": float(pairs.std(ddof=1)),
            "lowest": float(pairs.min()),
            "highest": float(pairs.max()),
        },
    )


def _cosine(where: str, measure: MeasureSpec) -> Measure:
    known = measured(where, measure)
    kernel = known.settings.get("kernel")
    fine = (known.name == "cka" and known.symmetric and not isinstance(kernel, tuple)) or (
        known.name == "rsa" and known.settings["compare"] in COSINES
    )
    if fine:
        return known
    raise ValueError(
        checks.message(
            where,
            "measure",
            "be cka with one kernel, or rsa with a Pearson, Spearman or cosine comparison",
            known.label,
            "See agreement(...) for the mean over pairs by any measure.",
        )
    )
