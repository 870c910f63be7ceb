"""Every record of the registry under every variant, and what its tests need of it.

Nothing here names a measure: a new record is drawn from the registry, finds its oracle by its name
and its options, and is tested by every file of this folder that runs over `every_record`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from tests import oracles

import visavis as vv
from visavis.measures import Measure, Preparation, Shapes
from visavis.measures.alignment import kernel_sides
from visavis.measures.measure import REPRESENTATIONS

Array = Any

EVERYTHING = [
    record.with_options(**options)
    for record in vv.registry.values()
    for options in ({}, *record.variants)
]
# What takes something else than two representations, or may have no answer, has tests of its own.
RECORDS = [
    each
    for each in EVERYTHING
    if each.inputs == REPRESENTATIONS and each.always_defined and not each.required
]


def over(records: list[Measure]) -> pytest.MarkDecorator:
    """Parametrise a test over `records`, each under its label."""
    return pytest.mark.parametrize("measure", records, ids=[each.label for each in records])


every_record = over(RECORDS)

# Drawn cases are the same on every run and on every machine, and leave no files behind.
few_examples = settings(max_examples=8, derandomize=True, deadline=None, database=None)


def allowing(measure: Measure) -> Measure:
    """The record that answers where Theorem 1 would have it refuse."""
    if "allow_saturated" in measure.defaults:
        return measure.with_options(allow_saturated=True)
    return measure


def enough(measure: Measure, n: int) -> int:
    """As many rows as are asked for, and more where neighbours are counted.

    Few counts are often equal, and of few samples nearly all are neighbours.
    """
    return n + 200 if "k" in measure.defaults else n


def draws(measure: Measure, seed: int) -> list[int]:
    """Seeds of which one at least must show a difference: counts may be equal by chance."""
    return [seed, seed + 1, seed + 2] if "k" in measure.defaults else [seed]


def broad(measure: Measure, width: int) -> int:
    """As many features as are asked for, and three at least where they are correlated."""
    correlated = "correlation" in {measure.settings.get(key) for key in ("rdm", "similarity")}
    return max(width, 3) if correlated else width


def of_few(measure: Measure, n: int) -> Measure:
    """The record that answers for `n` rows, of which no more neighbours can be asked for."""
    if measure.minimum_rows <= n:
        return measure
    return measure.with_options(k=n - 2)


def sides(measure: Measure) -> tuple[vv.kernels.Kernel, vv.kernels.Kernel] | None:
    """The kernels of both sides, if the measure has kernels."""
    kernel = measure.settings.get("kernel")
    return None if kernel is None else kernel_sides(measure.name, kernel)


def given(measure: Measure, X: Array, Y: Array) -> tuple[Array, Array]:
    """What the measure takes for X and Y: equal widths, Gram matrices for a precomputed kernel."""
    if measure.paired_features:
        width = min(X.shape[1], Y.shape[1])
        X, Y = X[:, :width], Y[:, :width]
    kernels = sides(measure)
    if kernels is None:
        return X, Y
    X, Y = (
        _gram(Z) if k.name == "precomputed" else Z for k, Z in zip(kernels, (X, Y), strict=True)
    )
    return X, Y


def value(measure: Measure, X: Array, Y: Array) -> float:
    """The measure of features X and Y, whatever its kernel takes."""
    return float(measure(*given(measure, X, Y)))


def oracle(measure: Measure, X: Array, Y: Array) -> float:
    """The independent value, from `tests.oracles` by the name and options of the record."""
    if measure.paired_features:
        X, Y = given(measure, X, Y)
    options = measure.settings
    options.pop("allow_saturated", None)
    ask = getattr(oracles, measure.name)
    kernels = sides(measure)
    if kernels is None:
        return ask(X, Y, **options)
    options.pop("kernel")
    grams = (gram_oracle(k, Z.shape[1])(Z) for k, Z in zip(kernels, (X, Y), strict=True))
    return ask(*grams, kernel=oracles.precomputed, **options)


def prepared(
    measure: Measure, X: Array, Y: Array, beside: tuple[int, ...] = ()
) -> tuple[Preparation, Preparation]:
    """What the engine asks of both sides, where layers as wide as `beside` are compared as well."""
    shapes = Shapes(X.shape[0], (X.shape[1], *beside), (Y.shape[1], *beside))
    return tuple(measure.prepare(measure.settings, side, shapes) for side in (0, 1))


def meeting(measure: Measure, X: Array, Y: Array, beside: tuple[int, ...] = ()) -> Any:
    """What the engine lets the measure score."""
    x, y = prepared(measure, X, Y, beside)
    return x.meet(x.run(X), y.run(Y))


def gram_oracle(kernel: vv.kernels.Kernel, width: int) -> Callable[[Array], Array]:
    """The independent kernel of that name and parameters, for features of that width."""
    ask = getattr(oracles, kernel.name)
    parameters = dict(kernel.parameters)
    if kernel.name == "polynomial":
        parameters.setdefault("gamma", 1 / width)
    return ask(**parameters) if parameters else ask


def _gram(Z: Array) -> Array:
    Z = Z / np.abs(Z).max()
    return Z @ Z.T


def alike(a: Measure, b: Measure) -> bool:
    """Whether two records answer the same, a kernel being the same as its name."""
    plain = [{k: v for k, v in each.settings.items() if k != "kernel"} for each in (a, b)]
    return a.name == b.name and plain[0] == plain[1] and sides(a) == sides(b)
