"""From the table of the layers of two models to one number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from visavis._core import checks

Layers = Sequence[str]


@dataclass(frozen=True)
class Reduction:
    """A way to reduce a table to a number.

    Parameters
    ----------
    of : callable
        From values, names of rows and columns, and whether higher is more alike, to the number.
    description : str
        What the number is.
    searches : bool
        Whether partners are chosen by their values.
    """

    of: Callable[[np.ndarray, Layers, Layers, bool], float]
    description: str
    searches: bool


def _same(values: np.ndarray, rows: Layers, cols: Layers, higher: bool) -> float:
    at = {layer: j for j, layer in enumerate(cols)}
    return float(np.mean([values[i, at[layer]] for i, layer in enumerate(rows) if layer in at]))


def _best(values: np.ndarray, rows: Layers, cols: Layers, higher: bool) -> float:
    best = values if higher else -values
    mean = float(best.max(axis=1).mean() + best.max(axis=0).mean()) / 2
    return mean if higher else -mean


def _matched(values: np.ndarray, rows: Layers, cols: Layers, higher: bool) -> float:
    if np.isnan(values).any():
        return float("nan")
    from scipy.optimize import linear_sum_assignment  # which changes filters of warnings

    chosen = linear_sum_assignment(values, maximize=higher)
    return float(values[chosen].mean())


_CHOSEN = ", chosen by their values, so that unrelated models score better than chance"
REDUCTIONS: Mapping[str, Reduction] = MappingProxyType(
    {
        "same": Reduction(_same, "mean over layers of the same name", searches=False),
        "best": Reduction(_best, f"mean over layers of the best partner{_CHOSEN}", searches=True),
        "matched": Reduction(
            _matched, f"mean over layers matched one to one{_CHOSEN}", searches=True
        ),
    }
)


def check(reduce: str, layers: Mapping[str, Layers]) -> None:
    """Check that models with these layers can be reduced in this way.

    Raises
    ------
    ValueError
        If there is no such way, or two models have no layer of the same name and need one.
    """
    checks.option("between", "reduce", reduce, tuple(REDUCTIONS))
    if reduce != "same":
        return
    # Models of one architecture have the same layers and are looked at once.
    distinct: dict[frozenset[str], str] = {}
    for model, own in layers.items():
        distinct.setdefault(frozenset(own), model)
    for own, model in distinct.items():
        for other, second in distinct.items():
            if own.isdisjoint(other):
                expected = 'be "best" or "matched" for models without layers of the same name'
                seen = f'"same" for {model} and {second}'
                raise ValueError(checks.message("between", "reduce", expected, seen))
