"""Two classifiers to compare."""

from typing import Any

import numpy as np
from tests.data_makers import Pair, related

Array = Any

# Samples and classes.
N, C = 60, 5


def logits(n: int = N, c: int = C, seed: int = 0) -> Pair:
    """Two classifiers that know something of the truth."""
    X, Y = related(n=n, p=c, q=c, seed=seed)
    known = 2 * np.eye(c)[np.arange(n) % c]
    return X + known, X / 2 + Y / 2 + known


def softmax(X: Array) -> Array:
    """The probabilities of logits."""
    weights = np.exp(X - X.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
