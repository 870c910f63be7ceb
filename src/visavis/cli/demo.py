"""``visavis demo``: the paper in miniature, on images that come with the package."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from visavis._core.extras import require
from visavis._core.progress import progress_bar
from visavis.cli import options, show

if TYPE_CHECKING:
    from visavis.benchmark.miniature import Miniature

NAME, NEEDS_ARGUMENTS = "demo", False
SEEDS = (0, 1, 2)


def command(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for report.html and heatmap.png.")
    ] = Path("demo-report"),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training images, 8 if not given.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Train three small nets from different seeds and see which measures match their layers.

    The layer-correspondence test of Kornblith et al. (2019), Table 2, in about three minutes: of
    two nets that differ only in their random start, does a measure find the same layer again?
    """
    require("torch", extra="torch", purpose="visavis demo")
    from visavis.benchmark import miniature, tiny10

    out.mkdir(parents=True, exist_ok=True)
    epochs = epochs or tiny10.EPOCHS
    steps = len(SEEDS) * tiny10.steps(epochs)
    with progress_bar("training three nets", steps, show=not quiet) as step:
        activations, accuracies = miniature.train(SEEDS, epochs=epochs, step=step)
    result = miniature.match(activations, accuracies, progress=not quiet)
    _print(result)
    report, picture = _write(result, out)
    console = show.console()
    console.print(Text(what_it_shows(result)))
    console.print(Text(f"written: {report} and {picture}"), soft_wrap=True)


def what_it_shows(result: "Miniature") -> str:
    """Say in words what came out, whatever it is."""
    found = result.correspondence
    cka, cca = found["CKA (linear)"], found["CCA (R²)"]
    best = max((cka, *found.values()), key=lambda each: each.accuracy)
    others = "" if best is cka else f"{best.measure} finds {best.accuracy:.0f} %, "
    ours = f"linear CKA {'finds ' if best is cka else ''}{cka.accuracy:.0f} %"
    blind = f"no better than the {cca.chance:.0f} % of blind choice"
    theorem = (
        f"CCA does {blind}: most layers are wider than there are images, and it then takes one "
        "value for all of them (Theorem 1 of the paper)"
        if cca.accuracy < cca.chance + 10
        else f"blind choice finds {cca.chance:.0f} %"
    )
    return (
        f"Of {cka.total} layers sought in a net from another seed, {others}{ours} and CCA "
        f"{cca.accuracy:.0f} %; {theorem}. A bright diagonal in the picture is a measure that "
        "sees the same layer in both nets."
    )


def rows(result: "Miniature") -> list[tuple[str, str, str]]:
    """Return measure, accuracy here and accuracy in the paper, as text."""
    from visavis.benchmark import PAPER_TABLE_2

    lines = []
    for name, each in result.correspondence.items():
        error = "" if each.standard_error is None else f" ± {each.standard_error:.1f}"
        paper = f"{PAPER_TABLE_2[name]:.1f}" if name in PAPER_TABLE_2 else "–"
        lines.append((name, f"{each.accuracy:.1f}{error}", paper))
    return lines


def _print(result: "Miniature") -> None:
    table = Table(title="Layers found again in another net, %", title_justify="left")
    for column, justify in (("measure", "left"), ("here", "right"), ("paper's Table 2", "right")):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    for row in rows(result):
        table.add_row(*(Text(cell) for cell in row))
    show.console().print(table)


def _write(result: "Miniature", out: Path) -> tuple[Path, Path]:
    """Write report and picture of the first pair of networks; return their paths."""
    from visavis import plot, report
    from visavis.benchmark import DEBIASED, miniature
    from visavis.plot.encoded import png

    a, b, *_ = result.correspondence.nets
    shown = {
        name: result.comparisons[name][a, b]
        for name in (DEBIASED, "CKA (RBF 0.4)", "Linear regression", "CCA (R²)")
    }
    figure = plot.grid(list(shown.values()), titles=list(shown))
    picture = out / "heatmap.png"
    figure.savefig(picture, dpi=200)
    accuracies = ", ".join(f"{100 * each:.1f} %" for each in result.accuracies.values())
    sections = [
        report.Section(
            "The paper in miniature",
            (
                "Three nets of the paper's architecture Tiny-10, trained on 6,000 images of "
                "Fashion-MNIST from different random starts, classify held-out images with "
                f"{accuracies} accuracy. Their layers are compared on {miniature.IMAGES} held-out "
                "images. A good measure should find each layer of one net again in another.",
                what_it_shows(result),
            ),
            table=report.Table(
                ("measure", "here, %", "paper, %"),
                rows(result),
                "Layers whose most alike layer in another net is the same layer, with the "
                "jackknife standard error over nets. The paper (Kornblith et al. 2019, Table 2) "
                "used ten nets and the 50,000 images of CIFAR-10 that they were trained on.",
            ),
            image=report.Image(
                png(figure),
                alt="Four heatmaps of layers of one net against layers of another.",
                caption=f"{a} against {b}, by four measures.",
            ),
        )
    ]
    written = report.write_html(
        [shown[DEBIASED]],
        out / "report.html",
        title="visavis demo: which measures see the same layer in two nets?",
        sections=sections,
    )
    return written, picture
