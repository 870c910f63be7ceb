"""Diagnosis: every finding on a case that was made for it, and not on one that was not."""

import json

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.oracles import diagnosis as oracle

import visavis as vv
from visavis.inference import diagnose
from visavis.inference.confounds import classes_alone, trivial
from visavis.inference.disagreement import Told, compared
from visavis.inference.row_sums import RowSums
from visavis.results import Finding

LINEAR = (vv.kernels.linear(), vv.kernels.linear())
BIASED = "cka(estimator=biased)"


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def healthy(n=200, p=10, seed=0):
    X, E = normal(2, n, p, seed=seed)
    return X, X + E


def codes(found):
    return [each.code for each in found]


def only(found, code, side=None):
    [finding] = [
        each
        for each in found
        if each.code == code and (side is None or each.evidence["side"] == side)
    ]
    return finding


@pytest.mark.parametrize("n", [60, 600])
@pytest.mark.parametrize("p", [4, 30, 100])
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0, 100.0])
def test_nothing_is_found_where_nothing_is(n, p, noise):
    X, E = normal(2, n, p, seed=n + p)
    groups, labels = np.arange(n), np.arange(n) % 5
    inputs = normal(n, 8, seed=1)
    assert diagnose(X, X + noise * E, groups=groups, labels=labels, inputs=inputs) == []


# VV002, VV015, VV006: what the arrays are like.


@pytest.mark.parametrize(("n", "severity"), [(2, "error"), (3, "error"), (7, "warning")])
def test_few_samples(n, severity):
    found = diagnose(*(Z[:n] for Z in healthy()))
    assert (codes(found), found[0].severity) == (["VV002"], severity)
    assert found[0].evidence["n"] == n
    assert "VV002" not in codes(diagnose(*healthy(n=50)))


def test_half_precision():
    X, Y = healthy()
    finding = only(diagnose(X.astype("float16"), Y), "VV015")
    assert (finding.severity, finding.evidence["side"]) == ("info", "X")
    both = diagnose(torch.tensor(X).bfloat16(), torch.tensor(Y).bfloat16(), names=("a", "b"))
    assert [each.layers for each in both if each.code == "VV015"] == [("a",), ("b",)]
    assert "bfloat16" in both[-1].message


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (np.ones((200, 3)), "fc must vary over the samples, got 200 identical rows"),
        (np.eye(200), "fc has nothing to align: all its samples are equally far"),
        (np.full((200, 3), np.nan), "fc must be finite, got nan at row 0"),
    ],
    ids=["constant", "one-hot", "nan"],
)
def test_a_side_without_an_answer(spoilt, told):
    found = diagnose(healthy()[0], spoilt, names=("conv", "fc"))
    finding = only(found, "VV006")
    assert (finding.severity, finding.layers) == ("error", ("fc",))
    assert finding.message.startswith(told)


def test_dead_features():
    X, Y = healthy()
    X[:, :2], X[:, 2] = 0, 5
    finding = only(diagnose(X, Y), "VV006")
    assert finding.severity == "info"
    assert finding.evidence == {"side": "X", "constant": 3, "zero": 2, "features": 10}
    X[:, 3:8] = 0
    assert only(diagnose(X, Y), "VV006").severity == "warning"


# VV003, VV014: the measure.


def test_high_chance():
    X, Y = normal(2, 100, 100)
    finding = only(diagnose(X, Y, measure=BIASED), "VV003")
    assert finding.evidence["chance"] == vv.inference.chance(X, Y, measure=BIASED)
    assert "debiased" in finding.cure
    assert "VV003" not in codes(diagnose(X, Y))
    assert "VV003" not in codes(diagnose(*normal(2, 300, 5), measure=BIASED))


@pytest.mark.parametrize("measure", ["cca", "pwcca", "cca(allow_saturated=True)"])
def test_saturated(measure):
    X, Y = normal(2, 60, 40)
    finding = only(diagnose(X, Y, measure=measure), "VV014")
    assert finding.severity == "error"
    assert "rank 40 and 40 against n = 60" in finding.message
    assert "VV014" not in codes(diagnose(X, Y))
    assert "VV014" not in codes(diagnose(X[:, :5], Y[:, :5], measure=measure))


# VV004, VV005, VV019: what the score rests on.


def test_one_direction_dominates():
    X, Y = normal(2, 200, 10)
    shared = 10 * normal(200, 1, seed=3)
    found = diagnose(X + shared, Y + shared)
    finding = only(found, "VV004", "X")
    assert finding.evidence["power"] > 0.99
    assert finding.evidence["score"] > 0.99
    assert abs(finding.evidence["score_without"]) < 0.1
    assert "without" in finding.message.lower()
    assert only(found, "VV004", "Y").evidence["overlap_of_first"] > 0.95
    # On one side only, it is said of that one.
    assert only(diagnose(X + shared, X), "VV004").evidence["side"] == "X"


def test_a_feature_that_is_larger_than_all_others():
    X, Y = normal(2, 200, 20)
    X[:, 3] *= 30
    Y[:, 5] = X[:, 3] + normal(200, seed=4)
    found = diagnose(X, Y)
    assert only(found, "VV004", "X").evidence["features"] == "3"
    assert only(found, "VV004", "Y").evidence["features"] == "5"
    scale = only(found, "VV019")
    assert scale.evidence["score"] > 0.9 > 0.3 > scale.evidence["score_standardised"]
    assert "1 feature of 20 holds 9" in scale.message


def test_few_rows_carry_the_score():
    X, Y = normal(2, 300, 10)
    X[[5, 8, 200]], Y[[5, 8, 200]] = 30, 30
    finding = only(diagnose(X, Y, ids=[f"img{i}" for i in range(300)]), "VV005")
    assert finding.severity == "warning"
    assert finding.evidence["rows"] == "img5, img8, img200"
    assert finding.evidence["score"] > 0.9
    rest = np.delete(np.arange(300), [5, 8, 200])
    expected = float(vv.cka(X[rest], Y[rest]))
    assert finding.evidence["score_without"] == pytest.approx(expected, rel=1e-9)


def test_few_rows_bring_most_of_a_score_that_stands_without_them():
    X, E = normal(2, 300, 10)
    Y = X + 0.1 * E
    X[[5, 8]] += 10
    Y[[5, 8]] += 10
    finding = only(diagnose(X, Y), "VV005")
    assert finding.severity == "info"
    assert finding.evidence["share"] > 0.5
    assert finding.evidence["score_without"] > 0.9


@pytest.mark.parametrize("moved", [1, 5, 100])
@pytest.mark.parametrize("measure", ["cka", BIASED])
def test_subset_translation(moved, measure):
    # Davari et al. (2023): a copy of which some rows were moved far away together.
    X = normal(1000, 50)
    Y = X.copy()
    Y[:moved] += 50
    found = diagnose(X, Y, measure=measure)
    dominant = only(found, "VV004", "Y")
    assert dominant.evidence["score"] < 0.5
    if moved <= 10:
        rows = ", ".join(map(str, range(moved)))
        few = only(found, "VV005")
        assert few.evidence["rows"] == dominant.evidence["rows"] == rows
        assert few.evidence["score_without"] == pytest.approx(1)
        assert f"lower{'s' if moved == 1 else ''} " in few.message
    else:
        assert "VV005" not in codes(found)
        assert only(found, "VV017").evidence["mutual_knn"] > 0.5
        assert dominant.evidence["score_without"] > 0.9


# VV016: copies.


def test_copies():
    X, Y = healthy()
    X[150:], Y[150:] = X[:50], Y[:50]
    finding = only(diagnose(X, Y), "VV016")
    assert finding.evidence["repeats"] == 50
    assert finding.evidence["rows"].startswith("150, 151, ")
    expected = float(vv.cka(X[:150], Y[:150]))
    assert finding.evidence["score_without"] == pytest.approx(expected, rel=1e-9)


def test_copies_on_one_side():
    X, Y = healthy()
    X[150:] = X[:50]
    finding = only(diagnose(X, Y), "VV016")
    assert (finding.severity, finding.evidence) == ("info", {"side": "X", "repeats": 50})
    X, Y = healthy()
    X[195:] = X[:5]
    assert "VV016" not in codes(diagnose(X, Y))  # five of two hundred
    X[150:175], X[175:] = 0.0, -0.0
    assert only(diagnose(X, Y), "VV016").evidence["repeats"] == 49


# VV008: rows that belong together.


def test_dependent_rows():
    groups = np.repeat(np.arange(40), 5)
    X, Y = (normal(40, 200, seed=k)[groups] + normal(200, 200, seed=9 + k) for k in (1, 2))
    finding = only(diagnose(X, Y, groups=groups), "VV008")
    interval = vv.inference.jackknife(X, Y, groups=groups)
    assert finding.severity == "warning"
    assert finding.evidence["score_of_groups"] == pytest.approx(interval.value)
    assert finding.evidence["misleads_by"] == pytest.approx(float(vv.cka(X, Y)) - interval.value)
    assert finding.evidence["misleads_by"] > 0.3
    assert only(diagnose(*healthy(), groups=groups), "VV008").severity == "info"
    few = only(diagnose(X, Y, groups=np.arange(200) % 4), "VV008")
    assert "too little to tell" in few.message


# VV009, VV018: classes and inputs.


def with_classes(count=5, rows=40, size=4.0):
    member = np.repeat(np.arange(count), rows)
    means = size * normal(count, 10, seed=7)
    X, Y = (means[member] + normal(len(member), 10, seed=k) for k in (1, 2))
    return X, Y, member


@pytest.mark.parametrize("words", [False, True])
def test_a_score_of_classes(words):
    X, Y, member = with_classes()
    labels = [f"class {each}" for each in member] if words else member
    finding = only(diagnose(X, Y, labels=labels), "VV009")
    assert finding.severity == "warning"
    assert finding.evidence["score"] > 0.9
    assert finding.evidence["classes_alone"] == pytest.approx(finding.evidence["score"], abs=0.02)
    floor = vv.inference.class_floor(X, Y, member, n=20).value
    assert finding.evidence["classes_alone"] == pytest.approx(floor, rel=1e-9)
    expected = float(vv.class_cka(X, Y, labels=member))
    assert finding.evidence["class_cka"] == pytest.approx(expected, rel=1e-9)
    expected = float(vv.partial_cka(X, Y, given=member))
    assert finding.evidence["partial_cka"] == pytest.approx(expected, rel=1e-9)


def test_a_score_of_classes_and_of_more():
    X, _, member = with_classes()
    finding = only(diagnose(X, X + 0.3 * normal(*X.shape, seed=5), labels=member), "VV009")
    assert finding.severity == "info"
    assert finding.evidence["class_cka"] > 0.5


def test_nothing_but_classes():
    member = np.repeat(np.arange(5), 40)
    collapsed = normal(5, 10, seed=11)[member]
    finding = only(diagnose(collapsed, collapsed + 0, labels=member), "VV009")
    assert finding.severity == "warning"
    assert "class_cka" not in finding.evidence
    assert "in one of them a side does not vary" in finding.message


def test_a_score_of_small_classes():
    X, Y, member = with_classes(count=40, rows=5)
    finding = only(diagnose(X, Y, labels=member), "VV009")
    assert "class_cka" not in finding.evidence
    assert "with the classes taken out" in finding.message


def test_labels_that_have_nothing_to_do_with_it():
    X, Y = healthy()
    for labels in (np.arange(200) % 4, np.arange(200) % 100, np.arange(200), np.zeros(200)):
        assert "VV009" not in codes(diagnose(X, Y, labels=labels))


@pytest.mark.parametrize("sizes", [(3, 3), (2, 4), (1, 2, 3), (2, 2, 1, 1), (7,)])
@pytest.mark.parametrize("wide", [False, True])
def test_classes_alone_is_the_mean_over_permutations_within_them(sizes, wide):
    member = np.repeat(np.arange(len(sizes)), sizes)
    X, Y = related(n=len(member), p=200 if wide else 3, q=150 if wide else 2)
    sums = RowSums.of("test", X, Y, LINEAR, "debiased")
    expected = oracle.within_classes(X, Y, member)
    assert classes_alone(sums, member) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("sizes", [(3, 3), (2, 3), (1, 2, 3), (2, 2, 2), (1,) * 6, (6,)])
def test_what_classes_drawn_at_random_explain(sizes):
    import itertools

    member = np.repeat(np.arange(len(sizes)), sizes)
    X, Y = related(n=len(member), p=3, q=2)
    sums = RowSums.of("test", X, Y, LINEAR, "debiased")
    drawn = [classes_alone(sums, np.array(each)) for each in itertools.permutations(member)]
    assert np.mean(drawn) == pytest.approx(trivial(member) * sums.value, rel=1e-9, abs=1e-12)


def test_a_score_of_the_inputs():
    Z = normal(300, 5, 4)
    X, Y = (Z.reshape(300, 20) + normal(300, 20, seed=k) for k in (1, 2))
    finding = only(diagnose(X, Y, inputs=Z), "VV018")
    expected = float(vv.partial_cka(X, Y, given=Z.reshape(300, 20)))
    assert finding.evidence["partial_cka"] == pytest.approx(expected, rel=1e-9)
    assert finding.evidence["score"] > 0.2 > 0.1 > abs(expected)
    assert finding.evidence["cka_of_x_and_inputs"] > 0.4
    passed_on = only(diagnose(Z.reshape(300, 20), Y, inputs=Z), "VV018")
    assert "partial_cka" not in passed_on.evidence  # nothing of X is left


# VV017: measures that disagree.


def test_measures_disagree():
    # A shared large direction in many small ones that are not shared.
    shared = 12 * normal(400, 1, seed=5)
    X, Y = (np.hstack([shared, normal(400, 300, seed=k)]) for k in (1, 2))
    finding = only(diagnose(X, Y), "VV017")
    assert finding.severity == "info"
    assert finding.evidence["cka"] > 0.9
    assert finding.evidence["mutual_knn"] < 0.25
    expected = (float(vv.mutual_knn(X, Y, metric="euclidean")) - 10 / 399) / (1 - 10 / 399)
    assert finding.evidence["mutual_knn"] == pytest.approx(expected)
    assert finding.evidence["cka"] == pytest.approx(float(vv.cka(X, Y)))
    assert diagnose(X, Y, seed=5)[-1].code == "VV017"


@pytest.mark.parametrize("shape", [{"n": 60, "p": 5, "q": 4}, {"n": 40, "p": 90, "q": 70}])
def test_what_is_compared(shape):
    X, Y = related(**shape)
    orders = np.random.default_rng(3)
    told = compared(X, Y, np.random.default_rng(3))
    chance = np.mean([float(vv.nbs(X, Y[orders.permutation(len(X))])) for _ in range(3)])
    assert told.nbs == pytest.approx((float(vv.nbs(X, Y)) - chance) / (1 - chance), rel=1e-6)
    assert told.sentence is None


@pytest.mark.parametrize(
    ("cka", "nbs", "knn", "told"),
    [
        (0.95, 0.9, 0.1, "the neighbourhoods do not"),
        (0.2, 0.3, 0.6, "the neighbourhoods agree, CKA does not"),
        (0.2, 0.7, 0.3, "small directions that they share"),
        (0.8, 0.3, 0.3, "small directions that they do not share"),
    ],
)
def test_what_is_said_of_measures_that_disagree(cka, nbs, knn, told):
    assert told in Told(cka, nbs, knn).sentence


# The whole.


def test_the_gravest_first_and_all_of_it_plain_data():
    X, Y = normal(2, 40, 10)
    X[7] = Y[7] = 50
    found = diagnose(X, Y, measure=BIASED, groups=np.arange(40) // 2)
    order = ["error", "warning", "info"]
    severities = [order.index(each.severity) for each in found]
    assert severities == sorted(severities)
    for each in found:
        told = json.loads(json.dumps(each.to_dict(), allow_nan=False))
        assert Finding.from_dict(told) == each
        assert each.message.endswith(".")


def test_silence():
    X, Y = healthy(n=40)
    assert codes(diagnose(X, Y)) == ["VV002"]
    assert diagnose(X, Y, silenced=["VV002"]) == []
    with pytest.raises(ValueError, match="`codes` must be one of"):
        diagnose(X, Y, silenced=["VV999"])


@pytest.mark.parametrize("measure", ["procrustes", "rsa", "mutual_knn", "cka(kernel=rbf)"])
def test_other_measures(measure):
    X, Y = normal(2, 300, 10)
    assert diagnose(X, X + Y, measure=measure) == []
    X[[5, 8, 200]], Y[[5, 8, 200]] = 30, 30
    found = diagnose(X, Y, measure=measure)
    assert "VV004" in codes(found)
    assert ("debiased CKA (kernel rbf" in found[0].message) == ("rbf" in measure)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_torch(dtype):
    X, Y, member = with_classes()
    X[7] += 300
    groups, inputs = np.arange(200) // 2, normal(200, 4)
    here = diagnose(X, Y, labels=member, groups=groups, inputs=inputs)
    there = diagnose(
        torch.tensor(X, dtype=dtype),
        torch.tensor(Y, dtype=dtype),
        labels=torch.tensor(member),
        groups=torch.tensor(groups),
        inputs=torch.tensor(inputs, dtype=dtype),
    )
    assert codes(here) == codes(there)
    for one, other in zip(here, there, strict=True):
        words = {key for key, value in one.evidence.items() if isinstance(value, str)}
        assert {key: other.evidence[key] for key in words} == {k: one.evidence[k] for k in words}
        for key in set(one.evidence) - words:
            assert one.evidence[key] == pytest.approx(other.evidence[key], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("library", ["jax.numpy", "array_api_strict"])
def test_other_libraries(library):
    xp = pytest.importorskip(library)
    X, Y, member = with_classes()
    X[7] += 300
    here = diagnose(X, Y, labels=member, groups=np.arange(200) // 2, ids=np.arange(200))
    there = diagnose(
        xp.asarray(X), xp.asarray(Y), labels=member, groups=np.arange(200) // 2, ids=np.arange(200)
    )
    assert codes(here) == codes(there)


def test_inside_a_transformation_nothing_can_be_looked_at():
    jax = pytest.importorskip("jax")
    X, Y = (jax.numpy.asarray(Z) for Z in healthy())
    with pytest.raises(TypeError, match=r"diagnose: `X` must hold values that can be read"):
        jax.jit(lambda X, Y: len(diagnose(X, Y)))(X, Y)


def test_gradients_are_no_hindrance():
    X, Y = (torch.tensor(Z, requires_grad=True) for Z in healthy())
    assert diagnose(X, Y) == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"labels": [0, 1]}, r"`labels` must have one entry per row \(200\), got 2"),
        ({"groups": [0, 1]}, r"`groups` must have one entry per row \(200\), got 2"),
        ({"ids": [0, 1]}, r"`ids` must have one entry per row \(200\), got 2"),
        ({"inputs": np.ones((3, 2))}, "`inputs` must have one row for each of the 200 samples"),
        ({"names": "ab"}, "`names` must be a pair of names"),
        ({"measure": "weight_matching"}, "`measure` must compare representations"),
        ({"measure": "cka(estimator=none)"}, "`estimator` must be one of"),
    ],
)
def test_refusals(options, match):
    with pytest.raises(ValueError, match=f"diagnose: .*{match}"):
        diagnose(*healthy(), **options)


def test_rows_that_do_not_correspond():
    X, Y = healthy()
    with pytest.raises(ValueError, match=r"diagnose: .*describe the same samples, got 200 and 199"):
        diagnose(X, Y[1:])
