"""Rows as unit vectors, whose squared distances are twice one minus a cosine or a correlation."""

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array


def unit_rows(X: Array, *, centre: bool, instead: str = "rdm='euclidean'") -> tuple[Array, float]:
    """Return the rows at length 1, centred or not, and the rounding error of the worst.

    Parameters
    ----------
    X : array, (n, p)
        A representation.
    centre : bool
        Whether the mean of each row is subtracted first.
    instead : str
        The option of the caller that does without directions, if it has one: for the messages.

    Raises
    ------
    DegenerateInputError
        Naming a row that has no direction, or if centred rows have too few features for one.
    """
    xp = array.namespace(X)
    if centre and X.shape[1] < 3:
        raise DegenerateInputError(
            "kernel: `X` must have at least 3 features for the correlation of its rows, got "
            f"{X.shape[1]}: two numbers correlate by ±1 whatever they are. Use {instead}."
        )
    eps = 16 * float(xp.finfo(X.dtype).eps)
    peaks = xp.max(xp.abs(X), axis=1, keepdims=True)
    X = X / xp.where(peaks > 0, peaks, xp.ones_like(peaks))
    sizes = xp.linalg.vector_norm(X, axis=1, keepdims=True)
    if centre:
        X = X - xp.mean(X, axis=1, keepdims=True)
        X = X - xp.mean(X, axis=1, keepdims=True)
    lengths = xp.linalg.vector_norm(X, axis=1, keepdims=True)
    if array.recording(X):
        return X / lengths, 0.0
    lost = array.to_numpy(lengths <= eps * sizes)[:, 0]
    if lost.any():
        row = int(np.argmax(lost))
        raise DegenerateInputError(
            f"kernel: `X` has a row that is {'constant' if centre else 'all-zero'} (row {row}"
            f"{f' and {lost.sum() - 1} more' if lost.sum() > 1 else ''}), which has no "
            f"{'correlation' if centre else 'angle'} with any other. Drop these rows from both "
            f"sides{f', or use {instead}' if instead else ''}."
        )
    with checks.quiet():
        worst = array.read(xp.max(sizes / lengths)) or 0.0
    return X / lengths, eps * worst
