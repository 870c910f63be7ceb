"""Centring of features and of Gram matrices, in extended precision."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def lifted(X: Array) -> Array:
    """`X` in the widest floating type, so that sums of an oracle are not what limits it."""
    return np.asarray(X).astype(np.longdouble)


def centred(X: Array) -> Array:
    """`X` with the mean of each column subtracted."""
    X = lifted(X)
    X = X - X.mean(axis=0)
    # The mean itself is rounded. A second pass removes what that leaves behind, which in a
    # constant column would otherwise be noise that a rank might count.
    return X - X.mean(axis=0)


def double_centred(K: Array) -> Array:
    """HKH with H = I − 11ᵀ/n."""
    K = lifted(K)
    n = K.shape[0]
    H = np.eye(n, dtype=np.longdouble) - np.ones((n, n), dtype=np.longdouble) / n
    return H @ K @ H


def u_centred(K: Array) -> Array:
    """K_ij − r_i/(n−2) − r_j/(n−2) + s/((n−1)(n−2)) for i ≠ j, zero on the diagonal.

    r_i is the sum of row i and s the sum of all entries, the diagonal left out of both.
    Székely & Rizzo 2014, https://doi.org/10.1214/14-AOS1255.
    """
    off_diagonal = lifted(K)
    n = off_diagonal.shape[0]
    np.fill_diagonal(off_diagonal, 0)
    r = off_diagonal.sum(axis=1)
    s = r.sum()
    K_tilde = off_diagonal - r[:, None] / (n - 2) - r[None, :] / (n - 2) + s / ((n - 1) * (n - 2))
    np.fill_diagonal(K_tilde, 0)
    return K_tilde
