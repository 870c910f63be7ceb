"""Ceilings and floors: from explicit means of Gram matrices and RDMs, and that they are bounds."""

import json

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import pdist
from tests.data_makers import related
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import agreement, ceiling, class_floor, floor, permutation_test


def subjects(count=5, n=40, p=4, noise=1.0, seed=0):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, p))
    return [shared + noise * random.normal(size=(n, p)) for _ in range(count)]


def centred_gram(X):
    X = X - X.mean(0)
    return (X @ X.T).ravel()


def ranks(X):
    found = stats.rankdata(pdist(X))
    return found - found.mean()


VECTORS = {
    "cka": lambda X: oracle.u_centred(X).ravel(),
    "cka(estimator=biased)": centred_gram,
    "rsa(compare=cosine)": pdist,
    "rsa(compare=pearson)": lambda X: pdist(X) - pdist(X).mean(),
    "rsa": ranks,
}


def explicit(runs, vector):
    """The mean over subjects of the cosine with the mean of the others, and of all."""
    v = np.stack([vector(X) for X in runs])
    v /= np.linalg.norm(v, axis=1, keepdims=True)

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    lower = [cosine(v[s], np.delete(v, s, 0).mean(0)) for s in range(len(v))]
    return np.array(lower), np.array([cosine(each, v.mean(0)) for each in v])


@pytest.mark.parametrize("measure", VECTORS)
@pytest.mark.parametrize("count", [3, 5])
def test_by_explicit_means(measure, count):
    runs = subjects(count)
    found = ceiling(runs, measure=measure)
    lower, upper = explicit(runs, VECTORS[measure])
    np.testing.assert_allclose(found.each_lower, lower, rtol=1e-9)
    np.testing.assert_allclose(found.each_upper, upper, rtol=1e-9)
    for bound, each, k in ((found.lower, lower, 0), (found.upper, upper, 1)):
        rest = [explicit(runs[:s] + runs[s + 1 :], VECTORS[measure])[k] for s in range(count)]
        rest = np.array([one.mean() for one in rest])
        error = np.sqrt((count - 1) / count * ((rest - rest.mean()) ** 2).sum())
        assert (bound.value, bound.standard_error) == pytest.approx((each.mean(), error), rel=1e-8)
        assert bound.high - bound.value == pytest.approx(stats.t.ppf(0.975, count - 1) * error)


def test_in_a_case_that_is_known():
    # Signal and noise of one size: any two share a quarter of their squared norm.
    found = ceiling(subjects(6, n=3000))
    assert found.lower.value == pytest.approx(5 / 4 / np.sqrt(5 + 20 / 4), abs=0.02)
    assert found.upper.value == pytest.approx((1 + 5 / 4) / np.sqrt(6 + 30 / 4), abs=0.02)


@pytest.mark.parametrize("measure", VECTORS)
def test_no_model_is_above(measure):
    runs = subjects(4)
    top = ceiling(runs, measure=measure).upper.value
    known = vv.measures.resolve(measure)
    models = [*runs, *subjects(3, seed=9), np.hstack(runs), sum(runs)]
    assert max(np.mean([float(known(m, X)) for X in runs]) for m in models) <= top + 1e-12


def test_identical_subjects():
    X = subjects(1)[0]
    found = ceiling([X, 2 * X, X + 1])
    assert (found.lower.value, found.upper.high) == pytest.approx((1, 1))


def test_names_and_torch():
    runs = subjects()
    named = ceiling({f"s{k}": torch.tensor(X) for k, X in enumerate(runs)})
    assert named.subjects == ("s0", "s1", "s2", "s3", "s4")
    assert named.lower.value == pytest.approx(ceiling(runs).lower.value)
    assert str(named) == str(ceiling(runs))
    data = json.loads(json.dumps(named.to_dict()))
    assert data["lower"]["value"] == named.lower.value
    assert data["each_upper"] == named.each_upper.tolist()


def test_intervals_hold_over_subjects():
    # Other subjects of the same kind, some noisier than others, on the same samples.
    random = np.random.default_rng(0)
    shared = random.normal(size=(40, 4))

    def drawn(count):
        noise = random.uniform(0.3, 1.5, size=count)
        return [shared + each * random.normal(size=(40, 4)) for each in noise]

    truth = agreement(drawn(80)).value
    held = 0
    for _ in range(60):
        found = agreement(drawn(8))
        held += found.low <= truth <= found.high
    assert held / 60 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 60)


@pytest.mark.parametrize("measure", ["procrustes", "cka"])
def test_agreement_of_all_pairs(measure):
    runs = subjects(5)
    known = vv.measures.resolve(measure)

    def mean(kept):
        return np.mean([float(known(a, b)) for i, a in enumerate(kept) for b in kept[:i]])

    found = agreement(runs, measure=measure)
    rest = np.array([mean(runs[:s] + runs[s + 1 :]) for s in range(5)])
    error = np.sqrt(4 / 5 * ((rest - rest.mean()) ** 2).sum())
    assert (found.value, found.standard_error) == pytest.approx((mean(runs), error), rel=1e-9)
    assert found.evidence["lowest"] < found.value < found.evidence["highest"]


def test_floor_of_untrained_nets():
    X, *nets = subjects(7)
    values = [float(vv.cka(X, each)) for each in nets]
    found = floor(X, nets)
    assert found.value == pytest.approx(np.mean(values))
    reach = stats.t.ppf(0.975, 5) * np.std(values, ddof=1) * np.sqrt(1 + 1 / 6)
    assert found.high == pytest.approx(found.value + reach)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(6))


def test_one_more_net_is_within_the_floor():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(50, 10))

    def net():
        return np.maximum(inputs @ random.normal(size=(10, 20)), 0)

    inside = 0
    for _ in range(60):
        X = net()
        found = floor(X, [net() for _ in range(5)])
        inside += found.low <= float(vv.cka(X, net())) <= found.high
    assert inside / 60 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 60)


def test_floor_of_classes():
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 15)
    means = random.normal(size=(2, 4, 6))
    X, Y = (3 * each[labels] + random.normal(size=(60, 6)) for each in means)
    found = class_floor(X, Y, labels)
    test = permutation_test(X, Y, within=labels)
    assert (found.value, found.standard_error) == (test.null_mean, test.null_std)
    assert found.evidence["value"] == test.value
    assert found.low < test.value < found.high
    assert found.value > 0.1
    assert class_floor(X, Y, labels, measure="procrustes", n=50).n == 50


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ceiling(subjects(2)), "`subjects` must hold at least 3 representations, got 2"),
        (lambda: ceiling(subjects(), measure="procrustes"), "ceiling: .*See agreement"),
        (lambda: ceiling(subjects(), measure="rsa(compare=kendall_tau_a)"), "must be cka with one"),
        (lambda: ceiling(subjects(), level=2), "`level` must lie between 0 and 1"),
        (lambda: ceiling([*subjects(), np.ones((3, 2))]), "describe the same samples"),
        (lambda: agreement(subjects(), measure="linear_regression"), "must be symmetric"),
        (lambda: floor(subjects(1)[0], []), "`untrained` must hold at least 2"),
        (lambda: floor(np.ones((3, 2)), subjects(2)), "describe the same samples"),
        (lambda: class_floor(*related(), range(40)), "`labels` must put at least two samples"),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_a_dead_subject_is_named():
    with pytest.raises(vv.DegenerateInputError, match=r"ceiling: .*subjects\[5\]"):
        ceiling([*subjects(), np.ones((40, 3))])
