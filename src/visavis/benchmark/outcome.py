"""What `layer_correspondence` found: a table of measures that prints, compares, draws and saves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import combining

import numpy as np

from visavis._core import checks
from visavis._core.extras import require
from visavis.benchmark import over_nets
from visavis.benchmark.correspondence import Correspondence
from visavis.results import Comparison, ComparisonSet, Finding, Interval, saved

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_KIND = "layer-correspondence"


@dataclass(frozen=True, eq=False, repr=False)
class LayerCorrespondence(Mapping[str, Correspondence]):
    """How often each of several measures finds the same layer in another net.

    A mapping from measure to `Correspondence`; printed, it is a table.

    Parameters
    ----------
    found : mapping of str to Correspondence
        The outcome for each measure.
    scores : mapping of str to Comparison
        The values of each measure, layer × layer: the mean over all ordered pairs of nets that have
        one.
    provenance : mapping
        Where they come from: versions, layers, samples.
    """

    found: Mapping[str, Correspondence]
    scores: Mapping[str, Comparison]
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.found or list(self.found) != list(self.scores):
            expected = "be of the same measures, of one at least"
            seen = f"{len(self.found)} and {len(self.scores)}"
            where = "LayerCorrespondence"
            raise ValueError(checks.message(where, "found` and `scores", expected, seen))

    def __getitem__(self, measure: str) -> Correspondence:
        try:
            return self.found[measure]
        except KeyError:
            raise KeyError(f"{measure!r} is not among {list(self.found)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def nets(self) -> tuple[str, ...]:
        """The names of the nets."""
        return self._first.nets

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that were sought, in the order of the first net."""
        return self._first.layers

    @property
    def n(self) -> int:
        """Number of samples."""
        return next(iter(self.scores.values())).n

    @property
    def chance(self) -> float:
        """The accuracy in % of a measure that knows nothing."""
        return self._first.chance

    @property
    def best(self) -> str:
        """The measure that found most layers; of equal ones the first."""
        return max(self.found, key=lambda name: self.found[name].accuracy)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all measures, each once."""
        return ComparisonSet(self.scores).findings

    def difference(self, a: str, b: str, level: float = 0.95) -> Interval:
        """Return by how many % more layers measure `a` finds than `b`; see `Correspondence`.

        Examples
        --------
        >>> import numpy as np
        >>> import visavis as vv
        >>> rng = np.random.default_rng(0)
        >>> layers = [rng.normal(size=(40, 6)) for _ in range(4)]
        >>> runs = {f"seed {k}": {f"conv{i}": X + 2 * rng.normal(size=X.shape)
        ...         for i, X in enumerate(layers)} for k in range(4)}
        >>> res = vv.benchmark.layer_correspondence(runs, measures=["cka", "cca"])
        >>> res.difference("cka", "cca").evidence["pvalue"] > 0.05
        True
        """
        return self[a].difference(self[b], level)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per measure: accuracy, its interval, and how far behind the best it is."""
        pandas = require("pandas", extra="tables", purpose="LayerCorrespondence.to_frame")
        lines = []
        for name, each in self.found.items():
            interval, behind = each.interval(), self.difference(self.best, name)
            lines.append(
                {
                    "measure": name,
                    "accuracy": each.accuracy,
                    "standard_error": interval.standard_error,
                    "low": interval.low,
                    "high": interval.high,
                    "chance": each.chance,
                    "hits": each.hits,
                    "total": each.total,
                    "missing": each.missing,
                    "behind": behind.value,
                    "behind_low": behind.low,
                    "behind_high": behind.high,
                    "behind_pvalue": behind.evidence["pvalue"],
                }
            )
        return pandas.DataFrame(lines).set_index("measure")

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types."""
        return saved.plain(
            {
                "measures": [
                    {
                        "name": name,
                        "found": each.to_dict(),
                        "scores": self.scores[name].to_dict(),
                        "behind": self.difference(self.best, name).to_dict(),
                    }
                    for name, each in self.found.items()
                ],
                "best": self.best,
                "notes": list(self.notes),
                "provenance": self.provenance,
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "LayerCorrespondence":
        """Return the outcome that `to_dict` described."""
        each = [(str(one["name"]), one) for one in data["measures"]]
        return cls(
            {name: Correspondence.from_dict(one["found"]) for name, one in each},
            {name: Comparison.from_dict(one["scores"]) for name, one in each},
            dict(data["provenance"]),
        )

    def save(self, path: str | Path) -> Path:
        """Write the outcome to a JSON file, whole or not at all, and return its path."""
        return saved.write(path, _KIND, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "LayerCorrespondence":
        """Read an outcome that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(path, _KIND, cls.from_dict)

    def plot(self, **options: Any) -> "Figure":
        """Draw for each measure which layer is taken for which; see `visavis.plot.confusions`."""
        from visavis.plot import confusions

        titles = [f"{name}: {each.accuracy:.0f} %" for name, each in self.found.items()]
        tables = [each.confusion for each in self.found.values()]
        return confusions(tables, self.layers, **{"titles": titles, **options})

    def to_html(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write a self-contained HTML report: table, confusions, mean values; return its path."""
        from visavis.benchmark.page import write_correspondence

        return write_correspondence(self, path, title=title)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the table should know."""
        m = len(self.nets)
        told = []
        if m == 2:
            told.append("Two nets: there is no standard error without a third.")
        elif m < over_nets.FEW_NETS:
            told.append(
                f"{m} nets: the intervals rest on {m - 1} degrees of freedom, and are wide for "
                "that. The paper used ten nets."
            )
        if m > 2 and any(each.standard_error == 0 for each in self.found.values()):
            told.append("No interval where the accuracy is the same without any of the nets.")
        if len(self.found) > 1:
            told.append(
                "The best measure was chosen by these numbers: of several that are about as good, "
                "other nets may favour another."
            )
        if lost := max(each.missing for each in self.found.values()):
            told.append(
                f"Up to {lost} of {self._first.total} trials of a measure are lost because a layer "
                "has no score: the findings say why."
            )
        return tuple(told)

    @property
    def heading(self) -> str:
        """What was looked for, in one line."""
        first, last = self.layers[0], self.layers[-1]
        counts = sorted({each.n for each in self.scores.values()})
        samples = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
        return (
            f"Layers found again in another net: {len(self.nets)} nets, {len(self.layers)} layers "
            f"({first} ... {last}), {samples} samples; chance {self.chance:.1f} %"
        )

    @property
    def header(self) -> tuple[str, ...]:
        """What the columns of `rows` are."""
        lost = ("missing",) if any(each.missing for each in self.found.values()) else ()
        return ("measure", "found, %", "s.e.", "95 % interval", "behind the best, %", *lost)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table as text, a row for each measure."""
        lines = []
        for name, each in self.found.items():
            error = "–" if each.standard_error is None else f"{each.standard_error:.1f}"
            behind = self.difference(self.best, name)
            apart = "best" if name == self.best else f"{behind.value:.1f}{_ends(behind)}"
            lost = (str(each.missing),) if "missing" in self.header else ()
            interval = _ends(each.interval()).strip() or "–"
            lines.append((name, f"{each.accuracy:.1f}", error, interval, apart, *lost))
        return lines

    def __str__(self) -> str:
        table = [self.header, *self.rows()]
        widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                f"{' ' * (width - _width(cell))}{cell}"
                if k
                else cell + " " * (width - _width(cell))
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in table
        ]
        return "\n".join([self.heading, *lines, *self.notes])

    __repr__ = __str__

    @property
    def _first(self) -> Correspondence:
        return next(iter(self.found.values()))


def _ends(interval: Interval) -> str:
    """Return the ends of an interval as text; nothing if there are none."""
    if np.isnan(interval.low):
        return ""
    return f" [{interval.low:.1f}, {interval.high:.1f}]"


def _width(text: str) -> int:
    """Return the width of text in a monospaced font: ρ̄ is one letter."""
    return sum(not combining(each) for each in text)
