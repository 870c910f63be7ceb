"""A score without its strongest rows, without its strongest directions, and z-scored."""

import numpy as np
import pytest
import torch
from tests.data_makers import dead_columns, decaying, related
from tests.oracles import diagnosis as oracle
from tests.oracles import exact

import visavis as vv
from visavis.inference import robustness
from visavis.inference.robustness import constant_features, z_scored


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("k", [1, 2])
def test_without_directions(estimator, k):
    X, Y = decaying(n=30)
    found = robustness(X, Y, measure=f"cka(estimator={estimator})", directions=k)
    left = (oracle.without_directions(Z, k) for Z in (X, Y))
    assert found.without_directions == pytest.approx(
        exact.cka(*left, estimator=estimator), rel=1e-7
    )
    assert found.value == pytest.approx(exact.cka(X, Y, estimator=estimator), rel=1e-9)
    assert found.directions == k


def test_standardised():
    X, Y = decaying(n=30)
    scaled = [(Z - Z.mean(0)) / Z.std(0) for Z in (X, Y)]
    expected = exact.cka(*scaled, estimator="debiased")
    assert robustness(X, Y).standardised == pytest.approx(expected, rel=1e-9)


def test_standardised_leaves_dead_features_dead():
    X, Y = dead_columns(n=30)
    scaled = [(Z[:, 2:] - Z[:, 2:].mean(0)) / Z[:, 2:].std(0) for Z in (X, Y)]
    expected = exact.cka(*scaled, estimator="debiased")
    assert robustness(X, Y).standardised == pytest.approx(expected, rel=1e-9)
    single = z_scored((X + 1e4).astype("float32"))
    assert np.all(single[:, :2] == 0)
    np.testing.assert_allclose(single[:, 2:].std(0), 1, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_standardised_at_any_scale(scale):
    X, Y = related(n=30)
    assert robustness(scale * X, Y).standardised == pytest.approx(robustness(X, Y).standardised)
    assert not constant_features(scale * X).any()


def test_without_rows_is_explicit_removal():
    X, Y = related(n=60, p=4, q=3)
    Y[[7, 40]] += 50
    found = robustness(X, Y, rows=0.03)
    assert found.rows == (7, 40)
    rest = np.delete(np.arange(60), found.rows)
    assert found.without_rows == pytest.approx(exact.cka(X[rest], Y[rest], estimator="debiased"))
    assert found.to_dict()["rows"] == [7, 40]


def test_a_group_of_alike_outliers_is_found_though_each_hides_the_others():
    X = np.random.default_rng(0).normal(size=(400, 20))
    Y = X.copy()
    Y[10:14] += 40
    found = robustness(X, Y)
    assert found.rows == (10, 11, 12, 13)
    assert found.without_rows == pytest.approx(1)
    assert found.value < 0.2


def test_nothing_is_left():
    X, Y = related(n=20, p=1, q=3)
    found = robustness(X, Y)
    assert found.without_directions is None
    assert found.standardised is not None
    # Nor of what is one direction but for the rounding of single precision.
    flat = (X * np.ones((1, 5)) * np.arange(1, 6)).astype("float32")
    assert robustness(flat, Y.astype("float32")).without_directions is None


def test_kernels_and_torch():
    X, Y = decaying(n=30)
    here = robustness(X, Y, measure="cka(kernel=rbf)")
    there = robustness(torch.tensor(X), torch.tensor(Y), measure="cka(kernel=rbf)")
    for name, value in vars(here).items():
        assert getattr(there, name) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rows": 1.0}, "`rows` must lie between 0 and 1"),
        ({"rows": 0.9}, "must have at least 32 rows, got 30"),
        ({"directions": 0}, "`directions` must be a whole number"),
        ({"measure": "cca"}, "`measure` must be cka"),
        ({"measure": "cka(kernel=precomputed)"}, "`measure` must have a kernel of features"),
    ],
)
def test_refusals(options, match):
    X, Y = related(n=30)
    with pytest.raises(ValueError, match=f"robustness: .*{match}"):
        robustness(X, Y, **options)


def test_dead_side():
    with pytest.raises(vv.DegenerateInputError, match="robustness: `Y` must vary"):
        robustness(related(n=30)[0], np.ones((30, 3)))
