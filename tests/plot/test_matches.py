"""Best matches."""

from collections.abc import Callable
from math import isnan, nan

import numpy as np
import pytest

from visavis.plot.matches import chance_span, matches
from visavis.results import Comparison

Make = Callable[..., Comparison]


@pytest.mark.parametrize("measure", ["cka", "procrustes", "hsic"])
def test_the_best_match_is_that_of_the_comparison(make: Make, measure: str) -> None:
    values = np.random.default_rng(0).random((7, 5))
    values[2, 3] = values[4] = nan
    comparison = make(7, 5, measure, values=values)

    found = {comparison.rows[m.row]: comparison.cols[m.col] for m in matches(comparison)}

    assert found == {row: col for row, col in comparison.best_match().items() if col is not None}
    assert "conv4" not in found


@pytest.mark.parametrize(("measure", "col"), [("cka", 0), ("procrustes", 2)])
def test_the_gap_is_the_lead_over_the_second_best(make: Make, measure: str, col: int) -> None:
    [match] = matches(make(1, 4, measure, values=np.array([[0.9, 0.6, 0.2, nan]])))

    assert (match.col, match.value) == (col, [0.9, 0.6, 0.2][col])
    assert match.gap == pytest.approx(0.3 if measure == "cka" else 0.4)


def test_the_first_of_equal_values_wins_with_no_lead(make: Make) -> None:
    [match] = matches(make(1, 3, values=np.array([[0.1, 0.7, 0.7]])))

    assert (match.col, match.gap) == (1, 0.0)


def test_one_column_leaves_no_lead_to_tell(make: Make) -> None:
    [match] = matches(make(1, 1))

    assert isnan(match.gap)


def test_a_layer_is_no_match_for_itself(make: Make) -> None:
    comparison = make(4, 4, names=("net", "net"))

    assert [match.col for match in matches(comparison)] == [1, 0, 1, 2]


def test_chance_spans_what_is_known(make: Make) -> None:
    chance = np.array([[0.1, nan], [0.4, 0.2]])

    assert chance_span(make(2, 2, chance=chance)) == (0.1, 0.4)


@pytest.mark.parametrize("chance", [None, np.full((2, 2), nan)])
def test_unknown_chance_has_no_span(make: Make, chance: np.ndarray | None) -> None:
    assert chance_span(make(2, 2, chance=chance)) is None
