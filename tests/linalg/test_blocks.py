"""Work in blocks of rows gives what work on all rows gives, with long sums in float64."""

import numpy as np
import pytest
from tests.data_makers import related

from visavis import linalg
from visavis.linalg import blocks


@pytest.mark.parametrize(("n", "rows"), [(10, 3), (9, 3), (1, 3), (2, 5), (7, 1)])
def test_blocks_cover_all_rows_once(n, rows):
    slices = list(linalg.row_blocks(n, rows))
    covered = [i for block in slices for i in range(n)[block]]
    assert covered == list(range(n))
    assert {block.stop - block.start for block in slices[:-1]} <= {rows}


def test_no_rows_are_no_blocks():
    assert list(linalg.row_blocks(0, 3)) == []


@pytest.mark.parametrize("n", [1, 4095, 4096, 4097, 9000])
@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_cross_product(n, dtype, rel):
    X, Y = (Z.astype(dtype) for Z in related(n=n, p=4, q=3))
    product = linalg.cross_product(X, Y)
    wanted = X.astype(float).T @ Y.astype(float)
    assert product.dtype == np.float64
    np.testing.assert_allclose(product, wanted, rtol=0, atol=rel * n)


def test_a_cross_product_of_many_rows_does_not_lose_what_comes_late():
    # 2²⁵ ones cannot be counted in float32, where 2²⁴ + 1 = 2²⁴; in blocks each count is exact.
    X = np.ones((2**25, 1), dtype=np.float32)
    assert linalg.cross_product(X, X)[0, 0] == 2**25


def test_inner():
    K, L = related(n=20, p=20, q=20)
    assert float(linalg.inner(K, L)) == pytest.approx((K * L).sum(), rel=1e-12)


def test_inner_of_float32_adds_rows_in_float64():
    # One row of 2²⁴, then ones: a float32 total would stay where it was.
    K = np.ones((1000, 4), dtype=np.float32)
    K[0] = 2.0**22
    total = linalg.inner(K, np.ones_like(K))
    assert total.dtype == np.float64
    assert float(total) == 2**24 + 999 * 4


def test_the_size_of_a_block_bounds_the_error_and_not_the_answer(monkeypatch):
    X, Y = related(n=100, p=4, q=3)
    whole = linalg.cross_product(X, Y)
    blocks_of = linalg.row_blocks
    monkeypatch.setattr(blocks, "row_blocks", lambda n: blocks_of(n, 7))
    np.testing.assert_allclose(linalg.cross_product(X, Y), whole, rtol=1e-12)


@pytest.fixture(params=["numpy", "torch", "array_api_strict"])
def unlike(request):
    """Two matrices of one library, the first in float32 and the second in float64."""
    xp = pytest.importorskip(request.param)
    X, Y = related(n=20, p=20, q=20)
    return xp.asarray(X.astype(np.float32)), xp.asarray(Y)


@pytest.mark.parametrize("order", [1, -1])
def test_products_of_different_precision(unlike, order):
    # One side may have been widened for the sake of its digits, or the caller has one of each.
    K, L = unlike[::order]
    A, B = (np.from_dlpack(Z).astype(float) for Z in (K, L))
    product = np.from_dlpack(linalg.cross_product(K, L))
    np.testing.assert_allclose(product, A.T @ B, rtol=0, atol=1e-5)
    assert product.dtype == np.float64
    assert float(linalg.inner(K, L)) == pytest.approx((A * B).sum(), rel=1e-6)
