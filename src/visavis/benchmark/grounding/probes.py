"""Linear probes: how well the classes can be read out of a representation."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.stats import folds as dealt
from visavis.stats import prediction
from visavis.stats.folds import Directed, Folded

_RIDGE = {"model": "ridge", "penalties": prediction.PENALTIES}


def probe_accuracy(
    X: Array,
    labels: Sequence[Any] | Array,
    /,
    *,
    folds: int | Sequence[Any] | Array = 5,
    seed: int | None = 0,
) -> float:
    """Return the share of samples whose class a linear probe tells, fitted on other samples.

    Ridge regression of the classes, one column each that is 1 for its samples and 0 for others; of
    the predictions for a sample the largest is its class.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    labels : sequence or array, (n,)
        The class of each, numbers or words; two classes or more.
    folds : int, or sequence or array (n,)
        The number of folds, each of which gets its share of every class, or the fold of each
        sample: samples that belong together go into one.
    seed : int, optional
        Of the order in which samples are dealt to the folds.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If labels and samples do not match, or there is one class only.
    DegenerateInputError
        If an entry is NaN or infinite.

    Notes
    -----
    The penalty of each fold is the one with the least squared error when each training row is
    predicted from all others of the training, as in `visavis.predictivity`. *Invariant to*
    translation, isotropic scaling and orthogonal maps.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(90) % 3
    >>> probe_accuracy(np.eye(3)[labels] + 0.01 * rng.normal(size=(90, 3)), labels)
    1.0
    """
    where = "probe_accuracy"
    X = checks.representation(where, "X", X)
    checks.all_finite(where, "X", X)
    member = classes(where, labels, int(X.shape[0]))
    parts = _parts(where, folds, member, seed)
    return float(np.mean(_told(array.to_numpy(X), member, parts) == member))


def classes(where: str, labels: Sequence[Any] | Array, n: int) -> np.ndarray:
    """Return the class of each sample as a number, checked against the number of samples."""
    listed = array.to_numpy(labels) if array.is_array(labels) else np.asarray(labels)
    if listed.shape != (n,):
        expected, seen = f"have an entry for each of the {n} samples", f"shape {listed.shape}"
        raise ValueError(checks.message(where, "labels", expected, seen))
    if listed.dtype.kind == "f" and np.isnan(listed).any():
        raise ValueError(checks.message(where, "labels", "be known for every sample", "NaN"))
    names, member = np.unique(listed, return_inverse=True)
    if len(names) < 2:
        seen = f"only {names.tolist()[0]!r}" if len(names) else "none"
        raise ValueError(checks.message(where, "labels", "have two classes or more", seen))
    return member


def _parts(
    where: str, folds: int | Sequence[Any] | Array, member: np.ndarray, seed: int | None
) -> list[np.ndarray]:
    """Return the samples that each fold holds out."""
    n = len(member)
    count = int(folds) if isinstance(folds, Integral) else 0
    if 2 <= count <= n // 2:
        return dealt.assigned(_stratified(member, count, seed), n, None)
    named = [] if isinstance(folds, Integral) or np.ndim(folds) != 1 else folds
    fold = dealt.numbered(named)
    parts = [np.flatnonzero(fold == k) for k in range(int(fold.max(initial=-1)) + 1)]
    if len(fold) != n or len(parts) < 2 or n - max(map(len, parts)) < 2:
        expected = f"be a number from 2 to {n // 2}, or the fold of each of the {n} samples"
        cure = "Two samples or more must be left to every training."
        raise ValueError(checks.message(where, "folds", expected, repr(folds), cure))
    return parts


def _stratified(member: np.ndarray, folds: int, seed: int | None) -> np.ndarray:
    """Return the fold of each sample: of folds and classes sizes differ by one at most.

    With unequal shares a probe that knows nothing names the class of which the training has more,
    and the fold less: it scores below chance.
    """
    n = len(member)
    order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    order = order[np.argsort(member[order], kind="stable")]
    fold = np.empty(n, np.int64)
    fold[order] = np.arange(n) % folds
    return fold


def _told(X: np.ndarray, member: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """Return the class that the probe of the other folds gives to each sample."""
    truth = np.eye(member.max() + 1)[member]
    told = np.empty(len(member), dtype=np.int64)
    if (X[:1] == X).all():  # a dead layer tells nothing but which class has most samples
        for test in parts:
            told[test] = np.delete(truth, test, axis=0).sum(axis=0).argmax()
        return told
    y = Folded.of(truth, parts)
    # The statistic keeps the classes centred and in a unit of its own.
    unit = float(np.ptp(y.features[:, 0]))
    met = Directed(Folded.of(X, parts), y)
    for fold, (actual, predicted) in zip(
        met.x.folds, prediction.held_out(met, _RIDGE, turned=False), strict=True
    ):
        told[fold.test] = (truth[fold.test] - (actual - predicted) / unit).argmax(axis=1)
    return told
