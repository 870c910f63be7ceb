"""Differences of one number of each representation: length of the mean, cone, uniformity.

None of them asks which row is which, and none is centred: where the origin lies is what they see.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.intrinsic import Pair, answer, pair
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
from visavis.stats import rows

_KLABUNDE = "Klabunde et al. (2023), arXiv:2305.06329"
_WANG = f"Wang, Rao, Guo, Wang, Liu & Guan (2022), IEEE TKDE 34(2); {_KLABUNDE}"


def magnitude_difference(X: Array, Y: Array, /) -> Array:
    """Difference of the lengths of the mean rows of two representations.

    ``|‖x̄‖ − ‖ȳ‖|`` with x̄ and ȳ the means of the rows, from the origin [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        As many samples. They need not correspond.

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
    *Invariant to*: orthogonal maps, permutations of the rows of Y. *Not to*: translation, the scale
    of the features, invertible linear maps. Not centred on purpose: of centred features all means
    are zero. *Streaming*: none. *Cost*: n(p + q). *Numerics*: computed in float64.

    *When*: to find a drift of the mean, beside a measure of the shape. *When not*: alone: it sees
    one number of each side, so that most representations that differ are at distance zero. Sides in
    different units differ by these.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [2] Wang, Rao, Guo, Wang, Liu & Guan (2022), IEEE Transactions on Knowledge and Data
       Engineering 34(2), 927–941.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> X -= X.mean(axis=0)
    >>> round(float(vv.magnitude_difference(X, X + [3, 4])), 6)
    5.0
    """
    return _of_rows("magnitude_difference", X, Y, _magnitude)


def concentricity_difference(X: Array, Y: Array, /) -> Array:
    """Difference of how closely the rows of two representations point along their mean.

    ``|c(X) − c(Y)|`` with the concentricity ``c(X) = (1/n) Σ_i cos(x_i, x̄)``, the mean cosine of
    the rows with their mean x̄, from the origin [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        As many samples. They need not correspond.

    Returns
    -------
    0-d array
        In ``[0, 2]``, lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or a row or the mean row is zero, which
        has no angle: features must not be centred.

    Notes
    -----
    *Invariant to*: isotropic scaling, orthogonal maps, permutations of the rows of Y. *Not to*:
    translation, invertible linear maps. Not centred on purpose. *Streaming*: none. *Cost*:
    n(p + q). *Numerics*: computed in float64; a mean row that is zero but for the rounding of the
    input is refused.

    A concentricity near 1 is a narrow cone, as of many contextual embeddings; near 0 the rows
    surround the origin.

    *When*: does one side crowd into a cone and the other not, as embeddings do that lose their
    isotropy? *When not*: alone: it is one number of each side, and zero does not mean alike.
    Clusters on opposite sides of the origin have a mean near zero, of which it says nothing.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [2] Wang, Rao, Guo, Wang, Liu & Guan (2022), IEEE Transactions on Knowledge and Data
       Engineering 34(2), 927–941.

    Examples
    --------
    A cone has a concentricity near 1, a ball about the origin one near 0:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> bool(vv.concentricity_difference(X, X + 100) > 0.8)
    True
    """
    return _of_rows("concentricity_difference", X, Y, _concentricity)


def uniformity_difference(X: Array, Y: Array, /, *, t: float = 2.0) -> Array:
    """Difference of how uniformly the rows of two representations cover the sphere.

    ``|u(X) − u(Y)|`` with the uniformity ``u(X) = log mean_(i≠j) e^(−t‖x_i − x_j‖²)`` of rows
    divided by their lengths [1]_, [2]_: the logarithm of the mean Gaussian potential of a pair.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        As many samples. They need not correspond.
    t : float
        Inverse squared width of the potential, above 0: large values see near pairs alone.

    Returns
    -------
    0-d array
        In ``[0, 8]``, 4t in general; lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match or an option is not allowed.
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or a row is zero, which has no
        direction.

    Notes
    -----
    *Invariant to*: isotropic scaling, orthogonal maps, permutations of the rows of Y. *Not to*:
    translation, invertible linear maps. Not centred on purpose. *Streaming*: none, all pairs of
    samples are needed. *Cost*: n²(p + q). *Numerics*: computed in float64. The pairs are those of
    different samples, as in [1]_; with each sample and itself, as [2]_ write it, the value depends
    on n. Rows that are not divided by their lengths would make it depend on the scale.

    The least value is that of the uniform distribution on the sphere, about −4 for t = 2 in many
    dimensions; 0 is a single direction.

    *When*: to follow how contrastive training spreads embeddings over the sphere, beside a measure
    of how samples correspond. *When not*: alone: it is one number of each side, and zero does not
    mean alike. Lengths of rows are not seen, and at another t it asks about another scale.

    References
    ----------
    .. [1] Wang & Isola (2020), arXiv:2005.10242.
    .. [2] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.

    Examples
    --------
    Two opposite rows are as far apart as rows can be:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.array([[1.0], [-1.0]]), np.array([[1.0], [2.0]])
    >>> float(vv.uniformity_difference(X, Y))
    8.0
    """
    _check_uniformity("uniformity_difference", {"t": t})
    return _of_rows("uniformity_difference", X, Y, partial(_uniformity, t))


def _magnitude(X: Array, host: bool = True) -> Array:
    return rows.magnitude(rows.exact(X, host=host))


def _concentricity(X: Array, host: bool = True) -> Array:
    return rows.concentricity(rows.exact(X, host=host), given=array.precision(X))


def _uniformity(t: float, X: Array, host: bool = True) -> Array:
    return rows.uniformity(rows.exact(X, host=host), float(t))


def _difference(x: Array, y: Array) -> Array:
    return array.namespace(x, y).abs(x - y)


def _of_rows(where: str, X: Array, Y: Array, of: Callable[[Array, bool], Array]) -> Array:
    """Return the difference of a number of each representation."""
    X, Y = checks.pair(where, X, Y, minimum_rows=2)
    return answer(where, X, Y, of, _difference)


def _prepare_magnitude(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("magnitude", _magnitude, pair)


def _prepare_concentricity(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("concentricity", _concentricity, pair)


def _prepare_uniformity(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    t = options["t"]
    return Preparation(("uniformity", t), partial(_uniformity, t), pair)


def _score_difference(options: Mapping[str, Any], met: Pair) -> Array:
    return _difference(*met)


def _check_nothing(where: str, options: Mapping[str, Any]) -> None:
    """Accept what has no options."""


def _check_uniformity(where: str, options: Mapping[str, Any]) -> None:
    t = options["t"]
    number = isinstance(t, int | float) and not isinstance(t, bool)
    if not (number and 0 < t < math.inf):
        raise ValueError(checks.message(where, "t", "be a finite number above 0", repr(t)))


def _specialise_uniformity(measure: Measure) -> Measure:
    return replace(measure, high=4.0 * measure.settings["t"])


MAGNITUDE_DIFFERENCE = Measure(
    name="magnitude_difference",
    title="Magnitude difference",
    family="geometry",
    function=magnitude_difference,
    prepare=_prepare_magnitude,
    score=_score_difference,
    describe=lambda options: (
        "difference of the lengths of the mean rows; does not ask which row is which"
    ),
    check=_check_nothing,
    reference=_WANG,
    statistic="one number of each side",
    cost="n(p + q)",
    low=0.0,
    high=math.inf,
    direction="distance",
    invariant_to=frozenset({PERMUTATION, ORTHOGONAL, ROWS}),
    not_invariant_to=frozenset({TRANSLATION, SCALING, LINEAR}),
)

CONCENTRICITY_DIFFERENCE = replace(
    MAGNITUDE_DIFFERENCE,
    name="concentricity_difference",
    title="Concentricity difference",
    family="geometry",
    function=concentricity_difference,
    prepare=_prepare_concentricity,
    describe=lambda options: (
        "difference of the mean cosines with the mean row; does not ask which row is which"
    ),
    high=2.0,
    invariant_to=frozenset({SCALING, PERMUTATION, ORTHOGONAL, ROWS}),
    not_invariant_to=frozenset({TRANSLATION, LINEAR}),
)

UNIFORMITY_DIFFERENCE = _specialise_uniformity(
    replace(
        CONCENTRICITY_DIFFERENCE,
        name="uniformity_difference",
        title="Uniformity difference",
        family="geometry",
        function=uniformity_difference,
        prepare=_prepare_uniformity,
        describe=lambda options: (
            f"difference of the uniformities on the sphere at t = {options['t']:g}; does not ask "
            "which row is which"
        ),
        check=_check_uniformity,
        reference=f"Wang & Isola (2020), arXiv:2005.10242; {_KLABUNDE}",
        cost="n²(p + q)",
        specialise=_specialise_uniformity,
    )
)
