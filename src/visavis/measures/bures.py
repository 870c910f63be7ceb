"""Bures distance and normalised Bures similarity: Procrustes seen from the Gram matrices."""

import math
from collections.abc import Mapping
from typing import Any

from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
)
from visavis.measures.shape import between, prepare_shape, score_shapes

_HARVEY = "Harvey, Lipshutz & Williams (2024), arXiv:2311.11436"


def bures(X: Array, Y: Array, /) -> Array:
    """Bures distance between the centred linear Gram matrices of two representations.

    ``√(tr K + tr L − 2 tr (K^½ L K^½)^½)`` with K = XcXcᵀ and L = YcYcᵀ. It is the Euclidean
    Procrustes distance ``min_Q ‖Xc − YcQ‖`` [1]_: ``tr (K^½ L K^½)^½`` is the nuclear norm of
    XcᵀYc.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.

    Returns
    -------
    0-d array
        In ``[0, ∞)``, in units of the features; lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps. *Not to*: the scale of the features, invertible
    linear maps. A metric on what these maps leave. *Streaming*: as `procrustes`, of which it is
    ``form="euclidean"``. *Cost*: npq + pq·min(p, q). *Numerics*: no root of a matrix is taken;
    computed in float64, from the residual of the best map, so small distances keep their digits.

    *When*: how far one version of a network moved from another, in units of its features: a metric
    on linear Gram matrices. *When not*: layers of different scale, where the larger side decides:
    `nbs` and angular `procrustes` divide norms out. A few directions of large variance hold most of
    the distance.

    References
    ----------
    .. [1] Harvey, Lipshutz & Williams (2024), arXiv:2311.11436.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 5))
    >>> bool(np.isclose(vv.bures(X, Y), vv.procrustes(X, Y, form="euclidean")))
    True
    """
    return between("bures", X, Y, form="euclidean")


def nbs(X: Array, Y: Array, /) -> Array:
    """Normalised Bures similarity: the cosine of the Procrustes angle.

    ``tr (K^½ L K^½)^½/√(tr K·tr L)`` with the centred Gram matrices K = XcXcᵀ and L = YcYcᵀ [1]_,
    which is ``‖XcᵀYc‖_*/(‖Xc‖‖Yc‖)``. Linear CKA has the Frobenius norm where this has the nuclear
    one, and so weighs the first few axes more [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.

    Returns
    -------
    0-d array
        In ``[0, 1]``, higher is more alike. It grows with the width of the layers whatever they
        hold.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Not to*: invertible linear
    maps. *Streaming*: as `procrustes`, of which it is ``form="similarity"``. *Cost*:
    npq + pq·min(p, q). *Numerics*: computed in float64; one minus the similarity keeps its digits
    near zero.

    *When*: a similarity between 0 and 1 in the place of `procrustes`, which weighs small directions
    more than linear `cka`. *When not*: across widths or numbers of samples: it has no debiased
    form, and unrelated Gaussian features score 0.27 at n = 500 and p = q = 50, and 0.75 at
    p = q = 500. Hold it against shuffled rows.

    References
    ----------
    .. [1] Tang, Maddox, Dickens, Diethe & Damianou (2020), arXiv:2003.11498.
    .. [2] Harvey, Lipshutz & Williams (2024), arXiv:2311.11436.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 5))
    >>> bool(np.isclose(vv.nbs(X, Y), np.cos(vv.procrustes(X, Y))))
    True
    """
    return between("nbs", X, Y, form="similarity")


def _score_bures(options: Mapping[str, Any], met: Any) -> Array:
    return score_shapes({"form": "euclidean", "scale": False}, met)


def _score_nbs(options: Mapping[str, Any], met: Any) -> Array:
    return score_shapes({"form": "similarity", "scale": False}, met)


def _describe_bures(options: Mapping[str, Any]) -> str:
    return "Bures distance of Gram matrices: Euclidean distance after the best rotation"


def _describe_nbs(options: Mapping[str, Any]) -> str:
    return "cosine of the Procrustes angle; grows with the width of the layers"


def _check(where: str, options: Mapping[str, Any]) -> None:
    """Accept what has no options."""


BURES = Measure(
    name="bures",
    title="Bures distance",
    family="shape",
    function=bures,
    prepare=prepare_shape,
    score=_score_bures,
    describe=_describe_bures,
    check=_check,
    reference=_HARVEY,
    statistic="centred features",
    cost="npq + pq·min(p, q)",
    low=0.0,
    high=math.inf,
    direction="distance",
    metric=True,
    invariant_to=frozenset({TRANSLATION, PERMUTATION, ORTHOGONAL}),
    not_invariant_to=frozenset({SCALING, LINEAR}),
)

NBS = Measure(
    name="nbs",
    title="Normalised Bures similarity",
    family="shape",
    function=nbs,
    prepare=prepare_shape,
    score=_score_nbs,
    describe=_describe_nbs,
    check=_check,
    reference=f"Tang et al. (2020), arXiv:2003.11498; {_HARVEY}",
    statistic="centred features",
    cost="npq + pq·min(p, q)",
    low=0.0,
    high=1.0,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL}),
    not_invariant_to=frozenset({LINEAR}),
)
