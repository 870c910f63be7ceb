"""Stochastic shape distance: between representations that are distributions for each sample."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from visavis._core import array, checks, repeats
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    REPEATS,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import turns
from visavis.stats.turns import Clouds

FORMS = ("gaussian", "energy")


def stochastic_shape(
    X: Array,
    Y: Array,
    /,
    *,
    form: str = "gaussian",
    alpha: float = 1.0,
    exponent: float = 1.0,
    restarts: int = 10,
    seed: int = 0,
) -> Array:
    """Distance between two noisy representations after the best orthogonal map.

    ``min_Q √(mean_i D²(F_i, G_iQ))`` over orthogonal Q, where F_i and G_i are the distributions of
    the repeats of sample i, and D is a distance of distributions [1]_. For ``"gaussian"``
    ``D² = α‖μ − ν‖² + (2 − α)·B²(Σ, Ω)`` of means and covariances, with the Bures distance
    ``B² = tr Σ + tr Ω − 2 tr (Σ^½ΩΣ^½)^½``; for ``"energy"``
    ``D² = E‖x − y‖^q − ½E‖x − x′‖^q − ½E‖y − y′‖^q`` over all pairs of repeats.

    Parameters
    ----------
    X : array, (m, r, p)
        r measurements of each of m samples.
    Y : array, (m, s, q)
        s measurements of the same samples in the same order.
    form : {"gaussian", "energy"}
        The distance of distributions: of their means and covariances, or of all that they are.
    alpha : float
        With ``"gaussian"``: weight of the means, in [0, 2]. 1 is the 2-Wasserstein distance, 2
        looks at the means alone and 0 at the covariances alone.
    exponent : float
        With ``"energy"``: q, in (0, 2]. Below 2 the distance is zero only for equal distributions;
        2 looks at the means alone.
    restarts : int
        How many starts are tried beside that by the means.
    seed : int
        Of the weights by which these starts are drawn.

    Returns
    -------
    0-d array
        In ``[0, ∞)``, in units of the features (with ``"energy"`` to the power q/2); lower is more
        alike. It is an upper bound of the minimum over Q, and the minimum itself where means alone
        are looked at.

    Raises
    ------
    ValueError
        If shapes do not match, an option is not allowed, or with ``"gaussian"`` there is one
        repeat only.
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, has no noise where that is all that is
        looked at, or means that are all the same where they are.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps. *Not to*: the scale of the features, invertible
    linear maps. Sides are centred at the mean of their sample means, and the narrower is given
    zero features. The minimum over Q is a metric on what orthogonal maps leave; the number that
    is found is one only where it is the minimum. *Streaming*: none. *Cost*: for each step and
    start, m(r + s)rs + (p + q)³ with ``"gaussian"`` and mrs(p + q) + (p + q)³ with ``"energy"``.
    *Numerics*: computed in float64. There is no closed form: from each start the objective is
    lowered by majorisation, every step being a Procrustes problem (``"energy"``: iteratively
    reweighted least squares), with momentum while that helps: 30 steps from each start, and from
    the best of them until one turns the repeats by less than 4·10⁻⁹ of their size, or 2000 steps.
    Starts are the rotation of the means and, between the principal axes of second moments under
    random weights of the samples, rotations with the signs that fit best: sides that differ by a
    turn are brought together by any of these. ``"gaussian"`` is taken from residuals and keeps
    its digits near zero; ``"energy"`` is a difference of mean distances, of which 10⁻⁸ is
    rounding. Q is a constant of differentiation.

    *When*: the noise is part of the representation, as in spike counts, dropout or variational
    layers: do samples vary alike as well as lie alike? *When not*: noise is a nuisance of
    measurement, where `rsa` with crossnobis RDMs takes it out. Covariances and energies are those
    of the repeats at hand: few repeats make unequal noise of what is equal, so use as many on both
    sides.

    References
    ----------
    .. [1] Duong, Zhou, Nassar, Berman, Olieslagers & Williams (2023), arXiv:2211.11665.

    Examples
    --------
    The same means with other noise: Procrustes sees nothing.

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(20, 50, 3))
    >>> noise -= noise.mean(axis=1, keepdims=True)
    >>> means = rng.normal(size=(20, 1, 3))
    >>> X, Y = means + noise, means + noise * [3, 1, 0.1]
    >>> bool(vv.procrustes(X.mean(axis=1), Y.mean(axis=1)) < 1e-12)
    True
    >>> bool(vv.stochastic_shape(X, Y) > 1)
    True
    """
    options = {
        "form": form,
        "alpha": alpha,
        "exponent": exponent,
        "restarts": restarts,
        "seed": seed,
    }
    _check("stochastic_shape", options)
    fewest = 2 if _by_spread(options) else 1
    X, Y = repeats.pair(
        "stochastic_shape",
        X,
        Y,
        minimum_rows=2,
        minimum_repeats=fewest,
        without="form='energy', alpha=2 or procrustes",
    )
    rows = {"X": repeats.flat(X), "Y": repeats.flat(Y)}
    checks.readable(
        "stochastic_shape", because="The best map is found step by step", X=rows["X"], Y=rows["Y"]
    )
    with checks.diagnosed("stochastic_shape", **rows):
        sides = []
        for name, each in (("X", X), ("Y", Y)):
            with checks.side("stochastic_shape", name):
                sides.append(_prepared(each, options))
        value = _score(options, _Met(*sides))
    value = array.like(value, X) if array.recording(X, Y) else array.placed(float(value), X)
    return checks.finite("stochastic_shape", value, **rows)


@dataclass(frozen=True, eq=False)
class _Met:
    """Two sets of clouds."""

    x: Clouds
    y: Clouds


def _objective(options: Mapping[str, Any]) -> turns.Objective:
    if options["form"] == "gaussian":
        return turns.Gaussian(float(options["alpha"]))
    # With squares the pairs fall away, and nothing is left of them but the means.
    return turns.Energy(float(options["exponent"]))


def _score(options: Mapping[str, Any], met: _Met) -> Array:
    objective = _objective(options)
    factor = 1.0
    if options["form"] == "energy" and options["exponent"] == 2:
        # What squares leave of the pairs are the means, of which α = 2 takes twice the square.
        objective, factor = turns.Gaussian(2.0), 0.5
    x, y, unit = turns.common(met.x, met.y)
    Q = turns.best(objective, x, y, options["restarts"], options["seed"])
    xp = array.namespace(x.rows)
    Q = xp.asarray(Q, dtype=x.rows.dtype, device=array.device(x.rows))
    distance = xp.sqrt(factor * objective.squared(x, y, Q))
    power = options["exponent"] / 2 if options["form"] == "energy" else 1
    return distance / unit**power


def _prepared(X: Array, options: Mapping[str, Any]) -> Clouds:
    clouds = Clouds.of(X)
    if array.recording(X):
        return clouds
    xp = array.namespace(clouds.rows)
    peak = float(xp.max(xp.abs(clouds.rows)))
    if _by_means(options) and _none(clouds.means, peak):
        raise DegenerateInputError(
            "kernel: `X` has sample means that are all the same, and nothing else is looked at. "
            "Leave it out, or weigh the covariances: alpha < 2, or exponent < 2."
        )
    spread = options["form"] == "gaussian" and options["alpha"] == 0
    if spread and _none(clouds.spread, peak):
        raise DegenerateInputError(
            "kernel: `X` has no noise: all repeats of a sample are the same, and alpha=0 looks at "
            "nothing else. Leave it out, or give alpha > 0."
        )
    if not peak:
        checks.locate("kernel", X=repeats.flat(X))
    return clouds


def _none(Z: Array, peak: float) -> bool:
    """Whether `Z` is zero but for rounding, beside repeats that are not."""
    xp = array.namespace(Z)
    return float(xp.max(xp.abs(Z))) <= 16 * float(xp.finfo(Z.dtype).eps) * peak and peak > 0


def _by_means(options: Mapping[str, Any]) -> bool:
    """Whether nothing but the means is looked at."""
    return options["alpha" if options["form"] == "gaussian" else "exponent"] == 2


def _by_spread(options: Mapping[str, Any]) -> bool:
    """Whether there must be covariances."""
    return options["form"] == "gaussian" and options["alpha"] != 2


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    key = ("clouds", options["form"], options["alpha"], options["exponent"])
    return Preparation(key, lambda X: _prepared(X, options), _Met)


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], FORMS)
    for name, interval in (("alpha", "[0, 2]"), ("exponent", "(0, 2]")):
        value = options[name]
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not 0 <= value <= 2 or (name == "exponent" and value == 0):
            raise ValueError(checks.message(where, name, f"be in {interval}", repr(value)))
    other, owner = ("exponent", "energy") if options["form"] == "gaussian" else ("alpha", FORMS[0])
    if options[other] != 1:
        raise ValueError(
            checks.message(
                where,
                other,
                f"be left as it is with form={options['form']!r}",
                repr(options[other]),
                f"It belongs to form={owner!r}.",
            )
        )
    checks.count(where, "restarts", options["restarts"])
    seed = options["seed"]
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(checks.message(where, "seed", "be a whole number, 0 or more", repr(seed)))


def _describe(options: Mapping[str, Any]) -> str:
    if options["form"] == "energy":
        kind = f"energy distance (exponent {options['exponent']:g})"
    else:
        weights = {0: "covariances alone", 1: "2-Wasserstein", 2: "means alone"}
        alpha = options["alpha"]
        kind = f"Gaussian distance ({weights.get(alpha, f'alpha {alpha:g}')})"
    return f"root mean square {kind} of samples after the best rotation found: an upper bound"


def _specialise(measure: Measure) -> Measure:
    return replace(measure, metric=_by_means(measure.settings))


STOCHASTIC_SHAPE = _specialise(
    Measure(
        name="stochastic_shape",
        title="Stochastic shape distance",
        family="shape",
        function=stochastic_shape,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Duong et al. (2023), arXiv:2211.11665",
        statistic="centred repeats",
        cost="restarts·steps·(m(r + s)rs + (p + q)³)",
        low=0.0,
        high=math.inf,
        direction="distance",
        invariant_to=frozenset({TRANSLATION, PERMUTATION, ORTHOGONAL}),
        not_invariant_to=frozenset({SCALING, LINEAR}),
        inputs=REPEATS,
        variants=({"alpha": 0.0}, {"alpha": 2.0}, {"form": "energy"}),
        specialise=_specialise,
    )
)
