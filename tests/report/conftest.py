"""Comparisons to report, and the parsed report."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavis.report import Section, write_html
from visavis.results import Comparison, Finding, Scale

REQUIRED = os.environ.get("VISAVIS_REQUIRE_BROWSER") == "1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
VOID = frozenset({"meta", "link", "img", "wbr", "br", "hr", "input"})
SCALES = {
    "cka": Scale("cka", -1.0, 1.0, "similarity", True, "Debiased: 0 if unrelated."),
    "cka(estimator=biased)": Scale("cka(estimator=biased)", 0.0, 1.0, "similarity", True),
    "procrustes": Scale("procrustes", 0.0, np.pi / 2, "distance", True, "An angle in radians"),
    "hsic": Scale("hsic", 0.0, np.inf, "similarity", True),
    "linear_regression": Scale("linear_regression", 0.0, 1.0, "similarity", False),
}
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "$x_1$", "two\nlines")


@dataclass
class Element:
    """A tag with its attributes, text and children."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, in order, as it is written."""
        parts = [each if isinstance(each, str) else each.text for each in self.children]
        return "".join(parts)

    @property
    def words(self) -> str:
        """The text with white space as a browser shows it."""
        return " ".join(self.text.split())

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """The elements inside with this tag, these classes (`class_`) and other attributes."""
        found = []
        for each in self.children:
            if isinstance(each, Element):
                if each.is_a(tag, **attributes):
                    found.append(each)
                found += each.all(tag, **attributes)
        return found

    def is_a(self, tag: str, *, class_: str = "", **attributes: str) -> bool:
        """Whether this is such an element."""
        classes = (self.attributes.get("class") or "").split()
        return (
            self.tag == (tag or self.tag)
            and set(class_.split()) <= set(classes)
            and attributes.items() <= self.attributes.items()
        )

    def one(self, tag: str = "", **attributes: str) -> "Element":
        """The only such element."""
        [found] = self.all(tag, **attributes)
        return found


class Parser(HTMLParser):
    """Builds the tree, and refuses tags that do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.open[-1].children[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(path: Path) -> Element:
    """The report as a tree."""
    parser = Parser()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    [document] = parser.open
    return document


@pytest.fixture
def make() -> Callable[..., Comparison]:
    """A comparison of so many rows and columns by a measure; its fields by keyword."""

    def comparison(
        n_rows: int = 4, n_cols: int = 4, measure: str = "cka", **fields: Any
    ) -> Comparison:
        distance = np.abs(np.subtract.outer(np.arange(n_rows), np.arange(n_cols)))
        values = 0.9 * np.exp(-0.4 * distance)
        if measure == "procrustes":
            values = 1.2 - values
        made = Comparison(
            values=values,
            rows=tuple(f"conv{i}" for i in range(n_rows)),
            cols=tuple(f"conv{j}" for j in range(n_cols)),
            scale=SCALES[measure],
            n=2500,
            names=("seed0", "seed1"),
        )
        return replace(made, **fields)

    return comparison


@pytest.fixture
def hostile(make: Callable[..., Comparison]) -> Comparison:
    """A comparison with hostile text wherever text can be."""
    values = make().values.copy()
    values[1] = np.nan
    return make(
        values=values,
        rows=HOSTILE,
        cols=HOSTILE,
        names=HOSTILE[:2],
        scale=replace(SCALES["cka"], label=HOSTILE[0], description=HOSTILE[1]),
        findings=(Finding("VV006", HOSTILE[0], HOSTILE[1], "error", HOSTILE),),
        plan={HOSTILE[0]: HOSTILE[1]},
        provenance={HOSTILE[1]: {HOSTILE[0]: HOSTILE}, "call": HOSTILE[0]},
    )


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., Element]:
    """Write a report and parse it."""

    def written(
        *comparisons: Comparison, title: str | None = None, sections: Sequence[Section] = ()
    ) -> Element:
        path = write_html(comparisons, tmp_path / "r.html", title=title, sections=sections)
        return parsed(path)

    return written


# A real browser.


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        reason = "no chromium on PATH: install Debian's package chromium"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    if REQUIRED:
        import playwright.sync_api as playwright
    else:
        playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Seen:
    """An open page, and what happened while it opened."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Seen]]:
    contexts = []

    def opened(path: Path, width: int = 1280, scheme: str = "light") -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        seen = Seen(context.new_page())
        seen.page.on("console", lambda message: seen.console.append(message.text))
        seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on(
            "dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss())
        )
        seen.page.goto(path.as_uri(), wait_until="load")
        return seen

    yield opened
    for context in contexts:
        context.close()
