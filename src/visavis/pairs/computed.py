"""From a plan to tables: each part of it in its own form."""

from collections.abc import Callable, Sequence

from visavis.measures import Measure, Shapes
from visavis.pairs import blocks, passes, sweep
from visavis.pairs.plan import Part, Plan
from visavis.pairs.run import Engine
from visavis.pairs.sides import Matrices
from visavis.pairs.table import Table
from visavis.stats import tile_rows

Sides = tuple[Matrices, Matrices]
Step = Callable[[], None]


def computed_tables(
    plan: Plan,
    sides: Sides,
    measures: Sequence[Measure],
    engine: Engine,
    step: Step,
    level: float | None = None,
) -> list[Table]:
    """Return the table of each measure, in their order, with intervals of a level."""
    shapes = _shapes(sides)
    parts = {label: part for part in plan.parts for label in part.measures}
    found: dict[str, Table] = {}
    tiled = [each for each in measures if parts[each.label].form == "tiles"]
    for together in sweep.same_kernels(tiled, shapes):
        part = parts[together[0].label]
        made = sweep.swept(sides, shapes, together, part, engine, step, level, plan.budget)
        found |= {each.label: table for each, table in zip(together, made, strict=True)}
    in_one_pass = [each for each in measures if parts[each.label].form == "moments"]
    if in_one_pass:
        part = parts[in_one_pass[0].label]
        made = passes.streamed(sides, shapes, in_one_pass, part, engine, step, level)
        found |= {each.label: table for each, table in zip(in_one_pass, made, strict=True)}
    others = [each for each in measures if each.label not in found]
    if others:
        part = parts[others[0].label]
        if _whole(part):
            made = blocks.whole(sides, shapes, others, step, level)
        else:
            made = blocks.divided(sides, shapes, others, part, engine, step, level)
        found |= {each.label: table for each, table in zip(others, made, strict=True)}
    return [found[each.label] for each in measures]


def steps(plan: Plan, sides: Sides, measures: Sequence[Measure]) -> int:
    """Return how many steps of progress there will be."""
    shapes = _shapes(sides)
    parts = {label: part for part in plan.parts for label in part.measures}
    tiled = [each for each in measures if parts[each.label].form == "tiles"]
    total = 0
    for together in sweep.same_kernels(tiled, shapes):
        part = parts[together[0].label]
        total += part.tasks if part.tasks > 1 else len(tile_rows(shapes.n, part.rows))
    in_one_pass = [each for each in measures if parts[each.label].form == "moments"]
    if in_one_pass:
        total += passes.steps(parts[in_one_pass[0].label], shapes.n)
    others = [each for each in measures if each not in tiled and each not in in_one_pass]
    if others:
        part = parts[others[0].label]
        each = len(sides[0]) * len(sides[1]) * len(others)
        total += each if _whole(part) else part.tasks
    return total


def _whole(part: Part) -> bool:
    return part.tasks == 1 and part.groups == (1, 1)


def _shapes(sides: Sides) -> Shapes:
    widths = [tuple(p for _, p in side.shapes.values()) for side in sides]
    return Shapes(next(iter(sides[0].shapes.values()))[0], widths[0], widths[1])
