"""Comparisons to draw, and no figure left behind."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from visavis.results import Comparison, Scale

mpl.use("Agg")

CKA = Scale("cka", -1.0, 1.0, "similarity", symmetric=True)
ANGLE = Scale("procrustes", 0.0, np.pi / 2, "distance", symmetric=True)
HSIC = Scale("hsic", 0.0, np.inf, "similarity", symmetric=True)
SCALES = {scale.label: scale for scale in (CKA, ANGLE, HSIC)}


@pytest.fixture(autouse=True)
def _no_figure_left() -> Iterator[None]:
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def make() -> Callable[..., Comparison]:
    """A comparison of so many rows and columns by a measure; its fields by keyword."""

    def comparison(
        n_rows: int = 4, n_cols: int = 4, measure: str = "cka", **fields: Any
    ) -> Comparison:
        distance = np.abs(np.subtract.outer(np.arange(n_rows), np.arange(n_cols)))
        values = 0.9 * np.exp(-0.4 * distance) + 0.01 * np.arange(n_rows)[:, None]
        if measure == "procrustes":
            values = 1.2 - values
        made = Comparison(
            values=values,
            rows=tuple(f"conv{i}" for i in range(n_rows)),
            cols=tuple(f"conv{j}" for j in range(n_cols)),
            scale=SCALES[measure],
            n=500,
            names=("seed0", "seed1"),
        )
        return replace(made, **fields)

    return comparison
