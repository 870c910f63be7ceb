"""Representational similarity analysis: how alike the dissimilarity matrices of two sides are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
)
from visavis.stats import rdm as formulas
from visavis.stats.rdm import Rdm


def rsa(X: Array, Y: Array, /, *, rdm: str = "euclidean", compare: str = "spearman") -> Array:
    """Representational similarity analysis: agreement of two dissimilarity matrices.

    The dissimilarities d_ij of all pairs of samples i < j make the RDM of each side, and the two
    are compared as vectors of n(n − 1)/2 entries [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows.
    Y : array, (n, q)
        The same samples in the same order.
    rdm : {"euclidean", "sqeuclidean", "correlation", "cosine"}
        The dissimilarity of two samples: their distance, its square, one minus the correlation of
        their features (three at least), or one minus the cosine of their angle from the origin.
    compare : {"spearman", "pearson", "kendall_tau_a", "kendall_tau_b", "rho_a", "cosine", \
"whitened_cosine"}
        ``"rho_a"``: Spearman with ties broken at random, on average [2]_; it and tau-a, unlike
        ``"spearman"`` and tau-b, do not favour RDMs with ties. ``"cosine"``: of the RDMs as they
        are. ``"whitened_cosine"``: after whitening by the covariance that independent noise gives
        the entries of an RDM of squared distances [3]_.

    Returns
    -------
    0-d array
        In ``[−1, 1]``; ``"cosine"`` and ``"whitened_cosine"`` in ``[0, 1]``; higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, or there are fewer than 3 rows.
    TypeError
        If ranks are asked for inside ``jax.jit`` or while gradients are recorded.
    DegenerateInputError
        If an entry is NaN or infinite, a row has no correlation or angle, all samples are equally
        far from each other (but for the cosines), or a side is constant.

    Notes
    -----
    *Invariant to*: isotropic scaling, feature permutations; translation and orthogonal maps with
    Euclidean RDMs, orthogonal maps with the cosine RDM. *Not to*: invertible linear maps;
    translation with the correlation and cosine RDMs, orthogonal maps with the correlation RDM.
    *Streaming*: none, an RDM needs all samples at once. *Cost*: n²(p + q) for the RDMs, n² log n
    to rank each, n² per pair (Kendall: n² log n). *Numerics*: computed in float64; dissimilarities
    that differ by less than their rounding error are ties. Ranks are taken on the host and have no
    gradient; the other comparisons have one.

    ``"whitened_cosine"`` is the biased linear CKA with ``rdm="sqeuclidean"`` and the squared
    distance correlation with ``rdm="euclidean"``. Crossvalidated (crossnobis) and Mahalanobis
    distances need repeated measurements of each sample, which a representation does not hold.

    References
    ----------
    .. [1] Kriegeskorte, Mur & Bandettini (2008), doi:10.3389/neuro.06.004.2008.
    .. [2] Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), doi:10.7554/eLife.82566.
    .. [3] Diedrichsen, Berlot, Mur, Schütt, Shahbazi & Kriegeskorte (2020), arXiv:2007.02789.

    Examples
    --------
    Ranks do not see a monotone change of all distances:

    >>> import numpy as np
    >>> import visavis as vv
    >>> X, Y = np.random.default_rng(0).normal(size=(2, 50, 10))
    >>> bool(vv.rsa(X, Y) == vv.rsa(X, Y, rdm="sqeuclidean"))
    True
    >>> bool(vv.rsa(X, Y, compare="pearson") == vv.rsa(X, Y, rdm="sqeuclidean", compare="pearson"))
    False
    """
    _check("rsa", {"rdm": rdm, "compare": compare})
    X, Y = checks.pair("rsa", X, Y, minimum_rows=3)
    if compare in formulas.RANKED and array.recording(X, Y):
        raise TypeError(
            checks.message(
                "rsa",
                "compare",
                "be 'pearson', 'cosine' or 'whitened_cosine' where gradients are recorded or "
                "values cannot be read (jax.jit)",
                repr(compare),
                "Ranks have no gradient; detach the arrays if only the value is wanted.",
            )
        )
    with checks.diagnosed("rsa", X=X, Y=Y):
        with checks.side("rsa", "X"):
            x = Rdm.of(X, rdm)
            x.vector(compare)
        with checks.side("rsa", "Y"):
            y = Rdm.of(Y, rdm)
            y.vector(compare)
        value = formulas.compared(x, y, compare)
    return checks.finite("rsa", _brought_back(value, X), X=X, Y=Y)


def _brought_back(value: Array, X: Array) -> Array:
    """Return a value that may have been computed on the host in the library of `X`."""
    if array.recording(X) or type(value) is type(X):
        return array.like(value, X)
    return array.placed(float(value), X)


@dataclass(frozen=True, eq=False)
class _Met:
    """The RDMs of two sides."""

    x: Rdm
    y: Rdm


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    rdm = options["rdm"]
    return Preparation(("rdm", rdm), lambda X: Rdm.of(X, rdm), _Met)


def _score(options: Mapping[str, Any], met: _Met) -> Array:
    return formulas.compared(met.x, met.y, options["compare"])


def _chance(options: Mapping[str, Any], met: _Met) -> Array:
    return formulas.chance(met.x, met.y, options["compare"])


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "rdm", options["rdm"], formulas.RDMS)
    checks.option(where, "compare", options["compare"], formulas.COMPARISONS)


_COMPARED = {
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "kendall_tau_a": "Kendall's tau-a",
    "kendall_tau_b": "Kendall's tau-b",
    "rho_a": "Spearman correlation with ties broken at random",
    "cosine": "cosine",
    "whitened_cosine": "whitened cosine",
}


def _describe(options: Mapping[str, Any]) -> str:
    rdm = options["rdm"].replace("sqeuclidean", "squared Euclidean").replace("euclid", "Euclid")
    above = "; unrelated representations score above 0" if "cosine" in options["compare"] else ""
    return f"{_COMPARED[options['compare']]} of {rdm} dissimilarities{above}"


# What each RDM forgets of the features, beyond their order and scale.
_FORGETS = {
    "euclidean": {TRANSLATION, ORTHOGONAL},
    "sqeuclidean": {TRANSLATION, ORTHOGONAL},
    "correlation": set[str](),
    "cosine": {ORTHOGONAL},
}


def _specialise(measure: Measure) -> Measure:
    forgotten = frozenset({SCALING, PERMUTATION, *_FORGETS[measure.settings["rdm"]]})
    return replace(
        measure,
        # Entries of an RDM are not negative, and neither is the inner product of two centred Gram
        # matrices, which the whitened one is.
        low=0.0 if "cosine" in measure.settings["compare"] else -1.0,
        invariant_to=forgotten,
        not_invariant_to=frozenset({TRANSLATION, ORTHOGONAL, LINEAR}) - forgotten,
    )


RSA = _specialise(
    Measure(
        name="rsa",
        title="Representational similarity analysis",
        function=rsa,
        prepare=_prepare,
        score=_score,
        chance=_chance,
        describe=_describe,
        check=_check,
        reference="Kriegeskorte, Mur & Bandettini (2008), doi:10.3389/neuro.06.004.2008",
        statistic="RDMs",
        cost="n²(p + q) + n² log n",
        low=-1.0,
        high=1.0,
        minimum_rows=3,
        invariant_to=frozenset(),
        variants=(
            {"compare": "pearson"},
            {"compare": "kendall_tau_a"},
            {"compare": "kendall_tau_b"},
            {"compare": "rho_a"},
            {"compare": "cosine"},
            {"compare": "whitened_cosine"},
            {"rdm": "sqeuclidean", "compare": "pearson"},
            {"rdm": "correlation"},
            {"rdm": "cosine"},
        ),
        specialise=_specialise,
    )
)
