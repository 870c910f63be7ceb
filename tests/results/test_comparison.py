"""One measure of all pairs of layers: values by name, best matches, tables."""

import copy
import pickle
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from tests.results.conftest import DISTANCE, NAN, SIMILARITY, UNBOUNDED

from visavis.results import ComparisonSet

# Values by name.


@pytest.mark.parametrize(
    ("pair", "value"), [(("conv1", "a"), 0.9), (("conv2", "a"), 0.3), (("conv2", "c"), 0.8)]
)
def test_value_of_a_pair(make, pair, value):
    found = make()[pair]
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("conv3", "a"), r"'conv3' is not among \['conv1', 'conv2'\]"),
        (("conv1", "conv1"), r"'conv1' is not among \['a', 'b', 'c'\]"),
        ("conv1", "'conv1' is not a pair of layers: a row and a column"),
        (("conv1", "a", "b"), "is not a pair of layers"),
        ((0, 1), r"0 is not among \['conv1', 'conv2'\]"),
    ],
)
def test_value_of_what_is_no_pair(make, pair, message):
    with pytest.raises(KeyError, match=message):
        make()[pair]


def test_names_and_measure(make):
    res = make()
    assert res.measure == "cka(estimator=biased)"
    assert res.names == ("seed0", "seed1")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"values": np.zeros((3, 2))},
            r"^Comparison: `values` must have an entry per pair of layers \(2, 3\), got shape "
            r"\(3, 2\)\.$",
        ),
        ({"values": np.zeros(6)}, r"`values` must .* got shape \(6,\)\.$"),
        ({"chance": np.zeros((2, 2))}, r"`chance` must .* got shape \(2, 2\)\.$"),
        ({"cols": ("a",)}, r"pair of layers \(2, 1\), got shape \(2, 3\)\.$"),
    ],
)
def test_tables_have_the_shape_of_the_layers(make, fields, message):
    with pytest.raises(ValueError, match=message):
        make(**{"values": make().values, **fields})


def test_cannot_be_changed(make):
    with pytest.raises(FrozenInstanceError):
        make().n = 3


@pytest.mark.parametrize("again", [copy.deepcopy, lambda res: pickle.loads(pickle.dumps(res))])
def test_sent_to_another_process(full, again):
    np.testing.assert_array_equal(again(full).values, full.values)
    assert again(full).findings == full.findings


def test_repr(make, full):
    assert repr(make()) == (
        "Comparison of seed0 (2 layers) with seed1 (3 layers) on 500 samples\n"
        "  cka(estimator=biased): 0.100 ... 0.900\n"
        "  findings: none"
    )
    assert "hsic: 0.000 ... 0.333\n  chance 0.400\n  findings: VV002, VV006" in repr(full)
    assert "no value" in repr(make(values=np.full((2, 3), NAN)))


# Best matches.


@pytest.mark.parametrize(
    ("scale", "values", "expected"),
    [
        (SIMILARITY, ((0.9, 0.2, 0.1), (0.3, 0.4, 0.8)), ("a", "c")),
        (DISTANCE, ((0.9, 0.2, 0.1), (0.3, 0.4, 0.8)), ("c", "a")),
        (UNBOUNDED, ((-3, -2, -1), (0, 1e9, 1e8)), ("c", "b")),
        # Of equal values the first.
        (SIMILARITY, ((0.5, 0.5, 0.1), (0.1, 0.5, 0.5)), ("a", "b")),
        (DISTANCE, ((0.5, 0.1, 0.1), (0.5, 0.5, 0.5)), ("b", "a")),
        # What has no value is no match.
        (SIMILARITY, ((NAN, 0.2, 0.1), (0.3, NAN, NAN)), ("b", "a")),
        (DISTANCE, ((NAN, 0.2, 0.1), (NAN, NAN, 0.8)), ("c", "c")),
        (SIMILARITY, ((NAN, NAN, NAN), (0.1, 0.2, NAN)), (None, "b")),
        (DISTANCE, ((NAN, NAN, NAN), (NAN, NAN, NAN)), (None, None)),
        (SIMILARITY, ((NAN, -0.2, -0.3), (0, 0, 0)), ("b", "a")),
    ],
    ids=range(10),
)
def test_best_match(make, scale, values, expected):
    assert make(values=np.array(values), scale=scale).best_match() == dict(
        zip(("conv1", "conv2"), expected, strict=True)
    )


# Several measures.


@pytest.fixture
def several(make):
    """Biased CKA with chance and Procrustes without, a finding in common."""
    full = make(chance=np.full((2, 3), 0.25))
    return ComparisonSet([full, make(values=1 - full.values, scale=DISTANCE)])


def test_set_is_a_mapping_in_order(several):
    assert list(several) == ["cka(estimator=biased)", "procrustes"]
    assert len(several) == 2
    assert several["procrustes"].scale is DISTANCE
    with pytest.raises(KeyError, match=r"'cka' is not among \['cka\(estimator=biased\)', 'proc"):
        several["cka"]


def test_set_of_named_comparisons(make):
    res = ComparisonSet({"before": make(), "after": make(n=3)})
    assert list(res) == ["before", "after"]
    assert res["after"].n == 3


def test_set_refuses_one_measure_twice(make):
    message = (
        r"^ComparisonSet: `comparisons` must be of different measures, got "
        r"\['cka\(estimator=biased\)', 'cka\(estimator=biased\)'\]\. Name them yourself: "
    )
    with pytest.raises(ValueError, match=message):
        ComparisonSet([make(), make()])


def test_set_says_each_finding_once(full, make):
    first, second = full.findings
    res = ComparisonSet(
        {"a": make(findings=(second,)), "b": make(findings=(first, second)), "c": make()}
    )
    assert res.findings == (second, first)


def test_set_repr(several):
    assert repr(several) == "\n".join(repr(each) for each in several.values())


# Tables of other libraries.


def test_to_frame(make):
    frame = make().to_frame()
    assert list(frame.index) == ["conv1", "conv2"]
    assert list(frame.columns) == ["a", "b", "c"]
    assert (frame.index.name, frame.columns.name) == ("seed0", "seed1")
    assert frame.loc["conv2", "b"] == 0.8
    assert frame.dtypes.eq("float64").all()


def test_to_xarray(full):
    data = full.to_xarray()
    assert dict(data.sizes) == {"row": 2, "col": 3}
    np.testing.assert_array_equal(data["value"].values, full.values)
    np.testing.assert_array_equal(data["chance"].values, full.chance)
    assert float(data["value"].sel(row="conv2", col="a")) == 0.1
    assert data.attrs["measure"] == "hsic"
    assert data.attrs["direction"] == "similarity"
    assert (data.attrs["rows"], data.attrs["cols"], data.attrs["n"]) == ("seed0", "seed1", 500)
    assert data.attrs["findings"] == [str(finding) for finding in full.findings]


def test_to_xarray_without_chance(make):
    assert np.isnan(make().to_xarray()["chance"].values).all()


def test_set_to_frame_has_one_line_per_value(several):
    frame = several.to_frame()
    beside = ["value", "low", "high", "standard_error", "chance", "z"]
    assert list(frame.columns) == ["measure", "row", "col", *beside]
    assert len(frame) == 12
    line = frame.query("measure == 'procrustes' and row == 'conv2' and col == 'a'")
    assert line["value"].item() == pytest.approx(0.7)
    assert np.isnan(line["chance"].item())
    assert frame.query("measure != 'procrustes'")["chance"].eq(0.25).all()
    wide = frame.pivot(index=["measure", "row"], columns="col", values="value")
    pd.testing.assert_frame_equal(
        wide.loc["procrustes"], several["procrustes"].to_frame(), check_names=False
    )


def test_set_to_xarray_stacks_the_measures(several):
    data = several.to_xarray()
    assert dict(data.sizes) == {"measure": 2, "row": 2, "col": 3}
    for_procrustes = data.sel(measure="procrustes")
    np.testing.assert_array_equal(for_procrustes["value"].values, several["procrustes"].values)
    assert np.isnan(for_procrustes["chance"].values).all()
    assert data.attrs["n"] == 500
    # What the measures differ in is not said of all.
    assert "direction" not in data.attrs


@pytest.mark.parametrize(
    ("method", "library"),
    [("to_frame", "pandas"), ("to_xarray", "xarray")],
)
@pytest.mark.parametrize("kind", ["Comparison", "ComparisonSet"])
def test_missing_library_is_named_with_its_extra(make, monkeypatch, method, library, kind):
    res = make() if kind == "Comparison" else ComparisonSet([make()])
    monkeypatch.setitem(sys.modules, library, None)
    message = rf'^{kind}\.{method} needs {library}, .* pip install "visavis\[tables\]"\.$'
    with pytest.raises(ImportError, match=message):
        getattr(res, method)()


# The doors upward.


def test_plot_takes_and_returns_axes(make):
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    assert make().plot(ax) is ax
    plt.close("all")


def test_to_html_of_one_and_of_several(make, several, tmp_path):
    one = make().to_html(tmp_path / "one.html", title="A title of mine")
    assert "A title of mine" in one.read_text(encoding="utf-8")
    many = several.to_html(str(tmp_path / "many.html")).read_text(encoding="utf-8")
    assert "procrustes" in many
    assert "cka(estimator=biased)" in many


def test_replace(make):
    assert replace(make(), n=3).n == 3


# Intervals and z.


@pytest.fixture
def sure(make):
    """A comparison with everything beside its values; one pair has no interval."""
    values = make().values
    return make(
        low=np.where(values == 0.1, NAN, values - 0.1),
        high=np.where(values == 0.1, NAN, values + 0.05),
        level=0.9,
        z=10 * values,
        chance=np.zeros((2, 3)),
        standard_error=np.full((2, 3), 0.04),
        plan={"intervals": "jackknife"},
    )


def test_an_interval_of_a_pair(sure):
    found = sure.interval("conv1", "a")
    assert (found.value, found.low, found.high) == pytest.approx((0.9, 0.8, 0.95))
    assert (found.level, found.standard_error, found.n) == (0.9, 0.04, 500)
    with pytest.raises(ValueError, match=r"must be a pair that has an interval, got jackknife\."):
        sure.interval("conv1", "c")
    with pytest.raises(KeyError, match="'d' is not among"):
        sure.interval("conv1", "d")


def test_a_comparison_without_intervals_says_why(make):
    res = make(plan={"intervals": "none: no formula"})
    with pytest.raises(ValueError, match="got none: no formula"):
        res.interval("conv1", "a")


def test_repr_tells_how_sure(sure):
    assert "  chance 0.000, 90 % intervals 0.150 wide (median), z up to 9.0\n" in repr(sure)


@pytest.mark.parametrize("table", ["values", "chance", "z", "low", "high", "standard_error"])
def test_to_frame_gives_each_table(sure, table):
    frame = sure.to_frame(table)
    np.testing.assert_array_equal(frame.to_numpy(), getattr(sure, table))
    assert list(frame.index) == list(sure.rows)


def test_to_frame_of_what_is_not_known(make):
    assert make().to_frame("z").isna().all(axis=None)
    with pytest.raises(ValueError, match="`table` must be one of 'values', 'chance', 'z', 'low'"):
        make().to_frame("pvalue")


def test_to_xarray_holds_all_tables(sure):
    data = sure.to_xarray()
    assert set(data) == {"value", "low", "high", "standard_error", "chance", "z"}
    np.testing.assert_array_equal(data["low"].values, sure.low)
    assert data.attrs["level"] == 0.9


def test_saved_with_intervals(sure, tmp_path):
    again = type(sure).load(sure.save(tmp_path / "r.json"))
    for name, table in sure.tables.items():
        np.testing.assert_array_equal(getattr(again, name), table)
    assert again.level == 0.9


@pytest.mark.parametrize(
    "fields",
    [
        {"low": np.zeros((2, 3))},
        {"level": 0.9},
        {"low": np.zeros((2, 3)), "high": np.ones((2, 3))},
    ],
    ids=["one end", "a level alone", "no level"],
)
def test_intervals_are_whole(make, fields):
    with pytest.raises(ValueError, match="`low` must come with both of their ends and a level"):
        make(**fields)
