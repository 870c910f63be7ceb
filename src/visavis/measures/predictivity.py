"""Predictivity: how well one representation is predicted from another, out of sample."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np

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
from visavis.stats import folds as dealt
from visavis.stats import prediction
from visavis.stats.folds import Directed, Folded

MODELS = ("ridge", "pls")
SCORES = ("r2", "pearson")
# Averages over targets by score, the default first.
AVERAGES = {"r2": ("weighted", "mean", "median"), "pearson": ("median", "mean")}


def predictivity(
    X: Array,
    Y: Array,
    /,
    *,
    model: str = "ridge",
    score: str = "r2",
    average: str | None = None,
    folds: int | Sequence[Any] | Array = 5,
    seed: int | None = 0,
    penalties: float | Sequence[float] | None = None,
    components: int = 25,
) -> Array:
    """How well Y is predicted from X by a linear map, on samples that it was not fitted on.

    ``1 − Σ‖y_i − ŷ_i‖²/Σ‖y_i − ȳ‖²`` over all samples i, with ŷ_i predicted by a map, and ȳ the
    mean, of the samples outside the fold of i; or the correlation of y and ŷ as in [1]_, [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows; the predictors.
    Y : array, (n, q)
        The same samples in the same order; what is predicted.
    model : {"ridge", "pls"}
        ``"ridge"``: least squares with a penalty, one for all targets of a fold, the one with the
        least squared error when each training row is predicted from all others of the training.
        ``"pls"``: partial least squares of all targets at once, no column brought to unit variance.
    score : {"r2", "pearson"}
        ``"r2"``: the formula above. ``"pearson"``: the correlation of each target with its
        prediction over the rows of a fold, averaged over targets, then over folds.
    average : {"weighted", "mean", "median"}, optional
        Over targets. ``"weighted"``: by their variance, the default of "r2" and of "r2" alone;
        ``"median"``: the default of "pearson"; ``"mean"``: all targets alike.
    folds : int, or sequence or array (n,)
        The number of folds, 2 or more, whose sizes differ by one at most; or the fold of each
        sample, numbers or words: samples that belong together go into one.
    seed : int, optional
        Of the order in which samples are dealt to the folds. None takes runs of rows, as for time
        series. It says nothing where `folds` does.
    penalties : number or sequence of numbers, optional
        Of ridge, each zero or more, in units of the largest squared singular value of the centred
        training rows. ``10⁻⁸, 10⁻⁷, …, 10²`` by default. 0 alone is least squares, of least norm
        if there are more features than samples.
    components : int
        Of partial least squares; fewer where X has fewer dimensions.

    Returns
    -------
    0-d array
        ``(−∞, 1]`` for "r2": 0 is what the mean of the training rows is worth, below zero is worse.
        ``[−1, 1]`` for "pearson"; higher is more alike. Not symmetric. A representation does not
        predict all of itself once it has more dimensions than there are training rows.

    Raises
    ------
    ValueError
        If shapes do not match, an option is not allowed, or there are fewer than 5 rows (as many as
        folds and 4, for "pearson" three times as many as folds).
    TypeError
        If values cannot be read (inside ``jax.jit``, say).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant; and where targets are scored one by
        one, if one does not vary, in all or for "pearson" within a fold, or its prediction.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps, these of Y only with the
    average "weighted". *Not to*: invertible linear maps; the order of the rows, which with the seed
    decides upon the folds: permute both sides and it moves as with another seed. *Streaming*: none.
    *Cost*: for each fold one decomposition of X, n·min(n, p)², whatever it predicts; and npq for
    each penalty and pair, or pq·min(p, q) for each component. There is no gradient. *Numerics*:
    computed in float64; directions of X below the resolution of the input dtype are left out;
    penalties whose errors agree to ten digits are equal, and the largest of these is taken.

    "r2" punishes a wrong scale, "pearson" does not see one.

    *When*: can Y be read out of X by a linear map, on samples that took no part in the fit? That is
    what `linear_regression` lacks, which grows with the number of features.
    ``model="pls", score="pearson", folds=10`` is what the field calls neural predictivity, before
    division by a noise ceiling. *When not*: a likeness is asked for: a wide X predicts most things,
    and what else it holds costs nothing. Samples that are not independent (frames of a film,
    patches of an image) leak from fold to fold and need folds of their own.

    References
    ----------
    .. [1] Schrimpf et al. (2018), doi:10.1101/407007.
    .. [2] Yamins, Hong, Cadieu, Solomon, Seibert & DiCarlo (2014), doi:10.1073/pnas.1403112111.

    Examples
    --------
    Sixty features predict noise in sample, but not out of it:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(100, 60)), rng.normal(size=(100, 5))
    >>> bool(vv.linear_regression(X, Y) > 0.5), bool(vv.predictivity(X, Y) < 0.1)
    (True, True)
    """
    options = {
        "model": model,
        "score": score,
        "average": average,
        "folds": folds,
        "seed": seed,
        "penalties": penalties,
        "components": components,
    }
    _check("predictivity", options)
    X, Y = checks.pair("predictivity", X, Y, minimum_rows=_fewest(options))
    checks.readable("predictivity", because="The penalty is chosen by values", X=X, Y=Y)
    parts = _parts(options, X.shape[0])
    with checks.diagnosed("predictivity", X=X, Y=Y):
        with checks.side("predictivity", "X"):
            x = Folded.of(X, parts)
        with checks.side("predictivity", "Y"):
            y = Folded.of(Y, parts)
            value = _score(options, Directed(x, y))
    return checks.finite("predictivity", array.placed(float(value), X), X=X, Y=Y)


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    folds = int(options["folds"]) if isinstance(options["folds"], Integral) else 10
    rounds = 2 + (len(_penalties(options)) if options["model"] == "ridge" else 0)
    return Preparation(
        ("folds", dealt.key(options["folds"]), options["seed"]),
        lambda X: Folded.of(X, _parts(options, shapes.n)),
        Directed,
        work=Work(
            lambda n, p: n * (p + min(n, p)) + folds * min(n, p) ** 2,
            lambda n, p: 2 * n * p * min(n, p) + 10 * folds * n * min(n, p) ** 2,
            lambda n, p, q: 2 * rounds * folds * n * min(n, p) * q,
        ),
    )


def _penalties(options: Mapping[str, Any]) -> tuple[float, ...]:
    given = options["penalties"]
    return prediction.PENALTIES if given is None else tuple(np.atleast_1d(given).tolist())


def _score(options: Mapping[str, Any], met: Directed) -> Array:
    options = {**options, "penalties": _penalties(options)}
    average = _average(options)
    if average == "weighted":
        return np.asarray(prediction.explained(met, options))
    over: Callable[..., Any] = {"mean": np.mean, "median": np.median}[average]
    if options["score"] == "r2":
        return np.asarray(over(prediction.explained_each(met, options)))
    return np.asarray(np.mean(over(prediction.correlations(met, options), axis=1)))


def _average(options: Mapping[str, Any]) -> str:
    return options["average"] or AVERAGES[options["score"]][0]


def _parts(options: Mapping[str, Any], n: int) -> list[np.ndarray]:
    """Return the rows that each fold holds out, checked against the number of samples."""
    where, folds = "predictivity", options["folds"]
    if not isinstance(folds, Integral) and dealt.numbered(folds).shape != (n,):
        seen = f"shape {np.shape(folds)}"
        raise ValueError(checks.message(where, "folds", f"be one for each of the {n} rows", seen))
    parts = dealt.assigned(folds, n, options["seed"])
    largest, smallest = max(map(len, parts)), min(map(len, parts))
    if n - largest < 2:
        seen = f"one of {largest} of {n} rows"
        raise ValueError(checks.message(where, "folds", "leave two rows to every training", seen))
    if options["score"] == "pearson" and smallest < 3:
        raise ValueError(
            checks.message(
                where,
                "folds",
                "hold three rows or more each for score='pearson'",
                f"one of {smallest}",
                "Two always correlate by 1 or −1. Use fewer folds, or score='r2'.",
            )
        )
    return parts


def _fewest(options: Mapping[str, Any]) -> int:
    folds = options["folds"] if isinstance(options["folds"], Integral) else 2
    return 3 * int(folds) if options["score"] == "pearson" else max(4, int(folds))


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "model", options["model"], MODELS)
    checks.option(where, "score", options["score"], SCORES)
    if options["average"] is not None:
        checks.option(where, "average", options["average"], AVERAGES[options["score"]])
    checks.count(where, "components", options["components"])
    _check_folds(where, options["folds"], options["seed"])
    penalties = options["penalties"]
    if penalties is None:
        return
    several = list(penalties) if isinstance(penalties, Sequence | np.ndarray) else [penalties]
    if not several or not all(_penalty(each) for each in several):
        expected = "be a number or several, each finite and zero or more"
        raise ValueError(checks.message(where, "penalties", expected, repr(penalties)))


def _check_folds(where: str, folds: Any, seed: Any) -> None:
    if _whole(folds):
        enough = folds >= 2
    else:
        several = not isinstance(folds, str | bytes) and np.ndim(folds) == 1 and len(folds) > 0
        enough = several and dealt.numbered(folds).max() >= 1
    if not enough:
        expected = "be a number of folds, 2 or more, or the fold of each row, of 2 or more"
        raise ValueError(checks.message(where, "folds", expected, repr(folds)))
    if seed is not None and not (_whole(seed) and seed >= 0):
        expected = "be a whole number, 0 or more, or None"
        raise ValueError(checks.message(where, "seed", expected, repr(seed)))


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _penalty(value: Any) -> bool:
    real = isinstance(value, Real) and not isinstance(value, bool)
    return real and 0 <= float(value) < math.inf


def _describe(options: Mapping[str, Any]) -> str:
    fitted = (
        "ridge regression"
        if options["model"] == "ridge"
        else f"{options['components']} components of partial least squares"
    )
    scored = {"r2": "R²", "pearson": "correlation"}[options["score"]]
    over = {"weighted": "variance-weighted", "mean": "mean", "median": "median"}[_average(options)]
    counted = isinstance(options["folds"], Integral)
    parts = f"{options['folds']} folds" if counted else "folds that were given"
    return (
        f"{over} {scored} of the column layer predicted from the row layer by {fitted}, out of "
        f"sample over {parts}; not symmetric"
    )


def _specialise(measure: Measure) -> Measure:
    options = measure.settings
    forgotten = {TRANSLATION, SCALING, PERMUTATION}
    weighted = _average(options) == "weighted"
    forgotten |= {ORTHOGONAL} if weighted else set()
    return replace(
        measure,
        low=-math.inf if options["score"] == "r2" else -1.0,
        minimum_rows=_fewest(options),
        # A target alone may not vary in a fold, and then has no score of its own.
        always_defined=weighted,
        constant_features="ignored" if weighted else "refused",
        invariant_to=frozenset(forgotten),
        not_invariant_to=frozenset({ORTHOGONAL, LINEAR} - forgotten),
    )


PREDICTIVITY = _specialise(
    Measure(
        name="predictivity",
        title="Predictivity",
        family="prediction",
        function=predictivity,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Schrimpf et al. (2018), doi:10.1101/407007; Yamins et al. (2014), "
        "doi:10.1073/pnas.1403112111",
        statistic="singular vectors of the training rows of each fold (host)",
        cost="folds·(n·min(n, p)² + npq·penalties)",
        low=-math.inf,
        high=1.0,
        symmetric=False,
        reflexive=False,
        invariant_to=frozenset(),
        variants=(
            {"model": "pls"},
            {"score": "pearson"},
            {"model": "pls", "score": "pearson", "folds": 10},
        ),
        specialise=_specialise,
    )
)
