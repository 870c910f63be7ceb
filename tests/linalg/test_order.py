"""Medians of distance matrices, over pairs and over all entries."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from tests.data_makers import duplicate_rows, related

from visavis import linalg

every_n = pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 30, 31])


@every_n
def test_the_middle_of_pairs(n):
    # n = 2, 3, 6, 7, 30, 31 have an odd number of pairs, 4 and 5 an even one.
    distances = pdist(related(n=n)[0])
    low, high = linalg.middle_of_pairs(squareform(distances))
    ordered = np.sort(distances)
    assert float(low) == ordered[(len(ordered) - 1) // 2]
    assert float(high) == ordered[len(ordered) // 2]
    assert (float(low) + float(high)) / 2 == pytest.approx(np.median(distances), rel=1e-15)


@pytest.mark.parametrize("n", [2, 3, 6, 7])
def test_an_odd_number_of_pairs_has_one_middle(n):
    low, high = linalg.middle_of_pairs(squareform(pdist(related(n=n)[0])))
    assert float(low) == float(high)


@pytest.mark.parametrize("n", [9, 10])
def test_distances_of_zero_between_different_rows_count(n):
    distances = pdist(duplicate_rows(n=n)[0])
    low, high = linalg.middle_of_pairs(squareform(distances))
    assert (float(low) + float(high)) / 2 == pytest.approx(np.median(distances), rel=1e-15)


@every_n
def test_the_median_of_all_entries(n):
    D = squareform(pdist(related(n=n)[0]))
    assert float(linalg.median_all(D)) == pytest.approx(np.median(D), rel=1e-15)


def test_the_matrix_stays_as_it_was():
    D = squareform(pdist(related()[0]))
    before = D.copy()
    linalg.middle_of_pairs(D)
    linalg.median_all(D)
    np.testing.assert_array_equal(D, before)
