"""CKA of a sample of the neurons, and of the leading ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from visavis import kernels, linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.measures.aligned import Aligned
from visavis.measures.alignment import (
    CKA,
    KernelSpec,
    cheaper_form,
    cka,
    specialise_kernels,
)
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import Features, Gram, crossed


def sampled_cka(X: Array, Y: Array, /) -> Array:
    """CKA of two populations of neurons, of which the features are random samples.

    The debiased numerator over ``√(d_x·d_y)`` with
    ``d_x = (p²·HSIC₁(K, K) − Σ_j HSIC₁(x_jx_jᵀ, x_jx_jᵀ))/(p(p − 1))`` and ``K = XXᵀ/p``: products
    of a neuron with itself are left out, as those of a sample with itself are [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows; p neurons, two at least, drawn at random from a larger population.
    Y : array, (n, q)
        The same samples in the same order; q neurons of another population.

    Returns
    -------
    0-d array
        ``(−∞, ∞)``, higher is more alike: an estimate of what `cka` would be with all neurons and
        samples, which few neurons leave so noisy that it may pass 1.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 4 rows.
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant or of a single neuron, or the neurons of
        a side have so little in common that the estimate of its norm is not positive.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, permutations of features. *Not to*: orthogonal
    maps, for the neurons are the sample; invertible linear maps. *Cost*: that of `cka`.

    *When*: tens or hundreds of recorded neurons stand for a brain area, or random units for a wide
    layer: `cka` is lower the fewer they are. *When not*: all units of the layer are there.

    References
    ----------
    .. [1] Chun, Canatar, Chung & Lee (2025), arXiv:2502.15104.

    Examples
    --------
    Two samples of 20 neurons that mix the same five signals:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(500, 5))
    >>> X, Y = (Z @ rng.normal(size=(5, 20)) + rng.normal(size=(500, 20)) for _ in range(2))
    >>> bool(vv.cka(X, Y) < vv.sampled_cka(X, Y))
    True
    """
    X, Y = checks.pair("sampled_cka", X, Y, minimum_rows=4)
    shapes = Shapes(X.shape[0], (X.shape[1],), (Y.shape[1],))
    with checks.diagnosed("sampled_cka", X=X, Y=Y):
        x, y = (_prepare_sampled({}, side, shapes) for side in (0, 1))
        with checks.side("sampled_cka", "X"):
            kept = x.run(X)
        with checks.side("sampled_cka", "Y"):
            met = x.meet(kept, y.run(Y))
        value = array.like(_score_sampled({}, met), X)
    return checks.finite("sampled_cka", value, X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Sample:
    """A representation and the root of the HSIC with itself over pairs of different neurons."""

    own: Gram | Features
    norm: Array

    @classmethod
    def of(cls, X: Array, *, narrow: bool) -> "_Sample":
        n, p = X.shape
        if p < 2:
            raise DegenerateInputError(
                "kernel: `X` must have at least two neurons, got one: nothing says what another "
                "one would give. Use cka."
            )
        own = Features.of(X) if narrow else Gram.of(X, kernels.linear())
        xp = array.namespace(X)
        # Alike in unit: of each column the same power of two as of the whole.
        centred, unit = linalg.centred(X)
        ratio = own.unit / unit
        squares = (centred * ratio) ** 2
        second, fourth = xp.sum(squares, axis=0), xp.sum(squares**2, axis=0)
        alone = (second**2 - fourth + second**2 / ((n - 1) * (n - 2)) - 2 * fourth / (n - 2)) / (
            n * (n - 3)
        )
        left = (own.norm("debiased") ** 2 - xp.sum(alone)) / (p * (p - 1))
        seen = None if array.recording(X) else array.read(left)
        if seen is not None and not seen > 1e-12 * float(xp.sum(alone)) / (p * (p - 1)):
            checks.locate("kernel", X=X)
            raise DegenerateInputError(
                "kernel: `X` must have neurons that share something, got an estimate of "
                f"{seen:.3g} for the square of its norm over pairs of neurons. Give more neurons "
                "or samples, or use cka."
            )
        return cls(own, xp.sqrt(left) * p)


def _prepare_sampled(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    narrow = cheaper_form(shapes) == "features"

    def cross(xs: Sequence[_Sample], ys: Sequence[_Sample]) -> Array:
        return crossed([each.own for each in xs], [each.own for each in ys])  # pyright: ignore[reportArgumentType]

    def meet(x: _Sample, y: _Sample, off: Array | None = None) -> tuple[Aligned, Array]:
        return Aligned(x.own, y.own, off), x.norm * y.norm

    return Preparation(
        ("sampled", narrow),
        lambda X: _Sample.of(array.widen(X), narrow=narrow),
        meet,
        None if narrow else cross,
    )


def _score_sampled(options: Mapping[str, Any], met: tuple[Aligned, Array]) -> Array:
    aligned, norms = met
    return aligned.hsic(0, 1, "debiased") / norms


def _chance_sampled(options: Mapping[str, Any], met: tuple[Aligned, Array]) -> Array:
    return 0.0 * met[1]


def prefix_cka(
    X: Array,
    Y: Array,
    /,
    *,
    dimensions: int | tuple[int | None, int | None],
    kernel: KernelSpec = "linear",
    estimator: str = "debiased",
) -> Array:
    """CKA of the first dimensions of one representation with another one.

    ``CKA(X[:, :k], Y)`` [1]_: for embeddings whose prefixes are embeddings themselves, as in
    Matryoshka learning [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    dimensions : int or pair of int
        How many features of X to keep, or of X and of Y; None in the pair keeps all.
    kernel : str, Kernel or pair of these
        As in `cka`.
    estimator : {"debiased", "biased"}
        As in `cka`.

    Returns
    -------
    0-d array
        ``[−1, 1]`` debiased, ``[0, 1]`` biased, higher is more alike. Not symmetric unless the same
        number is kept of both.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 4 rows (2 if biased), or fewer features than
        are to be kept.
    DegenerateInputError
        If an entry is NaN or infinite, or what is kept of a side is constant.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling. *Not to*: permutations of features, orthogonal
    and invertible linear maps: the order of the features is what is asked about. *Cost*: that of
    `cka`. Differentiable.

    *When*: how much of an embedding its first dimensions hold. *When not*: features have no order:
    see `svcca` for principal components.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.
    .. [2] Kusupati et al. (2022), arXiv:2205.13147.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(2000, 16))
    >>> [round(float(vv.prefix_cka(X, X, dimensions=k)), 1) for k in (1, 4, 16)]
    [0.2, 0.5, 1.0]
    """
    _check_prefix(
        "prefix_cka", {"dimensions": dimensions, "kernel": kernel, "estimator": estimator}
    )
    X, Y = checks.pair("prefix_cka", X, Y, minimum_rows=4 if estimator == "debiased" else 2)
    kept = (_prefix(name, Z, k) for name, Z, k in zip("XY", (X, Y), _both(dimensions), strict=True))
    try:
        return cka(*kept, kernel=kernel, estimator=estimator)
    except DegenerateInputError as error:
        checks.locate("prefix_cka", X=X, Y=Y)
        raise DegenerateInputError(f"prefix_{error}") from None


def _both(dimensions: Any) -> tuple[int | None, int | None]:
    return dimensions if isinstance(dimensions, tuple) else (dimensions, None)


def _prefix(name: str, X: Array, k: int | None) -> Array:
    if k is not None and k > X.shape[1]:
        expected = f"be at most the {X.shape[1]} features of `{name}`"
        raise ValueError(checks.message("prefix_cka", "dimensions", expected, f"{k}"))
    return X[:, : X.shape[1] if k is None else k]


def _check_prefix(where: str, options: Mapping[str, Any]) -> None:
    CKA.check(where, options)
    pair = _both(options["dimensions"])
    if len(pair) != 2:
        expected = "be one number or a pair"
        raise ValueError(checks.message(where, "dimensions", expected, repr(pair)))
    for k in pair:
        if k is not None:
            checks.count(where, "dimensions", k)


def _prepare_prefix(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    sizes = _both(options["dimensions"])
    widths = [
        tuple(width if k is None else min(k, width) for width in side_widths)
        for k, side_widths in zip(sizes, (shapes.x, shapes.y), strict=True)
    ]
    inner = CKA.prepare(_cka(options), side, Shapes(shapes.n, widths[0], widths[1]))
    return replace(
        inner,
        key=("prefix", sizes[side], inner.key),
        run=lambda X: inner.run(_prefix("XY"[side], X, sizes[side])),
    )


def _cka(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"kernel": options["kernel"], "estimator": options["estimator"]}


def _specialise_prefix(measure: Measure) -> Measure:
    facts = specialise_kernels(measure)
    kept = _both(measure.settings["dimensions"])
    blind = facts.invariant_to - {PERMUTATION, ORTHOGONAL}
    alike = facts.symmetric and kept[0] == kept[1] and kept[0] is not None
    return replace(
        facts,
        statistic="Gram matrices",
        symmetric=alike,
        reflexive=alike,
        invariant_to=blind,
        not_invariant_to=facts.not_invariant_to | {PERMUTATION, ORTHOGONAL},
    )


SAMPLED_CKA = Measure(
    name="sampled_cka",
    title="CKA of sampled neurons",
    family="alignment",
    function=sampled_cka,
    prepare=_prepare_sampled,
    score=_score_sampled,
    chance=_chance_sampled,
    describe=lambda options: "linear CKA between the populations that the features are samples of",
    check=lambda where, options: None,
    reference="Chun, Canatar, Chung & Lee (2025), arXiv:2502.15104",
    statistic="Gram matrices and powers of each feature",
    cost="min(n²(p + q), n(p + q)²)",
    low=-math.inf,
    high=math.inf,
    reflexive=False,
    always_defined=False,
    minimum_rows=4,
    invariant_to=frozenset({TRANSLATION, SCALING, PERMUTATION}),
    not_invariant_to=frozenset({ORTHOGONAL, LINEAR}),
)

PREFIX_CKA = _specialise_prefix(
    replace(
        CKA,
        name="prefix_cka",
        title="CKA of leading dimensions",
        family="alignment",
        function=prefix_cka,
        required=("dimensions",),
        check=_check_prefix,
        prepare=_prepare_prefix,
        score=lambda options, met: CKA.score(_cka(options), met),
        chance=lambda options, met: CKA.chance(_cka(options), met),  # pyright: ignore[reportOptionalCall]
        describe=lambda options: f"of the first dimensions: {CKA.describe(_cka(options))}",
        reference="Kornblith et al. (2019), arXiv:1905.00414; Kusupati et al. (2022), "
        "arXiv:2205.13147",
        variants=({"dimensions": (2, 2)}, {"dimensions": 2, "estimator": "biased"}),
        specialise=_specialise_prefix,
    )
)
