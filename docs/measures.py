"""Write docs/measures.md from the records of the registry; run with ``make docs``."""

import inspect
from pathlib import Path

import visavis as vv

HEADER = """# Measures

Written from the records of `visavis.registry` by `make docs`. `X` is (n, p), `Y` is (n, q), the
same samples in rows.
`visavis measures NAME` shows one with its documentation; options go in parentheses, as in
`visavis compare a.npz b.npz --measure "cka(kernel=rbf(0.4), estimator=biased)"`.
"""


def row(measure: vv.Measure) -> str:
    """Return the line of one record in the table."""
    cells = (
        f"`{measure.label}`",
        measure.span,
        "higher" if measure.direction == "similarity" else "lower",
        "yes" if measure.symmetric else "no",
        "yes" if measure.metric else "no",
        ", ".join(sorted(measure.invariant_to)) or "–",
        ", ".join(sorted(measure.not_invariant_to)) or "–",
        "closed form" if measure.chance else "–",
        measure.cost,
    )
    return "| " + " | ".join(cells) + " |"


def page() -> str:
    """Return the whole page."""
    columns = (
        "measure",
        "range",
        "more alike",
        "symmetric",
        "metric",
        "invariant to",
        "not to",
        "chance level",
        "operations",
    )
    lines = [HEADER, "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for measure in vv.registry.values():
        lines += [row(each) for each in (measure, *variants(measure))]
    lines += ["", "## In words", ""]
    for measure in vv.registry.values():
        summary = (inspect.getdoc(measure.function) or "").partition("\n")[0]
        lines += [f"**`{measure.name}`**: {summary} {measure.reference}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def variants(measure: vv.Measure) -> list[vv.Measure]:
    """Return the record under each of its variants."""
    return [measure.with_options(**options) for options in measure.variants]


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".md")
    path.write_text(page(), encoding="utf-8")
    print(f"written: {path}")
