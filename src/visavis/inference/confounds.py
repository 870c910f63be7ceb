"""What may make two representations alike from outside: classes, inputs, rows that belong together.

All of it in debiased CKA, of which chance is no part.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.inference import blocks
from visavis.inference.case import WORTH, Case, worded
from visavis.inference.intervals import jackknife
from visavis.inference.row_sums import RowSums, taken
from visavis.measures import cka, class_cka, partial_cka
from visavis.results import Finding

# What the rest must keep of a score that is not explained.
KEPT = 0.5
# Classes of fewer rows say nothing by themselves.
CLASS_ROWS = 8
# Of one row each, classes explain everything: the part that they explain of any score.
TRIVIAL = 0.1


def classes_alone(sums: RowSums, member: np.ndarray) -> float:
    """Return the mean of debiased CKA over all permutations of the rows within their classes.

    What two representations share by their classes alone. Each pair of classes keeps the sums of
    its blocks of both matrices, and spreads them evenly over its pairs of rows.
    """
    sizes = np.bincount(member).astype(float)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    found = sums.x.blocks(member) * sums.y.blocks(member)
    return float((found[pairs > 0] / pairs[pairs > 0]).sum()) / sums.norm


def trivial(member: np.ndarray) -> float:
    """Return what classes of these sizes explain of any score if they are drawn at random.

    U-centred matrices are an irreducible representation of the permutations, so that the mean over
    all ways to draw the classes is that of the dimension of what permutations within them leave.
    """
    sizes = np.bincount(member)
    n, G = len(member), len(sizes)
    inside = int((sizes > 1).sum())
    return max(0, inside + G * (G - 1) // 2 - G) / (n * (n - 3) / 2)


def classes(case: Case, labels: Sequence[Any] | Array) -> Iterator[Finding]:
    """Yield VV009: permuted within the classes, the rows score as much."""
    member = numbered(case.where, "labels", labels, case.n)
    value = case.debiased.value
    if value <= case.least or int(member.max()) == 0 or trivial(member) > TRIVIAL:
        return
    alone = classes_alone(case.debiased, member)
    if alone <= (1 - KEPT) * value:
        return
    kernel = case.measure.settings["kernel"]
    partial = None
    with contextlib.suppress(DegenerateInputError):
        partial = float(partial_cka(case.X, case.Y, given=member, kernel=kernel))
    within, told = _within(case, member, kernel)
    # Classes too small for a value of their own are taken out instead.
    beyond = within if told else partial
    told = told or f"it is {worded(partial)} with the classes taken out"
    learnt = beyond is not None and beyond >= max(WORTH, KEPT * value)
    yield case.finding(
        "VV009",
        f"debiased CKA is {value:.2f}, and {alone:.2f} where the rows are exchanged within the "
        f"{int(member.max()) + 1} classes: {100 * min(1.0, alone / value):.0f} % of it "
        f"needs no more than to know the classes. Beyond that {told}.",
        "Report class_cka or inference.class_floor beside it, and test with "
        "permutation_test(within=labels).",
        severity="info" if learnt else "warning",
        evidence={
            "score": value,
            "classes_alone": alone,
            "classes": int(member.max()) + 1,
            **({} if within is None else {"class_cka": within}),
            **({} if partial is None else {"partial_cka": partial}),
        },
    )


def _within(case: Case, member: np.ndarray, kernel: Any) -> tuple[float | None, str | None]:
    """Return CKA within the classes and the words for it; no words if too few rows have a class."""
    large = np.flatnonzero(np.bincount(member)[member] >= CLASS_ROWS)
    if 2 * len(large) < case.n:
        return None, None
    X, Y = taken(case.X, large), taken(case.Y, large)
    try:
        found = float(class_cka(X, Y, labels=member[large], kernel=kernel))
    except DegenerateInputError:
        return None, "there is no value within the classes: in one of them a side does not vary"
    return found, f"it is {worded(found)} within the classes"


def inputs_alone(case: Case, inputs: Array) -> Iterator[Finding]:
    """Yield VV018: with the inputs taken out, less than half of the score is left."""
    value = case.debiased.value
    Z = flat(case.where, inputs, case.n)
    if value <= case.least:
        return
    kernel = case.measure.settings["kernel"]
    left = None
    # What is nothing but the inputs has no partial CKA.
    with contextlib.suppress(DegenerateInputError):
        left = float(partial_cka(case.X, case.Y, given=Z, kernel=kernel))
    if left is not None and left >= KEPT * value:
        return
    known = {}
    for name, X in zip("xy", (case.X, case.Y), strict=True):
        with contextlib.suppress(DegenerateInputError):
            xp = array.namespace(X)
            known[f"cka_of_{name}_and_inputs"] = float(cka(X, xp.astype(Z, X.dtype)))
    yield case.finding(
        "VV018",
        f"debiased CKA is {value:.2f}, and {worded(left)} with what both share with the inputs "
        "taken out (partial CKA).",
        "Networks that pass their inputs on are alike without having learnt anything alike: report "
        "partial_cka(given=inputs) beside it.",
        evidence={
            "score": value,
            **({} if left is None else {"partial_cka": left}),
            **known,
        },
    )


def dependent_rows(case: Case, groups: Sequence[Any] | Array) -> Iterator[Finding]:
    """Yield VV008: several rows of one group, and by how much the value over rows misleads."""
    member = numbered(case.where, "groups", groups, case.n)
    count = int(member.max()) + 1
    if count == case.n:
        return
    evidence: dict[str, Any] = {"groups": count, "rows": case.n}
    cure = "Pass groups to jackknife, which estimates over pairs of different groups, or pool them."
    if count < blocks.MINIMUM_GROUPS:
        yield case.finding(
            "VV008",
            f"{case.n} rows are of {count} groups, and rows of a group are not independent: the "
            f"evidence is that of {count} samples, too little to tell similarity from dependence.",
            f"Give rows of more groups, {blocks.WANTED_GROUPS} and more.",
            evidence=evidence,
        )
        return
    value = float(cka(array.widen(case.X), array.widen(case.Y)))
    seen = f"{case.n} rows are of {count} groups, and rows of a group are not independent."
    try:
        interval = jackknife(case.X, case.Y, groups=member)
    except DegenerateInputError as error:
        reason = str(error).partition(": ")[2]
        yield case.finding(
            "VV008", f"{seen} Over pairs of groups: {reason}", cure, evidence=evidence
        )
        return
    evidence |= {
        "score_of_rows": value,
        "score_of_groups": interval.value,
        "low": interval.low,
        "high": interval.high,
        "misleads_by": value - interval.value,
    }
    misled = abs(value - interval.value) > WORTH / 2 or not interval.low <= value <= interval.high
    yield case.finding(
        "VV008",
        f"{seen} Linear debiased CKA is {value:.2f} over rows and {interval} over pairs of "
        f"different groups: that of the rows misleads by {value - interval.value:+.2f}.",
        cure,
        severity="warning" if misled else "info",
        evidence=evidence,
    )


def numbered(where: str, name: str, given: Sequence[Any] | Array, n: int) -> np.ndarray:
    """Return the class of each row as a number from 0 on."""
    listed = array.to_numpy(given).tolist() if array.is_array(given) else list(given)
    if len(listed) != n:
        expected = f"have one entry per row ({n})"
        raise ValueError(checks.message(where, name, expected, f"{len(listed)}"))
    listed = [each.item() if hasattr(each, "item") else each for each in listed]
    place = {label: k for k, label in enumerate(dict.fromkeys(listed))}
    return np.array([place[label] for label in listed])


def flat(where: str, inputs: Array, n: int) -> Array:
    """Return inputs of any shape as a checked matrix (n, r)."""
    if array.is_array(inputs) and inputs.ndim != 2 and inputs.ndim > 0:
        inputs = array.namespace(inputs).reshape(inputs, (inputs.shape[0], -1))
    Z = checks.representation(where, "inputs", inputs)
    if Z.shape[0] != n:
        expected = f"have one row for each of the {n} samples"
        raise ValueError(checks.message(where, "inputs", expected, f"{Z.shape[0]} rows"))
    return Z
