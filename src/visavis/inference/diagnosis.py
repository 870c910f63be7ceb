"""Diagnosis: what may make a similarity say something else than it seems to."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from visavis._core import checks
from visavis._core.errors import DegenerateInputError, SaturatedError
from visavis._core.types import Array
from visavis.inference import confounds, symptoms
from visavis.inference.case import Case
from visavis.inference.contributions import identities, readable
from visavis.inference.disagreement import disagreement
from visavis.inference.sides import measured
from visavis.measures import Measure, MeasureSpec, Shapes, resolve
from visavis.measures.alignment import kernel_sides
from visavis.measures.measure import OUTPUTS, REPRESENTATIONS
from visavis.pairs.findings import HIGH_CHANCE, of_samples
from visavis.results import Finding, silence

# Below this nothing but VV002 can be said.
MINIMUM_ROWS = 8
GRAVITY = ("error", "warning", "info")


def diagnose(
    X: Array,
    Y: Array,
    /,
    *,
    measure: MeasureSpec = "cka",
    labels: Sequence[Any] | Array | None = None,
    inputs: Array | None = None,
    groups: Sequence[Any] | Array | None = None,
    ids: Sequence[Hashable] | Array | None = None,
    names: tuple[str, str] | None = None,
    silenced: Iterable[str] = (),
    seed: int = 0,
) -> list[Finding]:
    """Look for what may make the similarity of two representations mislead.

    Parameters
    ----------
    X : array, (n, p)
    Y : array, (n, q)
        The same samples.
    measure : str, function or Measure
        The one whose value is to be read: its chance level and saturation are looked at. What is
        said of rows, directions and confounds is said of it if it is ``cka`` (of any estimator and
        kernel of features), and of debiased linear CKA otherwise.
    labels : sequence, length n, optional
        The class of each sample: is the score that both know the classes?
    inputs : array, (n, ...), optional
        What the networks were given: is the score that both keep it?
    groups : sequence, length n, optional
        Which rows belong together and are not independent of each other: tokens, places, repeats.
    ids : sequence, length n, optional
        What the samples are called, for the findings.
    names : pair of str, optional
        What the sides are called.
    silenced : iterable of str
        Codes of findings not to return.
    seed : int
        Draws the rows on which measures are compared, where there are more than 500.

    Returns
    -------
    list of Finding
        The gravest first, each with its numbers in ``evidence``: VV002 few samples; VV003 chance is
        high; VV004 one direction dominates a side; VV005 few rows carry or move the score; VV006 a
        side without an answer, or with many constant features; VV008 dependent rows, with
        `groups`; VV009 the score is that of the classes, with `labels`; VV014 saturated; VV015 half
        precision; VV016 copies; VV017 measures disagree; VV018 the score is that of the inputs,
        with `inputs`; VV019 it is decided by the scale of the features. Empty if nothing was found.

    Raises
    ------
    ValueError
        If shapes do not match, or an option is not allowed. A side without an answer is a finding.

    Notes
    -----
    What is not found is not excluded: nothing here knows how the representations were made.
    *Cost*: some ten times that of CKA, an eigendecomposition of the smaller of p × p and n × n on
    each side, and comparisons of measures on 500 rows.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 200, 10))
    >>> vv.inference.diagnose(X, X + Y)
    []
    >>> Y[7] = X[7] = 50
    >>> found = vv.inference.diagnose(X, Y, measure="cka(estimator=biased)")
    >>> print(*(each.message for each in found if each.code == "VV005"))
    1 row of 200 (7) raises biased CKA to 0.98; without it it is 0.05.
    """
    where = "diagnose"
    known = measured(where, measure)
    if known.inputs not in {REPRESENTATIONS, OUTPUTS}:
        expected = "compare representations (n, p)"
        raise ValueError(
            checks.message(where, "measure", expected, f"{known.label}, of {known.inputs}")
        )
    called = ("X", "Y") if names is None else _pair(where, names)
    silence((), silenced)  # says which code is none
    given = tuple(zip(called, (X, Y), strict=True))
    X, Y = readable(where, X, Y, 1)
    n = int(X.shape[0])
    sides = tuple(zip(called, (X, Y), strict=True))
    named = names is not None
    listed = identities(where, ids, n)
    for name, each in (("labels", labels), ("groups", groups)):
        if each is not None:
            confounds.numbered(where, name, each, n)
    inputs = None if inputs is None else confounds.flat(where, inputs, n)
    found = [*_of_number(n), *symptoms.halved(given, named=named)]
    broken = [each for name, side in sides for each in _without_answer(name, side, named)]
    found += broken
    if n >= 2 and not broken:
        found += symptoms.dead_features(sides, named=named)
    if n >= MINIMUM_ROWS and not broken:
        aligned = _aligned(known)
        kernels = kernel_sides(where, aligned.settings["kernel"])
        case = Case(where, X, Y, called, named, listed, aligned, kernels)
        found += _of_measure(known, case)
        if groups is not None:
            found += confounds.dependent_rows(case, groups)
        found += _of_score(case, labels, inputs, seed)
    found.sort(key=lambda each: (GRAVITY.index(each.severity), each.code))
    return list(silence(found, silenced))


def _pair(where: str, names: tuple[str, str]) -> tuple[str, str]:
    if isinstance(names, str) or len(names) != 2:
        raise ValueError(checks.message(where, "names", "be a pair of names", repr(names)))
    return str(names[0]), str(names[1])


def _of_number(n: int) -> list[Finding]:
    if n >= 4:
        return of_samples(n, ())
    return [
        Finding(
            "VV002",
            f"{n} samples: debiased CKA needs 4, and some hundred to be steady.",
            "Extract more samples.",
            severity="error",
            evidence={"n": n},
        )
    ]


def _without_answer(name: str, X: Array, named: bool) -> list[Finding]:
    """Return VV006 for a side that holds what is not finite, or does not vary."""
    try:
        checks.locate("", X=X)
    except DegenerateInputError as error:
        reason = str(error).removeprefix(": ").replace("`X`", name)
        return [Finding("VV006", reason, severity="error", layers=(name,) if named else ())]
    return []


def _degenerate(reason: str, case: Case) -> Finding:
    """Return VV006 for what no value can be found of, by the name of the side."""
    reason = reason.partition(": ")[2] or reason
    about = [side for side in (0, 1) if f"`{'XY'[side]}`" in reason]
    for side in about:
        reason = reason.replace(f"`{'XY'[side]}`", case.names[side])
    side = about[0] if len(about) == 1 else None
    return case.finding("VV006", reason, severity="error", side=side)


def _aligned(known: Measure) -> Measure:
    """Return the CKA that rows and directions are looked at with."""
    if known.name == "cka":
        sides = kernel_sides("diagnose", known.settings["kernel"])
        if all(kernel.name != "precomputed" for kernel in sides):
            return known
    return resolve("cka")


def _of_measure(known: Measure, case: Case) -> list[Finding]:
    """Return what is to be said of the measure: that it has no answer, is saturated, or high."""
    told = known
    if "allow_saturated" in known.defaults:
        told = known.with_options(allow_saturated=False)
    try:
        shapes = Shapes(case.n, (int(case.X.shape[1]),), (int(case.Y.shape[1]),))
        checks.rows(case.where, case.n, case.n, minimum_rows=known.minimum_rows)
        with checks.diagnosed(case.where, X=case.X, Y=case.Y):
            x, y = (told.prepare(told.settings, side, shapes) for side in (0, 1))
            met = x.meet(x.run(case.X), y.run(case.Y))
            told.score(told.settings, met)
            chance = None if told.chance is None else float(told.chance(told.settings, met))
    except SaturatedError as error:
        return [case.finding("VV014", str(error).partition(": ")[2], severity="error")]
    except DegenerateInputError as error:
        return [_degenerate(str(error), case)]
    if chance is None or known.high != 1.0 or not chance > HIGH_CHANCE:
        return []
    return [
        case.finding(
            "VV003",
            f"{known.label}: representations of these spectra that have nothing in common score "
            f"{chance:.2f} on average.",
            "Use the debiased estimator, or read the value against this level."
            if "estimator" in known.defaults
            else "Read the value against this level, or use debiased cka.",
            evidence={"chance": chance, "n": case.n},
        )
    ]


def _of_score(
    case: Case, labels: Sequence[Any] | Array | None, inputs: Array | None, seed: int
) -> list[Finding]:
    """Return what is to be said of CKA: what it rests on, and what may explain it."""
    try:
        _ = case.sums, case.debiased
    except DegenerateInputError as error:
        return [_degenerate(str(error), case)]
    found = [
        *symptoms.few_rows(case),
        *symptoms.dominant_directions(case),
        *symptoms.feature_scale(case),
        *symptoms.copies(case),
        *disagreement(case, seed=seed),
    ]
    if labels is not None:
        found += confounds.classes(case, labels)
    if inputs is not None:
        found += confounds.inputs_alone(case, inputs)
    return found
