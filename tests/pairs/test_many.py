"""Many models: the values of each two of them, by the same work, on the same samples."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.pairs.tables import compared
from torch import nn

import visavis as vv
from visavis import Activations, Finding, ModelComparison, SampleMismatchError
from visavis.store import writer

N = 40
MEASURES = ["cka", "cka(kernel=rbf)", "procrustes", "linear_regression", "mutual_knn(k=5)"]


def model(seed, names=("conv", "fc"), n=N, dtype="float64"):
    """Layers that are related to those of the same name in other models."""
    made = {}
    for number, name in enumerate(names):
        X, Y = related(n=n, p=5, q=4 + seed, seed=number)
        noise = np.random.default_rng(seed).normal(size=Y.shape)
        made[name] = (Y + noise + X[:, :1]).astype(dtype)
    return made


def seeds(count=3, **options):
    return {f"seed{seed}": model(seed, **options) for seed in range(count)}


# Values.


@pytest.mark.parametrize("measure", MEASURES)
def test_values_of_each_two_are_those_of_two(measure):
    runs = seeds() | {"other": model(7, ("fc", "head", "conv"))}
    res = compared(runs, measure=measure)
    assert isinstance(res, ModelComparison)
    assert res.layers == {name: tuple(layers) for name, layers in runs.items()}
    for a in runs:
        for b in runs:
            two = compared(runs[a], runs[b], measure=measure)
            np.testing.assert_allclose(res[a, b].values, two.values, rtol=1e-11, atol=1e-12)
            assert (res[a, b].rows, res[a, b].cols) == (two.rows, two.cols)
            assert res[a, b].scale == two.scale
            if two.chance is not None:
                np.testing.assert_allclose(res[a, b].chance, two.chance, rtol=1e-11, atol=1e-12)


def test_several_measures():
    res = compared(seeds(), measures=MEASURES)
    assert list(res) == [each.measure for each in res.values()]
    assert list(res)[:1] == ["cka"]
    for name, each in res.items():
        np.testing.assert_array_equal(each.values, compared(seeds(), measure=name).values)


def test_each_layer_is_prepared_once_and_each_two_meet_once(work):
    prepared, met = work
    compared(seeds(4))
    assert len(prepared) == 8
    assert len(met) == len(set(met)) == 8 * 9 / 2


def test_each_two_layers_meet_both_ways_in_a_directed_measure(work):
    prepared, met = work
    res = compared(seeds(3), measure="linear_regression")
    assert len(prepared) == 6
    assert len(met) == len(set(met)) == 36
    assert res["seed0", "seed1"]["fc", "fc"] != res["seed1", "seed0"]["fc", "fc"]


def test_one_model_twice():
    acts = Activations(model(0), ids=range(N))
    res = compared({"a": acts, "b": acts})
    np.testing.assert_array_equal(res["a", "b"].values, res["a", "a"].values)


def test_a_dead_layer_is_told_with_its_model():
    runs = seeds()
    runs["seed1"]["fc"] = np.ones((N, 3))
    res = compared(runs)
    (finding,) = [each for each in res.findings if each.code == "VV006"]
    assert finding.message.startswith("Layer seed1/fc must vary over the samples")
    assert finding.layers == ("seed1/fc",)
    missing = np.isnan(res.between().values)
    np.testing.assert_array_equal(missing, [[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    assert np.isfinite(res.without("seed1/fc").between().values).all()


# What a model may be.


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Two stores of several shards."""
    monkeypatch.setattr(writer, "SHARD_BYTES", 2_000)
    loader = list(torch.randn(N, 6, generator=torch.Generator().manual_seed(0)).split(10))
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5))
        vv.extract(net, loader, into=tmp_path / f"run{seed}", progress=False)
    return tmp_path / "run1", tmp_path / "run2"


@pytest.fixture
def mixed(stores, tmp_path):
    """Models of any kind: stores, a file, a mapping, activations."""
    np.savez(tmp_path / "file.npz", **model(0, dtype="float32"))
    return {
        "store": stores[0],
        "other": str(stores[1]),
        "file": tmp_path / "file.npz",
        "mapping": {name: torch.tensor(X) for name, X in model(1).items()},
        "activations": Activations(model(2)),
    }


def held(models):
    """The same models in memory."""
    return {
        name: {
            layer: np.asarray(X)
            for layer, X in (vv.load(each) if isinstance(each, str | Path) else each).items()
        }
        for name, each in models.items()
    }


def test_models_of_any_kind(mixed):
    res = compared(mixed, measure="procrustes")
    expected = compared(held(mixed), measure="procrustes")
    assert res.layers == expected.layers
    np.testing.assert_array_equal(res.values, expected.values)


def test_models_of_any_kind_in_little_memory_on_threads_and_kept(mixed, tmp_path):
    options = {"measure": "cka(kernel=rbf)", "checkpoint": tmp_path / "kept"}
    with ThreadPoolExecutor(2) as executor:
        res = compared(mixed, memory="20MB", executor=executor, **options)
        again = compared(mixed, memory="20MB", executor=executor, **options)
    assert list((tmp_path / "kept").iterdir())
    np.testing.assert_array_equal(again.values, res.values)
    expected = compared(held(mixed), measure="cka(kernel=rbf)")
    np.testing.assert_allclose(res.values, expected.values, rtol=1e-5, atol=1e-6)


def test_stores_are_read_when_they_are_needed(stores, monkeypatch):
    read = []
    original = vv.load(stores[0]).layers.__class__.__getitem__

    def counting(self, layer):
        read.append(layer)
        return original(self, layer)

    monkeypatch.setattr(vv.load(stores[0]).layers.__class__, "__getitem__", counting)
    models = {each.name: each for each in stores}
    vv.plan(models)
    assert read == []
    compared(models)
    assert sorted(read) == sorted([*vv.load(stores[0])] * 2)


def test_stores_have_a_checksum_together_and_arrays_have_none(stores):
    from visavis.pairs import many

    def checksum(models):
        return many.together(many.opened(models)).layers.checksum

    a, b = stores
    found = checksum({"a": a, "b": b})
    assert found == checksum({"a": a, "b": b})
    assert found not in (checksum({"b": a, "a": b}), checksum({"a": a, "b": a}), None)
    assert checksum({"a": a, "b": model(0)}) is None


def test_paths_are_told_and_can_be_called_again(stores):
    res = compared({"one": stores[0], "two": stores[1]}, measure="procrustes")
    assert res.provenance["call"] == (
        "visavis.compare({'one': 'run1', 'two': 'run2'}, measure='procrustes')"
    )
    assert compared(seeds()).provenance["call"] == "visavis.compare(models, measure='cka')"


def test_provenance_is_that_of_each_model():
    runs = seeds(2)
    a = Activations(runs["seed0"], ids=range(N), pool="gap", provenance={"model": "resnet"})
    res = compared({"a": a, "b": runs["seed1"]})
    one, other = res.provenance["sides"]
    assert (one["name"], one["model"], one["pool"], one["samples"]) == (
        "a",
        "resnet",
        "gap",
        "by id",
    )
    assert (other["name"], other["samples"]) == ("b", "by position")
    assert one["layers"]["conv"] == {"shape": [N, 4], "dtype": "float64"}
    json.dumps(res.to_dict(), allow_nan=False)


def test_what_was_noticed_of_models_is_told_once_with_their_names():
    training = Finding("VV013", "A module is in training mode.", layers=("fc",))
    runs = {
        name: Activations(each, findings=(training,) if name != "seed1" else ())
        for name, each in seeds().items()
    }
    (found,) = [each for each in compared(runs).findings if each.code == "VV013"]
    assert found.message == "seed0, seed2: A module is in training mode."
    assert found.layers == ("seed0/fc", "seed2/fc")


def test_half_precision_is_told_once():
    found = [each for each in compared(seeds(dtype="float16")).findings if each.code == "VV015"]
    assert [each.message for each in found] == [
        "6 of 6 layers of all models are in half precision; they are compared in float32."
    ]
    assert "seed2/fc" in found[0].layers


# Which models are many, and which are not.


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"a": model(0)}, r"`a` must hold two models at least, got one\.$"),
        ({"a/b": model(0), "c": model(1)}, r"must have a name of its own .*, got 'a/b'\.$"),
        ({"": model(0), "c": model(1)}, r"without a slash, got ''\.$"),
        ({1: model(0), "1": model(1)}, r"got '1'\.$"),
    ],
)
def test_models_that_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        compared(models)
    with pytest.raises(ValueError, match=message):
        vv.plan(models)


def test_names_that_are_no_text():
    assert compared({0: model(0), 1: model(1)}).models == ("0", "1")


def test_many_models_and_a_second_side_are_refused():
    with pytest.raises(TypeError, match="a mapping to mappings"):
        compared(seeds(), model(0))


def test_many_models_have_their_names():
    with pytest.raises(ValueError, match="`names` must be left out for many models, which have"):
        compared(seeds(), names=("x", "y"))


@pytest.mark.parametrize(
    "wrong",
    [{"a": model(0), "b": np.ones((N, 3))}, {"a": model(0), "b": {"x": model(0)}}],
    ids=[0, 1],
)
def test_models_are_no_layers(wrong):
    with pytest.raises(TypeError, match="a mapping to mappings"):
        compared(wrong)


def test_layers_named_with_slashes():
    runs = {name: {"block/fc": each["fc"]} for name, each in seeds().items()}
    res = compared(runs)
    assert res["seed0", "seed1"].rows == ("block/fc",)
    plain = compared({name: {"fc": each["fc"]} for name, each in seeds().items()})
    np.testing.assert_array_equal(res.values, plain.values)


def test_too_few_samples():
    with pytest.raises(ValueError, match="VV002 compare: `a` and `b` must have at least 4 samples"):
        compared(seeds(n=3))


# Samples that correspond.


def taken(seed, rows, ids=True, **facts):
    layers = {name: X[list(rows)] for name, X in model(seed).items()}
    return Activations(layers, ids=[f"img{row}" for row in rows] if ids else None, **facts)


def test_three_models_on_other_samples_are_joined_on_those_of_all():
    rows = [range(30), range(39, 4, -1), [*range(0, N, 2), 7]]
    runs = {f"seed{k}": taken(k, each) for k, each in enumerate(rows)}
    common = [row for row in range(30) if all(row in each for each in rows)]
    res = compared(runs, align="inner")
    assert res.n == len(common) == 13
    expected = compared({f"seed{k}": taken(k, common) for k in range(3)})
    np.testing.assert_array_equal(res.values, expected.values)
    (found,) = [each for each in res.findings if each.code == "VV001"]
    assert found.message == (
        "joined by id: 13 samples are common to all 3 models, which have 21 to 35."
    )
    assert found.evidence == {
        "kept": 13,
        "dropped_seed0": 17,
        "dropped_seed1": 22,
        "dropped_seed2": 8,
    }
    assert res.provenance["call"].endswith("measure='cka', align='inner')")


def test_models_on_the_same_samples_are_joined_as_they_are():
    runs = {f"seed{k}": taken(k, range(30)) for k in range(3)}
    res = compared(runs, align="inner")
    assert [each.code for each in res.findings] == ["VV002"]
    np.testing.assert_array_equal(res.values, compared(runs).values)


def test_the_same_samples_in_another_order_are_joined():
    runs = {"a": taken(0, range(30)), "b": taken(1, range(29, -1, -1))}
    res = compared(runs, align="inner")
    expected = compared({"a": taken(0, range(30)), "b": taken(1, range(30))})
    np.testing.assert_array_equal(res.values, expected.values)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [range(30), range(30), range(1, 31)],
            r"VV001 compare: `m0` and `m2` must have the same ids row by row, got 1 of 30 ids "
            r"that `m2` lacks \('img0'\)",
        ),
        ([range(30), range(29, -1, -1)], "got the same 30 ids in another order"),
    ],
)
def test_other_samples_are_refused(rows, message):
    runs = {f"m{k}": taken(k, each) for k, each in enumerate(rows)}
    for asked in (compared, vv.plan):
        with pytest.raises(SampleMismatchError, match=message):
            asked(runs)


def test_a_model_without_ids_does_not_hide_that_others_differ():
    runs = {
        "none": taken(0, range(30), ids=False),
        "up": taken(1, range(30)),
        "down": taken(2, range(29, -1, -1)),
    }
    with pytest.raises(SampleMismatchError, match="`up` and `down` must have the same ids"):
        compared(runs)
    assert compared({name: runs[name] for name in ("none", "up")}).n == 30


def test_a_shuffled_loader_is_found_out_between_any_two():
    digests = [f"d{row}" for row in range(30)]
    runs = {
        "plain": taken(0, range(30), ids=False),
        "up": taken(1, range(30), ids=False, digests=digests),
        "down": taken(2, range(30), ids=False, digests=digests[::-1]),
    }
    with pytest.raises(SampleMismatchError, match=r"VV007 .* rows differ between up and down:"):
        compared(runs)


def test_counts_that_differ_are_refused():
    runs = {"a": taken(0, range(30), ids=False), "b": taken(1, range(20), ids=False)}
    with pytest.raises(SampleMismatchError, match=r"`a` and `b` must .* got 30 and 20 rows"):
        compared(runs)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (
            {"a": taken(0, range(30)), "b": taken(1, range(30), ids=False)},
            r'must have ids to be joined with align="inner", got none for b\. Pass ids',
        ),
        (
            {"a": taken(0, range(20)), "b": taken(1, range(10, 40)), "c": taken(2, range(20, 40))},
            r"must have samples in common, got no id that all 3 models have\.",
        ),
    ],
    ids=["no ids", "nothing in common"],
)
def test_what_cannot_be_joined(runs, message):
    with pytest.raises(SampleMismatchError, match=message):
        compared(runs, align="inner")


def test_an_unknown_way_to_align():
    with pytest.raises(ValueError, match="`align` must be one of 'strict', 'inner', got 'outer'"):
        compared(seeds(), align="outer")


def test_repeated_inputs_are_told():
    digests = [f"d{row // 2}" for row in range(30)]
    runs = {
        "a": taken(0, range(30)),
        "b": taken(1, range(30), digests=digests),
    }
    assert "VV016" in {each.code for each in compared(runs).findings}


# Plans.


def planned(*sides, **options):
    """A plan, without the speed that was measured for it."""
    return replace(vv.plan(*sides, **options), rate=1.0)


def test_a_plan_of_many_is_that_of_all_layers():
    layers = [X for each in seeds(4).values() for X in each.values()]
    assert planned(seeds(4)) == planned({str(k): X for k, X in enumerate(layers)})


def test_a_plan_of_those_that_all_have():
    runs = {f"seed{k}": taken(k, range(k, 30)) for k in range(3)}
    expected = planned({f"seed{k}": taken(k, range(2, 30)) for k in range(3)})
    assert planned(runs, align="inner") == expected


def test_a_plan_of_two_knows_which_samples_they_have():
    a, b = taken(0, range(30)), taken(1, range(5, 40))
    with pytest.raises(SampleMismatchError, match="VV001"):
        vv.plan(a, b)
    expected = planned(taken(0, range(5, 30)), taken(1, range(5, 30)))
    assert planned(a, b, align="inner") == expected
