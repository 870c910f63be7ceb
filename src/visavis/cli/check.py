"""``visavis check FILE ...``: whether files are fit to be compared."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.text import Text

from visavis import store
from visavis._core.errors import StoreFormatError
from visavis.cli import show
from visavis.results import Activations

NAME, NEEDS_ARGUMENTS = "check", True


def command(
    files: Annotated[list[Path], typer.Argument(help=".npy, .npz or .safetensors files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check that files can be read, hold finite values that vary, and describe the same samples.

    Exits with 1 if anything is wrong.
    """
    reports = {str(path): report(path) for path in files}
    counts = {path: entry["samples"] for path, entry in reports.items() if "samples" in entry}
    if len(set(counts.values())) > 1:
        for path, entry in reports.items():
            others = sorted({n for other, n in counts.items() if other != path})
            if path in counts and counts[path] not in others:
                entry["problems"].append(f"{counts[path]} samples, other files have {others}")
    if as_json:
        show.as_json(reports)
    else:
        _print(reports)
    if any(entry["problems"] for entry in reports.values()):
        raise typer.Exit(1)


def report(path: Path) -> dict[str, Any]:
    """Return what is in a file and what is wrong with it."""
    try:
        acts = store.load(path)
    except (StoreFormatError, OSError, ValueError, TypeError) as error:
        return {"problems": [str(error)]}
    return {
        "samples": acts.n,
        "ids": acts.ids is not None,
        "layers": {name: list(X.shape) for name, X in acts.items()},
        "problems": [problem for name in acts for problem in problems(acts, name)],
    }


def problems(acts: Activations, name: str) -> list[str]:
    """Return what is wrong with a layer, in plain words."""
    X = np.asarray(acts[name])
    if X.dtype.kind not in "fiub":
        return [f"{name}: dtype {X.dtype} is not numeric"]
    flat = X.reshape(len(X), -1).astype(np.float64, copy=False)
    bad = ~np.isfinite(flat)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        return [
            f"{name}: {bad.sum()} values are not finite, the first ({flat[row, column]}) at row "
            f"{row}, column {column}"
        ]
    constant = (flat == flat[:1]).all(axis=0)
    if constant.all():
        return [f"{name}: the layer is constant over all samples"]
    return []


def _print(reports: dict[str, dict[str, Any]]) -> None:
    console = show.console()
    for path, entry in reports.items():
        good = not entry["problems"]
        console.print(
            Text("ok      " if good else "problem ", style="green" if good else "bold red"),
            Text(path),
            end="\n",
            sep="",
        )
        if "samples" in entry:
            ids = "with ids" if entry["ids"] else "no ids"
            console.print(Text(f"  {entry['samples']} samples ({ids}), layers:", style="dim"))
            for name, shape in entry["layers"].items():
                console.print(Text(f"    {name} {tuple(shape)}", style="dim"))
        for problem in entry["problems"]:
            console.print(Text(f"  {problem}"))
