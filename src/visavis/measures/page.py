"""The page of a measure: what its record and its docstring say, as Markdown."""

import inspect
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from visavis.measures import docstring
from visavis.measures.docstring import Docstring, Entry, filled, markdown
from visavis.measures.measure import (
    FEATURE_MAPS,
    LINEAR,
    LINEAR_X,
    LINEAR_Y,
    ORTHOGONAL,
    OUTPUTS,
    PERMUTATION,
    REPEATS,
    REPRESENTATIONS,
    ROWS,
    SCALING,
    UNITS,
    WEIGHTS,
    Measure,
)

INPUTS = {
    REPRESENTATIONS: "representations (n, p) and (n, q), the same samples in rows",
    REPEATS: "representations (n, r, p) and (n, s, q), several measurements of each sample",
    UNITS: "units in columns, (n, p) and (m, q); samples need not correspond",
    OUTPUTS: "outputs (n, c) of two classifiers, a column for each of the same classes",
    FEATURE_MAPS: "feature maps (n, c, h, w) and (n, d, h, w) of convolutional layers",
    WEIGHTS: "the parameters of two networks",
}
# Whoever forgets the left forgets the right.
_INCLUDES = {
    LINEAR: {LINEAR_X, LINEAR_Y, ORTHOGONAL, SCALING, PERMUTATION},
    ORTHOGONAL: {PERMUTATION},
}
_SHOWN = ("When", "When not")


def widest(maps: frozenset[str]) -> list[str]:
    """Return the maps without those that are special cases of others among them.

    Examples
    --------
    >>> widest(frozenset({"orthogonal map", "feature permutation", "translation"}))
    ['orthogonal map', 'translation']
    """
    return sorted(maps.difference(*(_INCLUDES.get(each, ()) for each in maps)))


def facts(measure: Measure) -> dict[str, str]:
    """Return the facts of a record in words."""
    higher = "higher" if measure.direction == "similarity" else "lower"
    inputs = INPUTS[measure.inputs]
    if measure.paired_features:
        inputs = re.sub(r"\bq\)", "p)", inputs) + "; columns correspond as well"
    return {
        "range": f"{measure.span}, {higher} is more alike",
        "symmetric": _yes(measure.symmetric),
        "metric": _yes(measure.metric),
        "best with itself": _yes(measure.reflexive) if _bounded(measure) else "–",
        "invariant to": ", ".join(widest(measure.invariant_to)) or "–",
        "not invariant to": ", ".join(sorted(measure.not_invariant_to)) or "–",
        "inputs": inputs,
        "required options": ", ".join(measure.required) or "none",
        "fewest rows": "–" if measure.inputs == WEIGHTS else str(measure.minimum_rows),
        "chance level": _chance(measure),
        "computed from": measure.statistic,
        "operations": measure.cost,
    }


def page(measure: Measure, *, linked: bool = False) -> str:
    """Return the page of a measure as Markdown.

    Parameters
    ----------
    measure : Measure
        The facts are those under its options.
    linked : bool
        Whether names of other measures lead to their pages, ``NAME.md`` beside this one.
    """
    from visavis.measures.registry import registry

    def link(name: str) -> str | None:
        return f"{name}.md" if linked and name in registry and name != measure.name else None

    def text(paragraph: str) -> str:
        return filled(markdown(paragraph, link))

    doc = docstring.read(measure.function)
    home = "[all measures](../measures.md)" if linked else "`visavis measures`"
    blocks = [
        f"# {measure.title}",
        filled(f"`{measure.label}`, of the family *{measure.family}*; the others: {home}."),
        text(doc.summary),
        "## Formula",
        *(text(each) for each in doc.formula),
        "## When to use it",
        text(_sentence(doc.note("When"))),
        "## When not to use it",
        text(_sentence(doc.note("When not"))),
        "## Facts",
        _table(("", f"`{measure.label}`"), list(facts(measure).items())),
        *(() if measure.options else _variants(measure)),
        "## Arguments and options",
        _code(f"vv.{measure.name}({_signature(measure)})"),
        *_described(doc.parameters, link, measure),
        "## What comes back",
        *(text(each.text) for each in doc.returns),
        "Errors:",
        *_described(doc.raises, link),
        "## Notes",
        *_notes(doc, link),
        "## Example",
        *_example(doc.examples, link),
        "## References",
        *(filled(docstring.reference(each), "- ") for each in doc.references),
    ]
    # A blank line between all blocks but the items of one list.
    return re.sub(r"^(- .*(?:\n  .*)*)\n(?=\n- )", r"\1", "\n\n".join(blocks), flags=re.M) + "\n"


def _bounded(measure: Measure) -> bool:
    """Whether there is a best value at all."""
    return math.isfinite(measure.high if measure.direction == "similarity" else measure.low)


def _chance(measure: Measure) -> str:
    if measure.chance:
        return "in closed form"
    blind = measure.inputs == WEIGHTS or ROWS in measure.invariant_to
    return "–" if blind else "by permuting rows"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _sentence(text: str) -> str:
    return text if text[:1] in "`" else text[:1].upper() + text[1:]


def _code(text: str, language: str = "python") -> str:
    return f"```{language}\n{text}\n```"


def _signature(measure: Measure) -> str:
    settings = measure.settings
    sides = [
        each for each in inspect.signature(measure.function).parameters if each not in settings
    ]
    options = [
        name if name in measure.required else f"{name}={_literal(value)}"
        for name, value in settings.items()
    ]
    return ", ".join([*sides, "/", *(["*", *options] if options else [])])


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"({', '.join(_literal(each) for each in value)})"
    return str(value)


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (heading, ("---",) * len(heading), *rows)
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _variants(measure: Measure) -> Iterator[str]:
    """Yield which facts are others under the named options."""
    if measure.variants:
        yield "### Under other options"
    usual = facts(measure)
    for options in measure.variants:
        record = measure.with_options(**options)
        other = [f"{key}: {fact}" for key, fact in facts(record).items() if fact != usual[key]]
        yield filled(f"`{record.label}`: {'; '.join(other) or 'the same facts'}.", "- ")


def _described(
    entries: tuple[Entry, ...],
    link: Callable[[str], str | None],
    measure: Measure | None = None,
) -> Iterator[str]:
    for each in entries:
        kind = f"{markdown(_default(each, measure))}. " if each.kind else ""
        yield filled(f"**`{each.name}`**: {kind}{markdown(each.text, link)}", "- ")


def _default(entry: Entry, measure: Measure | None) -> str:
    """Return what an argument may be, and what it is if nobody says."""
    if measure is None or entry.name not in measure.defaults:
        return entry.kind
    if entry.name in measure.required:
        return f"{entry.kind}, required"
    value = measure.settings[entry.name]
    word = "here" if entry.name in measure.options else "by default"
    return entry.kind if value is None else f"{entry.kind}, {word} ``{_literal(value)}``"


def _notes(doc: Docstring, link: Callable[[str], str | None]) -> Iterator[str]:
    headed = [each for each in doc.notes if each.heading and each.heading not in _SHOWN]
    for each in headed:
        yield filled(f"**{each.heading}**: {markdown(each.text, link)}", "- ")
    yield from (filled(markdown(each.text, link)) for each in doc.notes if not each.heading)


def _example(text: str, link: Callable[[str], str | None]) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text):
        if part.lstrip().startswith(">>>"):
            yield _code(part, "pycon")
        else:
            yield filled(markdown(" ".join(part.split()), link))
