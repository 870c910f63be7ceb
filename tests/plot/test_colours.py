"""Colours: limits from the record of the measure, brighter is more alike, text that can be read."""

from collections.abc import Callable
from math import inf, nan, pi

import numpy as np
import pytest

from visavis.plot.colours import colours, luminance
from visavis.results import Comparison, Scale

Make = Callable[..., Comparison]


@pytest.mark.parametrize(
    ("low", "high", "direction", "values", "limits"),
    [
        pytest.param(-1, 1, "similarity", [0.2, 0.9], (0, 1), id="starts at zero"),
        pytest.param(-1, 1, "similarity", [-0.03, 0.9], (-0.03, 1), id="below zero if values are"),
        pytest.param(0, 1, "similarity", [0.2, 0.3], (0, 1), id="range of the measure"),
        pytest.param(0, pi / 2, "distance", [0.2, 0.3], (0, pi / 2), id="range of a distance"),
        pytest.param(0, inf, "similarity", [5.0, 30.0], (0, 30), id="open end from the values"),
        pytest.param(-inf, inf, "distance", [-2.0, 30.0], (-2, 30), id="both ends from values"),
        pytest.param(0, inf, "distance", [nan, 3.0], (0, 3), id="missing values do not count"),
        pytest.param(0, inf, "distance", [nan, nan], (0, 1), id="no value at all"),
        pytest.param(0, inf, "distance", [0.0, 0.0], (0, 1), id="all the same"),
        pytest.param(-inf, inf, "similarity", [4.0, 4.0], (4, 5), id="all the same, open"),
    ],
)
def test_limits(
    make: Make, low: float, high: float, direction: str, values: list[float], limits: tuple
) -> None:
    scale = Scale("m", low, high, direction, symmetric=True)
    found = colours(make(1, 2, values=np.array([values]), scale=scale))

    assert (found.low, found.high) == limits


def test_limits_can_be_chosen(make: Make) -> None:
    found = colours(make(), "viridis", -0.5, 0.5)

    assert (found.cmap.name, found.low, found.high) == ("viridis", -0.5, 0.5)


def test_limits_in_the_wrong_order_are_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="`vmin` and `vmax` must be the ends of a range, got 1 to"):
        colours(make(), vmin=1.0, vmax=0.0)


@pytest.mark.parametrize(("measure", "sign"), [("cka", 1), ("procrustes", -1), ("hsic", 1)])
def test_more_alike_is_brighter_all_the_way(make: Make, measure: str, sign: int) -> None:
    found = colours(make(measure=measure))
    brightness = [luminance(found.hex(v)) for v in np.linspace(found.low, found.high, 256)]

    assert (sign * np.diff(brightness) > 0).all()


@pytest.mark.parametrize("cmap", [None, "viridis", "RdBu", "Greys"])
def test_text_stands_out_from_every_colour(make: Make, cmap: str | None) -> None:
    found = colours(make(), cmap)
    values = np.linspace(found.low, found.high, 256)
    pairs = [sorted((luminance(found.hex(v)), luminance(found.ink(v)))) for v in values]

    # 4.5 is the contrast that WCAG 2 asks of small text.
    assert min((bright + 0.05) / (dark + 0.05) for dark, bright in pairs) >= 4.5


def test_missing_values_have_no_colour(make: Make) -> None:
    rgba = colours(make()).rgba(np.array([nan, 0.5]))

    assert rgba[:, 3].tolist() == [0.0, 1.0]
