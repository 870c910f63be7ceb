"""Write comparisons as one HTML file that needs no network, no script and no other file."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import jinja2

from visavis._core import checks, files
from visavis._core.text import printable
from visavis.report import findings, origin, tables, words
from visavis.report.picture import Picture, picture
from visavis.report.section import Section
from visavis.results import Comparison


@dataclass(frozen=True)
class Part:
    """One comparison, with all that the template shows of it."""

    number: int
    label: str
    comparison: Comparison
    picture: Picture
    lines: Sequence[tables.Line]
    values: Sequence[Sequence[tables.Value]] | None

    @property
    def chance_once(self) -> bool:
        """Whether one level of chance holds for all cells, and need not stand in each."""
        levels = {value.chance for row in self.values or () for value in row}
        return len(levels) == 1 and levels != {""}


def write_html(
    comparisons: Sequence[Comparison],
    path: str | Path,
    *,
    title: str | None = None,
    sections: Sequence[Section] = (),
) -> Path:
    """Write a self-contained HTML report.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What to report, in order.
    path : str or Path
        The file to write; an existing one is replaced when the new one is complete.
    title : str, optional
        By default the names of the two sides.
    sections : sequence of Section
        Text, tables and pictures to put before the comparisons.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the folder does not exist, or the path is one.
    ValueError, TypeError
        If `comparisons` is empty or holds something else.

    Notes
    -----
    Names and messages are data wherever they come from: they are escaped, and the file forbids
    itself scripts and the network. The same input gives the same bytes.
    """
    path = Path(path)
    listed = _checked(comparisons)
    _check_place(path)
    page = _render(listed, title, sections)
    with files.atomic(path) as part:
        part.write_text(page, encoding="utf-8", newline="\n")
    return path


def _checked(comparisons: Sequence[Comparison]) -> list[Comparison]:
    listed = list(comparisons)
    strangers = [type(each).__name__ for each in listed if not isinstance(each, Comparison)]
    if strangers:
        raise TypeError(
            checks.message(
                "write_html",
                "comparisons",
                "be a sequence of Comparison",
                f"{strangers[0]} in it",
                "Of a ComparisonSet, give list(set.values()).",
            )
        )
    if not listed:
        raise ValueError(
            checks.message("write_html", "comparisons", "hold at least one Comparison", "none")
        )
    return listed


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(
            checks.message(
                "write_html",
                "path",
                "lie in an existing folder",
                str(path),
                f"Make the folder first: mkdir -p {path.parent}",
            )
        )
    if path.is_dir():
        raise IsADirectoryError(
            checks.message(
                "write_html",
                "path",
                "be a file",
                f"the folder {path}",
                f"Name a file in it: {path / 'report.html'}",
            )
        )


def _render(
    comparisons: Sequence[Comparison], title: str | None, sections: Sequence[Section]
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("visavis.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Before escaping: characters that HTML cannot hold, or that forge the text around them.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    style = environment.get_template("style.css").render()
    labelled = words.labelled(comparisons)
    groups = findings.grouped(labelled)
    return environment.get_template("report.html.j2").render(
        title=title or words.title(comparisons),
        # The file's policy admits its own style sheet, by its hash, and no other style.
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        parts=[
            Part(number, label, each, picture(each), tables.lines(each), tables.values(each))
            for number, (label, each) in enumerate(labelled.items(), start=1)
        ],
        sections=sections,
        groups=groups,
        tally=findings.tally(groups),
        origins=origin.origins(labelled),
        calls=origin.calls(comparisons),
        words=words,
    )
