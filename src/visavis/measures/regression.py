"""Linear regression and canonical ridge regression."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.canonical import check_saturated, prepare_axes
from visavis.measures.measure import (
    LINEAR,
    LINEAR_X,
    LINEAR_Y,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
)
from visavis.stats import Axes, Overlap, linear

_KORNBLITH = "Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414"


def linear_regression(X: Array, Y: Array, /, *, allow_saturated: bool = False) -> Array:
    """R² of Y predicted from X by least squares, in sample.

    ``‖Q_xᵀYc‖²/‖Yc‖²`` for an orthonormal basis Q_x of the centred X. The R²_LR of [1]_ predicts
    the first argument from the second: it is ``linear_regression(Y, X)``.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows; the predictors.
    Y : array, (n, q)
        The same samples in the same order; what is predicted.
    allow_saturated : bool
        Answer even where X has as many dimensions as there are degrees of freedom.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike. Not symmetric.

    Raises
    ------
    ValueError
        If shapes do not match.
    SaturatedError
        If X has rank n − 1 or more: it then predicts anything (a ValueError; ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, invertible linear maps of X, orthogonal maps of
    Y. *Not to*: invertible linear maps of Y. *Streaming*: `Moments.linear_regression`. *Cost*:
    n(p² + q² + pq).

    *When*: what share of the variance of Y a linear map of X explains, with many more samples than
    features of X. *When not*: X is wide: unrelated features explain rank X/(n − 1) of anything, so
    that a wider X looks better; `predictivity` asks on held-out samples. It is no likeness: X may
    hold much besides, and a few directions of large variance of Y decide.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> round(float(vv.linear_regression(X, X[:, :2])), 6)
    1.0
    """
    X, Y = checks.pair("linear_regression", X, Y, minimum_rows=2)
    with checks.diagnosed("linear_regression", X=X, Y=Y):
        value = linear.linear_regression(
            "linear_regression",
            Overlap(Axes.of(X), Axes.of(Y)),
            allow_saturated=allow_saturated,
        )
    return checks.finite("linear_regression", array.like(value, X), X=X, Y=Y)


def canonical_ridge(
    X: Array,
    Y: Array,
    /,
    *,
    kappa: tuple[float, float] = (0.0, 0.0),
    normalization: str = "cca",
    allow_saturated: bool = False,
) -> Array:
    """Canonical ridge: the family that joins CCA, linear regression and CKA.

    ``Σ_ij w^x_i w^y_j ⟨u_i, v_j⟩²`` with ``w_i = λ_i/(λ_i + κ)`` for the eigenvalues λ of the
    centred Gram matrices, divided by ``Σ_i w^x_i w^y_i`` ("cca") or by ``‖w^x‖‖w^y‖`` ("cka");
    after the appendix on regularised CCA of [1]_ and Vinod [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    kappa : pair of float
        Ridge penalty of X and of Y, in squared units of the features, each zero or more, or
        ``math.inf``.
    normalization : {"cca", "cka"}
        ``kappa=(0, 0)`` with "cca" is ``cca(form="r2")``; both infinite with "cka" is the biased
        linear CKA; ``(0, inf)`` with "cca" is ``linear_regression(X, Y)`` if rank X is at least
        rank Y.
    allow_saturated : bool
        Answer without any penalty even where Theorem 1 makes the value meaningless.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match or a penalty is negative.
    SaturatedError
        If both penalties are zero and the two ranks add up to n − 1 or more (``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps. *Not to*: invertible linear maps or the scale of
    the features, unless the penalty is 0 (or, for the scale, infinite). *Streaming*:
    `Moments.canonical_ridge`. *Cost*: n(p² + q² + pq).

    *When*: to see how a verdict depends on whether small directions count: the penalty leads from
    `cca` (``form="r2"``) at 0 over regularised CCA to the biased linear `cka` at infinity
    (``normalization="cka"``). *When not*: as a single number at a penalty nobody chose with care:
    it is in squared units of the features, and values at different penalties, or of sides that are
    scaled otherwise, cannot be compared. In sample, so it grows with width where penalties are
    small.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.
    .. [2] Vinod (1976), doi:10.1016/0304-4076(76)90010-5.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 5))
    >>> ridge = vv.canonical_ridge(X, Y, kappa=(math.inf, math.inf), normalization="cka")
    >>> bool(np.isclose(ridge, vv.cka(X, Y, estimator="biased")))
    True
    """
    linear.check_ridge("canonical_ridge", kappa, normalization)
    X, Y = checks.pair("canonical_ridge", X, Y, minimum_rows=2)
    with checks.diagnosed("canonical_ridge", X=X, Y=Y):
        value = linear.canonical_ridge(
            "canonical_ridge",
            Overlap(Axes.of(X), Axes.of(Y)),
            kappa=kappa,
            normalization=normalization,
            allow_saturated=allow_saturated,
        )
    return checks.finite("canonical_ridge", array.like(value, X), X=X, Y=Y)


def _score_regression(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.linear_regression("linear_regression", met, **options)


def _chance_regression(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.rank(met.x.values) / (met.n - 1)


def _describe_regression(options: Mapping[str, Any]) -> str:
    return "R² of the column layer predicted from the row layer, in sample; not symmetric"


def _score_ridge(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.canonical_ridge("canonical_ridge", met, **options)


def _chance_ridge(options: Mapping[str, Any], met: Overlap) -> Array:
    kappa, normalization = options["kappa"], options["normalization"]
    return linear.chance_ridge(met, kappa=kappa, normalization=normalization)


def _check_ridge(where: str, options: Mapping[str, Any]) -> None:
    linear.check_ridge(where, options["kappa"], options["normalization"])
    check_saturated(where, options)


def _describe_ridge(options: Mapping[str, Any]) -> str:
    kappa, normalization = options["kappa"], options["normalization"]
    return f"canonical ridge, penalties {kappa[0]:g} and {kappa[1]:g}, {normalization} norm"


def _specialise_ridge(measure: Measure) -> Measure:
    kappa = measure.settings["kappa"]
    invariant = {TRANSLATION, PERMUTATION, ORTHOGONAL}
    if all(k == 0 or math.isinf(k) for k in kappa):
        invariant |= {SCALING}
    invariant |= {side for side, k in zip((LINEAR_X, LINEAR_Y), kappa, strict=True) if k == 0}
    if kappa == (0, 0):
        invariant |= {LINEAR}
    every = {SCALING, LINEAR_X, LINEAR_Y}
    return replace(
        measure,
        invariant_to=frozenset(invariant),
        not_invariant_to=frozenset(every - invariant),
        symmetric=kappa[0] == kappa[1],
    )


LINEAR_REGRESSION = Measure(
    name="linear_regression",
    title="Linear regression R²",
    family="prediction",
    function=linear_regression,
    prepare=prepare_axes,
    score=_score_regression,
    chance=_chance_regression,
    describe=_describe_regression,
    check=check_saturated,
    reference=_KORNBLITH,
    statistic="Moments (one pass)",
    cost="n(p² + q² + pq) + p³ + q³",
    low=0.0,
    high=1.0,
    symmetric=False,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR_X}),
    not_invariant_to=frozenset({LINEAR_Y}),
)

CANONICAL_RIDGE = _specialise_ridge(
    Measure(
        name="canonical_ridge",
        title="Canonical ridge regression",
        family="canonical",
        function=canonical_ridge,
        prepare=prepare_axes,
        score=_score_ridge,
        chance=_chance_ridge,
        describe=_describe_ridge,
        check=_check_ridge,
        reference=f"{_KORNBLITH}; Vinod (1976), doi:10.1016/0304-4076(76)90010-5",
        statistic="Moments (one pass)",
        cost="n(p² + q² + pq) + p³ + q³",
        low=0.0,
        high=1.0,
        invariant_to=frozenset(),
        variants=(
            {"kappa": (10.0, 10.0)},
            {"kappa": (10.0, 10.0), "normalization": "cka"},
            {"kappa": (math.inf, math.inf), "normalization": "cka"},
            {"kappa": (0.0, math.inf)},
        ),
        specialise=_specialise_ridge,
    )
)
