"""Canonical correlation: CCA, SVCCA and projection-weighted CCA."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    LINEAR_X,
    LINEAR_Y,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import Axes, Overlap, linear

_KORNBLITH = "Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414"


def cca(X: Array, Y: Array, /, *, form: str = "rho", allow_saturated: bool = False) -> Array:
    """Mean canonical correlation of two representations.

    ``Σρ/r`` (form "rho") or ``Σρ²/r`` (form "r2") over the canonical correlations ρ, the singular
    values of ``Q_xᵀQ_y`` for orthonormal bases of the centred features, with r the smaller rank
    [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    form : {"rho", "r2"}
        Mean correlation or mean squared correlation.
    allow_saturated : bool
        Answer even where Theorem 1 of [1]_ makes the value meaningless.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike; 1 if one side is a linear map of the other.

    Raises
    ------
    ValueError
        If shapes do not match.
    SaturatedError
        If the two ranks add up to n − 1 or more (a ValueError; finding ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation and invertible linear maps of either side. *Streaming*:
    `Moments.cca`. *Cost*: n(p² + q² + pq) for n > p, q. *Numerics*: computed in float64; singular
    values below the resolution of the input dtype do not count as rank.

    *When*: do two sides hold the same up to an invertible linear map, however little of the
    variance it takes? With many times as many samples as features. *When not*: noise fills small
    directions, which all count alike; or n is not far above p + q: unrelated sides have ``r2`` of
    max(p, q)/(n − 1) on average, and where the ranks add up to n − 1 the value means nothing
    (Theorem 1). Of networks that differ in their start alone it finds the layers that correspond
    far more seldom than `cka` [1]_.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.

    Examples
    --------
    A linear map is all it takes:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> round(float(vv.cca(X, X @ rng.normal(size=(5, 5)))), 6)
    1.0
    """
    linear.check_form("cca", form)
    X, Y = checks.pair("cca", X, Y, minimum_rows=2)
    with checks.diagnosed("cca", X=X, Y=Y):
        overlap = Overlap(Axes.of(X), Axes.of(Y))
        value = linear.cca("cca", overlap, form=form, allow_saturated=allow_saturated)
    return checks.finite("cca", array.like(value, X), X=X, Y=Y)


def svcca(
    X: Array,
    Y: Array,
    /,
    *,
    form: str = "rho",
    variance: float = 0.99,
    components: int | tuple[int, int] | None = None,
    allow_saturated: bool = False,
) -> Array:
    """Singular vector CCA: canonical correlation of the leading principal axes.

    Each side keeps the fewest singular vectors whose squared singular values reach `variance` of
    their sum; then as `cca` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    form : {"rho", "r2"}
        Mean correlation or mean squared correlation.
    variance : float
        Share of the variance to keep, in (0, 1].
    components : int or pair of int, optional
        Keep this many axes instead, on both sides or on each.
    allow_saturated : bool
        Answer even where Theorem 1 makes the value meaningless.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    SaturatedError
        If the axes kept on both sides add up to n − 1 or more (a ValueError; ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Not to*: invertible linear
    maps, which change which axes are kept. *Streaming*: `Moments.svcca`. *Cost*: as `cca`. The
    value jumps where an axis enters or leaves.

    *When*: as `cca`, where directions of little variance are noise or numerically zero: these are
    cut off before. *When not*: the answer must not hang on a threshold: all axes that are kept
    count alike, what is cut off does not count at all, and values of different `variance` cannot be
    compared. Of wide layers so many axes are kept that it saturates as `cca` does.

    References
    ----------
    .. [1] Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), arXiv:1706.05806.

    Examples
    --------
    Noise of little variance does not count:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 20))
    >>> Y = X + 1e-3 * rng.normal(size=(100, 20))
    >>> bool(vv.svcca(X, Y) > 0.999)
    True
    """
    linear.check_truncation("svcca", form, variance, components)
    X, Y = checks.pair("svcca", X, Y, minimum_rows=2)
    with checks.diagnosed("svcca", X=X, Y=Y):
        overlap = linear.truncated(
            Overlap(Axes.of(X), Axes.of(Y)), variance=variance, components=components
        )
        value = linear.cca("svcca", overlap, form=form, allow_saturated=allow_saturated)
    return checks.finite("svcca", array.like(value, X), X=X, Y=Y)


def pwcca(X: Array, Y: Array, /, *, allow_saturated: bool = False) -> Array:
    """Projection-weighted CCA: canonical correlations weighted by what they carry of X.

    ``Σα_iρ_i/Σα_i`` with ``α_i = Σ_j |⟨h_i, x_j⟩|``, h_i the unit canonical variables of X and x_j
    the columns of the centred X [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows; the side that gives the weights.
    Y : array, (n, q)
        The same samples in the same order.
    allow_saturated : bool
        Answer even where Theorem 1 makes the value meaningless.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike. Not symmetric.

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
    *Invariant to*: translation, isotropic scaling, feature permutation, invertible linear maps of
    Y. *Not to*:
    orthogonal maps of X, whose columns the weights add up. *Streaming*: `Moments.pwcca`. *Cost*:
    as `cca`.

    *When*: how much of X is found again in Y up to a linear map, directions that hold little of X
    counting little? *When not*: a likeness must be mutual, or must not change when X is turned; or
    n is not far above p + q, where its correlations saturate as those of `cca` do.

    References
    ----------
    .. [1] Morcos, Raghu & Bengio (2018), arXiv:1806.05759.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 5))
    >>> bool(vv.pwcca(X, Y) != vv.pwcca(Y, X))
    True
    """
    X, Y = checks.pair("pwcca", X, Y, minimum_rows=2)
    with checks.diagnosed("pwcca", X=X, Y=Y):
        overlap = Overlap(Axes.of(X), Axes.of(Y))
        value = linear.pwcca("pwcca", overlap, allow_saturated=allow_saturated)
    return checks.finite("pwcca", array.like(value, X), X=X, Y=Y)


def prepare_axes(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    """Prepare a representation for any measure that works on principal axes."""
    return Preparation("axes", Axes.of, Overlap)


def _score_cca(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.cca("cca", met, **options)


def _kept(options: Mapping[str, Any], met: Overlap) -> Overlap:
    return linear.truncated(met, variance=options["variance"], components=options["components"])


def _score_svcca(options: Mapping[str, Any], met: Overlap) -> Array:
    form, allow = options["form"], options["allow_saturated"]
    return linear.cca("svcca", _kept(options, met), form=form, allow_saturated=allow)


def _score_pwcca(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.pwcca("pwcca", met, **options)


def _chance_cca(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.chance_r2(met)


def _chance_svcca(options: Mapping[str, Any], met: Overlap) -> Array:
    return linear.chance_r2(_kept(options, met))


def _specialise(measure: Measure) -> Measure:
    # The mean of squared correlations under permutation is known, that of correlations is not.
    chance = _chance_cca if measure.name == "cca" else _chance_svcca
    return replace(measure, chance=chance if measure.settings["form"] == "r2" else None)


def _check_cca(where: str, options: Mapping[str, Any]) -> None:
    linear.check_form(where, options["form"])
    check_saturated(where, options)


def _check_svcca(where: str, options: Mapping[str, Any]) -> None:
    form, variance, components = (options[k] for k in ("form", "variance", "components"))
    linear.check_truncation(where, form, variance, components)
    check_saturated(where, options)


def check_saturated(where: str, options: Mapping[str, Any]) -> None:
    """Check the option that every measure of linear maps has."""
    checks.flag(where, "allow_saturated", options["allow_saturated"])


def _describe_cca(options: Mapping[str, Any]) -> str:
    mean = {"rho": "mean canonical correlation", "r2": "mean squared canonical correlation"}
    return f"{mean[options['form']]}; grows with the width of the layers"


def _describe_svcca(options: Mapping[str, Any]) -> str:
    k = options["components"]
    kept = f"{options['variance']:.0%} of the variance" if k is None else f"{k} components"
    return f"{_describe_cca(options)}; of the principal axes with {kept}"


def _describe_pwcca(options: Mapping[str, Any]) -> str:
    return "canonical correlations weighted by what each carries of the row layer; not symmetric"


CCA = Measure(
    name="cca",
    title="Canonical correlation analysis",
    family="canonical",
    function=cca,
    prepare=prepare_axes,
    score=_score_cca,
    specialise=_specialise,
    describe=_describe_cca,
    check=_check_cca,
    reference=_KORNBLITH,
    statistic="Moments (one pass)",
    cost="n(p² + q² + pq) + p³ + q³",
    low=0.0,
    high=1.0,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR}),
    variants=({"form": "r2"},),
)

SVCCA = Measure(
    name="svcca",
    title="Singular vector CCA",
    family="canonical",
    function=svcca,
    prepare=prepare_axes,
    score=_score_svcca,
    specialise=_specialise,
    describe=_describe_svcca,
    check=_check_svcca,
    reference="Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), arXiv:1706.05806",
    statistic="Moments (one pass)",
    cost="n(p² + q² + pq) + p³ + q³",
    low=0.0,
    high=1.0,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL}),
    not_invariant_to=frozenset({LINEAR}),
    variants=({"form": "r2"}, {"components": 3}),
)

PWCCA = Measure(
    name="pwcca",
    title="Projection-weighted CCA",
    family="canonical",
    function=pwcca,
    prepare=prepare_axes,
    score=_score_pwcca,
    describe=_describe_pwcca,
    check=check_saturated,
    reference="Morcos, Raghu & Bengio (2018), arXiv:1806.05759",
    statistic="Moments (one pass)",
    cost="n(p² + q² + pq) + p³ + q³",
    low=0.0,
    high=1.0,
    symmetric=False,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, LINEAR_Y}),
    not_invariant_to=frozenset({ORTHOGONAL, LINEAR_X}),
)
