"""Intervals of all pairs of layers: those of `jackknife`, pair by pair."""

import numpy as np
import pytest
import torch
from tests.pairs.conftest import layers

import visavis as vv
from visavis.inference import jackknife, layer_intervals


@pytest.mark.parametrize("measure", ["cka", "cka(kernel=rbf)", "cka(kernel=(linear, cosine))"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("level", [0.95, 0.5])
def test_every_pair_is_that_of_the_jackknife(measure, dtype, level):
    a, b = layers(n=80, dtype=dtype)
    found = layer_intervals(a, b, measure=measure, level=level)
    tolerance = 1e-9 if dtype == "float64" else 2e-5
    for i, X in enumerate(a.values()):
        for j, Y in enumerate(b.values()):
            one = jackknife(X, Y, measure=measure, level=level)
            expected = [one.value, one.low, one.high, one.standard_error]
            seen = [
                float(each[i, j])
                for each in (found.values, found.low, found.high, found.standard_error)
            ]
            assert seen == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert (found.rows, found.cols, found.n, found.level) == (tuple(a), tuple(b), 80, level)


def test_a_layer_with_itself_is_sure():
    a, _ = layers(n=40)
    found = layer_intervals(a, a)
    for each in (found.values, found.low, found.high):
        np.testing.assert_allclose(np.diag(each), 1, rtol=1e-12)


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_the_scale_of_a_layer_does_not_matter(factor):
    a, b = layers(n=40)
    moved = {**a, "conv1": a["conv1"] * factor}
    np.testing.assert_allclose(
        layer_intervals(moved, b).high, layer_intervals(a, b).high, rtol=1e-9
    )


def test_torch():
    a, b = layers(n=40)
    found = layer_intervals(*({k: torch.tensor(X) for k, X in side.items()} for side in (a, b)))
    np.testing.assert_allclose(found.low, layer_intervals(a, b).low, rtol=1e-9)


def test_mistakes():
    a, b = layers(n=40)
    with pytest.raises(ValueError, match="`level` must lie between 0 and 1, got 95"):
        layer_intervals(a, b, level=95)
    with pytest.raises(ValueError, match="must be debiased cka"):
        layer_intervals(a, b, measure="procrustes")
    with pytest.raises(vv.DegenerateInputError, match="`fc` must vary"):
        layer_intervals({**a, "fc": np.ones((40, 3))}, b)
    with pytest.raises(ValueError, match="40 and 39 rows"):
        layer_intervals(a, {name: X[1:] for name, X in b.items()})
