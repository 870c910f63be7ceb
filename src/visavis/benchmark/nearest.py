"""Nets of different architectures: for each layer of one the most similar layer of the other."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from visavis._core.extras import require
from visavis.benchmark.runs import Runs, compared
from visavis.measures import MeasureSpec
from visavis.results import Comparison, Finding, ModelComparison, Scale, saved
from visavis.results.correspond import Align

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_WHERE = "nearest_layers"
_KIND = "nearest-layers"


@dataclass(frozen=True)
class LayerMap:
    """For each layer of one net the most similar layer of another.

    Parameters
    ----------
    a, b : str
        The nets: from the layers of `a` to those of `b`.
    layers : tuple of str
        The layers of `a`, in execution order.
    others : tuple of str
        The layers of `b`.
    nearest : tuple of str or None
        For each layer of `a` its most similar layer of `b`; of equal ones the first, and None for a
        layer without a score.
    scores : tuple of float
        How similar they are; NaN without a score.
    """

    a: str
    b: str
    layers: tuple[str, ...]
    others: tuple[str, ...]
    nearest: tuple[str | None, ...]
    scores: tuple[float, ...]

    @property
    def depths(self) -> tuple[float, ...]:
        """The relative depth of each layer of `a`: 1/k for the first of k, 1 for the last."""
        return tuple((k + 1) / len(self.layers) for k in range(len(self.layers)))

    @property
    def nearest_depths(self) -> tuple[float, ...]:
        """The relative depth in `b` of what is nearest to each layer; NaN without a score."""
        place = {name: (k + 1) / len(self.others) for k, name in enumerate(self.others)}
        return tuple(np.nan if name is None else place[name] for name in self.nearest)

    @property
    def monotone(self) -> float:
        """How far deeper layers have deeper partners: Spearman's correlation of both depths.

        1 if the order is kept, −1 if it is turned around. NaN where it is not defined: all layers
        have one partner, or fewer than two have a score.
        """
        pairs = zip(self.depths, self.nearest_depths, strict=True)
        known = [pair for pair in pairs if not np.isnan(pair[1])]
        if len(known) < 2 or len({partner for _, partner in known}) < 2:
            return float("nan")
        depths, partners = (stats.rankdata(each) for each in zip(*known, strict=True))
        return float(np.corrcoef(depths, partners)[0, 1])

    @property
    def covered(self) -> int:
        """How many layers of `b` are nearest to any of `a`."""
        return len({name for name in self.nearest if name is not None})

    def __str__(self) -> str:
        order = "–" if np.isnan(self.monotone) else f"{self.monotone:.2f}"
        width = max(map(len, self.layers))
        lines = [
            f"  {layer:{width}}  {depth:.2f}  →  {partner_depth:.2f}  {partner}"
            if partner is not None
            else f"  {layer:{width}}  {depth:.2f}  →  no score"
            for layer, depth, partner, partner_depth in zip(
                self.layers, self.depths, self.nearest, self.nearest_depths, strict=True
            )
        ]
        head = (
            f"{self.a} → {self.b}: order kept {order}, {self.covered} of {len(self.others)} layers "
            "are the nearest of any"
        )
        return "\n".join([head, *lines])


@dataclass(frozen=True, eq=False, repr=False)
class NearestLayers(Mapping[tuple[str, str], LayerMap]):
    """The nearest layers of nets, from each net to each other one.

    A mapping from ordered pairs of nets to `LayerMap`.

    Parameters
    ----------
    scores : mapping of (a, b) to Comparison
        For each two nets, in one order, the layers of a against those of b.
    """

    scores: Mapping[tuple[str, str], Comparison]

    def __getitem__(self, pair: tuple[str, str]) -> LayerMap:
        if pair in self.scores:
            return _map(self.scores[pair])
        if isinstance(pair, tuple) and len(pair) == 2 and (pair[1], pair[0]) in self.scores:
            return _map(_turned(self.scores[pair[1], pair[0]]))
        raise KeyError(f"{pair!r} is not a pair of {list(self.nets)}")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(permutations(self.nets, 2))

    def __len__(self) -> int:
        return 2 * len(self.scores)

    @property
    def nets(self) -> tuple[str, ...]:
        """The names of the nets."""
        return tuple(dict.fromkeys(net for pair in self.scores for net in pair))

    @property
    def measure(self) -> str:
        """The measure with its options."""
        return next(iter(self.scores.values())).measure

    @property
    def n(self) -> int:
        """Number of samples."""
        return next(iter(self.scores.values())).n

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all pairs, each once."""
        seen: list[Finding] = []
        for each in self.scores.values():
            seen += [finding for finding in each.findings if finding not in seen]
        return tuple(seen)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per ordered pair of nets and layer of the first."""
        pandas = require("pandas", extra="tables", purpose="NearestLayers.to_frame")
        lines = [
            {
                "a": each.a,
                "b": each.b,
                "layer": layer,
                "depth": depth,
                "nearest": partner,
                "nearest_depth": partner_depth,
                "score": score,
            }
            for each in self.values()
            for layer, depth, partner, partner_depth, score in zip(
                each.layers,
                each.depths,
                each.nearest,
                each.nearest_depths,
                each.scores,
                strict=True,
            )
        ]
        return pandas.DataFrame(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types, the maps beside the scores they come from."""
        maps = [
            {
                "a": each.a,
                "b": each.b,
                "monotone": each.monotone,
                "covered": each.covered,
                "nearest": dict(zip(each.layers, each.nearest, strict=True)),
            }
            for each in self.values()
        ]
        scores = [each.to_dict() for each in self.scores.values()]
        return saved.plain({"measure": self.measure, "maps": maps, "scores": scores})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "NearestLayers":
        """Return the outcome that `to_dict` described."""
        scores = [Comparison.from_dict(each) for each in data["scores"]]
        return cls({each.names: each for each in scores})

    def save(self, path: str | Path) -> Path:
        """Write the outcome to a JSON file, whole or not at all, and return its path."""
        return saved.write(path, _KIND, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "NearestLayers":
        """Read an outcome that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(path, _KIND, cls.from_dict)

    def plot(self, **options: Any) -> "Figure":
        """Draw the scores of each two nets, nearest layers marked; see `visavis.plot.grid`."""
        from visavis.plot import grid

        titles = [" × ".join(pair) for pair in self.scores]
        return grid(list(self.scores.values()), **{"titles": titles, **options})

    def to_html(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write a self-contained HTML report: maps and heatmaps; return its path."""
        from visavis.benchmark.page import write_nearest

        return write_nearest(self, path, title=title)

    @property
    def heading(self) -> str:
        """What was looked for, in one line."""
        return (
            f"Nearest layers of {len(self.nets)} nets by {self.measure}, {self.n} samples; "
            "depths are relative"
        )

    def __str__(self) -> str:
        return "\n".join([self.heading, *map(str, self.values())])

    __repr__ = __str__


def nearest_layers(
    runs: Runs,
    *,
    measure: MeasureSpec = "cka",
    layers: str | Sequence[str] | None = None,
    data: Any = None,
    align: Align = "strict",
    silenced: Sequence[str] = (),
    memory: str | float | None = None,
    executor: Executor | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    **extraction: Any,
) -> NearestLayers:
    """Return for each layer of each net the most similar layer of each other net.

    For nets of different architectures, whose layers have no names in common; of one architecture
    `layer_correspondence` says how often the nearest layer is the right one. Layers of two
    architectures that see alike lie at similar relative depths, in the same order [1]_, Fig. 5.

    Parameters
    ----------
    runs, layers, data, align, silenced, memory, executor, checkpoint, progress, **extraction
        As in `layer_correspondence`, but the layers may be others in each net. A pattern in
        `layers` has to fit in one of them.
    measure : str, function or Measure
        See `visavis.compare`. If it is not symmetric, the mean of both directions decides.

    Returns
    -------
    NearestLayers
        A mapping from ordered pairs of nets to `LayerMap`, which has the nearest layers, their
        relative depths, and how far their order is kept.

    Raises
    ------
    ValueError
        If there are fewer than two nets.
    SampleMismatchError
        If the samples of any two nets are not the same.

    Notes
    -----
    A nearest layer always exists, in nets that have nothing in common as well: look at the scores
    and their chance level before the map. *Ties* go to the first layer.

    References
    ----------
    .. [1] Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations
       Revisited", ICML 2019. arXiv:1905.00414

    Examples
    --------
    A deep net that has each layer of a shallow one twice:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> shallow = {f"conv{i}": rng.normal(size=(60, 5)) for i in range(3)}
    >>> deep = {f"block{i}": shallow[f"conv{i // 2}"] + 0.1 for i in range(6)}
    >>> res = vv.benchmark.nearest_layers({"shallow": shallow, "deep": deep})
    >>> res["deep", "shallow"].nearest
    ('conv0', 'conv0', 'conv1', 'conv1', 'conv2', 'conv2')
    >>> round(res["deep", "shallow"].monotone, 2)
    0.96
    """
    found = compared(
        _WHERE,
        runs,
        None if isinstance(runs, ModelComparison) else [measure],
        [measure],
        layers=layers,
        data=data,
        extraction=extraction,
        options={
            "align": align,
            "silenced": silenced,
            "memory": memory,
            "executor": executor,
            "checkpoint": checkpoint,
            "progress": progress,
        },
    )
    [only] = found.values()
    return NearestLayers({pair: _both_ways(only, *pair) for pair in combinations(only.models, 2)})


def _both_ways(found: ModelComparison, a: str, b: str) -> Comparison:
    """Return the scores of two nets, for a directed measure the mean of its directions."""
    there = found[a, b]
    if there.scale.symmetric:
        return there
    back = found[b, a]
    scale = replace(there.scale.described("mean of both directions"), symmetric=True)
    return _with(there, (there.values + back.values.T) / 2, scale)


def _turned(scores: Comparison) -> Comparison:
    names = scores.names[1], scores.names[0]
    return Comparison(
        scores.values.T, scores.cols, scores.rows, scores.scale, scores.n, names=names
    )


def _with(scores: Comparison, values: np.ndarray, scale: Scale) -> Comparison:
    """Return scores with other values, of which less is known."""
    return Comparison(
        values,
        scores.rows,
        scores.cols,
        scale,
        scores.n,
        findings=scores.findings,
        names=scores.names,
        plan=scores.plan,
        provenance=scores.provenance,
    )


def _map(scores: Comparison) -> LayerMap:
    best = scores.best_match()
    nearest = tuple(best[row] for row in scores.rows)
    values = tuple(
        float("nan") if col is None else scores[row, col]
        for row, col in zip(scores.rows, nearest, strict=True)
    )
    return LayerMap(*scores.names, scores.rows, scores.cols, nearest, values)
