"""What `layer_correspondence` gives: read, compared, saved, drawn and reported."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from tests.benchmark.nets import LAYERS, nets

import visavis as vv
from visavis.benchmark import Correspondence, LayerCorrespondence, layer_correspondence

MEASURES = {
    "good": "cka",
    "directed": "linear_regression",
    "far": "procrustes",
    "poor": "mutual_knn(k=3)",
}


@pytest.fixture(scope="module")
def res():
    return layer_correspondence(nets(4, noise=3, seed=2), measures=MEASURES, progress=False)


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


# Scores.


@pytest.mark.parametrize("name", MEASURES)
def test_scores_are_means_over_ordered_pairs_of_nets(res, name):
    runs = nets(4, noise=3, seed=2)
    tables = [
        vv.compare(runs[a], runs[b], measure=MEASURES[name], progress=False).values
        for a in runs
        for b in runs
        if a != b
    ]
    scores = res.scores[name]
    np.testing.assert_allclose(scores.values, np.mean(tables, axis=0), rtol=1e-9, atol=1e-12)
    assert (scores.rows, scores.cols, scores.n) == (LAYERS, LAYERS, 60)
    assert scores.names == ("one net", "another net")
    assert "mean over 12 ordered pairs of nets" in scores.scale.description


def test_scores_are_means_of_what_there_is():
    runs = nets(3)
    expected = layer_correspondence(
        {name: runs[name] for name in ("seed0", "seed2")}, measures=["cka"], progress=False
    )
    runs["seed1"]["conv2"] = np.zeros((60, 4))
    scores = layer_correspondence(runs, measures=["cka"], progress=False).scores["cka"]
    # Of conv2 with itself only the pairs without the dead layer are left.
    known = expected.scores["cka"]["conv2", "conv2"]
    assert scores["conv2", "conv2"] == pytest.approx(known)


# Reading.


def test_it_is_a_mapping_from_measure_to_correspondence(res):
    assert list(res) == list(MEASURES)
    assert all(isinstance(each, Correspondence) for each in res.values())
    with pytest.raises(KeyError, match="'cka' is not among"):
        res["cka"]


def test_the_best_is_the_first_of_those_that_find_most(res):
    most = max(each.accuracy for each in res.values())
    assert res[res.best].accuracy == most
    tied = replace(res, found=dict.fromkeys(MEASURES, res["good"]))
    assert tied.best == "good"


def test_the_table_says_what_the_records_say(res):
    lines = str(res).splitlines()
    assert lines[0] == (
        "Layers found again in another net: 4 nets, 4 layers (conv1 ... fc), 60 samples; "
        "chance 25.0 %"
    )
    assert lines[1].split("  ")[0] == "measure"
    rows = {line.split()[0]: line for line in lines[2:6]}
    for name, each in res.items():
        interval, behind = each.interval(), res.difference(res.best, name)
        assert f" {each.accuracy:.1f} " in rows[name]
        assert f" {each.standard_error:.1f} " in rows[name]
        assert f"[{interval.low:.1f}, {interval.high:.1f}]" in rows[name]
        shown = "best" if name == res.best else f"{behind.value:.1f} ["
        assert shown in rows[name]
    assert repr(res) == str(res)
    assert len({len(line) for line in lines[1:6]}) == 1


def test_letters_of_two_characters_keep_columns_in_line():
    res = layer_correspondence(nets(3), measures={"CCA (ρ̄)": "cca", "CKA": "cka"}, progress=False)
    table = [line.replace("\N{COMBINING MACRON}", "") for line in str(res).splitlines()[1:4]]
    assert len({len(line) for line in table}) == 1


@pytest.mark.parametrize(
    ("count", "told", "not_told"),
    [
        (2, "Two nets: there is no standard error without a third.", "degrees of freedom"),
        (3, "3 nets: the intervals rest on 2 degrees of freedom", "Two nets"),
        (10, "The best measure was chosen by these numbers", "degrees of freedom"),
    ],
)
def test_few_nets_are_told(count, told, not_told):
    runs = nets(count, noise=3)
    res = layer_correspondence(runs, measures=["cka", "cca"], progress=False)
    assert told in str(res)
    assert not_told not in str(res)


def test_no_spread_is_told_and_one_measure_is_not_the_best_of_any():
    res = layer_correspondence(nets(4, noise=0), measures=["cka"], progress=False)
    assert res["cka"].accuracy == 100
    assert "No interval where the accuracy is the same without any of the nets." in res.notes
    assert "best measure" not in " ".join(res.notes)
    assert " – " in str(res)


def test_difference_by_name(res):
    found = res.difference("good", "poor", level=0.8)
    assert found.value == pytest.approx(res["good"].accuracy - res["poor"].accuracy)
    assert found.level == 0.8
    with pytest.raises(KeyError, match="'none' is not among"):
        res.difference("good", "none")


def test_frame(res):
    frame = res.to_frame()
    assert list(frame.index) == list(MEASURES)
    for name, line in frame.iterrows():
        each, interval = res[name], res[name].interval()
        behind = res.difference(res.best, name)
        assert line["accuracy"] == each.accuracy
        assert (line["hits"], line["total"], line["missing"]) == (each.hits, each.total, 0)
        np.testing.assert_equal([line["low"], line["high"]], [interval.low, interval.high])
        assert line["behind"] == behind.value
        assert line["chance"] == 25
    assert np.isnan(frame.loc[res.best, "behind_pvalue"])


def test_findings_are_told_once():
    runs = nets(3, n=20)
    res = layer_correspondence(runs, measures=["cka", "procrustes"], progress=False)
    assert [finding.code for finding in res.findings].count("VV002") == 1


# Saving.


def test_it_is_read_back_as_it_was(res, tmp_path):
    path = res.save(tmp_path / "r.json")
    again = LayerCorrespondence.load(path)
    assert str(again) == str(res)
    assert again.to_dict() == res.to_dict()
    assert (again.provenance.keys(), again.findings) == (res.provenance.keys(), res.findings)
    for name, each in again.items():
        np.testing.assert_array_equal(each.confusion, res[name].confusion)
    assert again.save(tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_a_missing_value_is_read_back(tmp_path):
    runs = nets(2)
    runs["seed1"]["conv2"] = np.zeros((60, 4))
    res = layer_correspondence(runs, measures=["cka"], progress=False)
    again = LayerCorrespondence.load(res.save(tmp_path / "r.json"))
    assert again["cka"].missing == 2
    assert np.isnan(again.scores["cka"].values).sum() == np.isnan(res.scores["cka"].values).sum()
    assert np.isnan(res.scores["cka"].values).sum() > 0


def test_the_file_holds_what_follows_as_well(res, tmp_path):
    data = json.loads(res.save(tmp_path / "r.json").read_text("utf-8"))["data"]
    first = data["measures"][0]
    assert first["name"] == "good"
    assert first["found"]["accuracy"] == res["good"].accuracy
    assert first["behind"]["value"] == res.difference(res.best, "good").value
    assert data["best"] == res.best


@pytest.mark.parametrize("text", ["{}", "[]", '{"visavis": "comparison", "format": 1, "data": {}}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text, "utf-8")
    with pytest.raises(vv.StoreFormatError):
        LayerCorrespondence.load(tmp_path / "r.json")


@pytest.mark.parametrize("fault", ["won", "confusion"])
def test_a_file_of_other_sizes_is_refused(res, tmp_path, fault):
    path = res.save(tmp_path / "r.json")
    data = json.loads(path.read_text("utf-8"))
    data["data"]["measures"][0]["found"][fault].pop()
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(vv.StoreFormatError, match="has not the shape"):
        LayerCorrespondence.load(path)


def test_a_record_of_other_sizes_is_refused():
    with pytest.raises(ValueError, match=r"`won` and `confusion` must have an entry for each two"):
        Correspondence("m", ("a", "b"), ("x", "y"), np.zeros((3, 3)), np.zeros((2, 2)), 0)


def test_an_outcome_of_nothing_is_refused(res):
    with pytest.raises(ValueError, match="be of the same measures, of one at least"):
        LayerCorrespondence({}, {}, {})
    with pytest.raises(ValueError, match="be of the same measures"):
        replace(res, scores={})


# Pictures.


def test_a_panel_for_each_measure_with_its_accuracy(res):
    figure = res.plot()
    panels = [ax for ax in figure.axes if ax.images and ax.get_title(loc="left")]
    shown = [ax.get_title(loc="left") for ax in panels]
    assert shown == [f"{name}: {each.accuracy:.0f} %" for name, each in res.items()]
    for ax, each in zip(panels, res.values(), strict=True):
        shares = 100 * each.confusion / each.confusion.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(ax.images[0].get_array(), shares)


def test_one_measure_is_drawn_where_it_is_asked_to(res):
    _, ax = plt.subplots()
    assert res["good"].plot(ax) is ax
    assert ax.get_title(loc="left").replace("\n", " ") == str(res["good"])
    assert res["good"].plot(title="mine").get_title(loc="left") == "mine"


def test_report(res, tmp_path):
    page = res.to_html(tmp_path / "r.html").read_text("utf-8")
    assert "Which measures find the same layer in 4 nets?" in page
    for name, each in res.items():
        assert f">{name}<" in page
        assert f"<td>{each.accuracy:.1f}</td>" in page
    assert page.count("data:image/png;base64,") == 1
    assert "mean over 12 ordered pairs of nets" in page
    assert "conv1" in page
    assert res.to_html(tmp_path / "s.html", title="<mine>").read_text("utf-8").count("&lt;mine&gt;")
