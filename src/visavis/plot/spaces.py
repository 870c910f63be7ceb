"""Models as points: their distances, and a plane that shows as much of these as one can."""

import numpy as np

from visavis._core import checks
from visavis.results import Comparison, ModelComparison


def distances(comparison: Comparison | ModelComparison, *, reduce: str = "same") -> np.ndarray:
    """Return distances between the rows of a comparison of a set with itself.

    Parameters
    ----------
    comparison : Comparison or ModelComparison
        A distance is taken as it is; a similarity s whose highest value is 1 becomes √(2 − 2s),
        the distance of two unit vectors with that cosine. The two directions of a measure that is
        not symmetric are averaged.
    reduce : {"same", "best", "matched"}
        How layers of two models become one number; see `ModelComparison.between`.

    Returns
    -------
    ndarray, (rows, rows)
        Symmetric, with a zero diagonal.

    Raises
    ------
    ValueError
        If rows and columns differ, a value is missing, or a similarity has no highest value of 1.
    """
    comparison = table_of(comparison, reduce)
    if comparison.rows != comparison.cols:
        expected = "be of a set with itself"
        seen = f"{len(comparison.rows)} rows and {len(comparison.cols)} other columns"
        raise ValueError(checks.message("distances", "comparison", expected, seen))
    values = (comparison.values + comparison.values.T) / 2
    missing = np.argwhere(~np.isfinite(values))
    if missing.size:
        row, col = missing[0]
        pair = f"none for {comparison.rows[row]} and {comparison.rows[col]}"
        cure = "The findings say why. ModelComparison.without leaves models or layers out."
        raise ValueError(
            checks.message("distances", "comparison", "have a value for each pair", pair, cure)
        )
    if comparison.scale.direction == "similarity":
        if comparison.scale.high != 1.0:
            expected = "be of a distance, or of a similarity that is at most 1"
            raise ValueError(
                checks.message("distances", "comparison", expected, comparison.measure)
            )
        # Above 1 only by rounding.
        values = np.sqrt(np.maximum(0.0, 2 - 2 * values))
    values = values.copy()
    np.fill_diagonal(values, 0.0)
    return values


def scaled(distances: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, float]:
    """Return points whose distances are like the given ones, by classical scaling.

    Torgerson 1952, doi:10.1007/BF02288916; the sum of the squared distances that is lost is the
    least that a projection can lose.

    Parameters
    ----------
    distances : ndarray, (n, n)
        Symmetric, with a zero diagonal.
    dimensions : int
        Of the points.

    Returns
    -------
    points : ndarray, (n, dimensions)
        Centred, along their principal axes. Of each axis the point farthest out is positive.
    share : float
        The share of the squared distances that the points show; of the sum of all absolute
        eigenvalues where distances are not those of points in any space.
    """
    n = len(distances)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centring @ distances**2 @ centring / 2)
    order = np.argsort(values)[::-1][:dimensions]
    kept = np.maximum(values[order], 0.0)
    points = np.zeros((n, dimensions))
    points[:, : len(order)] = vectors[:, order] * np.sqrt(kept)
    # Of two that are equally far out the first decides, whatever the rounding.
    reach = np.abs(points)
    farthest = np.argmax(reach >= (1 - 1e-6) * reach.max(axis=0), axis=0)
    points *= np.where(points[farthest, range(dimensions)] < 0, -1.0, 1.0)
    whole = np.abs(values).sum()
    return points, float(kept.sum() / whole) if whole > 0 else 1.0


def table_of(comparison: Comparison | ModelComparison, reduce: str) -> Comparison:
    """Return one table: of many models, that of model × model."""
    return comparison.between(reduce) if isinstance(comparison, ModelComparison) else comparison
