"""Which examples two models see differently."""

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.oracles import diagnosis as oracle

import visavis as vv
from visavis.inference import different_examples


@pytest.mark.parametrize("shape", [{"n": 14, "p": 3, "q": 2}, {"n": 8, "p": 300, "q": 250}])
def test_agreement_is_the_correlation_of_similarities(shape):
    X, Y = related(**shape)
    found = different_examples(X, Y, top=None)
    expected = oracle.agreements(X, Y)
    assert [each.row for each in found] == np.argsort(expected).tolist()
    np.testing.assert_allclose([each.agreement for each in found], np.sort(expected), atol=1e-9)
    for side, Z in (("like_x", X), ("like_y", Y)):
        K = oracle.u_centred(Z)
        np.fill_diagonal(K, -np.inf)
        nearest = np.argsort(-K, axis=1)[:, :3]
        assert all(getattr(each, side) == tuple(nearest[each.row].tolist()) for each in found)


def test_cka_is_the_weighted_sum_of_the_agreements():
    X, Y = related(n=30)
    found = different_examples(X, Y, top=None)
    total = sum(each.weight * each.agreement for each in found)
    assert total == pytest.approx(float(vv.cka(X, Y)), rel=1e-9)


def test_exchanged_samples_are_found_with_what_they_are_like():
    X = np.random.default_rng(0).normal(size=(200, 12))
    Y = X @ np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0]
    Y[[3, 150]] = Y[[150, 3]]
    ids = [f"s{i}" for i in range(200)]
    first, second, third = different_examples(X, Y, ids=ids, top=3)
    assert (first.id, second.id) == ("s3", "s150")  # a tie, but for rounding
    assert third.agreement > 0.8 > 0.5 > second.agreement
    assert first.agreement == pytest.approx(second.agreement)
    # In Y sample 3 stands where 150 stands in X: what is most like it there are other samples.
    assert first.like_x != first.like_y
    assert first.to_dict()["id"] == first.id


def test_ties_in_the_order_of_the_rows():
    X = np.random.default_rng(0).normal(size=(40, 3))
    found = different_examples(X, 2 * X + 1, top=None)
    assert [each.row for each in found] == list(range(40))
    assert found[0].agreement == pytest.approx(1)


def test_biased_counts_a_sample_as_like_itself():
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 2000))
    biased = different_examples(X, Y, measure="cka(estimator=biased)", top=None)
    debiased = different_examples(X, Y, top=None)
    assert biased[0].agreement > 0.9  # of representations with nothing in common
    assert abs(np.mean([each.agreement for each in debiased])) < 0.1


def test_a_sample_as_far_from_all_others_comes_last():
    # Sample 9 is alone on an axis of its own: nothing is more like it than anything else.
    X, Y = related(n=10, p=2, q=2)
    X = np.hstack([X, np.zeros((10, 1))])
    X[:9, :2] /= np.linalg.norm(X[:9, :2], axis=1, keepdims=True)
    X[:9] -= X[:9].mean(0)
    K = X @ X.T
    K[9], K[:, 9] = 0, 0
    K[:9, :9] -= np.diag(np.diag(K[:9, :9]))
    U = K - K.sum(0)[:, None] / 8 - K.sum(0)[None, :] / 8 + K.sum() / 72
    np.fill_diagonal(U, 0)
    U[9], U[:, 9] = 0, 0
    block = U[:9, :9]
    block -= block.sum(0)[:, None] / 7 + block.sum(0)[None, :] / 7 - block.sum() / 56
    np.fill_diagonal(block, 0)
    found = different_examples(U, Y @ Y.T, measure="cka(kernel=precomputed)", top=None)
    assert found[-1].row == 9
    assert np.isnan(found[-1].agreement)
    assert found[-1].weight == pytest.approx(0, abs=1e-9)


def test_torch_and_kernels():
    X, Y = related(n=20, p=4, q=3)
    for measure in ("cka", "cka(kernel=rbf)"):
        here = different_examples(X, Y, measure=measure)
        there = different_examples(torch.tensor(X), torch.tensor(Y), measure=measure)
        assert [each.row for each in here] == [each.row for each in there]


def test_refusals():
    X, Y = related(n=14)
    with pytest.raises(ValueError, match="different_examples: `top` must be a whole number"):
        different_examples(X, Y, top=0)
    with pytest.raises(ValueError, match="different_examples: `measure` must be cka"):
        different_examples(X, Y, measure="rsa")
    with pytest.raises(vv.DegenerateInputError, match="different_examples: `Y` must vary"):
        different_examples(X, np.ones((14, 2)))
