"""Neighbourhoods as sets: mutual kNN, Jaccard, cycle kNN; and what all measures of them share."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.linalg import row_blocks
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import Neighbours, Shared

HUH = "Huh, Cheung, Wang & Isola (2024), arXiv:2405.07987"
KLABUNDE = "Klabunde et al. (2023), arXiv:2305.06329"
SCHUMACHER = "Schumacher et al. (2021), arXiv:2005.10039"

# Entries of the largest temporary.
BLOCK_ENTRIES = 2**22


def mutual_knn(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Mean share of the k nearest neighbours that samples have in both representations.

    ``mean_i |N_X(i) ∩ N_Y(i)|/k`` with N(i) the k samples nearest to sample i, itself left out
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
        ``"cosine"``: the angle between rows as they are. ``"euclidean"``: their distance.

    Returns
    -------
    0-d array
        ``[0, 1]``, higher is more alike; unrelated representations have k/(n − 1) on average.

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
    the host, in blocks of rows; there is no gradient. *Ties*: distances that agree to rounding
    (about thirteen digits) are ordered by the index of the sample; a duplicate of a sample is its
    neighbour like any other. Where many distances are equal on both sides (one-hot rows, a single
    feature under the cosine) both share that order, and values are above chance because of it.
    *Numerics*: in float64; distances that a matrix product leaves few digits are taken from
    differences.

    *When*: do the same samples lie next to each other on both sides? For retrieval, and between
    networks of different kinds of data, where distances of far samples mean little. *When not*:
    clusters as wholes matter: how far apart they lie is not seen. The value depends on k and n
    (chance is k/(n − 1)), so compare at one of each; noise that reorders near samples lowers it
    where all else is the same, and duplicates raise it.

    References
    ----------
    .. [1] Huh, Cheung, Wang & Isola (2024), arXiv:2405.07987.

    Examples
    --------
    Who is near whom survives a rotation, and noise as large as the signal takes most of it.

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    >>> float(vv.mutual_knn(X, X @ rotation))
    1.0
    >>> bool(10 / 199 < vv.mutual_knn(X, X + rng.normal(size=X.shape)) < 0.5)
    True
    """
    options = {"k": k, "metric": metric}
    return answer("mutual_knn", X, Y, options, partial(_score_mutual, options))


def knn_jaccard(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Mean Jaccard index of the neighbourhoods of each sample in both representations.

    ``mean_i |N_X(i) ∩ N_Y(i)|/|N_X(i) ∪ N_Y(i)|`` with N(i) the k samples nearest to sample i,
    itself left out [1]_, [2]_.

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
        ``[0, 1]``, higher is more alike. With s of k neighbours shared a sample counts s/(2k − s),
        which is less than the s/k of `mutual_knn`.

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

    *When*: as `mutual_knn`, in the form in which changes of word and graph embeddings are reported:
    neighbours that only one side has cost more. *When not*: beside `mutual_knn`, of which it says
    nothing new for a single sample; and for all that `mutual_knn` is not for: global structure,
    other k, other n.

    References
    ----------
    .. [1] Schumacher, Wolf, Ritzert, Lemmerich, Grohe & Strohmaier (2021), arXiv:2005.10039.
    .. [2] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> Y = X + rng.normal(size=X.shape)
    >>> bool(vv.knn_jaccard(X, Y) < vv.mutual_knn(X, Y))
    True
    """
    options = {"k": k, "metric": metric}
    return answer("knn_jaccard", X, Y, options, partial(_score_jaccard, options))


def cycle_knn(X: Array, Y: Array, /, *, k: int = 10, metric: str = "cosine") -> Array:
    """Share of the samples that find themselves again: to a neighbour in Y, and back in X.

    ``mean_i [i ∈ ∪_{j ∈ N_Y(i)} N_X(j)]`` with N(i) the k samples nearest to sample i, itself
    left out [1]_.

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
        ``[0, 1]``, higher is more alike. Not symmetric: the first step is taken in Y, the second
        in X. A representation with itself need not reach 1: the neighbours of an outlier have
        nearer ones.

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

    *When*: can a sample be found again through the neighbours of the other side? A loose match, for
    sides that agree in part, as two kinds of data. *When not*: a level is to be read: with k large
    nearly every sample comes back, outliers do not even with themselves, and X and Y are not
    exchangeable. `mutual_knn` is stricter, symmetric, and 1 for a side with itself.

    References
    ----------
    .. [1] Huh, Cheung, Wang & Isola (2024), arXiv:2405.07987.

    Examples
    --------
    It forgives much: of ten neighbours and their ten, one has to be the sample again.

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> Y = X + rng.normal(size=X.shape)
    >>> bool(vv.cycle_knn(X, Y) > 0.7 > 0.3 > vv.mutual_knn(X, Y))
    True
    """
    options = {"k": k, "metric": metric}
    return answer("cycle_knn", X, Y, options, partial(_score_cycle, options))


# What the measures of neighbourhoods share.


def answer(
    where: str,
    X: Array,
    Y: Array,
    options: Mapping[str, Any],
    score: Callable[[Shared], Array],
    *,
    otherwise: str = "",
) -> Array:
    """Return the score of two representations after the checks that all of them need."""
    check(where, options)
    X, Y = checks.pair(where, X, Y, minimum_rows=options["k"] + 2)
    checks.readable(where, X=X, Y=Y)
    found = []
    with checks.diagnosed(where, X=X, Y=Y):
        for name, Z in (("X", X), ("Y", Y)):
            with checks.side(where, name):
                found.append(Neighbours.of(Z, options["k"], options.get("metric", "cosine")))
        value = score(Shared(*found))
    return checks.finite(where, array.placed(float(value), X), otherwise=otherwise, X=X, Y=Y)


def prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    """Return the search for neighbours, one for all measures with these options."""
    k, metric = options["k"], options.get("metric", "cosine")
    return Preparation(("neighbours", k, metric), lambda X: Neighbours.of(X, k, metric), Shared)


def check(where: str, options: Mapping[str, Any]) -> None:
    """Check the number of neighbours and the metric."""
    checks.count(where, "k", options["k"])
    if "metric" in options:
        checks.option(where, "metric", options["metric"], linalg.METRICS)


def specialise(measure: Measure) -> Measure:
    """Return the record with the facts that follow from the number of neighbours and the metric."""
    forgotten = {SCALING, PERMUTATION, ORTHOGONAL}
    if measure.settings.get("metric") == "euclidean":
        forgotten |= {TRANSLATION}
    return replace(
        measure,
        minimum_rows=measure.settings["k"] + 2,
        invariant_to=frozenset(forgotten),
        not_invariant_to=frozenset({TRANSLATION, LINEAR} - forgotten),
    )


def described(options: Mapping[str, Any]) -> str:
    """Name the neighbours that were asked for."""
    return f"{options['k']} nearest neighbours by {options.get('metric', 'cosine')} distance"


def overlaps(n: int, k: int) -> np.ndarray:
    """Return the probability (k + 1,) of h = 0…k shared neighbours, the rows of Y permuted."""
    ways = math.comb(n - 1, k)
    return np.array([math.comb(k, h) * math.comb(n - 1 - k, k - h) / ways for h in range(k + 1)])


def _score_mutual(options: Mapping[str, Any], met: Shared) -> Array:
    return met.counts.mean() / met.k


def _chance_mutual(options: Mapping[str, Any], met: Shared) -> Array:
    return np.asarray(met.k / (met.n - 1))


def _score_jaccard(options: Mapping[str, Any], met: Shared) -> Array:
    return (met.counts / (2 * met.k - met.counts)).mean()


def _chance_jaccard(options: Mapping[str, Any], met: Shared) -> Array:
    shared = np.arange(met.k + 1)
    return (overlaps(met.n, met.k) * shared / (2 * met.k - shared)).sum()


def _score_cycle(options: Mapping[str, Any], met: Shared) -> Array:
    x, y = met.x.indices, met.y.indices
    back = 0
    for block in row_blocks(met.n, max(1, BLOCK_ENTRIES // met.k**2)):
        itself = np.arange(met.n)[block, None, None]
        back += np.count_nonzero((x[y[block]] == itself).any(axis=(1, 2)))
    return np.asarray(back / met.n)


def _chance_cycle(options: Mapping[str, Any], met: Shared) -> Array:
    # A sample returns if any of k random others counts it among its own neighbours in X.
    others, k = met.n - 1, met.k
    ways = math.comb(others, k)
    admirers = np.bincount(met.x.indices.reshape(-1), minlength=met.n)
    lost = [math.comb(others - count, k) / ways for count in admirers.tolist()]
    return np.asarray(1 - math.fsum(lost) / met.n)


MUTUAL_KNN = specialise(
    Measure(
        name="mutual_knn",
        title="Mutual k nearest neighbours",
        family="neighbours",
        function=mutual_knn,
        prepare=prepare,
        score=_score_mutual,
        chance=_chance_mutual,
        describe=lambda options: f"share of the {described(options)} that both sides have",
        check=check,
        reference=HUH,
        statistic="Indices of neighbours (host)",
        cost="n²(p + q), host",
        low=0.0,
        high=1.0,
        invariant_to=frozenset(),
        variants=({"metric": "euclidean"}, {"k": 3}),
        specialise=specialise,
    )
)

KNN_JACCARD = specialise(
    replace(
        MUTUAL_KNN,
        name="knn_jaccard",
        title="Jaccard index of nearest neighbours",
        family="neighbours",
        function=knn_jaccard,
        score=_score_jaccard,
        chance=_chance_jaccard,
        describe=lambda options: f"Jaccard index of the {described(options)}",
        reference=f"{SCHUMACHER}; {KLABUNDE}",
        variants=({"metric": "euclidean"},),
    )
)

CYCLE_KNN = specialise(
    replace(
        MUTUAL_KNN,
        name="cycle_knn",
        title="Cycle over k nearest neighbours",
        family="neighbours",
        function=cycle_knn,
        score=_score_cycle,
        chance=_chance_cycle,
        describe=lambda options: (
            f"share of samples found again over the {described(options)}, to one of the column "
            "layer and back in the row layer; not symmetric"
        ),
        cost="n²(p + q) + nk², host",
        symmetric=False,
        reflexive=False,
        variants=({"metric": "euclidean"},),
    )
)
