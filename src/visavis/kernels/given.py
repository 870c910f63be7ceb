"""A Gram matrix that is there already."""

import math

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.kernels.kernel import Kernel


def precomputed() -> Kernel:
    """Take the input itself as a symmetric Gram matrix (n, n).

    Returns
    -------
    Kernel
    """

    def scaled(X: Array) -> tuple[Array, Array | float]:
        xp = array.namespace(X)
        if X.shape[0] != X.shape[1]:
            raise ValueError(
                checks.message("kernel", "X", "be square (n, n)", f"shape {tuple(X.shape)}")
            )
        if not array.recording(X):
            checks.all_finite("kernel", "X", X)
            with checks.quiet():
                asymmetry = float(xp.max(xp.abs(X - X.T)))
            largest = float(xp.max(xp.abs(X)))
            if math.isfinite(asymmetry) and asymmetry > 1e3 * array.precision(X) * largest:
                raise ValueError(
                    checks.message(
                        "kernel",
                        "X",
                        "be symmetric",
                        f"entries that differ from their mirror image by up to {asymmetry:.3g}",
                        "Give a Gram matrix, not features or distances.",
                    )
                )
        X = array.widen(X)
        unit = linalg.unit_of(X)
        return X * unit, unit**0.5

    return Kernel("precomputed", scaled=scaled)
