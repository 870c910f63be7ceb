"""Write docs/measures.md and a page for each measure from the registry; run with ``make docs``."""

from pathlib import Path

import visavis as vv
from visavis.measures import docstring
from visavis.measures.docstring import filled, markdown
from visavis.measures.measure import FAMILIES
from visavis.measures.page import facts, page, widest

HEADER = """# Measures

Written from the records of `visavis.registry` by `make docs`. `X` is (n, p), `Y` is (n, q), the
same samples in rows. Each name leads to a page: the formula, when to use the measure and when not,
its options and what they change.

`visavis measures NAME` shows the same page on a terminal, `visavis measures --family shape` a part
of this table. Options go in parentheses, as in
`visavis compare a.npz b.npz --measure "cka(kernel=rbf(0.4), estimator=biased)"`.

Of one representation, or of many: [how many dimensions it fills](dimension.md), and
[the space of shapes](shapes.md), with paths, means and held-out alignment. How sure a value is:
[inference](inference.md).
"""

FOOTER = """Symmetric: X and Y may be exchanged. Metric: a distance with the triangle inequality. An
orthogonal map includes permutations of features, an invertible linear map also scaling. Chance
level: whether the mean over permutations of the rows has a closed form
(`vv.inference.chance`)."""

COLUMNS = (
    "measure",
    "what it is",
    "range, more alike if",
    "symmetric",
    "metric",
    "invariant to",
    "chance level",
)


def row(measure: vv.Measure) -> str:
    """Return the line of one record in the table."""
    known = facts(measure)
    cells = (
        f"[`{measure.name}`](measures/{measure.name}.md)",
        markdown(docstring.read(measure.function).summary, link),
        known["range"].removesuffix(" is more alike"),
        known["symmetric"],
        known["metric"],
        ", ".join(widest(measure.invariant_to)) or "–",
        "closed form" if measure.chance else "–",
    )
    return "| " + " | ".join(cells) + " |"


def link(name: str) -> str | None:
    """Return the page of a name."""
    return f"measures/{name}.md" if name in vv.registry else None


def table() -> str:
    """Return the page with all measures, family by family."""
    lines = [HEADER]
    for family, question in FAMILIES.items():
        heading = family[:1].upper() + family[1:]
        lines += [f"## {heading}", "", filled(f"*{question[:1].upper() + question[1:]}*"), ""]
        lines += ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
        lines += [row(each) for each in vv.registry.values() if each.family == family]
        lines += [""]
    return "\n".join([*lines, FOOTER]) + "\n"


def pages() -> dict[str, str]:
    """Return what is to be written: path from the folder of the docs to text."""
    each = {f"measures/{name}.md": page(it, linked=True) for name, it in vv.registry.items()}
    return {"measures.md": table(), **each}


if __name__ == "__main__":
    folder = Path(__file__).parent
    written = pages()
    for old in (folder / "measures").glob("*.md"):
        if f"measures/{old.name}" not in written:
            old.unlink()
    (folder / "measures").mkdir(exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"written: {folder / 'measures.md'} and {len(written) - 1} pages")
