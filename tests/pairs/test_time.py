"""Moment by moment: windows, names, and what each is compared with."""

import numpy as np
import pytest
import torch

import visavis as vv

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4, 7))
Y = RNG.normal(size=(30, 3, 5)) + X[:, :3, :5]


@pytest.mark.parametrize("measure", ["rsa", "cka"])
def test_each_moment_with_each(measure):
    res = vv.over_time(X, Y, measure=measure)
    function = getattr(vv, measure)
    expected = [[float(function(X[:, :, s], Y[:, :, t])) for t in range(5)] for s in range(7)]
    np.testing.assert_allclose(res.values, expected, rtol=1e-10)
    assert res.rows == tuple("0123456")


def test_windows_take_channels_together():
    res = vv.over_time(X, Y, measure="cka", window=3, step=2, times=None)
    assert (res.rows, res.cols) == (("0", "2", "4"), ("0", "2"))
    one = vv.cka(X[:, :, 2:5].reshape(30, -1), Y[:, :, 0:3].reshape(30, -1))
    assert res["2", "0"] == pytest.approx(float(one), rel=1e-10)


def test_a_model_has_no_time():
    model = RNG.normal(size=(30, 6))
    res = vv.over_time(torch.tensor(X), torch.tensor(model), times=range(-20, 50, 10))
    assert res.cols == ("Y",)
    assert res.rows == ("-20", "-10", "0", "10", "20", "30", "40")
    assert res["-10", "Y"] == pytest.approx(float(vv.rsa(X[:, :, 1], model)), rel=1e-10)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ((X[:, :, 0], Y), {}, r"`X` must be 3-D \(samples, channels, moments\), got shape \(30, 4"),
        ((X, Y[0]), {}, "must .*rows"),
        ((X, Y), {"window": 6}, "`window` must be at most the 5 moments of `Y`, got 6"),
        ((X, Y), {"window": 0}, "`window` must be a whole number"),
        ((X, X), {"times": [1, 2]}, "`times` must name each of the 7 moments of `X` once, got 2"),
        ((X, X), {"times": [1] * 7}, "got 1 names"),
    ],
)
def test_mistakes(given, options, message):
    with pytest.raises(ValueError, match=message):
        vv.over_time(*given, **options)
