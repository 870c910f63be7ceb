"""Paths through representations: of the layers of a network, or of a layer over training."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.shapes import points
from visavis.stats import sphere


def path_length(Xs: Iterable[Array] | Mapping[str, Array], /) -> Array:
    """Return the length of the path through representations of the same samples.

    ``Σ_l d(X_l, X_{l+1})`` with the angle d of `visavis.procrustes`: of the layers of a network,
    say, or of a layer over training [1]_.

    Parameters
    ----------
    Xs : iterable or mapping of array, (n, p_l)
        Two representations or more, in the order of the path; of a mapping, its values.

    Returns
    -------
    0-d array
        In radians; at least the angle between the first and the last.

    Raises
    ------
    ValueError
        If there are fewer than two, or their samples differ.
    DegenerateInputError
        If an entry is NaN or infinite, or one is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling and orthogonal maps of each. *Cost*: that of
    `visavis.procrustes` for each step. *Numerics*: in float64; differentiable.

    References
    ----------
    .. [1] Lange, Matelsky, Wang, Kwok, Rolnick & Kording (2022), arXiv:2206.10999.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y, Z = np.random.default_rng(0).normal(size=(3, 50, 4))
    >>> bool(vv.shapes.path_length([X, Y, Z]) >= vv.procrustes(X, Z))
    True
    """
    path, dtype = points.several("path_length", Xs, fewest=2)
    return points.given(_length(path), dtype)


def straightness(Xs: Iterable[Array] | Mapping[str, Array], /) -> Array:
    """Return how straight the path through representations is: the way as the crow flies over it.

    ``d(X_1, X_L)/Σ_l d(X_l, X_{l+1})`` with the angle d of `visavis.procrustes` [1]_.

    Parameters
    ----------
    Xs : iterable or mapping of array, (n, p_l)
        Two representations or more, in the order of the path; of a mapping, its values.

    Returns
    -------
    0-d array
        In ``[0, 1]``: 1 on a geodesic, 0 on the way back to the start.

    Raises
    ------
    ValueError
        If there are fewer than two, or their samples differ.
    DegenerateInputError
        If an entry is NaN or infinite, one is constant, or all are of one shape.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling and orthogonal maps of each. *Cost* and
    *Numerics*: those of `path_length`.

    References
    ----------
    .. [1] Lange, Matelsky, Wang, Kwok, Rolnick & Kording (2022), arXiv:2206.10999.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> path = [vv.shapes.geodesic(X, Y, t) for t in (0, 0.2, 0.7, 1)]
    >>> round(float(vv.shapes.straightness(path)), 9)
    1.0
    """
    path, dtype = points.several("straightness", Xs, fewest=2)
    length = _length(path)
    if points.nothing(length):
        raise DegenerateInputError(
            "straightness: `Xs` must not all be of one shape: the path has no length."
        )
    return points.given(sphere.angle(path[0], path[-1]) / length, dtype)


def _length(path: list[Array]) -> Array:
    steps = [sphere.angle(x, y) for x, y in pairwise(path)]
    return sum(steps[1:], steps[0])
