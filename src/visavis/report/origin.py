"""Provenance as terms and texts, and the call that gives the result again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from visavis.results import Comparison

CALL = "call"
NAME = "name"
# A mapping of many layers to one value is said once.
_FEW = 3
# Below this many levels a mapping is one line of text.
_DEEP = 2


@dataclass(frozen=True)
class Entry:
    """A term with its text, or with entries of its own."""

    term: str
    text: str = ""
    entries: tuple["Entry", ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where some comparisons come from; without labels, where all of them do."""

    labels: tuple[str, ...]
    entries: tuple[Entry, ...]


def origins(comparisons: Mapping[str, Comparison]) -> list[Origin]:
    """Return plan and provenance: first what all share, then what the comparisons differ in."""
    records = {label: _entries(_record(each)) for label, each in comparisons.items()}
    first, *others = records.values()
    common = tuple(entry for entry in first if all(entry in other for other in others))
    differing: dict[tuple[Entry, ...], list[str]] = {}
    for label, entries in records.items():
        rest = tuple(entry for entry in entries if entry not in common)
        differing.setdefault(rest, []).append(label)
    told = [Origin((), common)]
    told += [Origin(tuple(labels), entries) for entries, labels in differing.items()]
    return [each for each in told if each.entries]


def _record(comparison: Comparison) -> dict[str, Any]:
    known = {key: value for key, value in comparison.provenance.items() if key != CALL}
    return {**known, **({"plan": comparison.plan} if comparison.plan else {})}


def calls(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the lines of Python that give the comparisons again, as far as they are recorded."""
    found: dict[str, None] = {}
    for comparison in comparisons:
        call = comparison.provenance.get(CALL, ())
        found |= dict.fromkeys([call] if isinstance(call, str) else [str(each) for each in call])
    return [line for call in found for line in call.splitlines()]


def _entries(record: Mapping[str, Any]) -> tuple[Entry, ...]:
    return tuple(_entry(str(key).replace("_", " "), value, 1) for key, value in record.items())


def _entry(term: str, value: Any, depth: int) -> Entry:
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        value = {_name(each, k): each for k, each in enumerate(value, start=1)}
    if isinstance(value, list | tuple):
        return Entry(term, ", ".join(map(_text, value)))
    if not isinstance(value, Mapping):
        return Entry(term, _text(value))
    texts = {_text(each) for each in value.values()}
    if len(texts) == 1 and len(value) > _FEW:
        return Entry(term, f"{texts.pop()} (all {len(value)})")
    if depth > _DEEP and not any(isinstance(each, Mapping) for each in value.values()):
        return Entry(term, _text(value))
    # Keys below the first level are names of layers or packages: they stay as they are.
    entries = (_entry(str(key), each, depth + 1) for key, each in value.items() if key != NAME)
    return Entry(term, entries=tuple(entries))


def _name(record: Any, number: int) -> str:
    return str(record.get(NAME, number)) if isinstance(record, Mapping) else str(number)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        # Brackets where a comma would not tell a list from what follows it.
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
