"""Many models: a table of all layers of all models, and its reductions to models and groups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis._core import checks
from visavis.results import saved
from visavis.results.comparison import Comparison, Scale
from visavis.results.finding import Finding

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

REDUCTIONS = ("same", "best", "matched")


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
        names = tuple(f"{model}/{layer}" for model, own in self.layers.items() for layer in own)
        if not names == self.table.rows == self.table.cols:
            raise ValueError(
                checks.message(
                    "ModelComparison",
                    "table",
                    "have the layers of all models as rows and columns",
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
        chance, error = self.table.chance, self.table.standard_error
        return replace(
            self.table,
            values=self.values[rows, cols],
            chance=None if chance is None else chance[rows, cols],
            standard_error=None if error is None else error[rows, cols],
            rows=self.layers[pair[0]],
            cols=self.layers[pair[1]],
            names=pair,
        )

    def between(self, reduce: str = "same") -> Comparison:
        """Return one number for each pair of models.

        Parameters
        ----------
        reduce : {"same", "best", "matched"}
            ``"same"``: the mean over layers of the same name. ``"best"``: the mean over the layers
            of either of their best partner in the other. ``"matched"``: the mean over the layers
            of the smaller one, each with a partner of its own, chosen so that it is best. A model
            with itself counts as any other pair.

        Raises
        ------
        ValueError
            If `reduce` is unknown, or two models have no layer of the same name.
        """
        checks.option("between", "reduce", reduce, REDUCTIONS)
        reduced: Callable[[Comparison], float] = {
            "same": _same,
            "best": _best,
            "matched": _matched,
        }[reduce]
        values = np.array([[reduced(self[a, b]) for b in self.models] for a in self.models])
        described = {
            "same": "mean over layers of the same name",
            "best": "mean over layers of the best partner",
            "matched": "mean over layers matched one to one",
        }
        return replace(
            self.table,
            values=values,
            chance=None,
            standard_error=None,
            rows=self.models,
            cols=self.models,
            names=("models", "models"),
            scale=replace(self.scale, description=f"{self.scale.description}; {described[reduce]}"),
        )

    def grouped(
        self, groups: Mapping[str, str], reduce: str = "same"
    ) -> tuple[Comparison, np.ndarray]:
        """Return mean and standard deviation over the pairs of models of two groups.

        Parameters
        ----------
        groups : mapping of str to str
            The group of each model, such as its architecture; the seeds are the members.
        reduce : {"same", "best", "matched"}
            As in `between`.

        Returns
        -------
        mean : Comparison
            Group × group, over pairs of different models. NaN for a group of one with itself.
        deviation : ndarray, (groups, groups)
            The standard deviation over the same pairs; NaN where there is one pair or none.

        Raises
        ------
        ValueError
            If a model has no group.
        """
        lost = [model for model in self.models if model not in groups]
        if lost:
            raise ValueError(
                checks.message(
                    "grouped", "groups", "name a group for each model", f"none for {lost[0]!r}"
                )
            )
        names = tuple(dict.fromkeys(groups[model] for model in self.models))
        whole = self.between(reduce)
        means, deviations = (np.full((len(names), len(names)), np.nan) for _ in range(2))
        member = np.array([names.index(groups[model]) for model in self.models])
        # A symmetric pair within a group counts once.
        triangle = np.tri(len(member), k=-1, dtype=bool)
        other = triangle if self.scale.symmetric else ~np.eye(len(member), dtype=bool)
        for i in range(len(names)):
            for j in range(len(names)):
                pairs = (member[:, None] == i) & (member[None, :] == j)
                pairs &= other if i == j else True
                found = whole.values[pairs]
                if found.size:
                    means[i, j] = found.mean()
                if found.size > 1:
                    deviations[i, j] = found.std(ddof=1)
        mean = replace(
            whole,
            values=means,
            rows=names,
            cols=names,
            names=("groups", "groups"),
            scale=replace(
                whole.scale, description=f"{whole.scale.description}; mean over pairs of models"
            ),
        )
        return mean, deviations

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

    def _of(self, model: str) -> slice:
        if model not in self.layers:
            raise KeyError(f"{model!r} is not among {list(self.models)}")
        start = 0
        for name, own in self.layers.items():
            if name == model:
                return slice(start, start + len(own))
            start += len(own)
        raise AssertionError  # pragma: no cover


def _same(pair: Comparison) -> float:
    shared = [layer for layer in pair.rows if layer in pair.cols]
    if not shared:
        raise ValueError(
            checks.message(
                "between",
                "reduce",
                'be "best" or "matched" for models without layers of the same name',
                f"{pair.names[0]} and {pair.names[1]}",
            )
        )
    return float(np.mean([pair[layer, layer] for layer in shared]))


def _best(pair: Comparison) -> float:
    choose = np.max if pair.scale.direction == "similarity" else np.min
    return float((choose(pair.values, axis=1).mean() + choose(pair.values, axis=0).mean()) / 2)


def _matched(pair: Comparison) -> float:
    if np.isnan(pair.values).any():
        return float("nan")
    from scipy.optimize import linear_sum_assignment  # which changes filters of warnings

    rows, cols = linear_sum_assignment(pair.values, maximize=pair.scale.direction == "similarity")
    return float(pair.values[rows, cols].mean())
