"""Representational similarity analysis: how alike the dissimilarity matrices of two sides are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from visavis._core import array, checks, repeats
from visavis._core.types import Array
from visavis.measures.measure import (
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    REPEATS,
    REPRESENTATIONS,
    SCALING,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import rdm as formulas
from visavis.stats.rdm import Rdm


def rsa(
    X: Array,
    Y: Array,
    /,
    *,
    rdm: str = "euclidean",
    compare: str = "spearman",
    shrinkage: float | None = None,
) -> Array:
    """Representational similarity analysis: agreement of two dissimilarity matrices.

    The dissimilarities d_ij of all pairs of samples i < j make the RDM of each side, and the two
    are compared as vectors of n(n − 1)/2 entries [1]_.

    Parameters
    ----------
    X : array, (n, p)
        Samples in rows; with an RDM of repeats (n, r, p), r measurements of each sample.
    Y : array, (n, q)
        The same samples in the same order; (n, s, q) with an RDM of repeats.
    rdm : {"euclidean", "sqeuclidean", "correlation", "cosine", "mahalanobis", "crossnobis"}
        The dissimilarity of two samples: their distance, its square, one minus the correlation of
        their features (three at least), or one minus the cosine of their angle from the origin.
        Of repeats: ``"mahalanobis"``, the squared distance ``(μ_i − μ_j)ᵀΣ⁻¹(μ_i − μ_j)`` of the
        means in units of the noise Σ within samples (two repeats at least); ``"crossnobis"``, the
        same crossvalidated over repeats (three at least) [4]_, whose mean is zero where two
        samples are the same.
    compare : {"spearman", "pearson", "kendall_tau_a", "kendall_tau_b", "rho_a", "cosine", \
"whitened_cosine", "whitened_pearson"}
        ``"rho_a"``: Spearman with ties broken at random, on average [2]_; it and tau-a, unlike
        ``"spearman"`` and tau-b, do not favour RDMs with ties. ``"cosine"``: of the RDMs as they
        are. ``"whitened_cosine"`` and ``"whitened_pearson"``: after whitening by the covariance
        that independent noise gives the entries of an RDM of squared distances [3]_.
    shrinkage : float, optional
        With an RDM of repeats: how far the covariance of the noise is taken towards its diagonal,
        from 0 (not at all) to 1 (each feature for itself). Estimated by default [5]_.

    Returns
    -------
    0-d array
        In ``[−1, 1]``; ``"cosine"`` and ``"whitened_cosine"`` in ``[0, 1]`` but for crossnobis
        RDMs, whose entries may be negative; higher is more alike.

    Raises
    ------
    ValueError
        If shapes do not match, there are fewer than 3 rows, an RDM of repeats is asked for without
        repeats, or another RDM with them.
    TypeError
        If ranks are asked for inside ``jax.jit`` or while gradients are recorded.
    DegenerateInputError
        If an entry is NaN or infinite, a row has no correlation or angle, all samples are equally
        far from each other (but for the cosines), a side is constant, or its noise cannot be
        inverted.

    Notes
    -----
    *Invariant to*: isotropic scaling, feature permutations; translation and orthogonal maps with
    Euclidean RDMs, orthogonal maps with the cosine RDM, translation with the RDMs of repeats, and
    invertible linear maps with these at ``shrinkage=0``. *Not to*: invertible linear maps
    otherwise; translation with the correlation and cosine RDMs, orthogonal maps with the
    correlation RDM and, unless ``shrinkage=0``, with those of repeats. *Streaming*: none, an RDM
    needs all samples at once. *Cost*: n²(p + q) for the RDMs, n² log n to rank each, n² per pair
    (Kendall: n² log n); with repeats p³ + q³ more for each inverse of the noise, of which
    crossnobis takes one for every repeat. *Numerics*: computed in float64; dissimilarities that
    differ by less than their rounding error are ties. Ranks are taken on the host and have no
    gradient; the other comparisons have one.

    ``"whitened_cosine"`` is the biased linear CKA with ``rdm="sqeuclidean"`` and the squared
    distance correlation with ``rdm="euclidean"``. *Repeats*: for measurements that are noisy. Noise
    makes every distance of means larger, which ``"crossnobis"`` alone corrects: the repeat that is
    tested enters neither the mean that it is multiplied with nor the noise. It is unbiased whatever
    the noise, if repeats are independent.

    *When*: all that a side offers are dissimilarities (judgements, recordings), or only their order
    may be trusted, as across species, sensors and networks. *When not*: samples fall into groups
    far apart: the many large dissimilarities between groups decide, ranks are those of all pairs at
    once, and who is nearest to whom hardly counts (`mutual_knn`). Networks that see the same inputs
    agree in what these are alike in, which `partial_cka` takes out; and entries that share a sample
    are not independent, so that the p-value of a correlation does not hold.

    References
    ----------
    .. [1] Kriegeskorte, Mur & Bandettini (2008), doi:10.3389/neuro.06.004.2008.
    .. [2] Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), doi:10.7554/eLife.82566.
    .. [3] Diedrichsen, Berlot, Mur, Schütt, Shahbazi & Kriegeskorte (2020), arXiv:2007.02789.
    .. [4] Walther, Nili, Ejaz, Alink, Kriegeskorte & Diedrichsen (2016),
       doi:10.1016/j.neuroimage.2015.12.012.
    .. [5] Ledoit & Wolf (2003), doi:10.1016/S0927-5398(03)00007-0; of standardised noise, as in
       Schäfer & Strimmer (2005), doi:10.2202/1544-6115.1175.

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
    _check("rsa", {"rdm": rdm, "compare": compare, "shrinkage": shrinkage})
    X, Y = _checked(X, Y, rdm)
    if compare in formulas.RANKED and array.recording(X, Y):
        raise TypeError(
            checks.message(
                "rsa",
                "compare",
                "be 'pearson', 'cosine', 'whitened_cosine' or 'whitened_pearson' where gradients "
                "are recorded or values cannot be read (jax.jit)",
                repr(compare),
                "Ranks have no gradient; detach the arrays if only the value is wanted.",
            )
        )
    rows = {"X": X, "Y": Y}
    if rdm in formulas.OF_REPEATS:
        rows = {name: repeats.flat(Z) for name, Z in rows.items()}
    with checks.diagnosed("rsa", **rows):
        with checks.side("rsa", "X"):
            x = _rdm(X, rdm, shrinkage)
            x.vector(compare)
        with checks.side("rsa", "Y"):
            y = _rdm(Y, rdm, shrinkage)
            y.vector(compare)
        value = formulas.compared(x, y, compare)
    return checks.finite("rsa", _brought_back(value, X), **rows)


def _checked(X: Array, Y: Array, rdm: str) -> tuple[Array, Array]:
    if rdm in formulas.OF_REPEATS:
        fewest, without = (3, "rdm='mahalanobis'") if rdm == "crossnobis" else (2, "another rdm")
        return repeats.pair("rsa", X, Y, minimum_rows=3, minimum_repeats=fewest, without=without)
    for name, Z in (("X", X), ("Y", Y)):
        if array.is_array(Z) and Z.ndim == 3:
            raise ValueError(
                checks.message(
                    "rsa",
                    name,
                    "be 2-D (samples, features)",
                    f"shape {tuple(Z.shape)}",
                    f"Reshape it to ({Z.shape[0]}, {Z.shape[1] * Z.shape[2]}), or pool it; if axis "
                    "1 holds repeats, use rdm='crossnobis' or 'mahalanobis', or give their mean.",
                )
            )
    return checks.pair("rsa", X, Y, minimum_rows=3)


def _rdm(X: Array, rdm: str, shrinkage: float | None) -> Rdm:
    return Rdm.of_repeats(X, rdm, shrinkage) if rdm in formulas.OF_REPEATS else Rdm.of(X, rdm)


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
    rdm, shrinkage = options["rdm"], options["shrinkage"]
    of_repeats = rdm in formulas.OF_REPEATS
    key = ("rdm", rdm, shrinkage) if of_repeats else ("rdm", rdm)
    return Preparation(key, lambda X: _rdm(X, rdm, shrinkage), _Met)


def _score(options: Mapping[str, Any], met: _Met) -> Array:
    return formulas.compared(met.x, met.y, options["compare"])


def _chance(options: Mapping[str, Any], met: _Met) -> Array:
    return formulas.chance(met.x, met.y, options["compare"])


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "rdm", options["rdm"], formulas.RDMS)
    checks.option(where, "compare", options["compare"], formulas.COMPARISONS)
    weight = options["shrinkage"]
    if weight is None:
        return
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight <= 1:
        raise ValueError(
            checks.message(where, "shrinkage", "be None or a number in [0, 1]", repr(weight))
        )
    if options["rdm"] not in formulas.OF_REPEATS:
        raise ValueError(
            checks.message(
                where,
                "shrinkage",
                f"be None with rdm={options['rdm']!r}, which knows no noise",
                repr(weight),
            )
        )


_COMPARED = {
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "kendall_tau_a": "Kendall's tau-a",
    "kendall_tau_b": "Kendall's tau-b",
    "rho_a": "Spearman correlation with ties broken at random",
    "cosine": "cosine",
    "whitened_cosine": "whitened cosine",
    "whitened_pearson": "whitened Pearson correlation",
}
_OF = {
    "euclidean": "Euclidean",
    "sqeuclidean": "squared Euclidean",
    "mahalanobis": "squared Mahalanobis",
    "crossnobis": "crossvalidated squared Mahalanobis",
}


def _describe(options: Mapping[str, Any]) -> str:
    rdm = _OF.get(options["rdm"], options["rdm"])
    high = "cosine" in options["compare"] and options["rdm"] != "crossnobis"
    above = "; unrelated representations score above 0" if high else ""
    return f"{_COMPARED[options['compare']]} of {rdm} dissimilarities{above}"


# What each RDM forgets of the features, beyond their order and scale.
_FORGETS = {
    "euclidean": {TRANSLATION, ORTHOGONAL},
    "sqeuclidean": {TRANSLATION, ORTHOGONAL},
    "correlation": set[str](),
    "cosine": {ORTHOGONAL},
    "mahalanobis": {TRANSLATION},
    "crossnobis": {TRANSLATION},
}


def _specialise(measure: Measure) -> Measure:
    rdm = measure.settings["rdm"]
    of_repeats = rdm in formulas.OF_REPEATS
    forgotten = frozenset({SCALING, PERMUTATION, *_FORGETS[rdm]})
    if of_repeats and measure.settings["shrinkage"] == 0:
        forgotten |= {ORTHOGONAL, LINEAR}
    return replace(
        measure,
        inputs=REPEATS if of_repeats else REPRESENTATIONS,
        cost="n²(p + q) + n² log n"
        + {"mahalanobis": " + p³ + q³", "crossnobis": " + rp³ + sq³"}.get(rdm, ""),
        # Entries of an RDM are not negative, and neither is the inner product of two centred Gram
        # matrices, which the whitened one is. Crossvalidated they may be.
        low=0.0 if "cosine" in measure.settings["compare"] and rdm != "crossnobis" else -1.0,
        invariant_to=forgotten,
        not_invariant_to=frozenset({TRANSLATION, ORTHOGONAL, LINEAR}) - forgotten,
    )


RSA = _specialise(
    Measure(
        name="rsa",
        title="Representational similarity analysis",
        family="RSA",
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
            {"compare": "whitened_pearson"},
            {"rdm": "sqeuclidean", "compare": "pearson"},
            {"rdm": "correlation"},
            {"rdm": "cosine"},
            {"rdm": "mahalanobis"},
            {"rdm": "crossnobis"},
            {"rdm": "crossnobis", "shrinkage": 0.0},
        ),
        specialise=_specialise,
    )
)
