"""Distance correlation from the definition of its sample statistics."""

from typing import Literal

import numpy as np

from .centring import Array, double_centred, lifted, u_centred


def distance_correlation(
    X: Array, Y: Array, *, estimator: Literal["debiased", "biased"] = "debiased"
) -> float:
    """dCov²/√(dVar²·dVar²): the V-statistic (Székely et al. 2007) or the U-statistic (2014)."""
    centre = {"biased": double_centred, "debiased": u_centred}[estimator]
    A, B = (centre(distances(Z)) for Z in (X, Y))
    return float((A * B).sum() / np.sqrt((A * A).sum()) / np.sqrt((B * B).sum()))


def distances(X: Array) -> Array:
    """‖x_i − x_j‖ in extended precision, row by row."""
    X = lifted(X)
    return np.stack([np.sqrt(((X - x) ** 2).sum(axis=1)) for x in X])
