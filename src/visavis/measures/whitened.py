"""Shape distance with partial whitening: from Procrustes to canonical correlation."""

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
from visavis.stats import Axes, Overlap, linear
from visavis.stats import procrustes as formulas


def shape_distance(
    X: Array, Y: Array, /, *, alpha: float = 1.0, allow_saturated: bool = False
) -> Array:
    """Angle between two representations after partial whitening and the best orthogonal map.

    ``arccos(‖X̃ᵀỸ‖_*/(‖X̃‖‖Ỹ‖))`` with ``X̃ = Xc(αI + (1 − α)(XcᵀXc)^(−½))`` on the span of Xc
    [1]_: each singular value σ becomes ασ + 1 − α.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    alpha : float
        In [0, 1]. 1 whitens nothing: the angle of `procrustes`. 0 whitens fully: the cosine of
        the angle is the sum of the canonical correlations over the root of the product of the
        ranks, the mean correlation of `cca` where the ranks are equal.
    allow_saturated : bool
        Answer with ``alpha=0`` even where Theorem 1 of Kornblith et al. (2019) makes the value
        meaningless.

    Returns
    -------
    0-d array
        In ``[0, π/2]``, in radians; lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match or `alpha` is not in [0, 1].
    SaturatedError
        If `alpha` is 0 and the two ranks add up to n − 1 or more (a ValueError; ``VV014``).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps; isotropic scaling with an alpha of 0 or 1;
    invertible linear maps with an alpha of 0. *Not to*: invertible linear maps otherwise, nor the
    scale of the features in between, where alpha weighs the features against their whitened copy
    and so depends on their unit and on n: divide both sides by the same kind of norm to compare
    layers of different scale. A metric on what these maps leave, at every alpha. *Streaming*:
    none. *Cost*: n(p² + q² + pq) for n > p, q. *Numerics*: computed in float64; singular values
    below the resolution of the input dtype count as zero and are not whitened, so that columns
    added in their span, zeros among them, change nothing.

    *When*: as `procrustes`, with a choice of how much the variance of a direction counts: all of it
    at an alpha of 1, none at 0, where invertible linear maps are forgotten. *When not*: at small
    alpha with n not far above p + q, where whitened noise looks alike as it does to `cca`; in
    between for layers of different units, unless their scales are made equal first.

    References
    ----------
    .. [1] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> Y = X @ rng.normal(size=(5, 5))
    >>> bool(vv.shape_distance(X, Y) > 0.1), bool(vv.shape_distance(X, Y, alpha=0) < 1e-12)
    (True, True)
    """
    _check_alpha("shape_distance", alpha)
    X, Y = checks.pair("shape_distance", X, Y, minimum_rows=2)
    with checks.diagnosed("shape_distance", X=X, Y=Y):
        met = Overlap(Axes.of(X), Axes.of(Y))
        value = _score({"alpha": alpha, "allow_saturated": allow_saturated}, met)
    return checks.finite("shape_distance", array.like(value, X), X=X, Y=Y)


def _score(options: Mapping[str, Any], met: Overlap) -> Array:
    alpha = float(options["alpha"])
    if alpha == 0 and not options["allow_saturated"]:
        ranks = tuple(linear.rank(side.values) for side in (met.x, met.y))
        linear.refuse_saturated("shape_distance", ranks, met.n)
    distance = formulas.unit_squared_distance(*(_shape(side, alpha) for side in (met.x, met.y)))
    one = (1.0, 1.0)
    return formulas.formed(distance, one, one, form="angular", scale=True)


def _shape(axes: Axes, alpha: float) -> Array:
    """Return the partially whitened representation, turned onto its axes, at norm 1."""
    xp = array.namespace(axes.left)
    values = axes.values
    real = xp.astype(values > 0, values.dtype)
    # Singular values are held in a unit of their own; a common factor does not matter.
    size = values if alpha == 1 else (alpha * values + (1 - alpha) * axes.unit) * real
    return axes.left * (size / xp.linalg.vector_norm(size))


def _check_alpha(where: str, alpha: object) -> None:
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 <= alpha <= 1:
        raise ValueError(checks.message(where, "alpha", "be in [0, 1]", repr(alpha)))


def _check(where: str, options: Mapping[str, Any]) -> None:
    _check_alpha(where, options["alpha"])
    check_saturated(where, options)


def _describe(options: Mapping[str, Any]) -> str:
    alpha = options["alpha"]
    whitening = {0: "full whitening", 1: "no whitening"}.get(alpha, f"whitening at alpha {alpha:g}")
    return f"angle in radians after the best rotation, {whitening}: 0 is alike, π/2 is unrelated"


def _specialise(measure: Measure) -> Measure:
    alpha = measure.settings["alpha"]
    invariant = {TRANSLATION, PERMUTATION, ORTHOGONAL}
    invariant |= {SCALING} if alpha in {0, 1} else set()
    invariant |= {LINEAR} if alpha == 0 else set()
    return replace(
        measure,
        invariant_to=frozenset(invariant),
        not_invariant_to=frozenset({SCALING, LINEAR} - invariant),
    )


SHAPE_DISTANCE = _specialise(
    Measure(
        name="shape_distance",
        title="Shape distance",
        family="shape",
        function=shape_distance,
        prepare=prepare_axes,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739",
        statistic="principal axes",
        cost="n(p² + q² + pq) + p³ + q³",
        low=0.0,
        high=math.pi / 2,
        direction="distance",
        metric=True,
        invariant_to=frozenset(),
        variants=({"alpha": 0.5}, {"alpha": 0.0}),
        specialise=_specialise,
    )
)
