"""Many models: the table of two of them, one number for two models, groups of models, files."""

import json
import sys
from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from tests.results.conftest import DISTANCE, NAN, SIMILARITY, UNBOUNDED

from visavis import Comparison, Finding, ModelComparison, StoreFormatError
from visavis.results import Scale

DIRECTED = Scale("linear_regression", 0.0, 1.0, "similarity", symmetric=False)
DIRECTED_DISTANCE = Scale("information_imbalance", 0.0, 2.0, "distance", symmetric=False)
SCALES = [SIMILARITY, DISTANCE, UNBOUNDED, DIRECTED, DIRECTED_DISTANCE]
LABELS = [f"{each.label}-{each.direction}" for each in SCALES]
# Of different depths, with names in another order, and one that only two have.
LAYERS = {"a": ("x", "y", "z"), "b": ("z", "x"), "c": ("y", "x", "w", "z")}
OTHER = {"a": ("x", "y"), "b": ("u", "v", "w")}


def table(layers, scale=SIMILARITY, seed=0, **fields):
    """A comparison of all layers of models with random values."""
    names = tuple(f"{model}/{layer}" for model, own in layers.items() for layer in own)
    values = np.random.default_rng(seed).random((len(names), len(names)))
    if scale.symmetric:
        values = (values + values.T) / 2
    made = Comparison(values, names, names, scale, n=60, names=("all models", "all models"))
    return replace(made, **fields)


def models(layers=LAYERS, scale=SIMILARITY, seed=0, **fields):
    return ModelComparison(table(layers, scale, seed, **fields), layers)


@pytest.fixture
def res():
    return models()


# What it holds.


def test_its_table_is_at_hand(res):
    assert res.models == ("a", "b", "c")
    assert res.values is res.table.values
    assert (res.measure, res.n, res.scale) == ("cka(estimator=biased)", 60, SIMILARITY)
    assert (res.findings, dict(res.plan), dict(res.provenance)) == ((), {}, {})


def test_repr(res):
    assert repr(res).startswith(
        "ModelComparison of 3 models (a, b, c), 9 layers in all, on 60 samples\n"
        "  cka(estimator=biased): 0."
    )
    many = models({f"m{k}": ("x",) for k in range(6)})
    assert "6 models (m0, m1, m2, m3, ...), 6 layers in all" in repr(many)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"a": ("x", "y"), "b": ("x",)}, r"each once, got 9 x 9 for 3 layers\.$"),
        ({"b": LAYERS["b"], "a": LAYERS["a"], "c": LAYERS["c"]}, "got 9 x 9 for 9 layers"),
        ({}, r"^ModelComparison: `layers` must hold one model at least"),
        ({**LAYERS, "d": ()}, "one layer at least of each, got none"),
    ],
)
def test_the_table_is_that_of_the_layers(res, layers, message):
    with pytest.raises(ValueError, match=message):
        ModelComparison(res.table, layers)


def test_two_layers_of_one_name_are_refused():
    names = ("a/b/c", "a/b/c")
    twice = Comparison(np.eye(2), names, names, SIMILARITY, n=60)
    with pytest.raises(ValueError, match="each once"):
        ModelComparison(twice, {"a": ("b/c",), "a/b": ("c",)})


# The table of two models.


@pytest.mark.parametrize("pair", [("a", "c"), ("c", "a"), ("b", "b")])
def test_two_models(pair):
    chance = np.random.default_rng(1).random((9, 9))
    full = models(chance=chance, standard_error=2 * chance)
    found = full[pair]
    assert (found.names, found.rows, found.cols) == (pair, LAYERS[pair[0]], LAYERS[pair[1]])
    assert (found.unit, found.n) == ("layer", 60)
    for row in found.rows:
        for col in found.cols:
            i = full.table.rows.index(f"{pair[0]}/{row}")
            j = full.table.cols.index(f"{pair[1]}/{col}")
            at = found.rows.index(row), found.cols.index(col)
            assert found[row, col] == full.values[i, j]
            assert found.chance[at] == chance[i, j]
            assert found.standard_error[at] == 2 * chance[i, j]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("a", "'a' is not a pair of models"),
        (("a", "b", "c"), "is not a pair of models"),
        (("a", "d"), r"'d' is not among \['a', 'b', 'c'\]"),
    ],
)
def test_what_is_no_pair(res, pair, message):
    with pytest.raises(KeyError, match=message):
        res[pair]


FINDINGS = (
    Finding("VV006", "Layer b/z is dead.", severity="error", layers=("b/z",)),
    Finding("VV014", "Pairs.", layers=("a/x", "c/y")),
    Finding("VV002", "Few."),
    Finding("VV015", "Half.", layers=("elsewhere",)),
)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("a", "c"), {"VV014": ("x", "y"), "VV002": (), "VV015": ()}),
        (("b", "b"), {"VV006": ("z",), "VV002": (), "VV015": ()}),
        (("a", "b"), {"VV006": ("z",), "VV014": ("x",), "VV002": (), "VV015": ()}),
    ],
)
def test_two_models_have_their_own_findings(pair, expected):
    found = models(findings=FINDINGS)[pair].findings
    assert {each.code: each.layers for each in found} == expected


def test_findings_between_models_name_the_models():
    found = models(findings=FINDINGS).between().findings
    layers = {each.code: each.layers for each in found}
    assert layers == {"VV006": ("b",), "VV014": ("a", "c"), "VV002": (), "VV015": ()}


# One number for two models, against the definitions.


def higher(scale):
    return scale.direction == "similarity"


def same(res, a, b):
    values = [res[a, b][layer, layer] for layer in LAYERS[a] if layer in LAYERS[b]]
    return sum(values) / len(values)


def best(res, a, b):
    values, choose = res[a, b].values.tolist(), max if higher(res.scale) else min
    columns = list(zip(*values, strict=True))
    of_rows, of_cols = ([choose(line) for line in lines] for lines in (values, columns))
    return (sum(of_rows) / len(of_rows) + sum(of_cols) / len(of_cols)) / 2


def matched(res, a, b):
    values = res[a, b].values
    values = values if len(values) <= len(values.T) else values.T
    means = [
        sum(values[i, j] for i, j in enumerate(chosen)) / len(values)
        for chosen in permutations(range(values.shape[1]), len(values))
    ]
    return max(means) if higher(res.scale) else min(means)


@pytest.mark.parametrize("scale", SCALES, ids=LABELS)
@pytest.mark.parametrize("oracle", [same, best, matched], ids=lambda each: each.__name__)
def test_between_two_models(scale, oracle):
    res = models(scale=scale)
    between = res.between(oracle.__name__)
    expected = [[oracle(res, a, b) for b in LAYERS] for a in LAYERS]
    np.testing.assert_allclose(between.values, expected, rtol=1e-14)
    assert (between.rows, between.cols, between.unit) == (("a", "b", "c"),) * 2 + ("model",)
    assert between.names == ("models", "models")
    assert (between.values == between.values.T).all() == scale.symmetric
    known = f"{scale.description[:-1]}; " if scale.description else ""
    assert between.scale.description.startswith(f"{known}mean over layers ")
    assert replace(between.scale, description=scale.description) == scale


@pytest.mark.parametrize("reduce", ["best", "matched"])
def test_models_of_other_layers(reduce):
    found = models(OTHER).between(reduce).values
    assert found.shape == (2, 2)
    assert np.isfinite(found).all()


def test_models_of_other_layers_have_none_of_the_same_name():
    message = (
        r'^between: `reduce` must be "best" or "matched" for models without layers of the same '
        r'name, got "same" for a and b\.$'
    )
    with pytest.raises(ValueError, match=message):
        models(OTHER).between()


def test_an_unknown_reduction(res):
    with pytest.raises(ValueError, match="`reduce` must be one of 'same', 'best', 'matched', got"):
        res.between("mean")


@pytest.mark.parametrize(
    ("reduce", "missing"),
    [
        ("same", [[1, 1, 1], [1, 0, 0], [1, 0, 0]]),
        ("best", [[1, 1, 1], [1, 0, 0], [1, 0, 0]]),
        ("matched", [[1, 1, 1], [1, 0, 0], [1, 0, 0]]),
    ],
)
@pytest.mark.parametrize("scale", SCALES, ids=LABELS)
def test_a_layer_without_a_value_leaves_its_model_without_one(reduce, missing, scale):
    values = table(LAYERS, scale).values
    values[2, :] = values[:, 2] = NAN
    found = models(scale=scale, values=values).between(reduce).values
    np.testing.assert_array_equal(np.isnan(found), np.array(missing, bool))


def test_a_layer_of_another_name_does_not_count_for_those_of_the_same():
    values = table(LAYERS).values
    values[7, :] = values[:, 7] = NAN  # c/w, which c alone has
    found = models(values=values).between("same").values
    np.testing.assert_array_equal(np.isnan(found), np.diag([False, False, True]))


def test_chance_is_known_where_partners_are_not_chosen():
    chance = np.full((9, 9), 0.25)
    chance[0] = chance[:, 0] = 0.0  # a/x
    res = models(chance=chance)
    found = res.between("same").chance
    assert found[0, 0] == pytest.approx(2 * 0.25 / 3)
    assert found[0, 1] == pytest.approx(0.25 / 2)
    assert found[1, 2] == 0.25
    assert res.between("best").chance is None
    assert res.between("matched").chance is None
    assert models().between("same").chance is None


# Groups.


GROUPS = {"a": "one", "b": "two", "c": "one"}


@pytest.mark.parametrize("scale", SCALES, ids=LABELS)
def test_groups(scale):
    layers = {f"m{k}": ("x", "y") for k in range(5)}
    groups = dict(zip(layers, "uvuuv", strict=True))
    res = models(layers, scale)
    found = res.grouped(groups)
    between = res.between()
    members = {name: [m for m in layers if groups[m] == name] for name in "uv"}
    for row in "uv":
        for col in "uv":
            pairs = [
                (a, b)
                for a in members[row]
                for b in members[col]
                if a != b and not (scale.symmetric and row == col and a > b)
            ]
            values = [between[pair] for pair in pairs]
            mean = sum(values) / len(values)
            at = "uv".index(row), "uv".index(col)
            assert found.mean[row, col] == pytest.approx(mean)
            assert found.pairs[at] == len(pairs)
            if len(values) > 1:
                spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
                assert found.deviation[at] == pytest.approx(spread**0.5)
    expected = [("u", "u"), ("u", "v"), ("v", "v")]
    if not scale.symmetric:
        expected.insert(2, ("v", "u"))
    assert [(line.row, line.col) for line in found.lines()] == expected
    assert found.mean.unit == "group"
    assert found.mean.scale.description.endswith("; mean over pairs of different models")


def test_a_symmetric_pair_of_a_group_counts_once(res):
    found = res.grouped(GROUPS)
    np.testing.assert_array_equal(found.pairs, [[1, 2], [2, 0]])
    assert found.mean["one", "one"] == res.between()["a", "c"]
    assert np.isnan(found.mean["two", "two"])
    np.testing.assert_array_equal(np.isnan(found.deviation), [[True, False], [False, True]])
    assert [line.pairs for line in found.lines()] == [1, 2]


def test_chance_of_groups():
    res = models(chance=np.full((9, 9), 0.25))
    found = res.grouped(GROUPS).mean.chance
    np.testing.assert_allclose(found, [[0.25, 0.25], [0.25, NAN]])
    assert models().grouped(GROUPS).mean.chance is None


def test_groups_by_another_reduction(res):
    assert res.grouped(GROUPS, "best").mean["one", "one"] == res.between("best")["a", "c"]


def test_findings_of_groups():
    res = models(findings=FINDINGS)
    layers = {each.code: each.layers for each in res.grouped(GROUPS).mean.findings}
    assert layers == {"VV006": ("two",), "VV014": ("one",), "VV002": (), "VV015": ()}


def test_each_model_has_a_group(res):
    with pytest.raises(ValueError, match=r"^grouped: `groups` must name a group .*none for 'b'\.$"):
        res.grouped({"a": "one", "c": "one"})


def test_groups_as_plain_json(res):
    data = res.grouped(GROUPS).to_dict()
    json.dumps(data, allow_nan=False)
    assert data["pairs"] == [[1, 2], [2, 0]]
    assert data["standard_deviation"][1] == [pytest.approx(data["standard_deviation"][0][1]), None]
    assert data["mean"]["rows"] == ["one", "two"]


# Without some.


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ((), LAYERS),
        (("b",), {"a": ("x", "y", "z"), "c": ("y", "x", "w", "z")}),
        (("z",), {"a": ("x", "y"), "b": ("x",), "c": ("y", "x", "w")}),
        (("c/z", "a/x"), {"a": ("y", "z"), "b": ("z", "x"), "c": ("y", "x", "w")}),
        (("x", "z"), {"a": ("y",), "c": ("y", "w")}),
    ],
)
def test_without(names, left):
    res = models(chance=np.random.default_rng(1).random((9, 9)))
    found = res.without(*names)
    assert found.layers == left
    for row, col in [("a/y", "a/y"), ("a/y", "c/y"), ("c/y", "a/y")]:
        assert found.table[row, col] == res.table[row, col]
    at = found.table.rows.index("a/y"), found.table.cols.index("c/y")
    assert found.table.chance[at] == res.table.chance[1, 5]


def test_without_what_is_dead_nothing_is_missing():
    values = table(LAYERS).values
    values[3, :] = values[:, 3] = NAN
    res = models(values=values, findings=FINDINGS)
    assert np.isnan(res.between("best").values).any()
    left = res.without("b/z")
    assert np.isfinite(left.between("best").values).all()
    assert [each.code for each in left.findings] == ["VV014", "VV002", "VV015"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("d",), r"^without: `names` must be models, layers, or model/layer, got 'd'\.$"),
        (("b/w",), "got 'b/w'"),
        (("a", "b", "c"), "must hold one model at least"),
    ],
)
def test_without_what_there_is_not(res, names, message):
    with pytest.raises(ValueError, match=message):
        res.without(*names)


# Tables of other libraries.


def test_to_frame(res):
    frame = res.to_frame()
    assert frame.index.names == frame.columns.names == ["model", "layer"]
    assert frame.loc[("a", "x"), ("c", "z")] == res["a", "c"]["x", "z"]
    np.testing.assert_array_equal(frame.loc["b", "a"].to_numpy(), res["b", "a"].values)
    pd.testing.assert_frame_equal(frame.loc["a", "c"], res["a", "c"].to_frame(), check_names=False)


def test_to_frame_without_pandas(res, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"^ModelComparison\.to_frame needs pandas, .*\[tables\]"):
        res.to_frame()


# Files.


def test_round_trip(tmp_path):
    values = table(LAYERS, UNBOUNDED).values
    values[0, :2] = NAN, np.inf
    res = models(
        scale=UNBOUNDED,
        values=values,
        findings=FINDINGS,
        plan={"form": "gram"},
        provenance={"sides": [{"name": "a"}]},
        chance=np.zeros((9, 9)),
    )
    path = res.save(tmp_path / "r.json")
    again = ModelComparison.load(path)
    np.testing.assert_array_equal(again.values, values)
    assert again.layers == LAYERS
    assert again.to_dict() == res.to_dict()
    assert json.loads(path.read_text("utf-8"))["visavis"] == "model-comparison"


def test_names_of_any_kind_come_back(tmp_path):
    layers = {"\x1b[31m\n": ("a/b", "/"), "é層": ("$x_1$", "")}
    again = ModelComparison.load(models(layers).save(tmp_path / "r.json"))
    assert again.layers == layers
    assert again["é層", "\x1b[31m\n"].cols == ("a/b", "/")


def test_the_other_kinds_of_result(res, tmp_path):
    path = res.save(tmp_path / "r.json")
    with pytest.raises(StoreFormatError, match="holds a model-comparison, not a comparison"):
        Comparison.load(path)
    res.table.save(path)
    with pytest.raises(StoreFormatError, match="holds a comparison, not a model-comparison"):
        ModelComparison.load(path)


NAMES = [["a", ["x", "y", "z"]], ["b", ["z", "x"]], ["c", ["y", "x", "w", "z"]]]


@pytest.mark.parametrize(
    "damage",
    [
        {"layers": None},
        {"layers": {}},
        {"layers": []},
        {"layers": NAMES[:2]},
        {"layers": [*NAMES, ["d", []]]},
        {"layers": [*NAMES[:2], ["c", "yxwz"], ["d", ["x"]]]},
        {"layers": [*NAMES[:2], ["c", 3]]},
        {"layers": [*NAMES[:2], "c"]},
        {"layers": NAMES[::-1]},
        {"layers": {"ax": 1, "bx": 2}},
        {"table": None},
        {"table": []},
        {"table": {}},
        {"table": {"values": "x" * 9}},
    ],
    ids=str,
)
def test_a_damaged_file(res, tmp_path, damage):
    path = res.save(tmp_path / "r.json")
    envelope = json.loads(path.read_text("utf-8"))
    envelope["data"] |= damage
    path.write_text(json.dumps(envelope), "utf-8")
    with pytest.raises(StoreFormatError, match=r"r\.json is not a saved model-comparison: "):
        ModelComparison.load(path)


@pytest.mark.parametrize("key", ["layers", "table"])
def test_every_key_is_needed(res, tmp_path, key):
    path = res.save(tmp_path / "r.json")
    envelope = json.loads(path.read_text("utf-8"))
    del envelope["data"][key]
    path.write_text(json.dumps(envelope), "utf-8")
    with pytest.raises(StoreFormatError, match=rf"KeyError\('{key}'\)"):
        ModelComparison.load(path)


# The doors upward.


def test_plot(res):
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    assert res.plot(ax, reduce="best") is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), res.between("best").values)
    plt.close("all")


def test_to_html(res, tmp_path):
    path = res.to_html(tmp_path / "r.html", reduce="best", groups=GROUPS, title="A title of mine")
    page = path.read_text("utf-8")
    assert "A title of mine" in page
    assert "Groups of models" in page
