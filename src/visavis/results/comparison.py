"""Comparisons: a layer × layer table of one measure, and several such tables together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from visavis._core import checks
from visavis.results import frames, saved
from visavis.results.estimate import Interval
from visavis.results.finding import Finding

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Scale:
    """What the numbers of a measure mean, for those who read and draw them.

    Parameters
    ----------
    label : str
        The measure with its options, as `visavis.compare` accepts it: ``"cka(kernel=rbf(0.4))"``.
    low, high : float
        The range of the measure; either may be infinite.
    direction : {"similarity", "distance"}
        ``"similarity"`` if higher is more alike.
    symmetric : bool
        Whether exchanging the two sides leaves the value.
    description : str
        One line for the reader: estimator, kernel, what the value is.
    """

    label: str
    low: float
    high: float
    direction: str
    symmetric: bool
    description: str = ""

    def __post_init__(self) -> None:
        checks.option("Scale", "direction", self.direction, ("similarity", "distance"))

    def described(self, more: str) -> "Scale":
        """Return the scale with more to say of its numbers."""
        known = [each for each in (self.description.rstrip(". "), more) if each]
        return replace(self, description="; ".join(known))


UNITS = ("layer", "model", "group")
# The values, and what is known beside each.
TABLES = ("values", "chance", "z", "low", "high", "standard_error")


@dataclass(frozen=True, eq=False)
class Comparison:
    """A rows × cols table of one measure between the layers of two sets of activations.

    Parameters
    ----------
    values : ndarray, (rows, cols)
        The measure for each pair of layers, float64. NaN where there is no answer; then a finding
        says why.
    rows, cols : tuple of str
        Layer names, in execution order.
    scale : Scale
        What the numbers mean.
    n : int
        Number of samples.
    chance : ndarray, (rows, cols), optional
        The mean of the measure when the samples of one side are permuted, where a closed form is
        known; NaN or None where it is not.
    standard_error : ndarray, (rows, cols), optional
        Of the values, from leaving out each sample, or from batches; NaN or None where it is not
        known.
    findings : tuple of Finding
        What the reader should know.
    names : pair of str
        What the two sides are called.
    plan : mapping
        How it was computed.
    provenance : mapping
        Versions, dtypes, widths of layers, pooling, seeds.
    unit : {"layer", "model", "group"}
        What a row and a column are.
    low, high : ndarray, (rows, cols), optional
        Ends of the interval of each value, each for itself; NaN or None where there is no formula.
    level : float, optional
        How often such an interval holds the population value.
    z : ndarray, (rows, cols), optional
        How many standard deviations a value lies above chance, both under permutations of the
        samples of one side; NaN or None where there is no formula. The distribution is skewed: z
        tells how far from chance a value is, and is no p-value.
    """

    values: np.ndarray
    rows: tuple[str, ...]
    cols: tuple[str, ...]
    scale: Scale
    n: int
    chance: np.ndarray | None = None
    standard_error: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()
    names: tuple[str, str] = ("a", "b")
    plan: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "layer"
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    level: float | None = None
    z: np.ndarray | None = None

    def __post_init__(self) -> None:
        checks.option("Comparison", "unit", self.unit, UNITS)
        expected = (len(self.rows), len(self.cols))
        for name, table in self.tables.items():
            if table.shape != expected:
                raise ValueError(
                    checks.message(
                        "Comparison",
                        name,
                        f"have an entry per pair of layers {expected}",
                        f"shape {table.shape}",
                    )
                )
        if (self.low is None) != (self.high is None) or (self.low is None) != (self.level is None):
            expected = "come with both of their ends and a level"
            known = [x for x in ("low", "high", "level") if getattr(self, x) is not None]
            seen = ", ".join(known)
            raise ValueError(checks.message("Comparison", "low", expected, f"only {seen}"))

    @property
    def measure(self) -> str:
        """The measure with its options."""
        return self.scale.label

    @property
    def tables(self) -> dict[str, np.ndarray]:
        """The values, and all that is known beside each of them, by name."""
        return {name: getattr(self, name) for name in TABLES if getattr(self, name) is not None}

    def interval(self, row: str, col: str) -> Interval:
        """Return the value of one pair of layers with its interval.

        Raises
        ------
        ValueError
            If there is none; ``plan["intervals"]`` says why.
        KeyError
            If there is no such layer.
        """
        value = self[row, col]
        at = self.rows.index(row), self.cols.index(col)
        if self.low is None or self.high is None or self.level is None or np.isnan(self.low[at]):
            seen = self.plan.get("intervals", "none")
            expected = "be a pair that has an interval"
            raise ValueError(checks.message("interval", "row` and `col", expected, str(seen)))
        error = float("nan") if self.standard_error is None else float(self.standard_error[at])
        low, high = float(self.low[at]), float(self.high[at])
        return Interval(value, low, high, self.level, error, self.n, "jackknife")

    def __getitem__(self, pair: tuple[str, str]) -> float:
        """Return the value of one pair of layers: ``res["layer1", "layer2"]``."""
        if not (isinstance(pair, tuple) and len(pair) == 2):
            raise KeyError(f"{pair!r} is not a pair of layers: a row and a column")
        row, col = pair
        for layer, known in ((row, self.rows), (col, self.cols)):
            if layer not in known:
                raise KeyError(f"{layer!r} is not among {list(known)}")
        return float(self.values[self.rows.index(row), self.cols.index(col)])

    def __repr__(self) -> str:
        codes = ", ".join(sorted({finding.code for finding in self.findings})) or "none"
        finite = self.values[np.isfinite(self.values)]
        spread = f"{finite.min():.3f} ... {finite.max():.3f}" if finite.size else "no value"
        return (
            f"Comparison of {self.names[0]} ({len(self.rows)} {self.unit}s) with {self.names[1]} "
            f"({len(self.cols)} {self.unit}s) on {self.n} samples\n"
            f"  {self.measure}: {spread}{self._sureness()}\n  findings: {codes}"
        )

    def _sureness(self) -> str:
        """Return chance, width of intervals and z as a line; nothing if none is known."""
        known = []
        if self.chance is not None and np.isfinite(self.chance).any():
            known.append(f"chance {self.chance[np.isfinite(self.chance)].max():.3f}")
        if self.low is not None and self.high is not None and self.level is not None:
            width = np.nanmedian(self.high - self.low)
            known.append(f"{100 * self.level:g} % intervals {width:.3f} wide (median)")
        if self.z is not None and np.isfinite(self.z).any():
            known.append(f"z up to {self.z[np.isfinite(self.z)].max():.1f}")
        return "".join(["\n  ", ", ".join(known)]) if known else ""

    @property
    def of_itself(self) -> bool:
        """Whether both sides are the same layers of the same model."""
        return self.names[0] == self.names[1] and self.rows == self.cols

    def best_match(self) -> dict[str, str | None]:
        """Return, for each layer of the rows, the layer of the columns that is most alike.

        A row with no value at all gives None; of equal values the first layer is taken. Where a
        model is compared with itself, the layer itself is no candidate.
        """
        better = self.values if self.scale.direction == "similarity" else -self.values
        ranked = np.where(np.isnan(better), -np.inf, better)
        if self.of_itself and len(self.cols) > 1:
            np.fill_diagonal(ranked, -np.inf)
        return {
            row: None if np.isneginf(ranked[i]).all() else self.cols[int(ranked[i].argmax())]
            for i, row in enumerate(self.rows)
        }

    def to_frame(self, table: str = "values") -> "pd.DataFrame":
        """Return one of `tables` as a pandas DataFrame, layers as index and columns.

        Parameters
        ----------
        table : str
            ``"values"``, ``"chance"``, ``"z"``, ``"low"``, ``"high"`` or ``"standard_error"``; NaN
            where it is not known.
        """
        checks.option("to_frame", "table", table, TABLES)
        return frames.frame(self, table)

    def to_xarray(self) -> "xr.Dataset":
        """Return all `tables` as an xarray Dataset with the record in its attributes."""
        return frames.dataset(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types: NaN is null, infinity a string."""
        return saved.plain(
            {
                "measure": asdict(self.scale),
                "names": self.names,
                "rows": self.rows,
                "cols": self.cols,
                "n": self.n,
                "values": self.values,
                "chance": self.chance,
                "standard_error": self.standard_error,
                "findings": [finding.to_dict() for finding in self.findings],
                "plan": self.plan,
                "provenance": self.provenance,
                "unit": self.unit,
                "low": self.low,
                "high": self.high,
                "level": self.level,
                "z": self.z,
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Comparison":
        """Return the comparison that `to_dict` described."""
        measure = dict(data["measure"])
        measure |= {"low": float(measure["low"]), "high": float(measure["high"])}
        rows, cols = tuple(map(str, data["rows"])), tuple(map(str, data["cols"]))
        shape = len(rows), len(cols)
        tables = {name: data[name] for name in ("values", "chance", "standard_error")}
        # Files of earlier versions have no others.
        tables |= {name: data.get(name) for name in TABLES if name not in tables}
        known = {name: each for name, each in tables.items() if each is not None}
        level = data.get("level")
        return cls(
            **{name: saved.table(each, shape) for name, each in known.items()},
            level=None if level is None else float(level),
            rows=rows,
            cols=cols,
            scale=Scale(**measure),
            n=int(data["n"]),
            findings=tuple(Finding.from_dict(finding) for finding in data["findings"]),
            names=(data["names"][0], data["names"][1]),
            plan=dict(data["plan"]),
            provenance=dict(data["provenance"]),
            unit=data["unit"],
        )

    def save(self, path: str | Path) -> Path:
        """Write the comparison to a JSON file, whole or not at all, and return its path."""
        return saved.write(path, "comparison", self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> "Comparison":
        """Read a comparison that `save` wrote.

        Raises
        ------
        StoreFormatError
            If the file is not one, or was written by a newer version.
        """
        return saved.read(path, "comparison", cls.from_dict)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the heatmap; see `visavis.plot.heatmap`."""
        from visavis.plot import heatmap

        return heatmap(self, ax=ax, **options)

    def to_html(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write a self-contained HTML report and return its path."""
        from visavis.report import write_html

        return write_html([self], path, title=title)


class ComparisonSet(Mapping[str, Comparison]):
    """Several measures of the same layers: an ordered mapping from measure to `Comparison`."""

    def __init__(self, comparisons: Sequence[Comparison] | Mapping[str, Comparison]) -> None:
        if isinstance(comparisons, Mapping):
            self._comparisons = dict(comparisons)
        else:
            self._comparisons = {each.measure: each for each in comparisons}
            if len(self._comparisons) < len(comparisons):
                raise ValueError(
                    checks.message(
                        "ComparisonSet",
                        "comparisons",
                        "be of different measures",
                        repr([each.measure for each in comparisons]),
                        "Name them yourself: ComparisonSet({'before': ..., 'after': ...}).",
                    )
                )

    def __getitem__(self, measure: str) -> Comparison:
        try:
            return self._comparisons[measure]
        except KeyError:
            raise KeyError(f"{measure!r} is not among {list(self._comparisons)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._comparisons)

    def __len__(self) -> int:
        return len(self._comparisons)

    def __repr__(self) -> str:
        return "\n".join(repr(each) for each in self.values())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all measures, each once."""
        seen: list[Finding] = []
        for comparison in self._comparisons.values():
            seen += [finding for finding in comparison.findings if finding not in seen]
        return tuple(seen)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per measure and pair of layers: its value, and all that is known of it."""
        return frames.tidy(self)

    def to_xarray(self) -> "xr.Dataset":
        """Return an xarray Dataset with dimensions measure, row and col."""
        return frames.stacked(self)

    def save(self, path: str | Path) -> Path:
        """Write all comparisons to a JSON file, whole or not at all, and return its path."""
        named = {name: comparison.to_dict() for name, comparison in self.items()}
        return saved.write(path, "comparison-set", named)

    @classmethod
    def load(cls, path: str | Path) -> "ComparisonSet":
        """Read the comparisons that `save` wrote."""
        return saved.read(
            path,
            "comparison-set",
            lambda data: cls({name: Comparison.from_dict(each) for name, each in data.items()}),
        )

    def to_html(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write one self-contained HTML report with every measure and return its path."""
        from visavis.report import write_html

        return write_html(list(self.values()), path, title=title)
