"""What is compared, what is expected of it, and whether that came true."""

import contextlib
import importlib
import importlib.util
import io
import math
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bench.peers.shared import DATA

from visavis.measures.registry import resolve

Function = Callable[..., Any]
Outcome = float | str

FLOAT64, FLOAT32 = ("published", "related", "small", "wide", "unrelated"), ("offset",)
EVERYWHERE = (*FLOAT64, *FLOAT32, "tied")


@dataclass(frozen=True)
class Difference:
    """Why a peer answers otherwise, and what shows it.

    Parameters
    ----------
    reason : str
        In words.
    by : callable, optional
        ``by(X, Y)``: the value of the peer, from its definition written down anew.
    without : callable, optional
        ``without(X, Y)``: the peer called so that the reason is gone, which agrees with visavis.
    ours, theirs : str, optional
        The exception that visavis or the peer is expected to raise, or "NaN".
    """

    reason: str
    _: KW_ONLY
    by: Function | None = None
    without: Function | None = None
    ours: str = ""
    theirs: str = ""


@dataclass(frozen=True)
class Case:
    """One measure and the function of a peer that has its name.

    Parameters
    ----------
    measure : str
        As `visavis.compare` reads it, or any words if `ours` is given.
    peer : str
        The distribution.
    call : str
        The function, in words.
    theirs : callable
    differs : mapping
        The data on which the peer is known to answer otherwise, and why.
    ours : callable, optional
        What is compared, if not the measure itself.
    data : tuple of str
    tolerance : float
        Largest relative difference that is agreement, in float64.
    loose : float
        The same for data in float32.
    note : str
        What else is to be said.
    """

    measure: str
    peer: str
    call: str
    theirs: Function
    differs: Mapping[str, Difference] = field(default_factory=dict)
    _: KW_ONLY
    ours: Function | None = None
    data: tuple[str, ...] = EVERYWHERE
    tolerance: float = 1e-9
    loose: float = 1e-5
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came out for one case on one data set."""

    case: Case
    data: str
    ours: Outcome
    theirs: Outcome
    apart: float
    expected: Difference | None
    shown: str = ""
    complaint: str = ""

    @property
    def agrees(self) -> bool:
        return self.expected is None


def run(case: Case, data: str) -> Finding:
    """Compare on one data set and hold the outcome against what is expected."""
    X, Y = DATA[data]
    tolerance = case.loose if X.dtype == np.float32 else case.tolerance
    ours = outcome(case.ours or resolve(case.measure), X, Y)
    theirs = outcome(case.theirs, X, Y)
    gap = apart(ours, theirs)
    expected = case.differs.get(data)
    complaints, shown = [], []
    if expected is None:
        if not gap <= tolerance:
            complaints.append("agreement was expected")
    else:
        if gap <= tolerance:
            complaints.append("a difference was expected")
        for name, value, wanted in (
            ("ours", ours, expected.ours),
            ("peer", theirs, expected.theirs),
        ):
            if isinstance(value, str) and value != wanted:
                complaints.append(f"{name}: {value} was not expected")
            if wanted and value != wanted:
                complaints.append(f"{name}: {wanted} was expected")
        for words, other, function in (
            ("reproduced", theirs, expected.by),
            ("cured", ours, expected.without),
        ):
            if function is None:
                continue
            value = outcome(function, X, Y)
            if apart(value, other) <= tolerance:
                shown.append(words)
            else:
                complaints.append(f"not {words}: {value} in place of {other}")
    return Finding(
        case=case,
        data=data,
        ours=ours,
        theirs=theirs,
        apart=gap,
        expected=expected,
        shown=" and ".join(shown),
        complaint="; ".join(complaints),
    )


def outcome(function: Function, X: Any, Y: Any) -> Outcome:
    """Return the value as a float, "NaN", or the name of what was raised."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), quiet():
            warnings.simplefilter("ignore")
            value = float(function(X.copy(), Y.copy()))
    except Exception as error:  # noqa: BLE001 - whatever is raised is the finding
        return type(error).__name__
    return value if math.isfinite(value) else "NaN"


def apart(a: Outcome, b: Outcome) -> float:
    """Return the relative difference, infinite where one side has no value."""
    if isinstance(a, str) or isinstance(b, str):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b), 1e-300) if a != b else 0.0


def quiet() -> contextlib.AbstractContextManager[Any]:
    """Let peers print and draw progress bars into nothing."""
    stack = contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
    return stack


def wide(X: Any, Y: Any) -> tuple[Any, Any]:
    """Return the same numbers in float64."""
    return X.astype(np.float64), Y.astype(np.float64)


def widened(function: Function) -> Function:
    """Return a function that is given the same numbers in float64."""
    return lambda X, Y: function(*wide(X, Y))


def centred(function: Function) -> Function:
    """Return a function that is given the features in float64 and without their means."""
    return lambda X, Y: function(*(Z - Z.mean(axis=0) for Z in wide(X, Y)))


IN_FLOAT32 = "computes in the float32 that it is given, from features that still have their mean"


def narrowed(function: Function, *, theirs: str = "") -> Difference:
    """Return the difference of a peer that float64 cures."""
    return Difference(IN_FLOAT32, without=widened(function), theirs=theirs)


def uncentred(function: Function, *, theirs: str = "") -> Difference:
    """Return the difference of a peer that centred features cure."""
    return Difference(IN_FLOAT32, without=centred(function), theirs=theirs)


def on(difference: Difference, *data: str) -> dict[str, Difference]:
    """Return the same difference for several data sets."""
    return dict.fromkeys(data or EVERYWHERE, difference)


def under(package: str, module: str) -> types.ModuleType:
    """Import a module of a package whose ``__init__`` needs what cannot be installed.

    Parameters
    ----------
    package : str
        The innermost package; neither it nor those above are executed.
    module : str
        The module in it.
    """
    parts = package.split(".")
    found = importlib.util.find_spec(parts[0]) if parts[0] not in sys.modules else None
    root = Path(found.submodule_search_locations[0]) if found else None  # type: ignore[index]
    for depth, part in enumerate(parts):
        name = ".".join(parts[: depth + 1])
        if name not in sys.modules:
            empty = types.ModuleType(name)
            above = sys.modules.get(".".join(parts[:depth]))
            empty.__path__ = [str(root if above is None else Path(above.__path__[0]) / part)]
            sys.modules[name] = empty
    return importlib.import_module(f"{package}.{module}")
