"""Provenance as terms and texts, and the call that gives the result again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from visavis.results import Comparison

CALL = "call"
# A mapping of many layers to one value is said once.
_FEW = 3


@dataclass(frozen=True)
class Entry:
    """A term with its text, or with entries of its own."""

    term: str
    text: str = ""
    entries: tuple["Entry", ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where some comparisons come from."""

    labels: tuple[str, ...]
    entries: tuple[Entry, ...]


def origins(comparisons: Mapping[str, Comparison]) -> list[Origin]:
    """Return plan and provenance; comparisons that share theirs are named together."""
    shared: dict[tuple[Entry, ...], list[str]] = {}
    for label, comparison in comparisons.items():
        known = {key: value for key, value in comparison.provenance.items() if key != CALL}
        record = {**({"plan": comparison.plan} if comparison.plan else {}), **known}
        shared.setdefault(_entries(record), []).append(label)
    return [Origin(tuple(labels), entries) for entries, labels in shared.items() if entries]


def calls(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the lines of Python that give the comparisons again, as far as they are recorded."""
    found: dict[str, None] = {}
    for comparison in comparisons:
        call = comparison.provenance.get(CALL, ())
        found |= dict.fromkeys([call] if isinstance(call, str) else [str(each) for each in call])
    return [line for call in found for line in call.splitlines()]


def _entries(record: Mapping[str, Any]) -> tuple[Entry, ...]:
    return tuple(_entry(str(key).replace("_", " "), value) for key, value in record.items())


def _entry(term: str, value: Any) -> Entry:
    if isinstance(value, Mapping):
        texts = {_text(each) for each in value.values()}
        if len(texts) == 1 and len(value) > _FEW:
            return Entry(term, f"{texts.pop()} (all {len(value)})")
        # Keys below the first level are names of layers or packages: they stay as they are.
        return Entry(term, entries=tuple(_entry(str(key), each) for key, each in value.items()))
    return Entry(term, _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return (
        {None: "none", True: "yes", False: "no"}.get(value, str(value))
        if _plain(value)
        else str(value)
    )


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool)
