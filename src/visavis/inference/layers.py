"""Tests of all layers of two models at once, with the same permutations for all of them.

The maximum over layers that are searched is compared with the same maximum under each permutation,
so that the best of many layers is no finding by itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.inference.discoveries import Dependence, false_discovery
from visavis.inference.permutations import MINIMUM_ROWS, diagonals
from visavis.inference.sides import Centred, host, kernels_of, measured
from visavis.kernels import Kernel
from visavis.measures import MeasureSpec


@dataclass(frozen=True)
class LayerTests:
    """What tests of all pairs of layers gave.

    Parameters
    ----------
    rows, cols : tuple of str
        The layers of both sides.
    values : ndarray, (rows, cols)
        Debiased CKA.
    pvalues : ndarray, (rows, cols)
        Of each pair for itself.
    adjusted : ndarray, (rows, cols)
        Of each pair as one of all of them: the chance that any pair without similarity falls below
        it is its value (step-down maximum of Westfall & Young).
    best : ndarray, (rows,)
        Of the best match of each row: how often the best of all columns is as high by chance.
    draws : int
        How many permutations were looked at.
    """

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    values: np.ndarray
    pvalues: np.ndarray
    adjusted: np.ndarray
    best: np.ndarray
    draws: int

    def qvalues(self, *, dependence: Dependence = "positive") -> np.ndarray:
        """Return the false discovery rate at which each pair is a discovery; `false_discovery`."""
        return false_discovery(self.pvalues, dependence=dependence)


def layer_tests(
    a: Mapping[str, Array],
    b: Mapping[str, Array],
    /,
    *,
    measure: MeasureSpec = "cka",
    n: int = 1000,
    seed: int = 0,
) -> LayerTests:
    """Test all layers of one model against all layers of another.

    Parameters
    ----------
    a, b : mapping of str to array (samples, features)
        Layers on the same samples, such as `visavis.Activations` of flat layers.
    measure : str, function or Measure
        Debiased ``cka``, with any kernel.
    n : int
        How many permutations; the next multiple of the number of samples is looked at.
    seed : int
        Draws them.

    Returns
    -------
    LayerTests

    Raises
    ------
    DegenerateInputError
        If a layer has nothing to align; leave it out.

    Notes
    -----
    *Cost*: a Fourier transform of n²/2 numbers per layer, and n² multiplications per pair, for n
    permutations. *Memory*: 8·n² bytes per layer.
    """
    where = "layer_tests"
    kernels = kernels_of(where, measured(where, measure))
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(checks.message(where, "n", "be a positive integer", repr(n)))
    x, y = (_side(where, layers, kernel) for layers, kernel in zip((a, b), kernels, strict=True))
    samples = next(iter(x.values())).n
    random = np.random.default_rng(seed)
    drawn = _drawn(list(x.values()), list(y.values()), math.ceil(n / samples), random)
    slack = 1e-10 * float(np.abs(drawn).max())
    observed = drawn[0]
    above = drawn >= observed - slack
    best = drawn.max(axis=2) >= observed.max(axis=1) - slack
    return LayerTests(
        tuple(x),
        tuple(y),
        observed,
        above.mean(axis=0),
        _stepped(drawn, slack),
        best.mean(axis=0),
        len(drawn),
    )


def _side(where: str, layers: Mapping[str, Array], kernel: Kernel) -> dict[str, Centred]:
    checked = {name: checks.representation(where, name, layers[name]) for name in layers}
    first = next(iter(checked.values()))
    for X in checked.values():
        checks.companions(where, first, X, "layers")
        checks.rows(where, int(first.shape[0]), int(X.shape[0]), minimum_rows=MINIMUM_ROWS)
    return {name: Centred.of(where, name, X, kernel) for name, X in checked.items()}


def _drawn(
    x: list[Centred], y: list[Centred], cosets: int, random: np.random.Generator
) -> np.ndarray:
    """Return debiased CKA of all pairs under all permutations, (draws, rows, cols)."""
    n = x[0].n
    xp = array.namespace(x[0].matrix, y[0].matrix)
    first = random.permutation(n)
    # Frequencies first, so that all pairs of layers are one product of matrices for each.
    weights = np.full(n // 2, 2.0)
    if n % 2 == 0:
        weights[-1] = 1.0
    left = xp.conj(_spectra(x, first, weights))
    values = []
    for coset in range(cosets):
        order = first if coset == 0 else random.permutation(n)
        right = _spectra(y, order, np.ones(n // 2))
        crossed = xp.matmul(left, xp.permute_dims(right, (0, 2, 1)))
        values.append(host(xp.fft.irfft(crossed, n=n, axis=0)))
    return np.concatenate(values)


def _spectra(side: list[Centred], order: np.ndarray, weights: np.ndarray) -> Array:
    """Return the transforms of all layers, (frequencies, layers, n // 2), at norm 1."""
    xp = array.namespace(side[0].matrix)
    scale = [
        xp.asarray(weights / math.sqrt(each.square), device=array.device(each.matrix))
        for each in side
    ]
    moved = [
        xp.fft.rfft(diagonals(each.matrix, order), axis=0) * xp.astype(s, each.matrix.dtype)
        for each, s in zip(side, scale, strict=True)
    ]
    return xp.stack(moved, axis=1)


def _stepped(drawn: np.ndarray, slack: float) -> np.ndarray:
    """Return step-down adjusted p-values: each pair against the maximum of those not above it."""
    flat = drawn.reshape(len(drawn), -1)
    order = np.argsort(flat[0])  # from the smallest upward
    running = np.maximum.accumulate(flat[:, order], axis=1)
    share = (running >= flat[0, order] - slack).mean(axis=0)
    # A larger value never has a larger p-value than a smaller one.
    adjusted = np.empty(flat.shape[1])
    adjusted[order] = np.maximum.accumulate(share[::-1])[::-1]
    return adjusted.reshape(drawn.shape[1:])
