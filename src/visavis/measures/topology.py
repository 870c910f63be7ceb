"""Representation topology divergence: clusters and loops that one side alone has."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from visavis._core import array, checks, extras
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
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

# ripser computes in float32. It is given the ranks of the distances, which are exact there as long
# as there are fewer than 2²⁴ different ones, and the bars are measured in the distances themselves.
LARGEST = 4096
# Which distance of a side becomes 1.
QUANTILE = 0.9


def rtd(X: Array, Y: Array, /, *, batch: int = 500, trials: int = 10, seed: int = 0) -> Array:
    """Representation topology divergence: clusters and loops that appear at different scales.

    ``½ Σ length(H₁(w, w̃)) + ½ Σ length(H₁(w̃, w))``, with w and w̃ the distances within X and
    within Y, each over its 0.9 quantile, and ``H₁(w, w̃)`` the bars of dimension 1 of the
    cross-barcode: what min(w, w̃) joins at a scale at which w alone does not yet [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    batch : int
        Number of samples that are looked at together, from 3 to 4096. With more rows than this,
        random subsets are drawn.
    trials : int
        How many subsets; the value is their mean. With `batch` rows or fewer there is one: all.
    seed : int
        Which subsets. They are the same for all pairs of representations with as many rows.

    Returns
    -------
    0-d array
        In ``[0, ∞)``; lower is more alike, and 0 if all distances agree up to one factor. It is a
        sum over bars, in units of the 0.9 quantile of the distances, and grows with the number of
        samples: compare values of equal n, or of equal `batch` with more rows than that.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 3 rows, or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    ImportError
        If ripser is not installed: ``pip install "visavis[topology]"``.
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or nine in ten of its distances are 0.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps, feature permutations. *Not to*:
    invertible linear maps. *Streaming*: none. *Cost*: n²(p + q) for the distances, and persistent
    homology of a graph of 2n + 1 vertices in both directions, all on the host: a quarter of a
    second each for 300 samples, three times that for 500. There is no gradient. *Numerics*:
    distances from differences in float64; their order decides the bars, which are exact. The
    quantile is that of all n² entries of the distance matrix, as in the code of the authors.
    *Definition*: the graph has vertices a_i and b_i for each sample and one vertex o. Its distances
    are w_ij between a_i and a_j, and between a_i and b_j for i ≤ j; min(w_ij, w̃_ij) between b_i
    and b_j; 0 between o and a_i; all others are infinite. The code of the authors has zeros between
    all a_i in place of o, with the same bars of dimension 1.

    *When*: for shapes made of clusters, loops and branches, which a measure of variance hardly
    sees. *When not*: which cluster lies where counts, of which it sees little among others as far
    away; n differs, as it is a sum over bars; or many layers are compared, for it costs far more
    than `mutual_knn`. It has no level of chance in closed form.

    References
    ----------
    .. [1] Barannikov, Trofimov, Balabin & Burnaev (2022), arXiv:2201.00058.

    Examples
    --------
    Three clusters, moved about as wholes, and two of them merged:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> noise, cluster = rng.normal(size=(60, 2)), np.arange(60) % 3
    >>> corners = np.array([[0, 0], [30, 0], [0, 30]])
    >>> X = corners[cluster] + noise
    >>> moved, merged = corners[[1, 2, 0]][cluster] + noise, corners[[0, 1, 1]][cluster] + noise
    >>> bool(vv.rtd(X, moved) < 0.3 * vv.rtd(X, merged))
    True
    """
    options = {"batch": batch, "trials": trials, "seed": seed}
    _check("rtd", options)
    X, Y = checks.pair("rtd", X, Y, minimum_rows=3)
    checks.readable("rtd", because="Homology is computed on the host", X=X, Y=Y)
    found = []
    with checks.diagnosed("rtd", X=X, Y=Y):
        for name, Z in (("X", X), ("Y", Y)):
            with checks.side("rtd", name):
                found.append(_Distances.of(Z, options))
        value = _score(options, tuple(found))
    return checks.finite("rtd", array.placed(float(value), X), X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Distances:
    """The distances within each subset of the rows, over their 0.9 quantile.

    Parameters
    ----------
    subsets : tuple of ndarray
        Of each subset the distances of all pairs i < j, row by row.
    """

    subsets: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, X: Array, options: Mapping[str, Any]) -> "_Distances":
        rows = np.asarray(array.to_numpy(X), dtype=np.float64)
        with checks.quiet():
            reach = np.asarray((rows.max(axis=0) - rows.min(axis=0)).max())
        if not np.isfinite(reach):
            checks.all_finite("kernel", "X", rows)
            raise DegenerateInputError(
                "kernel: `X` gives no distances: they are out of range. Rescale the features."
            )
        if reach == 0:
            raise DegenerateInputError(
                "kernel: `X` must vary over the samples, got identical rows."
            )
        rows = rows * array.power_of_two(reach)
        return cls(tuple(_normalised(rows[chosen]) for chosen in _subsets(len(rows), options)))


def _subsets(n: int, options: Mapping[str, Any]) -> list[np.ndarray]:
    batch, trials = options["batch"], options["trials"]
    if n <= batch:
        return [np.arange(n)]
    random = np.random.default_rng(options["seed"])
    return [random.choice(n, batch, replace=False) for _ in range(trials)]


def _normalised(rows: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import pdist, squareform  # slow to import

    # From the differences themselves, of rows as they were given: no digit is lost to norms.
    distances = pdist(rows)
    unit = np.quantile(squareform(distances), QUANTILE)
    if unit == 0:
        raise DegenerateInputError(
            f"kernel: `X` has no scale: nine in ten of the distances between {len(rows)} of its "
            "rows are zero. Leave out rows that repeat."
        )
    return distances / unit


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    key = ("distances", *(options[name] for name in ("batch", "trials", "seed")))
    return Preparation(key, lambda X: _Distances.of(X, options), lambda x, y: (x, y))


def _score(options: Mapping[str, Any], met: tuple[_Distances, ...]) -> Array:
    ripser = extras.require("ripser", extra="topology", purpose="rtd")
    x, y = met
    values = [
        (_total_length(ripser, w, v) + _total_length(ripser, v, w)) / 2
        for w, v in zip(x.subsets, y.subsets, strict=True)
    ]
    return np.asarray(math.fsum(values) / len(values))


def _total_length(ripser: ModuleType, w: np.ndarray, other: np.ndarray) -> float:
    """Return the sum of the lengths of the bars of dimension 1 of the cross-barcode.

    Parameters
    ----------
    ripser : module
        Computes the bars.
    w, other : ndarray, (n(n − 1)/2,)
        The distances of both sides: those from which the bars go, and those to which.
    """
    from scipy.spatial.distance import squareform  # slow to import

    levels, ranks = np.unique(np.concatenate([[0.0], w, np.minimum(w, other)]), return_inverse=True)
    first, both = (squareform(part) for part in np.split(ranks[1:], 2))
    n = len(first)
    graph = np.full((2 * n + 1, 2 * n + 1), np.inf)
    graph[:n, :n] = first
    # Half of the triangle is enough to join a_i and a_j with b_j.
    graph[:n, n : 2 * n] = np.where(np.tri(n, k=-1, dtype=bool), np.inf, first)
    graph[n : 2 * n, :n] = graph[:n, n : 2 * n].T
    graph[n : 2 * n, n : 2 * n] = both
    graph[2 * n, :n] = graph[:n, 2 * n] = graph[2 * n, 2 * n] = 0
    # All bars end: a_1 is joined with all others, at the latest at its largest distance.
    bars = ripser.ripser(graph, maxdim=1, distance_matrix=True)["dgms"][1]
    births, deaths = levels[bars.astype(np.int64).T]
    return math.fsum(deaths - births)


def _check(where: str, options: Mapping[str, Any]) -> None:
    batch, seed = options["batch"], options["seed"]
    checks.count(where, "batch", batch)
    if not 3 <= batch <= LARGEST:
        raise ValueError(checks.message(where, "batch", f"be from 3 to {LARGEST}", repr(batch)))
    checks.count(where, "trials", options["trials"])
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(checks.message(where, "seed", "be a whole number, 0 or more", repr(seed)))


def _describe(options: Mapping[str, Any]) -> str:
    return (
        "total length of the bars of clusters and loops that one side has and the other has not; "
        f"with more than {options['batch']} samples the mean of {options['trials']} random subsets "
        "of so many"
    )


RTD = Measure(
    name="rtd",
    title="Representation topology divergence",
    family="topology",
    function=rtd,
    prepare=_prepare,
    score=_score,
    describe=_describe,
    check=_check,
    reference="Barannikov, Trofimov, Balabin & Burnaev (2022), arXiv:2201.00058",
    statistic="distances over their 0.9 quantile (host)",
    cost="n²(p + q) + homology of 2n + 1 vertices, host",
    low=0.0,
    high=math.inf,
    direction="distance",
    minimum_rows=3,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL}),
    not_invariant_to=frozenset({LINEAR}),
)
