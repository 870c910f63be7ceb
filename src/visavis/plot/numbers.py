"""Values as text: as many digits as the reader can use."""

import math

from visavis.results import Scale

MISSING = "–"
# Within this magnitude a fixed number of decimals lines up and loses nothing that matters.
_BOUNDED = 10.0
# Outside of these a number is shorter with an exponent.
_SMALLEST, _LARGEST = 1e-3, 1e5


def text(value: float, scale: Scale, decimals: int = 2) -> str:
    """Return `value` of a measure as text: fixed decimals if the range is small, else digits.

    Examples
    --------
    >>> cka = Scale("cka", -1.0, 1.0, "similarity", symmetric=True)
    >>> text(-0.0312, cka), text(-0.0012, cka), text(float("nan"), cka)
    ('−0.03', '0.00', '–')
    >>> hsic = Scale("hsic", 0.0, float("inf"), "similarity", symmetric=True)
    >>> text(1061.4, hsic), text(22.04, hsic), text(3.14e-7, hsic)
    ('1061', '22.0', '3.14e−07')
    """
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    shown = format(value, _format(value, scale, decimals))
    # A small negative value that rounds to zero reads as zero; and a minus sign is not a hyphen.
    return shown.lstrip("-") if float(shown) == 0 else shown.replace("-", "−")


def _format(value: float, scale: Scale, decimals: int) -> str:
    if max(abs(scale.low), abs(scale.high)) <= _BOUNDED:
        return f".{decimals}f"
    if value == 0 or not _SMALLEST <= abs(value) < _LARGEST:
        return f".{decimals}e" if value else ".0f"
    return f".{max(0, decimals - math.floor(math.log10(abs(value))))}f"


def span(low: float, high: float, scale: Scale, decimals: int = 2) -> str:
    """Return two ends as text, once if they read the same."""
    ends = text(low, scale, decimals), text(high, scale, decimals)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def z(value: float) -> str:
    """Return standard deviations above chance as text.

    Examples
    --------
    >>> z(-0.31), z(35.26), z(1234.5), z(float("nan"))
    ('−0.3', '35.3', '1,234', '–')
    """
    if math.isnan(value):
        return MISSING
    shown = f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return shown.replace("-", "−")
