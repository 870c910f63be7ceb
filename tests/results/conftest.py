"""A comparison with everything that one may hold."""

from dataclasses import replace

import numpy as np
import pytest

from visavis import Comparison, Finding
from visavis.results import Scale

SIMILARITY = Scale("cka(estimator=biased)", 0.0, 1.0, "similarity", True, "Biased: grows.")
DISTANCE = Scale("procrustes", 0.0, np.pi / 2, "distance", True, "An angle.")
UNBOUNDED = Scale("hsic", -np.inf, np.inf, "similarity", False, "Squared units.")
NAN = float("nan")


@pytest.fixture
def make():
    """A comparison of 2 × 3 layers; its fields by keyword."""

    def comparison(values=((0.9, 0.2, 0.1), (0.3, 0.8, 0.8)), **fields):
        made = Comparison(
            values=np.array(values, dtype=np.float64),
            rows=("conv1", "conv2"),
            cols=("a", "b", "c"),
            scale=SIMILARITY,
            n=500,
            names=("seed0", "seed1"),
        )
        return replace(made, **fields)

    return comparison


@pytest.fixture
def full(make):
    """With what JSON has no word for, wherever it may be."""
    return make(
        values=((NAN, np.inf, -np.inf), (0.1, 1 / 3, 5e-324)),
        scale=UNBOUNDED,
        chance=np.array([[NAN, 0.1, 0.2], [0.3, 0.4, np.inf]]),
        findings=(
            Finding(
                "VV006",
                "layer conv1 of seed0 is «dead».",
                "Leave it out.",
                "error",
                ("conv1",),
                {"rows": 500},
            ),
            Finding("VV002", "20 samples."),
        ),
        plan={"form": "gram", "pairs": 6},
        provenance={"visavis": "0.1", "sides": [{"name": "seed0", "layers": {"conv1": [500, 8]}}]},
    )
