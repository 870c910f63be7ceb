"""The principal directions of one representation, for what asks how much rests on them."""

from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.sides import host


@dataclass(frozen=True, eq=False)
class Principal:
    """A centred representation with its principal directions.

    Parameters
    ----------
    features : array, (n, p)
        Centred, in the widest float.
    left : array, (n, r)
        Scores of the samples on the directions, each of norm 1.
    values : ndarray, (r,)
        The squared singular values λ, descending, those above rounding error.
    trace, square : float
        Σλ and Σλ².
    """

    features: Array
    left: Array
    values: np.ndarray
    trace: float
    square: float

    @classmethod
    def of(cls, where: str, name: str, X: Array) -> "Principal":
        """Return the directions of a checked representation (n, p)."""
        given = array.precision(X)
        features, _ = linalg.centred(X)
        xp = array.namespace(features)
        wide = features.shape[1] > features.shape[0]
        product = features @ features.T if wide else linalg.cross_product(features, features)
        roots, vectors = linalg.eigen(product)
        square = float(linalg.inner(product, product))
        values = host(roots) ** 2
        eps = float(xp.finfo(features.dtype).eps)
        # Of a product: what is lost of it is relative to the largest of all.
        least = linalg.rank_tolerance(*X.shape, given=given, working=eps) ** 2
        least = max(least, max(X.shape) * eps)
        rank = int(np.count_nonzero(values > least * values[0]))
        if not rank:
            checks.locate(where, **{name: X})
            raise DegenerateInputError(f"{where}: `{name}` has no variance in float64: rescale it.")
        vectors = vectors[:, :rank]
        if not wide:
            vectors = (features @ vectors) / roots[:rank]
        return cls(features, vectors, values[:rank], float(values.sum()), square)

    def without(self, k: int) -> Array | None:
        """Return the features without the k leading directions; None if there are no others."""
        if k >= len(self.values):
            return None
        left = self.left[:, :k]
        return self.features - left @ (left.T @ self.features)

    def loadings(self, direction: int) -> np.ndarray:
        """Return the squared weights of the features in a direction, (p,), which add up to 1."""
        weights = host(self.left[:, direction] @ self.features) ** 2
        return weights / weights.sum()

    def scores(self, direction: int) -> np.ndarray:
        """Return the squared scores of the samples on a direction, (n,), which add up to 1."""
        return host(self.left[:, direction]) ** 2
