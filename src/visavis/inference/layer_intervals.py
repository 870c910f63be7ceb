"""Intervals for all pairs of layers at once, at about the cost of the values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference.permutations import MINIMUM_ROWS
from visavis.inference.sides import kernels_of, measured
from visavis.kernels import Kernel
from visavis.measures import MeasureSpec
from visavis.stats import Gram, own_shares, shares
from visavis.stats.hsic import EQUIDISTANT
from visavis.stats.jackknife import half_chance, of_table


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
    x, y = (_grams(where, each, kernel) for each, kernel in zip((a, b), kernels, strict=True))
    n = x[0].n
    checks.rows(where, n, y[0].n, minimum_rows=MINIMUM_ROWS)
    cross = shares(x, y)
    own = tuple(np.stack([own_shares(each) for each in side], axis=1) for side in (x, y))
    totals = [each.sum(axis=0) for each in own]
    values = cross.sum(axis=0) / np.sqrt(np.outer(*totals))
    ratios = [
        np.array([float(each.trace()) for each in side]) / (n - 1) / np.sqrt(total / (n * (n - 3)))
        for side, total in zip((x, y), totals, strict=True)
    ]
    half = half_chance(np.outer(*ratios), n)
    made = of_table(values, cross, (own[0], own[1]), half=half, level=level)
    return LayerIntervals(tuple(a), tuple(b), values, made.low, made.high, made.error, level, n)


def _grams(where: str, layers: Mapping[str, Array], kernel: Kernel) -> list[Gram]:
    """Return the Gram matrices of all layers, in the precision of the layers."""
    found: list[Gram] = []
    for name in layers:
        X = checks.representation(where, name, layers[name])
        with checks.side(where, name), checks.diagnosed(where, **{name: X}):
            held = Gram.of(X, kernel)
            norm = held.norm("debiased")
        if not float(norm) > 0:
            checks.locate(where, **{name: X})
            raise DegenerateInputError(f"{where}: `{name}` {EQUIDISTANT}")
        found.append(held)
    return found
