"""Comparisons over time: each moment of one recording against another recording, or a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures import MeasureSpec
from visavis.pairs.compare import compare
from visavis.results import Comparison


def over_time(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "rsa",
    window: int = 1,
    step: int = 1,
    times: Sequence[Any] | None = None,
    **options: Any,
) -> Comparison:
    """Compare two recordings moment by moment, as in time-resolved RSA.

    Each window of X meets each window of Y: on the diagonal the same moments, off it how a
    representation of one moment comes back at another (Cichy, Pantazis & Oliva 2014,
    doi:10.1038/nn.3635).

    Parameters
    ----------
    X : array, (n, p, t)
        Samples, channels, moments.
    Y : array, (n, q, s) or (n, q)
        The same samples in the same order; without moments, a model or a stationary recording.
    measure : str, function or Measure
        As in `visavis.compare`.
    window : int
        Moments of a window, whose channels are taken together.
    step : int
        Moments from one window to the next.
    times : sequence, optional
        What each moment is called, such as milliseconds; a window has the name of its first. By
        default their numbers.
    **options
        `memory`, `executor`, `checkpoint`, `silenced`, `progress` of `visavis.compare`.

    Returns
    -------
    Comparison
        Windows of X as rows; windows of Y, or the single ``"Y"``, as columns.

    Raises
    ------
    ValueError
        If shapes do not fit, or a window is longer than the recording.

    Examples
    --------
    A pattern that appears half way:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> model = rng.normal(size=(40, 5))
    >>> X = rng.normal(size=(40, 8, 6))
    >>> X[:, :5, 3:] += 3 * model[:, :, None]
    >>> res = vv.over_time(X, model)
    >>> (res.values[:, 0] > 0.5).tolist()
    [False, False, False, True, True, True]
    """
    for name, value in (("window", window), ("step", step)):
        checks.count("over_time", name, value)
    rows = _windows("X", X, window, step, times)
    if getattr(Y, "ndim", 0) == 2:
        cols: dict[str, Array] = {"Y": Y}
    else:
        cols = _windows("Y", Y, window, step, times)
    return compare(rows, cols, measure=measure, names=("X", "Y"), **options)


def _windows(
    name: str, X: Array, window: int, step: int, times: Sequence[Any] | None
) -> dict[str, Array]:
    if not array.is_array(X) or X.ndim != 3:
        seen = f"shape {tuple(X.shape)}" if array.is_array(X) else type(X).__name__
        expected = "be 3-D (samples, channels, moments)"
        raise ValueError(checks.message("over_time", name, expected, seen))
    moments = int(X.shape[2])
    if window > moments:
        expected = f"be at most the {moments} moments of `{name}`"
        raise ValueError(checks.message("over_time", "window", expected, f"{window}"))
    called = [str(each) for each in (np.arange(moments) if times is None else times)]
    if len(called) != moments or len(set(called)) != moments:
        expected = f"name each of the {moments} moments of `{name}` once"
        seen = f"{len(set(called))} names"
        raise ValueError(checks.message("over_time", "times", expected, seen))
    xp = array.namespace(X)
    return {
        called[start]: xp.reshape(X[:, :, start : start + window], (X.shape[0], -1))
        for start in range(0, moments - window + 1, step)
    }
