"""Distances between the similarity matrices of two representations: Riemannian and Frobenius."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.canonical import prepare_axes
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
from visavis.stats import Axes, Overlap, rows, spectral

_SHAHBAZI = "Shahbazi, Shirali, Aghajan & Nili (2021), doi:10.1016/j.neuroimage.2021.118271"


def riemannian(X: Array, Y: Array, /, *, shrinkage: float = 0.1, scale: bool = False) -> Array:
    """Affine-invariant Riemannian distance between the shrunken Gram matrices of two sides.

    ``√(Σ log² μ_i)`` over the n generalised eigenvalues μ of ``A v = μ B v`` [1]_, with
    ``A = (1 − s)K + s·(tr K/n)·I`` of the Gram matrix K = XcXcᵀ of centred features, and B of Y
    likewise. A centred Gram matrix is singular, and infinitely far from all others: shrinking it
    by s towards the multiple of the identity with the same trace makes the distance finite.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    shrinkage : float
        s, between 0 and 1. It decides the value: as it goes to 0, the distance of matrices with
        different null spaces grows as its logarithm. A ridge ε = s/(1 − s) times the mean
        eigenvalue, added to K, gives the same.
    scale : bool
        Divide both Gram matrices by their trace first. Without it, a factor c between the scales
        of two sides costs √n·2 log c and may drown everything else.

    Returns
    -------
    0-d array
        In ``[0, ∞)``, lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match or an option is not allowed.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps; isotropic scaling with `scale`. *Not to*:
    invertible linear maps, nor the scale of the features without `scale`; the affine invariance is
    of the matrices, by one congruence of both. A metric on what these maps leave.
    *Streaming*: none. *Cost*: n(p² + q² + pq) + (p + q)³, at most n³. *Numerics*: computed in
    float64; logarithms lose as many digits as n/s has. Where p + q < n the eigenvalues are found in
    the span of both sides; all others are equal.

    *When*: Gram matrices as points of the curved space of such matrices, where an eigenvalue counts
    by its ratio to the other side's, and small ones as much as large ones. *When not*: fewer
    features than samples: most eigenvalues are then those of the shrinkage, which decides the value
    with the rank rather than the data do. Compare at one `shrinkage` and one n alone.

    References
    ----------
    .. [1] Shahbazi, Shirali, Aghajan & Nili (2021), doi:10.1016/j.neuroimage.2021.118271.

    Examples
    --------
    Twice the features are four times each of 100 eigenvalues:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> round(float(vv.riemannian(X, 2 * X)), 6), round(float(10 * np.log(4)), 6)
    (13.862944, 13.862944)
    """
    options = {"shrinkage": shrinkage, "scale": scale}
    _check_riemannian("riemannian", options)
    X, Y = checks.pair("riemannian", X, Y, minimum_rows=2)
    with checks.diagnosed("riemannian", X=X, Y=Y):
        value = _score_riemannian(options, Overlap(Axes.of(X), Axes.of(Y)))
    return checks.finite("riemannian", array.like(value, X), X=X, Y=Y)


def rsm_norm_difference(X: Array, Y: Array, /, *, similarity: str = "linear") -> Array:
    """Frobenius norm of the difference of two representational similarity matrices.

    ``‖S_X − S_Y‖ = √(Σ_ij (s_ij − s′_ij)²)``, the norm of the matrices as vectors [1]_; with inner
    products of the rows, the pairwise inner product loss of word embeddings [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    similarity : {"linear", "cosine", "correlation"}
        The similarity of two samples: the inner product of their features, the cosine of their
        angle from the origin, or the correlation of their features (three at least). The features
        are taken as they are: subtract their means first to compare centred Gram matrices.

    Returns
    -------
    0-d array
        In ``[0, ∞)``, lower is more alike; in squared units of the features with inner products. It
        grows with n: compare values on the same samples alone.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or a row has no angle or correlation.

    Notes
    -----
    *Invariant to*: feature permutations; orthogonal maps but with the correlation; isotropic
    scaling with the cosine and the correlation. *Not to*: translation, invertible linear maps;
    the scale of the features with inner products, orthogonal maps with the correlation. A metric on
    similarity matrices. *Streaming*: none, all pairs of samples are needed at once. *Cost*:
    n²(p + q), and n² per pair. *Numerics*: computed in float64, and from the difference of the
    matrices itself, so small distances keep their digits.

    *When*: between versions of one embedding on the same samples: by how much, in absolute terms,
    did similarities move? *When not*: between layers of different scale or another mean: with inner
    products nothing is divided out, and the side with the larger features decides (`cka`). It grows
    with n.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [2] Yin & Shen (2018), arXiv:1812.04224.

    Examples
    --------
    Two orthogonal rows, and two whose inner product is 0.6:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> round(float(vv.rsm_norm_difference(X, Y)), 6), round(float(np.hypot(0.6, 0.6)), 6)
    (0.848528, 0.848528)
    """
    checks.option("rsm_norm_difference", "similarity", similarity, rows.SIMILARITIES)
    X, Y = checks.pair("rsm_norm_difference", X, Y, minimum_rows=2)
    host = not array.recording(X, Y)
    with checks.diagnosed("rsm_norm_difference", X=X, Y=Y):
        with checks.side("rsm_norm_difference", "X"):
            x = _Rsm.of(X, similarity, host=host)
        with checks.side("rsm_norm_difference", "Y"):
            y = _Rsm.of(Y, similarity, host=host)
        value = _score_rsm({}, _Met(x, y))
    value = array.placed(float(value), X) if host else array.like(value, X)
    return checks.finite("rsm_norm_difference", value, X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Rsm:
    """A similarity matrix, ``unit**2`` times what it is."""

    matrix: Array
    unit: Array | float

    @classmethod
    def of(cls, X: Array, similarity: str, *, host: bool = True) -> "_Rsm":
        return cls(*rows.similarities(rows.exact(X, host=host), similarity))


@dataclass(frozen=True, eq=False)
class _Met:
    """The similarity matrices of two sides."""

    x: _Rsm
    y: _Rsm


def _prepare_rsm(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    similarity = options["similarity"]
    return Preparation(("rsm", similarity), lambda X: _Rsm.of(X, similarity), _Met)


def _score_rsm(options: Mapping[str, Any], met: _Met) -> Array:
    return rows.norm_difference(met.x.matrix, met.x.unit, met.y.matrix, met.y.unit)


def _check_rsm(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "similarity", options["similarity"], rows.SIMILARITIES)


def _describe_rsm(options: Mapping[str, Any]) -> str:
    words = {"linear": "inner products", "cosine": "cosines", "correlation": "correlations"}
    return f"Frobenius norm of the difference of the {words[options['similarity']]} of all rows"


# What each similarity forgets of the features, beyond their order.
_FORGETS = {
    "linear": {ORTHOGONAL},
    "cosine": {SCALING, ORTHOGONAL},
    "correlation": {SCALING},
}


def _specialise_rsm(measure: Measure) -> Measure:
    forgotten = {PERMUTATION, *_FORGETS[measure.settings["similarity"]]}
    return replace(
        measure,
        invariant_to=frozenset(forgotten),
        not_invariant_to=frozenset({TRANSLATION, SCALING, ORTHOGONAL, LINEAR} - forgotten),
    )


def _score_riemannian(options: Mapping[str, Any], met: Overlap) -> Array:
    return spectral.riemannian(met, **options)


def _check_riemannian(where: str, options: Mapping[str, Any]) -> None:
    value = options["shrinkage"]
    # True and False are no numbers between 0 and 1 either.
    if not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(
            checks.message(
                where,
                "shrinkage",
                "be between 0 and 1",
                repr(value),
                "At 0 the distance is infinite, at 1 nothing is left to compare.",
            )
        )
    checks.flag(where, "scale", options["scale"])


def _describe_riemannian(options: Mapping[str, Any]) -> str:
    divided = " of trace 1" if options["scale"] else ""
    return (
        f"Riemannian distance of Gram matrices{divided}, shrunken by {options['shrinkage']:g}; "
        "grows with the number of samples"
    )


def _specialise_riemannian(measure: Measure) -> Measure:
    common = frozenset({TRANSLATION, PERMUTATION, ORTHOGONAL})
    scaling = frozenset({SCALING})
    scale = measure.settings["scale"]
    return replace(
        measure,
        invariant_to=common | scaling if scale else common,
        not_invariant_to=frozenset({LINEAR}) | (frozenset() if scale else scaling),
    )


RIEMANNIAN = _specialise_riemannian(
    Measure(
        name="riemannian",
        title="Riemannian distance of Gram matrices",
        family="RSA",
        function=riemannian,
        prepare=prepare_axes,
        score=_score_riemannian,
        describe=_describe_riemannian,
        check=_check_riemannian,
        reference=_SHAHBAZI,
        statistic="principal axes",
        cost="n(p² + q² + pq) + min(n, p + q)³",
        low=0.0,
        high=math.inf,
        direction="distance",
        metric=True,
        invariant_to=frozenset(),
        variants=({"scale": True},),
        specialise=_specialise_riemannian,
    )
)

RSM_NORM_DIFFERENCE = _specialise_rsm(
    Measure(
        name="rsm_norm_difference",
        title="Norm of the difference of similarity matrices",
        family="RSA",
        function=rsm_norm_difference,
        prepare=_prepare_rsm,
        score=_score_rsm,
        describe=_describe_rsm,
        check=_check_rsm,
        reference="Klabunde et al. (2023), arXiv:2305.06329; Yin & Shen (2018), arXiv:1812.04224",
        statistic="similarity matrices",
        cost="n²(p + q)",
        low=0.0,
        high=math.inf,
        direction="distance",
        metric=True,
        invariant_to=frozenset(),
        variants=({"similarity": "cosine"}, {"similarity": "correlation"}),
        specialise=_specialise_rsm,
    )
)
