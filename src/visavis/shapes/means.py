"""The mean of shapes, and the directions in which they vary about it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array, DType
from visavis.shapes import points
from visavis.stats import sphere


@dataclass(frozen=True, eq=False)
class FrechetMean:
    """The mean of shapes, and how well it was found.

    Parameters
    ----------
    shape : array, (n, w)
        The mean, centred and at Frobenius norm 1; in the features of the first representation.
    distances : array, (k,)
        Angles from the mean to each, in radians.
    variance : 0-d array
        The mean of their squares, which the mean makes small.
    iterations : int
        How many steps were taken.
    residual : float
        Length of the step that would come next, in radians.
    converged : bool
        Whether that is as good as nothing.
    """

    shape: Array
    distances: Array
    variance: Array
    iterations: int
    residual: float
    converged: bool


def frechet_mean(
    Xs: Iterable[Array] | Mapping[str, Array],
    /,
    *,
    iterations: int = 1000,
    tolerance: float | None = None,
) -> FrechetMean:
    """Return the mean of shapes: what has the least sum of squared angles to all of them.

    Generalised Procrustes [1]_: all are turned onto the mean, and it moves along the mean of the
    tangents to them, ``M ← Exp_M(Σ_i Log_M(X_i)/k)``, until that vanishes [2]_.

    Parameters
    ----------
    Xs : iterable or mapping of array, (n, p_i)
        The representations; of a mapping, its values.
    iterations : int
        Most steps.
    tolerance : float, optional
        Length of a step, in radians, at which it has converged; a thousand roundings by default.

    Returns
    -------
    FrechetMean
        The mean, the distances to it, and how the search ended.

    Raises
    ------
    ValueError
        If there are none, their samples differ, or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or one is constant.

    Notes
    -----
    *Cost*: k times that of `align` for each step. *Numerics*: in float64, from the first
    representation on. Of shapes that are far from each other there may be several local means, of
    which the first representation then chooses one; the order does not matter otherwise.

    References
    ----------
    .. [1] Gower (1975), doi:10.1007/BF02291478.
    .. [2] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> mean = vv.shapes.frechet_mean([X, Y])
    >>> mean.converged, bool(np.isclose(*mean.distances))
    (True, True)
    """
    checks.count("frechet_mean", "iterations", iterations)
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise ValueError(
            checks.message("frechet_mean", "tolerance", "be 0 or more", repr(tolerance))
        )
    held, dtype = points.several("frechet_mean", Xs, fewest=1)
    return _as_given(sphere.mean(_held("frechet_mean", held), iterations, tolerance), dtype)


@dataclass(frozen=True, eq=False)
class TangentPCA:
    """Principal components of shapes, in the tangent space at their mean.

    Parameters
    ----------
    mean : FrechetMean
        The mean and how well it was found.
    directions : array, (c, n, w)
        Orthonormal tangents at the mean: ``exp_map(mean.shape, s·directions[j])`` walks along one.
    scores : array, (k, c)
        Coordinates of each representation, in radians.
    variance : array, (c,)
        Their variances, descending.
    share : array, (c,)
        The same as parts of the variance of all tangents.
    """

    mean: FrechetMean
    directions: Array
    scores: Array
    variance: Array
    share: Array


def tangent_pca(Xs: Iterable[Array] | Mapping[str, Array], /, *, components: int = 2) -> TangentPCA:
    """Return the principal components of shapes, in the tangent space at their mean.

    PCA of ``Log_M(X_i)`` at the Fréchet mean M: the coordinates in which shapes vary most [1]_.

    Parameters
    ----------
    Xs : iterable or mapping of array, (n, p_i)
        Three representations or more; of a mapping, its values.
    components : int
        How many, fewer than there are representations.

    Returns
    -------
    TangentPCA
        Directions, scores and variances; the sign of a direction is such that its score of
        largest size is positive.

    Raises
    ------
    ValueError
        If there are fewer than three, their samples differ, or `components` is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, one is constant, or all are of one shape.

    Notes
    -----
    Distances between scores are those between shapes as seen from the mean: nearly exact for
    shapes near it. *Cost*: that of `frechet_mean`, and k²nw. *Numerics*: in float64.

    References
    ----------
    .. [1] Fletcher, Lu, Pizer & Joshi (2004), doi:10.1109/TMI.2004.831793.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> path = [vv.shapes.geodesic(X, Y, t) for t in (0, 0.2, 0.7, 1)]
    >>> found = vv.shapes.tangent_pca(path, components=1)
    >>> bool(found.share[0] > 0.999)
    True
    """
    checks.count("tangent_pca", "components", components)
    held, dtype = points.several("tangent_pca", Xs, fewest=3)
    if components >= len(held):
        raise ValueError(
            checks.message(
                "tangent_pca",
                "components",
                f"be below the number of representations, {len(held)}",
                repr(components),
            )
        )
    mean = sphere.mean(_held("tangent_pca", held), 1000, None)
    xp = array.namespace(mean.shape)
    n, w = mean.shape.shape
    tangents = xp.stack([xp.reshape(sphere.log(mean.shape, x), (n * w,)) for x in held])
    tangents = tangents - xp.mean(tangents, axis=0)
    left, values, right = xp.linalg.svd(tangents, full_matrices=False)
    if points.nothing(values[0]):
        raise DegenerateInputError(
            "tangent_pca: `Xs` must not all be of one shape: there is nothing that varies."
        )
    scores = left[:, :components] * values[:components]
    largest = xp.max(scores, axis=0) >= -xp.min(scores, axis=0)
    signs = xp.where(largest, xp.ones_like(scores[0, :]), -xp.ones_like(scores[0, :]))
    variance = values**2 / (len(held) - 1)
    directions = xp.reshape(right[:components, :] * signs[:, None], (components, n, w))
    kept = variance[:components]
    found = (directions, scores * signs, kept, kept / xp.sum(variance))
    return TangentPCA(_as_given(mean, dtype), *(points.given(each, dtype) for each in found))


def _as_given(mean: sphere.Mean, dtype: DType) -> FrechetMean:
    xp = array.namespace(mean.shape)
    return FrechetMean(
        points.given(mean.shape, dtype),
        points.given(mean.distances, dtype),
        points.given(xp.mean(mean.distances**2), dtype),
        mean.iterations,
        mean.residual,
        mean.converged,
    )


def _held(where: str, held: list[Array]) -> list[Array]:
    names = {f"Xs[{place}]": x for place, x in enumerate(held)}
    checks.readable(where, because="The mean is found step by step", **names)
    return held
