"""PWCCA: whose weights, which orientation, and nothing that depends on a sign."""

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import related

import visavis as vv


@pytest.fixture
def by_hand():
    """Sides whose canonical variables are their columns, correlated 0.9 and 0.2."""
    columns = np.random.default_rng(0).standard_normal((30, 4))
    Q = np.linalg.qr(columns - columns.mean(axis=0))[0]
    rho = np.array([0.9, 0.2])
    return Q[:, :2], Q[:, :2] * rho + Q[:, 2:] * np.sqrt(1 - rho**2)


def test_weights_are_what_a_direction_carries_of_x(by_hand):
    h, k = by_hand
    X, Y = h * [3, 1], k * [1, 4]
    assert float(vv.pwcca(X, Y)) == pytest.approx((3 * 0.9 + 1 * 0.2) / 4, rel=1e-12)
    assert float(vv.pwcca(Y, X)) == pytest.approx((1 * 0.9 + 4 * 0.2) / 5, rel=1e-12)


def test_a_column_that_occurs_twice_counts_twice(by_hand):
    h, k = by_hand
    X = np.hstack([h, h[:, :1]])
    assert float(vv.pwcca(X, k)) == pytest.approx((2 * 0.9 + 1 * 0.2) / 3, rel=1e-12)


@pytest.mark.parametrize("side", [0, 1])
def test_signs_of_features_do_not_matter(side):
    pair = list(related(p=7, q=5))
    expected = float(vv.pwcca(*pair))
    pair[side] = pair[side] * np.where(np.arange(pair[side].shape[1]) % 2, -1, 1)
    assert float(vv.pwcca(*pair)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("p", "q"), [(15, 3), (3, 15), (25, 10), (1, 12)])
def test_either_side_may_be_the_wider(p, q):
    X, Y = related(n=40, p=p, q=q)
    assert float(vv.pwcca(X, Y)) == pytest.approx(oracles.pwcca(X, Y), rel=1e-12)
    assert float(vv.pwcca(Y, X)) == pytest.approx(oracles.pwcca(Y, X), rel=1e-12)


@pytest.mark.parametrize("by", [1e6, 1e9])
def test_means_do_not_weigh(by):
    # The mean of a column is no variance that a direction could carry.
    X, Y = related()
    X = np.round(X, 3)
    assert float(vv.pwcca(X + by, Y)) == pytest.approx(float(vv.pwcca(X, Y)), rel=1e-15 * by)


def test_it_is_the_mean_correlation_where_all_weights_are_equal(by_hand):
    h, k = by_hand
    assert float(vv.pwcca(h, k)) == pytest.approx(float(vv.cca(h, k)), rel=1e-12)
