"""The leaves of nested values and their paths."""

from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass

import pytest

from visavis.models.nested import leaves

Pair = namedtuple("Pair", ["left", "right"])


@dataclass
class Record:
    first: object
    second: object = None


@dataclass
class Both(OrderedDict):
    """A dataclass that is a mapping of what is not None, as the outputs of transformers are."""

    hidden: object = None
    cache: object = None

    def __post_init__(self):
        self["hidden"] = self.hidden


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, [("", 1)]),
        (None, [("", None)]),
        ("text", [("", "text")]),
        ((), []),
        ((1, [2, 3]), [("[0]", 1), ("[1][0]", 2), ("[1][1]", 3)]),
        ({"a": 1, 0: (2,)}, [("[a]", 1), ("[0][0]", 2)]),
        (UserDict(a=1), [("[a]", 1)]),
        (Pair(1, Pair(2, 3)), [("[left]", 1), ("[right][left]", 2), ("[right][right]", 3)]),
        (Record({"x": 1}), [("[first][x]", 1), ("[second]", None)]),
        (Record, [("", Record)]),
        (Both(hidden=1), [("[hidden]", 1)]),
    ],
    ids=range(11),
)
def test_leaves(value, expected):
    assert list(leaves(value)) == expected
