"""The linear measures as functions of the `Overlap` of principal axes.

One place for each formula: the one-shot functions of `visavis.measures` and the streaming
`Moments` both end here.
"""

import math
from dataclasses import replace

from visavis._core import array, checks
from visavis._core.errors import SaturatedError
from visavis._core.types import Array
from visavis.stats.axes import Axes, Overlap, rank

FORMS = ("rho", "r2")
NORMALIZATIONS = ("cca", "cka")


def refuse_saturated(where: str, ranks: tuple[Array, ...], n: int) -> None:
    """Raise if the ranks that a measure ignores add up to the degrees of freedom (Theorem 1).

    Raises
    ------
    SaturatedError
        ``VV014``.
    """
    seen = [array.read(each) for each in ranks]
    # A rank of zero is a constant side, which has no answer for a reason of its own.
    if not all(seen) or sum(each or 0 for each in seen) < n - 1:
        return
    sides = f"rank {' and '.join(str(int(each or 0)) for each in seen)}"
    raise SaturatedError(
        f"VV014 {where}: {sides} against n = {n} samples. An invertible-linear-invariant measure "
        f"means nothing once the ranks reach n − 1 = {n - 1} (Kornblith et al. 2019, Theorem 1): "
        "it would score unrelated representations as alike. Use cka, give more samples, reduce "
        "the dimension (svcca), or pass allow_saturated=True."
    )


def cca(where: str, overlap: Overlap, *, form: str, allow_saturated: bool) -> Array:
    """Return the mean canonical correlation ("rho") or its mean square ("r2")."""
    rank_x, rank_y = rank(overlap.x.values), rank(overlap.y.values)
    if not allow_saturated:
        refuse_saturated(where, (rank_x, rank_y), overlap.n)
    xp = array.namespace(overlap.matrix)
    if overlap.spanned:
        # Exactly, so that it ties with all others: rounding must not rank meaningless values.
        return xp.ones_like(overlap.matrix[0, 0])
    total = xp.sum(overlap.matrix**2) if form == "r2" else xp.sum(overlap.correlations)
    return total / xp.minimum(rank_x, rank_y)


def truncated(
    overlap: Overlap, *, variance: float | None, components: int | tuple[int, int] | None
) -> Overlap:
    """Return the overlap of the leading axes only.

    Parameters
    ----------
    overlap : Overlap
        Of all axes.
    variance : float, optional
        Keep the fewest axes whose squared singular values reach this share of their sum.
    components : int or pair of int, optional
        Keep this many axes instead, on both sides or on each.
    """
    k_x, k_y = components if isinstance(components, tuple) else (components, components)
    keep_x, keep_y = _kept(overlap.x.values, k_x, variance), _kept(overlap.y.values, k_y, variance)
    x, y = _leading(overlap.x, keep_x), _leading(overlap.y, keep_y)
    if overlap.known is None:
        return Overlap(x, y)
    matrix = overlap.known * keep_x[:, None] * keep_y[None, :]
    return Overlap(x, y, matrix[: x.values.shape[0], : y.values.shape[0]])


def _leading(axes: Axes, keep: Array) -> Axes:
    """Return the axes that are kept; the others become zero where the shape must not change."""
    values = axes.values * keep
    size = array.read(rank(values))
    if size is None:
        return replace(axes, left=axes.left * keep, values=values)
    return replace(axes, left=axes.left[:, : int(size)], values=values[: int(size)])


def _kept(values: Array, components: int | None, variance: float | None) -> Array:
    """Return 1 for each leading axis that is kept and 0 for each other."""
    xp = array.namespace(values)
    if components is not None:
        index = xp.arange(values.shape[0], dtype=values.dtype, device=array.device(values))
        return xp.astype(index < components, values.dtype)
    if variance is None or variance >= 1:
        return xp.astype(values > 0, values.dtype)
    squares = values**2
    # An axis is kept if those before it have not reached the share yet.
    before = xp.cumulative_sum(squares) - squares
    return xp.astype(before < variance * xp.sum(squares), values.dtype)


def pwcca(where: str, overlap: Overlap, *, allow_saturated: bool) -> Array:
    """Return the mean canonical correlation weighted by what each direction carries of X."""
    if not allow_saturated:
        refuse_saturated(where, (rank(overlap.x.values), rank(overlap.y.values)), overlap.n)
    xp = array.namespace(overlap.matrix)
    if overlap.spanned:
        return xp.ones_like(overlap.matrix[0, 0])
    directions, values = overlap.canonical
    weights = overlap.x.carried(directions)
    real = xp.arange(values.shape[0], dtype=values.dtype, device=array.device(values)) < xp.minimum(
        rank(overlap.x.values), rank(overlap.y.values)
    )
    weights = weights * xp.astype(real, weights.dtype)
    return xp.sum(weights * values) / xp.sum(weights)


def linear_regression(where: str, overlap: Overlap, *, allow_saturated: bool) -> Array:
    """Return the share of the variance of Y that X explains linearly, in sample."""
    if not allow_saturated:
        refuse_saturated(where, (rank(overlap.x.values),), overlap.n)
    xp = array.namespace(overlap.matrix)
    if overlap.spanned and (array.read(rank(overlap.x.values)) or 0) >= overlap.n - 1:
        return xp.ones_like(overlap.matrix[0, 0])
    explained = xp.sum(overlap.matrix**2 @ overlap.y.values**2)
    # A constant X predicts nothing, and does not predict badly either: 0/0, not 0.
    known = rank(overlap.x.values)
    return explained / xp.sum(overlap.y.values**2) * (known / known)


def canonical_ridge(
    where: str,
    overlap: Overlap,
    *,
    kappa: tuple[float, float],
    normalization: str,
    allow_saturated: bool,
) -> Array:
    """Return the ridge-regularised canonical correlation of both sides."""
    if 0 in kappa and not allow_saturated:
        free = [side for side, k in zip((overlap.x, overlap.y), kappa, strict=True) if k == 0]
        refuse_saturated(where, tuple(rank(side.values) for side in free), overlap.n)
    xp = array.namespace(overlap.matrix)
    w_x = ridge_weights(overlap.x, kappa[0])
    w_y = ridge_weights(overlap.y, kappa[1])
    shared = xp.linalg.vecdot(w_x, overlap.matrix**2 @ w_y)
    return shared / _ridge_norm(w_x, w_y, normalization)


def ridge_weights(axes: Axes, kappa: float) -> Array:
    """Return λ/(λ + κ) of the eigenvalues λ = σ² of the Gram matrix; ∝ λ where κ is infinite."""
    values = axes.values
    xp = array.namespace(values)
    squares = values**2
    largest = array.read(values[0])
    tiny = largest is not None and math.sqrt(kappa) * axes.unit > 1e9 * largest
    if math.isinf(kappa) or tiny:
        # Only ratios of weights are used, and these are the ones that the penalty leaves.
        return squares / squares[0]
    if kappa == 0:
        return xp.astype(values > 0, values.dtype)
    # κ in the units of the caller's features; λ/(λ + κ) as 1/(1 + κ/λ) cannot overflow.
    ratio = math.sqrt(kappa) * axes.unit / xp.where(values > 0, values, xp.ones_like(values))
    return xp.astype(values > 0, values.dtype) / (1 + ratio**2)


def chance_r2(overlap: Overlap) -> Array:
    """Return the exact mean of ``cca(form="r2")`` over permutations of the rows of one side.

    The mean of ‖Q_xᵀPQ_y‖² over permutations P is the product of the ranks over n − 1.
    """
    xp = array.namespace(overlap.matrix)
    return xp.maximum(rank(overlap.x.values), rank(overlap.y.values)) / (overlap.n - 1)


def chance_ridge(overlap: Overlap, *, kappa: tuple[float, float], normalization: str) -> Array:
    """Return the exact mean of ``canonical_ridge`` over permutations of the rows of one side."""
    w_x, w_y = ridge_weights(overlap.x, kappa[0]), ridge_weights(overlap.y, kappa[1])
    xp = array.namespace(w_x, w_y)
    return xp.sum(w_x) * xp.sum(w_y) / (overlap.n - 1) / _ridge_norm(w_x, w_y, normalization)


def _ridge_norm(w_x: Array, w_y: Array, normalization: str) -> Array:
    xp = array.namespace(w_x, w_y)
    if normalization == "cca":
        r = min(w_x.shape[0], w_y.shape[0])
        return xp.linalg.vecdot(w_x[:r], w_y[:r])
    return xp.linalg.vector_norm(w_x) * xp.linalg.vector_norm(w_y)


def check_form(where: str, form: str) -> None:
    """Check the form of a canonical correlation."""
    checks.option(where, "form", form, FORMS)


def check_truncation(
    where: str, form: str, variance: float, components: int | tuple[int, int] | None
) -> None:
    """Check the options of SVCCA."""
    check_form(where, form)
    if not 0 < variance <= 1:
        raise ValueError(checks.message(where, "variance", "be in (0, 1]", repr(variance)))
    counts = components if isinstance(components, tuple) else (components, components)
    if components is not None and not (
        len(counts) == 2 and all(isinstance(k, int) and k >= 1 for k in counts)
    ):
        raise ValueError(
            checks.message(
                where, "components", "be a positive integer or a pair of them", repr(components)
            )
        )


def check_ridge(where: str, kappa: tuple[float, float], normalization: str) -> None:
    """Check the options of canonical ridge regression."""
    checks.option(where, "normalization", normalization, NORMALIZATIONS)
    pair = isinstance(kappa, tuple) and len(kappa) == 2
    if not (pair and all(isinstance(k, int | float) and k >= 0 for k in kappa)):
        raise ValueError(
            checks.message(where, "kappa", "be a pair of numbers, each zero or more", repr(kappa))
        )
