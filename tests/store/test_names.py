"""What files are called where several of them are told apart."""

from pathlib import Path

import pytest

from visavis.store import told_apart


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["runs/seed0", "runs/seed1"], ["seed0", "seed1"]),
        (["a/acts.npz", "b/acts.npz"], ["a-acts", "b-acts"]),
        (["acts.npz", "acts.npy"], ["acts.npz", "acts.npy"]),
        (["net-v1.0", "net-v1.1"], ["net-v1.0", "net-v1.1"]),
        (["s3://x/a.npz", "s3://x/b.npz"], ["a", "b"]),
        (["x/deep/a.npz", "y/deep/a.npz"], ["x-deep-a", "y-deep-a"]),
        (["nets.py:wide", "nets.py:narrow"], ["nets.py:wide", "nets.py:narrow"]),
        (["one.npz"], ["one"]),
        ([], []),
    ],
)
def test_the_shortest_ends_that_tell_them_apart(places, names):
    found = told_apart(places)
    assert list(found) == names
    assert list(found.values()) == places


@pytest.mark.parametrize("again", ["a.npz", "./a.npz", "x/../a.npz", str(Path("a.npz").resolve())])
def test_a_place_twice_is_refused(again):
    with pytest.raises(ValueError, match=r"must be different ones, got 'a\.npz' twice"):
        told_apart(["a.npz", "b.npz", again])
