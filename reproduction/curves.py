"""Curves, which visavis does not draw yet: Axes in, Axes out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = Mapping[str, Sequence[float]]
STYLES = ("-", "--", ":", "-.")


def figure(
    panels: int = 1, *, size: float = 3.6, wide: float = 1.35
) -> "tuple[Figure, list[Axes]]":
    """Return a figure with so many panels side by side, and room for a key at the right."""
    made, axes = plt.subplots(
        1, panels, figsize=(panels * size * wide + 1.4, size), layout="constrained", squeeze=False
    )
    return made, list(axes[0])


def draw(
    ax: "Axes",
    lines: Mapping[str, Line],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    level: tuple[float, str] | None = None,
    key: bool = True,
    **scales: Any,
) -> "Axes":
    """Draw lines, each with ``x``, ``y`` and perhaps ``error``, and a level for comparison."""
    for k, (name, line) in enumerate(lines.items()):
        style = {"color": f"C{k % 10}", "linestyle": STYLES[k // 10 % 4], "label": name}
        ax.plot(line["x"], line["y"], marker="o", markersize=3, linewidth=1.4, **style)
        if "error" in line:
            low = [y - e for y, e in zip(line["y"], line["error"], strict=True)]
            high = [y + e for y, e in zip(line["y"], line["error"], strict=True)]
            ax.fill_between(line["x"], low, high, color=style["color"], alpha=0.15, linewidth=0)
    if level is not None:
        ax.axhline(level[0], color="0.5", linewidth=1, linestyle=(0, (1, 2)), label=level[1])
    ax.set(xlabel=xlabel, ylabel=ylabel, **scales)
    if scales.get("xscale") == "log":
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
    elif all(isinstance(x, int) for line in lines.values() for x in line["x"]):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    if key:
        ax.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def layers_on_x(ax: "Axes", names: Sequence[str]) -> None:
    """Name layers on the x axis, at 0, 1, ..."""
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
