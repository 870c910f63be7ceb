"""Debiased CKA over pairs of different groups of rows, with its interval."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference import intervals
from visavis.kernels import Kernel
from visavis.results import Finding, Interval
from visavis.stats.hsic import EQUIDISTANT

MINIMUM_GROUPS, WANTED_GROUPS = 6, 20


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
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(int)
        X, Y = X[order], Y[order]
        parts = [
            (X[start : start + int(size)], Y[start : start + int(size)])
            for start, size in zip(starts, self.sizes, strict=True)
        ]
        S = np.add.reduceat(X, starts, axis=0)
        T = np.add.reduceat(Y, starts, axis=0)
        C, D = X.T @ Y, S.T @ T
        inside = [(x.T @ y) for x, y in parts]
        alpha, beta = (S**2).sum(1), (T**2).sum(1)
        e = [x @ s for (x, _), s in zip(parts, S, strict=True)]
        f = [y @ t for (_, y), t in zip(parts, T, strict=True)]
        E = np.array([float(a @ b) for a, b in zip(e, f, strict=True)])
        v_of = np.stack([a @ y for a, (_, y) in zip(e, parts, strict=True)])
        u_of = np.stack([b @ x for b, (x, _) in zip(f, parts, strict=True)])
        v, u = v_of.sum(0), u_of.sum(0)
        CC = np.array([float((c * c).sum()) for c in inside])
        CgC = np.array([float((c * C).sum()) for c in inside])
        CgD = np.array([float((c * D).sum()) for c in inside])
        T1 = float((C**2).sum()) - float(CC.sum())
        T3 = 2 * float(E.sum()) - float((C * D).sum())
        P = float((alpha * beta).sum())
        T4 = float(alpha.sum() * beta.sum()) - 6 * P + 2 * float((D**2).sum())
        s = np.einsum("gp,pq,gq->g", S, D, T)
        ab = alpha * beta
        SCT = np.einsum("gp,pq,gq->g", S, C, T)
        self.value = _combined(T1, T3, T4, *_counts(self.sizes))
        # Without each group in turn.
        T1_g = T1 - 2 * (CgC - CC)
        T3_g = (
            2 * (E.sum() - E)
            + ((T * (v[None, :] - v_of)).sum(1))
            + ((S * (u[None, :] - u_of)).sum(1))
            + 2 * (SCT - E)
            - (float((C * D).sum()) - CgD)
        )
        T_alpha, S_beta = alpha @ T, beta @ S
        T4_g = (
            (2 * alpha - alpha.sum()) * (2 * beta - beta.sum())
            - 4 * (P + T @ T_alpha + S @ S_beta + s - 4 * ab)
            + 2 * (float((D**2).sum()) - P - 2 * (s - ab))
        )
        self.without = np.array(
            [
                _combined(T1_g[g], T3_g[g], T4_g[g], *_counts(np.delete(self.sizes, g)))
                for g in range(len(self.sizes))
            ]
        )
        self.alpha = float(alpha.sum())
        self.norms = (X**2).sum(1)


def _counts(sizes: np.ndarray) -> tuple[float, float, float]:
    n, Q = float(sizes.sum()), float((sizes**2).sum())
    n1 = n**2 - Q
    n3 = float((sizes * ((n - sizes) ** 2 - (Q - sizes**2))).sum())
    n4 = (
        n1**2 - 4 * float(((sizes * (n - sizes)) ** 2).sum()) + 2 * (Q**2 - float((sizes**4).sum()))
    )
    return n1, n3, n4


def _combined(T1: float, T3: float, T4: float, n1: float, n3: float, n4: float) -> float:
    return T1 / n1 + T4 / n4 - 2 * T3 / n3


def jackknife(
    where: str,
    X: Array,
    Y: Array,
    kernels: tuple[Kernel, Kernel],
    *,
    level: float,
    groups: Sequence[Any] | Array,
) -> Interval:
    """Return debiased CKA over pairs of different groups, and its interval."""
    if any(kernel.name != "linear" for kernel in kernels):
        names = " and ".join(str(kernel) for kernel in kernels)
        raise ValueError(
            checks.message(where, "measure", "have the linear kernel where there are groups", names)
        )
    labels = _labels(where, groups, int(X.shape[0]))
    G = int(labels.max()) + 1
    if G < MINIMUM_GROUPS:
        raise ValueError(
            checks.message(
                where, "groups", f"be at least {MINIMUM_GROUPS} (20 and more are wanted)", f"{G}"
            )
        )
    A, B = (np.asarray(array.to_numpy(linalg.centred(each)[0])) for each in (X, Y))
    xy, xx, yy = Grouped(A, B, labels), Grouped(A, A, labels), Grouped(B, B, labels)
    if not (xx.value > 0 and yy.value > 0):
        name, bad = ("X", X) if not xx.value > 0 else ("Y", Y)
        checks.locate(where, **{name: bad})
        raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
    value = xy.value / math.sqrt(xx.value * yy.value)
    with np.errstate(invalid="ignore"):
        values = xy.without / np.sqrt(xx.without * yy.without)
    n, Q = float(xy.sizes.sum()), float((xy.sizes**2).sum())
    n1 = _counts(xy.sizes)[0]
    inner = [
        max(0.0, (side.alpha - float(side.norms.sum())) / ((Q - n) * float(side.norms.mean())))
        if n < Q
        else 0.0
        for side in (xx, yy)
    ]
    delta = 1 + (Q / n - 1) * inner[0] * inner[1]
    means = float(xx.norms.mean()) * float(yy.norms.mean())
    half = 0.5 * n * means * delta / (n1 * math.sqrt(xx.value * yy.value))
    interval = intervals.from_values(
        value,
        values,
        half=max(1e-9, half),
        floor=2 * delta**2 / n1,
        level=level,
        method=f"jackknife over {G} groups",
    )
    if G >= WANTED_GROUPS:
        return interval
    few = Finding("VV002", f"{G} groups carry this interval.", "Twenty and more make it reliable.")
    return Interval(**{**vars(interval), "findings": (*interval.findings, few)})


def _labels(where: str, groups: Sequence[Any] | Array, n: int) -> np.ndarray:
    listed = array.to_numpy(groups).tolist() if array.is_array(groups) else list(groups)
    if len(listed) != n:
        expected = f"have one entry per row ({n})"
        raise ValueError(checks.message(where, "groups", expected, f"{len(listed)}"))
    place = {group: i for i, group in enumerate(dict.fromkeys(listed))}
    return np.array([place[group] for group in listed])
