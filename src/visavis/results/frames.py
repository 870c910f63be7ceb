"""Results as pandas and xarray objects (extra ``tables``)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis._core.extras import require

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from visavis.results.comparison import Comparison
    from visavis.results.many import ModelComparison


# What the tables of a comparison are called in a column of values.
COLUMNS = {
    "value": "values",
    "low": "low",
    "high": "high",
    "standard_error": "standard_error",
    "chance": "chance",
    "z": "z",
}


def frame(comparison: "Comparison", table: str) -> "pd.DataFrame":
    """Return one table with layer names as index and columns."""
    pandas = require("pandas", extra="tables", purpose="Comparison.to_frame")
    values = _known(comparison, table)
    found = pandas.DataFrame(values, index=comparison.rows, columns=comparison.cols)
    found.index.name, found.columns.name = comparison.names
    return found


def models(comparison: "ModelComparison") -> "pd.DataFrame":
    """Return the values with (model, layer) as index and columns."""
    pandas = require("pandas", extra="tables", purpose="ModelComparison.to_frame")
    pairs = [(model, layer) for model, own in comparison.layers.items() for layer in own]
    index = pandas.MultiIndex.from_tuples(pairs, names=["model", "layer"])
    return pandas.DataFrame(comparison.values, index=index, columns=index)


def tidy(comparisons: Mapping[str, "Comparison"]) -> "pd.DataFrame":
    """Return one line per measure and pair of layers."""
    pandas = require("pandas", extra="tables", purpose="ComparisonSet.to_frame")
    parts = []
    for measure, each in comparisons.items():
        shape = each.values.shape
        rows, cols = (names.reshape(-1) for names in np.indices(shape))
        parts.append(
            pandas.DataFrame(
                {
                    "measure": measure,
                    "row": np.array(each.rows, dtype=object)[rows],
                    "col": np.array(each.cols, dtype=object)[cols],
                    **{name: _known(each, table).reshape(-1) for name, table in COLUMNS.items()},
                }
            )
        )
    return pandas.concat(parts, ignore_index=True)


def dataset(comparison: "Comparison") -> "xr.Dataset":
    """Return all tables over the dimensions row and col; NaN where something is not known."""
    xarray = require("xarray", extra="tables", purpose="Comparison.to_xarray")
    variables = {name: _known(comparison, table) for name, table in COLUMNS.items()}
    return xarray.Dataset(
        {name: (("row", "col"), table) for name, table in variables.items()},
        coords={"row": list(comparison.rows), "col": list(comparison.cols)},
        attrs=_attributes(comparison),
    )


def stacked(comparisons: Mapping[str, "Comparison"]) -> "xr.Dataset":
    """Return all tables over the dimensions measure, row and col."""
    xarray = require("xarray", extra="tables", purpose="ComparisonSet.to_xarray")
    return xarray.concat(
        [dataset(each) for each in comparisons.values()],
        dim=xarray.Variable("measure", list(comparisons)),
        combine_attrs="drop_conflicts",
    )


def _known(comparison: "Comparison", table: str) -> np.ndarray:
    found = getattr(comparison, table)
    return np.full_like(comparison.values, np.nan) if found is None else found


def _attributes(comparison: "Comparison") -> dict[str, Any]:
    return {
        "measure": comparison.measure,
        "direction": comparison.scale.direction,
        "n": comparison.n,
        **({} if comparison.level is None else {"level": comparison.level}),
        "rows": comparison.names[0],
        "cols": comparison.names[1],
        "findings": [str(finding) for finding in comparison.findings],
    }
