"""Activations: layers that share their rows, and who the rows are."""

import copy
import pickle

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.backends.libraries import as_numpy

from visavis import Activations, Finding

X = np.arange(10.0).reshape(5, 2)
Z = np.arange(60, dtype="f4").reshape(5, 3, 2, 2)
IDS = ("e", "d", "c", "b", "a")
LIBRARIES = {
    "numpy": np.asarray,
    "torch": torch.asarray,
    "jax": jnp.asarray,
    "array_api_strict": array_api_strict.asarray,
}
every_library = pytest.mark.parametrize("to", LIBRARIES.values(), ids=LIBRARIES)


def made(**options):
    return Activations({"conv": Z, "fc": X}, **options)


# What it holds.


def test_mapping_in_the_order_given():
    acts = made()
    assert list(acts) == ["conv", "fc"]
    assert list(Activations({"fc": X, "conv": Z})) == ["fc", "conv"]
    assert len(acts) == 2
    assert "fc" in acts
    assert "fc2" not in acts
    assert acts["fc"] is X
    assert acts.n == 5


def test_defaults():
    acts = made()
    assert acts.ids is None
    assert acts.digests is None
    assert acts.shuffled is False
    assert acts.pool == "none"
    assert acts.findings == ()
    assert dict(acts.provenance) == {}


@every_library
def test_arrays_stay_what_they_are(to):
    layer = to(Z)
    assert Activations({"conv": layer})["conv"] is layer


def test_changing_the_mapping_that_was_given_changes_nothing():
    layers, provenance = {"fc": X}, {"model": "net"}
    acts = Activations(layers, provenance=provenance)
    layers["conv"] = Z
    provenance["model"] = "other"
    assert list(acts) == ["fc"]
    assert acts.provenance["model"] == "net"


def test_provenance_is_read_only():
    with pytest.raises(TypeError, match="item assignment"):
        made(provenance={"model": "net"}).provenance["model"] = "other"


def test_a_missing_layer_is_told_with_those_that_are_there():
    with pytest.raises(KeyError, match=r"'fc2' is not among \['conv', 'fc'\]"):
        made()["fc2"]


def test_repr_says_what_there_is():
    assert repr(made(ids=IDS, pool="gap")) == (
        "Activations of 5 samples (ids 'e' ... 'a'), pool=gap\n"
        "  conv: (5, 3, 2, 2) float32\n"
        "  fc: (5, 2) float64"
    )
    assert repr(Activations({"x": torch.ones(4, 1, dtype=torch.bfloat16)})) == (
        "Activations of 4 samples (positions), pool=none\n  x: (4, 1) bfloat16"
    )


def test_repr_of_no_samples():
    none = Activations({"fc": X[:0]}, ids=[])
    assert repr(none).startswith("Activations of 0 samples (positions)")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda acts: pickle.loads(pickle.dumps(acts))])
def test_copied_and_sent_to_another_process(again):
    note = Finding("VV013", "training mode was on.")
    acts = again(made(ids=IDS, provenance={"model": "net"}, findings=[note], shuffled=True))
    np.testing.assert_array_equal(acts["conv"], Z)
    assert acts.ids == IDS
    assert acts.provenance["model"] == "net"
    assert acts.findings == (note,)
    assert acts.shuffled


# Ids.


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (IDS, IDS),
        (list(IDS), IDS),
        (range(5), (0, 1, 2, 3, 4)),
        (np.arange(5), (0, 1, 2, 3, 4)),
        (np.array(IDS), IDS),
        (torch.arange(5), (0, 1, 2, 3, 4)),
        (jnp.arange(5), (0, 1, 2, 3, 4)),
        ([torch.tensor(i) for i in range(5)], (0, 1, 2, 3, 4)),
        ([np.int64(i) for i in range(5)], (0, 1, 2, 3, 4)),
        ([("img", i) for i in range(5)], tuple(("img", i) for i in range(5))),
    ],
    ids=range(10),
)
def test_ids_become_plain_values(ids, expected):
    acts = made(ids=ids)
    assert acts.ids == expected
    assert {type(i) for i in acts.ids} <= {int, str, tuple}


def test_ids_are_not_looked_for_in_vain():
    assert made(ids=None).ids is None


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (IDS[:4], r"^Activations: `ids` must have one entry per row \(5\), got 4\.$"),
        ([*IDS, "f"], r"^Activations: `ids` must have one entry per row \(5\), got 6\.$"),
        (
            ["a", "b", "a", "b", "a"],
            r"^Activations: `ids` must be unique, got 'a' 3 times \(3 repeats in all\)\. "
            r"Rows are matched by id, so a repeated id would pair a row with a wrong one\.$",
        ),
        ([1, 2, 3, 4, 4.0], r"got 4\.0 2 times \(1 repeats in all\)"),
        (np.zeros((5, 2)), r"^Activations: `ids` must be 1-D, got shape \(5, 2\)\.$"),
        (np.array(3), r"^Activations: `ids` must be 1-D, got shape \(\)\.$"),
    ],
    ids=range(6),
)
def test_ids_that_cannot_be_used(ids, message):
    with pytest.raises(ValueError, match=message):
        made(ids=ids)


def test_digests_are_counted_and_may_repeat():
    assert made(digests=["x"] * 5).digests == ("x",) * 5
    with pytest.raises(ValueError, match=r"`digests` must have one entry per row \(5\), got 4\.$"):
        made(digests=["x"] * 4)


# Layers that cannot be.


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ({}, ValueError, r"^Activations: `layers` must hold at least one layer, got none\.$"),
        (
            {"a": X, "b": X[:4]},
            ValueError,
            r"^Activations: `layers` must have the same number of rows, got 5 in 'a' and 4 in "
            r"'b'\. Every layer must describe the same samples\.$",
        ),
        (
            {"a": [[1.0, 2.0]]},
            TypeError,
            r"^Activations: `layers\['a'\]` must be an array \(n, \.\.\.\), got list\.$",
        ),
        ({"a": np.float64(1)}, TypeError, r"must be an array \(n, \.\.\.\), got float64\.$"),
        ({"a": np.array(1.0)}, TypeError, r"must be an array \(n, \.\.\.\), got a 0-d array\.$"),
        ({"a": X, "b": None}, TypeError, r"`layers\['b'\]` must be an array .*, got NoneType\.$"),
    ],
    ids=range(6),
)
def test_layers_that_cannot_be_used(layers, error, message):
    with pytest.raises(error, match=message):
        Activations(layers)


# Parts of it.


@every_library
@pytest.mark.parametrize(
    "rows",
    [[4, 0, 2], (4, 0, 2), np.array([4, 0, 2]), torch.tensor([4, 0, 2]), jnp.array([4, 0, 2])],
    ids=["list", "tuple", "numpy", "torch", "jax"],
)
def test_take(to, rows):
    digests = [f"digest {i}" for i in range(5)]
    acts = Activations({"conv": to(Z), "fc": to(X.astype("f4"))}, ids=IDS, digests=digests)
    taken = acts.take(rows)
    np.testing.assert_array_equal(as_numpy(taken["conv"]), Z[[4, 0, 2]])
    np.testing.assert_array_equal(as_numpy(taken["fc"]), X[[4, 0, 2]])
    assert type(taken["fc"]) is type(acts["fc"])
    assert taken.ids == ("a", "e", "c")
    assert taken.digests == ("digest 4", "digest 0", "digest 2")
    assert taken.n == 3


def test_take_keeps_the_rest():
    note = Finding("VV013", "training mode was on.")
    acts = made(shuffled=True, pool="gap", findings=[note], provenance={"model": "net"}).take([0])
    assert (acts.shuffled, acts.pool, acts.findings) == (True, "gap", (note,))
    assert acts.provenance["model"] == "net"
    assert acts.ids is None


@pytest.mark.parametrize("rows", [[], np.array([], int), range(0)])
def test_take_nothing(rows):
    acts = made(ids=IDS).take(rows)
    assert acts.n == 0
    assert acts.ids == ()
    assert acts["conv"].shape == (0, 3, 2, 2)


def test_take_a_row_twice_where_rows_have_no_ids():
    np.testing.assert_array_equal(made().take([1, 1])["fc"], X[[1, 1]])
    with pytest.raises(ValueError, match="`ids` must be unique, got 'd' 2 times"):
        made(ids=IDS).take([1, 1])


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([True, False, True, False, False], "1-D bool"),
        (np.array([True, False, True, False, False]), "1-D bool"),
        (torch.tensor([True, False, True, False, False]), "1-D bool"),
        ([0, 5], r"0 \.\.\. 5"),
        ([-1, 0], r"-1 \.\.\. 0"),
        ([0.0, 1.0], "1-D float64"),
        (np.array([[0, 1]]), "2-D int64"),
        (["e"], "1-D <U1"),
    ],
    ids=range(8),
)
def test_take_what_are_no_positions(rows, seen):
    message = (
        rf"^Activations\.take: `rows` must be positions from 0 to 4, got {seen}\. "
        r"Of a mask take numpy\.flatnonzero\(mask\)\.$"
    )
    with pytest.raises(ValueError, match=message):
        made(ids=IDS).take(rows)


def test_select_in_the_order_asked():
    acts = Activations({"a": X, "b": X, "c": X}, ids=IDS, pool="gap").select(["c", "a"])
    assert list(acts) == ["c", "a"]
    assert acts.ids == IDS
    assert acts.pool == "gap"
    assert acts["a"] is X


def test_select_what_is_not_there():
    with pytest.raises(KeyError, match=r"'d' is not among \['conv', 'fc'\]"):
        made().select(["d"])


def test_replace_changes_what_is_named_and_nothing_else():
    acts = made(ids=IDS, digests=list("vwxyz"), shuffled=True, pool="gap", provenance={"k": 1})
    other = acts.replace(pool="flatten", ids=None)
    assert other.pool == "flatten"
    assert other.ids is None
    assert other.digests == tuple("vwxyz")
    assert other.shuffled
    assert other.provenance == {"k": 1}
    assert other["fc"] is X
    assert acts.pool == "gap"
    assert acts.ids == IDS


def test_replace_checks_again():
    with pytest.raises(ValueError, match="one entry per row"):
        made().replace(ids=["a"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'poool'"):
        made().replace(poool="gap")
