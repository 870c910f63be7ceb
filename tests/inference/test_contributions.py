"""What each row and each direction brings: by definition, by identities, by removal."""

import numpy as np
import pytest
import torch
from tests.data_makers import decaying, related
from tests.oracles import diagnosis as oracle
from tests.oracles import exact

import visavis as vv
from visavis.inference import direction_contributions, row_contributions

# The first goes through the features, the second through the Gram matrices.
SHAPES = {"narrow": {"n": 14, "p": 3, "q": 2}, "wide": {"n": 8, "p": 300, "q": 250}}
ESTIMATORS = ["debiased", "biased"]
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


@each_shape
@each_estimator
def test_parts_are_those_of_the_definition_and_add_up_to_the_value(shape, estimator):
    X, Y = related(**shape)
    found = row_contributions(X, Y, measure=f"cka(estimator={estimator})")
    np.testing.assert_allclose(found.parts, oracle.parts(X, Y, estimator), rtol=1e-8, atol=1e-12)
    assert found.value == pytest.approx(float(vv.cka(X, Y, estimator=estimator)), rel=1e-9)
    assert found.parts.sum() == pytest.approx(found.value, rel=1e-12)
    assert found.shares.sum() == pytest.approx(1, rel=1e-12)
    assert found.weight_x.sum() == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(found.weight_y, oracle.parts(Y, Y, estimator), rtol=1e-8)


@pytest.mark.parametrize("shape", [{"n": 14, "p": 3, "q": 2}, {"n": 8, "p": 60, "q": 50}])
@each_estimator
def test_value_without_each_row(shape, estimator):
    X, Y = related(**shape)
    expected = [
        exact.cka(np.delete(X, i, 0), np.delete(Y, i, 0), estimator=estimator)
        for i in range(len(X))
    ]
    found = row_contributions(X, Y, measure=f"cka(estimator={estimator})")
    np.testing.assert_allclose(found.without, expected, rtol=1e-9)
    np.testing.assert_allclose(found.effects, found.value - np.array(expected), atol=1e-9)


@each_shape
@each_estimator
def test_what_pairs_with_some_rows_bring(shape, estimator):
    from visavis.inference.row_sums import RowSums

    X, Y = related(**shape)
    sums = RowSums.of("test", X, Y, (vv.kernels.linear(),) * 2, estimator)
    rows = [1, 4, 6]
    expected = oracle.involved(X, Y, rows, estimator)
    assert sums.involved(np.array(rows)) == pytest.approx(expected, rel=1e-9)
    assert sums.involved(np.arange(len(X))) == pytest.approx(sums.value, rel=1e-12)


def test_kernels():
    X, Y = related(n=14, p=3, q=2)
    found = row_contributions(X, Y, measure="cka(kernel=cosine)")
    assert found.value == pytest.approx(float(vv.cka(X, Y, kernel="cosine")), rel=1e-12)
    rest = np.delete(np.arange(14), 5)
    expected = float(vv.cka(X[rest], Y[rest], kernel="cosine"))
    assert found.without[5] == pytest.approx(expected, rel=1e-9)
    given = row_contributions(X @ X.T, Y @ Y.T, measure="cka(kernel=precomputed)")
    np.testing.assert_allclose(given.parts, row_contributions(X, Y).parts, atol=1e-12)


def test_an_outlier_in_both_carries_the_biased_estimate_alone():
    X, Y = np.random.default_rng(0).normal(size=(2, 100, 10))
    X[7], Y[7] = 30, 30
    biased = row_contributions(X, Y, measure="cka(estimator=biased)")
    assert biased.top(1) == biased.top(1, by="raises") == [7]
    assert biased.shares[7] > 0.95
    assert biased.without[7] < 0.15
    assert row_contributions(X, Y).value < 0.2


@pytest.mark.parametrize("size", [1e3, 1e6, 1e8])
def test_without_a_row_that_outweighs_all_others(size):
    X, Y = related(n=30, p=4, q=3)
    X[3] = size
    expected = exact.cka(np.delete(X, 3, 0), np.delete(Y, 3, 0), estimator="debiased")
    found = row_contributions(X, Y)
    assert found.value == pytest.approx(exact.cka(X, Y, estimator="debiased"), rel=1e-4, abs=1e-6)
    assert found.without[3] == pytest.approx(expected, rel=1e-5)
    assert found.weight_x[3] == pytest.approx(0.5, abs=0.05)


def test_nothing_is_left_without_the_only_row_that_differs():
    X, Y = related(n=10, p=3, q=2)
    X[:] = X[0]
    X[4] += 1
    found = row_contributions(X, Y, measure="cka(estimator=biased)")
    assert np.isnan(found.without).tolist() == [i == 4 for i in range(10)]
    assert 4 not in found.top(9, by="raises")


def test_names_and_ties_in_the_order_of_the_rows():
    X, Y = related(n=6, p=2, q=2)
    X, Y = np.vstack([X, X]), np.vstack([Y, Y])
    ids = [f"photo {i}" for i in range(12)]
    found = row_contributions(X, Y, ids=ids)
    order = found.top(12)
    assert sorted(order) == sorted(ids)
    first = int(np.argmax(found.parts[:6].round(12)))
    assert set(order[:2]) == {ids[first], ids[first + 6]}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_torch(dtype):
    X, Y = (Z.astype("float32") for Z in related(n=20, p=4, q=3))
    there = row_contributions(torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype))
    np.testing.assert_allclose(there.parts, row_contributions(X, Y).parts, atol=1e-12)
    assert isinstance(there.parts, np.ndarray)


def test_a_large_mean_in_single_precision():
    X, Y = related(n=60, p=4, q=3)
    near = row_contributions(X, Y)
    far = row_contributions((X + 1e4).astype("float32"), Y.astype("float32"))
    np.testing.assert_allclose(far.parts, near.parts, atol=2e-5)


def test_directions_by_singular_vectors():
    X, Y = decaying(n=30, p=6, q=5)
    expected = oracle.directions(X, Y)
    found = direction_contributions(X, Y)
    np.testing.assert_allclose(found.parts, expected, rtol=1e-6, atol=1e-12)
    assert found.value == pytest.approx(exact.cka(X, Y, estimator="biased"), rel=1e-9)
    assert found.parts.sum() == pytest.approx(found.value, rel=1e-9)
    assert abs(found.rest) < 1e-12
    few = direction_contributions(X, Y, k=2)
    np.testing.assert_allclose(few.parts, expected[:2, :2], rtol=1e-6, atol=1e-12)
    assert few.rest == pytest.approx(expected.sum() - expected[:2, :2].sum(), rel=1e-6)
    i, j, share = found.top(1)[0]
    assert share == pytest.approx(expected.max() / expected.sum())
    assert expected[i, j] == expected.max()


def test_directions_of_wide_layers_and_their_shares():
    X, Y = related(n=12, p=40, q=30)
    found = direction_contributions(X, Y, k=20)
    np.testing.assert_allclose(found.parts, oracle.directions(X, Y)[:11, :11], rtol=1e-6)
    assert found.parts.shape == (11, 11)  # the rank after centring
    for shares in (found.variance_x, found.variance_y, found.power_x, found.power_y):
        assert shares.sum() == pytest.approx(1)
        assert np.all(np.diff(shares) <= 0)


def test_one_direction_is_all():
    X, Y = related(n=30, p=1, q=1)
    found = direction_contributions(X, Y)
    assert found.parts.shape == (1, 1)
    assert found.parts[0, 0] == pytest.approx(np.corrcoef(X.T, Y.T)[0, 1] ** 2)
    assert found.shares[0, 0] == pytest.approx(1)


def test_directions_in_torch():
    X, Y = related(n=20, p=4, q=3)
    there = direction_contributions(torch.tensor(X), torch.tensor(Y))
    np.testing.assert_allclose(there.parts, direction_contributions(X, Y).parts, rtol=1e-9)


def test_no_value_has_no_shares():
    X = np.array([[1.0], [1], [-1], [-1], [0], [0]])
    Y = np.array([[1.0], [-1], [1], [-1], [0], [0]])
    found = direction_contributions(X, Y)
    with pytest.raises(vv.DegenerateInputError, match="a value of 0 has no shares"):
        found.shares  # noqa: B018
    biased = row_contributions(X, Y, measure="cka(estimator=biased)")
    assert np.all(biased.parts == 0)
    with pytest.raises(vv.DegenerateInputError, match="a value of 0 has no shares"):
        biased.shares  # noqa: B018


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"measure": "procrustes"}, "`measure` must be cka, of any kernel and estimator"),
        ({"ids": [1, 2]}, r"`ids` must have one entry per row \(14\), got 2"),
    ],
)
def test_refusals(options, match):
    with pytest.raises(ValueError, match=f"row_contributions: {match}"):
        row_contributions(*related(n=14), **options)


def test_more_refusals():
    X, Y = related(n=14)
    with pytest.raises(ValueError, match="direction_contributions: `k` must be a whole number"):
        direction_contributions(X, Y, k=0)
    with pytest.raises(vv.DegenerateInputError, match="direction_contributions: `Y` must vary"):
        direction_contributions(X, np.ones((14, 2)))
    with pytest.raises(vv.DegenerateInputError, match="row_contributions: `X` must be finite"):
        row_contributions(np.where(X > 1, np.nan, X), Y)
    with pytest.raises(vv.DegenerateInputError, match="row_contributions: `X` has nothing to"):
        row_contributions(np.eye(14), Y)
    with pytest.raises(ValueError, match="have at least 5 rows, got 4"):
        row_contributions(X[:4], Y[:4])
    with pytest.raises(ValueError, match="`by` must be one of 'share', 'raises', 'lowers'"):
        row_contributions(X, Y).top(by="size")
