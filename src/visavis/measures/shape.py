"""Procrustes distance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
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
from visavis.stats import procrustes as formulas


def procrustes(X: Array, Y: Array, /, *, form: str = "angular", scale: bool = False) -> Array:
    """Distance between two centred representations after the best orthogonal map.

    ``min_Q ‖Xc − YcQ‖`` over orthogonal Q, zero columns added to the narrower side; from the
    nuclear norm: ``‖Xc‖² + ‖Yc‖² − 2‖XcᵀYc‖_*`` squared [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    form : {"angular", "euclidean", "squared", "similarity"}
        ``"angular"``: the angle arccos(‖XcᵀYc‖_*/(‖Xc‖‖Yc‖)) in radians. ``"euclidean"`` and
        ``"squared"``: the distance and its square. ``"similarity"``: the cosine of the angle, also
        known as normalised Bures similarity.
    scale : bool
        Divide both by their Frobenius norms first ("euclidean" and "squared"; the other forms
        always do).

    Returns
    -------
    0-d array
        ``"angular"`` in ``[0, π/2]``, ``"euclidean"`` and ``"squared"`` in ``[0, ∞)`` in (squared)
        units of the features, or without units in ``[0, √2]`` and ``[0, 2]`` with `scale`; lower
        is more alike. ``"similarity"`` in ``[0, 1]``, higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps; isotropic scaling where norms are divided out.
    *Not to*: invertible linear maps. "angular" and "euclidean" are metrics on what these maps
    leave, "squared" is not. *Streaming*: `Moments.procrustes`. *Cost*: npq + pq·min(p, q); sides
    wider than n are turned into n dimensions first. *Numerics*: computed in float64, small
    distances from the residual of the best map, so they keep their digits.

    *When*: a distance with a geometry is asked for: to cluster, embed or average networks, and to
    walk between them (`visavis.shapes`). It weighs small directions more than linear `cka`, and
    stood up well to tests against what networks do [3]_. *When not*: widths differ, or samples are
    few: the angle of unrelated sides shrinks as width grows (to 0.72 for Gaussian features with
    n = p = q = 500), and no estimator corrects it. Without `scale` the side with the larger
    features decides.

    References
    ----------
    .. [1] Schönemann (1966), doi:10.1007/BF02289451.
    .. [2] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.
    .. [3] Ding, Denain & Steinhardt (2021), arXiv:2108.01661.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    >>> bool(vv.procrustes(X, X @ rotation + 3) < 1e-12)
    True
    """
    checks.option("procrustes", "form", form, formulas.FORMS)
    return between("procrustes", X, Y, form=form, scale=scale)


def between(where: str, X: Array, Y: Array, *, form: str, scale: bool = False) -> Array:
    """Return the Procrustes distance in a form, for a measure that may have another name."""
    X, Y = checks.pair(where, X, Y, minimum_rows=2)
    with checks.diagnosed(where, X=X, Y=Y):
        value = score_shapes({"form": form, "scale": scale}, _Met(_Shape.of(X), _Shape.of(Y)))
    return checks.finite(where, array.like(value, X), X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Shape:
    """A centred representation at Frobenius norm 1, with that norm and the unit it is in.

    `given` is the machine epsilon of the dtype in which it came.
    """

    matrix: Array
    norm: Array
    unit: Array | float
    given: float

    @classmethod
    def of(cls, X: Array) -> "_Shape":
        xp = array.namespace(X)
        centred, unit = linalg.centred(X)
        norm = xp.linalg.matrix_norm(centred)
        given = array.precision(X)
        if X.shape[1] > X.shape[0] and not array.recording(X):
            # A rotation into the span of the samples changes nothing and makes the rest n × n.
            left, values = linalg.left_axes(centred, given=given)
            centred = left * values
        return cls(centred / norm, norm, unit, given)


@dataclass(frozen=True, eq=False)
class _Met:
    """Two shapes, and the squared distance between them."""

    x: _Shape
    y: _Shape

    @cached_property
    def distance(self) -> Array:
        if self.x is self.y and not array.recording(self.x.matrix):
            # Zero without a decomposition; not a number where the shape is none.
            return 0 * array.namespace(self.x.norm).sum(self.x.matrix)
        given = max(self.x.given, self.y.given)
        return formulas.unit_squared_distance(self.x.matrix, self.y.matrix, given=given)


def prepare_shape(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    """Prepare a representation for any measure of Procrustes distance."""
    return Preparation("shape", _Shape.of, _Met)


def score_shapes(options: Mapping[str, Any], met: _Met) -> Array:
    """Return the Procrustes distance under options `form` and `scale`."""
    sizes = ((side.norm, side.unit) for side in (met.x, met.y))
    return formulas.formed(met.distance, *sizes, **options)


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], formulas.FORMS)
    checks.flag(where, "scale", options["scale"])


def _describe(options: Mapping[str, Any]) -> str:
    return {
        "angular": "Procrustes angle in radians: 0 is alike up to rotation, π/2 is unrelated",
        "euclidean": "Euclidean distance after the best rotation",
        "squared": "squared Euclidean distance after the best rotation",
        "similarity": "cosine of the Procrustes angle (normalised Bures similarity)",
    }[options["form"]]


def _specialise(measure: Measure) -> Measure:
    form, scale = measure.settings["form"], measure.settings["scale"]
    unit_norm = scale or form in {"angular", "similarity"}
    scaling = frozenset({SCALING})
    high = {
        "angular": math.pi / 2,
        "similarity": 1.0,
        "euclidean": math.sqrt(2) if scale else math.inf,
        "squared": 2.0 if scale else math.inf,
    }[form]
    common = frozenset({TRANSLATION, PERMUTATION, ORTHOGONAL})
    return replace(
        measure,
        high=high,
        direction="similarity" if form == "similarity" else "distance",
        metric=form in {"angular", "euclidean"},
        invariant_to=common | scaling if unit_norm else common,
        not_invariant_to=frozenset({LINEAR}) | (frozenset() if unit_norm else scaling),
    )


PROCRUSTES = _specialise(
    Measure(
        name="procrustes",
        title="Procrustes distance",
        family="shape",
        function=procrustes,
        prepare=prepare_shape,
        score=score_shapes,
        describe=_describe,
        check=_check,
        reference="Schönemann (1966), doi:10.1007/BF02289451; Williams et al. (2021), "
        "arXiv:2110.14739",
        statistic="Moments (one pass)",
        cost="npq + pq·min(p, q)",
        low=0.0,
        high=math.pi / 2,
        direction="distance",
        invariant_to=frozenset(),
        variants=(
            {"form": "euclidean"},
            {"form": "euclidean", "scale": True},
            {"form": "squared"},
            {"form": "similarity"},
        ),
        specialise=_specialise,
    )
)
