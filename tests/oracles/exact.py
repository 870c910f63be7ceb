"""Linear and RBF HSIC and CKA without rounding: for extreme scales, offsets and cancellation.

A float is a rational number, so everything up to the last square root of linear CKA is computed
in exact fractions. RBF needs roots and exponentials and has 60 digits. Keep n·p in the hundreds.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import mpmath
import numpy as np
import numpy.typing as npt

from .hsic import Estimator

Array = npt.NDArray[Any]  # here of dtype object: Fraction or mpmath.mpf
DIGITS = 60


def linear(X: Array) -> Array:
    """⟨x_i, x_j⟩, the features not centred: nothing cancels in a fraction."""
    X = _fractions(X)
    return X @ X.T


def rbf(fraction: float, median: Literal["pairs", "all"] = "pairs") -> Callable[[Array], Array]:
    """exp(−‖x_i − x_j‖²/(2σ²)) with the bandwidths of `oracles.rbf`."""

    def gram(X: Array) -> Array:
        X = _fractions(X)
        squared = np.array([[((x - y) ** 2).sum() for y in X] for x in X])
        with mpmath.workdps(DIGITS):
            match median:
                case "pairs":
                    above = [squared[i, j] for i, j in itertools.combinations(range(len(X)), 2)]
                    sigma = mpmath.mpf(fraction) * _median([_root(d) for d in above])
                    variance = sigma**2
                case "all":
                    variance = mpmath.mpf(fraction) ** 2 * _real(_median(list(squared.flat)))
            exponents = [[-_real(d) / (2 * variance) for d in row] for row in squared]
            return np.array([[mpmath.exp(e) for e in row] for row in exponents])

    return gram


def hsic(
    X: npt.NDArray[Any],
    Y: npt.NDArray[Any],
    *,
    kernel: Callable[[Array], Array] = linear,
    estimator: Estimator = "debiased",
) -> float:
    """HSIC of the values as stored, correctly rounded."""
    with mpmath.workdps(DIGITS):
        return float(_hsic(kernel(X), kernel(Y), estimator))


def cka(
    X: npt.NDArray[Any],
    Y: npt.NDArray[Any],
    *,
    kernel: Callable[[Array], Array] = linear,
    estimator: Estimator = "debiased",
) -> float:
    """CKA of the values as stored, correctly rounded."""
    K, L = kernel(X), kernel(Y)
    with mpmath.workdps(DIGITS):
        norms = _root(_hsic(K, K, estimator)) * _root(_hsic(L, L, estimator))
        return float(_real(_hsic(K, L, estimator)) / norms)


def _hsic(K: Array, L: Array, estimator: Estimator) -> Any:
    n = len(K)
    match estimator:
        case "biased":
            # tr(KHLH) = Σ_ij K_ij L_ij − 2/n·Σ_i k_i l_i + ΣK·ΣL/n², k and l the row sums.
            k, l = K.sum(axis=1), L.sum(axis=1)  # noqa: E741
            return ((K * L).sum() - 2 * (k @ l) / n + k.sum() * l.sum() / n**2) / (n - 1) ** 2
        case "debiased":
            # The mean over all quadruples of distinct samples, summed in closed form.
            K, L = _hollow(K), _hollow(L)
            k, l = K.sum(axis=1), L.sum(axis=1)  # noqa: E741
            crossed = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * (k @ l) / (n - 2)
            return ((K * L).sum() + crossed) / (n * (n - 3))


def _hollow(K: Array) -> Array:
    K = K.copy()
    np.fill_diagonal(K, 0)
    return K


def _fractions(X: npt.NDArray[Any]) -> Array:
    return np.array([[Fraction(x.item()) for x in row] for row in np.asarray(X)])


def _median(values: list[Any]) -> Any:
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _real(x: Any) -> mpmath.mpf:
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpmath.mpf(x)


def _root(x: Any) -> mpmath.mpf:
    return mpmath.sqrt(_real(x))
