"""Answers of two classifiers: other ones, and another share of right ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    OUTPUTS,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
    Work,
)
from visavis.stats import outputs

KLABUNDE = "Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329"

Pair = tuple[Any, Any]

ANSWERS = Work(lambda n, p: n, lambda n, p: n * p, lambda n, p, q: n)


def disagreement(X: Array, Y: Array, /) -> Array:
    """Share of the samples to which two classifiers give different answers.

    ``mean_i [argmax_c x_ic ≠ argmax_c y_ic]`` [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, c)
        Samples in rows, one column for each of the c classes: logits or probabilities.
    Y : array, (n, c)
        The same samples and the same classes, both in the same order.

    Returns
    -------
    0-d array
        ``[0, 1]``, lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than two classes.
    DegenerateInputError
        If an entry is NaN or plus infinity, or all classes of a row are minus infinity.

    Notes
    -----
    *Invariant to*: isotropic scaling; whatever keeps the order of the classes in a row, as a
    softmax does, and moving the same columns on both sides. *Not to*: translation, feature
    permutations of one side, orthogonal maps, invertible linear maps. A metric of the answers.
    *Streaming*: none. *Cost*: nc; there is no gradient. *Ties*: of equal largest entries of a row
    the first counts. Half precision ties often: give logits as the model computed them.

    Constant outputs have an answer: a model that always names one class is one too.

    *When*: do two models give the same answers? What users of a model notice when it is replaced.
    *When not*: models of unequal accuracy are compared: two of accuracies a and b disagree on
    |a − b| of the samples at least, and on 2 − a − b at most, so read it beside
    `accuracy_difference`. How sure the answers are (`jensen_shannon`), and how they come about, is
    not seen.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [2] Madani, Pennock & Flake (2004), Co-validation: using model disagreement on unlabeled data
       to validate classification algorithms, NeurIPS 17.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0]])
    >>> Y = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    >>> float(vv.disagreement(X, Y))
    0.5
    """
    X, Y = checked("disagreement", X, Y)
    met = both("disagreement", X, Y, _kept(X, Y))
    return placed(_score_disagreement({}, met), X)


def accuracy_difference(X: Array, Y: Array, /, *, labels: Sequence[int] | Array) -> Array:
    """Absolute difference of the accuracies of two classifiers.

    ``|mean_i [argmax_c x_ic = l_i] − mean_i [argmax_c y_ic = l_i]|`` for the right classes l [1]_.

    Parameters
    ----------
    X : array, (n, c)
        Samples in rows, one column for each of the c classes: logits or probabilities.
    Y : array, (n, c)
        The same samples and the same classes, both in the same order.
    labels : sequence or array, (n,)
        The column of the right class of each sample, a whole number from 0 to c − 1.

    Returns
    -------
    0-d array
        ``[0, 1]``, lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than two classes, or a label is no column.
    TypeError
        If labels are not whole numbers, or not given.
    DegenerateInputError
        If an entry is NaN or plus infinity, or all classes of a row are minus infinity.

    Notes
    -----
    *Invariant to*: isotropic scaling; whatever keeps the order of the classes in a row. *Not to*:
    translation, feature permutations, orthogonal maps, invertible linear maps. Not a metric: models
    that differ may be equally good. *Streaming*: none. *Cost*: nc; there is no gradient. *Ties*: as
    in `disagreement`.

    *When*: are two models equally good on these samples? The first question beside `disagreement`.
    *When not*: as a likeness: models that err on different samples may be equally good, which
    `disagreement` tells apart. At accuracies near a the standard error is √(2a(1 − a)/n), less
    where both err together.

    References
    ----------
    .. [1] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.

    Examples
    --------
    Both are right once, on different samples:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
    >>> float(vv.accuracy_difference(X, Y, labels=[0, 1])), float(vv.disagreement(X, Y))
    (0.0, 1.0)
    """
    X, Y = checked("accuracy_difference", X, Y)
    known = _known("accuracy_difference", labels, *X.shape)
    met = both("accuracy_difference", X, Y, _kept(X, Y))
    return placed(_score_accuracy({"labels": known}, met), X)


# Checks of what is given.


def checked(where: str, X: Array, Y: Array) -> tuple[Array, Array]:
    """Return both sides checked: the same samples, and two or more classes that are the same."""
    X, Y = checks.pair(where, X, Y, minimum_rows=1)
    same_classes(where, (X.shape[1], Y.shape[1]))
    return X, Y


def same_classes(where: str, widths: tuple[int, ...]) -> None:
    """Check that all sides have the same number of columns, two or more."""
    if len(set(widths)) > 1:
        raise ValueError(
            checks.message(
                where,
                "X` and `Y",
                "have a column for each of the same classes",
                f"{' and '.join(map(str, dict.fromkeys(widths)))} columns",
                "Keep the classes that all have, in the same order. Layers that are no outputs "
                "have no classes: compare them with cka.",
            )
        )
    if widths[0] < 2:
        raise ValueError(
            checks.message(
                where,
                "X` and `Y",
                "have two classes or more",
                "one column",
                "A single logit z of two classes is the two columns 0 and z.",
            )
        )


def _known(where: str, labels: Any, n: int, classes: int) -> np.ndarray:
    """Return the right classes on the host."""
    if labels is None:
        raise TypeError(checks.message(where, "labels", "be the class of each sample", "None"))
    found = array.to_numpy(labels) if array.is_array(labels) else np.asarray(labels)
    if found.shape != (n,):
        expected = f"be one for each of the {n} rows"
        raise ValueError(checks.message(where, "labels", expected, f"shape {found.shape}"))
    if found.dtype.kind not in "iu":
        expected = "be the columns of the right classes, whole numbers"
        raise TypeError(checks.message(where, "labels", expected, str(found.dtype)))
    wrong = np.flatnonzero((found < 0) | (found >= classes))
    if wrong.size:
        raise ValueError(
            checks.message(
                where,
                "labels",
                f"be columns from 0 to {classes - 1}",
                f"{found[wrong[0]]} at row {wrong[0]} ({wrong.size} of {n} rows)",
                "Leave out the rows of classes that the models do not know.",
            )
        )
    return found


def check_none(where: str, options: Mapping[str, Any]) -> None:
    """Accept what has no options, or none that can be checked without the data."""


# What is kept of one side, and what two of them score.


def _answers(where: str, name: str, X: Array, *, host: bool = True) -> Array:
    X = array.constant(X)  # answers have no gradient
    return outputs.answers(where, name, array.host(X) if host else X)


def both(where: str, X: Array, Y: Array, kept: Callable[[str, str, Array], Array]) -> Pair:
    """Return what is kept of each side; its faults are told by its name."""
    return kept(where, "X", X), kept(where, "Y", Y)


def _kept(X: Array, Y: Array) -> Callable[[str, str, Array], Array]:
    # Inside a transformation nothing can be moved to the host, and one side alone must not be.
    return partial(_answers, host=not array.recording(array.constant(X), array.constant(Y)))


def _pair(x: Array, y: Array) -> Pair:
    return x, y


def placed(value: Array, X: Array) -> Array:
    """Return a value, found on the host or not, in the dtype, library and device of `X`."""
    return array.like(value, X) if type(value) is type(X) else array.placed(float(value), X)


def _prepare_disagreement(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    same_classes("disagreement", (*shapes.x, *shapes.y))
    return Preparation(("answers",), partial(_answers, "kernel", "X"), _pair, work=ANSWERS)


def _prepare_accuracy(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    same_classes("accuracy_difference", (*shapes.x, *shapes.y))
    _known("accuracy_difference", options["labels"], shapes.n, shapes.x[0])
    return Preparation(("answers",), partial(_answers, "kernel", "X"), _pair, work=ANSWERS)


def _score_disagreement(options: Mapping[str, Any], met: Pair) -> Array:
    x, y = met
    xp = array.namespace(x, y)
    return xp.mean(xp.astype(x != y, array.wide(x)))


def _chance_disagreement(options: Mapping[str, Any], met: Pair) -> Array:
    # Sample i of X meets every sample of Y equally often.
    x, y = (array.to_numpy(each) for each in met)
    classes = max(x.max(), y.max()) + 1
    counts = (np.bincount(each, minlength=classes) / each.size for each in (x, y))
    return np.asarray(1 - np.vdot(*counts))


def _score_accuracy(options: Mapping[str, Any], met: Pair) -> Array:
    x, y = met
    xp = array.namespace(x, y)
    labels = options["labels"]
    found = array.to_numpy(labels) if array.is_array(labels) else np.asarray(labels)
    known = xp.asarray(found.astype(np.int64), device=array.device(x))
    right = (xp.astype(each == known, array.wide(x)) for each in (x, y))
    # Counts are exact, and so is their difference.
    x_right, y_right = (xp.sum(each) for each in right)
    return xp.abs(x_right - y_right) / x.shape[0]


DISAGREEMENT = Measure(
    name="disagreement",
    title="Disagreement",
    family="outputs",
    function=disagreement,
    inputs=OUTPUTS,
    paired_features=True,
    prepare=_prepare_disagreement,
    score=_score_disagreement,
    chance=_chance_disagreement,
    describe=lambda options: "share of the samples to which the two give different answers",
    check=check_none,
    reference=f"Madani, Pennock & Flake (2004), NeurIPS 17; {KLABUNDE}",
    statistic="answers",
    cost="nc",
    low=0.0,
    high=1.0,
    direction="distance",
    metric=True,
    constant_features="counted",
    minimum_rows=1,
    invariant_to=frozenset({SCALING}),
    not_invariant_to=frozenset({TRANSLATION, PERMUTATION, ORTHOGONAL, LINEAR}),
)

ACCURACY_DIFFERENCE = replace(
    DISAGREEMENT,
    name="accuracy_difference",
    title="Difference of accuracies",
    family="outputs",
    function=accuracy_difference,
    required=("labels",),
    prepare=_prepare_accuracy,
    score=_score_accuracy,
    chance=None,
    describe=lambda options: "absolute difference of the shares of right answers",
    reference=KLABUNDE,
    metric=False,
)
