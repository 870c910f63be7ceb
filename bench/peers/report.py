"""The report: docs/peers.md."""

import importlib.metadata
import math
import platform
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from bench.peers.cases import FLOAT32, Finding
from bench.peers.shared import WORDS

import visavis as vv

PATH = Path(__file__).parents[2] / "docs" / "peers.md"

HEADER = """# Beside other packages

Written by `make peers`, which installs the packages into an environment of their own and compares
them with visavis on the same data. It fails where a number that was to agree does not, where one
that was known to differ does not any more, and where a reason that is given for a difference does
not explain it. No number of visavis is an expected value: what is asserted is that two programs
agree, or that a peer's number comes out of its definition, written down anew.

*Agreement* is the largest relative difference over the data sets, up to the next power of ten. A
difference is *reproduced* where the peer's number was computed from the reason given, and *gone*
where the peer, called so that the reason does not apply, agrees with visavis."""

LEFT_OUT = (
    (
        "netrep, anatome, ReSi, sim_metric, platonic-rep, tensor-similarity",
        "not on the package index",
    ),
    (
        "thingsvision",
        "needs torchvision 0.15.2 and TensorFlow below 2.16 to be imported; its modules of "
        "measures need neither and are imported by themselves",
    ),
    (
        "similarity-repository",
        "needs six packages that are not on the index to be imported; the modules that need none "
        "of them are imported by themselves: those of google/svcca, yuanli2333 and "
        "nn_similarity_index",
    ),
    ("dadapy", "is compiled for NumPy 1, which is why all of this runs on NumPy 1.26"),
    ("scikit-bio", "needs NumPy 2 from 0.7 on; 0.6.3 stands in"),
    (
        "POT in `gromov_wasserstein`",
        "visavis calls its solver, so that agreement would say nothing",
    ),
)


def write(findings: list[Finding]) -> Path:
    """Write the page and return where."""
    PATH.write_text("\n".join(_lines(findings)) + "\n", encoding="utf-8")
    return PATH


def _lines(findings: list[Finding]) -> Iterable[str]:
    differing = [each for each in findings if each.expected]
    explained = [each for each in differing if each.shown]
    both = [
        each for each in differing if isinstance(each.ours, str) or isinstance(each.theirs, str)
    ]
    yield HEADER
    yield ""
    yield (
        f"{len(findings)} comparisons: {len(findings) - len(differing)} agree, {len(differing)} "
        f"differ. Of these {len(explained)} are reproduced or gone; in {len(both)} one side has no "
        "value."
    )
    yield ""
    yield "| measure | package | its function | data | agreement | why not |"
    yield "|---|---|---|---|---|---|"
    for _, group in groupby(findings, key=lambda each: id(each.case)):
        yield from _rows(list(group))
    yield ""
    yield "## Data"
    yield ""
    yield from (f"- *{name}*: {words}." for name, words in WORDS.items())
    yield ""
    yield "## Not or not quite installed"
    yield ""
    yield from (f"- {name}: {reason}." for name, reason in LEFT_OUT)
    yield ""
    yield (
        "Without a peer here, and tested against their definitions alone: "
        + ", ".join(f"`{name}`" for name in _alone(findings))
        + "."
    )
    yield ""
    yield "## Versions"
    yield ""
    yield f"Python {platform.python_version()}; " + ", ".join(_versions(findings)) + "."


def _rows(findings: list[Finding]) -> Iterable[str]:
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.expected.reason if each.expected else "", []).append(each)
    for reason, group in sorted(groups.items()):
        case = group[0].case
        cells = (
            f"`{case.measure}`",
            case.peer,
            f"`{case.call}`",
            ", ".join(each.data for each in group),
            _agreement(group),
            _reason(group) if reason else case.note,
        )
        yield "| " + " | ".join(cells) + " |"


def _agreement(group: list[Finding]) -> str:
    first = group[0]
    wrong = ", ".join(sorted({each.complaint for each in group if each.complaint}))
    if wrong:
        return f"**{wrong}**"
    if first.expected is None:
        return _orders(group)
    return f"no: {_value(first.ours)} here, {_value(first.theirs)} there"


def _orders(group: list[Finding]) -> str:
    """Say how far agreement goes; of data in float32, whose values are float32, separately."""
    narrow = [each for each in group if each.data in FLOAT32]
    broad = [each for each in group if each.data not in FLOAT32]
    parts = [
        _order(max(each.apart for each in part)) + (f" ({part[0].data})" if part is narrow else "")
        for part in (broad, narrow)
        if part
    ]
    return ", ".join(parts)


def _order(gap: float) -> str:
    """Return the next power of ten; below 10⁻¹⁴ it is rounding, not worth telling apart."""
    return f"to {10.0 ** max(-14, math.ceil(math.log10(gap))):.0e}" if gap else "exact"


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _reason(group: list[Finding]) -> str:
    ways = sorted({each.shown for each in group if each.shown})
    words = " or ".join(way.replace("cured", "gone") for way in ways)
    expected = group[0].expected
    assert expected is not None
    return f"{expected.reason}{f' ({words})' if words else ''}"


def _alone(findings: list[Finding]) -> list[str]:
    named = {each.case.measure.partition("(")[0] for each in findings}
    return [name for name in vv.registry if name not in named]


def _versions(findings: list[Finding]) -> list[str]:
    names = {each.case.peer for each in findings} | {"numpy", "torch", "scipy"}
    return [f"{name} {importlib.metadata.version(name)}" for name in sorted(names, key=str.lower)]
