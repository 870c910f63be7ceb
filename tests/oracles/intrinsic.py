"""Intrinsic multi-scale distance, and differences of one number of each representation."""

import itertools
import math

import numpy as np
import scipy.linalg

from .centring import Array, lifted
from .neighbours import neighbours


def graph(X: Array, k: int) -> Array:
    """1 where one of two samples counts the other among its k nearest."""
    A = np.zeros((len(X), len(X)))
    for i, others in enumerate(neighbours(X)):
        for j in others[:k]:
            A[i, j] = A[j, i] = 1
    return A


def frequencies(A: Array) -> Array:
    """λ of (D − A)v = λDv, which are the eigenvalues of the normalised Laplacian."""
    D = np.diag(A.sum(axis=1))
    return scipy.linalg.eigvalsh(D - A, D)


def imd(X: Array, Y: Array, *, k: int = 5) -> float:
    """sup_t e^(−2(t + 1/t))|h_X(t) − h_Y(t)|, h the mean of e^(−λt) (Tsitsulin et al. 2020)."""
    a, b = (frequencies(graph(Z, k)) for Z in (X, Y))

    def weighted(log_t: float) -> float:
        t = math.exp(log_t)
        difference = math.fsum(np.exp(-a * t)) - math.fsum(np.exp(-b * t))
        return math.exp(-2 * (t + 1 / t)) * abs(difference) / len(X)

    times = np.linspace(-3.5, 3.5, 701).tolist()
    values = [weighted(each) for each in times]
    return max(
        _highest(weighted, times[i - 1], times[i + 1])
        for i in range(1, 700)
        if values[i] >= max(values[i - 1], values[i + 1])
    )


def _highest(function, low: float, high: float) -> float:
    """The maximum between two places, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if function(left) > function(right) else (left, high)
    return function((low + high) / 2)


def magnitude_difference(X: Array, Y: Array) -> float:
    """|‖x̄‖ − ‖ȳ‖| (Wang et al. 2022)."""
    return abs(magnitude(X) - magnitude(Y))


def magnitude(X: Array) -> float:
    """The length of the mean row."""
    mean = lifted(X).mean(axis=0)
    return float(np.sqrt((mean**2).sum()))


def concentricity_difference(X: Array, Y: Array) -> float:
    """|c(X) − c(Y)| (Wang et al. 2022)."""
    return abs(concentricity(X) - concentricity(Y))


def concentricity(X: Array) -> float:
    """The mean cosine of the rows with the mean row."""
    X = lifted(X)
    X = X / np.abs(X).max()
    mean = X.mean(axis=0)
    return math.fsum(_cosine(row, mean) for row in X) / len(X)


def _cosine(x: Array, y: Array) -> float:
    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))


def uniformity_difference(X: Array, Y: Array, *, t: float = 2.0) -> float:
    """|u(X) − u(Y)| (Wang & Isola 2020)."""
    return abs(uniformity(X, t) - uniformity(Y, t))


def uniformity(X: Array, t: float) -> float:
    """log mean exp(−t‖x_i − x_j‖²) over pairs i < j of rows of length 1."""
    X = lifted(X)
    X = X / np.abs(X).max(axis=1, keepdims=True)
    X = X / np.sqrt((X**2).sum(axis=1, keepdims=True))
    pairs = [float(((x - y) ** 2).sum()) for x, y in itertools.combinations(X, 2)]
    return float(np.log(math.fsum(np.exp(-t * np.array(pairs))) / len(pairs)))
