"""Outputs of classifiers, sample by sample."""

import math
from typing import Any

import numpy as np

from .centring import Array, lifted


def disagreement(X: Array, Y: Array) -> float:
    """The share of rows whose first largest entries stand in different columns."""
    return float(np.mean([_answer(x) != _answer(y) for x, y in zip(X, Y, strict=True)]))


def accuracy_difference(X: Array, Y: Array, *, labels: Any) -> float:
    """The difference of the shares of right answers."""
    right = [[_answer(z) == k for z, k in zip(Z, labels, strict=True)] for Z in (X, Y)]
    return abs(float(np.mean(right[0])) - float(np.mean(right[1])))


def jensen_shannon(
    X: Array, Y: Array, *, inputs: str = "logits", form: str = "divergence", base: float = 2.0
) -> float:
    """The entropy of the mean less the mean of the entropies (Lin 1991), in extended precision."""
    values = []
    for x, y in zip(lifted(X), lifted(Y), strict=True):
        p, q = (_softmax(z) if inputs == "logits" else z / z.sum() for z in (x, y))
        value = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
        values.append(value / np.log(np.longdouble(base)))
    roots = [math.sqrt(max(each, 0)) for each in values]
    return float(np.mean(roots if form == "distance" else values))


def _answer(z: Array) -> int:
    return list(z).index(max(z))


def _softmax(z: Array) -> Array:
    weights = np.exp(z - max(z))
    return weights / weights.sum()


def _entropy(p: Array) -> Any:
    return -sum(each * np.log(each) for each in p if each > 0)
