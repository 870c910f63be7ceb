"""The page of results, written from the results alone, so that text and numbers cannot differ."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reproduction.catalogue import EXPERIMENTS
from reproduction.experiment import Claim, Experiment
from reproduction.recipes import Plan, Recipe

TITLE = "# The paper, reproduced at laptop scale"

INTRODUCTION = """
Kornblith, Norouzi, Lee & Hinton, [Similarity of Neural Network Representations
Revisited](https://arxiv.org/abs/1905.00414) (ICML 2019), with networks that two cores train in
about an hour and a half, and 7 GB of memory. This page is written by the command below from the
JSON files beside its figures. Whether a statement of the paper *agrees* is decided by a rule on the
numbers, which stands in the file of the experiment under `reproduction/`.

```sh
make reproduce          # train, compute, draw; killed and called again, it goes on
make reproduce QUICK=1  # the same in minutes, with networks and data too small to show much
```

`.venv/bin/python -m reproduction --only table2 fig6` runs a part of it. Trained networks and
finished experiments are kept in `reproduction/cache/`; what was made with other settings is not
used. Similarities are computed, and heatmaps drawn, by the public functions of visavis.
"""

SCALE = """
What differs from the paper in all experiments: grey 28 × 28 images of clothes instead of CIFAR-10,
which are learned sooner; networks trained for a few epochs, where the paper trains to convergence;
and hundreds or thousands of images in a comparison, not tens of thousands.
"""


def text(page: Path, folder: Path, plan: Plan, *, quick: bool) -> str:
    """Return the text of a page whose results and figures lie in a folder beside it."""
    found = {
        name: json.loads((folder / f"{name}.json").read_text("utf-8"))
        for name in EXPERIMENTS
        if (folder / f"{name}.json").is_file()
    }
    results = {name: each["result"] for name, each in found.items()}
    sources = dict.fromkeys(each["source"] for each in found.values())
    parts = [TITLE, INTRODUCTION.strip(), _origin("; ".join(sources), quick), _summary(results)]
    # The page says what was run, wherever it is written again.
    untried = "fig7" in results and "MNIST" not in results["fig7"]["cka"]
    trained = plan.without_mnist() if untried else plan
    parts += ["## Networks", _networks(trained), SCALE.strip()]
    for name, experiment in EXPERIMENTS.items():
        if name in results:
            where = folder.relative_to(page.parent).as_posix()
            parts.append(_section(experiment, results[name], where))
        else:
            parts.append(f"## {experiment.title}\n\nNot run yet.")
    return "\n\n".join(parts) + "\n"


def _origin(source: str, quick: bool) -> str:
    small = " **A quick run: its numbers say that everything works, and little else.**"
    return f"Images: {source}.{small if quick else ''}"


def _summary(results: Mapping[str, Any]) -> str:
    claims = [
        (EXPERIMENTS[name], each)
        for name, result in results.items()
        for each in EXPERIMENTS[name].claims(result)
    ]
    agreeing = sum(each.agrees for _, each in claims)
    rows: list[Sequence[str]] = [("", "the paper", "here", "agrees")]
    for experiment, each in claims:
        label = experiment.title.partition(":")[0]
        rows.append((label, each.paper, each.here, _verdict(each)))
    return f"{agreeing} of {len(claims)} statements agree.\n\n{_table(rows)}"


def _verdict(claim: Claim) -> str:
    return "yes" if claim.agrees else "**no**"


def _networks(plan: Plan) -> str:
    rows: list[Sequence[str]] = [("network", "seeds", "trained on", "epochs", "optimiser")]
    alike: dict[tuple[str, ...], list[Recipe]] = {}
    for each in plan.all():
        options = ", ".join(f"{name} {value}".lower() for name, value in each.options.items())
        row = (
            f"{each.net} {f'({options})' if options else ''}".strip(),
            f"{each.images:,} of {each.source}",
            str(each.epochs),
            f"{each.optimizer}, rate {each.rate:g}, decay {each.decay:g}, batches of "
            f"{each.batch_size}",
        )
        alike.setdefault(row, []).append(each)
    for (net, trained, epochs, optimizer), group in alike.items():
        seeds = [each.seed for each in group]
        told = f"{min(seeds)} … {max(seeds)}" if len(seeds) > 1 else f"{seeds[0]}"
        rows.append((net, told, trained, epochs, optimizer))
    return (
        f"{len(plan.all())} networks. The learning rate rises for a quarter of the steps and falls "
        f"by a cosine; the seed decides weights and order.\n\n{_table(rows)}"
    )


def _section(experiment: Experiment, result: Mapping[str, Any], where: str) -> str:
    parts = [f"## {experiment.title}", experiment.about]
    if "accuracy" in result:
        right = [100 * each for each in result["accuracy"].values()]
        parts.append(f"Held-out accuracy of the networks: {min(right):.1f} to {max(right):.1f} %.")
    if rows := experiment.table(result):
        parts.append(_table(rows))
    parts += [f"![{name}]({where}/{name}.png)" for name in experiment.figures]
    parts.append("\n".join(_told(each) for each in experiment.claims(result)))
    return "\n\n".join(parts)


def _told(claim: Claim) -> str:
    verdict = "Agrees" if claim.agrees else "Does not agree"
    why = f" {claim.why}" if claim.why and not claim.agrees else ""
    return f"- {claim.paper} *{verdict}*: {claim.here}{why}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', '∣') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
