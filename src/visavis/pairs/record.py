"""A comparison from a table: what the numbers mean, how they came about, and what of."""

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

from visavis.measures import Measure
from visavis.pairs.table import Table
from visavis.results import Activations, Comparison, Finding, Scale


def comparison(
    measure: Measure,
    table: Table,
    drawn: Mapping[str, Any],
    n: int,
    both: tuple[Activations, Activations],
    names: tuple[str, str],
    found: tuple[Finding, ...],
    call: str,
    level: float | None = None,
) -> Comparison:
    """Return the comparison that a table is, with everything that travels with it."""
    rows, cols = both
    low, high = _known(table.low), _known(table.high)
    batches = drawn.get("form") == "minibatch"  # of one batch, whose error is not known
    return Comparison(
        values=table.values,
        rows=tuple(rows),
        cols=tuple(cols),
        scale=Scale(
            label=measure.label,
            low=measure.low,
            high=measure.high,
            direction=measure.direction,
            symmetric=measure.symmetric,
            description=f"{measure.title}: {measure.description()}",
        ),
        n=n,
        chance=_known(table.chance),
        standard_error=table.error if batches else _known(table.error),
        low=low,
        high=high,
        level=None if low is None else level,
        z=_known(table.z),
        findings=found,
        names=names,
        plan=drawn,
        provenance={"call": call, **_provenance(both, names)},
    )


def _known(table: np.ndarray) -> np.ndarray | None:
    return table if np.isfinite(table).any() else None


def _provenance(both: tuple[Activations, Activations], names: tuple[str, str]) -> dict[str, Any]:
    from visavis import __version__

    return {
        "visavis": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "sides": [of_side(name, side) for name, side in zip(names, both, strict=True)],
    }


def of_side(name: str, side: Activations) -> dict[str, Any]:
    """Return what is recorded of the layers of a side."""
    return {
        **{str(key): _short(value) for key, value in side.provenance.items()},
        "name": name,
        "samples": "by id" if side.ids is not None else "by position",
        "pool": side.pool,
        "layers": {
            layer: {"shape": list(shape), "dtype": dtype}
            for layer, shape, dtype in side.described()
        },
    }


def _short(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
