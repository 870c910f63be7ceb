"""Soft matching of units: each unit of one side with shares of several of the other."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.matching import HARD_MATCHING, answer, prepare_each, prepare_together
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
from visavis.stats import Paired, Units
from visavis.stats import procrustes as formulas

FORMS = ("correlation", "distance")


def soft_matching(X: Array, Y: Array, /, *, form: str = "correlation", scale: bool = True) -> Array:
    """Mean correlation of units under the best soft matching, or the distance that it leaves.

    ``max_P Σ_ij P_ij corr(x_i, y_j)`` over couplings P ≥ 0 with row sums 1/p and column sums 1/q:
    every unit of either side counts as much as any other of its side, and may be shared out over
    several partners [1]_. With p = q it is `hard_matching`.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, units in columns.
    Y : array, (n, q)
        The same samples in the same order.
    form : {"correlation", "distance"}
        ``"distance"``: the soft matching distance ``min_P √(Σ_ij P_ij ‖x_i − y_j‖²)`` between the
        centred units, a Wasserstein distance between two clouds of p and q points.
    scale : bool
        Divide each unit by its norm first ("distance"; "correlation" always does).

    Returns
    -------
    0-d array
        ``"correlation"`` in ``[−1, 1]``, higher is more alike, and above 0 for unrelated units.
        ``"distance"`` is √(2 − 2·correlation) in ``[0, 2]``, or without `scale` in ``[0, ∞)``, in
        units of the features times √n; lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant, or, unless `scale` is off, any of
        its units: which columns.
    ImportError
        If p and q have no common multiple up to 4096 and POT (``visavis[ot]``) is not installed.

    Notes
    -----
    *Invariant to*: translation, feature permutations; isotropic scaling unless `scale` is off.
    *Not to*: orthogonal maps, invertible linear maps; isotropic scaling without `scale`. "distance"
    is a metric, for any widths. *Streaming*: none. *Cost*: npq, and on the host a linear program,
    solved exactly: by assignment of copies, lcm(p, q)³ at most, or by the network simplex of POT. A
    gradient passes through the matched units. *Numerics*: computed in float64, the distance from
    the differences of the matched units, so small ones keep their digits.

    *When*: to compare tuning unit by unit across widths; a layer and its copy with every unit twice
    are the same. *When not*: units have no meaning by themselves, for a rotation of them matches
    badly. With "correlation" a unit of hardly any variance counts as much as the largest, and a
    unit that is always off has to be dropped; unrelated units score above 0.

    References
    ----------
    .. [1] Khosla & Williams (2024), arXiv:2311.09466.

    Examples
    --------
    Three times the same units are the same; a rotation of them is not.

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    >>> round(float(vv.soft_matching(X, np.hstack([X, X, X]))), 12)
    1.0
    >>> bool(vv.soft_matching(X, X @ rotation) < 0.9)
    True
    """
    options = {"form": form, "scale": scale}
    _check("soft_matching", options)
    side = Units.each if _by_unit(options) else Units.together
    return answer("soft_matching", X, Y, side, partial(_score, options))


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return (prepare_each if _by_unit(options) else prepare_together)(options, side, shapes)


def _by_unit(options: Mapping[str, Any]) -> bool:
    return options["form"] == "correlation" or options["scale"]


def _score(options: Mapping[str, Any], met: Paired) -> Array:
    coupling = met.coupled(partial(linalg.transport, purpose="soft_matching"))
    if options["form"] == "correlation":
        return 1 - met.apart(coupling) / 2
    if options["scale"]:
        return array.namespace(met.products).sqrt(met.apart(coupling))
    # Clouds of p and of q points at a mean squared norm of 1, and the norms that they had.
    roots = [side.count**0.5 for side in (met.x, met.y)]
    sizes = [
        (side.norm / root, side.unit) for side, root in zip((met.x, met.y), roots, strict=True)
    ]
    return formulas.formed(met.apart(coupling, *roots), *sizes, form="euclidean", scale=False)


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], FORMS)
    checks.flag(where, "scale", options["scale"])


def _describe(options: Mapping[str, Any]) -> str:
    if options["form"] == "correlation":
        return "mean correlation of softly matched units; unrelated units score above 0"
    return f"distance of softly matched units{', each at norm 1' if options['scale'] else ''}"


def _specialise(measure: Measure) -> Measure:
    by_unit = _by_unit(measure.settings)
    distance = measure.settings["form"] == "distance"
    scaling = frozenset({SCALING})
    felt = frozenset({ORTHOGONAL, LINEAR})
    forgotten = frozenset({TRANSLATION, PERMUTATION})
    return replace(
        measure,
        low=0.0 if distance else -1.0,
        high=(2.0 if by_unit else math.inf) if distance else 1.0,
        direction="distance" if distance else "similarity",
        metric=distance,
        constant_features="refused" if by_unit else "counted",
        invariant_to=forgotten | scaling if by_unit else forgotten,
        not_invariant_to=felt if by_unit else felt | scaling,
    )


SOFT_MATCHING = _specialise(
    replace(
        HARD_MATCHING,
        name="soft_matching",
        title="Soft matching of units",
        family="matching",
        function=soft_matching,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Khosla & Williams (2024), arXiv:2311.09466",
        cost="npq + lcm(p, q)³ at most, host",
        variants=({"form": "distance"}, {"form": "distance", "scale": False}),
        specialise=_specialise,
    )
)
