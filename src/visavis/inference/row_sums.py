"""What each row adds to an HSIC: the sums behind contributions, agreements and class floors.

Linear kernels on narrow layers go through the features, so that no n × n matrix is formed.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.sides import host
from visavis.kernels import Kernel
from visavis.measures import Shapes
from visavis.measures.alignment import cheaper_form, linear
from visavis.stats import Features, Gram
from visavis.stats.hsic import EQUIDISTANT

# Below this part of the terms that it is the difference of, a sum of squares from features has lost
# digits. A Gram matrix of this many rows still fits.
LOST, GRAM_ROWS = 1e-6, 2**14


class Side(Protocol):
    """One representation, as a centred Gram matrix that need not exist.

    Debiased: U-centred, with a zero diagonal. Biased: double-centred.
    """

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    @property
    def diagonal(self) -> np.ndarray:
        """Squared norms of the centred rows, (n,)."""
        ...

    def products(self, other: "Side") -> np.ndarray:
        """Return Σ_j K_ij·L_ij for each row, (n,)."""
        ...

    def part(self, rows: np.ndarray) -> np.ndarray:
        """Return the matrix of some rows."""
        ...

    def blocks(self, member: np.ndarray) -> np.ndarray:
        """Return the sums over all pairs of two classes, from the class of each row."""
        ...

    def likest(self, row: int, count: int) -> np.ndarray:
        """Return the other rows with the largest entries in a row, ties by position."""
        ...


class _FromFeatures:
    """A side held as its centred features: K_ij = ⟨x_i, x_j⟩, plus u_i + u_j if debiased."""

    def __init__(self, X: Array, estimator: str) -> None:
        self.features, _ = linalg.centred(X)
        xp = array.namespace(self.features)
        self.diagonal = host(xp.linalg.vecdot(self.features, self.features, axis=-1))
        self.estimator = estimator
        n, a = len(self.diagonal), self.diagonal
        self.shift = np.zeros(n)
        if estimator == "debiased":
            self.shift = a / (n - 2) - a.sum() / (2 * (n - 1) * (n - 2))

    @property
    def n(self) -> int:
        return len(self.diagonal)

    def products(self, other: Side) -> np.ndarray:
        assert isinstance(other, _FromFeatures)  # noqa: S101  (both sides are held alike)
        x, y = self.features, other.features
        xp = array.namespace(x, y)
        found = host(xp.linalg.vecdot(x @ linalg.cross_product(x, y), y, axis=-1))
        if self.estimator == "biased":
            return found
        a, b, u, v = self.diagonal, other.diagonal, self.shift, other.shift
        found = found - a * b + self._weighted(v) - 2 * a * v + other._weighted(u) - 2 * b * u
        # Σ_{j≠i} (u_i + u_j)(v_i + v_j)
        return found + (self.n - 4) * u * v + u * v.sum() + v * u.sum() + float(u @ v)

    def _weighted(self, weights: np.ndarray) -> np.ndarray:
        """Return Σ_j ⟨x_i, x_j⟩ w_j."""
        x = self.features
        w = array.namespace(x).asarray(weights, dtype=x.dtype, device=array.device(x))
        return host(x @ (x.T @ w))

    def part(self, rows: np.ndarray) -> np.ndarray:
        x = taken(self.features, rows)
        return self._corrected(host(x @ x.T), rows)

    def _corrected(self, K: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self.estimator == "biased":
            return K
        u = self.shift[rows]
        return (K + u[:, None] + u[None, :]) * (1 - np.eye(len(rows)))

    def blocks(self, member: np.ndarray) -> np.ndarray:
        x = self.features
        xp = array.namespace(x)
        Z = np.eye(int(member.max()) + 1)[member]
        sums = host(xp.asarray(Z.T.copy(), dtype=x.dtype, device=array.device(x)) @ x)
        sizes, u = Z.sum(0), Z.T @ self.shift
        found = sums @ sums.T + sizes[:, None] * u[None, :] + u[:, None] * sizes[None, :]
        if self.estimator == "debiased":
            # Without the diagonal.
            found = found - np.diag(Z.T @ (self.diagonal + 2 * self.shift))
        return found

    def likest(self, row: int, count: int) -> np.ndarray:
        line = host(self.features @ self.features[row, :]) + self.shift + self.shift[row]
        return _first(line, row, count)


class _FromGram:
    """A side held as its centred Gram matrix."""

    def __init__(self, X: Array, kernel: Kernel, estimator: str) -> None:
        held = Gram.of(array.widen(X), kernel)
        hollow = array.widen(held.hollow)
        xp = array.namespace(hollow)
        eye = xp.eye(held.n, dtype=hollow.dtype, device=array.device(hollow))
        full = hollow + eye * held.diagonal[:, None]
        means = xp.mean(full, axis=1)
        full = full - means[:, None] - means[None, :] + xp.mean(means)
        self.diagonal = host(xp.linalg.diagonal(full))
        self.matrix = full
        if estimator == "debiased":
            self.matrix, _ = linalg.hollow_centred(hollow, held.diagonal)

    @property
    def n(self) -> int:
        return len(self.diagonal)

    def products(self, other: Side) -> np.ndarray:
        assert isinstance(other, _FromGram)  # noqa: S101  (both sides are held alike)
        xp = array.namespace(self.matrix, other.matrix)
        return host(xp.linalg.vecdot(self.matrix, other.matrix, axis=-1))

    def part(self, rows: np.ndarray) -> np.ndarray:
        K = taken(self.matrix, rows)
        return host(taken(K.T, rows))

    def blocks(self, member: np.ndarray) -> np.ndarray:
        K = self.matrix
        xp = array.namespace(K)
        Z = np.eye(int(member.max()) + 1)[member]
        Z = xp.asarray(Z, dtype=K.dtype, device=array.device(K))
        return host(Z.T @ (K @ Z))

    def likest(self, row: int, count: int) -> np.ndarray:
        return _first(host(self.matrix[row, :]), row, count)


def _first(line: np.ndarray, row: int, count: int) -> np.ndarray:
    order = np.argsort(-line, kind="stable")
    return order[order != row][:count]


def taken(X: Array, rows: np.ndarray) -> Array:
    """Return some rows of an array."""
    xp = array.namespace(X)
    return xp.take(X, xp.asarray(rows, device=array.device(X)), axis=0)


@dataclass(frozen=True, eq=False)
class RowSums:
    """What each row adds to the HSIC of two representations, and to that of each with itself.

    Parameters
    ----------
    x, y : Side
        Both sides.
    xy, xx, yy : ndarray, (n,)
        The sums over the other rows; those of `xy` add up to the numerator of CKA.
    estimator : {"debiased", "biased"}
        Of which CKA.
    """

    x: Side
    y: Side
    xy: np.ndarray
    xx: np.ndarray
    yy: np.ndarray
    estimator: str

    @classmethod
    def of(
        cls, where: str, X: Array, Y: Array, kernels: tuple[Kernel, Kernel], estimator: str
    ) -> "RowSums":
        """Return the sums of two checked representations, or say which has nothing to align."""
        n = int(X.shape[0])
        shapes = Shapes(n, (int(X.shape[1]),), (int(Y.shape[1]),))
        if linear(kernels) and cheaper_form(shapes) == "features":
            with checks.diagnosed(where, X=X, Y=Y):
                norms = [float(Features.of(array.widen(Z)).norm(estimator)) for Z in (X, Y)]
                x, y = (_FromFeatures(Z, estimator) for Z in (X, Y))
                found = cls._met(x, y, estimator)
            if n > GRAM_ROWS or not (found._lost() or 0 in norms):
                _refuse_zero(where, X, Y, norms)
                return found
        norms = []
        for name, each, kernel in (("X", X, kernels[0]), ("Y", Y, kernels[1])):
            with checks.side(where, name), checks.diagnosed(where, **{name: each}):
                norms.append(float(Gram.of(array.widen(each), kernel).norm(estimator)))
        _refuse_zero(where, X, Y, norms)
        x, y = (_FromGram(Z, k, estimator) for Z, k in zip((X, Y), kernels, strict=True))
        return cls._met(x, y, estimator)

    @classmethod
    def _met(cls, x: Side, y: Side, estimator: str) -> "RowSums":
        return cls(x, y, x.products(y), x.products(x), y.products(y), estimator)

    def _lost(self) -> bool:
        """Whether a few rows outweigh all others by so much that features lose digits."""
        return any(
            float(own.sum()) < LOST * float((side.diagonal**2).sum())
            for own, side in ((self.xx, self.x), (self.yy, self.y))
        )

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.xy)

    @property
    def norm(self) -> float:
        """What the numerator is divided by."""
        return math.sqrt(float(self.xx.sum()) * float(self.yy.sum()))

    @property
    def value(self) -> float:
        """CKA."""
        return float(self.xy.sum()) / self.norm

    def involved(self, rows: np.ndarray) -> float:
        """Return the part of CKA that pairs with at least one of some rows bring."""
        inside = float((self.x.part(rows) * self.y.part(rows)).sum())
        return (2 * float(self.xy[rows].sum()) - inside) / self.norm

    def without_each(self) -> tuple[np.ndarray, np.ndarray]:
        """Return CKA without each row, and which of these have lost their digits."""
        a, b = self.x.diagonal, self.y.diagonal
        xy, xx, yy = (
            self._left(h, d, e) for h, d, e in ((self.xy, a, b), (self.xx, a, a), (self.yy, b, b))
        )
        few = (xx < LOST * self._all(self.xx)) | (yy < LOST * self._all(self.yy))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(few, np.nan, xy / np.sqrt(xx * yy)), few

    def _all(self, h: np.ndarray) -> float:
        return float(h.sum()) / (self.n * (self.n - 3) if self.estimator == "debiased" else 1)

    def _left(self, h: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
        m = self.n - 1
        if self.estimator == "biased":
            # The rest is centred again: C − n/m·x_i y_iᵀ.
            r = self.n / m
            return h.sum() - 2 * r * h + r**2 * d * e
        return (h.sum() - 2 * h - 2 * h / (m - 2)) / (m * (m - 3))


def _refuse_zero(where: str, X: Array, Y: Array, norms: list[float]) -> None:
    """Raise if a side has no CKA even with itself."""
    if all(norm > 0 for norm in norms):  # a NaN is none
        return
    checks.locate(where, X=X, Y=Y)
    name = "XY"[[norm > 0 for norm in norms].index(False)]
    raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
