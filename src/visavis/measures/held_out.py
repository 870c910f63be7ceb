"""Scores on rows that the alignment has not seen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import Measure
from visavis.measures.registry import MeasureSpec, resolve
from visavis.stats import folds as splits
from visavis.stats import held_out as formulas
from visavis.stats.held_out import Split


def held_out(
    X_train: Array,
    Y_train: Array,
    X_test: Array,
    Y_test: Array,
    /,
    *,
    measure: MeasureSpec = "procrustes",
) -> Array:
    """Return a measure on test rows, after the alignment that is best for the training rows.

    What a measure fits (the rotation, the linear map, the canonical directions) and the column
    means are taken from the training rows, and the test rows are scored as they come out [1]_. In
    sample every alignment looks better than it is, the more so the wider the layers.

    Parameters
    ----------
    X_train : array, (n, p)
        Samples to fit on.
    Y_train : array, (n, q)
        The same samples in the same order.
    X_test : array, (t, p)
        Other samples to score on.
    Y_test : array, (t, q)
        The same samples in the same order.
    measure : str, Measure or function
        One that fits something, with its options: ``"procrustes"`` (every form), ``"bures"``,
        ``"nbs"``, ``"shape_distance"``, ``"linear_regression"``, ``"cca"`` and ``"svcca"`` (both
        ``form="rho"``).

    Returns
    -------
    0-d array
        In the units and direction of the measure, on a wider range: angles in ``[0, π]``,
        similarities and mean correlations in ``[−1, 1]``, R² in ``(−∞, 1]``.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 2 rows, or the measure fits nothing.
    DegenerateInputError
        If an entry is NaN or infinite, training rows are constant, or test rows are all at the
        mean of the training rows.

    Notes
    -----
    Directions that the training rows do not span cannot be turned: what of the test rows lies
    there is matched with nothing. Where training and test rows are the same, the value is that of
    the measure. Theorem 1 of Kornblith et al. (2019) is of scores in sample: out of sample no
    width makes them saturate. *Cost*: that of the measure. *Numerics*: in float64; small
    distances keep their digits; differentiable where the measure is.

    References
    ----------
    .. [1] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    Of unrelated wide layers the rotation fits the noise:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 60, 100))
    >>> in_sample = vv.nbs(X[:40], Y[:40])
    >>> bool(in_sample > 0.7)
    True
    >>> bool(abs(vv.held_out(X[:40], Y[:40], X[40:], Y[40:], measure="nbs")) < 0.2)
    True
    """
    record = _fitting("held_out", measure)
    names = ("X_train", "Y_train", "X_test", "Y_test")
    X, Y, T, U = (
        checks.representation("held_out", name, Z)
        for name, Z in zip(names, (X_train, Y_train, X_test, Y_test), strict=True)
    )
    for (left, A), (right, B), axis, same in (
        (("X_train", X), ("Y_train", Y), 0, "describe the same samples"),
        (("X_test", T), ("Y_test", U), 0, "describe the same samples"),
        (("X_train", X), ("X_test", T), 1, "have the same features"),
        (("Y_train", Y), ("Y_test", U), 1, "have the same features"),
    ):
        checks.companions("held_out", A, B, f"{left}` and `{right}")
        if A.shape[axis] != B.shape[axis]:
            seen = f"{A.shape[axis]} and {B.shape[axis]} {('rows', 'features')[axis]}"
            raise ValueError(checks.message("held_out", f"{left}` and `{right}", same, seen))
    for name, Z in (("X_train", X), ("X_test", T)):
        if Z.shape[0] < 2:
            raise ValueError(
                checks.message("held_out", name, "have at least 2 rows", f"{Z.shape[0]}")
            )
    xp = array.namespace(X, Y, T, U)
    dtype = xp.result_type(X.dtype, Y.dtype, T.dtype, U.dtype)
    X, Y, T, U = (xp.astype(Z, dtype, copy=False) for Z in (X, Y, T, U))
    return _scored("held_out", record, (X, Y, T, U), names)


def cross_validated(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "procrustes",
    folds: int | Sequence[Any] | Array = 5,
    seed: int | None = 0,
) -> Array:
    """Return a measure on each fold of the rows, after the alignment that is best for the others.

    `held_out` for every fold in turn [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    measure : str, Measure or function
        As in `held_out`.
    folds : int or sequence (n,)
        The number of folds, or the fold of each row: rows that depend on each other (of one image,
        say) belong in one fold.
    seed : int, optional
        Of the order in which rows are dealt out; None takes runs of rows.

    Returns
    -------
    array, (folds,)
        The value on each fold.

    Raises
    ------
    ValueError
        If shapes do not match, an option is not allowed, or a fold leaves fewer than 2 rows on
        either side.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant but for one fold.

    Notes
    -----
    Values of different folds share most of their training rows: their standard deviation over the
    root of their number is no standard error. *Cost*: that of the measure for every fold.
    *Numerics*: those of `held_out`.

    References
    ----------
    .. [1] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> Y = X @ rng.normal(size=(4, 6)) + rng.normal(size=(100, 6))
    >>> values = vv.cross_validated(X, Y, measure="linear_regression")
    >>> values.shape, bool(values.mean() < vv.linear_regression(X, Y))
    ((5,), True)
    """
    where = "cross_validated"
    record = _fitting(where, measure)
    X, Y = checks.pair(where, X, Y, minimum_rows=4)
    xp, n = array.namespace(X, Y), X.shape[0]
    if isinstance(folds, bool) or (isinstance(folds, int) and not 2 <= folds <= n // 2):
        expected = f"be a number from 2 to {n // 2}, half of the rows, or the fold of each row"
        raise ValueError(checks.message(where, "folds", expected, repr(folds)))
    if not isinstance(folds, int) and len(splits.numbered(folds)) != n:
        expected, seen = f"name the fold of each of the {n} rows", len(splits.numbered(folds))
        raise ValueError(checks.message(where, "folds", expected, f"{seen}"))
    parts = splits.assigned(folds, n, seed)
    if len(parts) < 2 or any(not 2 <= len(part) <= n - 2 for part in parts):
        sizes = ", ".join(str(len(part)) for part in parts)
        expected = "leave 2 rows or more on either side of each fold"
        raise ValueError(checks.message(where, "folds", expected, f"folds of {sizes} rows"))
    values = []
    for part in parts:
        rows = np.setdiff1d(np.arange(n), part), part
        train, test = (xp.asarray(each, device=array.device(X)) for each in rows)
        sides = tuple(xp.take(Z, each, axis=0) for each in (train, test) for Z in (X, Y))
        values.append(_scored(where, record, sides, ("X", "Y", "X", "Y")))
    return xp.stack(values)


def _scored(where: str, record: Measure, sides: tuple[Array, ...], names: tuple[str, ...]) -> Array:
    X, Y, T, U = sides
    for name, Z in zip(names, sides, strict=True):
        checks.all_finite(where, name, Z)
    training = {names[0]: X, names[1]: Y}
    with checks.diagnosed(where, **training):
        x, y = Split.of(X, T), Split.of(Y, U)
        if any(array.read(each.axes.values[0]) == 0 for each in (x, y)):
            checks.locate(where, **training)
        value = _FITTED[record.name](record.settings, x, y)
    otherwise = "The test rows do not differ from the mean of the training rows in what is fitted."
    return checks.finite(where, array.like(value, X), otherwise=otherwise, **training)


def _fitting(where: str, measure: MeasureSpec) -> Measure:
    record = resolve(measure)
    if record.name not in _FITTED:
        raise ValueError(
            checks.message(
                where,
                "measure",
                f"fit an alignment: {', '.join(_FITTED)}",
                record.name,
                "Measures that fit nothing are taken of the test rows as they are.",
            )
        )
    if record.name in {"cca", "svcca"} and record.settings["form"] != "rho":
        raise ValueError(
            checks.message(
                where,
                "measure",
                "have form='rho'",
                record.label,
                "The square of a correlation out of sample hides its sign.",
            )
        )
    return record


def _procrustes(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.turned(x, y, alpha=1.0, form=options["form"], scale=options["scale"])


def _bures(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.turned(x, y, alpha=1.0, form="euclidean", scale=False)


def _nbs(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.turned(x, y, alpha=1.0, form="similarity", scale=True)


def _shape_distance(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.turned(x, y, alpha=float(options["alpha"]), form="angular", scale=True)


def _linear_regression(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.predicted(x, y)


def _cca(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    return formulas.correlated(x, y)


def _svcca(options: Mapping[str, Any], x: Split, y: Split) -> Array:
    kept = {key: options[key] for key in ("variance", "components")}
    if isinstance(kept["components"], list):
        kept["components"] = tuple(kept["components"])
    return formulas.correlated(x, y, kept)


_FITTED: Mapping[str, Callable[[Mapping[str, Any], Split, Split], Array]] = {
    "procrustes": _procrustes,
    "bures": _bures,
    "nbs": _nbs,
    "shape_distance": _shape_distance,
    "linear_regression": _linear_regression,
    "cca": _cca,
    "svcca": _svcca,
}
