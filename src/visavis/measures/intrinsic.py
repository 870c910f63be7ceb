"""Intrinsic multi-scale distance: the shapes of two sets of samples, whichever row is which."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    ROWS,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import heat

Pair = tuple[Any, Any]


def imd(X: Array, Y: Array, /, *, k: int = 5) -> Array:
    """Intrinsic multi-scale distance: how differently heat spreads over two sets of samples.

    ``sup_t e^(−2(t + 1/t))·|h_X(t) − h_Y(t)|`` over all times t > 0, with the heat trace
    ``h(t) = (1/n) Σ_i e^(−λ_i t)`` of the eigenvalues of the normalised Laplacian
    ``I − D^(−½)AD^(−½)`` of the graph that joins each sample and its k nearest [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        As many samples. They need not correspond.
    k : int
        Number of neighbours, at most n − 2. An edge is there if one of its ends counts the other
        among its neighbours.

    Returns
    -------
    0-d array
        In ``[0, 0.0183156]``, which is e⁻⁴; lower is more alike, and 10⁻⁵ is a common value. The
        code of the paper's authors gives a stochastic estimate of 10⁶ times this.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 7 rows (k + 2), or an option is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps, permutations of the rows of Y.
    *Not to*: invertible linear maps. *Streaming*: none. *Cost*: n²p + n³ for each representation on
    the host, and n for each pair; n up to a few thousands. There is no gradient. *Numerics*: all
    eigenvalues are computed, the largest difference is looked for between t = 1/25 and 25, where
    the weight has 20 digits, and refined between the points of the search. *Ties*: as in
    `mutual_knn`, so that equal distances may make the order of the rows count.

    Small times see how many neighbours a sample has, large ones how the graph hangs together.

    *When*: rows do not correspond, or belong to different data: are two sets of samples alike as
    shapes, from how many neighbours there are to how the graph hangs together? *When not*: rows do
    correspond: it ignores all that `cka` looks at. It bounds a Gromov–Wasserstein distance from
    below, so zero does not mean that two shapes are equal; the weight e^(−2(t + 1/t)) leaves little
    but times near 1, and it depends on k.

    References
    ----------
    .. [1] Tsitsulin, Munkhoeva, Mottin, Karras, Bronstein et al. (2020), arXiv:1905.11141.

    Examples
    --------
    A plane and its rows in another order, and a line:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> bool(vv.imd(X, X[::-1]) < 1e-15), bool(vv.imd(X, X * [1, 0]) > 5e-5)
    (True, True)
    """
    _check_imd("imd", {"k": k})
    X, Y = checks.pair("imd", X, Y, minimum_rows=k + 2)
    checks.readable("imd", X=X, Y=Y)
    return answer("imd", X, Y, lambda Z, host: heat.Heat.of(Z, k), heat.distance)


def answer(
    where: str,
    X: Array,
    Y: Array,
    of: Callable[[Array, bool], Any],
    score: Callable[[Any, Any], Array],
) -> Array:
    """Return the score of what is found of each side, on the host if it may be used."""
    host = not array.recording(X, Y)
    found = []
    with checks.diagnosed(where, X=X, Y=Y):
        for name, Z in (("X", X), ("Y", Y)):
            with checks.side(where, name):
                found.append(of(Z, host))
        value = score(*found)
    value = array.like(value, X) if array.recording(value) else array.placed(float(value), X)
    return checks.finite(where, value, X=X, Y=Y)


def pair(x: Any, y: Any) -> Pair:
    """Return what was found of both sides."""
    return x, y


def _prepare_imd(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    k = options["k"]
    return Preparation(("heat", k), lambda X: heat.Heat.of(X, k), pair)


def _score_imd(options: Mapping[str, Any], met: Pair) -> Array:
    return heat.distance(*met)


def _check_imd(where: str, options: Mapping[str, Any]) -> None:
    checks.count(where, "k", options["k"])


def _specialise_imd(measure: Measure) -> Measure:
    return replace(measure, minimum_rows=measure.settings["k"] + 2)


IMD = _specialise_imd(
    Measure(
        name="imd",
        title="Intrinsic multi-scale distance",
        family="topology",
        function=imd,
        prepare=_prepare_imd,
        score=_score_imd,
        describe=lambda options: (
            f"difference of heat traces of the graphs of {options['k']} nearest neighbours; does "
            "not ask which row is which"
        ),
        check=_check_imd,
        reference="Tsitsulin et al. (2020), arXiv:1905.11141",
        statistic="spectrum of the neighbourhood graph (host)",
        cost="n²(p + q) + n³, host",
        low=0.0,
        high=math.exp(-4),
        direction="distance",
        invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, ROWS}),
        not_invariant_to=frozenset({LINEAR}),
        specialise=_specialise_imd,
    )
)
