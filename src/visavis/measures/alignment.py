"""HSIC and centred kernel alignment."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from visavis import kernels
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures.aligned import Aligned
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PAIRWISE,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
    Work,
)
from visavis.stats import Features, Gram, Sums, crossed, permutation_moments, summed
from visavis.stats import hsic as formulas

KernelSpec = Kernel | str | tuple[Kernel | str, Kernel | str]

_KORNBLITH = "Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414"


def hsic(
    X: Array, Y: Array, /, *, kernel: KernelSpec = "linear", estimator: str = "debiased"
) -> Array:
    """Hilbert–Schmidt independence criterion of two representations.

    Biased: ``tr(KHLH)/(n − 1)²`` with Gram matrices K, L and H = I − 11ᵀ/n [1]_, [2]_. Debiased:
    the U-statistic ``⟨K̃, L̃⟩/(n(n − 3))`` of U-centred Gram matrices [3]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    kernel : str, Kernel or pair of these
        How alike two samples of one side are; one for both sides or one for each. See
        `visavis.kernels`.
    estimator : {"debiased", "biased"}
        The debiased one has mean zero for independent samples.

    Returns
    -------
    0-d array
        In squared units of both kernels; ``[0, ∞)`` biased, ``(−∞, ∞)`` debiased, higher is more
        dependent. A constant representation has HSIC 0 with anything.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 4 rows (2 if biased).
    DegenerateInputError
        If an entry is NaN or infinite, or the value cannot be represented in the dtype.

    Notes
    -----
    *Invariant to*: translation, orthogonal maps (linear and RBF kernels). *Not to*: the scale of
    the features with the linear kernel, invertible linear maps. *Streaming*: `Moments.hsic` with
    the linear kernel. *Cost*: the smaller of n²(p + q) and n(p + q)². *Numerics*: features are
    centred first; sums are accumulated in float64.

    *When*: to ask whether two sides depend on each other at all, as a statistic of a test or a term
    of a loss. With the linear kernel it sees linear dependence only. *When not*: to say how alike
    they are, or to compare pairs of layers: it has no upper end and grows with the scale of either
    side, which `cka` divides out.

    References
    ----------
    .. [1] Gretton, Bousquet, Smola & Schölkopf (2005), doi:10.1007/11564089_7.
    .. [2] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.
    .. [3] Song, Smola, Gretton, Bedo & Borgwardt (2012), JMLR 13.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(100, 10))
    >>> bool(abs(vv.hsic(X, X[::-1])) < 0.1 * vv.hsic(X, X))
    True
    """
    X, Y, sides = _checked("hsic", X, Y, kernel, estimator)
    with checks.diagnosed("hsic", X=X, Y=Y):
        met = _together("hsic", X, Y, sides)
        value = array.like(_score_hsic({"estimator": estimator}, met), X)
        held = met.hsic(0, 1, estimator)
    if not array.recording(X, Y) and array.read(value) == 0 and array.read(held) != 0:
        raise DegenerateInputError(
            f"hsic: the value is too small for {array.dtype_name(X)}. Rescale the features, or use "
            "cka, which does not depend on their scale."
        )
    return checks.finite("hsic", value, X=X, Y=Y)


def cka(
    X: Array, Y: Array, /, *, kernel: KernelSpec = "linear", estimator: str = "debiased"
) -> Array:
    """Centred kernel alignment: HSIC normalised to 1 for identical representations.

    ``HSIC(K, L)/√(HSIC(K, K)·HSIC(L, L))``; with the linear kernel and the biased estimator
    ``‖YcᵀXc‖²/(‖XcᵀXc‖‖YcᵀYc‖)`` [1]_. The debiased estimator replaces each HSIC by the
    U-statistic of Song et al. [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    kernel : str, Kernel or pair of these
        How alike two samples of one side are; one for both sides or one for each. See
        `visavis.kernels`.
    estimator : {"debiased", "biased"}
        The biased one is the paper's. It grows towards 1 with the width of the layers whatever
        they hold: independent Gaussian features score 0.5 at n = p = q = 100.

    Returns
    -------
    0-d array
        ``[0, 1]`` biased, ``[−1, 1]`` debiased, higher is more alike. A small negative debiased
        value is what unrelated representations give.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 4 rows (2 if biased).
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps (linear and RBF kernels).
    *Not to*: invertible linear maps. *Streaming*: `Moments.cka` with the linear kernel. *Cost*:
    the smaller of n²(p + q) and n(p + q)². *Numerics*: features are centred first; sums are
    accumulated in float64.

    *When*: the first choice for layers of different widths and scales: do the same pairs of samples
    look alike on both sides, by the directions of large variance? *When not*: a few directions or a
    few outlying samples hold most of the variance, which then decide the value alone: it moves by
    much where a network computes the same [3]_, and by little when many small directions that a
    probe needs are deleted [4]_. See `visavis.inference.diagnose`; `procrustes` and `cca` weigh
    small directions more.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.
    .. [2] Song, Smola, Gretton, Bedo & Borgwardt (2012), JMLR 13.
    .. [3] Davari, Horoi, Natik, Lajoie, Wolf & Belilovsky (2022), arXiv:2210.16156.
    .. [4] Ding, Denain & Steinhardt (2021), arXiv:2108.01661.

    Examples
    --------
    Unrelated representations: the biased estimate reports its width, the debiased one nothing.

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 100, 1000))
    >>> round(float(vv.cka(X, Y, estimator="biased")), 2)
    0.91
    >>> bool(abs(vv.cka(X, Y)) < 0.05)
    True
    """
    X, Y, sides = _checked("cka", X, Y, kernel, estimator)
    with checks.diagnosed("cka", X=X, Y=Y):
        met = _together("cka", X, Y, sides)
        value = array.like(_score_cka({"estimator": estimator}, met), X)
    if not array.recording(X, Y) and not math.isfinite(array.read(value) or 0.0):
        checks.locate("cka", X=X, Y=Y)
        with checks.quiet():
            norms = [array.read(met.norm(side, estimator)) for side in (0, 1)]
        for norm, name in zip(norms, "XY", strict=True):
            if norm == 0:
                raise DegenerateInputError(f"cka: `{name}` {formulas.EQUIDISTANT}")
    return checks.finite("cka", value, X=X, Y=Y)


def _together(where: str, X: Array, Y: Array, sides: tuple[Kernel, Kernel]) -> Sums | Aligned:
    shapes = Shapes(X.shape[0], (X.shape[1],), (Y.shape[1],))
    if linear(sides) and cheaper_form(shapes) == "features":
        return summed((X, Y))
    with checks.side(where, "X"):
        x = Gram.of(X, sides[0])
    with checks.side(where, "Y"):
        return Aligned(x, Gram.of(Y, sides[1]))


def _checked(
    where: str, X: Array, Y: Array, kernel: KernelSpec, estimator: str
) -> tuple[Array, Array, tuple[Kernel, Kernel]]:
    checks.option(where, "estimator", estimator, formulas.ESTIMATORS)
    sides = kernel_sides(where, kernel)
    X, Y = checks.pair(where, X, Y, minimum_rows=4 if estimator == "debiased" else 2)
    return X, Y, sides


def kernel_sides(where: str, kernel: KernelSpec) -> tuple[Kernel, Kernel]:
    """Return the kernels of both sides from one for both or a pair."""
    if not isinstance(kernel, tuple):
        kernel = (kernel, kernel)
    if len(kernel) != 2:
        raise ValueError(
            checks.message(where, "kernel", "be one kernel or a pair", f"{len(kernel)} of them")
        )
    return kernels.named(where, kernel[0]), kernels.named(where, kernel[1])


def linear(sides: tuple[Kernel, ...]) -> bool:
    """Whether all kernels are linear."""
    return all(kernel.name == "linear" for kernel in sides)


FEATURES = Work(
    lambda n, p: n * p,
    lambda n, p: 2 * n * p * p,
    lambda n, p, q: 2 * n * p * q,
    wide=False,
)

# What reading and writing an entry of a Gram matrix a few times costs, in multiplications.
_PER_ENTRY = 48


def cheaper_form(shapes: Shapes) -> str:
    """Return which form of linear HSIC costs less for all pairs of layers: "gram" or "features".

    Gram: n² operations per feature and n² per pair. Features: n·p·q per pair, and n·p² per layer.
    """
    n, x, y = shapes.n, shapes.x, shapes.y
    gram = n * n * (sum(x) + sum(y) + len(x) * len(y) + _PER_ENTRY * (len(x) + len(y)))
    features = n * (2 * sum(x) * sum(y) + sum(p * p for p in (*x, *y)))
    return "gram" if gram < features else "features"


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    sides = kernel_sides("cka", options["kernel"])
    if linear(sides) and cheaper_form(shapes) == "features":
        return Preparation("features", Features.of, Aligned, kernel=sides[side], work=FEATURES)
    return Preparation(
        ("gram", sides[side]),
        lambda X: Gram.of(X, sides[side]),
        Aligned,
        crossed,
        sides[side] if sides[side].fitted else None,
        replace(PAIRWISE, wide=sides[side].name not in {"linear", "rbf"}),
    )


def _score_hsic(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    return formulas.true_hsic(met.hsic(0, 1, options["estimator"]), *met.units)


def _score_cka(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    estimator = options["estimator"]
    norms = (met.norm(side, estimator) for side in (0, 1))
    return formulas.cka(met.hsic(0, 1, estimator), *norms)


def _chance_hsic(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    value = formulas.chance(met.trace(0), met.trace(1), met.n, options["estimator"])
    return formulas.true_hsic(value, *met.units)


def _chance_cka(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    estimator = options["estimator"]
    value = formulas.chance(met.trace(0), met.trace(1), met.n, estimator)
    return formulas.cka(value, *(met.norm(side, estimator) for side in (0, 1)))


def _spread_cka(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    if options["estimator"] == "debiased":
        # Not a number where a side has nothing to align.
        own = met.norm(0, "debiased") * met.norm(1, "debiased")
        return own / own * permutation_moments.variance(met.n) ** 0.5
    value = permutation_moments.variance_biased(met)
    return array.namespace(value).sqrt(value)


def _spread_hsic(options: Mapping[str, Any], met: Sums | Aligned) -> Array:
    estimator = options["estimator"]
    scale = met.norm(0, estimator) * met.norm(1, estimator)
    return formulas.true_hsic(_spread_cka(options, met) * scale, *met.units)


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "estimator", options["estimator"], formulas.ESTIMATORS)
    kernel_sides(where, options["kernel"])


def _describe(options: Mapping[str, Any]) -> str:
    sides = kernel_sides("cka", options["kernel"])
    names = str(sides[0]) if sides[0] == sides[1] else f"{sides[0]} × {sides[1]}"
    meaning = {
        "debiased": "unrelated representations score 0 on average, whatever their width",
        "biased": "unrelated representations score above 0, the more the wider they are",
    }
    return f"{names} kernel, {options['estimator']} estimator: {meaning[options['estimator']]}"


# What each kernel forgets of the features; every other map moves the value in general.
_FORGETS = {
    "linear": {TRANSLATION, PERMUTATION, ORTHOGONAL},
    "rbf": {TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL},
    "laplacian": {TRANSLATION, SCALING, PERMUTATION},
    "polynomial": {PERMUTATION, ORTHOGONAL},
    "cosine": {SCALING, PERMUTATION, ORTHOGONAL},
    "precomputed": set[str](),
}
_ALL = frozenset({TRANSLATION, SCALING, PERMUTATION, ORTHOGONAL, LINEAR})


def specialise_kernels(measure: Measure) -> Measure:
    """Return the record with the facts that hold under its kernels and its estimator."""
    sides = kernel_sides(measure.name, measure.settings["kernel"])
    forgotten = frozenset.intersection(*(frozenset(_FORGETS.get(k.name, ())) for k in sides))
    biased = measure.settings["estimator"] == "biased"
    if measure.name != "hsic" and linear(sides):
        forgotten |= {SCALING}
    low = 0.0 if biased else (-math.inf if measure.name == "hsic" else -1.0)
    return replace(
        measure,
        low=low,
        minimum_rows=2 if biased else 4,
        symmetric=sides[0] == sides[1],
        invariant_to=forgotten,
        # A precomputed Gram matrix has no features to be transformed.
        not_invariant_to=frozenset()
        if any(k.name == "precomputed" for k in sides)
        else _ALL - forgotten,
        statistic="Moments (one pass)" if linear(sides) else "Gram matrices",
        cost="min(n²(p + q), n(p + q)²)" if linear(sides) else "n²(p + q)",
    )


_VARIANTS = (
    {"estimator": "biased"},
    {"kernel": kernels.rbf(0.5)},
    {"kernel": kernels.rbf(0.5), "estimator": "biased"},
    {"kernel": kernels.laplacian()},
    {"kernel": kernels.polynomial()},
    {"kernel": kernels.cosine()},
    {"kernel": kernels.precomputed()},
)

HSIC = specialise_kernels(
    Measure(
        name="hsic",
        title="Hilbert–Schmidt independence criterion",
        family="alignment",
        function=hsic,
        prepare=_prepare,
        score=_score_hsic,
        chance=_chance_hsic,
        spread=_spread_hsic,
        describe=_describe,
        check=_check,
        reference="Gretton et al. (2005), doi:10.1007/11564089_7; Song et al. (2012), JMLR 13",
        statistic="",
        cost="",
        low=-math.inf,
        high=math.inf,
        invariant_to=frozenset(),
        variants=_VARIANTS,
        specialise=specialise_kernels,
    )
)

CKA = specialise_kernels(
    Measure(
        name="cka",
        title="Centred kernel alignment",
        family="alignment",
        function=cka,
        prepare=_prepare,
        score=_score_cka,
        chance=_chance_cka,
        spread=_spread_cka,
        describe=_describe,
        check=_check,
        reference=f"{_KORNBLITH}; debiased: Song et al. (2012), JMLR 13",
        statistic="",
        cost="",
        low=-1.0,
        high=1.0,
        invariant_to=frozenset(),
        variants=_VARIANTS,
        specialise=specialise_kernels,
    )
)
