"""What a docstring in the form of numpydoc says, part by part, and its text as Markdown."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_WIDTH = 100
# Stands for a space at which no line may end.
_GLUE = "\u2800"


@dataclass(frozen=True)
class Entry:
    """One of several things that a section describes: a parameter, what comes back, an error."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Note:
    """A remark, under a heading of its own or under none."""

    heading: str
    text: str


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring, every paragraph on one line."""

    summary: str
    formula: tuple[str, ...]
    parameters: tuple[Entry, ...]
    returns: tuple[Entry, ...]
    raises: tuple[Entry, ...]
    notes: tuple[Note, ...]
    references: tuple[str, ...]
    examples: str

    def note(self, heading: str) -> str:
        """Return what stands under a heading, nothing if there is no such heading."""
        return " ".join(each.text for each in self.notes if each.heading == heading)


def read(function: Callable[..., Any]) -> Docstring:
    """Return the parts of the docstring of a function.

    Examples
    --------
    >>> from visavis import cka
    >>> read(cka).parameters[1]
    Entry(name='Y', kind='array, (n, q)', text='The same samples in the same order.')
    """
    parts = re.split(r"^(\w+)\n-{3,}\n", inspect.getdoc(function) or "", flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    summary, *formula = _paragraphs(parts[0])
    return Docstring(
        summary=summary,
        formula=tuple(formula),
        parameters=tuple(_entries(sections.get("Parameters", ""))),
        returns=tuple(_entries(sections.get("Returns", ""))),
        raises=tuple(_entries(sections.get("Raises", ""))),
        notes=tuple(_notes(sections.get("Notes", ""))),
        references=tuple(_items(sections.get("References", ""))),
        examples=sections.get("Examples", "").strip("\n"),
    )


def _paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", text) if each.strip()]


def _entries(section: str) -> Iterator[Entry]:
    for part in re.split(r"^(?=\S)", section, flags=re.MULTILINE):
        head, _, body = part.partition("\n")
        if head.strip():
            name, _, kind = head.partition(" : ")
            yield Entry(name.strip(), kind.strip(), " ".join(body.split()))


def _notes(section: str) -> Iterator[Note]:
    for paragraph in _paragraphs(section):
        before, *rest = re.split(r"\*([A-Z][a-z ]+)\*: ", paragraph)
        if before.strip():
            yield Note("", before.strip())
        for heading, text in zip(rest[::2], rest[1::2], strict=True):
            yield Note(heading, text.strip())


def _items(section: str) -> Iterator[str]:
    for part in re.split(r"^\.\. ", section, flags=re.MULTILINE):
        if part.strip():
            yield " ".join(part.split())


def markdown(text: str, link: Callable[[str], str | None] = lambda name: None) -> str:
    r"""Return a paragraph as Markdown.

    Parameters
    ----------
    text : str
        In the marks of a docstring: ``code`` in two backticks, `names` in one, [1]_.
    link : callable, optional
        From a name to where it leads, None for nowhere.

    Examples
    --------
    >>> print(markdown("As ``x*y`` in `cka` [1]_, * apart.", {"cka": "cka.md"}.get))
    As `x*y` in [`cka`](cka.md) [1], \* apart.
    """

    def part(found: re.Match[str]) -> str:
        code, name, prose = found.groups()
        if code is not None:
            return f"`{code}`"
        if name is not None:
            target = link(name)
            return f"[`{name}`]({target})" if target else f"`{name}`"
        return re.sub(r"([*<\\])", r"\\\1", re.sub(r"(\[\d+\])_", r"\1", prose))

    return re.sub(r"``(.+?)``|`([^`]+)`|([^`]+)", part, text)


def reference(text: str) -> str:
    """Return a reference as Markdown, what has an address linked to it.

    Examples
    --------
    >>> print(reference("[1] Tang et al. (2020), arXiv:2003.11498."))
    [1] Tang et al. (2020), [arXiv:2003.11498](https://arxiv.org/abs/2003.11498).
    """
    text = re.sub(r"arXiv:(\d+\.\d+)", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    return re.sub(r"doi:(10\.\S+?)(?=[.,;:]?(?:\s|$))", r"[doi:\1](https://doi.org/\1)", text)


def filled(text: str, first: str = "", rest: str | None = None) -> str:
    """Return a paragraph of Markdown in lines, none of which reads as the start of something else.

    Parameters
    ----------
    text : str
        The paragraph.
    first, rest : str
        What the first line and all others begin with; by default as many spaces as the first has.
    """
    glued = re.sub(r"\[?`[^`]+`", lambda found: found.group().replace(" ", _GLUE), text)
    glued = re.sub(r" (?=(?:[-+>=·×−]|\d+[.)])(?:\s|$))", _GLUE, glued)
    lines = textwrap.wrap(
        glued,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_GLUE, " ")
