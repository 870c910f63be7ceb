"""Intervals for all pairs of layers at once, at about the cost of the values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.intervals import back, steady
from visavis.inference.permutations import MINIMUM_ROWS
from visavis.inference.sides import host, kernels_of, measured
from visavis.kernels import Kernel
from visavis.measures import MeasureSpec
from visavis.stats import Gram
from visavis.stats.hsic import EQUIDISTANT

# Samples whose products are taken at a time: small enough to stay in cache.
_SAMPLES = 64


@dataclass(frozen=True)
class LayerIntervals:
    """Debiased CKA of all pairs of layers, each with its jackknife interval.

    Parameters
    ----------
    rows, cols : tuple of str
        The layers of both sides.
    values, low, high, standard_error : ndarray, (rows, cols)
        As in `Interval`.
    level : float
        Of the intervals, each for itself.
    n : int
        Number of samples.
    """

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    standard_error: np.ndarray
    level: float
    n: int


def layer_intervals(
    a: Mapping[str, Array],
    b: Mapping[str, Array],
    /,
    *,
    measure: MeasureSpec = "cka",
    level: float = 0.95,
) -> LayerIntervals:
    """Return the interval of `jackknife` for every pair of layers.

    Parameters
    ----------
    a, b : mapping of str to array (samples, features)
        Layers on the same samples, such as `visavis.Activations` of flat layers.
    measure : str, function or Measure
        Debiased ``cka``, with any kernel.
    level : float
        Of each interval; no correction for their number.

    Returns
    -------
    LayerIntervals

    Raises
    ------
    DegenerateInputError
        If a layer has nothing to align; leave it out.

    Notes
    -----
    *Cost*: a Gram matrix for each layer, and 2n² operations for each pair, as the values. *Memory*:
    n² numbers for each layer.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> a = {f"layer{k}": rng.normal(size=(100, 10)) for k in range(3)}
    >>> b = {name: X + rng.normal(size=X.shape) for name, X in a.items()}
    >>> found = vv.inference.layer_intervals(a, b)
    >>> bool((found.low <= found.values).all() and (found.values <= found.high).all())
    True
    """
    where = "layer_intervals"
    if not 0 < level < 1:
        raise ValueError(checks.message(where, "level", "lie between 0 and 1", repr(level)))
    kernels = kernels_of(where, measured(where, measure))
    x, y = (_Side.of(where, each, kernel) for each, kernel in zip((a, b), kernels, strict=True))
    checks.rows(where, x.n, y.n, minimum_rows=MINIMUM_ROWS)
    cross = _shared(x.matrices, y.matrices)
    without = _without(cross) / np.sqrt(_without(x.own)[:, :, None] * _without(y.own)[:, None, :])
    n = x.n
    totals = [each.own.sum(axis=0) for each in (x, y)]
    values = cross.sum(axis=0) / np.sqrt(np.outer(*totals))
    ratios = [
        np.sqrt((side.traces / (n - 1)) ** 2 / (total / (n * (n - 3))))
        for side, total in zip((x, y), totals, strict=True)
    ]
    half = np.maximum(1e-9, np.outer(*ratios) / (2 * (n - 1)))
    low, high, error = _intervals(values, without, half, level)
    return LayerIntervals(x.names, y.names, values, low, high, error, level, n)


@dataclass(frozen=True)
class _Side:
    names: tuple[str, ...]
    matrices: Array
    own: np.ndarray
    traces: np.ndarray

    @property
    def n(self) -> int:
        return int(self.matrices.shape[1])

    @classmethod
    def of(cls, where: str, layers: Mapping[str, Array], kernel: Kernel) -> "_Side":
        """Return the U-centred Gram matrices of all layers, in the precision of the layers."""
        found: list[Array] = []
        traces: list[float] = []
        for name in layers:
            X = checks.representation(where, name, layers[name])
            with checks.side(where, name), checks.diagnosed(where, **{name: X}):
                held = Gram.of(X, kernel)
                norm = held.norm("debiased")
            if not float(norm) > 0:
                checks.locate(where, **{name: X})
                raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
            matrix, _ = linalg.hollow_centred(held.hollow, held.diagonal)
            # At norm 1, so that layers of any scale may stand in one array.
            found.append(matrix / array.namespace(matrix).linalg.matrix_norm(matrix))
            traces.append(float(held.trace()) / float(norm) / math.sqrt(held.n * (held.n - 3)))
        matrices = _stacked(found)
        return cls(tuple(layers), matrices, _own(matrices), np.array(traces))


def _stacked(matrices: Sequence[Array]) -> Array:
    xp = array.namespace(*matrices)
    dtype = xp.result_type(*matrices)
    return xp.stack([xp.astype(each, dtype, copy=False) for each in matrices])


def _own(A: Array) -> np.ndarray:
    """Return Σ_j A_ij² of every layer, (samples, layers)."""
    xp = array.namespace(A)
    return host(xp.permute_dims(xp.linalg.vecdot(A, A, axis=-1), (1, 0)))


def _shared(A: Array, B: Array) -> np.ndarray:
    """Return Σ_j A_ij B_ij of all pairs of layers, (samples, layers of A, layers of B)."""
    xp = array.namespace(A, B)
    dtype = xp.result_type(A, B)
    A, B = (xp.astype(each, dtype, copy=False) for each in (A, B))
    parts = []
    for rows in linalg.row_blocks(int(A.shape[1]), _SAMPLES):
        left = xp.permute_dims(A[:, rows, :], (1, 0, 2))
        right = xp.permute_dims(B[:, rows, :], (1, 2, 0))
        parts.append(np.asarray(array.to_numpy(left @ right), dtype=np.float64))
    return np.concatenate(parts)


def _without(h: np.ndarray) -> np.ndarray:
    """Return debiased HSIC without each sample, times a number that all have in common."""
    m = len(h) - 1
    return h.sum(axis=0) - 2 * h - 2 * h / (m - 2)


def _intervals(
    values: np.ndarray, without: np.ndarray, half: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low, high and standard error of all pairs, as `from_values` has them of one."""
    n = len(without)
    error = np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    moved = steady(without, half)
    off = moved - moved.mean(axis=0)
    second, fourth = (off**2).sum(axis=0), (off**4).sum(axis=0)
    floor = 2 / (n * (n - 3))
    variance = np.maximum((n - 1) / n * second, floor * (1 + half) / (4 * half))
    spread = fourth - second**2 / n
    with checks.quiet():
        freedom = np.where(spread > 0, 2 * second**2 / spread, n - 1.0)
    freedom = np.clip(freedom, 2.0, n - 1.0)
    reach = stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(variance)
    centre = steady(values, half)
    ends = [
        np.array([back(p, h) for p, h in zip((centre + s * reach).flat, half.flat, strict=True)])
        for s in (-1, 1)
    ]
    low, high = (each.reshape(values.shape) for each in ends)
    same = values >= 1 - 1e-9
    return np.where(same, 1.0, low), np.where(same, 1.0, high), error
