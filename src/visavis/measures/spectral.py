"""Overlap of eigenspaces, and the distance of what can be predicted from two representations."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.canonical import check_saturated, prepare_axes
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
)
from visavis.stats import Axes, Overlap, spectral

FORMS = ("distance", "squared")


def eigenspace_overlap(X: Array, Y: Array, /, *, allow_saturated: bool = False) -> Array:
    """Share of the larger span of features that the spans of two representations have in common.

    ``‖U_xᵀU_y‖²/max(r_x, r_y)`` for orthonormal bases U of the column spans of the features, of
    ranks r_x and r_y [1]_. The features are centred first, which [1]_ does not do: a common mean
    would be a dimension that all layers share.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    allow_saturated : bool
        Answer even where Theorem 1 of Kornblith et al. (2019) makes the value meaningless.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike; 1 if one side is an invertible linear map of the
        other, and r_y/r_x if Y is a linear map of X that loses dimensions.

    Raises
    ------
    ValueError
        If shapes do not match.
    SaturatedError
        If the two ranks add up to n − 1 or more (a ValueError; ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation and invertible linear maps of either side. *Streaming*: none.
    *Cost*: as `cca`. *Numerics*: computed in float64; singular values below the resolution of the
    input dtype do not count as rank. It is ``cca(form="r2")`` times the smaller rank over the
    larger.

    *When*: what could a linear model on top of either side express, as for compressed embeddings?
    *When not*: small directions are noise: every dimension counts alike, however little of the
    variance it holds, and `cka` is the one to ask. Unrelated sides share min(p, q)/(n − 1) on
    average, and all of it once the ranks reach n − 1.

    References
    ----------
    .. [1] May, Zhang, Dao & Ré (2019), arXiv:1909.01264.

    Examples
    --------
    Half of the dimensions are gone:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> round(float(vv.eigenspace_overlap(X, X[:, :3])), 6)
    0.5
    """
    X, Y = checks.pair("eigenspace_overlap", X, Y, minimum_rows=2)
    with checks.diagnosed("eigenspace_overlap", X=X, Y=Y):
        met = Overlap(Axes.of(X), Axes.of(Y))
        value = _score_overlap({"allow_saturated": allow_saturated}, met)
    return checks.finite("eigenspace_overlap", array.like(value, X), X=X, Y=Y)


def gulp(
    X: Array,
    Y: Array,
    /,
    *,
    regularization: float = 0.01,
    scale: bool = True,
    form: str = "distance",
    allow_saturated: bool = False,
) -> Array:
    """Distance of two representations by what ridge regression predicts from them.

    ``d² = tr(Σ_x⁻Σ_xΣ_x⁻Σ_x) + tr(Σ_y⁻Σ_yΣ_y⁻Σ_y) − 2 tr(Σ_x⁻Σ_xyΣ_y⁻Σ_xyᵀ)`` with the covariances
    Σ of the centred features and ``Σ⁻ = (Σ + λI)⁻¹`` [1]_: the largest mean squared difference of
    the two ridge predictions over all targets is at most d² times the mean square of the target.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    regularization : float
        λ, 0 or more: a principal axis of variance v counts v/(v + λ). No value suits all: it says
        how small a share of the variance a predictor can still use.
    scale : bool
        Divide both sides by the root of their total variance first, as [1]_ do, so that λ is a
        share of the variance.
    form : {"distance", "squared"}
        d or d².
    allow_saturated : bool
        Answer with ``regularization=0`` even where Theorem 1 of Kornblith et al. (2019) makes the
        value meaningless.

    Returns
    -------
    0-d array
        In ``[0, ∞)``, lower is more alike; d² is at most the sum of both ranks.

    Raises
    ------
    ValueError
        If shapes do not match or an option is not allowed.
    SaturatedError
        If `regularization` is 0 and the two ranks add up to n − 1 or more (a ValueError;
        ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps; isotropic scaling with `scale`; invertible linear
    maps with a `regularization` of 0. *Not to*: invertible linear maps otherwise, nor the scale of
    the features without `scale`. "distance" is a metric on what these maps leave, "squared" is
    not. *Streaming*: none. *Cost*: n(p² + q² + pq) for n > p, q. *Numerics*: computed in float64,
    from the difference of the two smoothers and not from the three traces, so small distances keep
    their digits.

    It is the Frobenius norm of the difference of the smoothers ``Xc(XcᵀXc + nλI)⁻¹Xcᵀ``.

    *When*: would two layers serve the same linear predictors, whatever the task? *When not*: across
    penalties: it grows with the number of axes above λ, so compare values at one λ alone. It is
    fitted in sample, and one task that matters counts no more than all that nobody asks for.

    References
    ----------
    .. [1] Boix-Adserà, Lawrence, Stepaniants & Rigollet (2022), arXiv:2210.06545.

    Examples
    --------
    What a strongly regularised predictor cannot use does not count:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> Y = np.hstack([X, 0.01 * rng.normal(size=(100, 3))])
    >>> bool(vv.gulp(X, Y) < 0.1), bool(vv.gulp(X, Y, regularization=0) > 1.5)
    (True, True)
    """
    options = {
        "regularization": regularization,
        "scale": scale,
        "form": form,
        "allow_saturated": allow_saturated,
    }
    _check_gulp("gulp", options)
    X, Y = checks.pair("gulp", X, Y, minimum_rows=2)
    with checks.diagnosed("gulp", X=X, Y=Y):
        value = _score_gulp(options, Overlap(Axes.of(X), Axes.of(Y)))
    return checks.finite("gulp", array.like(value, X), X=X, Y=Y)


def _score_overlap(options: Mapping[str, Any], met: Overlap) -> Array:
    return spectral.eigenspace_overlap("eigenspace_overlap", met, **options)


def _chance_overlap(options: Mapping[str, Any], met: Overlap) -> Array:
    return spectral.chance_overlap(met)


def _describe_overlap(options: Mapping[str, Any]) -> str:
    return "share of the larger span that both have in common; grows with the width of the layers"


def _score_gulp(options: Mapping[str, Any], met: Overlap) -> Array:
    rest = {key: value for key, value in options.items() if key != "form"}
    squared = spectral.gulp("gulp", met, **rest)
    return squared if options["form"] == "squared" else array.namespace(squared).sqrt(squared)


def _chance_gulp(options: Mapping[str, Any], met: Overlap) -> Array:
    regularization, scale = options["regularization"], options["scale"]
    return spectral.chance_gulp(met, regularization=regularization, scale=scale)


def _check_gulp(where: str, options: Mapping[str, Any]) -> None:
    value = options["regularization"]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value < math.inf):
        raise ValueError(
            checks.message(where, "regularization", "be a finite number, 0 or more", repr(value))
        )
    checks.option(where, "form", options["form"], FORMS)
    checks.flag(where, "scale", options["scale"])
    check_saturated(where, options)


def _describe_gulp(options: Mapping[str, Any]) -> str:
    squared = "squared " if options["form"] == "squared" else ""
    units = "of the total variance" if options["scale"] else "in squared units of the features"
    return (
        f"{squared}distance of what ridge regression predicts, regularised by "
        f"{options['regularization']:g} {units}; grows with the number of axes"
    )


def _specialise_gulp(measure: Measure) -> Measure:
    options = measure.settings
    squared = options["form"] == "squared"
    invariant = {TRANSLATION, PERMUTATION, ORTHOGONAL}
    if options["regularization"] == 0:
        invariant |= {SCALING, LINEAR}
    elif options["scale"]:
        invariant |= {SCALING}
    return replace(
        measure,
        metric=not squared,
        # The mean of the squares under permutation is known, that of their roots is not.
        chance=_chance_gulp if squared else None,
        invariant_to=frozenset(invariant),
        not_invariant_to=frozenset({SCALING, LINEAR} - invariant),
    )


EIGENSPACE_OVERLAP = Measure(
    name="eigenspace_overlap",
    title="Eigenspace overlap",
    family="canonical",
    function=eigenspace_overlap,
    prepare=prepare_axes,
    score=_score_overlap,
    chance=_chance_overlap,
    describe=_describe_overlap,
    check=check_saturated,
    reference="May, Zhang, Dao & Ré (2019), arXiv:1909.01264",
    statistic="principal axes",
    cost="n(p² + q² + pq) + p³ + q³",
    low=0.0,
    high=1.0,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR}),
)

GULP = _specialise_gulp(
    Measure(
        name="gulp",
        title="GULP distance",
        family="prediction",
        function=gulp,
        prepare=prepare_axes,
        score=_score_gulp,
        describe=_describe_gulp,
        check=_check_gulp,
        reference="Boix-Adserà, Lawrence, Stepaniants & Rigollet (2022), arXiv:2210.06545",
        statistic="principal axes",
        cost="n(p² + q² + pq) + p³ + q³",
        low=0.0,
        high=math.inf,
        direction="distance",
        invariant_to=frozenset(),
        variants=({"regularization": 0.0}, {"scale": False}, {"form": "squared"}),
        specialise=_specialise_gulp,
    )
)
