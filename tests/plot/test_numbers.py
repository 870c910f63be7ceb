"""Values as text."""

from math import inf, nan

import pytest

from visavis.plot import numbers
from visavis.results import Scale

BOUNDED = Scale("cka", -1.0, 1.0, "similarity", symmetric=True)
OPEN = Scale("hsic", 0.0, inf, "similarity", symmetric=True)


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        (0.987654, BOUNDED, "0.99"),
        (-0.25, BOUNDED, "−0.25"),
        (-0.001, BOUNDED, "0.00"),
        (0.0, OPEN, "0"),
        (12.345, OPEN, "12.3"),
        (98765.4, OPEN, "98765"),
        (1234567.0, OPEN, "1.23e+06"),
        (0.00001, OPEN, "1.00e−05"),
        (nan, BOUNDED, "–"),
        (inf, OPEN, "∞"),
        (-inf, OPEN, "−∞"),
    ],
)
def test_a_value_has_the_digits_that_its_scale_needs(
    value: float, scale: Scale, expected: str
) -> None:
    assert numbers.text(value, scale) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.5, "0.10 to 0.50"), (0.101, 0.102, "0.10")]
)
def test_ends_that_read_the_same_are_said_once(low: float, high: float, expected: str) -> None:
    assert numbers.span(low, high, BOUNDED) == expected
