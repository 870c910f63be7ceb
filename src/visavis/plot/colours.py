"""Colours of values: brighter is more alike, whichever way the measure runs."""

from dataclasses import dataclass
from math import isfinite

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, Normalize, to_hex, to_rgb

from visavis._core import checks
from visavis.results import Comparison

# Of pure black and white, one always has the contrast of 4.5 that reading small text takes.
DARK_INK, LIGHT_INK = "#000000", "#ffffff"
MISSING_FACE, MISSING_HATCH = "#d9d6dd", "#8d8797"


@dataclass(frozen=True)
class Colours:
    """A colour map and the values at its ends.

    Parameters
    ----------
    cmap : Colormap
        The colours.
    low, high : float
        The values that get the first and the last of them.
    """

    cmap: Colormap
    low: float
    high: float

    @property
    def norm(self) -> Normalize:
        """The map from values to [0, 1]."""
        return Normalize(self.low, self.high)

    def rgba(self, values: np.ndarray) -> np.ndarray:
        """Return the colours of `values` as (..., 4) floats; of NaN, transparent."""
        return self.cmap(self.norm(np.ma.masked_invalid(values)))

    def hex(self, value: float) -> str:
        """Return the colour of one value as ``#rrggbb``."""
        return to_hex(self.cmap(self.norm(value)))

    def ink(self, value: float) -> str:
        """Return the text colour, dark or light, that stands out more from the value's colour."""
        ground = luminance(self.hex(value))
        contrasts = {ink: _contrast(ground, luminance(ink)) for ink in (DARK_INK, LIGHT_INK)}
        return max(contrasts, key=lambda ink: contrasts[ink])


def colours(
    comparison: Comparison,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
) -> Colours:
    """Return the colours of a comparison: those asked for, else by what the measure is.

    Similarities run from dark to bright, distances from bright to dark. A finite end of the
    measure's range is an end of the colours, so that pictures of one measure can be held side by
    side; but a similarity starts at 0 unless values are below. An infinite end is taken from the
    values.
    """
    if cmap is None:
        cmap = "magma" if comparison.scale.direction == "similarity" else "magma_r"
    chosen = cmap if isinstance(cmap, Colormap) else mpl.colormaps.get_cmap(cmap)
    low, high = _limits(comparison)
    low, high = low if vmin is None else vmin, high if vmax is None else vmax
    if not low < high:
        raise ValueError(
            checks.message(
                "heatmap",
                "vmin` and `vmax",
                "be the ends of a range",
                f"{low:g} to {high:g}",
                "Give both, the smaller first.",
            )
        )
    return Colours(chosen, float(low), float(high))


def _limits(comparison: Comparison) -> tuple[float, float]:
    scale, values = comparison.scale, comparison.values
    seen = values[np.isfinite(values)]
    smallest, largest = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    low = scale.low if isfinite(scale.low) else smallest
    high = scale.high if isfinite(scale.high) else largest
    if scale.direction == "similarity" and low < 0 < high:
        low = min(0.0, smallest)
    return (low, high) if low < high else (low, low + 1.0)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as WCAG defines it, 0 (black) to 1 (white)."""
    channels = np.asarray(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
