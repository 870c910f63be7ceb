"""The few lines of linear algebra that identities are written in."""

from typing import Any

import numpy as np
import pytest

Array = Any

N, P, Q = 40, 7, 5  # rows, and the widths of the fixture `pair`


def centred(Z: Array) -> Array:
    return Z - Z.mean(axis=0)


def spectrum(Z: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of the centred Gram matrix."""
    U, sigma, _ = np.linalg.svd(centred(Z), full_matrices=False)
    return sigma**2, U


def close(value: Array, expected: Any, rel: float = 1e-12) -> bool:
    return float(value) == pytest.approx(float(expected), rel=rel)
