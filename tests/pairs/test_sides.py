"""What may stand on either side of a comparison, what it is called, and where it came from."""

import functools
import json

import numpy as np
import pytest
import torch
from tests.data_makers import related

import visavis as vv
from visavis import Activations, SampleMismatchError, StoreFormatError

compared = functools.partial(vv.compare, progress=False)
IDS = [f"img{i}" for i in range(60)]


@pytest.fixture
def pair():
    """One layer on either side, 60 samples."""
    return related(n=60)


def acts(X, **options):
    return Activations({"x": X}, **options)


# Kinds of sides.


@pytest.mark.parametrize(
    "as_side",
    [
        lambda X, folder: {"x": X},
        lambda X, folder: acts(X),
        lambda X, folder: folder / "x.npz",
        lambda X, folder: str(folder / "x.npz"),
    ],
    ids=["mapping", "activations", "path", "text"],
)
def test_a_side_may_be_activations_a_mapping_or_a_file(pair, tmp_path, as_side):
    X, Y = pair
    np.savez(tmp_path / "x.npz", x=X)
    np.save(tmp_path / "y.npy", Y)
    res = compared(as_side(X, tmp_path), tmp_path / "y.npy")
    assert (res.rows, res.cols) == (("x",), ("y",))
    assert res["x", "y"] == pytest.approx(float(vv.cka(X, Y)), rel=1e-12)


@pytest.mark.parametrize("which", [0, 1], ids=["a", "b"])
@pytest.mark.parametrize(
    ("side", "message"),
    [
        (
            np.ones((60, 3)),
            r"must be Activations, a mapping from layer name to array, or the path of a file, got "
            r"ndarray\. Of arrays: visavis\.cka\(X, Y\)\. "
            r"Of models: compare\(model_a, model_b, loader\)\.$",
        ),
        ([np.ones((60, 3))], r".*, got list\."),
        (3, r".*, got int\."),
        (
            {"seed0": {"x": np.ones((60, 3))}, "seed1": {"x": np.ones((60, 3))}},
            r"must map layer names to arrays, got a mapping to mappings \(seed0, seed1\)\. "
            r"Many models are one argument, compare\(runs\); two are compare",
        ),
        (
            {f"seed{i}": {"x": np.ones((60, 3))} for i in range(4)},
            r"must map .* mappings \(seed0, seed1, seed2, \.\.\.\)\.",
        ),
        ({"seed0": Activations({"x": np.ones((60, 3))})}, r"must map .*mappings \(seed0\)\."),
    ],
    ids=["array", "list", "number", "mappings", "many mappings", "activations in a mapping"],
)
def test_what_is_no_side(pair, side, message, which):
    sides = [{"x": pair[0]}, {"x": pair[0]}]
    sides[which] = side
    with pytest.raises(TypeError, match=rf"^compare: `{'ab'[which]}` {message}"):
        compared(*sides)


@pytest.mark.parametrize(
    ("side", "error", "message"),
    [
        ({}, ValueError, "Activations: `layers` must hold at least one layer"),
        ({"x": [[1.0]]}, TypeError, r"`layers\['x'\]` must be an array"),
        ({"x": np.ones((60, 1)), "y": np.ones((59, 1))}, ValueError, "got 60 in 'x' and 59 in 'y'"),
        ("nowhere.npz", FileNotFoundError, r"nowhere\.npz must be a file, got no such file"),
        (
            "model.pt",
            ValueError,
            r"`path` must end in \.npy, .*, got 'model\.pt'",
        ),
    ],
    ids=range(5),
)
def test_sides_that_cannot_be_read(side, error, message):
    with pytest.raises(error, match=message):
        compared(side)


def test_a_damaged_file(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(StoreFormatError, match=r"x\.npz cannot be read as \.npz"):
        compared(tmp_path / "x.npz")


# Itself.


@pytest.mark.parametrize("again", [False, True], ids=["alone", "twice"])
def test_a_set_with_itself(pair, again):
    X, Y = pair
    layers = {"x": X, "y": Y}
    res = compared(layers, layers) if again else compared(layers)
    assert res.rows == res.cols == ("x", "y")
    assert res.names == ("a", "a")
    assert res["x", "x"] == pytest.approx(1)
    assert res["x", "y"] == res["y", "x"]


def test_one_file_twice_is_read_once(pair, tmp_path, monkeypatch):
    np.savez(tmp_path / "acts.npz", x=pair[0], y=pair[1])
    read = []
    load = vv.store.load
    monkeypatch.setattr(vv.store, "load", lambda path: read.append(path) or load(path))
    res = compared(tmp_path / "acts.npz", str(tmp_path / "acts.npz"))
    assert len(read) == 1
    assert res.names == ("acts", "acts")
    assert res.plan["pairs"] == 3


# Names.


def named(X, name):
    return acts(X, provenance={"name": name})


def test_default_names(pair):
    X, Y = pair
    assert compared({"x": X}, {"x": Y}).names == ("a", "b")


def test_names_given(pair):
    X, Y = pair
    assert compared({"x": X}, {"x": Y}, names=("seed 0", "seed 1")).names == ("seed 0", "seed 1")
    assert compared({"x": X}, names=["early", "late"]).names == ("early", "late")


def test_names_from_provenance(pair):
    X, Y = pair
    assert compared(named(X, "ResNet"), named(Y, "ViT")).names == ("ResNet", "ViT")
    assert compared(named(X, "ResNet"), {"x": Y}).names == ("ResNet", "b")
    assert compared(named(X, "ResNet")).names == ("ResNet", "ResNet")


def test_two_models_of_one_name_are_told_apart(pair):
    # One name on both sides means a set compared with itself to those who draw it.
    X, Y = pair
    assert compared(named(X, "ResNet"), named(Y, "ResNet")).names == ("ResNet (a)", "ResNet (b)")


def test_names_from_files(pair, tmp_path):
    X, Y = pair
    paths = tmp_path / "seed0" / "acts.npz", tmp_path / "seed1" / "acts.npz", tmp_path / "vit.npz"
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        np.savez(path, x=X)
    assert compared(paths[0], paths[2]).names == ("acts", "vit")
    assert compared(paths[0]).names == ("acts", "acts")
    assert compared(paths[0], {"x": Y}).names == ("acts", "b")
    assert compared(paths[0], str(paths[1])).names == (str(paths[0]), str(paths[1]))


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", "b", "c")])
def test_names_that_are_no_pair(pair, names):
    with pytest.raises(ValueError, match=r"^compare: `names` must be a pair of names, got "):
        compared({"x": pair[0]}, {"x": pair[1]}, names=names)


# Samples that must correspond.


def test_counts_that_differ(pair):
    X, Y = pair
    with pytest.raises(SampleMismatchError, match="got 60 and 59 rows") as caught:
        compared({"x": X}, {"x": Y[:59]})
    assert caught.value.code == "VV001"


def test_ids_that_differ(pair):
    X, Y = pair
    with pytest.raises(SampleMismatchError, match=r"^VV001 compare: .*in another order") as caught:
        compared(acts(X, ids=IDS), acts(Y, ids=IDS[::-1]))
    assert caught.value.code == "VV001"


def test_a_shuffled_loader(pair):
    X, Y = pair
    a, b = acts(X, digests=IDS, shuffled=True), acts(Y, digests=IDS[::-1], shuffled=True)
    with pytest.raises(SampleMismatchError, match=r"^VV007 compare: ") as caught:
        compared(a, b)
    assert caught.value.code == "VV007"


def test_joined_by_id(pair):
    X, Y = pair
    order = np.random.default_rng(0).permutation(60)[:55]
    a, b = acts(X, ids=IDS), acts(Y[order], ids=[IDS[i] for i in order])
    res = compared(a, b, align="inner")
    rows = np.sort(order)
    assert res.n == 55
    assert res["x", "x"] == pytest.approx(float(vv.cka(X[rows], Y[rows])), rel=1e-12)
    [finding] = res.findings
    assert (finding.code, finding.severity) == ("VV001", "info")
    assert finding.evidence == {"kept": 55, "dropped_a": 5, "dropped_b": 0}
    assert compared(a, b, align="inner", silenced=["VV001"]).findings == ()


def test_joined_by_ids_in_files(pair, tmp_path):
    X, Y = pair
    np.savez(tmp_path / "x.npz", x=X, ids=np.array(IDS))
    np.savez(tmp_path / "y.npz", x=Y[::-1], ids=np.array(IDS[::-1]))
    with pytest.raises(SampleMismatchError, match="another order"):
        compared(tmp_path / "x.npz", tmp_path / "y.npz")
    res = compared(tmp_path / "x.npz", tmp_path / "y.npz", align="inner")
    assert res["x", "x"] == pytest.approx(float(vv.cka(X, Y)), rel=1e-12)


def test_too_few_are_left_after_joining(pair):
    X, Y = pair
    a, b = acts(X[:5], ids=IDS[:5]), acts(Y[:5], ids=IDS[2:7])
    with pytest.raises(ValueError, match=r"^VV002 compare: .* at least 4 samples, got 3"):
        compared(a, b, align="inner")


def test_an_alignment_that_does_not_exist(pair):
    X, Y = pair
    with pytest.raises(ValueError, match="compare: `align` must be one of 'strict', 'inner'"):
        compared({"x": X}, {"x": Y}, align="outer")


# Provenance.


def test_provenance(pair):
    X, Y = pair
    a = acts(
        torch.tensor(X, dtype=torch.bfloat16),
        ids=IDS,
        pool="gap",
        provenance={"name": "ResNet", "parameters": 11_000_000, "device": torch.device("cpu")},
    )
    res = compared(a, {"x": Y.reshape(60, 5, 1, 1)}, measures=["cka", "procrustes"])
    provenance = res["cka"].provenance
    assert provenance["call"] == "visavis.compare(a, b, measure='cka')"
    assert res["procrustes"].provenance == {
        **provenance,
        "call": "visavis.compare(a, b, measure='procrustes')",
    }
    assert provenance["visavis"] == vv.__version__
    assert provenance["numpy"] == np.__version__
    assert provenance["sides"] == [
        {
            "name": "ResNet",
            "parameters": 11_000_000,
            "device": "cpu",
            "samples": "by id",
            "pool": "gap",
            "layers": {"x": {"shape": [60, 6], "dtype": "bfloat16"}},
        },
        {
            "name": "b",
            "samples": "by position",
            "pool": "none",
            "layers": {"x": {"shape": [60, 5, 1, 1], "dtype": "float64"}},
        },
    ]


def test_provenance_of_a_side_does_not_hide_its_layers(pair):
    net = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.ReLU())
    a = vv.extract(net, torch.tensor(pair[0], dtype=torch.float32), progress=False)
    [side, _] = compared(a).provenance["sides"]
    assert side["layers"] == {
        "0": {"shape": [60, 4], "dtype": "float32"},
        "1": {"shape": [60, 4], "dtype": "float32"},
    }
    assert side["model"] == "Sequential"


def test_plan_and_provenance_are_plain_json(pair):
    X, Y = pair
    a = acts(X, provenance={"path": object(), 3: None, "nested": {"seed": 0}})
    res = compared(a, {"x": Y}, measures=["cka", "cca", "procrustes"])
    records = [record for each in res.values() for record in (each.plan, each.provenance)]
    assert json.loads(json.dumps(records, allow_nan=False)) == records


def test_a_result_survives_its_file(pair, tmp_path):
    X, Y = pair
    res = compared({"x": X, "dead": np.ones((60, 2))}, {"y": Y}, measures=["cka", "hsic", "cca"])
    again = vv.ComparisonSet.load(res.save(tmp_path / "r.json"))
    assert list(again) == list(res)
    np.testing.assert_equal(
        [(each.values, each.chance) for each in again.values()],
        [(each.values, each.chance) for each in res.values()],
    )
    assert [(each.scale, each.findings, each.provenance) for each in again.values()] == [
        (each.scale, each.findings, each.provenance) for each in res.values()
    ]
