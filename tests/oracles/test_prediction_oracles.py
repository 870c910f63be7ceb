"""The oracle of predictivity by another route: refits against formulas."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.oracles import prediction
from tests.oracles.centring import centred

every_shape = pytest.mark.parametrize("shape", [(4, 3), (40, 6)], ids=["tall", "wide"])


def unit(shape):
    X, Y = (centred(Z) for Z in related(n=20, p=shape[0], q=shape[1]))
    return X / np.abs(X).max(), Y / np.abs(Y).max()


@every_shape
@pytest.mark.parametrize("penalty", [1e-8, 1e-2, 10.0])
def test_ridge_is_the_solution_of_the_kernel_equations(shape, penalty):
    T, K = unit(shape)
    T, K = T.astype(float), K.astype(float)
    dual = T @ T.T @ np.linalg.solve(T @ T.T + penalty * np.eye(20), K)
    reduced = prediction.triangle(T.T).T if shape[0] > 20 else T
    found = prediction.ridge(reduced, K, reduced, penalty, 1e-14).astype(float)
    np.testing.assert_allclose(found, dual, atol=1e-7 if penalty < 1e-6 else 1e-12)


@every_shape
def test_leaving_out_is_the_residual_over_one_less_the_leverage(shape):
    T, K = (Z.astype(float) for Z in unit(shape))
    penalties = np.array([1e-2, 1.0, 30.0])
    expected = []
    for penalty in penalties:
        smoother = T @ np.linalg.solve(T.T @ T + penalty * np.eye(shape[0]), T.T) + 1 / 20
        residual = (K - smoother @ K) / (1 - np.diag(smoother))[:, None]
        expected.append((residual**2).sum())
    np.testing.assert_allclose(prediction.left_out(T, K, penalties, 1e-14), expected, rtol=1e-10)


@every_shape
def test_all_components_are_least_squares(shape):
    T, K = unit(shape)
    rank = np.linalg.matrix_rank(T.astype(float))
    found = prediction.nipals(T, K, T, rank, 1e-14).astype(float)
    fitted = np.linalg.lstsq(T.astype(float), K.astype(float), rcond=1e-12)[0]
    np.testing.assert_allclose(found, T.astype(float) @ fitted, atol=1e-10)


def test_triangle_is_that_of_the_decomposition():
    A = np.random.default_rng(0).normal(size=(9, 4))
    R = prediction.triangle(A).astype(float)
    np.testing.assert_allclose(R.T @ R, A.T @ A, atol=1e-13)
    np.testing.assert_array_equal(np.abs(np.tril(R, -1)) < 1e-14, True)


def test_folds():
    parts = prediction.dealt(11, 3, 0)
    assert sorted(i for each in parts for i in each) == list(range(11))
    assert [len(each) for each in parts] == [4, 4, 3]
    assert prediction.dealt(4, ["b", "a", "b", "a"], 0) == [[1, 3], [0, 2]]
