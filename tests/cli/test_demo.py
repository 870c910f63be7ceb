"""What the demo says of what came out: rows of a table, and sentences."""

import numpy as np
import pytest

from visavis.benchmark import (
    DEBIASED,
    MEASURES,
    PAPER_TABLE_2,
    LayerCorrespondence,
    table_correspondence,
)
from visavis.benchmark.miniature import Miniature
from visavis.cli import demo

SEEDS = ("seed 0", "seed 1", "seed 2")
PAIRS = [(a, b) for a in SEEDS for b in SEEDS if a < b]


def found(measure, hits, pairs=PAIRS):
    """A correspondence over four layers, of which each pair of nets gives so many both ways."""
    tables = {}
    for pair, count in zip(pairs, hits, strict=True):
        # Of the layers that are not found, each is taken for the next one.
        order = [i if i < count else 3 if i == count else i - 1 for i in range(4)]
        tables[pair] = np.eye(4)[order]
    return table_correspondence(tables, measure=measure)


def result(**hits):
    """A miniature in which every measure finds all layers but those that are named."""
    given = {"CKA (linear)": (4, 4, 4), "CCA (R²)": (4, 4, 4), **hits}
    return of({name: found(name, each) for name, each in given.items()})


def of(correspondences):
    """A miniature with these outcomes, and no values."""
    scores = dict.fromkeys(correspondences)
    return Miniature({}, {}, LayerCorrespondence(correspondences, scores, {}))


def test_rows_in_the_order_of_the_measures():
    table = demo.rows(result(**{DEBIASED: (4, 4, 4)}))
    assert table == [
        ("CKA (linear)", "100.0 ± 0.0", "99.3"),
        ("CCA (R²)", "100.0 ± 0.0", "10.6"),
        (DEBIASED, "100.0 ± 0.0", "–"),
    ]


def test_rows_have_the_standard_error_over_nets():
    # Two layers of each pair with seed 2 are mistaken for each other, none of the others:
    # 100, 50 and 50 % of the layers of a pair are found.
    [line, *_] = demo.rows(result(**{"CKA (linear)": (4, 2, 2)}))
    leave_one_out = np.array([50.0, 50.0, 100.0])
    error = np.sqrt(2 / 3 * ((leave_one_out - leave_one_out.mean()) ** 2).sum())
    assert line == ("CKA (linear)", f"66.7 ± {error:.1f}", "99.3")


def test_rows_of_two_nets_have_no_standard_error():
    two = of({"CKA (linear)": found("CKA (linear)", [4], PAIRS[:1])})
    assert demo.rows(two) == [("CKA (linear)", "100.0", "99.3")]


def test_every_row_of_the_paper_has_its_measure():
    assert set(PAPER_TABLE_2) | {DEBIASED} == set(MEASURES)


def test_what_it_shows():
    found_by = {"CKA (linear)": (4, 2, 2), "CCA (R²)": (2, 2, 2), "CKA (RBF 0.4)": (4, 4, 2)}
    assert demo.what_it_shows(result(**found_by)).startswith(
        "Of 24 layers sought in a net from another seed, CKA (RBF 0.4) finds 83 %, linear CKA 67 % "
        "and CCA 50 %; blind choice finds 25 %. "
    )


@pytest.mark.parametrize("hits", [(4, 4, 4), (2, 2, 2)], ids=["all found", "half found"])
def test_no_measure_is_called_better_than_linear_cka_that_is_only_as_good(hits):
    found_by = dict.fromkeys(("CCA (R²)", "PWCCA", "CKA (linear)"), hits)
    assert "another seed, linear CKA finds " in demo.what_it_shows(result(**found_by))
