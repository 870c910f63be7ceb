"""Measures of neighbourhoods: closed forms, how they relate, ties, bounds of k, blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.data_makers import duplicate_rows, independent, offset, random_rotation, related
from tests.measures.records import RECORDS, meeting, over

import visavis as vv
from visavis.linalg import neighbours as search
from visavis.measures import neighbour_similarity, neighbours
from visavis.stats import neighbours as kept
from visavis.stats import ranks

COUNTING = [each for each in RECORDS if "k" in each.defaults]
SETS = [each for each in COUNTING if "metric" in each.defaults]
counting = over(COUNTING)


def ring(n=12):
    """Samples on a circle: the neighbours of each are the next ones on both sides."""
    angle = 2 * np.pi * np.arange(n) / n
    # A little more from place to place, so that no two distances are equal.
    angle = angle + 1e-3 * np.arange(n) ** 2 / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def line(*places):
    return np.array(places, dtype=float)[:, None]


# Values by hand.

# Neighbours, nearest first. X: 0: 1 2; 1: 0 2; 2: 1 0; 3: 4 2; 4: 3 2.
#                            Y: 0: 2 1; 1: 2 0; 2: 0 1; 3: 4 1; 4: 3 1.
X5, Y5 = line(0, 1, 3, 7, 9.5), line(0, 3.2, 1.5, 8, 10)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (vv.mutual_knn, (1 + 1 + 1 + 0.5 + 0.5) / 5),
        (vv.knn_jaccard, (1 + 1 + 1 + 1 / 3 + 1 / 3) / 5),
        # Ranks exchanged: twice 2/((1 + 1)(1 + 2)) over 1 + 1/2.
        (vv.rank_similarity, (3 * (2 / 3) / 1.5 + 2) / 5),
        (vv.lcs_knn, 0.5),
        (vv.cycle_knn, 1.0),
    ],
)
def test_five_samples_on_a_line(function, expected):
    assert float(function(X5, Y5, k=2, metric="euclidean")) == pytest.approx(expected, rel=1e-15)


def test_information_imbalance_of_five_samples_on_a_line():
    # Nearest in X are 1 0 1 4 3; their ranks in Y are 2 2 2 1 1, and the other way as well.
    assert float(vv.information_imbalance(X5, Y5)) == pytest.approx(2 / 5 * 8 / 5, rel=1e-15)


def test_cycle_goes_out_in_y_and_back_in_x():
    # In Y 4 is nearest to nobody, in X 0 is: the cycle over Y finds who is near in X.
    X, Y = line(0, 10, 11, 13, 14.5), line(0, 1, 2.5, 4.5, 20)
    there = float(vv.cycle_knn(X, Y, k=1, metric="euclidean"))
    back = float(vv.cycle_knn(Y, X, k=1, metric="euclidean"))
    # Y sends 0→1, 1→0, 2→1, 3→2, 4→3; X answers 1→2, 0→1, 1→2, 2→1, 3→4: 1, 2 and 4 are home.
    assert there == pytest.approx(3 / 5)
    # X sends 0→1, 1→2, 2→1, 3→4, 4→3; Y answers 1→0, 2→1, 1→0, 4→3, 3→2: 0, 1 and 3 are.
    assert back == pytest.approx(3 / 5)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("name", ["mutual_knn", "knn_jaccard", "rank_similarity", "lcs_knn"])
def test_a_rotation_changes_no_neighbour(name, k):
    X = ring()
    turned = 2 * X @ random_rotation(2, np.random.default_rng(0))
    assert float(getattr(vv, name)(X, turned, k=k)) == pytest.approx(1, rel=1e-15)


def test_information_imbalance_of_itself_is_the_least():
    X, _ = related(n=50)
    values = [float(vv.information_imbalance(X, X, k=k)) for k in (1, 4, 48)]
    assert values == pytest.approx([2 / 50, 5 / 50, 49 / 50], rel=1e-14)


# Relations between the measures.


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("seed", range(3))
def test_order_is_harder_than_membership(metric, seed):
    X, Y = related(n=60, seed=seed)
    jaccard, lcs, mutual = (
        float(f(X, Y, k=7, metric=metric)) for f in (vv.knn_jaccard, vv.lcs_knn, vv.mutual_knn)
    )
    assert 0 < jaccard < mutual < 1
    assert 0 < lcs < mutual


def test_one_neighbour_is_shared_or_not():
    X, Y = related(n=80)
    mutual, *others = (
        float(f(X, Y, k=1)) for f in (vv.mutual_knn, vv.knn_jaccard, vv.rank_similarity, vv.lcs_knn)
    )
    assert 0 < mutual < 1
    assert others == pytest.approx([mutual] * 3, rel=1e-14)


@pytest.mark.parametrize("name", ["mutual_knn", "knn_jaccard", "rank_similarity", "cycle_knn"])
def test_unrelated_representations_are_near_chance(name):
    X, Y = independent(n=1000, p=20, q=20)
    measure = vv.registry[name].with_options(k=50)
    level = float(measure.chance(measure.settings, meeting(measure, X, Y)))
    assert float(measure(X, Y)) == pytest.approx(level, rel=0.1)


def test_unrelated_representations_have_an_imbalance_of_one():
    X, Y = independent(n=1000, p=5, q=5)
    assert float(vv.information_imbalance(X, Y)) == pytest.approx(1, abs=0.06)


# Bounds of k, ties, large offsets, blocks.


@counting
def test_most_neighbours(measure):
    X, Y = related(n=9, p=4, q=3)
    assert np.isfinite(float(measure.with_options(k=7)(X, Y)))
    message = f"{measure.name}: `X` and `Y` must have at least 10 rows, got 9"
    with pytest.raises(ValueError, match=message):
        measure.with_options(k=8)(X, Y)


@counting
def test_a_number_of_neighbours_of_numpy(measure):
    X, Y = related()
    assert float(measure.function(X, Y, k=np.int64(4))) == float(measure.function(X, Y, k=4))


@counting
def test_duplicates_on_both_sides_count_as_neighbours(measure):
    X, Y = duplicate_rows(n=40)
    one = measure.with_options(k=1)
    value = float(one(X, Y))
    best = {"information_imbalance": 2 / 40, "imd": 0.0}.get(measure.name, 1.0)
    assert value == pytest.approx(best, abs=1e-12) or measure.name == "cknna"


@over(SETS)
def test_an_offset_in_float32_moves_no_neighbour(measure):
    # What is near is seen in the digits that the offset leaves, and not by their cosine.
    measure = measure.with_options(metric="euclidean")
    X, Y = (Z.astype(np.float32) for Z in offset(by=1e4, n=200))
    exact = float(measure(X.astype(float) - X.mean(axis=0), Y.astype(float) - Y.mean(axis=0)))
    assert float(measure(X, Y)) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("entries", [1, 300, 5000])
@counting
def test_blocks_of_any_size_give_the_same(measure, entries, monkeypatch):
    X, Y = related(n=60)
    whole = float(measure(X, Y))
    for module in (search, kept, neighbours, neighbour_similarity):
        monkeypatch.setattr(module, "BLOCK_ENTRIES", entries)
    assert float(measure(X, Y)) == pytest.approx(whole, rel=1e-14)


def test_ranks_that_are_not_kept_are_found_again(monkeypatch):
    measure, (X, Y) = vv.registry["information_imbalance"], related(n=60)
    held = meeting(measure, X, Y)
    monkeypatch.setattr(ranks, "KEPT_RANKS", 1)
    found = meeting(measure, X, Y)
    assert held[1].kept is not None
    assert found[1].kept is None
    assert float(measure.score(measure.settings, found)) == float(
        measure.score(measure.settings, held)
    )


# Array libraries.


@counting
def test_values_are_needed_and_not_to_be_had_inside_jit(measure):
    X, Y = (jnp.asarray(Z, dtype=jnp.float32) for Z in related())
    message = f"{measure.name}: `X` must hold values that can be read, got .*call it outside"
    with pytest.raises(TypeError, match=message):
        jax.jit(measure)(X, Y)


@counting
def test_a_recorded_tensor_has_a_value_and_no_gradient(measure):
    X, Y = (torch.tensor(Z) for Z in related())
    expected = measure(X, Y)
    answer = measure(X.requires_grad_(), Y)
    assert not answer.requires_grad
    assert float(answer) == float(expected)


@pytest.mark.parametrize("name", ["mutual_knn", "second_order_cosine", "cknna"])
def test_a_zero_row_has_no_neighbours_by_cosine(name):
    X, Y = related(n=30)
    Y[6] = 0
    message = f"^{name}: `Y` holds an all-zero row, which has no angle to others: row 6"
    with pytest.raises(vv.DegenerateInputError, match=message):
        getattr(vv, name)(X, Y)


def test_a_zero_row_has_neighbours_by_distance():
    X, Y = related(n=30)
    Y[6] = 0
    assert 0 < float(vv.mutual_knn(X, Y, metric="euclidean")) < 1


def test_a_single_positive_feature_has_no_directions():
    X, Y = related(n=30, p=1)
    with pytest.raises(
        vv.DegenerateInputError, match=r"mutual_knn: `X` must .*differ in direction"
    ):
        vv.mutual_knn(abs(X), Y)


def test_right_angles_to_all_neighbours():
    with pytest.raises(vv.DegenerateInputError, match=r"second_order_cosine: .* right angles"):
        vv.second_order_cosine(np.eye(15), related(n=15)[0])
