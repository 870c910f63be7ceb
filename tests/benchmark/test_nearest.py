"""`nearest_layers` of nets of different architectures: planted maps, and from the definition."""

import math

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from scipy import stats
from tests import oracles
from tests.benchmark.nets import nets, turned
from torch import nn

import visavis as vv
from visavis.benchmark import LayerMap, NearestLayers, nearest_layers


def found(runs, **options):
    return nearest_layers(runs, progress=False, **options)


def stretched(layers, times, seed=0):
    """A net that has each layer so many times, in other coordinates."""
    random = np.random.default_rng(seed)
    return {
        f"block{k}": turned(layers[name], random)
        for k, name in enumerate(name for name in layers for _ in range(times))
    }


@pytest.fixture
def pair():
    """A net, and one that has each of its layers twice."""
    [shallow] = nets(1).values()
    return {"shallow": shallow, "deep": stretched(shallow, 2)}


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


@pytest.mark.parametrize("measure", ["cka", "procrustes", "linear_regression", "cca"])
def test_a_deeper_net_with_the_same_layers(pair, measure):
    res = found(pair, measure=measure)
    assert list(res) == [("shallow", "deep"), ("deep", "shallow")]
    back = res["deep", "shallow"]
    assert back.nearest == tuple(name for name in pair["shallow"] for _ in range(2))
    assert (back.a, back.b) == ("deep", "shallow")
    assert back.depths == pytest.approx([(k + 1) / 8 for k in range(8)])
    assert back.nearest_depths == pytest.approx([(k // 2 + 1) / 4 for k in range(8)])
    assert back.covered == 4
    assert back.monotone == pytest.approx(
        stats.spearmanr(range(8), [k // 2 for k in range(8)]).statistic
    )


def test_a_net_that_is_turned_around():
    [forwards] = nets(1).values()
    backwards = dict(zip("wxyz", reversed(forwards.values()), strict=True))
    res = found({"a": forwards, "b": backwards})
    assert res["a", "b"].nearest == ("z", "y", "x", "w")
    assert res["a", "b"].monotone == pytest.approx(-1)
    assert res["b", "a"].monotone == pytest.approx(-1)


DEFINITIONS = {
    "cka": (oracles.cka, 1),
    "procrustes": (oracles.procrustes, -1),
    "linear_regression": (
        lambda X, Y: (oracles.linear_regression(X, Y) + oracles.linear_regression(Y, X)) / 2,
        1,
    ),
}


@pytest.mark.parametrize("measure", DEFINITIONS)
def test_the_nearest_layer_is_that_of_the_definition(measure):
    of, sign = DEFINITIONS[measure]
    runs = nets(3, noise=4, n=40)
    random = np.random.default_rng(1)  # twice the same would be a tie
    twice = stretched(runs["seed1"], 2)
    runs["seed1"] = {name: X + random.normal(size=X.shape) for name, X in twice.items()}
    runs["seed2"] = {f"x{name}": X for name, X in list(runs["seed2"].items())[:3]}
    res = found(runs, measure=measure)
    assert len(res) == len(list(res)) == 6
    for (a, b), each in res.items():
        for layer, partner, score in zip(each.layers, each.nearest, each.scores, strict=True):
            scores = {name: of(runs[a][layer], Y) for name, Y in runs[b].items()}
            assert partner == max(scores, key=lambda name: sign * scores[name])
            assert score == pytest.approx(scores[partner])
        assert (each.layers, each.others) == (tuple(runs[a]), tuple(runs[b]))


def test_a_layer_without_an_answer_has_no_nearest_one(pair):
    pair["deep"]["block3"] = np.ones((60, 4))
    res = found(pair)
    back = res["deep", "shallow"]
    assert back.nearest[3] is None
    assert math.isnan(back.scores[3])
    assert math.isnan(back.nearest_depths[3])
    known = [k for k in range(8) if k != 3]
    expected = stats.spearmanr(known, [k // 2 for k in known]).statistic
    assert back.monotone == pytest.approx(expected)
    assert "block3  0.50  →  no score" in str(back)
    assert {finding.code for finding in res.findings} == {"VV006"}
    assert "block3" not in res["shallow", "deep"].nearest


@pytest.mark.parametrize(
    "nearest", [("x", "x", "x"), ("x", None, None), (None, None, None)], ids=str
)
def test_order_is_not_defined_for_one_partner(nearest):
    each = LayerMap("a", "b", ("1", "2", "3"), ("x", "y"), nearest, (0.5, 0.5, 0.5))
    assert math.isnan(each.monotone)
    assert each.covered == len(set(nearest) - {None})
    assert "order kept –" in str(each)


def test_text(pair):
    text = str(found(pair))
    lines = text.splitlines()
    assert lines[0] == "Nearest layers of 2 nets by cka, 60 samples; depths are relative"
    assert "deep → shallow: order kept 0.98, 4 of 4 layers are the nearest of any" in lines
    assert "  block2  0.38  →  0.50  conv2" in lines
    assert repr(found(pair)) == text


def test_frame(pair):
    frame = found(pair).to_frame()
    assert len(frame) == 4 + 8
    line = frame[(frame["a"] == "deep") & (frame["layer"] == "block5")].iloc[0]
    assert (line["b"], line["nearest"], line["depth"]) == ("shallow", "conv3", 0.75)
    assert line["nearest_depth"] == 0.75


@pytest.mark.parametrize("measure", ["cka", "linear_regression"])
def test_it_is_read_back_as_it_was(pair, tmp_path, measure):
    pair["deep"]["block3"] = np.ones((60, 4))
    res = found(pair, measure=measure)
    again = NearestLayers.load(res.save(tmp_path / "n.json"))
    assert str(again) == str(res)
    assert again.to_dict() == res.to_dict()
    with pytest.raises(vv.StoreFormatError, match="holds a nearest-layers, not a layer-corr"):
        vv.benchmark.LayerCorrespondence.load(tmp_path / "n.json")


def test_pairs_that_are_not_there(pair):
    with pytest.raises(KeyError, match="is not a pair of"):
        found(pair)["deep", "deep"]
    with pytest.raises(KeyError, match="is not a pair of"):
        found(pair)["deep"]


def test_finished_comparisons_are_not_computed_again(pair, monkeypatch):
    compared = vv.compare(pair, measures=["cka", "procrustes"])
    expected = str(found(pair, measure="procrustes"))
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("computed again"))
    assert str(found(compared, measure="procrustes")) == expected
    assert found(compared["procrustes"]).measure == "procrustes"


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        (["conv*", "block[0-5]"], (3, 6)),
        (["!fc", "!block7"], (3, 7)),
    ],
)
def test_a_pattern_fits_in_one_of_the_nets(pair, layers, kept):
    res = found(pair, layers=layers)
    assert len(res["shallow", "deep"].layers) == kept[0]
    assert len(res["deep", "shallow"].layers) == kept[1]


def test_a_net_without_a_layer_is_refused(pair):
    with pytest.raises(vv.LayerNotFoundError, match="leave a layer of each net, got none of deep"):
        found(pair, layers="conv*")


def test_models():
    def net(depth):
        torch.manual_seed(depth)
        return nn.Sequential(*[nn.Linear(5, 5) for _ in range(depth)])

    X = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    res = found({"short": net(2), "long": net(4)}, data=X)
    assert len(res["long", "short"].layers) == 4


def test_pictures_and_report(pair, tmp_path):
    res = found(pair)
    panels = [ax for ax in res.plot().axes if ax.images]
    assert panels[0].get_title(loc="left") == "shallow × deep"
    page = res.to_html(tmp_path / "n.html").read_text("utf-8")
    assert "Nearest layers of 2 nets" in page
    assert "shallow → deep" in page
    assert "deep → shallow" in page
    assert "block2" in page
