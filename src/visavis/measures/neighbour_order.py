"""Neighbourhoods as sequences: rank similarity and the longest common subsequence."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from visavis._core.types import Array
from visavis.measures.neighbours import (
    HUH,
    KLABUNDE,
    MUTUAL_KNN,
    answer,
    described,
    overlaps,
    specialise,
)
from visavis.stats import Shared


def rank_similarity(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Mean agreement of the ranks of those neighbours that a sample has in both representations.

    ``mean_i (1/H(s_i)) Σ_j 2/((1 + |r − r′|)(r + r′))`` over the s_i shared neighbours j of sample
    i, with r and r′ their ranks in X and Y from 1, and H(s) = 1 + 1/2 + … + 1/s; 0 for a sample
    that shares none [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    k : int
        Number of neighbours, at most n − 2.
    metric : {"cosine", "euclidean"}
        ``"cosine"``: the angle between rows as they are. ``"euclidean"``: their distance.

    Returns
    -------
    0-d array
        ``[0, 1]``, higher is more alike. Neighbours that only one side has are not counted: one
        shared neighbour, the first on both sides, is worth 1 alone.

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
    translation with the cosine, invertible linear maps. *Streaming*: none. *Cost*: n²(p + q) on
    the host, in blocks of rows; there is no gradient. *Ties*: as in `mutual_knn`.

    *When*: retrieval lists: do the neighbours that both sides have come in the same order?
    *When not*: alone: neighbours that one side lacks are not counted, so that a single shared one,
    the first of both, scores 1. Read it beside `knn_jaccard`. With large k near ties decide the
    order.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [2] Wang, Rao, Zhang, Qin & Wang (2020), IEEE Transactions on Knowledge and Data
       Engineering.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> near, far = (X + scale * rng.normal(size=X.shape) for scale in (0.1, 1))
    >>> bool(1 > vv.rank_similarity(X, near) > vv.rank_similarity(X, far))
    True
    """
    options = {"k": k, "metric": metric}
    return answer("rank_similarity", X, Y, options, partial(_score_rank, options))


def lcs_knn(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Mean length of the longest sequence of neighbours common to both representations.

    ``mean_i LCS(N_X(i), N_Y(i))/k`` with N(i) the k samples nearest to sample i, nearest first,
    itself left out, and LCS the length of the longest common subsequence [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    k : int
        Number of neighbours, at most n − 2.
    metric : {"cosine", "euclidean"}
        ``"cosine"``: the angle between rows as they are. ``"euclidean"``: their distance.

    Returns
    -------
    0-d array
        ``[0, 1]``, higher is more alike; at most `mutual_knn`. The code of the paper's authors
        gives k times this.

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
    translation with the cosine, invertible linear maps. *Streaming*: none. *Cost*: n²(p + q) + nk²
    on the host, in blocks of rows; there is no gradient. *Ties*: as in `mutual_knn`.

    *When*: the order of neighbours counts, and a neighbour that is missing must not spoil those
    after it. *When not*: large k, where neighbours are nearly equally far and noise decides their
    order; or far samples matter, which it does not see.

    References
    ----------
    .. [1] Huh, Cheung, Wang & Isola (2024), arXiv:2405.07987.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> Y = X + 0.3 * rng.normal(size=X.shape)
    >>> bool(vv.lcs_knn(X, Y) < vv.mutual_knn(X, Y) < vv.lcs_knn(X, X))
    True
    """
    options = {"k": k, "metric": metric}
    return answer("lcs_knn", X, Y, options, partial(_score_lcs, options))


def _worth(r: np.ndarray, s: np.ndarray) -> np.ndarray:
    return 2 / ((1 + np.abs(r - s)) * (r + s))


def _harmonic(k: int) -> np.ndarray:
    """Return H(0) = 0, H(1), … H(k)."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, k + 1))])


def _score_rank(options: Mapping[str, Any], met: Shared) -> Array:
    ranks = met.ranks
    worth = np.where(ranks > 0, _worth(np.arange(1.0, met.k + 1), ranks), 0.0).sum(axis=1)
    # Without a shared neighbour the sum is empty, and 0 whatever it is divided by.
    return (worth / _harmonic(met.k)[np.maximum(met.counts, 1)]).mean()


def _chance_rank(options: Mapping[str, Any], met: Shared) -> Array:
    # Given how many are shared, the two ranks of each of them are independent and uniform.
    r = np.arange(1.0, met.k + 1)
    shared = np.arange(1, met.k + 1)
    expected = (overlaps(met.n, met.k)[1:] * shared / _harmonic(met.k)[1:]).sum()
    return _worth(r[:, None], r).mean() * expected


def _score_lcs(options: Mapping[str, Any], met: Shared) -> Array:
    # What is common, in the order of X, is a sequence of ranks in Y: its longest rising part.
    ranks = met.ranks
    longest = np.zeros(ranks.shape, dtype=np.int32)
    for last in range(met.k):
        here, before = ranks[:, last], slice(0, last)
        rises = (ranks[:, before] > 0) & (ranks[:, before] < here[:, None])
        tail = np.where(rises, longest[:, before], 0).max(axis=1, initial=0)
        longest[:, last] = np.where(here > 0, tail + 1, 0)
    return np.asarray(longest.max(axis=1).mean() / met.k)


RANK_SIMILARITY = specialise(
    replace(
        MUTUAL_KNN,
        name="rank_similarity",
        title="Rank similarity of nearest neighbours",
        family="neighbours",
        function=rank_similarity,
        score=_score_rank,
        chance=_chance_rank,
        describe=lambda options: (
            f"agreement of ranks among shared ones of the {described(options)}"
        ),
        reference=f"Wang et al. (2020), IEEE TKDE; {KLABUNDE}",
        variants=({"metric": "euclidean"},),
    )
)

LCS_KNN = specialise(
    replace(
        MUTUAL_KNN,
        name="lcs_knn",
        title="Longest common subsequence of nearest neighbours",
        family="neighbours",
        function=lcs_knn,
        score=_score_lcs,
        # The mean longest rising part of a random sequence has no simple form.
        chance=None,
        describe=lambda options: f"longest common sequence of the {described(options)}, over k",
        reference=HUH,
        cost="n²(p + q) + nk², host",
        variants=({"metric": "euclidean"},),
    )
)
