"""The choice of a plan, from shapes, measures, memory and a model of what each form costs."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from visavis._core import array, checks, text
from visavis._core.types import Array
from visavis.measures import Measure, Preparation, Shapes
from visavis.measures.measure import Work
from visavis.pairs.plan import Part, Plan
from visavis.stats import Moments

# Rows of a tile: few enough for the tiles of many layers to stay in cache, enough for products.
TILE_ROWS, FEWEST_ROWS = 1024, 32
# Copies of a tile that are alive at once, and of a representation while it is prepared.
TILE_COPIES, RUN_COPIES = 4, 3
# Rows of a batch of which sums are taken; copies of the sums and of a batch that are alive at once.
PASS_ROWS, STATE_COPIES, BATCH_COPIES = 8192, 4, 3
# Tasks for each worker: fewer would leave some idle at the end.
TASKS_EACH = 4


@dataclass(frozen=True)
class Task:
    """What the planner must know.

    Parameters
    ----------
    n : int
        Samples.
    widths : pair of tuple of int
        Features of the layers of each side.
    same : bool
        Whether a set is compared with itself.
    itemsize : int
        Bytes of an entry.
    stored : bool
        Whether layers are read from disk.
    budget : int, optional
        Bytes for one task.
    workers : int
        How many run at once.
    split : bool
        Whether work is to be in several pieces: for workers, or to be kept as they finish.
    """

    n: int
    widths: tuple[tuple[int, ...], tuple[int, ...]]
    same: bool
    itemsize: int
    stored: bool
    budget: int | None
    workers: int
    split: bool

    @property
    def shapes(self) -> Shapes:
        """Shapes as measures take them."""
        return Shapes(self.n, *self.widths)


def chosen(measures: Sequence[Measure], task: Task, sample: Array | None) -> Plan:
    """Return the plan of a comparison.

    Parameters
    ----------
    measures : sequence of Measure
    task : Task
    sample : array, optional
        Of the library and on the device of the layers, where a product is timed; without it the
        plan does not say how long it will take.

    Raises
    ------
    ValueError
        If not even two layers at a time fit into the memory.
    """
    both = {each: _preparations(each, task) for each in measures}
    whole = sum(_whole(pair, task) for pair in _distinct(both.values()))
    small = task.budget is None or whole <= task.budget
    if small and not task.split:
        parts = [_one_block([each], both[each], task) for each in measures]
    else:
        in_one_pass = [each for each in measures if _passes(each, both[each], task)]
        parts = [_moments(in_one_pass, task)] if in_one_pass else []
        others = [each for each in measures if each not in in_one_pass]
        by_tiles = [each for each in others if _tiled(both[each])]
        parts += [_tiles([each], both[each], task) for each in by_tiles]
        others = [each for each in others if each not in by_tiles]
        if others:
            parts += _blocks(others, both, task)
    return Plan(
        samples=task.n,
        layers=(len(task.widths[0]), len(task.widths[1])),
        parts=tuple(parts),
        budget=None if task.budget is None else task.budget * task.workers,
        workers=task.workers,
        rate=math.nan if sample is None else _rate(sample),
    )


def _preparations(measure: Measure, task: Task) -> tuple[Preparation, Preparation]:
    settings = measure.settings
    return (
        measure.prepare(settings, 0, task.shapes),
        measure.prepare(settings, 1, task.shapes),
    )


def _distinct(
    pairs: Iterable[tuple[Preparation, Preparation]],
) -> list[tuple[Preparation, Preparation]]:
    return list({(x.key, y.key): (x, y) for x, y in pairs}.values())


def _kept(work: Work, task: Task, p: int) -> float:
    return work.kept(task.n, p) * (8 if work.wide else task.itemsize)


def _whole(pair: tuple[Preparation, Preparation], task: Task) -> float:
    """Return the bytes that all layers take when they are prepared at once."""
    x, y = pair
    left = [_kept(x.work, task, p) for p in task.widths[0]]
    right = [] if task.same and x.key == y.key else [_kept(y.work, task, p) for p in task.widths[1]]
    return sum(left) + sum(right) + _running(pair, task)


def _running(pair: tuple[Preparation, Preparation], task: Task) -> float:
    """Return the bytes that preparing the largest layer takes for a while."""
    widest = max(max(side) for side in task.widths)
    kept = max(_kept(each.work, task, widest) for each in pair)
    return RUN_COPIES * kept + (2 if task.stored else 1) * 8 * task.n * widest


def _one_block(measures: list[Measure], pair: tuple[Preparation, Preparation], task: Task) -> Part:
    x, y = pair
    pairs = _pairs(measures[0], task)
    once = task.same and x.key == y.key
    layers = len(task.widths[0]) + (0 if once else len(task.widths[1]))
    run = sum(x.work.run(task.n, p) for p in task.widths[0])
    run += 0 if once else sum(y.work.run(task.n, p) for p in task.widths[1])
    return Part(
        tuple(each.label for each in measures),
        _form(x),
        layers,
        pairs,
        run + _meetings(x.work, task, pairs),
        int(_whole(pair, task)),
    )


def _form(preparation: Preparation) -> str:
    key = preparation.key
    return str(key[0] if isinstance(key, tuple) else key)


def _pairs(measure: Measure, task: Task) -> int:
    rows, cols = (len(side) for side in task.widths)
    return rows * (rows + 1) // 2 if measure.symmetric and task.same else rows * cols


def _meetings(work: Work, task: Task, pairs: int) -> float:
    rows, cols = task.widths
    total = sum(work.meet(task.n, p, q) for p in rows for q in cols)
    return total * pairs / (len(rows) * len(cols))


def _tiled(pair: tuple[Preparation, Preparation]) -> bool:
    return all(each.kernel is not None for each in pair)


def _passes(measure: Measure, pair: tuple[Preparation, Preparation], task: Task) -> bool:
    """Return whether one pass over the samples gives a measure, for less work than others do."""
    linear = _tiled(pair) and all(each.kernel and each.kernel.name == "linear" for each in pair)
    # Roots of eigenvalues cannot tell directions apart that the axes of float64 can.
    by_axes = pair[0].key == "axes" and task.itemsize < 8
    if not (hasattr(Moments, measure.name) and (linear or by_axes)):
        return False
    part = _moments([measure], task)
    if task.budget is not None:
        fits = part.memory <= task.budget
    else:
        # Sums that take more than all layers together spare nothing.
        fits = _sums(task) <= _whole(pair, task)
    if not fits:
        return False
    try:
        if linear:
            other = _tiles([measure], pair, task).operations
        else:
            other = _blocks([measure], {measure: pair}, task)[0].operations
    except ValueError:
        return True  # nothing else fits
    return part.operations < other


def _products(task: Task) -> float:
    """Return the entries of the products of each layer with itself and with the other side."""
    rows, cols = (np.array(side, dtype=float) for side in task.widths)
    own = float((rows**2).sum() + (0 if task.same else (cols**2).sum()))
    return own + float(rows.sum() * cols.sum()) / (2 if task.same else 1)


def _sums(task: Task) -> float:
    """Return the bytes of the sums of a pass."""
    return 8 * STATE_COPIES * _products(task)


def _moments(measures: list[Measure], task: Task) -> Part:
    """Return the part of sums over samples, whatever number of these there is."""
    layers = [*task.widths[0], *(() if task.same else task.widths[1])]

    def memory(height: int) -> float:
        return _sums(task) + 8 * BATCH_COPIES * height * sum(layers)

    height = min(PASS_ROWS, task.n)
    while task.budget is not None and memory(height) > task.budget and height > 8 * FEWEST_ROWS:
        height //= 2
    blocks = math.ceil(task.n / height)
    return Part(
        tuple(each.label for each in measures),
        "moments",
        len(layers),
        max(_pairs(each, task) for each in measures),
        2 * task.n * _products(task),
        int(memory(height)),
        rows=height,
        tasks=min(blocks, TASKS_EACH * task.workers) if task.split else 1,
    )


def _tiles(measures: list[Measure], pair: tuple[Preparation, Preparation], task: Task) -> Part:
    x, _ = pair
    layers = len(task.widths[0]) + (0 if task.same else len(task.widths[1]))
    features = sum(task.widths[0]) + (0 if task.same else sum(task.widths[1]))
    itemsize = 8 if x.work.wide else task.itemsize

    def memory(rows: int) -> float:
        return (
            TILE_COPIES * layers * rows * rows * itemsize
            + 2 * rows * features * max(itemsize, 4) * (2 if task.stored else 1)
            + layers * task.n * 16
        )

    rows = min(TILE_ROWS, task.n)
    while task.budget is not None and memory(rows) > task.budget and rows > FEWEST_ROWS:
        rows //= 2
    if task.budget is not None and memory(rows) > task.budget:
        raise _too_small(task, int(memory(rows)))
    if task.split:  # enough tiles to go round
        while rows > 4 * FEWEST_ROWS and math.ceil(task.n / rows) < 2 * task.workers:
            rows //= 2
    blocks = math.ceil(task.n / rows)
    tiles = blocks * (blocks + 1) // 2
    tasks = min(tiles, TASKS_EACH * task.workers) if task.split else 1
    pairs = _pairs(measures[0], task)
    entries = task.n * task.n / 2
    return Part(
        tuple(each.label for each in measures),
        "tiles",
        layers,
        pairs,
        2 * entries * (features + len(task.widths[0]) * len(task.widths[1])),
        int(memory(rows)),
        rows=rows,
        tasks=tasks,
    )


def _blocks(
    measures: list[Measure],
    both: Mapping[Measure, tuple[Preparation, Preparation]],
    task: Task,
) -> list[Part]:
    """Return how layers are divided into groups that are compared two at a time."""
    distinct = _distinct([both[each] for each in measures])
    options = [
        (g, h)
        for g in _divisions(len(task.widths[0]))
        for h in ([g] if task.same else _divisions(len(task.widths[1])))
    ]
    best: tuple[float, float, tuple[int, int]] | None = None
    least = math.inf
    for groups in options:
        memory = sum(_block_memory(pair, task, groups) for pair in distinct)
        least = min(least, memory)
        if task.budget is not None and memory > task.budget:
            continue
        tasks = _tasks(groups, task)
        work = sum(_block_work(pair, task, groups, measures[0]) for pair in distinct)
        busy = work / min(task.workers, tasks)
        # Of plans that take as long, the one in which less is lost if it is interrupted.
        if best is None or (busy, -tasks) < best[:2]:
            best = (busy, -tasks, groups)
    if best is None:
        raise _too_small(task, int(least))
    groups = best[2]
    memory = int(sum(_block_memory(pair, task, groups) for pair in distinct))
    parts = []
    for measure in measures:
        pair = both[measure]
        once = task.same and pair[0].key == pair[1].key
        rows, cols = len(task.widths[0]), len(task.widths[1])
        runs = rows * groups[1] if once else rows * groups[1] + cols * groups[0]
        parts.append(
            Part(
                (measure.label,),
                _form(pair[0]),
                runs,
                _pairs(measure, task),
                _block_work(pair, task, groups, measure),
                memory,
                groups,
                tasks=_tasks(groups, task),
            )
        )
    return parts


def _divisions(layers: int) -> list[int]:
    """Return into how many groups so many layers may be divided."""
    return sorted({math.ceil(layers / math.ceil(layers / g)) for g in range(1, layers + 1)})


def _tasks(groups: tuple[int, int], task: Task) -> int:
    return groups[0] * (groups[0] + 1) // 2 if task.same else groups[0] * groups[1]


def _block_memory(
    pair: tuple[Preparation, Preparation], task: Task, groups: tuple[int, int]
) -> float:
    total = _running(pair, task)
    for preparation, widths, g in zip(pair, task.widths, groups, strict=True):
        sizes = sorted((_kept(preparation.work, task, p) for p in widths), reverse=True)
        total += sum(sizes[: math.ceil(len(sizes) / g)])
    return total


def _block_work(
    pair: tuple[Preparation, Preparation],
    task: Task,
    groups: tuple[int, int],
    measure: Measure,
) -> float:
    x, y = pair
    left = sum(x.work.run(task.n, p) for p in task.widths[0])
    right = sum(y.work.run(task.n, p) for p in task.widths[1])
    once = task.same and x.key == y.key
    run = left * groups[1] if once else left * groups[1] + right * groups[0]
    return run + _meetings(x.work, task, _pairs(measure, task))


def _too_small(task: Task, least: int) -> ValueError:
    assert task.budget is not None  # noqa: S101
    return ValueError(
        checks.message(
            "compare",
            "memory",
            f"be at least {text.size(task.workers * least)}",
            text.size(task.workers * task.budget),
            "That is what two layers at a time take, for each worker. Give more, pool the layers, "
            "or compare fewer samples.",
        )
    )


def _rate(sample: Array) -> float:
    """Return how many operations a product does in a second, where the layers are."""
    xp = array.namespace(sample)
    dtype = array.lift(sample).dtype
    A = xp.ones((512, 512), dtype=dtype, device=array.device(sample))
    float((A @ A)[0, 0])
    start = time.perf_counter()
    float((A @ A)[0, 0])
    return 2 * 512**3 / max(time.perf_counter() - start, 1e-6)


def groups_of(layers: Sequence[str], groups: int) -> list[list[str]]:
    """Return layers divided into consecutive groups of nearly equal size."""
    return [part.tolist() for part in np.array_split(np.array(layers, dtype=object), groups)]
