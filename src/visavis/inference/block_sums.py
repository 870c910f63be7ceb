"""Debiased HSIC over rows of different groups, with all groups and without each.

The U-statistic over all quadruples of rows i, j, k, l from four different groups of
``K_ij (L_ij + L_kl − 2 L_ik)`` with K = XXᵀ, L = YYᵀ. Every quadruple counts the same, so a pair of
rows counts as often as there are two others beside it: that makes the value independent of where
the origin is, however unequal the groups are. With groups of one row it is HSIC₁ of Song et al.
(2012).
"""

from typing import Any

import numpy as np


class Grouped:
    """Sums over rows of two representations in G groups, all that the estimate needs.

    Parameters
    ----------
    X : ndarray, (n, p)
    Y : ndarray, (n, q)
        Centred.
    labels : ndarray, (n,)
        The group of each row, from 0 to G − 1.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, labels: np.ndarray) -> None:
        self.sizes = np.bincount(labels).astype(float)
        order = np.argsort(labels, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(int)
        X, Y = X[order], Y[order]
        self._x, self._y = X, Y
        S, T = self._summed(X), self._summed(Y)
        self.norms = (X**2).sum(1)
        self.alpha = float((S**2).sum())
        pairs = self._pairs()
        triples = self._triples(S, T)
        quadruples = self._quadruples(S, T)
        counts = _counts(self.sizes)
        terms = zip(pairs, triples, quadruples, counts, strict=True)
        value, self.without = ((p - 2 * t + q) / count for p, t, q, count in terms)
        self.value = float(value)
        del self._x, self._y  # what is kept is small

    def _summed(self, rows: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rows, self._starts, axis=0)

    def _spread(self, of_groups: np.ndarray) -> np.ndarray:
        return np.repeat(of_groups, self.sizes.astype(int), axis=0)

    def _pairs(self) -> tuple[float, np.ndarray]:
        """Return Σ K_ij L_ij, each as often as there are k, l: in all, and without each group.

        With C_b = X_bᵀY_b the sum over two groups is ⟨C_a, C_b⟩, and the number of k, l beside them
        a polynomial in their sizes: three sums of the C_b are all it takes.
        """
        X, Y, m = self._x, self._y, self.sizes
        n, Q = m.sum(), (m**2).sum()
        weights = self._spread(m)[:, None]
        own = self._own_products()
        # Σ_b m_b^k ⟨C_a, C_b⟩ over the b other than a, for k = 0, 1, 2.
        beside = [
            self._summed((X @ ((X * weights**k).T @ Y) * Y).sum(1)) - m**k * own for k in range(3)
        ]
        among = n**2 - 2 * n * m + 2 * m**2 - Q
        mine = among * beside[0] + (2 * m - 2 * n) * beside[1] + 2 * beside[2]
        total = mine.sum()
        # Without g: its pairs, and what it was beside the others: 2 m_g (n − m_g − m_a − m_b).
        plain = beside[0].sum() - 2 * beside[0]
        sized = (m * beside[0]).sum() - m * beside[0] - beside[1]
        return total, total - 2 * mine - 2 * m * ((n - m) * plain - 2 * sized)

    def _own_products(self) -> np.ndarray:
        """Return ‖C_b‖² of each group, by the smaller of two products."""
        X, Y = self._x, self._y
        found = []
        for start, size in zip(self._starts, self.sizes.astype(int), strict=True):
            x, y = X[start : start + size], Y[start : start + size]
            small = size * (x.shape[1] + y.shape[1]) < x.shape[1] * y.shape[1]
            found.append(((x @ x.T) * (y @ y.T)).sum() if small else ((x.T @ y) ** 2).sum())
        return np.array(found)

    def _triples(self, S: np.ndarray, T: np.ndarray) -> tuple[float, np.ndarray]:
        """Return Σ K_ij L_ik, each as often as there are l: in all, and without each group."""
        m, n = self.sizes, self.sizes.sum()
        one = np.ones_like(m)
        plain = self._different(S, T, one, one, one)
        sized = [
            self._different(S, T, *weights)
            for weights in ((m, one, one), (one, m, one), (one, one, m))
        ]
        total = n * plain[0] - sum(each[0] for each in sized)
        return total, (n - m) * plain[1] - sum(each[1] for each in sized)

    def _different(
        self, S: np.ndarray, T: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Return Σ u_a v_b w_c S_bᵀC_aT_c over different groups a, b, c, and without each."""
        X, Y = self._x, self._y
        e, f = (X * self._spread(S)).sum(1), (Y * self._spread(T)).sum(1)
        CT, CS = self._summed(X * f[:, None]), self._summed(Y * e[:, None])
        own = self._summed(e * f)
        Sv, Tw = v @ S, w @ T
        weights = self._spread(u)[:, None]
        C = (X * weights).T @ Y
        D = (S * (v * w)[:, None]).T @ T
        # S_bᵀC_aT_c with one of the three fixed to g and the others any of the rest.
        first = self._summed((X @ Sv) * (Y @ Tw)) - w * (CT @ Sv) - v * (CS @ Tw)
        first = u * (first + 2 * v * w * own - self._summed(((X @ D) * Y).sum(1)))
        second = S @ (C @ Tw) - u * (CS @ Tw) - w * ((S @ C) * T).sum(1)
        second = v * (second + 2 * u * w * own - S @ ((u * w) @ CT))
        third = T @ (C.T @ Sv) - u * (CT @ Sv) - v * ((S @ C) * T).sum(1)
        third = w * (third + 2 * u * v * own - T @ ((u * v) @ CS))
        total = first.sum()
        return total, total - first - second - third

    @staticmethod
    def _quadruples(S: np.ndarray, T: np.ndarray) -> tuple[float, np.ndarray]:
        """Return Σ K_ij L_kl: in all, and without each group. The sums of all rows are zero."""
        D = S.T @ T
        alpha, beta = (S**2).sum(1), (T**2).sum(1)
        ab, size = alpha * beta, float((D**2).sum())
        P = ab.sum()
        total = alpha.sum() * beta.sum() - 6 * P + 2 * size
        s = ((S @ D) * T).sum(1)
        without = (
            (2 * alpha - alpha.sum()) * (2 * beta - beta.sum())
            - 4 * (P + T @ (alpha @ T) + S @ (beta @ S) + s - 4 * ab)
            + 2 * (size - P - 2 * (s - ab))
        )
        return total, without


def _counts(sizes: np.ndarray) -> tuple[float, np.ndarray]:
    """Return how many quadruples there are: in all, and without each group."""
    powers = sizes[None, :] ** np.arange(1, 5)[:, None]
    totals = powers.sum(axis=1)
    return _counted(totals), _counted(totals[:, None] - powers)


def _counted(totals: np.ndarray) -> Any:
    """Return the number of quadruples from Σm, Σm², Σm³, Σm⁴ of the sizes m."""
    n, second, third, fourth = totals
    pairs = n**2 - second
    meeting = n**2 * second - 2 * n * third + fourth  # Σ (m (n − m))²
    return pairs**2 - 4 * meeting + 2 * (second**2 - fourth)
