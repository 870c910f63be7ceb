"""Outputs of classifiers: answers, probabilities by their logarithms, divergences of samples."""

import math

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array

# Logarithms below it are of zero to every float64.
LEAST = -745.0
# How far the sum of probabilities may be from 1: bfloat16 rounds each by 0.4 % at most.
SLACK = 0.01


def answers(where: str, name: str, X: Array) -> Array:
    """Return the class (n,) with the largest entry of each row, the first of several.

    Parameters
    ----------
    where, name : str
        The function and its argument, for messages.
    X : array, (n, c)
        Logits or probabilities.
    """
    possible(where, name, X)
    return array.namespace(X).argmax(X, axis=1)


def possible(where: str, name: str, X: Array) -> None:
    """Check that no entry is NaN or plus infinity, and that minus infinity is not all of a row."""
    if array.recording(X):
        return
    xp = array.namespace(X)
    never = xp.isinf(X) & (X < 0)
    checks.all_finite(where, name, xp.where(never, xp.zeros_like(X), X))
    lost = xp.all(never, axis=1)
    if bool(xp.any(lost)):
        raise DegenerateInputError(
            checks.message(
                where,
                name,
                "leave a class to every row",
                f"nothing but -inf in {_rows(lost)}",
                "Drop these rows from both sides.",
            )
        )


def log_softmax(where: str, name: str, X: Array) -> Array:
    """Return the logarithms (n, c) of the probabilities of logits in the widest float."""
    possible(where, name, X)
    xp = array.namespace(X)
    X = X - array.constant(xp.max(X, axis=1, keepdims=True))
    return X - xp.log(xp.sum(xp.exp(X), axis=1, keepdims=True))


def log_probabilities(where: str, name: str, X: Array) -> Array:
    """Return the logarithms (n, c) of probabilities in the widest float, divided by their sum.

    Parameters
    ----------
    where, name : str
        The function and its argument, for messages.
    X : array, (n, c)
        Zero or more, with rows that sum to 1.
    """
    xp = array.namespace(X)
    sums = xp.sum(X, axis=1, keepdims=True)
    if not array.recording(X):
        possible(where, name, X)
        negative = xp.any(X < 0, axis=1)
        off = xp.abs(sums[:, 0] - 1) > SLACK
        for bad, fault in ((negative, "a negative entry"), (off, "a sum other than 1")):
            if bool(xp.any(bad)):
                raise DegenerateInputError(
                    checks.message(
                        where,
                        name,
                        "hold probabilities, zero or more and with a sum of 1 in each row",
                        f"{fault} in {_rows(bad)}",
                        "Logits are inputs='logits'.",
                    )
                )
    shares = X / sums
    real = shares > 0
    # A logarithm of zero is not asked for: its derivative would be none.
    return xp.where(
        real, xp.log(xp.where(real, shares, xp.ones_like(shares))), xp.full_like(shares, LEAST)
    )


def divergences(x: Array, y: Array) -> Array:
    """Return the Jensen–Shannon divergence (n,) of each sample in nats, from log-probabilities.

    Each class has ``(p + q)/2·φ(a)`` with ``a = log p − log q`` and
    ``φ = (a/2)·tanh(a/2) − log cosh(a/2)``, which is never negative: nothing large is subtracted.
    """
    xp = array.namespace(x, y)
    least = xp.asarray(LEAST, dtype=x.dtype, device=array.device(x))
    x, y = xp.maximum(x, least), xp.maximum(y, least)
    half = (x - y) / 2
    near = xp.abs(half) < 0.5
    zero = xp.zeros_like(half)
    a = xp.where(near, half, zero)
    told = xp.tanh(a)
    # log cosh is −½ log(1 − tanh²): of small arguments both terms keep their digits.
    small = told * a + xp.log1p(-(told**2)) / 2
    b = xp.exp(-2 * xp.where(near, zero, xp.abs(half)))
    large = math.log(2) - xp.log1p(b) + b * xp.where(near, zero, -2 * xp.abs(half)) / (1 + b)
    return xp.sum((xp.exp(x) + xp.exp(y)) / 2 * xp.where(near, small, large), axis=1)


def roots(squares: Array) -> Array:
    """Return square roots, whose derivative at zero is taken to be zero."""
    xp = array.namespace(squares)
    real = squares > 0
    return xp.where(real, xp.sqrt(xp.where(real, squares, xp.ones_like(squares))), 0 * squares)


def _rows(which: Array) -> str:
    """Name the first of the rows that are marked, and count them."""
    xp = array.namespace(which)
    first = int(xp.argmax(xp.astype(which, xp.int8)))
    return f"row {first} ({int(xp.count_nonzero(which))} of {which.shape[0]} rows)"
