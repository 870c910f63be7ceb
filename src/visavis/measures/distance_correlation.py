"""Distance correlation: dependence of any form, from the distances of samples."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.linalg import pairs
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
from visavis.stats import Gram
from visavis.stats import hsic as formulas

_SZEKELY = "Székely, Rizzo & Bakirov (2007), doi:10.1214/009053607000000505"


def distance_correlation(X: Array, Y: Array, /, *, estimator: str = "debiased") -> Array:
    """Squared distance correlation of two representations.

    ``⟨A, B⟩/√(⟨A, A⟩⟨B, B⟩)`` of the centred matrices A and B of Euclidean distances: centred by
    rows and columns for the biased estimator [1]_, U-centred for the debiased one [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    estimator : {"debiased", "biased"}
        The root of the biased value is the distance correlation of [1]_; it grows towards 1 with
        the width of the layers whatever they hold. The debiased one is the bias-corrected squared
        distance correlation.

    Returns
    -------
    0-d array
        ``[0, 1]`` biased, ``[−1, 1]`` debiased, higher is more alike. In the limit of many samples
        zero only between independent representations.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 4 rows (2 if biased).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or all samples are equally far from
        each other (debiased).

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Not to*: invertible linear
    maps. *Streaming*: none. *Cost*: n²(p + q). *Numerics*: computed in float64. It is `cka` with
    the kernel that is minus the distance, and the biased one is ``rsa(compare="whitened_cosine")``.

    *When*: dependence of any form, not linear alone, without a bandwidth to choose; far samples
    count less than in linear `cka`, which goes by squared distances. *When not*: layers are wide:
    distances concentrate, and little but linear dependence is seen [3]_. It says that there is
    dependence, not of which form.

    References
    ----------
    .. [1] Székely, Rizzo & Bakirov (2007), doi:10.1214/009053607000000505.
    .. [2] Székely & Rizzo (2014), doi:10.1214/14-AOS1255.
    .. [3] Zhu, Zhang, Yao & Shao (2020), arXiv:1902.03291.

    Examples
    --------
    A dependence that no linear map shows:

    >>> import numpy as np
    >>> import visavis as vv
    >>> x = np.random.default_rng(0).normal(size=(500, 1))
    >>> bool(vv.distance_correlation(x, x**2) > 0.1 > vv.cka(x, x**2))
    True
    """
    _check("distance_correlation", {"estimator": estimator})
    minimum = 4 if estimator == "debiased" else 2
    X, Y = checks.pair("distance_correlation", X, Y, minimum_rows=minimum)
    with checks.diagnosed("distance_correlation", X=X, Y=Y):
        met = _Met(Gram.of(X, _DISTANCE), Gram.of(Y, _DISTANCE))
        value = array.like(_score({"estimator": estimator}, met), X)
    if not array.recording(X, Y) and not np.isfinite(array.read(value) or 0.0):
        checks.locate("distance_correlation", X=X, Y=Y)
        for name, side in (("X", met.x), ("Y", met.y)):
            if array.read(side.norm(estimator)) == 0:
                raise DegenerateInputError(f"distance_correlation: `{name}` {formulas.EQUIDISTANT}")
    return checks.finite("distance_correlation", value, X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Met:
    """The centred distances of two sides."""

    x: Gram
    y: Gram


def _distances(X: Array) -> tuple[Array, float]:
    """Return minus the distances (n, n) of all rows, on an arbitrary scale."""
    squared = pairs.squared_pairs(X)
    xp = array.namespace(squared)
    zero = squared == 0
    # The root of zero has no derivative.
    roots = xp.where(zero, xp.zeros_like(squared), xp.sqrt(xp.where(zero, 1.0, squared)))
    return -pairs.square(roots, X.shape[0]), 1.0


_DISTANCE = Kernel("distance", scaled=_distances)


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("distances", lambda X: Gram.of(X, _DISTANCE), _Met, work=PAIRWISE)


def _score(options: Mapping[str, Any], met: _Met) -> Array:
    estimator = options["estimator"]
    shared = met.x.hsic(met.y, estimator)
    return formulas.cka(shared, met.x.norm(estimator), met.y.norm(estimator))


def _chance(options: Mapping[str, Any], met: _Met) -> Array:
    estimator = options["estimator"]
    value = formulas.chance(met.x.trace(), met.y.trace(), met.x.n, estimator)
    return formulas.cka(value, met.x.norm(estimator), met.y.norm(estimator))


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "estimator", options["estimator"], formulas.ESTIMATORS)


def _describe(options: Mapping[str, Any]) -> str:
    level = {"debiased": "0 on average, whatever their width", "biased": "above 0"}
    estimator = options["estimator"]
    return f"squared, {estimator} estimator: unrelated representations score {level[estimator]}"


def _specialise(measure: Measure) -> Measure:
    biased = measure.settings["estimator"] == "biased"
    return replace(measure, low=0.0 if biased else -1.0, minimum_rows=2 if biased else 4)


DISTANCE_CORRELATION = _specialise(
    Measure(
        name="distance_correlation",
        title="Distance correlation",
        family="alignment",
        function=distance_correlation,
        prepare=_prepare,
        score=_score,
        chance=_chance,
        describe=_describe,
        check=_check,
        reference=f"{_SZEKELY}; debiased: Székely & Rizzo (2014), doi:10.1214/14-AOS1255",
        statistic="distance matrices",
        cost="n²(p + q)",
        low=-1.0,
        high=1.0,
        invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL}),
        not_invariant_to=frozenset({LINEAR}),
        variants=({"estimator": "biased"},),
        specialise=_specialise,
    )
)
