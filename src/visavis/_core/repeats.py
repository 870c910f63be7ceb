"""Input checks of repeated measurements: (samples, repeats, features)."""

import math

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array


def pair(
    where: str, X: Array, Y: Array, *, minimum_rows: int, minimum_repeats: int, without: str
) -> tuple[Array, Array]:
    """Return `X` (m, r, p) and `Y` (m, s, q) checked: one library, device and dtype, m samples.

    Parameters
    ----------
    where : str
        The function that was called.
    X, Y : array
        What it was given.
    minimum_rows, minimum_repeats : int
        Fewest samples, and fewest repeats of each.
    without : str
        What to use where there are no repeats, or too few.
    """
    X = _one(where, "X", X, minimum_repeats, without)
    Y = _one(where, "Y", Y, minimum_repeats, without)
    checks.companions(where, X, Y)
    checks.rows(where, X.shape[0], Y.shape[0], minimum_rows=minimum_rows)
    for name, Z in (("X", X), ("Y", Y)):
        _all_finite(where, name, Z)
    xp = array.namespace(X, Y)
    dtype = xp.result_type(X.dtype, Y.dtype)
    return xp.astype(X, dtype, copy=False), xp.astype(Y, dtype, copy=False)


def flat(X: Array) -> Array:
    """Return the repeats of all samples as rows (m·r, p)."""
    if X.ndim != 3:
        raise ValueError(
            "kernel: `X` must be 3-D (samples, repeats, features), got shape "
            f"{tuple(X.shape)}. This measure is of repeated measurements: call its function itself."
        )
    m, r, p = X.shape
    return array.namespace(X).reshape(X, (m * r, p))


def _one(where: str, name: str, X: Array, minimum_repeats: int, without: str) -> Array:
    if not array.is_array(X) or not array.dense(X):
        return checks.representation(where, name, X)  # which says what is wrong
    if X.ndim != 3:
        raise ValueError(
            checks.message(
                where,
                name,
                "be 3-D (samples, repeats, features)",
                f"shape {tuple(X.shape)}",
                f"Stack the repeats of each sample along axis 1; without repeats use {without}.",
            )
        )
    if X.shape[1] < minimum_repeats:
        raise ValueError(
            checks.message(
                where,
                name,
                f"have at least {minimum_repeats} repeats of each sample",
                f"{X.shape[1]} (shape {tuple(X.shape)})",
                f"Give more repeats along axis 1, or use {without}.",
            )
        )
    shape = X.shape
    return array.namespace(X).reshape(checks.representation(where, name, flat(X)), shape)


def _all_finite(where: str, name: str, X: Array) -> None:
    if array.recording(X):
        return
    xp = array.namespace(X)
    # A sum is finite only if every entry is; where only the sum overflows nothing is found.
    with checks.quiet():
        total = array.read(xp.sum(X))
    if total is None or math.isfinite(total):
        return
    bad = xp.reshape(~xp.isfinite(X), (-1,))
    count = int(xp.count_nonzero(bad))
    if not count:
        return
    place = int(xp.argmax(xp.astype(bad, xp.int8)))
    sample, rest = divmod(place, X.shape[1] * X.shape[2])
    repeat, feature = divmod(rest, X.shape[2])
    raise DegenerateInputError(
        checks.message(
            where,
            name,
            "be finite",
            f"{float(X[sample, repeat, feature])} at sample {sample}, repeat {repeat}, feature "
            f"{feature} ({count} such value{'s' if count > 1 else ''})",
            "Leave this sample out on both sides, or find out why the model produced it.",
        )
    )
