"""What a comparison tells its reader: the right code, about the right layer of the right side."""

import functools
import json

import numpy as np
import pytest
import torch
from tests.data_makers import independent, related
from tests.pairs.conftest import layers

import visavis as vv
from visavis import Activations, Finding

# 60 samples, so that few of them is not a finding.
A, B = layers(n=60)
compared = functools.partial(vv.compare, progress=False)


def codes(res):
    return [finding.code for finding in res.findings]


def only(res, code):
    [finding] = [each for each in res.findings if each.code == code]
    return finding


@pytest.mark.parametrize("measure", ["cka", "cca", "svcca", "pwcca", "procrustes", "hsic"])
def test_nothing_is_said_where_nothing_is_to_be_said(measure):
    assert compared(A, B, measure=measure).findings == ()


# VV006: a layer without an answer is NaN, and the rest goes on.

FLAT = np.ones((60, 3))
SPOILED = np.random.default_rng(0).normal(size=(60, 3))
SPOILED[7, 2] = np.nan
SPOILED[9] = np.inf
# One row for each of 60 classes: all equally far from each other.
ONE_HOT = np.eye(60)

CONSTANT = (
    "must vary over the samples, got 60 identical rows. "
    "A constant (dead) layer has no similarity to anything: leave it out."
)
NOT_FINITE = (
    "must be finite, got nan at row 7, column 2 (4 such values in 2 of 60 rows). "
    "Drop these rows from both sides, or find out why the model produced them."
)
EQUIDISTANT = (
    "gives no value even with itself, though it is finite and varies: all its samples are equally "
    "far from each other (one-hot rows, say). There is nothing in it to compare: leave it out."
)
ZERO_ROW = np.array([*A["fc"][:59], np.zeros(3)])
COPIES = np.array([*[A["fc"][0]] * 50, *A["fc"][50:]])

WITHOUT_ANSWER = {
    "dead, cka": (FLAT, "cka", CONSTANT),
    "dead, biased": (FLAT, "cka(estimator=biased)", CONSTANT),
    "dead, rbf": (FLAT, "cka(kernel=laplacian)", CONSTANT),
    "dead, cca": (FLAT, "cca", CONSTANT),
    "dead, svcca": (FLAT, "svcca", CONSTANT),
    "dead, pwcca": (FLAT, "pwcca", CONSTANT),
    "dead, ridge": (FLAT, "canonical_ridge(kappa=(1, 1))", CONSTANT),
    "dead, procrustes": (FLAT, "procrustes", CONSTANT),
    "zero": (np.zeros((60, 3)), "cka", CONSTANT),
    "dead map": (np.full((60, 2, 4, 4), 0.1, "f4"), "cka", CONSTANT),
    "nan, cka": (SPOILED, "cka", NOT_FINITE),
    "nan, rbf": (SPOILED, "cka(kernel=rbf)", NOT_FINITE),
    "nan, hsic": (SPOILED, "hsic", NOT_FINITE),
    "nan, cca": (SPOILED, "cca", NOT_FINITE),
    "nan, svcca": (SPOILED, "svcca", NOT_FINITE),
    "nan, pwcca": (SPOILED, "pwcca", NOT_FINITE),
    "nan, regression": (SPOILED, "linear_regression", NOT_FINITE),
    "nan, procrustes": (SPOILED, "procrustes", NOT_FINITE),
    "one-hot": (ONE_HOT, "cka", EQUIDISTANT),
    "one-hot, cosine": (ONE_HOT, "cka(kernel=cosine)", EQUIDISTANT),
    "a zero row": (
        ZERO_ROW,
        "cka(kernel=cosine)",
        "holds an all-zero row, which has no angle to others: row 59. "
        "Leave such rows out of both sides, or use the linear kernel.",
    ),
    "copies": (
        COPIES,
        "cka(kernel=laplacian)",
        "gives no bandwidth: the median distance between rows is zero, since half of all pairs of "
        "rows or more are identical. Drop the duplicate rows.",
    ),
    "too large": (
        1e200 * A["fc"],
        "hsic",
        "gives a value with itself that no float64 can hold. Rescale it, or use cka, which does "
        "not depend on its scale.",
    ),
}
every_case = pytest.mark.parametrize(
    ("X", "measure", "sentence"), WITHOUT_ANSWER.values(), ids=WITHOUT_ANSWER
)


def errors(res):
    return [(each.code, each.severity, each.layers, each.message) for each in res.findings]


@every_case
def test_on_the_rows(X, measure, sentence):
    a = {"conv1": A["conv1"], "bad": X, "fc": A["fc"]}
    res = compared(a, B, measure=measure, names=("trained", "random"), silenced=["VV003"])
    assert errors(res) == [("VV006", "error", ("bad",), f"Layer bad of trained {sentence}")]
    assert np.isnan(res.values[1]).all()
    rest = compared({"conv1": A["conv1"], "fc": A["fc"]}, B, measure=measure)
    np.testing.assert_array_equal(res.values[[0, 2]], rest.values)


@every_case
def test_on_the_columns(X, measure, sentence):
    b = {"conv1": B["conv1"], "bad": X, "fc": B["fc"]}
    res = compared(A, b, measure=measure, names=("trained", "random"), silenced=["VV003"])
    assert errors(res) == [("VV006", "error", ("bad",), f"Layer bad of random {sentence}")]
    assert np.isnan(res.values[:, 1]).all()
    assert np.isfinite(res.values[:, [0, 2]]).all()


@every_case
def test_in_a_set_with_itself(X, measure, sentence):
    a = {"conv1": A["conv1"], "bad": X, "fc": A["fc"]}
    res = compared(a, measure=measure, silenced=["VV003"])
    assert errors(res) == [("VV006", "error", ("bad",), f"Layer bad of a {sentence}")]
    assert np.isnan(res.values[1]).all()
    assert np.isnan(res.values[:, 1]).all()
    assert np.isfinite(res.values[np.ix_([0, 2], [0, 2])]).all()


def test_layers_of_one_name_on_both_sides_are_told_apart():
    a, b = {**A, "fc": FLAT}, {**B, "fc": SPOILED}
    res = compared(a, b)
    assert [each.message for each in res.findings] == [
        f"Layer fc of a {CONSTANT}",
        f"Layer fc of b {NOT_FINITE}",
    ]
    assert np.isfinite(res.values[:2, :2]).all()


def test_all_layers_dead():
    res = compared({"x": FLAT, "y": 2 * FLAT}, {"z": 3 * FLAT})
    assert np.isnan(res.values).all()
    # y meets nothing but z, and for their pair one reason is enough.
    assert [each.layers for each in res.findings] == [("x",), ("z",)]
    assert res.chance is None
    assert res.best_match() == {"x": None, "y": None}


def test_a_dead_layer_has_hsic_zero_and_is_no_finding():
    res = compared({"dead": FLAT}, B, measure="hsic")
    np.testing.assert_array_equal(res.values, 0)
    assert res.findings == ()


def test_a_dead_layer_neither_predicts_nor_can_be_predicted():
    for sides, name in [(({"dead": FLAT}, B), "a"), ((A, {"dead": FLAT}), "b")]:
        res = compared(*sides, measure="linear_regression", silenced=["VV003"])
        assert np.isnan(res.values).all()
        assert errors(res) == [("VV006", "error", ("dead",), f"Layer dead of {name} {CONSTANT}")]


def test_one_hot_rows_have_an_answer_where_the_measure_has_one():
    res = compared({"labels": ONE_HOT}, B, measure="cka(estimator=biased)")
    assert res["labels", "fc"] == pytest.approx(float(vv.cka(ONE_HOT, B["fc"], estimator="biased")))
    assert "VV006" not in codes(res)


def test_each_measure_has_its_own_findings():
    res = compared({"labels": ONE_HOT}, B, measures=["cka", "procrustes"])
    assert codes(res["cka"]) == ["VV006"]
    assert codes(res["procrustes"]) == []


# VV014: saturated pairs.


def test_saturated_pairs_are_nan_with_one_finding():
    X, Y = independent(n=60, p=50, q=45)
    res = compared({"wide": X, **A}, {"wide": Y, **B}, measure="cca")
    finding = only(res, "VV014")
    assert codes(res) == ["VV014"]
    assert finding.severity == "error"
    assert finding.message == (
        "cca: 1 of 16 pairs have as many dimensions as samples, where the measure takes the same "
        "value for any two layers (Kornblith et al. 2019, Theorem 1)."
    )
    assert finding.cure == (
        "Use cka, extract more samples, or set allow_saturated=True to see the values."
    )
    assert finding.layers == ("wide",)
    assert finding.evidence == {"pairs": 1}
    assert np.isnan(res["wide", "wide"])
    assert np.isfinite(res.values[1:, :]).all()
    assert np.isfinite(res.values[:, 1:]).all()


def test_saturated_pairs_of_a_set_with_itself_are_counted_on_both_sides_of_the_diagonal():
    X, Y = independent(n=60, p=50, q=45)
    res = compared({"x": X, "y": Y, "fc": A["fc"]}, measure="cca")
    finding = only(res, "VV014")
    assert finding.evidence == {"pairs": int(np.isnan(res.values).sum())} == {"pairs": 4}
    assert finding.message.startswith("cca: 4 of 9 pairs have")
    assert finding.layers == ("x", "y")


@pytest.mark.parametrize("measure", ["cca", "svcca(variance=1.0)", "pwcca", "linear_regression"])
def test_saturated_measures_answer_when_they_are_allowed_to(measure):
    X, Y = independent(n=60, p=80, q=80)
    assert "VV014" in codes(compared({"x": X}, {"y": Y}, measure=measure))
    allowed = (
        f"{measure[:-1]}, allow_saturated=True)"
        if "(" in measure
        else (f"{measure}(allow_saturated=True)")
    )
    res = compared({"x": X}, {"y": Y}, measure=allowed)
    assert "VV014" not in codes(res)
    assert res["x", "y"] == pytest.approx(1, abs=1e-9)


def test_a_dead_layer_beside_a_wide_one_is_dead_not_saturated():
    X, Y = independent(n=60, p=80, q=80)
    res = compared({"dead": FLAT}, {"x": X, "y": Y}, measure="cca")
    assert errors(res) == [("VV006", "error", ("dead",), f"Layer dead of a {CONSTANT}")]


# VV003: chance.


def test_high_chance_of_a_biased_estimate():
    X, Y = independent(n=100, p=100, q=100)
    res = compared({"x": X}, {"y": Y}, measure="cka(estimator=biased)")
    finding = only(res, "VV003")
    level = float(res.chance[0, 0])
    assert finding.severity == "warning"
    assert finding.message == (
        "cka(estimator=biased): layers that have nothing in common would score up to "
        f"{level:.2f} (median over pairs {level:.2f})."
    )
    assert finding.cure == (
        "Use the debiased estimator, or read values against their chance level."
    )
    assert finding.evidence == {"chance_max": level, "chance_median": level}
    assert 0.45 < level < 0.55


@pytest.mark.parametrize("measure", ["linear_regression", "cca(form=r2)"])
def test_high_chance_of_a_measure_without_a_debiased_estimator(measure):
    X, Y = independent(n=60, p=20, q=20)
    finding = only(compared({"x": X}, {"y": Y}, measure=measure), "VV003")
    assert finding.cure == "Read values against their chance level, or use debiased cka."
    assert finding.evidence["chance_max"] == pytest.approx(20 / 59)


@pytest.mark.parametrize(("p", "expected"), [(5, []), (6, ["VV003"])])
def test_chance_is_high_from_a_tenth_on(p, expected):
    # The chance level of R² is rank/(n − 1): 5/59 and 6/59.
    X, Y = independent(n=60, p=p, q=3)
    assert codes(compared({"x": X}, {"y": Y}, measure="linear_regression")) == expected


@pytest.mark.parametrize("measure", ["cka", "cka(kernel=rbf)", "hsic", "hsic(estimator=biased)"])
def test_chance_is_no_finding_of(measure):
    X, Y = independent(n=60, p=100, q=100)
    assert compared({"x": X}, {"y": Y}, measure=measure).findings == ()


# VV002: few samples.


@pytest.mark.parametrize(("n", "expected"), [(4, ["VV002"]), (49, ["VV002"]), (50, [])])
def test_few_samples(n, expected):
    X, Y = related(n=n, p=2, q=1)
    res = compared({"x": X}, {"y": Y})
    assert codes(res) == expected


def test_few_samples_say_how_far_chance_strays():
    X, Y = related(n=20)
    finding = only(compared({"x": X}, {"y": Y}), "VV002")
    assert finding.message == "20 samples: debiased CKA of unrelated layers strays by ±0.08."
    assert finding.cure == "Extract more samples; a few hundred steady most comparisons."
    assert finding.evidence["n"] == 20
    # √(2/(n(n − 3))) = √(2/340).
    assert finding.evidence["chance_standard_deviation"] == pytest.approx(0.0766964989)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("measure", ["cka", "cka(estimator=biased)", "procrustes"])
def test_too_few_samples(n, measure):
    X, Y = related()
    message = (
        rf"^VV002 compare: `a` and `b` must have at least 4 samples, got {n}\. "
        r"A few hundred steady most comparisons\.$"
    )
    with pytest.raises(ValueError, match=message):
        compared({"x": X[:n]}, {"y": Y[:n]}, measure=measure)


# VV015: half precision.


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    a = {name: torch.tensor(X) for name, X in A.items()}
    a["fc"] = a["fc"].to(dtype)
    res = compared(a, B, names=("half", "full"))
    finding = only(res, "VV015")
    assert finding.severity == "info"
    assert finding.layers == ("fc",)
    assert finding.message == (
        "1 of 3 layers of half are in half precision; they are compared in float32."
    )
    as_float32 = {**a, "fc": a["fc"].float()}
    np.testing.assert_array_equal(res.values, compared(as_float32, B).values)


def test_half_precision_on_both_sides_and_in_a_set_with_itself():
    a = {name: X.astype("float16") for name, X in A.items()}
    both = compared(a, {name: X.astype("float16") for name, X in B.items()})
    assert [each.message[:22] for each in both.findings] == [
        "3 of 3 layers of a are",
        "3 of 3 layers of b are",
    ]
    assert codes(compared(a)) == ["VV015"]


def test_half_precision_that_extraction_has_told_is_not_told_again():
    told = Finding("VV015", "3 of 3 layers were recorded in float16.", severity="info")
    a = Activations({k: X.astype("float16") for k, X in A.items()}, findings=[told])
    assert compared(a, B).findings == (told,)


# VV016, and what was noticed before.


def acts(layers, **options):
    return Activations(layers, **options)


def test_repeated_inputs():
    digests = [f"image {max(i, 3)}" for i in range(60)]
    res = compared(acts(A, digests=digests), acts(B, digests=digests))
    finding = only(res, "VV016")
    assert finding.message == "3 of 60 samples repeat the input of another one."
    assert finding.cure == "Drop the repeats: a copy adds weight to a sample, but no evidence."
    assert finding.evidence == {"repeats": 3}


def test_inputs_without_repeats():
    digests = [f"image {i}" for i in range(60)]
    assert compared(acts(A, digests=digests), acts(B, digests=digests)).findings == ()


def test_what_was_noticed_before_is_handed_on_once():
    training = Finding("VV013", "training mode was on for 5 of 5 modules.", severity="info")
    dead = Finding("VV006", "1 of 4 selected modules never ran: aux.", layers=("aux",))
    res = compared(acts(A, findings=[training, dead]), acts(B, findings=[training]))
    assert res.findings == (training, dead)


def test_what_concerns_all_measures_is_told_once_in_all():
    X, Y = independent(n=20, p=30, q=30)
    res = compared({"x": X}, {"y": Y}, measures=["cka", "cka(estimator=biased)", "procrustes"])
    assert [codes(each) for each in res.values()] == [["VV002"], ["VV002", "VV003"], ["VV002"]]
    assert [each.code for each in res.findings] == ["VV002", "VV003"]


# Silence.


def test_silenced():
    X, Y = independent(n=20, p=30, q=30)
    res = compared({"x": X}, {"y": Y}, measure="cka(estimator=biased)", silenced=["VV002", "VV016"])
    assert codes(res) == ["VV003"]
    assert (
        compared({"x": X, "dead": np.ones((20, 2))}, silenced="VV002").findings[0].code == "VV006"
    )


def test_silencing_what_does_not_exist_is_refused_before_any_work():
    with pytest.raises(ValueError, match=r"`codes` must be one of 'VV001', .*, got 'VV999'"):
        compared("nowhere.npz", silenced=["VV002", "VV999"])


def test_findings_are_plain_json():
    X, Y = independent(n=20, p=30, q=30)
    res = compared({"x": X, "dead": np.ones((20, 2))}, {"y": Y}, measures=["cka", "cca"])
    found = [each.to_dict() for each in res.findings]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("measure", ["cka(estimator=biased)", "cca", "linear_regression"])
def test_every_sentence_is_one(measure):
    X, Y = independent(n=20, p=30, q=30)
    res = compared({"x": X, "dead": np.ones((20, 2))}, {"y": Y.astype("f2")}, measure=measure)
    texts = [each.message for each in res.findings] + [each.cure for each in res.findings]
    assert res.findings
    assert [text for text in texts if text and not text.endswith(".")] == []
