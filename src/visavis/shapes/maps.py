"""The way from one shape to another, and tangents."""

import math

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.linalg.padding import padded
from visavis.shapes import points
from visavis.stats import sphere

# Roundings, of points and tangents, by which a tangent may lean towards its point.
LEANING = 256


def align(X: Array, Y: Array, /) -> Array:
    """Turn a representation onto another by the best orthogonal map.

    ``ŶQ`` with the Q that minimises ``‖X̂ − ŶQ‖``, the orthogonal factor of ``ŶᵀX̂`` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.

    Returns
    -------
    array, (n, max(p, q))
        Y centred, at Frobenius norm 1 and turned; in the features of X, with zero features added
        to X if it is the narrower.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Cost*: npq + max(p, q)³, or n²max(p, q) + n³ with more features than samples. *Numerics*: in
    float64; differentiable where the singular values of ŶᵀX̂ differ. Where Y has directions that
    have nothing to do with X, their turn is one of many that are as good.

    References
    ----------
    .. [1] Schönemann (1966), doi:10.1007/BF02289451.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 3))
    >>> turned = X @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> centred = X - X.mean(axis=0)
    >>> bool(np.allclose(vv.shapes.align(X, turned), centred / np.linalg.norm(centred)))
    True
    """
    x, y, dtype = points.pair("align", X, Y)
    return points.given(sphere.turned(x, y), dtype)


def geodesic(X: Array, Y: Array, t: float, /) -> Array:
    """Return the representation at a fraction of the shortest way between two shapes.

    ``[sin((1 − t)θ)·X̂ + sin(tθ)·ŶQ]/sin θ`` with the angle θ of `visavis.procrustes` and Q of
    `align` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Where the way begins.
    Y : array, (n, q)
        Where it ends; the same samples in the same order.
    t : float
        The fraction: X̂ at 0, Y turned at 1. Beyond [0, 1] the way goes on along the great circle,
        which need not be the shortest any more.

    Returns
    -------
    array, (n, max(p, q))
        Centred, at Frobenius norm 1: at the angle tθ from X and (1 − t)θ from Y.

    Raises
    ------
    ValueError
        If shapes do not match or `t` is not a finite number.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Cost* and *Numerics*: those of `align`; near shapes keep their digits.

    References
    ----------
    .. [1] Lange, Matelsky, Wang, Kwok, Rolnick & Kording (2022), arXiv:2206.10999.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> third = vv.shapes.geodesic(X, Y, 1 / 3)
    >>> bool(np.isclose(vv.procrustes(X, third), vv.procrustes(X, Y) / 3))
    True
    """
    if isinstance(t, bool) or not isinstance(t, int | float) or not math.isfinite(t):
        raise ValueError(checks.message("geodesic", "t", "be a finite number", repr(t)))
    x, y, dtype = points.pair("geodesic", X, Y)
    return points.given(sphere.exp(x, t * sphere.log(x, y)), dtype)


def log_map(X: Array, Y: Array, /) -> Array:
    """Return the tangent at a shape that points to another.

    ``θ/sin θ·(ŶQ − cos θ·X̂)``: its direction is that of the shortest way, its Frobenius norm the
    angle θ of `visavis.procrustes` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        The point at which the tangent is.
    Y : array, (n, q)
        The point to which it leads; the same samples in the same order.

    Returns
    -------
    array, (n, max(p, q))
        The tangent; zero between representations of one shape.

    Raises
    ------
    ValueError
        If shapes do not match.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    The inverse of `exp_map`, up to a turn of Y. *Cost* and *Numerics*: those of `align`; near
    shapes keep their digits.

    References
    ----------
    .. [1] Kendall (1984), doi:10.1112/blms/16.2.81.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> bool(np.isclose(np.linalg.norm(vv.shapes.log_map(X, Y)), vv.procrustes(X, Y)))
    True
    """
    x, y, dtype = points.pair("log_map", X, Y)
    return points.given(sphere.log(x, y), dtype)


def exp_map(X: Array, V: Array, /) -> Array:
    """Return where a tangent at a shape leads.

    ``cos ‖V‖·X̂ + sin ‖V‖/‖V‖·V`` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        The point at which the tangent is.
    V : array, (n, w), w ≥ p
        The tangent, such as `log_map` gives: columns of mean zero, orthogonal to X̂ (as long
        vectors). Tangents may be scaled, and added if they are at the same X.

    Returns
    -------
    array, (n, w)
        Centred, at Frobenius norm 1.

    Raises
    ------
    ValueError
        If shapes do not match or `V` is not a tangent.
    DegenerateInputError
        If an entry is NaN or infinite, or X is constant.

    Notes
    -----
    *Cost*: nw. *Numerics*: in float64; differentiable.

    References
    ----------
    .. [1] Kendall (1984), doi:10.1112/blms/16.2.81.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 4))
    >>> there = vv.shapes.exp_map(X, vv.shapes.log_map(X, Y))
    >>> bool(vv.procrustes(there, Y) < 1e-12)
    True
    """
    X, V = checks.representation("exp_map", "X", X), checks.representation("exp_map", "V", V)
    checks.companions("exp_map", X, V, "X` and `V")
    if X.shape[0] != V.shape[0] or X.shape[1] > V.shape[1]:
        raise ValueError(
            checks.message(
                "exp_map",
                "V",
                f"be a tangent at `X`: {X.shape[0]} rows and {X.shape[1]} features or more",
                f"shape {tuple(V.shape)}",
            )
        )
    checks.all_finite("exp_map", "V", V)
    x, v = points.unit("exp_map", "X", X), array.widen(V)
    x = padded(x, v.shape[1])
    _refuse_leaning(x, v, array.precision(V))
    xp = array.namespace(x, v)
    return points.given(sphere.exp(x, v), xp.result_type(X.dtype, V.dtype))


def _refuse_leaning(x: Array, v: Array, precision: float) -> None:
    """Refuse what is no tangent: columns with a mean, or a part along the point."""
    if array.recording(x, v):
        return
    xp = array.namespace(x, v)
    slack = LEANING * precision * (1 + float(xp.linalg.matrix_norm(v)))
    along = abs(float(xp.sum(x * v)))
    mean = float(xp.linalg.vector_norm(xp.mean(v, axis=0))) * x.shape[0] ** 0.5
    if max(along, mean) > slack:
        reason = "a part along `X`" if along > slack else "columns with a mean"
        raise ValueError(
            checks.message(
                "exp_map",
                "V",
                "be a tangent at `X`, centred and orthogonal to it",
                reason,
                "Tangents are what log_map gives, at the same X.",
            )
        )
