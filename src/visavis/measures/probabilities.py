"""Probabilities of two classifiers: how far apart they are."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
    Work,
)
from visavis.measures.outputs import DISAGREEMENT, KLABUNDE, both, checked, placed, same_classes
from visavis.stats import outputs

FORMS = ("divergence", "distance")
KINDS = ("logits", "probabilities")

PROBABILITIES = Work(lambda n, p: n * p, lambda n, p: 20 * n * p, lambda n, p, q: 100 * n * p)


def jensen_shannon(
    X: Array,
    Y: Array,
    /,
    *,
    inputs: str = "logits",
    form: str = "divergence",
    base: float = 2.0,
) -> Array:
    """Mean Jensen–Shannon divergence of the class probabilities of two classifiers.

    ``mean_i ½KL(p_i‖m_i) + ½KL(q_i‖m_i)`` with the probabilities p and q of sample i in both, and
    ``m = (p + q)/2`` [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, c)
        Samples in rows, one column for each of the c classes.
    Y : array, (n, c)
        The same samples and the same classes, both in the same order.
    inputs : {"logits", "probabilities"}
        What the entries are. Logits go through a softmax; one of minus infinity is a class that
        cannot be. Probabilities are zero or more and sum to 1 in each row, to one in a hundred
        (they may be rounded to half precision), and are divided by their sum.
    form : {"divergence", "distance"}
        ``"distance"``: the mean of the roots of the divergences, which are a metric [3]_.
    base : float
        Of the logarithm, above 1: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    0-d array
        ``[0, 1]`` in bits, ``[0, 0.693147]`` in nats, which is log 2, and as a distance in nats up
        to its root; lower is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than two classes, or an option is not allowed.
    DegenerateInputError
        If an entry is NaN or plus infinity, all logits of a row are minus infinity, or a row holds
        no probabilities.

    Notes
    -----
    *Invariant to*: a constant added to all logits of a row, and moving the same columns on both
    sides. *Not to*: translation, isotropic scaling (a temperature), feature permutations of one
    side, orthogonal maps, invertible linear maps. *Streaming*: none. *Cost*: nc. *Numerics*:
    computed in float64 from logarithms of probabilities, without a difference of entropies: large
    logits do not overflow, and of a divergence of 10⁻¹² there are nine digits. Differentiable.

    *When*: do two models say the same, and are they as sure of it? `disagreement` does not see the
    second. *When not*: calibration is not the question: two that give the same answers but are
    calibrated differently differ. Bring both to one temperature to leave that out. Classes of small
    probability hardly count.

    References
    ----------
    .. [1] Lin (1991), doi:10.1109/18.61115.
    .. [2] Klabunde, Schumacher, Strohmaier & Lemmerich (2023), arXiv:2305.06329.
    .. [3] Endres & Schindelin (2003), doi:10.1109/TIT.2003.813506.

    Examples
    --------
    Of two classes each model is sure of another one, and of equal ones both are unsure:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.array([[50.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 50.0], [7.0, 7.0]])
    >>> round(float(vv.jensen_shannon(X, Y)), 6)
    0.5
    """
    options = {"inputs": inputs, "form": form, "base": base}
    _check_shannon("jensen_shannon", options)
    X, Y = checked("jensen_shannon", X, Y)
    kept = partial(_logarithms, inputs=inputs, host=not array.recording(X, Y))
    with checks.quiet():
        met = outputs.divergences(*both("jensen_shannon", X, Y, kept))
        return placed(_score_shannon(options, met), X)


def _check_shannon(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "inputs", options["inputs"], KINDS)
    checks.option(where, "form", options["form"], FORMS)
    base = options["base"]
    number = isinstance(base, Real) and not isinstance(base, bool)
    if not number or not 1 < float(base) < math.inf:
        raise ValueError(checks.message(where, "base", "be a number above 1", repr(base)))


def _logarithms(where: str, name: str, X: Array, *, inputs: str, host: bool) -> Array:
    X = array.widen(array.host(X) if host else X)
    kept = outputs.log_softmax if inputs == "logits" else outputs.log_probabilities
    return kept(where, name, X)


def _prepare_shannon(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    same_classes("jensen_shannon", (*shapes.x, *shapes.y))
    inputs = options["inputs"]
    return Preparation(
        ("probabilities", inputs),
        lambda X: _logarithms("kernel", "X", X, inputs=inputs, host=not array.recording(X)),
        outputs.divergences,
        work=PROBABILITIES,
    )


def _score_shannon(options: Mapping[str, Any], met: Array) -> Array:
    values = met / math.log(options["base"])
    if options["form"] == "distance":
        values = outputs.roots(values)
    return array.namespace(values).mean(values)


def _describe_shannon(options: Mapping[str, Any]) -> str:
    base = options["base"]
    unit = {2.0: "bits", math.e: "nats"}.get(float(base), f"units of log {base:g}")
    root = "root of the " if options["form"] == "distance" else ""
    return f"mean {root}Jensen–Shannon divergence of class probabilities, in {unit}: 0 is alike"


def _specialise_shannon(measure: Measure) -> Measure:
    options = measure.settings
    root = options["form"] == "distance"
    most = math.log(2) / math.log(options["base"])
    return replace(
        measure,
        high=math.sqrt(most) if root else most,
        metric=root,
        always_defined=options["inputs"] == "logits",
    )


JENSEN_SHANNON = _specialise_shannon(
    replace(
        DISAGREEMENT,
        name="jensen_shannon",
        title="Jensen–Shannon divergence of outputs",
        family="outputs",
        function=jensen_shannon,
        prepare=_prepare_shannon,
        score=_score_shannon,
        chance=None,
        describe=_describe_shannon,
        check=_check_shannon,
        reference=f"Lin (1991), doi:10.1109/18.61115; {KLABUNDE}",
        statistic="log-probabilities",
        invariant_to=frozenset(),
        not_invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR}),
        variants=({"form": "distance"}, {"base": math.e}, {"inputs": "probabilities"}),
        specialise=_specialise_shannon,
    )
)
