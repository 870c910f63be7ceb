"""``visavis check FILE ...``: whether files are fit to be compared."""

from typing import Annotated, Any

import numpy as np
import typer
from rich.text import Text

from visavis import store
from visavis._core.errors import SampleMismatchError
from visavis.cli import options, show
from visavis.pairs.work import MINIMUM_ROWS
from visavis.results import Activations, correspond

NAME, NEEDS_ARGUMENTS = "check", True


def command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Files of activations: .npy, .npz, .safetensors, .h5, .zarr, .parquet or .csv.",
        ),
    ],
    as_json: options.AsJson = False,
) -> None:
    """Check that files can be read, hold finite values that vary, and describe the same samples.

    Exits with 1 if anything is wrong.
    """
    reports: dict[str, dict[str, Any]] = {}
    samples: dict[str, Activations] = {}
    for path in files:
        try:
            acts = store.load(path)
        except (OSError, ValueError) as error:
            reports[str(path)] = {"problems": [str(error)]}
        else:
            samples[str(path)] = without_values(acts)
            reports[str(path)] = report(acts)
    for path, problem in strangers(samples).items():
        reports[path]["problems"].append(problem)
    if as_json:
        show.as_json(reports)
    else:
        _print(reports)
    if any(entry["problems"] for entry in reports.values()):
        raise typer.Exit(1)


def report(acts: Activations) -> dict[str, Any]:
    """Return what is in a file and what is wrong with it."""
    few = f"{acts.n} samples: a comparison needs {MINIMUM_ROWS} and wants a few hundred"
    return {
        "samples": acts.n,
        "ids": acts.ids is not None,
        "layers": {name: list(shape) for name, shape, _ in acts.described()},
        "problems": [few]
        if acts.n < MINIMUM_ROWS
        else [f"{name}: {problem}" for name in acts for problem in problems(acts[name])],
    }


def problems(X: np.ndarray) -> list[str]:
    """Return what is wrong with a layer, in plain words."""
    if X.dtype.kind not in "fiub":
        return [f"dtype {X.dtype} cannot be compared"]
    if not X.size:
        return [f"shape {X.shape} holds no values"]
    flat = X.reshape(len(X), -1)
    bad = ~np.isfinite(flat)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        first = f"({flat[row, column]}) at row {row}, column {column}"
        return [f"{bad.sum()} of {X.size} values not finite, the first {first}"]
    if (flat == flat[:1]).all():
        return ["the layer is constant over all samples"]
    return []


def without_values(acts: Activations) -> Activations:
    """Return the samples alone, so that a file need not be kept to be held against others."""
    return acts.replace(layers={"": np.empty((acts.n, 0))})


def strangers(samples: dict[str, Activations]) -> dict[str, str]:
    """Return the files that do not describe the samples of the first, and how they differ."""
    found: dict[str, str] = {}
    paths = list(samples)
    for path in paths[1:]:
        first = paths[0]
        try:
            correspond(samples[first], samples[path])
        except SampleMismatchError as error:
            counts = samples[first].n, samples[path].n
            found[path] = (
                f"{counts[1]} samples, but {first} has {counts[0]}"
                if counts[0] != counts[1]
                else f"other samples than {first} (a: {first}, b: this one). {error}"
            )
    return found


def _print(reports: dict[str, dict[str, Any]]) -> None:
    console = show.console()
    for path, entry in reports.items():
        good = not entry["problems"]
        console.print(
            Text("ok      " if good else "problem ", style="green" if good else "bold red"),
            show.literal(path),
            sep="",
        )
        if "samples" in entry:
            ids = "with ids" if entry["ids"] else "no ids"
            console.print(Text(f"  {entry['samples']} samples ({ids}), layers:", style="dim"))
            for name, shape in entry["layers"].items():
                console.print(show.literal(f"    {name} {tuple(shape)}", style="dim"))
        for problem in entry["problems"]:
            console.print(show.literal(f"  {problem}"))
