"""Comparisons straight from models: batches go through them once, and what is compared is kept."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visavis import models
from visavis._core import array, checks
from visavis._core.progress import progress_bar
from visavis._core.types import Array
from visavis.kernels import Kernel
from visavis.measures import Measure
from visavis.measures.alignment import kernel_sides
from visavis.pairs import findings, record
from visavis.pairs.table import Table, empty
from visavis.results import Activations, Comparison, silence
from visavis.stats import Minibatches
from visavis.stats.minibatch import LEAST_ROWS

FORMS = ("exact", "minibatch")
Sides = tuple[Activations, Activations]
Kernels = tuple[Kernel, Kernel]
# Above this many bytes activations are kept on disk while they are compared.
HELD_BYTES = 2**30


@dataclass(frozen=True)
class Extraction:
    """What is taken out of models; as `visavis.extract` has it.

    Parameters
    ----------
    loader, layers, pool, inputs, ids, batch_size, device
        See `visavis.extract`.
    """

    loader: Any
    layers: Any = "*"
    pool: Any = None
    inputs: Callable[[Any], Any] | None = None
    ids: Any = None
    batch_size: int = 256
    device: Any = None

    def options(self) -> dict[str, Any]:
        """Return what `visavis.extract` and `visavis.stream` are called with."""
        return {
            "layers": self.layers,
            "pool": self.pool,
            "inputs": self.inputs,
            "ids": self.ids,
            "batch_size": self.batch_size,
            "device": self.device,
        }


def names(a: Any, b: Any) -> tuple[str, str]:
    """Return what two models are called: by their classes, if these differ."""
    kinds = [Path(x).stem if isinstance(x, str | Path) else type(x).__name__ for x in (a, b)]
    if b is None or b is a:
        return kinds[0], kinds[0]
    return (kinds[0], kinds[1]) if kinds[0] != kinds[1] else ("a", "b")


@contextmanager
def extracted(
    a: Any, b: Any, given: Extraction, *, budget: int | None, progress: bool
) -> Iterator[Sides]:
    """Yield the activations of two models; on disk, until the block ends, if they are too large.

    The loader is iterated once. A model that is compared with itself runs once.
    """
    several = a if b is None or b is a else {"a": a, "b": b}
    with held(several, given, budget=budget, progress=progress) as found:
        yield _both(found)


@contextmanager
def held(several: Any, given: Extraction, *, budget: int | None, progress: bool) -> Iterator[Any]:
    """Yield what `visavis.extract` gives of models; on disk, until the block ends, if too large."""
    limit = HELD_BYTES if budget is None else budget
    if _size(given, several) <= limit:
        yield models.extract(several, given.loader, progress=progress, **given.options())
        return
    with tempfile.TemporaryDirectory(prefix="visavis-") as folder:
        yield models.extract(
            several, given.loader, into=Path(folder, "run"), progress=progress, **given.options()
        )


def _both(found: Any) -> Sides:
    if isinstance(found, Activations):
        return found, found
    return found["a"], found["b"]


def _size(given: Extraction, several: Any) -> float:
    """Return the bytes that activations will take, infinite where that cannot be known before."""
    if array.is_array(given.loader):
        head, total = given.loader[:2], given.loader.shape[0]
    elif isinstance(given.loader, Sequence) and len(given.loader):
        head, total = [given.loader[0]], len(given.loader)
    else:
        return float("inf")
    first = models.extract(several, head, progress=False, **given.options())
    nbytes = sum(
        int(np.prod(shape)) * _itemsize(dtype)
        for each in ([first] if isinstance(first, Activations) else first.values())
        for _, shape, dtype in each.described()
    )
    return nbytes * total / (len(head) if array.is_array(given.loader) else 1)


def _itemsize(dtype: str) -> int:
    return 8 if dtype.endswith("64") else 2 if dtype.endswith("16") else 4


@dataclass(frozen=True, eq=False)
class Streamed:
    """What batches gave.

    Parameters
    ----------
    batches : mapping of pair of Kernel to Minibatches
        The sums, for each pair of kernels that was asked for.
    sides : pair of Activations
        The first batch, which says what layers there are.
    """

    batches: Mapping[Kernels, Minibatches]
    sides: Sides


def minibatches(
    a: Any, b: Any, given: Extraction, measures: Sequence[Measure], *, progress: bool
) -> Streamed:
    """Return the sums over batches of measures that are debiased CKA or HSIC.

    The loader is iterated once, whatever the number of measures.

    Raises
    ------
    ValueError
        If a measure is another one, or there are fewer than 4 samples.
    """
    states = {_kernels(each): Minibatches() for each in measures}
    several = a if b is None or b is a else {"a": a, "b": b}
    first: Sides | None = None
    waiting: tuple[list[Array], list[Array]] | None = None

    def add(batch: tuple[list[Array], list[Array]]) -> None:
        for kernels, state in states.items():
            states[kernels] = state.update(*batch, kernels)

    with progress_bar("comparing batches", _count(given.loader), show=progress) as step:
        for found in models.stream(several, given.loader, **given.options()):
            sides = _both(found)
            first = first or sides
            batch = _layers(sides, first)
            if waiting is None:
                waiting = batch
            elif _rows(batch) < LEAST_ROWS or _rows(waiting) < LEAST_ROWS:
                # A last batch of three rows has no estimate of its own.
                waiting = _together(waiting, batch)
            else:
                add(waiting)
                waiting = batch
            step()
    if waiting is None or first is None:
        raise ValueError(checks.message("compare", "loader", "give at least one batch", "none"))
    add(waiting)
    return Streamed(states, first)


def tables(streamed: Streamed, measure: Measure) -> Table:
    """Return the values of a measure from what batches gave."""
    rows, cols = streamed.sides
    batches = streamed.batches[_kernels(measure)]
    value, error = batches.cka()
    if measure.name == "hsic":
        value, error = batches.hsic(), np.full_like(value, np.nan)
    table = empty(len(rows), len(cols))
    table.values[...] = np.where(np.isfinite(value), value, np.nan)
    table.chance[...] = np.where(np.isfinite(value), 0.0, np.nan)
    table.error = error
    own = (batches.left, batches.right)
    for side in (0,) if rows is cols else (0, 1):
        total = np.sum(np.stack(own[side]), axis=0)
        for layer, each in zip(streamed.sides[side], total, strict=True):
            if not np.isfinite(each):
                table.degenerate[side, layer] = "gave a value that is not finite."
            elif each <= 0 and measure.name == "cka":
                table.degenerate[side, layer] = _STILL
    return table


_STILL = (
    "does not vary within the batches, or too little for their estimate. Leave it out, or use "
    "larger batches."
)


def _kernels(measure: Measure) -> Kernels:
    estimator = measure.settings.get("estimator")
    if measure.name not in {"cka", "hsic"} or estimator != "debiased":
        expected = "be debiased cka or hsic, which batches can be added up for"
        cure = 'Use form="exact", which keeps activations on disk where they are too large.'
        raise ValueError(checks.message("compare", "measure", expected, measure.label, cure))
    return kernel_sides(measure.name, measure.settings["kernel"])


def _layers(sides: Sides, first: Sides) -> tuple[list[Array], list[Array]]:
    flat = []
    for side, known in {id(s): (s, f) for s, f in zip(sides, first, strict=True)}.values():
        if list(side) != list(known):
            seen = sorted(set(side) ^ set(known))
            raise ValueError(
                checks.message(
                    "compare",
                    "loader",
                    "give batches for which the same layers run",
                    f"a batch without {', '.join(seen[:3])}",
                )
            )
        flat.append([_matrix(name, X) for name, X in side.items()])
    return flat[0], flat[-1]


def _matrix(name: str, X: Array) -> Array:
    X = array.host(X)
    xp = array.namespace(X)
    return checks.representation("compare", name, xp.reshape(X, (X.shape[0], -1)))


def _rows(batch: tuple[list[Array], list[Array]]) -> int:
    return int(batch[0][0].shape[0])


def _together(
    one: tuple[list[Array], list[Array]], two: tuple[list[Array], list[Array]]
) -> tuple[list[Array], list[Array]]:
    left, right = (
        [array.namespace(x).concat([x, y]) for x, y in zip(xs, ys, strict=True)]
        for xs, ys in zip(one, two, strict=True)
    )
    return left, (left if one[0] is one[1] else right)


def _count(loader: Any) -> int | None:
    return len(loader) if hasattr(loader, "__len__") and not array.is_array(loader) else None


def comparisons(
    a: Any,
    b: Any,
    given: Extraction,
    measures: Sequence[Measure],
    names: tuple[str, str],
    silenced: Sequence[str],
    progress: bool,
) -> list[Comparison]:
    """Return the comparisons of two models by what batches of them add up to."""
    streamed = minibatches(a, b, given, measures, progress=progress)
    both = streamed.sides
    results = []
    for measure in measures:
        batches = streamed.batches[_kernels(measure)]
        n, table = batches.n, tables(streamed, measure)
        found = [
            *findings.of_samples(n, ()),
            *findings.of_layers(names, both),
            *findings.of_table(measure, table, names),
        ]
        plan = {"form": "minibatch", "batches": len(batches.rows)}
        call = f"visavis.compare(a, b, loader, measure={measure.label!r}, form='minibatch')"
        results.append(
            record.comparison(measure, table, plan, n, both, names, silence(found, silenced), call)
        )
    return results
