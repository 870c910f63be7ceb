"""Comparisons straight from models: exact, on disk where they are many, and by batches."""

import math
import sys
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pytest
import torch
from tests import oracles
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import visavis as vv
from visavis.kernels import rbf
from visavis.stats import Minibatches


def net(seed, width=8):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, width, 3), nn.ReLU(), nn.Conv2d(width, 5, 3), nn.Flatten(), nn.Linear(80, 4)
    )


X = torch.randn(70, 1, 8, 8, generator=torch.Generator().manual_seed(0))
CONVS = ["0", "2", "4"]


def compared(*given, **options):
    return vv.compare(*given, progress=False, **options)


def by_hand(a, b, sizes, kernel=oracles.linear):
    """The ratio of summed HSIC₁, batch by batch, from its definition."""
    start, sums = 0, np.zeros((3, len(a), len(b)))
    for size in sizes:
        rows = slice(start, start + size)
        start += size
        for i, x in enumerate(a.values()):
            for j, y in enumerate(b.values()):
                x_, y_ = (np.asarray(Z[rows]).reshape(size, -1).astype(float) for Z in (x, y))
                pairs = ((x_, y_), (x_, x_), (y_, y_))
                sums[:, i, j] += [size * oracles.hsic(u, v, kernel=kernel) for u, v in pairs]
    return sums[0] / np.sqrt(sums[1] * sums[2])


@pytest.fixture(scope="module")
def acts():
    return vv.extract({"a": net(0), "b": net(1)}, X, CONVS, progress=False)


@pytest.mark.parametrize("measure", ["cka", "procrustes", "cka(kernel=rbf)"])
def test_exact_is_what_extraction_and_comparison_give(measure, acts):
    found = compared(net(0), net(1), X, layers=CONVS, measure=measure)
    expected = compared(acts["a"], acts["b"], measure=measure)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6)
    assert (found.rows, found.cols) == (expected.rows, expected.cols)


def test_on_disk_and_gone_afterwards(acts, monkeypatch):
    before = set(Path(gettempdir()).glob("visavis-*"))
    monkeypatch.setattr(sys.modules["visavis.pairs.live"], "HELD_BYTES", 1000)
    found = compared(net(0), net(1), X, layers=CONVS)
    np.testing.assert_allclose(found.values, compared(acts["a"], acts["b"]).values, rtol=1e-6)
    # A generator does not say how long it is.
    stream = (batch for batch in X.split(16))
    found = compared(net(0), net(1), stream, layers=CONVS)
    np.testing.assert_allclose(found.values, compared(acts["a"], acts["b"]).values, rtol=1e-6)
    assert set(Path(gettempdir()).glob("visavis-*")) == before


@pytest.mark.parametrize("size", [70, 16, 67, 13])
@pytest.mark.parametrize("kernel", [None, rbf(0.5)], ids=["linear", "rbf"])
def test_minibatch_is_the_ratio_of_sums(size, kernel, acts):
    measure = vv.registry["cka"].with_options(**({"kernel": kernel} if kernel else {}))
    found = compared(
        net(0), net(1), X, layers=CONVS, batch_size=size, form="minibatch", measure=measure
    )
    # A last batch of fewer than four rows joins the one before it.
    sizes = {70: [70], 16: [16, 16, 16, 16, 6], 67: [70], 13: [13] * 5 + [5]}[size]
    slow = by_hand(acts["a"], acts["b"], sizes, oracles.rbf(0.5) if kernel else oracles.linear)
    np.testing.assert_allclose(found.values, slow, rtol=2e-6)
    assert found.n == 70
    assert found.plan == {"form": "minibatch", "batches": len(sizes)}
    assert np.isnan(found.standard_error).all() == (len(sizes) == 1)


def test_one_batch_is_exact(acts):
    one = compared(net(0), net(1), X, layers=CONVS, batch_size=70, form="minibatch")
    np.testing.assert_allclose(one.values, compared(acts["a"], acts["b"]).values, rtol=2e-6)


def test_a_model_with_itself_runs_once():
    model, calls = net(0), []
    model.register_forward_hook(lambda *_: calls.append(1))
    for form in ("exact", "minibatch"):
        calls.clear()
        res = compared(model, None, DataLoader(TensorDataset(X), 35), layers=CONVS, form=form)
        # Once more for the first batch, which says how large the whole will be.
        assert len(calls) <= (3 if form == "exact" else 2)
        np.testing.assert_allclose(np.diag(res.values), 1, rtol=1e-6)
        assert res.of_itself


def test_a_shuffled_loader_feeds_both():
    loader = DataLoader(TensorDataset(X), 20, shuffle=True)
    for form in ("exact", "minibatch"):
        res = compared(net(0), net(0), loader, layers=CONVS, form=form)
        np.testing.assert_allclose(np.diag(res.values), 1, rtol=1e-5)


@pytest.mark.parametrize("form", ["exact", "minibatch"])
def test_several_measures_share_one_pass(form):
    a, b, passes = net(0), net(1), []

    def once():
        passes.append(1)
        yield from X.split(20)

    measures = ["cka", "hsic", "cka(kernel=rbf)"]
    found = compared(a, b, once(), layers=CONVS, form=form, measures=measures)
    assert len(passes) == 1
    for measure in measures:
        alone = compared(a, b, X, layers=CONVS, form=form, measure=measure, batch_size=20)
        np.testing.assert_allclose(found[measure].values, alone.values, rtol=1e-6)


def test_the_standard_error_is_that_of_other_draws():
    generator = torch.Generator().manual_seed(3)
    values, errors = [], []
    for _ in range(60):
        data = torch.randn(160, 1, 8, 8, generator=generator)
        res = compared(net(0), net(1), data, layers=["0"], batch_size=16, form="minibatch")
        values.append(res.values[0, 0])
        errors.append(res.standard_error[0, 0])
    # The standard deviation of 60 draws is known to 10 %.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.35)


def test_batches_may_be_merged_in_any_way():
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(n, 5)) for n in (8, 9, 4, 12)]
    kernels = (vv.kernels.linear(), vv.kernels.linear())
    states = [Minibatches().update([x, x**2], [x + 1, np.abs(x)], kernels) for x in batches]
    whole = Minibatches()
    for x in batches:
        whole = whole.update([x, x**2], [x + 1, np.abs(x)], kernels)
    left = states[0].merge(states[1]).merge(states[2].merge(states[3]))
    for one, other in zip(whole.cka(), left.cka(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert whole.n == 33


def test_hsic_is_in_the_units_of_the_features():
    scaled = [X * 1e-12, X * 1e12]
    for data in scaled:
        res = compared(
            nn.Sequential(nn.Flatten(), nn.Identity()),
            None,
            data.double(),
            layers=["1"],
            batch_size=35,
            form="minibatch",
            measure="hsic",
        )
        parts = data.double().numpy().reshape(2, 35, -1)
        expected = np.mean([oracles.hsic(part, part) for part in parts])
        assert res.values[0, 0] == pytest.approx(expected, rel=1e-9)


def test_a_dead_layer_is_a_finding():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.Linear(6, 3))
    nn.init.zeros_(model[2].weight)
    res = compared(model, net(0), X, layers=["1", "2"], batch_size=20, form="minibatch")
    assert np.isnan(res.values[1]).all()
    assert np.isfinite(res.values[0]).all()
    assert any(each.code == "VV006" and each.layers == ("2",) for each in res.findings)


def test_what_is_kept_with_it(tmp_path):
    res = compared(net(0), net(1), X, layers=CONVS, batch_size=20, form="minibatch")
    again = vv.Comparison.load(res.save(tmp_path / "r.json"))
    np.testing.assert_array_equal(again.standard_error, res.standard_error)
    assert res.to_xarray()["standard_error"].shape == (3, 3)


@pytest.mark.parametrize("measure", ["cka(estimator=biased)", "procrustes"])
def test_what_cannot_be_added_up(measure):
    with pytest.raises(ValueError, match="be debiased cka or hsic, which batches can be added up"):
        compared(net(0), net(1), X, form="minibatch", measure=measure)


def test_mistakes(acts):
    with pytest.raises(TypeError, match="`layers` must come with models and a loader"):
        compared(acts["a"], acts["b"], layers="0")
    with pytest.raises(ValueError, match="`form` must be one of 'exact', 'minibatch'"):
        compared(net(0), net(1), X, form="fast")
    with pytest.raises(ValueError, match="at least 4 rows, got 3"):
        compared(net(0), net(1), X[:3], layers=CONVS, form="minibatch")
    with pytest.raises(ValueError, match="give at least one batch, got none"):
        compared(net(0), net(1), [], form="minibatch")


def test_models_without_a_loader():
    with pytest.raises(TypeError, match=r"Of models: .*compare\(model_a, model_b, loader\)"):
        compared(net(0), net(1))


def test_little_memory_is_enough():
    found = compared(net(0), net(1), X, layers=CONVS, memory="300kB")
    assert found.plan["form"] == "tiles"
    assert math.isfinite(found.values.sum())
