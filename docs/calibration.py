"""Write docs/calibration.md from the counts of ``python -m bench.calibration``: ``make docs``."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
COUNTS = HERE / "calibration.json"
# What is promised of an interval of 95 %, and of a test of 5 %.
PROMISED, SIZE, SLACK = 0.93, 0.05, 0.01

HEADER = """# Calibration

What intervals and tests promise, held to simulations: how often an interval of 95 % holds the value
of the population, and how often a test at 5 % finds something where there is nothing. Written by
`make docs` from `docs/calibration.json`; the code is `bench/calibration`.

```sh
python -m bench.calibration                             # goes on where the last run stopped
python -m bench.calibration --cells "interval; n=30"    # only these
python docs/calibration.py                              # this page
```

No value of a population is an estimate of ours. Linear CKA of a population is
`‖Σ_xy‖²/(‖Σ_xx‖‖Σ_yy‖)` whatever the distribution, so that `y = ρx + √(1 − ρ²)e`, with one spectrum
on both sides, has ρ². Repetition k of a study is seeded by the study's name and k: the counts do
not depend on where a run stopped. Behind every share stands ± 1.96 standard errors of a binomial;
of many cells one in twenty is off by more, and the lowest of many is low by chance.
"""


Cell = dict[str, Any]


def cells(kind: str) -> list[Cell]:
    """Return the cells of a kind of study, with what their names say."""
    found = []
    for study in json.loads(COUNTS.read_text("utf-8")).values():
        for name, counts in study["cells"].items():
            first, *parts = name.split("; ")
            if first == kind:
                told = dict(part.split("=", 1) for part in parts if "=" in part)
                found.append({"name": "; ".join(parts), **told, **counts})
    return found


def share(cell: Cell, key: str = "held") -> float:
    """Return how often something was so in a cell."""
    return cell[key] / cell["repetitions"]


def error(of: float, repetitions: int) -> float:
    """Return the half width of the binomial interval around a share."""
    return 1.96 * math.sqrt(max(of * (1 - of), 1 / repetitions) / repetitions)


def percent(cell: Cell, key: str = "held") -> str:
    """Return a share in words."""
    of = share(cell, key)
    return f"{100 * of:.1f} ± {100 * error(of, cell['repetitions']):.1f}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def grouped(found: Iterable[Cell], *keys: str) -> dict[tuple[str, ...], list[Cell]]:
    """Return cells by some of their facts."""
    parts: dict[tuple[str, ...], list[Cell]] = {}
    for cell in found:
        parts.setdefault(tuple(cell[key] for key in keys), []).append(cell)
    return parts


def coverage(found: list[Cell], *keys: str) -> str:
    """Return the table of coverage by some facts: the lowest cell, and the median."""
    rows = []
    for facts, part in grouped(found, *keys).items():
        low = min(part, key=share)
        others = ", ".join(
            f"{key} {low[key]}" for key in ("signal", "spectrum", "tails") if key in low
        )
        rows.append(
            [
                *facts,
                str(len(part)),
                str(low["repetitions"]),
                percent(low),
                others,
                f"{100 * median(map(share, part)):.1f}",
            ]
        )
    return table([*keys, "cells", "repetitions", "lowest, %", "where", "median, %"], rows)


def below(found: list[Cell]) -> str:
    """Return the cells under what is promised, with what the tool says of them."""
    low = sorted((cell for cell in found if share(cell) < PROMISED), key=share)
    if not low:
        return f"No cell is below {100 * PROMISED:.0f} %."
    rows = []
    for cell in low:
        untold = cell["repetitions"] - cell["told"]
        rest = f"{100 * cell['held_untold'] / untold:.0f} ({untold})" if untold else "–"
        sure = share(cell) + error(share(cell), cell["repetitions"]) < PROMISED
        rows.append(
            [
                cell["name"],
                percent(cell),
                "yes" if sure else "may be chance",
                f"{100 * share(cell, 'told'):.0f}",
                rest,
            ]
        )
    head = ("cell", "coverage, %", "below 93 %", "with VV005, %", "coverage without VV005, % (of)")
    return table(head, rows)


def intervals() -> str:
    """Return the section of intervals over rows."""
    found = sorted(cells("interval"), key=lambda c: (int(c["n"]), float(c["p/n"])))
    return f"""## Intervals over rows

`vv.inference.jackknife`, debiased linear CKA: {len(found)} cells of n, p/n, population CKA (none 0,
weak 0.1, medium 0.5, strong 0.9), spectrum of the covariance and tails of the rows (heavy:
multivariate t with 5 degrees of freedom, x and e each with their own).

{coverage(found, "n", "p/n")}

By signal and tails:

{coverage(found, "signal", "tails")}

Cells below 93 %, and how often the interval comes with finding VV005. The eight cells of one n, p/n
and spectrum are made of the same draws, and miss together.

{below(found)}

Where there is no signal the interval is too long, never too short.
"""


def hard() -> str:
    """Return the section of populations that have no such interval."""
    found = sorted(cells("hard"), key=lambda c: (c["kind"], int(c["n"])))
    rows = [
        [
            cell["kind"],
            cell["n"],
            percent(cell),
            f"{100 * share(cell, 'told'):.0f}",
            f"{100 * share(cell, 'above'):.1f}",
        ]
        for cell in found
    ]
    head = ("population", "n", "coverage, %", "with VV005, %", "interval above the value, %")
    return f"""## Where they fail

Rows of which few carry the covariance, and skewed features in one to three dimensions. The sample
does not hold what decides the value of the population, and no interval made of it can: the value is
mostly missed from below. Finding VV005 (this interval rests on few rows) is said in most of these
cases, but not where a sample happens to hold no such row: then nothing in it says so.

{table(head, rows)}
"""


def blocks() -> str:
    """Return the section of groups of dependent rows."""
    found = sorted(cells("blocks"), key=lambda c: (int(c["groups"]), c["sizes"], float(c["p/n"])))
    rows = []
    for facts, part in grouped(found, "groups", "sizes", "p/n").items():
        low = min(part, key=share)
        none = next(cell for cell in part if cell["signal"] == "none")
        rows.append(
            [
                *facts,
                str(low["repetitions"]),
                percent(low),
                low["signal"],
                f"{100 * median(map(share, part)):.1f}",
                f"{100 * share(none, 'held_by_rows'):.0f}",
            ]
        )
    head = (
        "groups",
        "sizes",
        "p/n",
        "repetitions",
        "lowest, %",
        "where",
        "median, %",
        "by rows, no signal, %",
    )
    return f"""## Intervals over groups of rows

`vv.inference.jackknife(groups=...)`: rows of a group share half of their variance; five rows in
each group, or from 1 to 15. Last column: what the interval over rows, without `groups`, covers
where the two have nothing in common. Two hundred groups with p ≥ n are not simulated: a quarter of
a minute each.

{table(head, rows)}

{below(found)}
"""


def factors() -> str:
    """Return the section of samples and seeds."""
    found = sorted(
        cells("two factors"), key=lambda c: (c["design"], c["kind"], int(c["seeds"]), int(c["n"]))
    )
    rows = []
    for facts, part in grouped(found, "design", "kind", "seeds").items():
        by_n = {cell["n"]: cell for cell in part}
        rows.append([*facts, *(percent(by_n[n]) for n in ("30", "100")), f"{part[0]['truth']:.2f}"])
    head = ("compared", "seeds are", "seeds", "n=30, %", "n=100, %", "value")
    return f"""## Intervals over samples and seeds

`vv.inference.two_factor`, {found[0]["repetitions"]} repetitions: seeds with a model, pairs of
layers of each seed, all pairs of seeds. Seeds are noise alone (none), see the model through one map
with noise of their own (alike), or each through a map and at a size of its own (unlike). The value
is the mean of the closed form over 200 000 seeds.

{table(head, rows)}

Three seeds that differ are too few: their own spread is known to two degrees of freedom, and values
of CKA over seeds are skewed. Finding VV002 says so below 6 seeds. Of all pairs of a dozen alike
seeds on 30 samples the interval is somewhat short, and nothing says so: noise averages out, and
what is left is the spread of a few samples.
"""


def judged(cell: Cell) -> str:
    """Return what is wrong with the size of a test, or nothing."""
    off = share(cell, "rejected") - cell["level"]
    if abs(off) <= SLACK:
        return ""
    sure = abs(off) - error(share(cell, "rejected"), cell["repetitions"]) > SLACK
    return ("too many" if off > 0 else "too few") + ("" if sure else " (may be chance)")


def sizes() -> str:
    """Return the section of tests."""
    rows, off = [], []
    for cell in cells("size"):
        wrong = "(wrong)" in cell["name"]
        word = "as expected" if wrong else judged(cell)
        if word and not wrong:
            off.append(f"- {cell['name']}: {percent(cell, 'rejected')} %, {word}")
        extra = [
            f"{100 * share(cell, key):.0f} % {said}"
            for key, said in (
                ("by_moments", "by moments"),
                ("best", "the best of a layer"),
                ("uncorrected", "any, uncorrected"),
                ("beyond", "interval beyond 0"),
            )
            if cell.get(key)
        ]
        rows.append(
            [
                cell["name"],
                str(cell["repetitions"]),
                percent(cell, "rejected"),
                word,
                ", ".join(extra),
            ]
        )
    head = ("test; data", "repetitions", "rejected at 5 %", "", "of these cases")
    named = "\n".join(off)
    return f"""## Tests

How often p ≤ 0.05 where there is nothing to find. Tests marked "wrong" are there for contrast: they
do what the others avoid. Those farther than one point from what they should be:

{named or "none."}

Linear shifts are a bound, and reject half as often as they might. Layers of one net resemble each
other, of which Holm's correction (by moments) knows nothing and that by permutations all. The
corrected jackknife of a difference rejects somewhat too often with 50 samples, and too seldom where
neither Y nor Z has anything to do with X. Labellings of two groups of five nets have 126 values, so
that 4.8 % is what a test at 5 % can do. Permutations are exact: what is off there is chance, and
8000 further repetitions of one outlier each gave 5.0 %, 5000 within such classes 5.1 %.

{table(head, rows)}
"""


def pages() -> dict[str, str]:
    """Return the page."""
    parts = (HEADER, intervals(), hard(), blocks(), factors(), sizes())
    return {"calibration.md": "\n".join(parts)}


def main() -> None:
    """Write it."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
