"""Layer correspondence against a slow count, planted cases, and what it must refuse."""

import math
from itertools import permutations

import numpy as np
import pytest
from tests.benchmark.slow import slow_accuracy, slow_standard_error

from visavis.benchmark import PAPER_TABLE_2, table_correspondence

NETS = ("a", "b", "c", "d")
LAYERS = 5


def random_tables(seed, *, nets=NETS, layers=LAYERS):
    """Tables of all ordered pairs, as unlike their transposes as can be."""
    rng = np.random.default_rng(seed)
    return {pair: rng.standard_normal((layers, layers)) for pair in permutations(nets, 2)}


def symmetric_tables(seed, **options):
    """Tables of one order of each pair, in which about half of the layers are found."""
    tables = random_tables(seed, **options)
    return {(a, b): S + 1.5 * np.eye(len(S)) for (a, b), S in tables.items() if a < b}


def score_of(tables, *, symmetric=True, sign=1):
    """The score of layer i of a and layer j of b, from the definition."""

    def score(a, i, b, j):
        if not symmetric:
            return sign * (tables[a, b][i, j] + tables[b, a][j, i])
        return sign * (tables[a, b][i, j] if (a, b) in tables else tables[b, a][j, i])

    return score


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("direction", "sign"), [("similarity", 1), ("distance", -1)])
def test_symmetric_measure_agrees_with_the_slow_count(seed, direction, sign):
    tables = symmetric_tables(seed)
    score = score_of(tables, sign=sign)
    result = table_correspondence(tables, direction=direction)
    assert result.accuracy == pytest.approx(slow_accuracy(score, NETS, LAYERS), rel=1e-12)
    assert result.standard_error == pytest.approx(
        slow_standard_error(score, NETS, LAYERS), rel=1e-12
    )
    assert result.hits == round(result.accuracy * result.total / 100)
    assert result.total == len(NETS) * (len(NETS) - 1) * LAYERS


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("direction", "sign"), [("similarity", 1), ("distance", -1)])
def test_asymmetric_measure_agrees_with_the_slow_count(seed, direction, sign):
    tables = random_tables(seed)
    score = score_of(tables, symmetric=False, sign=sign)
    result = table_correspondence(tables, direction=direction, symmetric=False)
    assert result.accuracy == pytest.approx(slow_accuracy(score, NETS, LAYERS), rel=1e-12)
    assert result.standard_error == pytest.approx(
        slow_standard_error(score, NETS, LAYERS), rel=1e-12
    )


def test_either_order_or_both_orders_of_a_symmetric_pair_give_one_answer():
    there = symmetric_tables(0)
    back = {(b, a): S.T for (a, b), S in there.items()}
    expected = table_correspondence(there)
    assert table_correspondence(back).accuracy == expected.accuracy
    assert table_correspondence(there | back).accuracy == expected.accuracy
    np.testing.assert_array_equal(table_correspondence(back).confusion, expected.confusion)


def layers_of_nets(*, related):
    """Random layers (n, p) of four networks: rotations of the same ones, or independent ones."""
    rng = np.random.default_rng(7)
    common = rng.standard_normal((LAYERS, 40, 4))
    nets = {}
    for net in NETS:
        base = common if related else rng.standard_normal(common.shape)
        nets[net] = [X[:, rng.permutation(4)] for X in base]
    return nets


def gram_cosine(X, Y):
    K, L = X @ X.T, Y @ Y.T
    return np.sum(K * L) / np.linalg.norm(K) / np.linalg.norm(L)


def tables_of(nets):
    return {
        (a, b): np.array([[gram_cosine(X, Y) for Y in nets[b]] for X in nets[a]])
        for a, b in permutations(nets, 2)
    }


def test_permuted_copies_of_the_same_layers_are_all_found():
    result = table_correspondence(tables_of(layers_of_nets(related=True)))
    assert result.accuracy == 100
    assert result.standard_error == 0
    np.testing.assert_array_equal(result.confusion, 12 * np.eye(LAYERS))


def test_unrelated_scores_find_as_many_layers_as_chance():
    tables = random_tables(3, nets=tuple(range(40)), layers=9)
    result = table_correspondence(tables, symmetric=False)
    assert result.chance == pytest.approx(100 / 9)
    assert result.accuracy == pytest.approx(result.chance, abs=4 * result.standard_error)
    assert 0 < result.standard_error < 1


def test_confusion_says_which_layer_was_taken():
    S = np.eye(4)
    S[1, 2] = 2.0  # layer 1 of a is taken for 2 of b; from the other side, 2 of b for 1 of a
    result = table_correspondence({("a", "b"): S})
    expected = 2 * np.eye(4)
    expected[1, 1] = expected[2, 2] = expected[1, 2] = expected[2, 1] = 1
    np.testing.assert_array_equal(result.confusion, expected)
    assert (result.hits, result.total, result.missing) == (6, 8, 0)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
@pytest.mark.parametrize("direction", ["similarity", "distance"])
def test_a_constant_measure_scores_chance(value, direction):
    tables = {pair: np.full((4, 4), value) for pair in permutations("abc", 2)}
    result = table_correspondence(tables, direction=direction)
    assert result.accuracy == pytest.approx(result.chance) == pytest.approx(25)
    np.testing.assert_allclose(result.confusion, np.full((4, 4), 6 / 4))


def test_a_tie_of_two_layers_is_half_a_hit():
    S = np.eye(3)
    S[0, 1] = 1.0  # layer 0 of a ties with itself and 1; layer 1 of b with 0 and itself
    result = table_correspondence({("a", "b"): S})
    assert result.hits == 5.0
    assert result.confusion[0].tolist() == [1.5, 0.5, 0.0]


def test_a_dead_layer_loses_its_trials_and_is_reported():
    S = np.eye(3)
    S[1, :] = np.nan  # layer 1 of a is dead
    result = table_correspondence({("a", "b"): S})
    assert (result.hits, result.total, result.missing) == (4, 6, 2)
    assert result.accuracy == pytest.approx(100 * 4 / 6)
    np.testing.assert_array_equal(result.confusion, np.diag([2.0, 0.0, 2.0]))


def test_a_missing_score_elsewhere_in_the_row_is_only_no_candidate():
    S = np.array([[0.5, 0.9, 0.1], [0.0, 1.0, 0.0], [0.0, np.nan, 1.0]])
    result = table_correspondence({("a", "b"): S})
    assert (result.hits, result.missing) == (5, 0)


def test_all_scores_missing():
    tables = {pair: np.full((3, 3), np.nan) for pair in permutations("abc", 2)}
    result = table_correspondence(tables)
    assert (result.accuracy, result.missing, result.total) == (0.0, 18, 18)


def test_a_missing_score_in_one_direction_is_missing_in_the_sum():
    tables = {("a", "b"): np.eye(3), ("b", "a"): np.eye(3)}
    tables["b", "a"][2, 2] = np.nan
    result = table_correspondence(tables, symmetric=False)
    assert (result.hits, result.missing) == (4, 2)


def test_two_networks_have_no_standard_error():
    result = table_correspondence({("a", "b"): np.eye(3)}, measure="cka")
    assert result.standard_error is None
    assert str(result) == "cka: 100.0 % of 6 layers found (chance 33.3 %)"


def test_text_of_a_result_holds_its_figures():
    S = np.full((2, 2), np.nan)
    result = table_correspondence(
        {("a", "b"): np.eye(2), ("a", "c"): np.eye(2), ("b", "c"): S}, measure="cca"
    )
    # Left without a: the pair (b, c), of which nothing is found. Without b or c: all is found.
    mean = 200 / 3
    squares = (0 - mean) ** 2 + 2 * (100 - mean) ** 2
    assert result.standard_error == pytest.approx(math.sqrt(2 / 3 * squares))
    assert str(result) == (
        "cca: 66.7 ± 66.7 % of 12 layers found (chance 50.0 %, 4 without a score)"
    )


def test_tables_are_left_as_they_were():
    tables = {(a, b): S.astype(np.float32) for (a, b), S in symmetric_tables(0).items()}
    before = {pair: S.copy() for pair, S in tables.items()}
    table_correspondence(tables, direction="distance")
    assert all(np.array_equal(tables[pair], before[pair]) for pair in tables)


def test_paper_orders_the_measures_as_its_text_says():
    best = {name for name, accuracy in PAPER_TABLE_2.items() if accuracy > 90}
    assert best == {"CKA (linear)", "CKA (RBF 0.4)", "CKA (RBF 0.8)"}
    assert len(PAPER_TABLE_2) == 11


EYE = np.eye(3)


def test_layers_have_the_names_that_are_given():
    found = table_correspondence({("a", "b"): EYE}, layers=["x", "y", "z"])
    assert found.layers == ("x", "y", "z")
    assert table_correspondence({(0, 1): EYE}).layers == ("0", "1", "2")
    assert table_correspondence({(0, 1): EYE}).nets == ("0", "1")


INFINITE = np.array([[1.0, 0.0], [np.inf, 1.0]])


@pytest.mark.parametrize(
    ("tables", "options", "error", "match"),
    [
        ({}, {}, ValueError, r"`tables` must hold a pair of networks, got none"),
        ({"ab": EYE}, {}, TypeError, r"pairs of networks \(a, b\) as keys, got 'ab'"),
        ({("a", "b", "c"): EYE}, {}, TypeError, r"as keys, got \('a', 'b', 'c'\)"),
        ({("a", "a"): EYE}, {}, ValueError, r"pair different networks, got \('a', 'a'\)\. Leave"),
        ({("a", "b"): EYE[:2]}, {}, ValueError, r"`tables\['a', 'b'\]` must be square.*\(2, 3\)"),
        ({("a", "b"): EYE[0]}, {}, ValueError, r"must be square.*got shape \(3,\)"),
        ({("a", "b"): [[1.0]]}, {}, ValueError, r"two layers or more, got shape \(1, 1\)"),
        ({("a", "b"): EYE * 1j}, {}, TypeError, r"must hold real numbers, got dtype complex128"),
        ({("a", "b"): EYE > 0}, {}, TypeError, r"must hold real numbers, got dtype bool"),
        ({(0, 1): INFINITE}, {}, ValueError, r"must be finite, or NaN.*inf at row 1, column 0"),
        (
            {("a", "b"): EYE, ("a", "c"): np.eye(4)},
            {},
            ValueError,
            r"`tables\['a', 'c'\]` must have the shape of the first table, \(3, 3\), got \(4, 4\)",
        ),
        (
            {("a", "b"): EYE, ("a", "c"): EYE},
            {},
            ValueError,
            r"hold \('b', 'c'\), got 2 tables without it\. Every pair of networks is compared",
        ),
        (
            {("a", "b"): EYE},
            {"symmetric": False},
            ValueError,
            r"hold \('b', 'a'\), got 1 table without it\. A measure that is not symmetric needs",
        ),
        (
            {("a", "b"): EYE, ("b", "a"): EYE + np.eye(3, k=1)},
            {},
            ValueError,
            r"`tables\['a', 'b'\]` must be the transpose of tables\['b', 'a'\].*got 0 and 1 at row "
            r"1, column 0\. Pass symmetric=False",
        ),
        (
            {("a", "b"): EYE},
            {"layers": ["x"]},
            ValueError,
            r"`layers` must name the 3 rows of the tables, got 1 names",
        ),
        (
            {("a", "b"): EYE},
            {"direction": "up"},
            ValueError,
            r"`direction` must be one of 'similarity', 'distance', got 'up'",
        ),
    ],
)
def test_refusals_name_the_table_and_the_cure(tables, options, error, match):
    with pytest.raises(error, match=match):
        table_correspondence(tables, **options)
