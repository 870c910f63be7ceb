"""``visavis bench RUN RUN ...``: which measures find the same layer again in another net."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.table import Table

from visavis import benchmark, pairs, store
from visavis.benchmark.protocol import differing, one_architecture
from visavis.benchmark.runs import between, opened
from visavis.cli import engine, options, show
from visavis.cli import out as output
from visavis.models import grammar
from visavis.pairs.compare import Options
from visavis.results import Finding
from visavis.results.correspond import Align

NAME, NEEDS_ARGUMENTS = "bench", True

# More maps than this are in --json and --out.
MOST_MAPS = 6


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Stores or files of activations, two or more; with --data, models: "
            f"{grammar.MODEL_FORMS}. A factory's code is run.",
        ),
    ],
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            "-m",
            help="Repeatable; `visavis measures` lists them. Without it those of the paper's "
            "Table 2, and debiased cka.",
        ),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layers",
            "-l",
            help="The layers that are sought: a name, a pattern as in 'conv*', or '!name' to leave "
            "out (the logits, as in the paper); repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Also write a report (.html), result (.json) or picture (.png)."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", "-d", help=f"What models are run on: {grammar.DATA_FORMS}. Its code is run."
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="With --data, as in `visavis extract`; flattened without it.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="With --data of texts: a name or folder.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="With --data: samples of a batch.")] = 32,
    ids: options.Ids = None,
    align: options.AlignBy = "strict",
    silence: options.Silence = None,
    memory: options.Memory = None,
    workers: options.Workers = 1,
    checkpoint: options.Checkpoint = None,
    plan: options.PlanOnly = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Say how often each measure finds the same layer again in another net.

    The sanity check of Kornblith et al. (2019), Table 2: of nets of one architecture that differ in
    their random start, the most similar layer of another net should be the same layer. Of nets of
    different architectures it lists the nearest layers instead.

    Exits with 1 if a value is missing: the findings say why.
    """
    output.check(out)
    for option, given in (("--pool", pool), ("--tokenizer", tokenizer)):
        if given is not None and data is None:
            raise typer.BadParameter("comes with models and --data", param_hint=option)
    if ids is not None and data is not None:
        raise typer.BadParameter(
            "is of files; the samples of --data bring theirs", param_hint="--ids"
        )
    nets = _nets(runs, ids=ids, models=data is not None)
    extraction: dict[str, Any] = {}
    samples = None
    if data is not None:
        given = grammar.samples(
            data, tokenizer=lambda: grammar.tokenizer(_named(tokenizer)), batch_size=batch_size
        )
        samples = given.loader
        extraction = {"pool": pool, "ids": given.ids, "batch_size": batch_size}
    with engine.executor(workers) as executor:
        settings: Options = {
            "align": cast("Align", align),  # compare checks it
            "silenced": silence or (),
            "memory": memory,
            "executor": executor,
            "checkpoint": checkpoint,
            "progress": not quiet,
        }
        with opened("bench", nets, samples, layers or None, extraction, settings) as acts:
            own = {name: tuple(each) for name, each in acts.items()}
            apart = differing(own)
            measures = _measures(measure, apart)
            if plan:
                drawn = pairs.plan(
                    acts,
                    measures=list(measures.values()),
                    align=settings["align"],
                    memory=memory,
                    executor=executor,
                    checkpoint=checkpoint,
                )
                typer.echo(str(drawn))
                return
            if not apart:
                one_architecture("bench", own)
            compared = between(acts, measures, settings)
    if apart:
        [scores] = compared.values()
        nearest = benchmark.nearest_layers(scores)
        _print_nearest(nearest, apart, as_json=as_json)
        result: benchmark.NearestLayers | benchmark.LayerCorrespondence = nearest
    else:
        found = benchmark.layer_correspondence(compared)
        _print_correspondence(found, as_json=as_json)
        result = found
    output.write(out, report=result.to_html, result=result.save, picture=result.plot)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(1)


def _nets(runs: list[str], *, ids: str | None, models: bool) -> dict[str, Any]:
    """Return the nets by the shortest ends of their paths that tell them apart."""
    try:
        named = store.told_apart(runs)
    except ValueError:
        named = {}
    if len(named) < 2:
        raise typer.BadParameter("name two runs or more, each once", param_hint="RUN")
    if models:
        return {name: grammar.model(run) for name, run in named.items()}
    return {name: store.load(run, ids=ids) for name, run in named.items()}


def _named(tokenizer: str | None) -> str:
    if tokenizer is None:
        raise typer.BadParameter(
            "texts need one tokenizer for all models", param_hint="--tokenizer"
        )
    return tokenizer


def _measures(given: list[str] | None, apart: str) -> dict[str, str]:
    """Return the measures by name; of different architectures there is one."""
    if not apart:
        return {each: each for each in given} if given else dict(benchmark.MEASURES)
    if given and len(given) > 1:
        seen = f"the nets have layers of different names ({apart}): give one measure"
        raise typer.BadParameter(seen, param_hint="--measure")
    label = given[0] if given else "cka"
    return {label: label}


def _print_correspondence(found: benchmark.LayerCorrespondence, *, as_json: bool) -> None:
    if as_json:
        show.as_json({"layer_correspondence": found.to_dict()})
        return
    console = show.console()
    console.print(show.literal(found.heading, style="italic"))
    table = Table()
    for number, column in enumerate(found.header):
        table.add_column(column, justify="right" if number else "left")
    for row in found.rows():
        style = "bold" if row[0] == found.best else ""
        table.add_row(*(show.literal(cell, style=style) for cell in row))
    console.print(table)
    for note in found.notes:
        console.print(show.literal(note, style="dim"))
    show.findings(console, _told(found))


def _told(found: benchmark.LayerCorrespondence) -> tuple[Finding, ...]:
    """Return the findings, high levels of chance of all measures in one."""
    high = [
        name
        for name, each in found.scores.items()
        if any(finding.code == "VV003" for finding in each.findings)
    ]
    others = tuple(each for each in found.findings if each.code != "VV003")
    if len(high) < 2:
        return found.findings
    message = f"layers that have nothing in common would score above 0.1 by {', '.join(high)}."
    cure = "Which layer is most similar may then be that of the highest chance level."
    return (*others, Finding("VV003", message, cure))


def _print_nearest(found: benchmark.NearestLayers, apart: str, *, as_json: bool) -> None:
    if as_json:
        show.as_json({"nearest_layers": found.to_dict()})
        return
    console = show.console()
    console.print(
        show.literal(f"The nets have layers of different names ({apart}): nearest layers instead.")
    )
    console.print(show.literal(found.heading, style="italic"))
    table = Table("nets", "order kept", "nearest to any")
    for each in found.values():
        order = "–" if each.monotone != each.monotone else f"{each.monotone:.2f}"
        covered = f"{each.covered} of {len(each.others)}"
        table.add_row(show.literal(f"{each.a} → {each.b}"), order, covered)
    console.print(table)
    for each in found.values() if len(found) <= MOST_MAPS else ():
        console.print(_map(each))
    show.findings(console, found.findings)


def _map(each: benchmark.LayerMap) -> Table:
    table = Table()
    for column in (each.a, "depth", each.b, "depth", "score"):
        table.add_column(show.literal(column))
    lines = zip(
        each.layers, each.depths, each.nearest, each.nearest_depths, each.scores, strict=True
    )
    for layer, depth, partner, its_depth, score in lines:
        known = partner is not None
        table.add_row(
            show.literal(layer),
            f"{depth:.2f}",
            show.literal(partner or "–"),
            f"{its_depth:.2f}" if known else "–",
            f"{score:.3g}" if known else "–",
        )
    return table
