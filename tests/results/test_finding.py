"""Findings: stable codes, plain words, and a way to leave some of them out."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError

import pytest

from visavis import Finding
from visavis.results import CODES, silence

FULL = Finding(
    "VV003",
    "cka: layers that have nothing in common would score up to 0.91.",
    "Use the debiased estimator.",
    severity="info",
    layers=("conv1", "conv2"),
    evidence={"chance_max": 0.91, "pairs": 4, "estimator": "biased"},
)


def test_codes_are_numbered_without_gaps():
    assert list(CODES) == [f"VV{number:03}" for number in range(1, 20)]


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_title(code):
    assert Finding(code, "Seen.").title == CODES[code] != ""


def test_text():
    assert str(FULL) == (
        "VV003 biased estimate where chance is high: cka: layers that have nothing in common "
        "would score up to 0.91. Use the debiased estimator."
    )
    assert str(Finding("VV002", "5 samples.")) == "VV002 few samples: 5 samples."


def test_defaults():
    finding = Finding("VV002", "5 samples.")
    assert (finding.cure, finding.severity, finding.layers) == ("", "warning", ())
    assert finding.evidence == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"code": "VV999"}, r"^Finding: `code` must be one of 'VV001', .*'VV019', got 'VV999'\.$"),
        ({"code": "vv001"}, "got 'vv001'"),
        (
            {"severity": "fatal"},
            r"^Finding: `severity` must be one of 'info', 'warning', 'error', got 'fatal'\.$",
        ),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Finding(**{"code": "VV001", "message": "Seen.", **options})


def test_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        FULL.code = "VV001"


def test_equal_if_all_is_equal():
    again = Finding.from_dict(FULL.to_dict())
    assert again == FULL
    assert again != Finding("VV003", FULL.message)


@pytest.mark.parametrize(
    "again",
    [
        lambda finding: Finding.from_dict(json.loads(json.dumps(finding.to_dict()))),
        lambda finding: pickle.loads(pickle.dumps(finding)),
        copy.deepcopy,
    ],
    ids=["json", "pickle", "copy"],
)
def test_round_trip(again):
    assert again(FULL) == FULL
    assert isinstance(again(FULL).layers, tuple)


def test_from_dict_that_lacks_something():
    with pytest.raises(KeyError, match="message"):
        Finding.from_dict({"code": "VV001"})


@pytest.mark.parametrize(
    ("codes", "left"),
    [
        ([], ["VV003", "VV002", "VV003"]),
        (["VV003"], ["VV002"]),
        (("VV002", "VV003"), []),
        ({"VV016"}, ["VV003", "VV002", "VV003"]),
        ("VV003", ["VV002"]),
    ],
)
def test_silence(codes, left):
    findings = [FULL, Finding("VV002", "5 samples."), FULL]
    assert [each.code for each in silence(findings, codes)] == left


@pytest.mark.parametrize(("codes", "seen"), [(["VV003", "VV03"], "'VV03'"), ("all", "'all'")])
def test_silence_of_what_does_not_exist(codes, seen):
    with pytest.raises(ValueError, match=rf"^silence: `codes` must be one of 'VV001'.*got {seen}"):
        silence([], codes)
