"""Which layer of one net is taken for which of another."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch, Rectangle

from visavis._core import checks
from visavis.plot import labels
from visavis.plot.axes import PLAIN, WIDTH_OF_DIGIT, name_axes, pitch_of, read_plainly, write_title
from visavis.plot.colours import MISSING_FACE, MISSING_HATCH, Colours, colours
from visavis.results import Comparison, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

SOUGHT, TAKEN = "layer sought", "layer taken for it"
MOST_ANNOTATED = 12
_MOST_COLUMNS = 4
_ONE_LINE = 3
_SHARE = Scale("share of trials, %", 0.0, 100.0, "similarity", symmetric=False)


def confusion(
    counts: npt.ArrayLike,
    layers: Sequence[str],
    ax: "Axes | None" = None,
    *,
    annotate: bool | None = None,
    title: str | None = None,
    colorbar: bool = True,
) -> "Axes":
    """Draw how often each layer of one net is taken for each layer of another.

    Parameters
    ----------
    counts : array, (layers, layers)
        How often layer i of one net was taken for layer j of the other, as in
        ``layer_correspondence(...)["cka"].confusion``. A row is shown as shares of its sum.
    layers : sequence of str
        Their names, in execution order.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.
    annotate : bool, optional
        Whether to print the shares in %, but for those of 0; by default up to 12 layers.
    title : str, optional
        None without.
    colorbar : bool
        Whether to draw the scale of colours beside it.

    Returns
    -------
    matplotlib Axes
        The layer sought on y, the layer taken for it on x, the first at the bottom left.

    Notes
    -----
    The diagonal, where a layer is taken for itself, is framed. A hatched row had no trial.

    Examples
    --------
    >>> ax = confusion([[4, 0], [1, 3]], ["conv1", "conv2"])
    >>> ax.images[0].get_array().tolist()
    [[100.0, 0.0], [25.0, 75.0]]
    """
    shares = _shares(counts, layers)
    if ax is None:
        from matplotlib import pyplot as plt

        side = float(np.clip(0.5 * len(layers), 2.4, 7.0))
        margin = 0.7 + 0.07 * max(map(len, labels.short(list(layers))))
        size = (side + margin + (0.9 if colorbar else 0.2), side + margin + 0.4)
        _, ax = plt.subplots(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    image = _draw(shares, layers, ax, annotate)
    if colorbar:
        # Inset, so that it is as tall as the cells and takes no room from other axes.
        bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)))
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, length=2)
        bar.set_label(_SHARE.label, fontsize=8)
    if title:
        write_title(ax, title, size=11, pad=6)
    return ax


def confusions(
    counts: Sequence[npt.ArrayLike],
    layers: Sequence[str],
    *,
    titles: Sequence[str],
    columns: int | None = None,
    title: str | None = None,
    annotate: bool | None = None,
    size: float = 2.9,
) -> "Figure":
    """Draw the confusions of several measures side by side, on one scale.

    Parameters
    ----------
    counts : sequence of array, (layers, layers)
        As for `confusion`, in reading order.
    layers : sequence of str
        Their names.
    titles : sequence of str
        One per panel.
    columns : int, optional
        Panels per row; by default as square as possible, at most 4.
    title : str, optional
        The title of the figure.
    annotate : bool, optional
        As for `confusion`.
    size : float
        Width and height of a panel in inches.

    Returns
    -------
    matplotlib Figure
        With constrained layout; ``savefig(path, dpi=200)`` gives a picture fit to print.

    Examples
    --------
    >>> figure = confusions([[[4, 0], [1, 3]], [[2, 2], [2, 2]]], ["a", "b"], titles=["cka", "cca"])
    >>> [ax.get_title(loc="left") for ax in figure.axes[:2]]
    ['cka', 'cca']
    """
    panels = [_shares(each, layers) for each in counts]
    if not panels or len(titles) != len(panels):
        expected = "hold a table for each title, and one at least"
        seen = f"{len(panels)} for {len(titles)} titles"
        raise ValueError(checks.message("confusions", "counts", expected, seen))
    from matplotlib import pyplot as plt

    square = ceil(sqrt(len(panels))) if len(panels) > _ONE_LINE else len(panels)
    across = columns or min(_MOST_COLUMNS, square)
    down = ceil(len(panels) / across)
    margin = 0.5 + 0.07 * max(map(len, labels.short(list(layers))))
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(across * (size + 0.3) + margin + 0.6, down * (size + 0.45) + margin),
        layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08),
        squeeze=False,
    )
    used, unused = np.split(axes.ravel(), [len(panels)])
    for ax in unused:
        ax.remove()
    images = []
    for k, (shares, ax, heading) in enumerate(zip(panels, used, titles, strict=True)):
        images.append(_draw(shares, layers, ax, annotate))
        write_title(ax, heading, size=9.5, pad=6)
        first, last = k % across == 0, k + across >= len(panels)
        ax.tick_params(labelleft=first, labelbottom=last)
        ax.yaxis.label.set_visible(first)
        ax.xaxis.label.set_visible(last)
    bar = figure.colorbar(images[0], ax=list(used), shrink=0.8 / down, aspect=18, pad=0.015)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
    bar.set_label(_SHARE.label, fontsize=8)
    if title:
        figure.suptitle(labels.printable(title), **PLAIN)
    if any(np.isnan(shares).any() for shares in panels):
        patch = Patch(facecolor=MISSING_FACE, edgecolor=MISSING_HATCH, hatch="////", lw=0)
        key = figure.legend([patch], ["no trial"], loc="outside lower center", frameon=False)
        read_plainly(key)
    return figure


def _shares(counts: npt.ArrayLike, layers: Sequence[str]) -> np.ndarray:
    """Return each row in % of its sum; NaN for a row without any."""
    table = np.asarray(counts, dtype=np.float64)
    size = len(layers)
    if table.shape != (size, size) or not size:
        expected = f"have a row and a column for each of {size} layers"
        raise ValueError(checks.message("confusion", "counts", expected, f"shape {table.shape}"))
    if not (table >= 0).all() or not np.isfinite(table).all():
        raise ValueError(
            checks.message("confusion", "counts", "count: finite and not negative", "other values")
        )
    sums = table.sum(axis=1, keepdims=True)
    return np.where(sums > 0, 100 * table / np.where(sums > 0, sums, 1), np.nan)


def _draw(
    shares: np.ndarray, layers: Sequence[str], ax: "Axes", annotate: bool | None
) -> "AxesImage":
    table = _table(shares, layers)
    scale, size = colours(table), len(shares)
    missing = np.isnan(shares)
    if missing.any():
        ground = {"facecolor": MISSING_FACE, "edgecolor": MISSING_HATCH, "hatch": "////", "lw": 0}
        ax.add_patch(Rectangle((-0.5, -0.5), size, size, zorder=0, label="no trial", **ground))
    image = ax.imshow(
        np.ma.masked_array(shares, missing),
        cmap=scale.cmap,
        norm=scale.norm,
        origin="lower",
        interpolation="nearest",
        zorder=1,
    )
    pitch = pitch_of(ax, size, size)
    name_axes(table, ax, pitch)
    for k in range(size):
        corner = (k - 0.5, k - 0.5)
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, ec="0.6", lw=0.8, gid="itself", zorder=2))
    if size <= MOST_ANNOTATED if annotate is None else annotate:
        _print(shares, ax, scale, pitch[0])
    return image


def _table(shares: np.ndarray, layers: Sequence[str]) -> Comparison:
    """Return the shares as a table, whose axes and colours are those of other pictures."""
    names = tuple(layers)
    return Comparison(shares, names, names, _SHARE, n=0, names=(SOUGHT, TAKEN))


def _print(shares: np.ndarray, ax: "Axes", scale: Colours, pitch: float) -> None:
    size = float(np.clip(0.76 / len("100") * pitch / WIDTH_OF_DIGIT, 3.0, 9.0))
    for (i, j), share in np.ndenumerate(shares):
        if share > 0:  # NaN is not
            text = "<1" if share < 1 else f"{share:.0f}"
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center_baseline",
                fontsize=size,
                color=scale.ink(float(share)),
                clip_on=True,
                zorder=3,
                **PLAIN,
            )
