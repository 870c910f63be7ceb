"""What an experiment is: what it computes, how that is drawn, and what the paper says of it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reproduction import data
from reproduction.files import write
from reproduction.lab import Lab
from reproduction.recipes import Plan, Recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIGITS = 5


@dataclass(frozen=True)
class Claim:
    """A statement of the paper beside what came out here.

    Parameters
    ----------
    paper, here : str
        What the paper finds, and what came out, with its numbers.
    agrees : bool
        By a rule on the numbers, not by eye.
    why : str
        Where it does not agree: what may be the reason.
    """

    paper: str
    here: str
    agrees: bool
    why: str = ""


@dataclass(frozen=True)
class Experiment:
    """One table or figure of the paper.

    Parameters
    ----------
    name, title : str
        What it is called on the command line, and for readers.
    about : str
        What is done here, in Markdown.
    nets : callable
        The networks it needs, of a plan.
    sizes : mapping of str to (full, quick)
        Numbers of images and the like.
    compute : callable
        Returns the result, as plain JSON types.
    figures : sequence of str
        What the figures are called.
    draw : callable
        Returns them by name, from the result alone.
    claims : callable
        Compares the result with the paper.
    table : callable
        Returns rows of text for the page, the header first; none by default.
    """

    name: str
    title: str
    about: str
    nets: Callable[[Plan], Sequence[Recipe]]
    sizes: Mapping[str, tuple[Any, Any]]
    compute: Callable[[Lab], dict[str, Any]]
    figures: Sequence[str]
    draw: Callable[[Mapping[str, Any]], "dict[str, Figure]"]
    claims: Callable[[Mapping[str, Any]], list[Claim]]
    table: Callable[[Mapping[str, Any]], list[Sequence[str]]] = field(default=lambda result: [])

    def sized(self, *, quick: bool) -> dict[str, Any]:
        """Return the sizes of a run."""
        return {name: each[quick] for name, each in self.sizes.items()}

    def settings(self, plan: Plan, *, quick: bool) -> dict[str, Any]:
        """Return what decides the result, as plain JSON."""
        nets = {f"{each.name}-{each.key()}": each.epochs for each in self.nets(plan)}
        return json.loads(json.dumps({"nets": nets, "sizes": self.sized(quick=quick)}))

    def finished(self, kept: Path, plan: Plan, *, quick: bool) -> dict[str, Any] | None:
        """Return the result that is kept, or None if there is none of these settings."""
        path = kept / f"{self.name}.json"
        if not path.is_file():
            return None
        content = json.loads(path.read_text("utf-8"))
        same = content.get("settings") == self.settings(plan, quick=quick)
        return content["result"] if same else None

    def run(self, kept: Path, plan: Plan, cache: Path, *, quick: bool) -> dict[str, Any]:
        """Return the result, computed if it is not kept yet."""
        known = self.finished(kept, plan, quick=quick)
        if known is not None:
            return known
        result = rounded(self.compute(Lab(plan, cache, self.sized(quick=quick))))
        kept.mkdir(parents=True, exist_ok=True)
        content = {
            "settings": self.settings(plan, quick=quick),
            "source": data.load("fashion").source,
            "result": result,
        }
        write(kept / f"{self.name}.json", as_json(content))
        return result


def as_json(content: Any) -> bytes:
    """Return JSON with a line for each row of a table, so that a change can be read."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return (text.replace('], "', '],\n"').replace('}, "', '},\n"') + "\n").encode()


def rounded(value: Any) -> Any:
    """Return plain JSON types with few digits: results are kept under version control."""
    if isinstance(value, Mapping):
        return {str(key): rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


# What a comparison says of how it was made stands on the page, once.
_LEFT_OUT = {"plan": {}, "provenance": {}, "findings": [], "low": None, "high": None, "z": None}


def slim(value: Any) -> Any:
    """Return what ``to_dict`` gave without what the figures do not need."""
    if isinstance(value, Mapping):
        table = "values" in value and "rows" in value
        return {
            key: _LEFT_OUT[key] if table and key in _LEFT_OUT else slim(each)
            for key, each in value.items()
        }
    return [slim(each) for each in value] if isinstance(value, list) else value
