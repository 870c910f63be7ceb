"""What `layer_correspondence` takes as nets and layers, how it computes, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tests.benchmark.nets import LAYERS, nets
from torch import nn

import visavis as vv
from visavis.benchmark import layer_correspondence


def found(runs, **options):
    return layer_correspondence(runs, progress=False, **options)


# What a net can be.


@pytest.fixture
def stores(tmp_path):
    """Three stores and what is in them."""
    runs = nets(3, noise=2)
    for name, layers in runs.items():
        np.savez(tmp_path / f"{name}.npz", **layers)
    return [tmp_path / f"{name}.npz" for name in runs], runs


def test_paths_are_named_by_what_tells_them_apart(stores):
    paths, runs = stores
    res = found(paths, measures=["cka"])
    assert res.nets == ("seed0", "seed1", "seed2")
    assert res["cka"].hits == found(runs, measures=["cka"])["cka"].hits
    assert found([str(path) for path in paths], measures=["cka"]).nets == res.nets


def test_sides_of_all_kinds_may_be_mixed(stores):
    paths, runs = stores
    mixed = {"a": paths[0], "b": vv.Activations(runs["seed1"]), "c": runs["seed2"]}
    res = found(mixed, measures=["cka"])
    assert res.nets == ("a", "b", "c")
    np.testing.assert_array_equal(res["cka"].won, found(runs, measures=["cka"])["cka"].won)


def test_comparisons_that_are_there_already_are_not_computed_again(monkeypatch):
    runs = nets(3, noise=2)
    compared = vv.compare(runs, measures=["cka", "pwcca", "procrustes"])
    expected = found(runs, measures={"one": "procrustes", "two": "pwcca"})
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("computed again"))
    res = found(compared, measures={"one": "procrustes", "two": "pwcca"})
    assert list(res) == ["one", "two"]
    for name, each in res.items():
        np.testing.assert_array_equal(each.won, expected[name].won)
    assert list(found(compared)) == ["cka", "pwcca", "procrustes"]
    assert list(found(compared["cka"])) == ["cka"]
    assert found(compared["cka"], layers="conv*").layers == LAYERS[:3]


def net(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3))


def test_models_run_on_the_same_batches_once():
    models = {f"seed{k}": net(k) for k in range(3)}
    batches = torch.randn(60, 6, generator=torch.Generator().manual_seed(0)).split(20)
    seen = []

    def loader():
        for batch in batches:
            seen.append(batch)
            yield batch

    res = found(models, data=loader(), layers=["0", "1", "2"], measures=["cka"])
    assert len(seen) == 3
    acts = vv.extract(models, list(batches), layers=["0", "1", "2"], progress=False)
    expected = found(acts, measures=["cka"])
    np.testing.assert_array_equal(res["cka"].won, expected["cka"].won)
    np.testing.assert_allclose(res.scores["cka"].values, expected.scores["cka"].values)
    assert (res.layers, res.n) == (("0", "1", "2"), 60)


@pytest.mark.parametrize(("held", "stored"), [(2**20, False), (10, True)])
def test_models_that_are_too_large_for_memory_are_kept_on_disk(held, stored, monkeypatch):
    models = {f"seed{k}": net(k) for k in range(2)}
    X = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    into = []
    extract = vv.models.extract

    def watched(*given, **options):
        into.append(options.get("into"))
        return extract(*given, **options)

    monkeypatch.setattr("visavis.models.extract", watched)
    monkeypatch.setattr("visavis.pairs.live.HELD_BYTES", held)
    res = found(models, data=X, measures=["cka"])
    assert (into[-1] is not None) == stored
    assert not stored or not into[-1].exists()
    expected = found(extract(models, X, progress=False), measures=["cka"])
    np.testing.assert_array_equal(res["cka"].won, expected["cka"].won)


def test_options_of_extraction_are_passed_on():
    class Maps(nn.Sequential):
        pass

    torch.manual_seed(0)
    models = {k: Maps(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3)) for k in "ab"}
    images = torch.randn(30, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    res = found(models, data=images, pool="gap", measures=["cka"])
    widths = {each["name"]: each["layers"] for each in res.provenance["sides"]}
    assert widths["a"]["0"]["shape"] == [30, 3]


# Which layers.


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        (None, LAYERS),
        ("conv*", LAYERS[:3]),
        ("!fc", LAYERS[:3]),
        (["fc", "conv1"], ("conv1", "fc")),
        (["conv*", "!conv2"], ("conv1", "conv3")),
        (["*[13]"], ("conv1", "conv3")),
    ],
)
def test_layers_by_name_and_pattern(layers, kept):
    runs = nets(3, noise=2)
    res = found(runs, measures=["cka"], layers=layers)
    assert res.layers == kept
    only = {net: {name: each[name] for name in kept} for net, each in runs.items()}
    np.testing.assert_array_equal(res["cka"].won, found(only, measures=["cka"])["cka"].won)


def test_a_layer_that_is_left_out_is_not_looked_at(tmp_path):
    for seed in range(2):
        torch.manual_seed(seed)
        vv.extract(
            net(seed),
            [torch.randn(20, 6, generator=torch.Generator().manual_seed(0))],
            into=tmp_path / f"seed{seed}",
            progress=False,
        )
    stored = vv.load(tmp_path / "seed0")
    kept = stored.select(["2", "0"])
    assert list(kept) == ["2", "0"]
    assert isinstance(kept.layers, vv.results.Lazy)
    np.testing.assert_array_equal(kept["2"], stored["2"])
    with pytest.raises(KeyError, match="'no' is not among"):
        stored.select(["no"])
    res = found([tmp_path / "seed0", tmp_path / "seed1"], layers=["0", "2"], measures=["cka"])
    assert res.layers == ("0", "2")


# How it is computed.


def test_each_layer_is_prepared_once_for_all_pairs(work):
    found(nets(5), measures=["cka", "cka(estimator=biased)"])
    assert len(work) == 5 * 4


@pytest.fixture
def work(monkeypatch):
    """What is prepared while the test runs."""
    from visavis.measures import Preparation

    prepared = []
    original = Preparation.__init__

    def counting(self, key, run, *others, **facts):
        def counted(X):
            prepared.append(key)
            return run(X)

        original(self, key, counted, *others, **facts)

    monkeypatch.setattr(Preparation, "__init__", counting)
    return prepared


def test_memory_executor_and_checkpoint_reach_the_comparison(tmp_path):
    runs = nets(3, noise=2, n=200)
    expected = found(runs, measures=["cka", "linear_regression"])
    with ThreadPoolExecutor(2) as pool:
        res = found(
            runs,
            measures=["cka", "linear_regression"],
            memory="2MB",
            executor=pool,
            checkpoint=tmp_path / "kept",
        )
    assert list((tmp_path / "kept").iterdir())
    for name, each in res.items():
        np.testing.assert_array_equal(each.won, expected[name].won)


def test_samples_are_joined_by_id():
    runs = nets(3, n=60)
    rows = {"seed0": range(60), "seed1": range(59, 9, -1), "seed2": range(0, 60, 2)}
    acts = {
        name: vv.Activations({k: X[list(rows[name])] for k, X in each.items()}, ids=rows[name])
        for name, each in runs.items()
    }
    res = found(acts, measures=["cka"], align="inner")
    assert res.n == 25
    assert "VV001" in {finding.code for finding in res.findings}
    assert found(acts, measures=["cka"], align="inner", silenced=["VV001", "VV002"]).findings == ()


# What it must refuse.


def ids(*, start):
    return vv.Activations(nets(1)["seed0"], ids=range(start, start + 60))


@pytest.mark.parametrize(
    ("runs", "options", "error", "match"),
    [
        (nets(1), {}, ValueError, r"layer_correspondence: `runs` must hold two nets at least, got"),
        ({}, {}, ValueError, r"`runs` must hold two nets at least, got none"),
        ("a.npz", {}, ValueError, r"hold two nets at least, got one"),
        (["a.npz", "a.npz"], {}, ValueError, r"`paths` must be different ones, got 'a.npz' twice"),
        ([net(0), net(1)], {}, TypeError, r"or be a sequence of paths, got list\. Name them"),
        (
            {"a": net(0), "b": net(1)},
            {},
            TypeError,
            r"`runs\['a'\]` must be Activations.*got Sequential\. Models come with.*data=loader",
        ),
        (nets(2), {"pool": "gap"}, TypeError, r"`pool` must come with models and what they are"),
        (
            {("a", "b"): np.eye(3)},
            {},
            TypeError,
            r"got pairs of nets\. Finished tables: table_correspondence\(tables",
        ),
        (nets(1)["seed0"], {}, TypeError, r"`runs\['conv1'\]` must be Activations, a mapping from"),
        (
            nets(1) | {"other": {"conv1": np.ones((60, 2)), "conv9": np.ones((60, 2))}},
            {},
            ValueError,
            r"layers of the same names in every net, got 'conv2' in 'seed0' and not in 'other'\. "
            r"Choose common ones with layers=.*nearest_layers\(runs\)",
        ),
        (
            {"a": {"x": np.eye(9), "y": np.eye(9)}, "b": {k: np.eye(9) for k in "xyz"}},
            {},
            ValueError,
            r"got 'z' in 'b' and not in 'a'",
        ),
        (nets(2), {"layers": "fc"}, ValueError, r"must have two layers or more, got 'fc' alone"),
        (
            nets(2),
            {"layers": ["conv*", "cnv3"]},
            vv.LayerNotFoundError,
            r"match one of the 4 layers, got 'cnv3'\. Nearest: conv3",
        ),
        (nets(2), {"layers": ["fc", "!fc"]}, vv.LayerNotFoundError, r"leave a layer of each net"),
        (nets(2), {"measures": "cka"}, TypeError, r"be a sequence of measures, or a mapping"),
        (nets(2), {"measures": []}, TypeError, r"be a sequence of measures, or a mapping"),
        (nets(2), {"measures": ["cka", "cka"]}, ValueError, r"`measures` must name each once"),
        (nets(2), {"measures": ["ckaa"]}, ValueError, r"name a measure, got 'ckaa'"),
        (
            nets(1) | {"b": {k: X[:50] for k, X in nets(1)["seed0"].items()}},
            {},
            vv.SampleMismatchError,
            r"`seed0` and `b` must describe the same samples, got 60 and 50 rows",
        ),
        (
            {"a": ids(start=0), "b": ids(start=1)},
            {},
            vv.SampleMismatchError,
            r"`a` and `b` must have the same ids row by row",
        ),
    ],
)
def test_refusals(runs, options, error, match):
    with pytest.raises(error, match=match):
        found(runs, **{"measures": ["cka"], **options})


def test_finished_comparisons_take_no_data_and_no_measure_that_they_lack():
    compared = vv.compare(nets(2))
    with pytest.raises(ValueError, match=r"among the comparisons: cka, got cca"):
        found(compared, measures=["cca"])
    with pytest.raises(TypeError, match=r"`data` must be left out beside finished comparisons"):
        found(compared, data=[1])
