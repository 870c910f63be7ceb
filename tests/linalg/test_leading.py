"""The leading singular vector, among few and among many."""

import numpy as np
import pytest
import torch

from visavis import linalg
from visavis.linalg.leading import SMALL

SHAPES = [(1, 1), (5, 1), (1, 5), (20, 30), (SMALL, 210), (SMALL + 1, 210), (500, 300), (300, 500)]


def matrix(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def told(A):
    """How far from the leading singular vector: one minus the cosine, and its singular value."""
    found = linalg.leading(A)
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    return abs(abs(U[:, 0] @ found) - 1), np.linalg.norm(found @ A) / s[0]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_that_of_all(shape):
    apart, share = told(matrix(shape))
    assert apart < 1e-13
    assert share == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_singular_values_that_are_near(gap):
    U, V = (np.linalg.qr(matrix((400, 300), seed))[0] for seed in (0, 1))
    values = np.concatenate([[1 + gap], np.linspace(1, 0.1, 299)])
    found = linalg.leading(U * values @ V.T)
    assert abs(found @ U[:, 0]) == pytest.approx(1, abs=1e-20 / gap**2 + 1e-13)


def test_equal_singular_values_give_one_of_their_span():
    U, V = (np.linalg.qr(matrix((400, 300), seed))[0] for seed in (0, 1))
    values = np.concatenate([[2.0, 2.0], np.linspace(1, 0.1, 298)])
    found = linalg.leading(U * values @ V.T)
    assert np.linalg.norm(found @ U[:, :2]) == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize("rank", [1, 3, 150])
def test_a_matrix_of_low_rank(rank):
    apart, share = told(matrix((400, rank)) @ matrix((rank, 300), 1))
    assert apart < 1e-12
    assert share == pytest.approx(1, rel=1e-12)


def test_blocks_that_do_not_meet():
    # What leads is in no row or column of the largest.
    A = np.zeros((300, 300))
    A[0, 0] = 5
    A[1:, 1:] = 1
    assert np.linalg.norm(linalg.leading(A)[1:]) == pytest.approx(1, rel=1e-13)


def test_in_torch():
    A = matrix((300, 500))
    found = linalg.leading(torch.tensor(A)).numpy()
    assert abs(found @ linalg.leading(A)) == pytest.approx(1, rel=1e-13)
