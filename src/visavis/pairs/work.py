"""The work of a comparison: ready measures, layers as matrices, a plan, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visavis._core import checks
from visavis._core.progress import progress_bar
from visavis.measures import Measure, MeasureSpec, resolve
from visavis.measures.measure import OUTPUTS, REPRESENTATIONS
from visavis.pairs import findings, intervals, record
from visavis.pairs.computed import computed_tables, steps
from visavis.pairs.plan import Plan, budget
from visavis.pairs.planning import Task, chosen
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices, one_home
from visavis.results import Activations, Comparison, Finding, silence
from visavis.results.correspond import Align

MINIMUM_ROWS = 4


@dataclass(frozen=True)
class Work:
    """What is to be computed of any two sides, and how."""

    measures: list[Measure]
    silenced: Sequence[str]
    memory: str | float | None
    engine: Engine
    progress: bool
    level: float | None = None

    def comparisons(
        self,
        both: tuple[Activations, Activations],
        called: tuple[str, str],
        call: str,
        notes: Sequence[Finding] = (),
        align: Align = "strict",
        *,
        named: bool = False,
    ) -> list[Comparison]:
        """Return one comparison for each measure; `named` if layers say which model they are of."""
        n = both[0].n
        if n < MINIMUM_ROWS:
            expected = f"have at least {MINIMUM_ROWS} samples"
            cure = "A few hundred steady most comparisons."
            message = checks.message("VV002 compare", "a` and `b", expected, f"{n}", cure)
            raise ValueError(message)
        layers = matrices(both)
        drawn = planned(layers, self.measures, self.memory, self.engine, timed=False)
        refused = intervals.refused(n, both)
        level = None if refused else self.level
        shared = [*notes, *findings.of_samples(n, both), *findings.of_layers(called, both)]
        shared += findings.of_groups(both)
        total = steps(drawn, layers, self.measures)
        with progress_bar("comparing layers", total, show=self.progress) as step:
            tables = computed_tables(drawn, layers, self.measures, self.engine, step, level)
        results = []
        for each, table in zip(self.measures, tables, strict=True):
            if intervals.grouped(both):
                # Rows that belong together do not change places one by one.
                table.z[...] = np.nan
            sides = None if named else called
            told = findings.of_table(each, table, sides, (tuple(both[0]), tuple(both[1])), n)
            found = [*shared, *told]
            aligned = ", align='inner'" if align == "inner" else ""
            text = f"visavis.compare({call}, measure={each.label!r}{aligned})"
            kept = silence(found, self.silenced)
            how = drawn.of(each)
            if self.level is not None:
                how["intervals"] = intervals.told(each, refused or table.lacking)
            results.append(
                record.comparison(each, table, how, n, both, called, kept, text, self.level)
            )
        return results


def matrices(both: tuple[Activations, Activations]) -> tuple[Matrices, Matrices]:
    """Return the layers of both sides as checked matrices; the same object twice for one set."""
    a, b = both
    rows = Matrices(a.layers, "a")
    cols = rows if b is a else Matrices(b.layers, "b")
    one_home(rows, cols)
    return rows, cols


def planned(
    layers: tuple[Matrices, Matrices],
    measures: Sequence[Measure],
    memory: str | float | None,
    engine: Engine,
    *,
    timed: bool = True,
) -> Plan:
    """Return the plan; with how long it will take, if a product is to be timed for that."""
    widths = [tuple(p for _, p in side.shapes.values()) for side in layers]
    whole = budget("compare", memory)
    workers = engine.workers
    task = Task(
        n=next(iter(layers[0].shapes.values()))[0],
        widths=(widths[0], widths[1]),
        same=layers[0] is layers[1],
        itemsize=max(side.itemsize for side in layers),
        stored=any(side.stored for side in layers),
        budget=None if whole is None else whole // workers,
        workers=workers,
        split=engine.executor is not None or engine.folder is not None,
    )
    return chosen(measures, task, layers[0].sample if timed else None)


def asked(one: MeasureSpec, several: Sequence[MeasureSpec] | None) -> list[Measure]:
    """Return the measures that a user names, each ready for two arrays of samples."""
    if several is None:
        return [_ready(resolve(one))]
    if isinstance(several, str) or one != "cka":
        seen = repr(several) if isinstance(several, str) else f"it beside measure={one!r}"
        raise TypeError(
            checks.message(
                "compare",
                "measures",
                "be a sequence of measures, in place of `measure`",
                seen,
                'For instance measures=["cka", "procrustes"].',
            )
        )
    resolved = [_ready(resolve(spec)) for spec in several]
    labels = [measure.label for measure in resolved]
    if not labels or len(set(labels)) < len(labels):
        raise ValueError(
            checks.message(
                "compare", "measures", "name at least one measure, each once", repr(labels)
            )
        )
    return resolved


def _ready(measure: Measure) -> Measure:
    """Check that a measure needs nothing but two arrays with one row for each sample."""
    if measure.inputs not in (REPRESENTATIONS, OUTPUTS):
        raise ValueError(
            checks.message(
                "compare",
                "measure",
                "be of representations, one row for each sample",
                f"{measure.name}, which is of {measure.inputs}",
                f"Call visavis.{measure.name} itself.",
            )
        )
    missing = [key for key in measure.required if measure.settings[key] is None]
    if missing:
        raise TypeError(
            checks.message(
                "compare",
                "measure",
                f"come with {', '.join(missing)}",
                measure.label,
                f"For instance functools.partial(visavis.{measure.name}, {missing[0]}=...).",
            )
        )
    return measure
