"""Procrustes distance over permutations: units are exchanged, never mixed."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.linalg import Coupling
from visavis.measures.matching import answer, prepare_together
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
)
from visavis.stats import Paired, Units
from visavis.stats import procrustes as formulas


def permutation_procrustes(
    X: Array, Y: Array, /, *, form: str = "angular", scale: bool = False, partial: bool = False
) -> Array:
    """Distance between two centred representations after the best permutation of units.

    ``min_Π ‖Xc − YcΠ‖`` over permutations Π, zero columns added to the narrower side [1]_. What
    remains of `procrustes` when units may be exchanged, but not rotated into each other.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, units in columns.
    Y : array, (n, q)
        The same samples in the same order.
    form : {"angular", "euclidean", "squared", "similarity"}
        ``"angular"``: the angle between Xc and the best YcΠ in radians. ``"euclidean"`` and
        ``"squared"``: the distance and its square. ``"similarity"``: the cosine of the angle.
    scale : bool
        Divide both by their Frobenius norms first ("euclidean" and "squared"; the other forms
        always do).
    partial : bool
        Let units of both sides stay without a partner, where any would only add to the distance:
        zero columns are added to both sides. Without it each unit of the narrower side has one.

    Returns
    -------
    0-d array
        ``"angular"`` in ``[0, π]``, with `partial` in ``[0, π/2]``; ``"euclidean"`` and
        ``"squared"`` in ``[0, ∞)`` in (squared) units of the features; or without units, with
        `scale`, in ``[0, 2]`` and ``[0, 4]``, with `partial` as well in ``[0, √2]`` and ``[0, 2]``;
        lower is more alike. ``"similarity"`` in ``[−1, 1]``, with `partial` in ``[0, 1]``; higher
        is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, feature permutations; isotropic scaling where norms are divided
    out. *Not to*: orthogonal maps, invertible linear maps; isotropic scaling where norms are not
    divided out. "angular" and "euclidean" are metrics among representations of one width, and with
    `partial` among those of any. Across widths without it they are not: x and −x are further apart
    than the sum of their distances to the pair (x/2, −x/2). *Streaming*: none. *Cost*: npq, and
    pq·min(p, q) on the host; a gradient passes through the matched units. *Numerics*: computed in
    float64, from the differences of the matched units, so small distances keep their digits.

    *When*: as `procrustes`, where the single unit is what matters; weighed by variance, unlike
    `hard_matching`. Its gap to `procrustes` says how much of the likeness needs a rotation.
    *When not*: units have no meaning by themselves, as where nothing ties the basis (a residual
    stream, a layer before a linear one); or across widths without `partial`, where it is no metric.
    A few units of large variance decide.

    References
    ----------
    .. [1] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    >>> bool(vv.permutation_procrustes(X, X[:, ::-1] + 3) < 1e-12)
    True
    >>> bool(vv.permutation_procrustes(X, X @ rotation) > 0.5 > vv.procrustes(X, X @ rotation))
    True
    """
    options = {"form": form, "scale": scale, "partial": partial}
    _check("permutation_procrustes", options)
    return answer("permutation_procrustes", X, Y, Units.together, lambda met: _score(options, met))


def _score(options: Mapping[str, Any], met: Paired) -> Array:
    coupling = met.coupled(_profitable if options["partial"] else linalg.matching)
    xp = array.namespace(met.products)
    alone = met.alone(coupling)
    distance = met.apart(coupling) + alone
    if options["form"] == "angular":
        # From the chord to YcΠ and the one to −YcΠ: exact at both ends.
        other = met.apart(coupling, y=-1.0) + alone
        return 2 * xp.atan2(xp.sqrt(distance), xp.sqrt(other))
    sizes = ((side.norm, side.unit) for side in (met.x, met.y))
    return formulas.formed(distance, *sizes, form=options["form"], scale=options["scale"])


def _profitable(gains: np.ndarray) -> Coupling:
    """Return the matching of the largest sum, of pairs with a gain alone."""
    found = linalg.matching(np.maximum(gains, 0.0))
    gain = gains[found.rows, found.cols] > 0
    return Coupling(found.rows[gain], found.cols[gain], found.weights[gain])


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], formulas.FORMS)
    checks.flag(where, "scale", options["scale"])
    checks.flag(where, "partial", options["partial"])


def _describe(options: Mapping[str, Any]) -> str:
    text = {
        "angular": "angle in radians after the best permutation of units: 0 is alike, π/2 is "
        "unrelated",
        "euclidean": "Euclidean distance after the best permutation of units",
        "squared": "squared Euclidean distance after the best permutation of units",
        "similarity": "cosine of the angle after the best permutation of units",
    }[options["form"]]
    return text + (", some of them without partner" if options["partial"] else "")


def _specialise(measure: Measure) -> Measure:
    form, scale, free = (measure.settings[key] for key in ("form", "scale", "partial"))
    unit_norm = scale or form in {"angular", "similarity"}
    scaling = frozenset({SCALING})
    forgotten, felt = frozenset({TRANSLATION, PERMUTATION}), frozenset({ORTHOGONAL, LINEAR})
    high = {
        "angular": math.pi / 2 if free else math.pi,
        "similarity": 1.0,
        "euclidean": (math.sqrt(2) if free else 2.0) if scale else math.inf,
        "squared": (2.0 if free else 4.0) if scale else math.inf,
    }[form]
    return replace(
        measure,
        low=-1.0 if form == "similarity" and not free else 0.0,
        high=high,
        direction="similarity" if form == "similarity" else "distance",
        metric=free and form in {"angular", "euclidean"},
        constant_features="ignored" if free else "counted",
        invariant_to=forgotten | scaling if unit_norm else forgotten,
        not_invariant_to=felt if unit_norm else felt | scaling,
    )


PERMUTATION_PROCRUSTES = _specialise(
    Measure(
        name="permutation_procrustes",
        title="Permutation Procrustes distance",
        family="shape",
        function=permutation_procrustes,
        prepare=prepare_together,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739",
        statistic="centred units",
        cost="npq + pq·min(p, q), host",
        low=0.0,
        high=math.pi,
        direction="distance",
        invariant_to=frozenset(),
        variants=(
            {"form": "euclidean"},
            {"form": "squared", "scale": True},
            {"form": "similarity"},
            {"partial": True},
            {"form": "euclidean", "partial": True},
            {"form": "euclidean", "scale": True, "partial": True},
            {"form": "similarity", "partial": True},
        ),
        specialise=_specialise,
    )
)
