"""Files that a command writes beside what it prints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from visavis._core.files import atomic

KINDS = (".html", ".json", ".png", ".svg", ".pdf")


def check(out: Path | None) -> None:
    """Refuse a file of an unknown kind, or in a folder that is not there, before any work."""
    if out is None:
        return
    if out.suffix not in KINDS:
        expected = f"must end in one of {', '.join(KINDS)}, got {out.name!r}"
        raise typer.BadParameter(expected, param_hint="--out")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"the folder {out.parent} does not exist", param_hint="--out")


def write(
    out: Path | None,
    *,
    report: Callable[[Path], Any],
    result: Callable[[Path], Any],
    picture: Callable[[], Any],
) -> None:
    """Write what the file is named for: a report, the result, or a figure; and say so."""
    if out is None:
        return
    if out.suffix == ".html":
        report(out)
    elif out.suffix == ".json":
        result(out)
    else:
        figure = picture()
        with atomic(out) as part:
            figure.savefig(part, dpi=200, format=out.suffix[1:])
    typer.echo(f"written: {out}", err=True)
