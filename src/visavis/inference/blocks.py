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
from visavis.inference.block_sums import Grouped
from visavis.kernels import Kernel
from visavis.results import Finding, Interval
from visavis.stats.hsic import EQUIDISTANT

MINIMUM_GROUPS, WANTED_GROUPS = 6, 20


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
    n1 = n**2 - Q
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
