"""Many models: a table of all layers of all models, and its reductions to models and groups."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis._core import checks
from visavis.results import reductions, saved
from visavis.results.comparison import Comparison, Scale
from visavis.results.finding import Finding
from visavis.results.grouped import Grouped, grouped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """A table of one measure between all layers of many models.

    Parameters
    ----------
    table : Comparison
        Of all layers with all layers, named ``"model/layer"``.
    layers : mapping of str to tuple of str
        The layers of each model, in execution order.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> runs = {f"seed{k}": {"fc": rng.normal(size=(60, 4))} for k in range(3)}
    >>> res = vv.compare(runs)
    >>> res.models
    ('seed0', 'seed1', 'seed2')
    >>> res["seed0", "seed1"].values.shape, res.between().values.shape
    ((1, 1), (3, 3))
    """

    table: Comparison
    layers: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if not self.layers or not all(self.layers.values()):
            expected = "hold one model at least, and one layer at least of each"
            raise ValueError(checks.message("ModelComparison", "layers", expected, "none"))
        names = tuple(f"{model}/{layer}" for model, own in self.layers.items() for layer in own)
        if not names == self.table.rows == self.table.cols or len(set(names)) < len(names):
            raise ValueError(
                checks.message(
                    "ModelComparison",
                    "table",
                    "have the layers of all models as rows and columns, each once",
                    f"{len(self.table.rows)} x {len(self.table.cols)} for {len(names)} layers",
                )
            )

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models."""
        return tuple(self.layers)

    @property
    def values(self) -> np.ndarray:
        """The measure for each pair of layers of all models."""
        return self.table.values

    @property
    def scale(self) -> Scale:
        """What the numbers mean."""
        return self.table.scale

    @property
    def measure(self) -> str:
        """The measure with its options."""
        return self.table.measure

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.table.n

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the reader should know."""
        return self.table.findings

    @property
    def plan(self) -> Mapping[str, Any]:
        """How it was computed."""
        return self.table.plan

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, dtypes, widths of layers, pooling, seeds."""
        return self.table.provenance

    def __repr__(self) -> str:
        return (
            f"ModelComparison of {len(self.models)} models ({', '.join(self.models[:4])}"
            f"{', ...' if len(self.models) > 4 else ''}), {len(self.table.rows)} layers in all, "
            f"on {self.n} samples\n{str(self.table).partition(chr(10))[2]}"
        )

    def __getitem__(self, pair: tuple[str, str]) -> Comparison:
        """Return the layer × layer table of two models: ``res["seed0", "seed1"]``."""
        if not (isinstance(pair, tuple) and len(pair) == 2):
            raise KeyError(f"{pair!r} is not a pair of models")
        rows, cols = (self._of(model) for model in pair)
        own = {f"{model}/{layer}": layer for model in pair for layer in self.layers[model]}
        part = self._part(rows, cols, findings=self._findings(own))
        return replace(part, rows=self.layers[pair[0]], cols=self.layers[pair[1]], names=pair)

    def without(self, *names: str) -> "ModelComparison":
        """Return the comparison without some models or layers.

        Parameters
        ----------
        *names : str
            A model (``"seed0"``), a layer of one model (``"seed0/fc"``), or of all (``"fc"``). A
            model without layers is left out.

        Raises
        ------
        ValueError
            If there is no such model or layer, or nothing would be left.
        """
        layers = remaining(self.layers, names)
        left = {f"{model}/{layer}" for model, own in layers.items() for layer in own}
        kept = [at for at, row in enumerate(self.table.rows) if row in left]
        findings = self._findings({row: row for row in left})
        return ModelComparison(self._part(kept, kept, findings), layers)

    def between(self, reduce: str = "same") -> Comparison:
        """Return one number for each pair of models.

        Parameters
        ----------
        reduce : {"same", "best", "matched"}
            ``"same"``: the mean over layers of the same name. ``"best"``: for each layer its best
            partner in the other model, the mean over the layers of either model, and of both
            means. ``"matched"``: the mean over the layers of the smaller model, each with a
            partner of its own, chosen so that it is best. A model with itself counts as any other
            pair; of a measure that is not symmetric the values from row to column are taken.

        Returns
        -------
        Comparison
            Model × model; NaN where a layer that counts has no value. Chance levels are known for
            ``"same"`` only: the others choose partners by their values, and are above chance for
            models that have nothing in common. There are no intervals: layers of one model, on
            the same samples, err together, so that those of layers do not average.

        Raises
        ------
        ValueError
            If `reduce` is unknown, or two models have no layer of the same name.
        """
        reductions.check(reduce, self.layers)
        reduction = reductions.REDUCTIONS[reduce]
        known = None if reduction.searches else self.table.chance
        return replace(
            self.table,
            values=self._reduced(reduction, self.values),
            chance=None if known is None else self._reduced(reduction, known),
            standard_error=None,
            low=None,
            high=None,
            level=None,
            z=None,
            rows=self.models,
            cols=self.models,
            names=("models", "models"),
            scale=self.scale.described(reduction.description),
            findings=self._findings(self._owners),
            unit="model",
        )

    def grouped(self, groups: Mapping[str, str], reduce: str = "same") -> Grouped:
        """Return mean and standard deviation over the pairs of models of two groups.

        Parameters
        ----------
        groups : mapping of str to str
            The group of each model, such as its architecture; the seeds are the members.
        reduce : {"same", "best", "matched"}
            As in `between`.

        Returns
        -------
        Grouped
            Group × group, over pairs of different models.

        Raises
        ------
        ValueError
            If a model has no group, or as in `between`.
        """
        return grouped(self.between(reduce), groups)

    def to_frame(self) -> "pd.DataFrame":
        """Return the values with (model, layer) as index and columns."""
        from visavis.results import frames

        return frames.models(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types."""
        return saved.plain(
            {"layers": [[model, own] for model, own in self.layers.items()]}
            | {"table": self.table.to_dict()}
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ModelComparison":
        """Return the comparison that `to_dict` described."""
        layers = {str(model): tuple(map(str, own)) for model, own in data["layers"]}
        return cls(Comparison.from_dict(data["table"]), layers)

    def save(self, path: str | Path) -> Path:
        """Write the comparison to a JSON file, whole or not at all, and return its path."""
        return saved.write(path, "model-comparison", self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "ModelComparison":
        """Read a comparison that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(path, "model-comparison", cls.from_dict)

    def plot(self, ax: "Axes | None" = None, *, reduce: str = "same", **options: Any) -> "Axes":
        """Draw the model × model heatmap; see `between` and `visavis.plot.heatmap`."""
        return self.between(reduce).plot(ax, **options)

    def to_html(
        self,
        path: str | Path,
        *,
        reduce: str = "same",
        groups: Mapping[str, str] | None = None,
        title: str | None = None,
    ) -> Path:
        """Write a self-contained report: models, a map and a tree of them; return its path."""
        from visavis.report import write_models

        return write_models(self, path, reduce=reduce, groups=groups, title=title)

    def _of(self, model: str) -> range:
        if model not in self.layers:
            raise KeyError(f"{model!r} is not among {list(self.models)}")
        before = self.models[: self.models.index(model)]
        start = sum(len(self.layers[each]) for each in before)
        return range(start, start + len(self.layers[model]))

    def _part(
        self, rows: Sequence[int], cols: Sequence[int], findings: tuple[Finding, ...]
    ) -> Comparison:
        at = np.ix_(rows, cols)
        return replace(
            self.table,
            **{name: each[at] for name, each in self.table.tables.items()},
            rows=tuple(self.table.rows[i] for i in rows),
            cols=tuple(self.table.cols[j] for j in cols),
            findings=findings,
        )

    @property
    def _owners(self) -> dict[str, str]:
        return {f"{model}/{layer}": model for model, own in self.layers.items() for layer in own}

    def _findings(self, names: Mapping[str, str]) -> tuple[Finding, ...]:
        """Return the findings, without those of other layers than these, which get other names."""
        found = []
        for each in self.findings:
            kept = [names[layer] for layer in each.layers if layer in names]
            if kept or not set(each.layers) & set(self.table.rows):
                found.append(replace(each, layers=tuple(dict.fromkeys(kept))))
        return tuple(found)

    def _reduced(self, reduction: reductions.Reduction, table: np.ndarray) -> np.ndarray:
        higher = self.scale.direction == "similarity"
        own = [(layers, self._of(model)) for model, layers in self.layers.items()]
        own = [(layers, slice(at.start, at.stop)) for layers, at in own]
        reduced = np.empty((len(own), len(own)))
        for i, (rows, down) in enumerate(own):
            for j, (cols, across) in enumerate(own):
                if self.scale.symmetric and j < i:
                    # Summed in another order it would differ in its last digits.
                    reduced[i, j] = reduced[j, i]
                else:
                    reduced[i, j] = reduction.of(table[down, across], rows, cols, higher)
        return reduced


def remaining(
    layers: Mapping[str, Sequence[str]], names: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return the layers of models without some; see `ModelComparison.without`."""
    left: dict[str, tuple[str, ...]] = {}
    unknown = set(names)
    for model, own in layers.items():
        unknown -= {model, *own, *(f"{model}/{layer}" for layer in own)}
        kept = tuple(each for each in own if not {model, each, f"{model}/{each}"} & set(names))
        if kept:
            left[model] = kept
    if unknown:
        expected, seen = "be models, layers, or model/layer", repr(sorted(unknown)[0])
        raise ValueError(checks.message("without", "names", expected, seen))
    return left
