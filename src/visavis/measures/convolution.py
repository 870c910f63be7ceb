"""Procrustes distance of convolutional layers: channels are rotated, feature maps shifted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.measures.measure import (
    FEATURE_MAPS,
    LINEAR,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    SHIFT,
    TRANSLATION,
    Measure,
    Preparation,
    Shapes,
)
from visavis.stats import procrustes as formulas

# Entries of the cross-covariances that are decomposed at a time.
BLOCK_ENTRIES = 2**24


def convolution_procrustes(
    X: Array, Y: Array, /, *, shifts: bool = True, form: str = "angular", scale: bool = False
) -> Array:
    """Procrustes distance of two convolutional layers, over rotations of channels and shifts.

    ``min_{s,Q} ‖Xc − S_s(Yc)Q‖`` over orthogonal maps Q of the channels and circular shifts s of
    all feature maps of Y together; each position of each sample is a row [1]_.

    Parameters
    ----------
    X : array, (n, c, h, w)
        Samples, channels, height and width.
    Y : array, (n, d, h, w)
        The same samples in the same order, at the same positions.
    shifts : bool
        Try all h·w circular shifts, the same for all samples and channels. Without it positions
        correspond as they are.
    form : {"angular", "euclidean", "squared", "similarity"}
        ``"angular"``: the angle in radians. ``"euclidean"`` and ``"squared"``: the distance and its
        square. ``"similarity"``: the cosine of the angle.
    scale : bool
        Divide both by their Frobenius norms first ("euclidean" and "squared"; the other forms
        always do).

    Returns
    -------
    0-d array
        ``"angular"`` in ``[0, π/2]``, ``"euclidean"`` and ``"squared"`` in ``[0, ∞)`` in (squared)
        units of the features, or without units in ``[0, √2]`` and ``[0, 2]`` with `scale`; lower
        is more alike. ``"similarity"`` in ``[0, 1]``, higher is more alike.

    Raises
    ------
    ValueError
        If an array is not 4-D, or samples or positions do not match.
    TypeError
        If values cannot be read (inside ``jax.jit``, say), unless `shifts` is off.
    DegenerateInputError
        If an entry is NaN or infinite (columns are counted over channels, height and width), or a
        side is constant.

    Notes
    -----
    *Invariant to*: translation and orthogonal maps of channels, hence channel permutations (feature
    permutations, where the features are channels), isotropic scaling where norms are divided out,
    and with `shifts` circular shifts. *Not to*: invertible linear maps, isotropic scaling where
    norms are not divided out, shifts of single samples. "angular" and "euclidean" are metrics on
    what these maps leave, among layers of one h and w. *Streaming*: none. *Cost*: n·h·w·c·d, and
    with `shifts` h·w decompositions of c × d matrices, which the FFT finds together; these take
    8hwcd bytes or more. *Numerics*: computed in float64; the distance at the best shift from the
    residual of the best map, so small ones keep their digits.

    *When*: what matters is which pattern is where, but not in which channel. A flattened layer, all
    of whose units a rotation mixes, has `procrustes`; one averaged over positions has lost them.
    *When not*: patterns move from sample to sample: one shift serves all samples, and it is
    circular, which borders are not. Positions count as rows but are not independent, so it says
    little of chance.

    References
    ----------
    .. [1] Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 8, 8))
    >>> moved = np.roll(X, (2, -1), axis=(2, 3))[:, ::-1]
    >>> bool(vv.convolution_procrustes(X, moved) < 1e-12)
    True
    >>> bool(vv.convolution_procrustes(X, moved, shifts=False) > 1)
    True
    """
    where = "convolution_procrustes"
    options = {"shifts": shifts, "form": form, "scale": scale}
    _check(where, options)
    X, Y = _paired(where, X, Y)
    # Where a value is looked for, samples are rows.
    flat = {name: _flat(Z) for name, Z in (("X", X), ("Y", Y))}
    if shifts:
        checks.readable(where, because="The best shift is chosen by its value", **flat)
    with checks.diagnosed(where, **flat):
        value = _score(options, _Met(_Maps.of(X), _Maps.of(Y)))
    return checks.finite(where, array.like(value, X), **flat)


def _paired(where: str, X: Array, Y: Array) -> tuple[Array, Array]:
    """Return both checked: 4-D, of one library, device and float dtype, the same positions."""
    X, Y = _maps(where, "X", X), _maps(where, "Y", Y)
    checks.companions(where, X, Y)
    checks.rows(where, X.shape[0], Y.shape[0], minimum_rows=1)
    sizes = [" × ".join(str(size) for size in Z.shape[2:]) for Z in (X, Y)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            checks.message(
                where,
                "X` and `Y",
                "have feature maps of one size",
                f"{sizes[0]} and {sizes[1]} positions",
                "Pool or resize the larger to the size of the other.",
            )
        )
    xp = array.namespace(X, Y)
    dtype = xp.result_type(X.dtype, Y.dtype)
    return xp.astype(X, dtype, copy=False), xp.astype(Y, dtype, copy=False)


def _maps(where: str, name: str, X: Array) -> Array:
    if not array.is_array(X) or not array.dense(X):
        return checks.representation(where, name, X)  # which refuses it
    if X.ndim != 4:
        raise ValueError(
            checks.message(
                where,
                name,
                "be 4-D (samples, channels, height, width)",
                f"shape {tuple(X.shape)}",
                "Extract the layer without pooling. Flat features have procrustes.",
            )
        )
    return array.namespace(X).reshape(checks.representation(where, name, _flat(X)), X.shape)


def _flat(X: Array) -> Array:
    return array.namespace(X).reshape(X, (X.shape[0], math.prod(X.shape[1:])))


@dataclass(frozen=True, eq=False)
class _Maps:
    """Centred feature maps (n, h, w, c) at Frobenius norm 1, with that norm and its unit."""

    maps: Array
    norm: Array
    unit: Array | float

    @classmethod
    def of(cls, X: Array) -> "_Maps":
        xp = array.namespace(X)
        moved = xp.permute_dims(X, (0, 2, 3, 1))
        centred, unit = linalg.centred(xp.reshape(moved, (-1, moved.shape[3])))
        norm = xp.linalg.matrix_norm(centred)
        return cls(xp.reshape(centred / norm, moved.shape), norm, unit)

    @cached_property
    def spectra(self) -> Array:
        """The Fourier transform over positions, (frequencies, n, c)."""
        xp = array.namespace(self.maps)
        transformed = xp.fft.rfftn(array.constant(self.maps), axes=(1, 2))
        n, h, w, c = transformed.shape
        return xp.reshape(xp.permute_dims(transformed, (1, 2, 0, 3)), (h * w, n, c))


@dataclass(frozen=True, eq=False)
class _Met:
    """Two sides, and their squared distances with the best shift and with none."""

    x: _Maps
    y: _Maps

    @cached_property
    def shifted(self) -> Array:
        shift = self._best_shift()
        xp = array.namespace(self.x.maps)
        return self._distance(xp.roll(self.y.maps, shift, axis=(1, 2)))

    @cached_property
    def still(self) -> Array:
        return self._distance(self.y.maps)

    def _distance(self, maps: Array) -> Array:
        xp = array.namespace(maps)
        rows = (xp.reshape(each, (-1, each.shape[3])) for each in (self.x.maps, maps))
        return formulas.unit_squared_distance(*rows)

    def _best_shift(self) -> tuple[int, int]:
        """Return the shift of Y after which its cross-covariance has the largest nuclear norm."""
        xp = array.namespace(self.x.maps, self.y.maps)
        _, h, w, c = self.x.maps.shape
        d = self.y.maps.shape[3]
        products = xp.matrix_transpose(xp.conj(self.x.spectra)) @ self.y.spectra
        products = xp.reshape(products, (h, w // 2 + 1, c, d))
        crossed = xp.reshape(xp.fft.irfftn(products, s=(h, w), axes=(0, 1)), (h * w, c, d))
        at_a_time = max(1, BLOCK_ENTRIES // (c * d))
        norms = [
            xp.sum(xp.linalg.svdvals(crossed[block, ...]), axis=-1)
            for block in linalg.row_blocks(h * w, at_a_time)
        ]
        # The entry at k holds Σ x(t)ᵀ y(t + k): Y is to move back by k.
        down, right = divmod(int(xp.argmax(xp.concat(norms))), w)
        return -down, -right


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("feature maps", _Maps.of, _Met)


def _score(options: Mapping[str, Any], met: _Met) -> Array:
    distance = met.shifted if options["shifts"] else met.still
    sizes = ((side.norm, side.unit) for side in (met.x, met.y))
    return formulas.formed(distance, *sizes, form=options["form"], scale=options["scale"])


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.flag(where, "shifts", options["shifts"])
    checks.option(where, "form", options["form"], formulas.FORMS)
    checks.flag(where, "scale", options["scale"])


def _describe(options: Mapping[str, Any]) -> str:
    what = {
        "angular": "angle in radians",
        "euclidean": "Euclidean distance",
        "squared": "squared Euclidean distance",
        "similarity": "cosine of the angle",
    }[options["form"]]
    shift = " and the best circular shift" if options["shifts"] else ""
    return f"{what} after the best rotation of channels{shift}"


def _specialise(measure: Measure) -> Measure:
    shifts, form, scale = (measure.settings[key] for key in ("shifts", "form", "scale"))
    unit_norm = scale or form in {"angular", "similarity"}
    high = {
        "angular": math.pi / 2,
        "similarity": 1.0,
        "euclidean": math.sqrt(2) if scale else math.inf,
        "squared": 2.0 if scale else math.inf,
    }[form]
    forgotten = {TRANSLATION, PERMUTATION, ORTHOGONAL}
    forgotten |= ({SCALING} if unit_norm else set()) | ({SHIFT} if shifts else set())
    return replace(
        measure,
        high=high,
        direction="similarity" if form == "similarity" else "distance",
        metric=form in {"angular", "euclidean"},
        invariant_to=frozenset(forgotten),
        not_invariant_to=frozenset({LINEAR, SCALING, SHIFT} - forgotten),
    )


CONVOLUTION_PROCRUSTES = _specialise(
    Measure(
        name="convolution_procrustes",
        title="Procrustes distance of convolutional layers",
        family="shape",
        function=convolution_procrustes,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Williams, Kunz, Kornblith & Linderman (2021), arXiv:2110.14739",
        statistic="centred feature maps",
        cost="hw(ncd + cd·min(c, d))",
        low=0.0,
        high=math.pi / 2,
        direction="distance",
        minimum_rows=1,
        inputs=FEATURE_MAPS,
        invariant_to=frozenset(),
        variants=({"shifts": False}, {"form": "euclidean"}, {"form": "similarity"}),
        specialise=_specialise,
    )
)
