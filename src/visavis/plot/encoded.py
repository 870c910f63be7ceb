"""A figure as the content of a file."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png(figure: "Figure", *, dpi: int = 150) -> bytes:
    """Return a figure as a PNG picture, and close it. The same figure gives the same bytes."""
    from matplotlib import pyplot as plt

    buffer = io.BytesIO()
    # Matplotlib would put its version here, and another one would give other bytes.
    figure.savefig(buffer, dpi=dpi, format="png", metadata={"Software": "visavis"})
    plt.close(figure)
    return buffer.getvalue()
