"""Several representations of the same samples: of seeds, subjects or repeats, and their pairs."""

from collections.abc import Mapping, Sequence

import numpy as np

from visavis._core import checks
from visavis._core.errors import DegenerateInputError, SaturatedError
from visavis._core.types import Array
from visavis.inference.sides import measured
from visavis.measures import Measure, MeasureSpec, Shapes
from visavis.pairs.blocks import whole
from visavis.pairs.sides import Matrices

Runs = Mapping[str, Array] | Sequence[Array]


def named(where: str, argument: str, runs: Runs, *, fewest: int) -> dict[str, Array]:
    """Return checked representations by name: their own, or the argument and a number."""
    if isinstance(runs, Mapping):
        given = {str(name): X for name, X in runs.items()}
    else:
        given = {f"{argument}[{k}]": X for k, X in enumerate(runs)}
    if len(given) < fewest:
        expected = f"hold at least {fewest} representations"
        raise ValueError(checks.message(where, argument, expected, f"{len(given)}"))
    found = {name: checks.representation(where, name, X) for name, X in given.items()}
    together(where, argument, *found.values())
    return found


def together(where: str, argument: str, *representations: Array) -> None:
    """Check that all are of one library and device, and of the same samples."""
    first = representations[0]
    for X in representations[1:]:
        checks.companions(where, first, X, argument)
        if X.shape[0] != first.shape[0]:
            expected = "describe the same samples"
            seen = f"{first.shape[0]} and {X.shape[0]} rows"
            raise ValueError(checks.message(where, argument, expected, seen))


def symmetric(where: str, measure: MeasureSpec) -> Measure:
    """Return a measure of which it does not matter which side is which."""
    known = measured(where, measure)
    if not known.symmetric:
        raise ValueError(checks.message(where, "measure", "be symmetric", known.label))
    return known


def table(
    where: str, measure: Measure, rows: Mapping[str, Array], cols: Mapping[str, Array] | None = None
) -> np.ndarray:
    """Return the measure of all pairs, or say which representation has none."""
    first = Matrices(rows, where)
    both = (first, first if cols is None else Matrices(cols, where))
    widths = [tuple(p for _, p in side.shapes.values()) for side in both]
    n = next(iter(first.shapes.values()))[0]
    checks.rows(where, n, n, minimum_rows=measure.minimum_rows)
    [found] = whole(both, Shapes(n, widths[0], widths[1]), [measure], lambda: None)
    for (_, name), reason in found.degenerate.items():
        raise DegenerateInputError(f"{where}: `{name}` {reason}")
    for a, b in found.saturated:
        raise SaturatedError(f"{where}: `{a}` and `{b}` have no meaningful {measure.name}")
    return found.values


def off_diagonal(values: np.ndarray) -> np.ndarray:
    """Return the entries of a symmetric table above its diagonal."""
    return values[np.triu_indices(len(values), 1)]
