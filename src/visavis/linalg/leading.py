"""The leading singular vector of a matrix, without all others."""

from collections.abc import Callable

import numpy as np

from visavis._core import array
from visavis._core.types import Array

# Up to here all eigenvectors are found as fast as one.
SMALL = 200
# Steps from one look at the convergence to the next.
LOOK = 8


def leading(matrix: Array) -> Array:
    """Return the left singular vector (m,) of the largest singular value of a matrix (m, k).

    It is that of the Gram matrix of the shorter side: by Lanczos steps from a seeded random start,
    with every step made orthogonal to all before, until the residual is rounding error.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    short = matrix.T if tall else matrix
    if short.shape[0] <= SMALL:
        vector = array.namespace(short).linalg.eigh(short @ short.T)[1][:, -1]
    else:
        vector = _lanczos(lambda v: short @ (short.T @ v), short[:, 0])
    vector = matrix @ vector if tall else vector
    return vector / array.namespace(vector).linalg.vector_norm(vector)


def _lanczos(apply: Callable[[Array], Array], like: Array) -> Array:
    """Return the leading eigenvector of a positive semi-definite map of vectors such as `like`."""
    xp = array.namespace(like)
    size = like.shape[0]
    start = np.random.default_rng(0).standard_normal(size)
    vector = xp.asarray(start, dtype=like.dtype, device=array.device(like))
    vector = vector / xp.linalg.vector_norm(vector)
    basis = vector[:, None]
    diagonal, beside = [], []
    while True:
        step = apply(vector)
        diagonal.append(float(vector @ step))
        for _ in range(2):  # once leaves what rounding brings back
            step = step - basis @ (basis.T @ step)
        length = float(xp.linalg.vector_norm(step))
        known = len(diagonal)
        if known % LOOK == 0 or known == size or length == 0:
            small = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
            values, vectors = np.linalg.eigh(small)
            residual = length * abs(vectors[-1, -1])
            if known == size or not residual > float(xp.finfo(like.dtype).eps) * values[-1]:
                weights = xp.asarray(vectors[:, -1], dtype=like.dtype, device=array.device(like))
                return basis @ weights
        beside.append(length)
        vector = step / length
        basis = xp.concat([basis, vector[:, None]], axis=1)
