"""The permutation distribution of a measure by enumeration: for n up to about 7."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from .centring import Array


def permutation_values(measure: Callable[[Array, Array], float], X: Array, Y: Array) -> Array:
    """`measure(X, Y[π])` for each of the n! permutations π of the rows of `Y`."""
    orders = itertools.permutations(range(len(Y)))
    return np.array([measure(X, Y[list(order)]) for order in orders])


def permutation_mean(measure: Callable[[Array, Array], float], X: Array, Y: Array) -> float:
    """Exact expectation of `measure` when the rows of `Y` are matched at random."""
    values = permutation_values(measure, X, Y)
    return math.fsum(values) / len(values)
