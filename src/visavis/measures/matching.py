"""Matching of units: each unit of one side with one of the other, or with its best."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
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
from visavis.stats import Paired, Units

LI = "Li, Yosinski, Clune, Lipson & Hopcroft (2015), arXiv:1511.07543"


def hard_matching(X: Array, Y: Array, /) -> Array:
    """Mean correlation of units that are matched one to one.

    ``max_π mean_i corr(x_i, y_π(i))`` over all one-to-one matchings π of the units of the narrower
    side to as many of the wider [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, units in columns.
    Y : array, (n, q)
        The same samples in the same order.

    Returns
    -------
    0-d array
        ``[−1, 1]``, higher is more alike. Unrelated units score above 0, for each is given its
        best among many: somewhat below √(2 log p / n) for p and p independent units.

    Raises
    ------
    ValueError
        If shapes do not match.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side or any of its units is constant: which columns.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling (of each unit by itself as well), feature
    permutations. *Not to*: orthogonal maps, invertible linear maps. *Streaming*: none. *Cost*: npq,
    and pq·min(p, q) on the host; a gradient passes through the matched correlations. *Numerics*:
    computed in float64.

    *When*: do single units, rather than subspaces, recur? *When not*: codes are spread over many
    units, of which a rotation holds the same and matches badly. Of the wider side all units that
    match nothing well stay out (`soft_matching` leaves out none), and unrelated units score the
    more the wider layers are and the fewer the samples.

    References
    ----------
    .. [1] Li, Yosinski, Clune, Lipson & Hopcroft (2015), arXiv:1511.07543.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 6))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    >>> round(float(vv.hard_matching(X, X[:, ::-1])), 12)
    1.0
    >>> bool(vv.hard_matching(X, X @ rotation) < 0.9)
    True
    """
    return answer("hard_matching", X, Y, Units.each, partial(_score_hard, {}))


def semi_matching(X: Array, Y: Array, /) -> Array:
    """Mean correlation of each unit of X with its best partner in Y.

    ``mean_i max_j corr(x_i, y_j)``: a unit of Y may be the partner of several, or of none [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, units in columns: who looks for a partner.
    Y : array, (n, q)
        The same samples in the same order: the partners.

    Returns
    -------
    0-d array
        ``[−1, 1]``, higher is more alike; above 0 for unrelated units. Not symmetric: it says how
        much of X recurs in Y, and grows with the width of Y.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side or any of its units is constant: which columns.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling (of each unit by itself as well), feature
    permutations. *Not to*: orthogonal maps, invertible linear maps. *Streaming*: none. *Cost*: npq.
    *Numerics*: computed in float64.

    *When*: widths differ, and only one direction counts: has each unit of X a counterpart in Y? The
    gap to `hard_matching` is what is lost when no unit may serve twice. *When not*: a mutual
    likeness is asked for, as one unit of Y may serve all of X; or layers of different width are
    ranked: the best of more partners is better by chance.

    References
    ----------
    .. [1] Li, Yosinski, Clune, Lipson & Hopcroft (2015), arXiv:1511.07543.

    Examples
    --------
    All of a part recurs in the whole, and not the whole in the part.

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> part = X[:, :2]
    >>> bool(vv.semi_matching(part, X) > 0.999 > vv.semi_matching(X, part))
    True
    """
    return answer("semi_matching", X, Y, Units.each, partial(_score_semi, {}), host=False)


# What the measures of matched units share.


def answer(
    where: str,
    X: Array,
    Y: Array,
    of: Callable[[Array], Units],
    score: Callable[[Paired], Array],
    *,
    host: bool = True,
) -> Array:
    """Return the score of the units of two representations after the checks that all need."""
    X, Y = checks.pair(where, X, Y, minimum_rows=2)
    if host:
        checks.readable(where, because="Units are matched on the host", X=X, Y=Y)
    found = []
    with checks.diagnosed(where, X=X, Y=Y):
        for name, Z in (("X", X), ("Y", Y)):
            with checks.side(where, name):
                found.append(of(Z))
        value = score(Paired(*found))
    return checks.finite(where, array.like(value, X), X=X, Y=Y)


def prepare_together(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    """Prepare units that keep their norms relative to each other."""
    return Preparation(("units", "together"), Units.together, Paired)


def prepare_each(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    """Prepare units of norm 1."""
    return Preparation(("units", "each"), Units.each, Paired)


def _score_hard(options: Mapping[str, Any], met: Paired) -> Array:
    # Correlations are one minus half a squared distance of units of norm 1.
    return 1 - met.apart(met.coupled(linalg.matching).mean) / 2


def _score_semi(options: Mapping[str, Any], met: Paired) -> Array:
    return 1 - met.to_best() / 2


def _check(where: str, options: Mapping[str, Any]) -> None:
    """Accept what has no options."""


HARD_MATCHING = Measure(
    name="hard_matching",
    title="Hard matching of units",
    family="matching",
    function=hard_matching,
    prepare=prepare_each,
    score=_score_hard,
    describe=lambda options: (
        "mean correlation of units matched one to one; unrelated units score above 0"
    ),
    check=_check,
    reference=LI,
    statistic="units of norm 1",
    cost="npq + pq·min(p, q), host",
    low=-1.0,
    high=1.0,
    constant_features="refused",
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION}),
    not_invariant_to=frozenset({ORTHOGONAL, LINEAR}),
)

SEMI_MATCHING = replace(
    HARD_MATCHING,
    name="semi_matching",
    title="Semi-matching of units",
    family="matching",
    function=semi_matching,
    score=_score_semi,
    describe=lambda options: (
        "mean correlation of each unit of the row layer with its best partner in the column layer; "
        "unrelated units score above 0; not symmetric"
    ),
    cost="npq",
    symmetric=False,
)
