"""Noise between the repeats of a sample, and the distances of samples in its units."""

import numpy as np

from visavis import linalg
from visavis._core import array, repeats
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.linalg import pairs

Shrinkage = float | None


def mahalanobis(X: Array, shrinkage: Shrinkage) -> Array:
    """Return squared Mahalanobis distances of the means of samples i < j, (m(m − 1)/2,).

    Parameters
    ----------
    X : array, (m, r, p)
        Repeats of each sample, two at least.
    shrinkage : float or None
        How far the covariance of the noise is taken towards its diagonal; None estimates it.
    """
    xp = array.namespace(X)
    X = _moved(X)
    return pairs.squared_pairs(xp.mean(X, axis=1) @ whitening(X, shrinkage))


def crossnobis(X: Array, shrinkage: Shrinkage) -> tuple[Array, float]:
    """Return crossvalidated squared Mahalanobis distances, and their rounding error.

    Each repeat in turn is the test: its differences are multiplied with those of the mean over all
    other repeats, in units of the noise *of those others*. So the test repeat is independent of
    all that it is multiplied with, and the mean is zero where two samples are the same. Noise that
    is estimated from all repeats would be correlated with the test.

    Parameters
    ----------
    X : array, (m, r, p)
        Repeats of each sample, three at least.
    shrinkage : float or None
        As in `mahalanobis`.
    """
    xp = array.namespace(X)
    X = _moved(X)
    m, r, _ = X.shape
    total, sizes = xp.zeros((m, m), dtype=X.dtype, device=array.device(X)), 0.0
    for test in range(r):
        others = xp.concat([X[:, :test, :], X[:, test + 1 :, :]], axis=1)
        whiten = whitening(others, shrinkage)
        left, right = (_over_samples(Z @ whiten) for Z in (xp.mean(others, axis=1), X[:, test, :]))
        products = left @ right.T
        own = xp.linalg.vecdot(left, right, axis=-1)
        total = total + own[:, None] + own[None, :] - products - products.T
        if not array.recording(X):
            sizes += float(xp.max(xp.sum(left**2 + right**2, axis=1)))
    values = xp.take(xp.reshape(total, (-1,)), xp.asarray(pairs.upper(m), device=array.device(X)))
    return values / r, sizes / r * float(xp.finfo(X.dtype).eps)


def whitening(X: Array, shrinkage: Shrinkage) -> Array:
    """Return W (p, p) such that WWᵀ is the inverse of the shrunk covariance of the noise.

    Parameters
    ----------
    X : array, (m, r, p)
        Repeats; noise is what is left of them without the mean of their sample.
    shrinkage : float or None
        The weight of the diagonal; None estimates it.
    """
    xp = array.namespace(X)
    m, r, p = X.shape
    freedom = m * (r - 1)
    noise = repeats.flat(X - xp.mean(X, axis=1, keepdims=True))
    sizes = xp.sqrt(xp.sum(noise**2, axis=0) / freedom)
    _refuse_silent(X, sizes)
    noise = noise / sizes
    correlation = noise.T @ noise / freedom
    weight = _estimated(noise, correlation, freedom) if shrinkage is None else float(shrinkage)
    identity = xp.eye(p, dtype=X.dtype, device=array.device(X))
    shrunk = (1 - weight) * correlation + weight * identity
    if not array.recording(X):
        values = xp.linalg.eigvalsh(shrunk)
        low, high = (array.read(values[place]) or 0.0 for place in (0, -1))
        if low <= max(p, freedom) * float(xp.finfo(X.dtype).eps) * high:
            raise DegenerateInputError(
                f"kernel: `X` has noise of which the covariance cannot be inverted: {freedom} "
                f"degrees of freedom in {p} features at shrinkage {float(weight):g}. Use "
                "shrinkage=None, or a larger number up to 1."
            )
    # Of the roots of the inverse the triangular one has a gradient where eigenvalues repeat.
    return xp.linalg.solve(xp.linalg.cholesky(shrunk), identity).T / sizes[:, None]


def _estimated(noise: Array, correlation: Array, freedom: int) -> Array:
    """Return the shrinkage that Ledoit & Wolf's lemma gives for the diagonal as the target.

    Σ Var(c_jk)/Σ c_jk² over j ≠ k, cut to [0, 1], for standardised noise (Schäfer & Strimmer
    2005): it does not depend on the units of the features.
    """
    xp = array.namespace(noise)
    one = xp.ones_like(correlation[0, 0])
    if noise.shape[1] == 1:
        return 0 * one
    p = noise.shape[1]
    off = correlation * (1 - xp.eye(p, dtype=noise.dtype, device=array.device(noise)))
    squares = xp.sum(off**2)
    # Σ_{j≠k} of (e_j·e_k)² over the rows, without a table for every row.
    products = xp.sum(xp.sum(noise**2, axis=1) ** 2) - xp.sum(noise**4)
    variance = products / freedom**2 - squares / freedom
    some = squares > 0
    ratio = xp.where(some, variance, one) / xp.where(some, squares, one)
    return xp.minimum(xp.maximum(ratio, 0 * one), one)


def _refuse_silent(X: Array, sizes: Array) -> None:
    """Refuse features whose repeats are all the same: they would be infinitely far apart."""
    if array.recording(X):
        return
    xp = array.namespace(X)
    floor = 16 * float(xp.finfo(X.dtype).eps) * xp.max(xp.max(xp.abs(X), axis=0), axis=0)
    silent = array.to_numpy(sizes <= floor)
    if silent.any():
        feature = int(np.argmax(silent))
        raise DegenerateInputError(
            f"kernel: `X` has a feature without noise (feature {feature}"
            f"{f' and {silent.sum() - 1} more' if silent.sum() > 1 else ''}): it is the same in "
            "all repeats, and has no distance in units of its noise. Drop it, or use "
            "rdm='sqeuclidean' on the means over repeats."
        )


def _moved(X: Array) -> Array:
    """Return the repeats near zero and in a unit that is safe for products."""
    return array.namespace(X).reshape(linalg.shifted(repeats.flat(X))[0], X.shape)


def _over_samples(Z: Array) -> Array:
    return Z - array.namespace(Z).mean(Z, axis=0)
