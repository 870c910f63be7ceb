"""CKA with something held fixed: within the classes, and with a common cause taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures.aligned import Aligned
from visavis.measures.alignment import (
    CKA,
    KernelSpec,
    cheaper_form,
    cka,
    kernel_sides,
    linear,
    specialise_kernels,
)
from visavis.measures.measure import Measure, Preparation, Shapes
from visavis.stats import Features, Gram

Labels = Sequence[Any] | Array


def class_cka(
    X: Array,
    Y: Array,
    /,
    *,
    labels: Labels,
    kernel: KernelSpec = "linear",
    estimator: str = "debiased",
) -> Array:
    """CKA within the classes, averaged over them.

    ``mean_c CKA(X_c, Y_c)`` over the rows of each class c, as in section F.4 of [1]_: what two
    representations share beyond telling the classes apart.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    labels : sequence or array, (n,)
        The class of each sample: numbers or words. Every class counts the same, however large.
    kernel : str, Kernel or pair of these
        As in `cka`. A kernel with a bandwidth takes it from each class anew.
    estimator : {"debiased", "biased"}
        As in `cka`. Classes are small, so the biased one is far off.

    Returns
    -------
    0-d array
        ``[−1, 1]`` debiased, ``[0, 1]`` biased, higher is more alike. 0 on average (debiased)
        if the sides share nothing but the classes.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 4 rows (2 if biased), in all or in a class.
    DegenerateInputError
        If an entry is NaN or infinite, or a side is constant within a class, which is named.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps (linear and RBF kernels);
    translation of each class by itself as well. *Not to*: invertible linear maps. *Cost*: that of
    `cka` for each class.

    *When*: a score that may be no more than "both know the labels". *When not*: classes of a dozen
    samples or fewer, where the mean is noisy.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton (2019), arXiv:1905.00414.

    Examples
    --------
    Two representations with nothing in common but three classes:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1, 2], 50)
    >>> X, Y = (rng.normal(size=(150, 8)) + 5 * np.eye(3, 8)[labels] for _ in range(2))
    >>> bool(vv.cka(X, Y) > 0.5), bool(abs(vv.class_cka(X, Y, labels=labels)) < 0.1)
    (True, True)
    """
    CKA.check("class_cka", {"kernel": kernel, "estimator": estimator})
    X, Y = checks.pair("class_cka", X, Y, minimum_rows=4 if estimator == "debiased" else 2)
    values = []
    for label, rows in _classes("class_cka", labels, X.shape[0], estimator).items():
        try:
            within = cka(_rows(X, rows), _rows(Y, rows), kernel=kernel, estimator=estimator)
        except DegenerateInputError as error:
            checks.locate("class_cka", X=X, Y=Y)
            reason = str(error).removeprefix("cka: ")
            raise DegenerateInputError(f"class_cka: in class {label!r}, {reason}") from None
        values.append(array.widen(within))
    return array.like(sum(values[1:], values[0]) / len(values), X)


def _classes(
    where: str, labels: Labels | None, n: int, estimator: str
) -> dict[Any, np.ndarray[Any, Any]]:
    """Return the rows of each class, in the order of the labels."""
    if labels is None:
        raise TypeError(checks.message(where, "labels", "be the class of each sample", "None"))
    found = array.to_numpy(labels) if array.is_array(labels) else np.asarray(labels)
    if found.shape != (n,):
        raise ValueError(
            checks.message(
                where, "labels", f"be one for each of the {n} rows", f"shape {found.shape}"
            )
        )
    names, member = np.unique(found, return_inverse=True)
    least = 4 if estimator == "debiased" else 2
    rows = {name: np.flatnonzero(member == k) for k, name in enumerate(names.tolist())}
    small = {name: len(each) for name, each in rows.items() if len(each) < least}
    if small:
        name, seen = next(iter(small.items()))
        raise ValueError(
            checks.message(
                where,
                "labels",
                f"give every class at least {least} rows",
                f"{seen} of class {name!r} ({len(small)} of {len(rows)} classes are too small)",
                "Leave these rows out.",
            )
        )
    return rows


def _rows(X: Array, rows: np.ndarray[Any, Any]) -> Array:
    xp = array.namespace(X)
    return xp.take(X, xp.asarray(rows, device=array.device(X)), axis=0)


def _inner(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"kernel": options["kernel"], "estimator": options["estimator"]}


def _prepare_class(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    groups = list(_classes("class_cka", options["labels"], shapes.n, options["estimator"]).values())
    inner = [
        CKA.prepare(_inner(options), side, Shapes(len(rows), shapes.x, shapes.y)) for rows in groups
    ]
    whose = b" ".join(rows.tobytes() for rows in groups)
    return Preparation(
        ("class", whose, inner[0].key),
        lambda X: [each.run(_rows(X, rows)) for each, rows in zip(inner, groups, strict=True)],
        lambda x, y: [each.meet(a, b) for each, a, b in zip(inner, x, y, strict=True)],
    )


def _score_class(options: Mapping[str, Any], met: list[Any]) -> Array:
    values = [CKA.score(_inner(options), each) for each in met]
    return sum(values[1:], values[0]) / len(values)


def _chance_class(options: Mapping[str, Any], met: list[Any]) -> Array:
    # Over permutations of the rows within each class.
    assert CKA.chance is not None  # noqa: S101
    values = [CKA.chance(_inner(options), each) for each in met]
    return sum(values[1:], values[0]) / len(values)


def partial_cka(
    X: Array,
    Y: Array,
    /,
    *,
    given: Array | Sequence[Any],
    kernel: KernelSpec = "linear",
    given_kernel: Kernel | str = "linear",
    estimator: str = "debiased",
) -> Array:
    """CKA of what is left when a common cause is taken out of both sides.

    ``(r_xy − r_xz·r_yz)/√((1 − r_xz²)(1 − r_yz²))`` of the CKAs with each other and with a third
    representation z: the partial correlation of Gram matrices, as of distances in [1]_; of
    representations and their inputs in [2]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    given : array, (n, r), or labels (n,)
        What is taken out: the inputs, another layer, or the class of each sample (whole numbers or
        words), of which the Gram matrix says "same class".
    kernel : str, Kernel or pair of these
        As in `cka`.
    given_kernel : str or Kernel
        The kernel of `given`.
    estimator : {"debiased", "biased"}
        As in `cka`.

    Returns
    -------
    0-d array
        ``[−1, 1]``, higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 4 rows (2 if biased).
    DegenerateInputError
        If an entry is NaN or infinite, a side is constant, or `given` is all that there is in one
        of the sides.

    Notes
    -----
    *Invariant to*: translation, isotropic scaling, orthogonal maps (linear and RBF kernels), also
    of `given`. *Not to*: invertible linear maps. *Cost*: three times that of `cka`.

    *When*: inputs or labels alone could make two networks alike. *When not*: `given` is downstream
    of both, as the outputs are: taking out an effect makes similarity where there is none.

    References
    ----------
    .. [1] Székely & Rizzo (2014), doi:10.1214/14-AOS1255.
    .. [2] Cui, Kumar, Marttinen & Kaski (2022), arXiv:2202.00095.

    Examples
    --------
    Two random projections of the same inputs share nothing else:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 10))
    >>> X, Y = (Z + rng.normal(size=Z.shape) for _ in range(2))
    >>> bool(vv.cka(X, Y) > 0.2), bool(abs(vv.partial_cka(X, Y, given=Z)) < 0.05)
    (True, True)
    """
    options = {
        "given": given,
        "kernel": kernel,
        "given_kernel": given_kernel,
        "estimator": estimator,
    }
    _check_partial("partial_cka", options)
    X, Y = checks.pair("partial_cka", X, Y, minimum_rows=4 if estimator == "debiased" else 2)
    shapes = Shapes(X.shape[0], (X.shape[1],), (Y.shape[1],))
    with checks.diagnosed("partial_cka", X=X, Y=Y):
        x, y = (_prepare_partial(options, side, shapes) for side in (0, 1))
        with checks.side("partial_cka", "X"):
            kept = x.run(X)
        with checks.side("partial_cka", "Y"):
            met = x.meet(kept, y.run(Y))
        value = array.like(_score_partial(options, met), X)
    return checks.finite("partial_cka", value, X=X, Y=Y)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A representation with the one that is taken out of it."""

    own: Gram | Features
    given: Gram | Features


def _given(where: str, given: Any, X: Array) -> Array:
    """Return what is taken out as a representation beside `X`: labels as indicators."""
    if given is None:
        raise TypeError(
            checks.message(where, "given", "be what is taken out of both sides", "None")
        )
    n = X.shape[0]
    shape = tuple(given.shape) if array.is_array(given) else np.shape(given)
    if shape[:1] != (n,) or len(shape) > 2:
        expected = f"be (n, r) or labels (n,) for the n = {n} rows"
        raise ValueError(checks.message(where, "given", expected, f"shape {shape}"))
    if len(shape) == 1:
        found = array.to_numpy(given) if array.is_array(given) else np.asarray(given)
        if found.dtype.kind == "f":
            cure = "One continuous variable is an (n, 1) array; classes are whole numbers or words."
            seen = f"a vector of {found.dtype}"
            raise ValueError(checks.message(where, "given", "be (n, r) or labels", seen, cure))
        names, member = np.unique(found, return_inverse=True)
        own = np.eye(len(names))[member]
        return array.namespace(X).asarray(own, dtype=X.dtype, device=array.device(X))
    Z = checks.representation(where, "given", given)
    checks.companions(where, X, Z, "X` and `given")
    checks.all_finite(where, "given", Z)
    return Z


def _prepare_partial(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    where, given = "partial_cka", options["given"]
    sides = kernel_sides(where, options["kernel"])
    third = kernel_sides(where, options["given_kernel"])[0]
    r = np.shape(given)[1] if np.ndim(given) == 2 else 1
    both = Shapes(shapes.n, (*shapes.x, r), (*shapes.y, r))
    narrow = linear((*sides, third)) and cheaper_form(both) == "features"
    held: list[Gram | Features] = []

    def form(X: Array, kernel: Kernel) -> Gram | Features:
        # What is left of two large numbers: float32 would lose it.
        X = array.widen(X)
        return Features.of(X) if narrow else Gram.of(X, kernel)

    def run(X: Array) -> _Kept:
        if not held:  # once, for all representations
            held.append(form(_given(where, given, X), third))
        return _Kept(form(X, sides[side]), held[0])

    return Preparation(
        ("partial", id(given), str(third), narrow or sides[side]),
        run,
        lambda x, y: (Aligned(x.own, y.own), Aligned(x.own, x.given), Aligned(y.own, y.given)),
    )


def _score_partial(options: Mapping[str, Any], met: tuple[Aligned, Aligned, Aligned]) -> Array:
    xy, xz, yz = (CKA.score(_inner(options), each) for each in met)
    xp = array.namespace(xy)
    left = (1 - xz**2) * (1 - yz**2)
    for name, r in (("X", xz), ("Y", yz)):
        seen = None if array.recording(r) else array.read(r)
        if seen is not None and 1 - seen**2 < 1e-12:
            raise DegenerateInputError(
                checks.message(
                    "partial_cka",
                    "given",
                    f"leave something of `{name}`",
                    f"a CKA of {seen:.6g} with it",
                    "Nothing is left to compare: this side is what is taken out.",
                )
            )
    return (xy - xz * yz) / xp.sqrt(left)


def _check_partial(where: str, options: Mapping[str, Any]) -> None:
    CKA.check(where, options)
    kernel = options["given_kernel"]
    if isinstance(kernel, tuple):
        raise TypeError(checks.message(where, "given_kernel", "be one kernel", "a pair"))
    kernel_sides(where, kernel)


def _specialise_class(measure: Measure) -> Measure:
    return replace(specialise_kernels(measure), statistic="Gram matrices of each class")


def _specialise_partial(measure: Measure) -> Measure:
    return replace(specialise_kernels(measure), low=-1.0, statistic="Gram matrices")


_VARIANTS = ({"estimator": "biased"},)

CLASS_CKA = _specialise_class(
    replace(
        CKA,
        name="class_cka",
        title="CKA within classes",
        family="alignment",
        function=class_cka,
        required=("labels",),
        prepare=_prepare_class,
        score=_score_class,
        chance=_chance_class,
        spread=None,
        describe=lambda options: f"mean over classes of CKA: {CKA.describe(_inner(options))}",
        variants=_VARIANTS,
        specialise=_specialise_class,
    )
)

PARTIAL_CKA = _specialise_partial(
    replace(
        CKA,
        name="partial_cka",
        title="Partial CKA",
        family="alignment",
        function=partial_cka,
        required=("given",),
        check=_check_partial,
        prepare=_prepare_partial,
        score=_score_partial,
        chance=None,
        spread=None,
        describe=lambda options: (
            f"CKA with a third representation taken out: {CKA.describe(_inner(options))}"
        ),
        reference="Székely & Rizzo (2014), doi:10.1214/14-AOS1255; Cui et al. (2022), "
        "arXiv:2202.00095",
        variants=_VARIANTS,
        specialise=_specialise_partial,
    )
)
