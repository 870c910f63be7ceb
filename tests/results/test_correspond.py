"""Whether rows correspond: by id, by what the model was given, by number."""

import numpy as np
import pytest

from visavis import Activations, SampleMismatchError
from visavis.results import correspond

IDS = tuple("abcdef")


def acts(rows=range(6), *, ids=None, digests=None, shuffled=False):
    layers = {"x": np.array([[float(row)] for row in rows])}
    return Activations(layers, ids=ids, digests=digests, shuffled=shuffled)


def by_id(ids):
    return acts([IDS.index(i) if i in IDS else 9 for i in ids], ids=ids)


# Rows that correspond come back as they are.


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (acts(), acts()),
        (by_id(IDS), by_id(IDS)),
        (acts(ids=range(6)), acts(ids=np.arange(6))),
        (by_id(IDS), acts()),
        (acts(digests=IDS), acts(digests=IDS)),
        (acts(digests=IDS, shuffled=True), acts(digests=IDS, shuffled=True)),
        (acts(digests=IDS), acts()),
        # Different inputs for each model, as tokenizers or crops make them, are no shuffling.
        (acts(digests=IDS), acts(digests=tuple("uvwxyz"))),
        # Ids decide where both have them: inputs may differ.
        (
            acts(ids=IDS, digests=IDS, shuffled=True),
            acts(ids=IDS, digests=IDS[::-1], shuffled=True),
        ),
    ],
    ids=range(9),
)
def test_corresponding_rows_are_left_alone(a, b):
    same_a, same_b, findings = correspond(a, b)
    assert same_a is a
    assert same_b is b
    assert findings == ()


@pytest.mark.parametrize("align", ["strict", "inner"])
def test_a_set_corresponds_to_itself_even_without_ids(align):
    a = acts(shuffled=True)
    assert correspond(a, a, align=align) == (a, a, ())


# Rows that do not.

CURE = r"Give both the same samples, or join them by id with align=\"inner\"\.$"


def refused(a, b, code="VV001", **options):
    with pytest.raises(SampleMismatchError) as caught:
        correspond(a, b, **options)
    assert caught.value.code == code
    return str(caught.value)


def test_counts_differ():
    assert refused(acts(), acts(range(4))) == (
        "VV001 compare: `a` and `b` must describe the same samples, got 6 and 4 rows. "
        'Give both the same samples, or join them by id with align="inner".'
    )


def test_ids_in_another_order():
    assert refused(by_id(IDS), by_id("abdcef")) == (
        "VV001 compare: `a` and `b` must have the same ids row by row, got the same 6 ids in "
        "another order (row 2 is 'c' and 'd'). "
        'Give both the same samples, or join them by id with align="inner".'
    )


@pytest.mark.parametrize(
    ("a", "b", "seen"),
    [
        ("abcdef", "abcdez", "1 of 6 ids that `b` lacks ('f') and 1 of 6 that `a` lacks ('z')"),
        ("abcdef", "abcd", "2 of 6 ids that `b` lacks ('e', 'f') and 0 of 4 that `a` lacks"),
        (
            "abcdef",
            "azyxw",
            "5 of 6 ids that `b` lacks ('b', 'c', 'd', ...) and 4 of 5 that `a` lacks "
            "('z', 'y', 'x', ...)",
        ),
    ],
)
def test_other_ids_with_counts_and_examples(a, b, seen):
    message = refused(by_id(a), by_id(b))
    assert f"got {seen}. Give both" in message
    assert message.startswith("VV001 compare: `a` and `b` must have the same ids row by row, got ")


def test_ids_decide_against_equal_inputs():
    a, b = acts(ids=IDS, digests=IDS), acts(ids=IDS[::-1], digests=IDS)
    assert "another order" in refused(a, b)


SHUFFLED = (
    "VV007 compare: the model inputs behind 2 of 6 rows differ between the two sides: a shuffled "
    "loader was iterated once for each model. Extract both in one pass "
    "(extract({'a': model_a, 'b': model_b}, loader)), use shuffle=False, or pass ids."
)


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("ids", [None, IDS], ids=["no ids", "ids on one side"])
def test_the_same_inputs_in_another_order_are_a_shuffled_loader(shuffled, ids):
    a = acts(digests=IDS, shuffled=shuffled, ids=ids)
    assert refused(a, acts(digests=tuple("abdcef")), code="VV007") == SHUFFLED


@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
def test_other_inputs_from_a_shuffled_loader(sides):
    # Augmented differently at each pass, so not one input is seen twice.
    a, b = (acts(digests=d, shuffled=s) for d, s in zip((IDS, "uvwxyz"), sides, strict=True))
    assert "behind 6 of 6 rows differ" in refused(a, b, code="VV007")


def test_repeated_inputs_are_counted():
    a, b = acts(digests=tuple("aabbcc")), acts(digests=tuple("aaabbc"))
    assert correspond(a, b) == (a, b, ())


def test_the_caller_is_named():
    assert refused(acts(), acts(range(4)), where="difference").startswith("VV001 difference: ")
    a, b = acts(digests=IDS), acts(digests=IDS[::-1])
    assert refused(a, b, "VV007", where="difference").startswith("VV007 difference: ")


# Joined by id.


def test_inner_keeps_what_is_common_in_the_order_of_a():
    a, b, [finding] = correspond(by_id("fbzad"), by_id("abcdef"), align="inner")
    assert a.ids == b.ids == ("f", "b", "a", "d")
    np.testing.assert_array_equal(a["x"], b["x"])
    np.testing.assert_array_equal(a["x"][:, 0], [5, 1, 0, 3])
    assert finding.code == "VV001"
    assert finding.severity == "info"
    assert finding.message == (
        "joined by id: 4 samples are common; 1 of 5 rows of the first side and 2 of 6 of the "
        "second were left out."
    )
    assert finding.evidence == {"kept": 4, "dropped_a": 1, "dropped_b": 2}


def test_inner_of_the_same_ids_in_another_order_says_so():
    a, b, [finding] = correspond(by_id(IDS), by_id(IDS[::-1]), align="inner")
    assert a.ids == b.ids == IDS
    assert finding.evidence == {"kept": 6, "dropped_a": 0, "dropped_b": 0}


def test_inner_of_what_corresponds_already_changes_nothing():
    a, b = by_id(IDS), by_id(IDS)
    assert correspond(a, b, align="inner") == (a, b, ())


def test_inner_with_nothing_in_common():
    assert refused(acts(ids=range(6)), acts(ids=map(str, range(6))), align="inner") == (
        "VV001 compare: `a` and `b` must have the same ids row by row, got 6 of 6 ids that `b` "
        "lacks (0, 1, 2, ...) and 6 of 6 that `a` lacks ('0', '1', '2', ...). "
        "See how the ids are written: an integer is not its text."
    )


@pytest.mark.parametrize(
    ("a", "b", "seen"),
    [
        (acts(), acts(range(4)), "no ids on both sides"),
        (by_id(IDS), acts(), "no ids on one side"),
        (acts(), by_id(IDS), "no ids on one side"),
    ],
)
def test_inner_without_ids(a, b, seen):
    assert refused(a, b, align="inner") == (
        f'VV001 compare: `a` and `b` must have ids to be joined with align="inner", got {seen}. '
        "Pass ids when extracting or loading."
    )


def test_unknown_way_to_align():
    with pytest.raises(ValueError, match="`align` must be one of 'strict', 'inner', got 'outer'"):
        correspond(acts(), acts(), align="outer")
