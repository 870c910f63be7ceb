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


def frame(comparison: "Comparison") -> "pd.DataFrame":
    """Return the values with layer names as index and columns."""
    pandas = require("pandas", extra="tables", purpose="Comparison.to_frame")
    table = pandas.DataFrame(comparison.values, index=comparison.rows, columns=comparison.cols)
    table.index.name, table.columns.name = comparison.names
    return table


def models(comparison: "ModelComparison") -> "pd.DataFrame":
    """Return the values with (model, layer) as index and columns."""
    pandas = require("pandas", extra="tables", purpose="ModelComparison.to_frame")
    pairs = [(model, layer) for model, own in comparison.layers.items() for layer in own]
    index = pandas.MultiIndex.from_tuples(pairs, names=["model", "layer"])
    return pandas.DataFrame(comparison.values, index=index, columns=index)


def tidy(comparisons: Mapping[str, "Comparison"]) -> "pd.DataFrame":
    """Return one line per measure and pair of layers."""
    pandas = require("pandas", extra="tables", purpose="ComparisonSet.to_frame")
    lines = [
        {
            "measure": measure,
            "row": row,
            "col": col,
            "value": each.values[i, j],
            "chance": _chance(each)[i, j],
        }
        for measure, each in comparisons.items()
        for i, row in enumerate(each.rows)
        for j, col in enumerate(each.cols)
    ]
    return pandas.DataFrame(lines)


def dataset(comparison: "Comparison") -> "xr.Dataset":
    """Return values and chance over the dimensions row and col."""
    xarray = require("xarray", extra="tables", purpose="Comparison.to_xarray")
    variables = {"value": comparison.values, "chance": _chance(comparison)}
    if comparison.standard_error is not None:
        variables["standard_error"] = comparison.standard_error
    return xarray.Dataset(
        {name: (("row", "col"), table) for name, table in variables.items()},
        coords={"row": list(comparison.rows), "col": list(comparison.cols)},
        attrs=_attributes(comparison),
    )


def stacked(comparisons: Mapping[str, "Comparison"]) -> "xr.Dataset":
    """Return values and chance over the dimensions measure, row and col."""
    xarray = require("xarray", extra="tables", purpose="ComparisonSet.to_xarray")
    return xarray.concat(
        [dataset(each) for each in comparisons.values()],
        dim=xarray.Variable("measure", list(comparisons)),
        combine_attrs="drop_conflicts",
    )


def _chance(comparison: "Comparison") -> np.ndarray:
    if comparison.chance is None:
        return np.full_like(comparison.values, np.nan)
    return comparison.chance


def _attributes(comparison: "Comparison") -> dict[str, Any]:
    return {
        "measure": comparison.measure,
        "direction": comparison.scale.direction,
        "n": comparison.n,
        "rows": comparison.names[0],
        "cols": comparison.names[1],
        "findings": [str(finding) for finding in comparison.findings],
    }
