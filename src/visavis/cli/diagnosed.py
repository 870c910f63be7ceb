"""What may mislead in the best matches of a comparison, added to its findings."""

from collections.abc import Sequence
from dataclasses import replace

from visavis._core.progress import progress_bar
from visavis.inference import diagnose
from visavis.measures import resolve
from visavis.pairs import sides
from visavis.pairs.plan import budget
from visavis.pairs.sides import Side
from visavis.results import Comparison, ComparisonSet, Finding, correspond, silence
from visavis.results.correspond import Align

# The best matches that are looked at, the most alike of all rows.
MOST = 6
# Bytes that may be used where nobody says how many.
ROOM = 2**32
# What is said once of all layers, and not again of each pair.
ONCE = ("VV002", "VV015")


def with_findings(
    result: ComparisonSet,
    a: Side,
    b: Side | None,
    *,
    align: Align,
    memory: str | None,
    silenced: Sequence[str],
    progress: bool,
) -> ComparisonSet:
    """Return the comparisons, the first of CKA (or the first) with findings on its best matches.

    Layers that are too large for the memory are left out, and the plan says which pairs were seen.
    """
    label = next((each for each in result if resolve(each).name == "cka"), next(iter(result)))
    chosen = result[label]
    acts_a = sides.activations(a, "a")
    acts_b = acts_a if b is None or sides.same(a, b) else sides.activations(b, "b")
    acts_a, acts_b, _ = correspond(acts_a, acts_b, align=align)
    rows, cols = sides.Matrices(acts_a.layers, "a"), sides.Matrices(acts_b.layers, "b")
    groups = acts_a.groups if acts_a.groups is not None else acts_b.groups
    room = budget("compare", memory) or ROOM
    best = _best(chosen)
    pairs = [pair for pair in best if _bytes(rows, cols, *pair) <= room][:MOST]
    found: list[tuple[tuple[str, str], Finding]] = []
    with progress_bar("diagnosing matches", len(pairs), show=progress) as step:
        for row, col in pairs:
            told = diagnose(
                rows[row],
                cols[col],
                measure=label,
                groups=groups,
                ids=acts_a.ids,
                names=_names(chosen, row, col),
                silenced=(*ONCE, *silenced),
            )
            found += [((row, col), each) for each in told]
            step()
    known = {(each.code, each.message) for each in chosen.findings}
    new = [each for each in _together(found) if (each.code, each.message) not in known]
    plan = {**chosen.plan, "diagnosed": f"{len(pairs)} of {len(best)} best matches"}
    added = replace(chosen, findings=silence((*chosen.findings, *new), silenced), plan=plan)
    return ComparisonSet({each: added if each == label else result[each] for each in result})


def _best(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the best match of each row, the most alike first; of two mirror images one."""
    sign = -1 if comparison.scale.direction == "similarity" else 1
    pairs = [(row, col) for row, col in comparison.best_match().items() if col is not None]
    pairs.sort(key=lambda pair: sign * comparison[pair])
    if not comparison.of_itself:
        return pairs
    return list({frozenset(pair): pair for pair in reversed(pairs)}.values())[::-1]


def _bytes(rows: sides.Matrices, cols: sides.Matrices, row: str, col: str) -> int:
    """Return what a diagnosis holds: both layers, and some matrices of all pairs of samples."""
    (n, p), (_, q) = rows.shapes[row], cols.shapes[col]
    return 8 * n * (4 * n + 3 * (p + q))


def _names(comparison: Comparison, row: str, col: str) -> tuple[str, str]:
    a, b = comparison.names
    return (row, col) if row != col else (f"{row} of {a}", f"{col} of {b}")


def _together(found: Sequence[tuple[tuple[str, str], Finding]]) -> list[Finding]:
    """Return each kind of finding once: that of the first pair, and which others have it."""
    kinds: dict[tuple[str, str], list[tuple[tuple[str, str], Finding]]] = {}
    for pair, each in found:
        kinds.setdefault((each.code, each.severity), []).append((pair, each))
    told = []
    for same in kinds.values():
        (row, col), first = same[0]
        others = [f"{r} × {c}" for (r, c), _ in same[1:] if (r, c) != (row, col)]
        also = f" Likewise {', '.join(dict.fromkeys(others))}." if others else ""
        layers = dict.fromkeys(layer for _, each in same for layer in each.layers)
        message = f"{row} × {col}: {first.message}{also}"
        told.append(replace(first, message=message, layers=tuple(layers)))
    return told
