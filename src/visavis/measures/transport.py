"""Gromov–Wasserstein distance: units described by nothing but their distances to each other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    ROWS,
    SCALING,
    TRANSLATION,
    UNITS,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import Units

METRICS = ("correlation", "euclidean")


def gromov_wasserstein(
    X: Array,
    Y: Array,
    /,
    *,
    metric: str = "correlation",
    starts: int = 10,
    seed: int | np.random.Generator = 0,
) -> Array:
    """Gromov–Wasserstein distance between the units of two representations, from above.

    ``½ min_P √(Σ_ijkl (d_ik − e_jl)² P_ij P_kl)`` over couplings P with marginals 1/p and 1/q,
    where d and e are the distances of the units within X and within Y [1]_. No unit of one side is
    compared with any of the other: the samples need not be the same.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, units in columns.
    Y : array, (m, q)
        Other or the same samples, of any number, in any order.
    metric : {"correlation", "euclidean"}
        How far two units are apart. ``"correlation"``: √(2 − 2·correlation), from 0 to 2.
        ``"euclidean"``: the root of the mean squared difference of the centred units.
    starts : int
        Number of searches: the first couples units with like distances to all others, the second
        goes by the mean distance to all others, and the rest begin at random.
    seed : int or Generator
        Seed of the random searches.

    Returns
    -------
    0-d array
        ``[0, 1]`` with correlations; ``[0, ∞)`` in units of the features if Euclidean. 0 says that
        the units are arranged alike; lower is more alike. Half the root of what POT calls the
        squared-loss discrepancy.

    Raises
    ------
    ValueError
        If an array is not 2-D, or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or, with correlations, any of its units:
        which columns.
    ImportError
        If p and q have no common multiple up to 4096 and POT (``visavis[ot]``) is not installed.

    Notes
    -----
    *Invariant to*: translation, feature permutations, permutations of the rows of Y; isotropic
    scaling with correlations. *Not to*: orthogonal maps, invertible linear maps; isotropic scaling
    if Euclidean. *An upper bound*: the minimum is a quadratic assignment problem, and what comes
    back is the best of several local searches. The distance itself is a metric [1]_; the bound need
    not satisfy the triangle inequality. It is 0 between a representation and its permuted copy, if
    no two units have the same distances to all others; more `starts` can only lower it. *Search*:
    the problem is concave for Euclidean distances [2]_, so each step goes to the best vertex for
    the present gradient, a linear program; where that ends, pairs of units exchange partners as
    long as any exchange helps. *Streaming*: none. *Cost*: n(p² + q²), and `starts` times some tens
    of steps of pq(p + q), on the host: seconds for some hundred units, minutes for a thousand;
    there is no gradient. *Numerics*: computed in float64.

    *When*: samples do not correspond, or there are different numbers of them: are the units
    arranged alike among themselves? *When not*: samples do correspond: `soft_matching` asks for
    more and is exact. Arrangements with symmetries have several answers that are as good, layers of
    a thousand units take minutes, and small differences of an upper bound mean little.

    References
    ----------
    .. [1] Mémoli (2011), doi:10.1007/s10208-011-9093-5.
    .. [2] Maron & Lipman (2018), arXiv:1807.09722.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(50, 4)) @ random.normal(size=(4, 12))
    >>> permuted = X[random.permutation(50)][:, random.permutation(12)]
    >>> bool(vv.gromov_wasserstein(X, permuted) < 1e-12)
    True
    >>> bool(vv.gromov_wasserstein(X, random.normal(size=(50, 12))) > 0.05)
    True
    """
    where = "gromov_wasserstein"
    options = {"metric": metric, "starts": starts, "seed": seed}
    _check(where, options)
    X, Y = _sides(where, X, Y)
    checks.readable(where, because="Units are coupled on the host", X=X, Y=Y)
    found = []
    with checks.diagnosed(where, X=X, Y=Y):
        for name, Z in (("X", X), ("Y", Y)):
            with checks.side(where, name):
                found.append(_Arrangement.of(Z, metric))
        value = _score(options, tuple(found))
    return checks.finite(where, array.placed(float(value), X), X=X, Y=Y)


def _sides(where: str, X: Array, Y: Array) -> tuple[Array, Array]:
    """Return both checked, of as many samples as each of them has."""
    X, Y = checks.representation(where, "X", X), checks.representation(where, "Y", Y)
    checks.companions(where, X, Y)
    fewest = min(X.shape[0], Y.shape[0])
    checks.rows(where, fewest, fewest, minimum_rows=2)
    xp = array.namespace(X, Y)
    dtype = xp.result_type(X.dtype, Y.dtype)
    return xp.astype(X, dtype, copy=False), xp.astype(Y, dtype, copy=False)


@dataclass(frozen=True, eq=False)
class _Arrangement:
    """The distances (p, p) of the units of one side, ordered by the mean distance to the others."""

    distances: np.ndarray

    @classmethod
    def of(cls, X: Array, metric: str) -> "_Arrangement":
        from scipy.spatial.distance import pdist, squareform  # slow to import

        host = array.to_numpy(X).astype(np.float64)
        if metric == "correlation":
            distances = squareform(pdist(Units.each(host).rows))
        else:
            centred, unit = linalg.centred(host)
            if not centred.any():
                checks.locate("kernel", X=X)
            distances = squareform(pdist(centred.T)) / host.shape[0] ** 0.5 / float(unit)
        # An order that does not depend on how the units were given: neither do the searches.
        order = np.argsort(distances.mean(axis=1), kind="stable")
        return cls(distances[np.ix_(order, order)])


def _score(options: Mapping[str, Any], met: tuple[_Arrangement, _Arrangement]) -> Array:
    D, E = sorted((side.distances for side in met), key=lambda each: (len(each), each.mean()))
    peak = np.maximum(D.max(), E.max())  # which passes a NaN on
    if not math.isfinite(peak) or peak == 0:
        return np.asarray(peak)
    least = linalg.least_distortion(
        D / peak,
        E / peak,
        starts=options["starts"],
        random=np.random.default_rng(options["seed"]),
        purpose="gromov_wasserstein",
    )
    return np.asarray(peak * math.sqrt(least) / 2)


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    metric = options["metric"]
    return Preparation(
        ("arrangement", metric), lambda X: _Arrangement.of(X, metric), lambda x, y: (x, y)
    )


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "metric", options["metric"], METRICS)
    checks.count(where, "starts", options["starts"])


def _describe(options: Mapping[str, Any]) -> str:
    return (
        f"Gromov–Wasserstein distance of units by their {options['metric']} distances, an upper "
        "bound: 0 is arranged alike"
    ).replace("euclidean", "Euclidean")


def _specialise(measure: Measure) -> Measure:
    scale_free = measure.settings["metric"] == "correlation"
    forgotten = {TRANSLATION, PERMUTATION, ROWS} | ({SCALING} if scale_free else set())
    return replace(
        measure,
        high=1.0 if scale_free else math.inf,
        constant_features="refused" if scale_free else "counted",
        invariant_to=frozenset(forgotten),
        not_invariant_to=frozenset({ORTHOGONAL, LINEAR, SCALING} - forgotten),
    )


GROMOV_WASSERSTEIN = _specialise(
    Measure(
        name="gromov_wasserstein",
        title="Gromov–Wasserstein distance of units",
        family="matching",
        function=gromov_wasserstein,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Mémoli (2011), doi:10.1007/s10208-011-9093-5",
        statistic="distances of units (host)",
        cost="n(p² + q²) + 10·starts·pq(p + q), host",
        low=0.0,
        high=1.0,
        direction="distance",
        inputs=UNITS,
        invariant_to=frozenset(),
        variants=({"metric": "euclidean"},),
        specialise=_specialise,
    )
)
