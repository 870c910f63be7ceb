"""Results in files: JSON that any parser reads, whole or not at all, and back bit by bit."""

import json
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from tests.results.conftest import NAN

from visavis import Comparison, ComparisonSet, StoreFormatError
from visavis.results import saved


def strict(path):
    """Parse as the standard says: NaN and Infinity are no JSON."""

    def refuse(token):
        pytest.fail(f"{token} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def same(a, b):
    """Whether two comparisons hold the same, NaN being NaN."""
    np.testing.assert_array_equal(a.values, b.values)
    assert a.values.dtype == b.values.dtype
    assert (a.chance is None) == (b.chance is None)
    if a.chance is not None:
        np.testing.assert_array_equal(a.chance, b.chance)
    rest = attrgetter("rows", "cols", "scale", "n", "findings", "names", "plan", "provenance")
    assert rest(a) == rest(b)
    return True


def test_round_trip_of_everything(full, tmp_path):
    path = full.save(tmp_path / "r.json")
    assert path == tmp_path / "r.json"
    assert same(Comparison.load(path), full)


def test_round_trip_of_the_least(make, tmp_path):
    assert same(Comparison.load(make().save(str(tmp_path / "r.json"))), make())


def test_round_trip_of_a_set(full, make, tmp_path):
    res = ComparisonSet({"after": full, "before": make()})
    loaded = ComparisonSet.load(res.save(tmp_path / "r.json"))
    assert list(loaded) == ["after", "before"]
    assert same(loaded["after"], full)
    assert same(loaded["before"], make())


def test_the_file_is_strict_json_that_says_what_it_is(full, tmp_path):
    envelope = strict(full.save(tmp_path / "r.json"))
    assert envelope["visavis"] == "comparison"
    assert envelope["format"] == 1
    assert envelope["data"]["values"][0] == [None, "inf", "-inf"]
    assert envelope["data"]["measure"]["low"] == "-inf"
    several = strict(ComparisonSet([full]).save(tmp_path / "set.json"))
    assert several["visavis"] == "comparison-set"
    assert list(several["data"]) == ["hsic"]


def test_names_of_any_kind_come_back(make, tmp_path):
    rows = ("\x1b[31m\n", 'a"\\</script>')
    res = make(rows=rows, cols=("é", "層", "\ud800"), names=("", "🙂"))
    loaded = Comparison.load(res.save(tmp_path / "r.json"))
    assert loaded.rows == rows
    assert loaded.cols == ("é", "層", "\ud800")
    assert loaded.names == ("", "🙂")


def test_what_has_no_json_type_becomes_plain(make, tmp_path):
    provenance = {"path": Path("runs"), "seeds": (0, np.int64(1)), "loss": np.float32(0.5), 3: NAN}
    loaded = Comparison.load(make(provenance=provenance).save(tmp_path / "r.json"))
    assert loaded.provenance == {"path": "runs", "seeds": [0, 1], "loss": 0.5, "3": None}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([[1.5, NAN]]), [[1.5, None]]),
        (np.float64("inf"), "inf"),
        (np.bool_(True), True),
        (np.int8(3), 3),
        (True, True),
        (None, None),
        (10**400, 10**400),
        ({"a": {"b": (1, 2)}}, {"a": {"b": [1, 2]}}),
        (1j, "1j"),
    ],
)
def test_plain(value, expected):
    made = saved.plain(value)
    assert made == expected
    assert type(made) is type(expected)


# Writing.


def test_a_failed_write_keeps_the_old_file(make, tmp_path, monkeypatch):
    path = make().save(tmp_path / "r.json")
    before = path.read_text(encoding="utf-8")

    def disk_is_full(self, text, **options):
        with self.open("w") as file:
            file.write(text[:20])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", disk_is_full)
    with pytest.raises(OSError, match="No space left"):
        make(n=3).save(path)
    assert path.read_text(encoding="utf-8") == before
    assert [each.name for each in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("kind", [Comparison, ComparisonSet])
def test_missing_folder(make, tmp_path, kind):
    res = make() if kind is Comparison else ComparisonSet([make()])
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist\. Create it"):
        res.save(tmp_path / "nowhere" / "r.json")


# Reading what is something else.


@pytest.mark.parametrize("kind", [Comparison, ComparisonSet])
def test_no_file(tmp_path, kind):
    with pytest.raises(FileNotFoundError, match=r"r\.json"):
        kind.load(tmp_path / "r.json")


def test_the_other_kind(make, tmp_path):
    one = make().save(tmp_path / "one.json")
    many = ComparisonSet([make()]).save(tmp_path / "many.json")
    with pytest.raises(StoreFormatError, match=r"one\.json holds a comparison, not a comparison-s"):
        ComparisonSet.load(one)
    with pytest.raises(StoreFormatError, match=r"many\.json holds a comparison-set, not a comp"):
        Comparison.load(many)


def test_a_newer_version(make, tmp_path):
    path = make().save(tmp_path / "r.json")
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    message = r"r\.json has format 2; this version reads up to 1\. Upgrade visavis\.$"
    with pytest.raises(StoreFormatError, match=message):
        Comparison.load(path)


TEXTS = {
    "empty": "",
    "no json": "layer1,layer2\n0.5,0.6\n",
    "cut": '{"visavis": "comparison", "format": 1, "data": {"measure": {"la',
    "another file": '{"model": "net"}',
    "a list": "[1, 2]",
    "a number": "3",
    "null": "null",
    "data is a list": '{"visavis": "%s", "format": 1, "data": [1]}',
    "data is null": '{"visavis": "%s", "format": 1, "data": null}',
    "data is empty": '{"visavis": "%s", "format": 1, "data": {"cka": {}}}',
    "no format": '{"visavis": "%s", "data": {}}',
    "a format in words": '{"visavis": "%s", "format": "one", "data": {}}',
    "nested without end": "[" * 100_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    ("kind", "name"),
    [(Comparison, "comparison"), (ComparisonSet, "comparison-set")],
    ids=["one", "set"],
)
def test_what_is_no_result(tmp_path, text, kind, name):
    path = tmp_path / "r.json"
    path.write_text(text % name if "%s" in text else text)
    with pytest.raises(StoreFormatError, match=rf"r\.json is not a saved {name}: "):
        kind.load(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x93NUMPY\x01\x00", bytes(100)])
def test_binary(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(StoreFormatError, match="is not a saved comparison"):
        Comparison.load(path)


DAMAGES = {
    "a column is missing": {"values": [[1.0, 2.0], [3.0, 4.0]]},
    "the shape is turned": {"values": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]},
    "rows of different lengths": {"values": [[1.0, 2.0, 3.0], [4.0]]},
    "a value in words": {"values": [["high", 2.0, 3.0], [4.0, 5.0, 6.0]]},
    "values are a number": {"values": 3},
    "a value beyond any float": {"values": [[10**400, 2.0, 3.0], [4.0, 5.0, 6.0]]},
    "chance of another shape": {"chance": [[0.1]]},
    "one name": {"names": ["seed0"]},
    "an unknown code": {
        "findings": [
            {
                "code": "VV999",
                "message": "",
                "cure": "",
                "severity": "info",
                "layers": [],
                "evidence": {},
            }
        ]
    },
    "a finding that lacks everything": {"findings": [{}]},
    "a measure with more in it": {"measure": {"label": "cka", "low": 0, "high": 1, "color": 1}},
    "no number of samples": {"n": None},
    "a direction that is none": {
        "measure": {"label": "cka", "low": 0, "high": 1, "symmetric": True, "direction": "up"}
    },
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_data(make, tmp_path, damage):
    path = make().save(tmp_path / "r.json")
    envelope = strict(path)
    envelope["data"] |= damage
    path.write_text(json.dumps(envelope))
    with pytest.raises(StoreFormatError, match=r"r\.json is not a saved comparison: "):
        Comparison.load(path)


KEYS = (
    "measure",
    "names",
    "rows",
    "cols",
    "n",
    "values",
    "chance",
    "standard_error",
    "findings",
    "plan",
    "provenance",
    "unit",
)


# What files of earlier versions do not have.
LATER = ("low", "high", "level", "z")


def test_keys_of_the_format(full):
    assert tuple(full.to_dict()) == KEYS + LATER


def test_files_of_earlier_versions_are_read(full, tmp_path):
    path = full.save(tmp_path / "r.json")
    envelope = strict(path)
    for key in LATER:
        del envelope["data"][key]
    path.write_text(json.dumps(envelope))
    again = Comparison.load(path)
    assert again.low is again.z is again.level is None
    np.testing.assert_array_equal(again.chance, full.chance)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_needed(full, tmp_path, key):
    path = full.save(tmp_path / "r.json")
    envelope = strict(path)
    del envelope["data"][key]
    path.write_text(json.dumps(envelope))
    with pytest.raises(StoreFormatError, match=rf"KeyError\('{key}'\)"):
        Comparison.load(path)


def test_a_copy_with_changes_is_saved_as_changed(full, tmp_path):
    path = replace(full, n=7).save(tmp_path / "r.json")
    assert Comparison.load(path).n == 7
