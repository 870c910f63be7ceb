"""Information imbalance."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PAIRWISE,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import Ranks


def information_imbalance(X: Array, Y: Array, /, *, k: int = 1) -> Array:
    """How little the distances in X tell of the distances in Y.

    ``Δ(X → Y) = (2/n)·mean r_Y(i, j)`` over samples i and their k nearest j in X, with r_Y(i, j)
    the rank of j, from 1, among all others by distance from i in Y [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows: what is known.
    Y : array, (n, q)
        The same samples in the same order: what is to be told.
    k : int
        Number of neighbours, at most n − 2.

    Returns
    -------
    0-d array
        ``[0, 2]``, lower is more alike; 1 on average for unrelated representations, and (k + 1)/n,
        the least there can be, if neighbours in X are neighbours in Y. Not symmetric: X tells more
        of Y than Y of X where Δ(X → Y) < Δ(Y → X).

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 3 rows (k + 2), or `k` is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Not to*: invertible linear
    maps. *Streaming*: none. *Cost*: n²(p + q + log n) on the host, in blocks of rows; there is no
    gradient. To compare many layers n² ranks of each are kept, two bytes a rank, up to n = 8192.
    *Ties*: distances that agree to rounding (about thirteen digits) are ordered by the index of the
    sample.

    *When*: which of two sides tells more of the other: it is directed, and 0 one way with 1 the
    other says that X determines Y and not conversely. *When not*: features differ in scale, for
    those of large variance make the distances; or noise in many dimensions makes them, which takes
    both directions to 1. Only neighbours in X are followed: what is far away there is not seen.

    References
    ----------
    .. [1] Glielmo, Zeni, Cheng, Csányi & Laio (2022), arXiv:2104.15079.

    Examples
    --------
    The whole tells of its parts, a part less of the whole.

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> part = X[:, :1]
    >>> bool(vv.information_imbalance(X, part) < 0.5 * vv.information_imbalance(part, X))
    True
    """
    options = {"k": k}
    _check("information_imbalance", options)
    X, Y = checks.pair("information_imbalance", X, Y, minimum_rows=k + 2)
    checks.readable("information_imbalance", X=X, Y=Y)
    with checks.diagnosed("information_imbalance", X=X, Y=Y):
        x, y = (Ranks.of(Z, k, keep=False) for Z in (X, Y))
        value = _score(options, (x, y))
    return checks.finite("information_imbalance", array.placed(float(value), X), X=X, Y=Y)


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    k = options["k"]
    return Preparation(
        ("ranks", k), lambda X: Ranks.of(X, k, keep=True), lambda x, y: (x, y), work=PAIRWISE
    )


def _score(options: Mapping[str, Any], met: tuple[Ranks, Ranks]) -> Array:
    x, y = met
    ranks = y.of_pairs(x.nearest)
    return np.asarray(2 / ranks.shape[0] * ranks.mean(dtype=np.float64))


def _chance(options: Mapping[str, Any], met: tuple[Ranks, Ranks]) -> Array:
    return np.asarray(1.0)


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.count(where, "k", options["k"])


def _describe(options: Mapping[str, Any]) -> str:
    k = options["k"]
    nearest = "nearest neighbour" if k == 1 else f"{k} nearest neighbours"
    return (
        f"rank in the column layer of the {nearest} in the row layer: 1 is unrelated, 0 means that "
        "the row layer tells all distances of the column layer; not symmetric"
    )


def _specialise(measure: Measure) -> Measure:
    return replace(measure, minimum_rows=measure.settings["k"] + 2)


INFORMATION_IMBALANCE = _specialise(
    Measure(
        name="information_imbalance",
        title="Information imbalance",
        family="neighbours",
        function=information_imbalance,
        prepare=_prepare,
        score=_score,
        chance=_chance,
        describe=_describe,
        check=_check,
        reference="Glielmo, Zeni, Cheng, Csányi & Laio (2022), arXiv:2104.15079",
        statistic="Ranks of distances (host)",
        cost="n²(p + q + log n), host",
        low=0.0,
        high=2.0,
        direction="distance",
        symmetric=False,
        reflexive=False,
        invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL}),
        not_invariant_to=frozenset({LINEAR}),
        variants=({"k": 5},),
        specialise=_specialise,
    )
)
