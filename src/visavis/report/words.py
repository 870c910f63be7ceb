"""What a comparison says, in plain words."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from visavis.plot import numbers
from visavis.plot.heatmap import MOST_ANNOTATED
from visavis.plot.matches import Match, chance_span, matches
from visavis.results import Comparison, Scale

DECIMALS = 3


def owner(comparison: Comparison, side: int = 0) -> str:
    """Return what the rows or columns are of, as " of seed0"; nothing if they are models."""
    name = comparison.names[side]
    return "" if name == f"{comparison.unit}s" else f" of {name}"


def title(comparisons: Sequence[Comparison]) -> str:
    """Return the title of a report that was given none."""
    pairs = list(dict.fromkeys(comparison.names for comparison in comparisons))
    if len(pairs) > 1:
        return f"{len(pairs)} pairs of models, layer by layer"
    a, b = pairs[0]
    return f"{a}, layer by layer" if a == b else f"{a} vis-à-vis {b}"


def labelled(comparisons: Sequence[Comparison]) -> dict[str, Comparison]:
    """Return the comparisons by labels that tell them apart: measure, and sides if needed."""
    several = len({comparison.names for comparison in comparisons}) > 1
    found: dict[str, Comparison] = {}
    for each in comparisons:
        sides = f"{each.unit}s{owner(each)}" if each.of_itself else " × ".join(each.names)
        label = f"{each.measure}: {sides}" if several else each.measure
        again = sum(known.split(" #")[0] == label for known in found)
        found[f"{label} #{again + 1}" if again else label] = each
    return found


def headline(comparison: Comparison) -> str:
    """Return the result in two or three sentences."""
    best = matches(comparison)
    if not best:
        return f"No pair of {comparison.unit}s has a value: see the findings."
    scale = comparison.scale
    values = [match.value for match in best]
    reach = numbers.span(min(values), max(values), scale)
    median = numbers.text(float(np.median(values)), scale)
    sentences = [_hits(comparison, best)]
    if len(values) > 1:
        sentences.append(f"The best matches are at {reach}, with a median of {median}.")
    else:
        sentences.append(f"The best match is at {reach}.")
    if width := _width(comparison, best):
        sentences.append(width)
    if empty := len(comparison.rows) - len(best):
        verb = "has" if empty == 1 else "have"
        sentences.append(f"{_count(empty, comparison.unit)} {verb} no value.")
    return " ".join([*filter(None, sentences), chance(comparison)])


def _width(comparison: Comparison, best: Sequence[Match]) -> str:
    """Return how wide the intervals of the best matches are; nothing if there are none."""
    if comparison.low is None or comparison.high is None or comparison.level is None:
        return ""
    widths = [comparison.high[m.row, m.col] - comparison.low[m.row, m.col] for m in best]
    known = [float(width) for width in widths if isfinite(width)]
    if not known:
        return ""
    percent = f"{100 * comparison.level:g}\N{NO-BREAK SPACE}%"
    width = numbers.text(float(np.median(known)), comparison.scale, DECIMALS)
    if len(known) == 1:
        return f"Its {percent} interval is {width} wide."
    return f"Their {percent} intervals are {width} wide (median)."


def _hits(comparison: Comparison, best: Sequence[Match]) -> str:
    a, b = comparison.names
    if comparison.of_itself:
        return f"Each {comparison.unit}{owner(comparison)} is held against the others."
    found = counterparts(comparison)
    if found is None:
        verb = "is" if len(comparison.rows) == 1 else "are"
        sizes = _count(len(comparison.rows), "layer"), _count(len(comparison.cols), "layer")
        return f"{sizes[0]} of {a} {verb} held against {sizes[1]} of {b}."
    where = "of the same name" if _by_name(comparison) else "at the same depth"
    hits = sum(found[match.row] == match.col for match in best)
    layers = _count(len(comparison.rows), "layer")
    verb = "is" if hits == 1 else "are"
    return f"{hits} of {layers} of {a} {verb} most like the layer {where} in {b}."


def interval(comparison: Comparison, i: int, j: int, decimals: int = DECIMALS) -> str:
    """Return the interval of a value as text, or nothing."""
    if comparison.low is None or comparison.high is None:
        return ""
    low, high = float(comparison.low[i, j]), float(comparison.high[i, j])
    if not (isfinite(low) and isfinite(high)):
        return ""
    return numbers.span(low, high, comparison.scale, decimals)


def z(comparison: Comparison, i: int, j: int) -> str:
    """Return by how many standard deviations a value is above chance, as text, or nothing."""
    if comparison.z is None or np.isnan(comparison.z[i, j]):
        return ""
    return numbers.z(float(comparison.z[i, j]))


def sureness(comparison: Comparison) -> str:
    """Return what the small figures beside the values are, and why some are not there."""
    sentences = []
    if comparison.level is not None:
        sentences.append(
            f"Below a value stands its {100 * comparison.level:g}\N{NO-BREAK SPACE}% interval, "
            "each for itself."
        )
    elif lacking := str(comparison.plan.get("intervals", "")).removeprefix("none: "):
        sentences.append(f"There are no intervals: {lacking}.")
    if comparison.z is not None:
        sentences.append(
            "z is the number of standard deviations above chance, with the samples of one side "
            "shuffled; it is no p-value."
        )
    return " ".join(sentences)


def hits(comparison: Comparison) -> str:
    """Return how many rows match their counterpart best, as "8 of 9", or a dash."""
    found = counterparts(comparison)
    if found is None or comparison.of_itself:
        return numbers.MISSING
    count = sum(found[match.row] == match.col for match in matches(comparison))
    return f"{count} of {len(comparison.rows)}"


def counterparts(comparison: Comparison) -> list[int] | None:
    """Return the column that corresponds to each row: of the same name, else at the same depth."""
    if _by_name(comparison):
        return [comparison.cols.index(row) for row in comparison.rows]
    return (
        list(range(len(comparison.rows)))
        if len(comparison.rows) == len(comparison.cols) > 1
        else None
    )


def _by_name(comparison: Comparison) -> bool:
    return len(comparison.rows) > 1 and set(comparison.rows) == set(comparison.cols)


def chance(comparison: Comparison) -> str:
    """Return what is known of the level that shuffled samples reach."""
    span = chance_span(comparison)
    if span is None:
        return "The level that chance alone reaches is not known for this measure."
    level = numbers.span(*span, comparison.scale)
    return f"Chance alone, with the samples of one side shuffled, reaches {level}."


def meaning(scale: Scale) -> str:
    """Return how to read the numbers of a measure: what it is, direction, range, symmetry."""
    description = scale.description.strip()
    if description and description[-1] not in ".!?":
        description += "."
    better = "higher" if scale.direction == "similarity" else "lower"
    low, high = (numbers.text(end, scale) for end in (scale.low, scale.high))
    if isfinite(scale.low) and isfinite(scale.high):
        limits = f"from {low} to {high}"
    elif isfinite(scale.low):
        limits = f"from {low} up, without a bound"
    else:
        limits = "without bounds"
    way = "" if scale.symmetric else " It is directed: from the rows to the columns."
    return f"{description} A {scale.direction}, {limits}; {better} is more alike.{way}".strip()


def caption(comparison: Comparison) -> str:
    """Return what the heatmap shows."""
    units = f"{comparison.unit}s"
    sentences = [
        f"Rows are the {units}{owner(comparison, 0)}, the first at the bottom; columns are the "
        f"{units}{owner(comparison, 1)}, the first at the left. Brighter is more alike."
    ]
    if len(comparison.cols) > 1 and matches(comparison):
        small = max(comparison.values.shape) <= MOST_ANNOTATED
        sentences.append(f"A {'ring' if small else 'dot'} marks the best match of each row.")
    if np.isnan(comparison.values).any():
        sentences.append("Hatched squares have no value.")
    if chance_span(comparison) is not None:
        sentences.append("The green line on the scale is the level of chance.")
    return " ".join([*sentences, _contrast(comparison)]).rstrip()


def _contrast(comparison: Comparison) -> str:
    """Return the mean of corresponding layers beside that of all others."""
    found = counterparts(comparison)
    if found is None or comparison.of_itself:
        return ""
    same = np.zeros(comparison.values.shape, dtype=bool)
    same[np.arange(len(found)), found] = True
    known = np.isfinite(comparison.values)
    if not (known & same).any() or not (known & ~same).any():
        return ""
    inside, outside = (
        numbers.text(float(comparison.values[known & where].mean()), comparison.scale)
        for where in (same, ~same)
    )
    kind = "of the same name" if _by_name(comparison) else "at the same depth"
    return f"Layers {kind} average {inside}, all other pairs {outside}."


def alternative(comparison: Comparison) -> str:
    """Return the heatmap in one sentence, for those who cannot see it."""
    rows, cols = comparison.values.shape
    sides = [
        f"{_count(count, comparison.unit)}{owner(comparison, side)}"
        for side, count in enumerate((rows, cols))
    ]
    both = " by ".join(sides)
    return f"Heatmap of {comparison.measure}: {both}. The table of values holds its numbers."


def why_missing(comparison: Comparison, *layers: str) -> str:
    """Return why the pairs of these layers have no value."""
    known = [each for each in comparison.findings if set(layers) & set(each.layers)]
    worst = next((each for each in known if each.severity == "error"), next(iter(known), None))
    return "no value" if worst is None else f"no value: {worst.message}"


def _count(count: int, noun: str) -> str:
    return f"{count:,}\N{NO-BREAK SPACE}{noun}{'' if count == 1 else 's'}"


def samples(comparisons: Sequence[Comparison]) -> str:
    """Return the number of samples, or the smallest and largest."""
    counts = [comparison.n for comparison in comparisons]
    return " to ".join(dict.fromkeys(f"{count:,}" for count in (min(counts), max(counts))))


def layers(comparisons: Sequence[Comparison]) -> str:
    """Return the size of the tables, as "9 × 9"."""
    sizes = {each.values.shape for each in comparisons if each.unit == "layer"}
    return " × ".join(map(str, sizes.pop())) if len(sizes) == 1 else "various"


def median_match(comparison: Comparison) -> str:
    """Return the median value of the best matches."""
    best = [match.value for match in matches(comparison)]
    return numbers.text(float(np.median(best)), comparison.scale) if best else numbers.MISSING


def chance_level(comparison: Comparison) -> str:
    """Return the level of chance as a number or a range, or a dash."""
    span = chance_span(comparison)
    return numbers.MISSING if span is None else numbers.span(*span, comparison.scale)
