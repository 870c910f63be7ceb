"""What can be streamed, and the ways to stream it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from tests.measures.records import RECORDS, over

import visavis as vv
from visavis.measures import Measure
from visavis.stats import moments as module

Array = Any

STREAMED = [each for each in RECORDS if each.statistic == "Moments (one pass)"]
every_streamed = over(STREAMED)


EMPTY = vv.Moments.empty()


def streamed(measure: Measure, state: vv.Moments, **more: Any) -> Array:
    """The measure of a state: the method of the same name with the same options."""
    return getattr(state, measure.name)(**measure.options, **more)


def batches(X: Array, Y: Array, sizes: Iterable[int]) -> Iterator[tuple[Array, Array]]:
    """Both arrays in parts of these sizes, and what they leave over as the last."""
    start = 0
    for size in sizes:
        yield X[start : start + size, :], Y[start : start + size, :]
        start += size
    yield X[start:, :], Y[start:, :]


def stream(
    X: Array, Y: Array, sizes: Iterable[int] | int, *, start: vv.Moments = EMPTY
) -> vv.Moments:
    """The state after updates with parts of these sizes."""
    if isinstance(sizes, int):
        sizes = [sizes] * (X.shape[0] // sizes)
    state = start
    for batch in batches(X, Y, sizes):
        state = state.update(*batch)
    return state


@contextmanager
def settling_every(rows: int) -> Iterator[None]:
    """Let small batches wait for so many rows instead of for some hundreds."""
    with mock.patch.object(module, "BUFFER_ROWS", rows):
        yield


def lagged(X: Array, by: float, batch: int) -> Array:
    """X with another mean in each run of `batch` rows, drawn `by` standard deviations wide."""
    runs = -(-len(X) // batch)
    drift = np.random.default_rng(5).standard_normal((runs, X.shape[1]))
    return X + by * np.repeat(drift, batch, axis=0)[: len(X)]
