"""What each sample adds to debiased HSIC, for many pairs of representations at once.

With U-centred Gram matrices A, B, hᵢ = Σⱼ A_ij B_ij: they add up to n(n − 3) times debiased HSIC,
and tell what it is without each sample (`visavis.stats.jackknife`). Of Gram matrices 2n² operations
for each pair, as HSIC itself; of features 4npq, which is twice as much.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array
from visavis._core.types import Array
from visavis.stats.features import Features
from visavis.stats.gram import Gram, GramSums

# Samples whose products are taken at a time: few enough to stay in cache.
SAMPLES = 64


def shares(xs: Sequence[Any], ys: Sequence[Any]) -> np.ndarray:
    """Return what each sample adds, for all pairs, in the units in which they are held.

    Parameters
    ----------
    xs, ys : sequence of Gram, or of Features
        Of the same samples, all in the same form.

    Returns
    -------
    ndarray, (n, len(xs), len(ys))
        In float64.
    """
    return (_of_features if isinstance(xs[0], Features) else _of_grams)(xs, ys)


def own_shares(x: Gram | Features) -> np.ndarray:
    """Return what each sample adds to the debiased HSIC of a representation with itself, (n,)."""
    if isinstance(x, Features):
        return _of_features([x], [x])[:, 0, 0]
    xp = array.namespace(x.hollow)
    u = offsets(x)
    parts = []
    for rows in linalg.row_blocks(x.n, SAMPLES):
        A = _centred([x], [u], rows, x.hollow.dtype)
        parts.append(_host(xp.linalg.vecdot(A, A, axis=-1))[0])
    return np.concatenate(parts)


def _host(x: Array) -> np.ndarray:
    return np.asarray(array.to_numpy(x), dtype=np.float64)


def offsets(side: GramSums) -> Array:
    """Return u such that K_ij − u_i − u_j is U-centred, (n,), in the widest float."""
    n, sums = side.n, side.sums
    return sums / (n - 2) - array.namespace(sums).sum(sums) / (2 * (n - 1) * (n - 2))


def _of_grams(xs: Sequence[Gram], ys: Sequence[Gram]) -> np.ndarray:
    n = xs[0].n
    xp = array.namespace(*(each.hollow for each in (*xs, *ys)))
    dtype = xp.result_type(*(each.hollow for each in (*xs, *ys)))
    left, right = ([offsets(each) for each in side] for side in (xs, ys))
    same = len(xs) == len(ys) and all(x is y for x, y in zip(xs, ys, strict=True))
    found = np.empty((n, len(xs), len(ys)))
    for rows in linalg.row_blocks(n, SAMPLES):
        A = _centred(xs, left, rows, dtype)
        B = A if same else _centred(ys, right, rows, dtype)
        products = xp.permute_dims(A, (1, 0, 2)) @ xp.permute_dims(B, (1, 2, 0))
        found[rows] = _host(products)
    return found


def _centred(side: Sequence[Gram], u: Sequence[Array], rows: slice, dtype: object) -> Array:
    """Return some rows of the U-centred matrices, (layers, rows, n)."""
    xp = array.namespace(side[0].hollow)
    n = side[0].n
    like = {"dtype": dtype, "device": array.device(side[0].hollow)}
    off = 1 - xp.eye(rows.stop - rows.start, n, k=rows.start, **like)
    parts = []
    for each, shift in zip(side, u, strict=True):
        v = xp.astype(shift, dtype, copy=False)
        K = xp.astype(each.hollow[rows, :], dtype, copy=False)
        parts.append((K - v[rows, None] - v[None, :]) * off)
    return xp.stack(parts)


def _of_features(xs: Sequence[Features], ys: Sequence[Features]) -> np.ndarray:
    n = xs[0].n
    a, b = (np.stack([_host(each.norms) for each in side]) for side in (xs, ys))
    u, v = ((c / (n - 2) - c.sum(axis=1)[:, None] / (2 * (n - 1) * (n - 2))) for c in (a, b))
    xv = [_weighted(x, v) for x in xs]
    yu = [_weighted(y, u) for y in ys]
    found = np.empty((n, len(xs), len(ys)))
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            h = _products(x.centred, y.centred) - a[i] * b[j]
            # Σ_{k≠i} of K_ik(v_i + v_k) and of (u_i + u_k)L_ik, of matrices whose rows sum to 0.
            h += xv[i][:, j] - 2 * a[i] * v[j] + yu[j][:, i] - 2 * b[j] * u[i]
            # Σ_{k≠i} (u_i + u_k)(v_i + v_k)
            h += (n - 4) * u[i] * v[j] + u[i] * v[j].sum() + v[j] * u[i].sum() + u[i] @ v[j]
            found[:, i, j] = h
    return found


def _products(X: Array, Y: Array) -> np.ndarray:
    """Return Σ_j ⟨x_i, x_j⟩⟨y_i, y_j⟩ for each i."""
    if X.dtype != Y.dtype:
        X, Y = array.widen(X), array.widen(Y)
    xp = array.namespace(X, Y)
    cross = xp.astype(linalg.cross_product(X, Y), X.dtype, copy=False)
    return _host(xp.linalg.vecdot(X @ cross, Y, axis=-1))


def _weighted(side: Features, weights: np.ndarray) -> np.ndarray:
    """Return Σ_j ⟨x_i, x_j⟩ w_j for each i and each vector of weights, (n, vectors)."""
    X = side.centred
    W = array.namespace(X).asarray(weights, dtype=X.dtype, device=array.device(X))
    return _host(X @ (X.T @ W.T))
