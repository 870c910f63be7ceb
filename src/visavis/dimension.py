"""How many dimensions one representation fills: by its spectrum, and by its neighbours."""

import math

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.linalg import Points
from visavis.stats import Axes

__all__ = ["effective_rank", "participation_ratio", "two_nn"]

SPECTRA = ("singular", "variance")


def participation_ratio(X: Array, /) -> Array:
    """Participation ratio of the principal components.

    ``(Σλ)²/Σλ²`` over the eigenvalues λ of the covariance [1]_: r if r of them are equal and all
    others are zero.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.

    Returns
    -------
    0-d array
        In ``[1, min(n − 1, p)]``.

    Raises
    ------
    ValueError
        If there are fewer than 2 rows.
    DegenerateInputError
        If an entry is NaN or infinite, or all rows are the same.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Cost*: np·min(n, p).
    *Numerics*: in float64, without an eigendecomposition; differentiable.

    References
    ----------
    .. [1] Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy & Ganguli (2017), doi:10.1101/214262.

    Examples
    --------
    >>> import numpy as np
    >>> from visavis.dimension import participation_ratio
    >>> X = np.random.default_rng(0).normal(size=(1000, 3)) @ np.ones((3, 8))
    >>> round(float(participation_ratio(X)), 6)
    1.0
    """
    X = _checked("participation_ratio", X, 2)
    with checks.diagnosed("participation_ratio", X=X):
        xp = array.namespace(X)
        centred, _ = linalg.centred(X)
        small = centred.T @ centred if X.shape[1] < X.shape[0] else centred @ centred.T
        value = (xp.sum(centred**2) / xp.linalg.matrix_norm(small)) ** 2
    return checks.finite("participation_ratio", array.like(value, X), X=X)


def effective_rank(X: Array, /, *, spectrum: str = "singular") -> Array:
    """Effective rank: the exponential of the entropy of the spectrum.

    ``exp(−Σ p log p)`` with ``p = σ/Σσ`` over the singular values σ of the centred features [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    spectrum : {"singular", "variance"}
        ``"singular"``: p from singular values, as in the paper. ``"variance"``: from their
        squares, the shares of the variance, which gives less.

    Returns
    -------
    0-d array
        In ``[1, min(n − 1, p)]``; r if r singular values are equal and all others are zero.

    Raises
    ------
    ValueError
        If there are fewer than 2 rows, or `spectrum` is unknown.
    DegenerateInputError
        If an entry is NaN or infinite, or all rows are the same.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Cost*: np·min(n, p).
    *Numerics*: in float64; singular values that are zero to rounding count as zero.

    References
    ----------
    .. [1] Roy & Vetterli (2007), "The effective rank: a measure of effective dimensionality",
       EUSIPCO.

    Examples
    --------
    >>> import numpy as np
    >>> from visavis.dimension import effective_rank
    >>> X = np.random.default_rng(0).normal(size=(1000, 8))
    >>> bool(effective_rank(X * [1, 1, 1, 1, 0, 0, 0, 0]) < 4 < effective_rank(X) < 8)
    True
    """
    checks.option("effective_rank", "spectrum", spectrum, SPECTRA)
    X = _checked("effective_rank", X, 2)
    with checks.diagnosed("effective_rank", X=X):
        xp = array.namespace(X)
        values = Axes.of(X).values
        weights = values if spectrum == "singular" else (values / xp.max(values)) ** 2
        shares = weights / xp.sum(weights)
        # 0·log 0 is 0.
        logs = xp.log(xp.where(shares > 0, shares, xp.ones_like(shares)))
        value = xp.exp(-xp.sum(shares * logs))
    return checks.finite("effective_rank", array.like(value, X), X=X)


def two_nn(X: Array, /, *, discard: float = 0.1) -> Array:
    """Intrinsic dimension from the distances to the two nearest neighbours.

    With μ_i the distance from sample i to its second neighbour over that to its first, log μ is
    exponential with rate d where the density is locally constant; d is the slope through the
    origin of ``−log(1 − i/n)`` on the sorted ``log μ_(i)`` [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows, all different.
    discard : float
        The share of the largest μ that is left out of the fit, in [0, 1); 0.1 in the paper.

    Returns
    -------
    0-d array
        In ``(0, ∞)``. Dimensions beyond about log₂ n are underestimated.

    Raises
    ------
    ValueError
        If there are fewer than 4 rows, or `discard` is not allowed.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, two rows are the same, or all first and second neighbours
        are equally far.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps. *Cost*: n²p on the host, in
    blocks of rows; there is no gradient. *Numerics*: in float64; the distances to the neighbours
    are taken from differences.

    References
    ----------
    .. [1] Facco, d'Errico, Rodriguez & Laio (2017), doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    A surface in ten dimensions.

    >>> import numpy as np
    >>> from visavis.dimension import two_nn
    >>> rng = np.random.default_rng(0)
    >>> X = np.sin(rng.uniform(size=(2000, 2)) @ rng.normal(size=(2, 10)))
    >>> bool(1.8 < two_nn(X) < 2.2)
    True
    """
    if not isinstance(discard, int | float) or not 0 <= discard < 1:
        raise ValueError(checks.message("two_nn", "discard", "be in [0, 1)", repr(discard)))
    X = _checked("two_nn", X, 4)
    checks.readable("two_nn", X=X)
    with checks.diagnosed("two_nn", X=X), checks.side("two_nn", "X"):
        value = _slope(_log_ratios(array.to_numpy(X)), discard)
    otherwise = "The first and the second neighbour of every sample are equally far."
    return checks.finite("two_nn", array.placed(value, X), otherwise=otherwise, X=X)


def _checked(where: str, X: Array, minimum_rows: int) -> Array:
    X = checks.representation(where, "X", X)
    if X.shape[0] < minimum_rows:
        expected = f"have at least {minimum_rows} rows"
        raise ValueError(
            checks.message(where, "X", expected, f"{X.shape[0]}", "Give more samples.")
        )
    return X


def _log_ratios(X: np.ndarray) -> np.ndarray:
    """Return the logarithm (n,) of the second distance over the first, ascending."""
    points = Points.of(X, "euclidean")
    nearest = points.nearest(2)
    itself = np.arange(points.n)
    first, second = (points.between(itself, nearest[:, place]) for place in (0, 1))
    if (first == 0).any():
        row = int(np.argmax(first == 0))
        raise DegenerateInputError(
            f"kernel: `X` must have rows that all differ, got row {row} equal to row "
            f"{nearest[row, 0]}. Drop duplicate rows."
        )
    return np.sort(np.log(second / first) / 2)


def _slope(logs: np.ndarray, discard: float) -> float:
    n = len(logs)
    # The last sample stands at infinity.
    kept = min(n - 1, max(1, math.floor(n * (1 - discard))))
    x = logs[:kept]
    y = -np.log1p(-np.arange(1, kept + 1) / n)
    return float((x * y).sum() / (x * x).sum())
