"""How alike samples are to their neighbours: second-order cosine and CKNNA."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from visavis._core.types import Array
from visavis.linalg import row_blocks
from visavis.measures.neighbours import (
    BLOCK_ENTRIES,
    HUH,
    KLABUNDE,
    MUTUAL_KNN,
    answer,
    described,
    specialise,
)
from visavis.stats import Shared


def second_order_cosine(X: Array, Y: Array, /, *, k: int = 10) -> Array:
    """Mean cosine between the cosines of each sample to its neighbours in both representations.

    ``mean_i cos(s_i, t_i)``: s_i holds the cosines in X, and t_i those in Y, between sample i and
    the samples that are among its k nearest by cosine in X or in Y [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    k : int
        Number of neighbours, at most n − 2.

    Returns
    -------
    0-d array
        ``[−1, 1]``, higher is more alike. Unrelated representations are near 0 only where cosines
        are 0 on average: Gaussian features after a ReLU have 0.8.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 12 rows (k + 2), or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, a row is zero, all rows are multiples
        of one another, or all cosines of a sample are zero.

    Notes
    -----
    *Invariant to*: isotropic scaling, orthogonal maps. *Not to*: translation, invertible linear
    maps. *Streaming*: none. *Cost*: n²(p + q) on the host, in blocks of rows; there is no
    gradient. *Ties*: as in `mutual_knn`.

    *When*: are neighbours as near on both sides, rather than the same ones? Made for words whose
    meaning drifts. *When not*: rows all point much the same way, as where features are not centred:
    every cosine is then near 1, and so is the value, of unrelated sides too. Centre first, or hold
    it against shuffled rows.

    References
    ----------
    .. [1] Hamilton, Leskovec & Jurafsky (2016), arXiv:1606.02821.
    .. [2] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> bool(vv.second_order_cosine(X, X + 0.1 * rng.normal(size=X.shape)) > 0.99)
    True
    """
    options = {"k": k}
    return answer(
        "second_order_cosine",
        X,
        Y,
        options,
        partial(_score_second, options),
        otherwise="A sample is at right angles to all of its neighbours: leave such rows out.",
    )


def cknna(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Centred kernel nearest-neighbour alignment: biased CKA of mutual neighbours alone.

    ``A(K, L)/√(A(K, K)·A(L, L))`` with ``A(K, L) = Σ_ij K_ij L_ij`` over the pairs in which sample
    j is among the k nearest of i in both representations, and K, L the centred Gram matrices
    [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    k : int
        Number of neighbours, at most n − 2.
    metric : {"cosine", "euclidean"}
        ``"cosine"``: rows are divided by their lengths first, as in the paper. ``"euclidean"``:
        rows as they are.

    Returns
    -------
    0-d array
        ``[−1, 1]``, higher is more alike; unrelated representations have at most k/(n − 1) on
        average.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 12 rows (k + 2), or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or with the cosine a row is zero or
        all rows are multiples of one another.

    Notes
    -----
    *Invariant to*: isotropic scaling, orthogonal maps; translation if Euclidean. *Not to*:
    translation with the cosine, invertible linear maps. *Streaming*: none. *Cost*:
    (n² + nk)(p + q) on the host, in blocks of rows; there is no gradient. *Ties*: as in
    `mutual_knn`. The code of the paper's authors does not compute the paper's formula: it puts
    masked matrices that were not centred, and are not symmetric, into an estimator for symmetric
    ones.

    *When*: between `mutual_knn` and `cka`: only pairs near each other count, and by how alike they
    are. Few neighbours make it local; with nearly all samples as neighbours it is near `cka`.
    *When not*: values are to be held against those of the paper, whose code computes something
    else; at large k, where directions of large variance decide as in `cka`; or across k and n.

    References
    ----------
    .. [1] Huh, Cheung, Wang & Isola (2024), arXiv:2405.07987.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(2, 200, 5))
    >>> bool(vv.cknna(X, Y) < 0.1 < vv.cknna(X, X + 0.5 * Y))
    True
    """
    options = {"k": k, "metric": metric}
    return answer("cknna", X, Y, options, partial(_score_cknna, options))


def _score_second(options: Mapping[str, Any], met: Shared) -> Array:
    total = []
    for rows in row_blocks(met.n, max(1, BLOCK_ENTRIES // met.n)):
        either = [side.indices[rows] for side in (met.x, met.y)]
        s, t = (
            np.concatenate([np.take_along_axis(cosines, each, axis=1) for each in either], axis=1)
            for cosines in (side.cosines(rows) for side in (met.x, met.y))
        )
        # A neighbour on both sides stands in both halves, and counts once.
        s[:, : met.k][met.ranks[rows] > 0] = 0.0
        t[:, : met.k][met.ranks[rows] > 0] = 0.0
        norms = np.sqrt((s * s).sum(axis=1) * (t * t).sum(axis=1))
        total.append((s * t).sum(axis=1) / norms)
    return np.concatenate(total).mean()


def _score_cknna(options: Mapping[str, Any], met: Shared) -> Array:
    x, y = met.x.products, met.y.products
    there = np.take_along_axis(y, np.maximum(met.ranks - 1, 0), axis=1)
    shared = np.where(met.ranks > 0, x * there, 0.0).sum()
    return shared / np.linalg.norm(x) / np.linalg.norm(y)


def _chance_cknna(options: Mapping[str, Any], met: Shared) -> Array:
    # Each entry of one side meets each pair of different samples of the other equally often.
    x, y = met.x.products, met.y.products
    x, y = (side.sum() / np.linalg.norm(side) for side in (x, y))
    return x * y / (met.n * (met.n - 1))


SECOND_ORDER_COSINE = specialise(
    replace(
        MUTUAL_KNN,
        name="second_order_cosine",
        title="Second-order cosine similarity",
        family="neighbours",
        function=second_order_cosine,
        score=_score_second,
        chance=None,
        describe=lambda options: f"agreement of the cosines to the {described(options)} of either",
        reference=f"Hamilton, Leskovec & Jurafsky (2016), arXiv:1606.02821; {KLABUNDE}",
        statistic="Indices of neighbours and cosines (host)",
        low=-1.0,
        variants=({"k": 5},),
    )
)

CKNNA = specialise(
    replace(
        MUTUAL_KNN,
        name="cknna",
        title="Centred kernel nearest-neighbour alignment",
        family="neighbours",
        function=cknna,
        score=_score_cknna,
        chance=_chance_cknna,
        describe=lambda options: f"alignment over shared ones of the {described(options)}",
        reference=HUH,
        statistic="Indices and Gram entries of neighbours (host)",
        cost="(n² + nk)(p + q), host",
        low=-1.0,
        variants=({"metric": "euclidean"},),
    )
)
