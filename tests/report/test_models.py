"""The report of many models: a map, a tree, groups, pairs; in words of models, not of layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.report.conftest import HOSTILE, SCALES, VOID, Element, Seen, parsed

from visavis.report import write_models
from visavis.results import Comparison, Finding, ModelComparison

Report = Callable[..., Element]


def models(
    count: int = 4,
    layers: tuple[str, ...] = ("conv", "fc"),
    measure: str = "cka",
    names: tuple[str, ...] = (),
    **fields: Any,
) -> ModelComparison:
    """Models whose layers of the same name are more alike than others."""
    names = names or tuple(f"seed{k}" for k in range(count))
    rows = tuple(f"{name}/{layer}" for name in names for layer in layers)
    random = np.random.default_rng(0)
    points = random.normal(size=(len(names), 6))
    values = np.kron(points @ points.T, np.ones((len(layers),) * 2))
    values = 0.8 * values / np.abs(values).max() + 0.1 * np.tile(
        np.eye(len(layers)), (len(names),) * 2
    )
    values = (values + values.T) / 2 if SCALES[measure].symmetric else np.triu(values)
    np.fill_diagonal(values, 1.0)
    if SCALES[measure].direction == "distance":
        values = 1.0 - values
    made = Comparison(
        values, rows, rows, SCALES[measure], n=300, names=("all models", "all models")
    )
    return ModelComparison(replace(made, **fields), dict.fromkeys(names, layers))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Write a report of models and parse it."""

    def written(res: ModelComparison, **options: Any) -> Element:
        return parsed(write_models(res, tmp_path / "r.html", **options))

    return written


def section(page: Element, title: str) -> Element:
    """The part of the page under a heading."""
    [found] = [each for each in page.all("section") if [h.words for h in each.all("h2")] == [title]]
    return found


def titles(page: Element) -> list[str]:
    return [each.words for each in page.all("h2")]


GROUPS = {"seed0": "old", "seed1": "new", "seed2": "new", "seed3": "old"}


def test_its_parts(report: Report) -> None:
    assert titles(report(models(), groups=GROUPS)) == [
        "Map and tree",
        "Groups of models",
        "Pairs of models",
        "In short",
        "cka",
        "cka",
        "Findings",
        "All values",
    ]


def test_the_head(report: Report) -> None:
    page = report(models())
    assert page.one("h1").words == "4 models"
    facts = page.one("dl", class_="facts").words
    assert facts.startswith("Samples300 Layers8 × 8 Comparisons 2")
    assert report(models(), title="Seeds & more").one("h1").words == "Seeds & more"


def test_models_are_called_models(report: Report) -> None:
    page = report(models())
    between, table = page.all("section", class_="comparison")
    assert "The models among themselves on 300 samples" in between.words
    assert "Each model is held against the others." in between.words
    assert "Rows are the models, the first at the bottom; columns are the models," in between.words
    assert "Best match of each model" in between.words
    assert "The layers of all models among themselves on 300 samples" in table.words
    assert "Each layer of all models is held against the others." in table.words
    assert "Best match of each layer" in table.words
    links = [each.words for each in page.one("section", id="result").all("th", scope="row")]
    assert links == ["cka: models", "cka: layers of all models"]
    assert "Counterpart" not in page.one("section", id="result").words


def rows(part: Element) -> list[list[str]]:
    """The cells of the table of a part."""
    [body] = part.all("tbody")
    return [
        [cell.words for cell in line.children if isinstance(cell, Element)]
        for line in body.all("tr")
    ]


@pytest.mark.parametrize("measure", ["cka", "procrustes"])
def test_pairs_from_the_most_alike_to_the_least(report: Report, measure: str) -> None:
    res = models(measure=measure)
    between = res.between()
    found = rows(section(report(res), "Pairs of models"))
    assert len(found) == 6
    values = []
    for pair, value in found:
        a, b = pair.split(" × ")
        assert float(value.replace("−", "-")) == pytest.approx(between[a, b], abs=6e-4)
        values.append(between[a, b])
    assert values == sorted(values, reverse=measure == "cka")


def test_pairs_of_a_directed_measure_go_both_ways(report: Report) -> None:
    found = rows(section(report(models(measure="linear_regression")), "Pairs of models"))
    assert len(found) == 12
    assert {"seed0 → seed1", "seed1 → seed0"} <= {pair for pair, _ in found}


def test_of_many_pairs_the_middle_is_left_out(report: Report) -> None:
    part = section(report(models(8)), "Pairs of models")
    assert len(rows(part)) == 16
    assert "12 pairs between them are left out." in part.words
    assert "left out" not in section(report(models(6)), "Pairs of models").words


def test_groups(report: Report) -> None:
    res = models()
    grouped = res.grouped(GROUPS)
    found = rows(section(report(res, groups=GROUPS), "Groups of models"))
    assert [line[0] for line in found] == ["old × old", "old × new", "new × new"]
    assert [line[3] for line in found] == ["1", "4", "1"]
    assert [line[2] == "–" for line in found] == [True, False, True]
    shown = float(found[1][1].replace("−", "-"))
    assert shown == pytest.approx(grouped.mean["old", "new"], abs=6e-4)
    assert "Groups of models" not in titles(report(res))


def test_a_model_without_a_group_is_refused(report: Report, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must name a group for each"):
        report(models(), groups={"seed0": "old"})
    assert list(tmp_path.iterdir()) == []


def test_map_and_tree(report: Report) -> None:
    part = section(report(models()), "Map and tree")
    picture = part.one("img")
    assert (picture.attributes["src"] or "").startswith("data:image/png;base64,iVBOR")
    assert picture.attributes["alt"] == "A map and a tree of 4 models."
    assert "Distances are √(2 − 2s) of a similarity s" in part.one("figcaption").words
    distance = section(report(models(measure="procrustes")), "Map and tree")
    assert distance.one("figcaption").words == "Distances are those of the measure."
    directed = section(report(models(measure="linear_regression")), "Map and tree")
    assert "Both directions averaged." in directed.one("figcaption").words


@pytest.mark.parametrize(
    "res",
    [models(2), models(measure="hsic"), models(values=np.full((8, 8), np.nan))],
    ids=["two models", "a similarity without a bound", "a missing value"],
)
def test_what_has_no_map_is_reported_without_one(report: Report, res: ModelComparison) -> None:
    assert titles(report(res, groups=dict.fromkeys(res.models, "one")))[:2] == [
        "Groups of models",
        "Pairs of models",
    ]


def test_why_a_model_has_no_value(report: Report) -> None:
    values = models().values.copy()
    values[2] = values[:, 2] = np.nan
    dead = Finding("VV006", "Layer seed1/conv is dead.", severity="error", layers=("seed1/conv",))
    page = report(models(values=values, findings=(dead,)))
    between, _ = page.all("section", class_="comparison")
    (line,) = between.all("td", title="no value: Layer seed1/conv is dead.")
    assert line.words == "– no value"
    assert "Hatched squares have no value." in between.words


def test_another_reduction(report: Report) -> None:
    page = report(models(), reduce="matched")
    assert "mean over layers matched one to one" in page.words


def test_the_same_models_give_the_same_bytes(tmp_path: Path) -> None:
    pages = [
        write_models(models(), tmp_path / name, groups=GROUPS).read_bytes() for name in ("a", "b")
    ]
    assert pages[0] == pages[1]


def test_no_figure_is_left(report: Report) -> None:
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    report(models(), groups=GROUPS)
    assert plt.get_fignums() == before


# Names from anywhere, in a browser.


def hostile() -> tuple[ModelComparison, dict[str, str]]:
    """Models and groups with hostile names; a slash would part a model from its layer."""
    names = tuple(each.replace("/", "|") for each in (*HOSTILE, "a_b^c", "_hidden", "ünïcode"))
    finding = Finding("VV013", HOSTILE[0], HOSTILE[1], layers=(f"{names[0]}/{HOSTILE[0]}",))
    res = models(names=names, layers=HOSTILE, findings=(finding,), provenance={"call": HOSTILE[0]})
    return res, dict(zip(names, names[::-1], strict=True))


def test_hostile_names_are_escaped(report: Report) -> None:
    res, groups = hostile()
    page = report(res, groups=groups, title=HOSTILE[0])
    assert page.all("script") == []
    assert {each.tag for each in page.all()} & {"img"} <= VOID
    assert [each.attributes["alt"] for each in page.all("img")] == ["A map and a tree of 7 models."]
    shown = section(page, "Pairs of models").words
    assert "$x_1$" in shown
    assert r"two\nlines" in shown


@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser_nothing_runs_and_nothing_sticks_out(
    open_page: Callable[..., Seen], tmp_path: Path, width: int
) -> None:
    res, groups = hostile()
    path = write_models(res, tmp_path / "r.html", groups=groups, title=HOSTILE[0])
    seen = open_page(path, width)
    assert [url for url in seen.requests if not url.startswith("data:")] == [path.as_uri()]
    assert seen.console == []
    assert seen.dialogs == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    picture = seen.page.locator("img.plate")
    assert picture.evaluate("each => each.naturalWidth") > 1000
    assert picture.bounding_box()["width"] > 300


def test_a_report_of_many_models_and_layers_opens(
    open_page: Callable[..., Seen], tmp_path: Path
) -> None:
    layers = tuple(f"encoder.layers.{k}.output" for k in range(12))
    path = write_models(models(20, layers), tmp_path / "r.html")
    seen = open_page(path)
    assert seen.console == []
    assert seen.page.locator("svg.heat").count() == 2
    assert path.stat().st_size < 20e6
