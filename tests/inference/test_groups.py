"""Groups of seeds and drift: every labelling by itself, ranks, and the right size."""

import itertools
import json

import numpy as np
import pytest
import torch
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import crossed, drift, group_difference, labelled_difference

Q = 4


def runs(random, shared, count, noise=1.0):
    return [shared + noise * random.normal(size=shared.shape) for _ in range(count)]


def two_groups(a=3, b=4, apart=1.0, seed=0, n=30):
    random = np.random.default_rng(seed)
    shared, other = random.normal(size=(2, n, Q))
    return runs(random, shared, a), runs(random, shared + apart * other, b)


def contrast(A, B, measure, sign):
    def mean(pairs):
        return np.mean([float(measure(x, y)) for x, y in pairs])

    within = (mean(itertools.combinations(A, 2)) + mean(itertools.combinations(B, 2))) / 2
    return sign * (within - mean(itertools.product(A, B)))


@pytest.mark.parametrize(("measure", "sign"), [("cka", 1), ("procrustes", -1)])
@pytest.mark.parametrize("sizes", [(2, 3), (3, 3)])
def test_every_labelling_by_itself(measure, sign, sizes):
    A, B = two_groups(*sizes)
    known = vv.measures.resolve(measure)
    everything = [*A, *B]
    values = []
    for chosen in itertools.combinations(range(len(everything)), sizes[0]):
        rest = [k for k in range(len(everything)) if k not in chosen]
        parts = [[everything[k] for k in part] for part in (chosen, rest)]
        values.append(contrast(*parts, known, sign))
    found = group_difference(A, B, measure=measure)
    assert found.value == pytest.approx(values[0], rel=1e-9)
    assert found.pvalue == pytest.approx(np.mean(np.array(values) >= values[0] - 1e-12))
    assert (found.null_mean, found.null_std) == pytest.approx((np.mean(values), np.std(values)))
    assert found.draws == len(values)


def test_what_is_there_is_found():
    assert group_difference(*two_groups(4, 4)).pvalue == pytest.approx(2 / 70)
    assert group_difference(*two_groups(4, 5)).pvalue == pytest.approx(1 / 126)
    assert "p at least 0.029" in group_difference(*two_groups(4, 4)).method


def test_size_of_labellings():
    small = [
        group_difference(*two_groups(3, 4, apart=0.0, seed=k, n=12)).pvalue <= 0.1
        for k in range(120)
    ]
    assert np.mean(small) <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / 120)


def test_many_labellings_are_drawn():
    A, B = two_groups(6, 6, apart=0.15)
    some, every = group_difference(A, B, n=500, seed=1), group_difference(A, B, n=924)
    assert (some.draws, every.draws) == (500, 924)
    error = 5 * np.sqrt(max(every.pvalue, 0.01) / 500)
    assert some.pvalue == pytest.approx(every.pvalue, abs=error)
    assert group_difference(A, B, n=500, seed=1) == some


def test_on_a_table_of_whole_nets():
    A, B = two_groups(3, 3)
    nets = {f"a{k}": {"one": X, "two": X**2} for k, X in enumerate(A)}
    nets |= {f"b{k}": {"one": X, "two": X**2} for k, X in enumerate(B)}
    models = vv.compare(nets, progress=False).between()
    groups = {name: name[0] for name in nets}
    found = labelled_difference(models, groups)
    assert (found.pvalue, found.draws) == (0.1, 20)
    one = vv.compare({name: {"one": net["one"]} for name, net in nets.items()}, progress=False)
    assert labelled_difference(one.between(), groups) == group_difference(A, B)


def rank(values, own):
    return np.mean([value <= own + 1e-12 for value in values])


def pairwise(nets):
    K = np.stack([oracle.u_centred(X).ravel() for X in nets])
    K /= np.linalg.norm(K, axis=1, keepdims=True)
    return K @ K.T


def test_drift_by_its_definition():
    base, [tuned] = two_groups(4, 1, n=12)
    nets = [*base, tuned]
    C = pairwise(nets)
    found = drift(base, tuned)
    means = (C.sum(0) - np.diag(C)) / 4
    assert found.test.value == pytest.approx(means[-1])
    assert found.test.pvalue == rank(means, means[-1])
    pairs = C[:4, :4][np.triu_indices(4, 1)]
    assert found.test.null_mean == pytest.approx(pairs.mean())
    assert found.excess.value == pytest.approx(pairs.mean() - means[-1])

    def excess(gone, row):
        left = [
            np.delete(X, [] if row is None else row, 0) for k, X in enumerate(nets) if k != gone
        ]
        C = pairwise(left)
        m = len(left) - 1
        return C[:m, :m][np.triu_indices(m, 1)].mean() - C[m, :m].mean()

    n = len(tuned)
    expected = crossed.variance(
        excess(None, None),
        np.array([excess(None, i) for i in range(n)]),
        np.array([excess(r, None) for r in range(4)]),
        np.array([[excess(r, i) for i in range(n)] for r in range(4)]),
    )
    assert found.excess.standard_error == pytest.approx(expected.total**0.5, rel=1e-8)


@pytest.mark.parametrize("measure", ["cka", "cka(estimator=biased)", "procrustes"])
def test_drift_from_a_parent(measure):
    base, [tuned] = two_groups(5, 1)
    sign = -1 if measure == "procrustes" else 1
    known = vv.measures.resolve(measure)
    others = np.array([float(known(base[2], X)) for k, X in enumerate(base) if k != 2])
    own = float(known(base[2], tuned))
    found = drift(base, tuned, parent=2, measure=measure)
    assert found.test.value == pytest.approx(own)
    assert found.test.pvalue == rank(sign * np.array([*others, own]), sign * own)
    assert found.excess.value == pytest.approx(sign * (others.mean() - own))
    named = {f"s{k}": X for k, X in enumerate(base)}
    assert drift(named, tuned, parent="s2", measure=measure).test == found.test


def test_one_more_seed_is_no_drift():
    random = np.random.default_rng(0)
    small = []
    for _ in range(100):
        *base, one = runs(random, random.normal(size=(20, Q)), 10)
        small.append(drift(base, one).test.pvalue <= 0.1)
    assert np.mean(small) == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 100))


def test_a_small_change_of_the_parent_is_within_the_noise():
    base, _ = two_groups(6, 1)
    tuned = base[0] + 0.1 * np.random.default_rng(1).normal(size=base[0].shape)
    found = drift(base, tuned, parent=0)
    assert found.test.pvalue == 1
    assert found.excess.high < 0
    assert json.loads(json.dumps(found.to_dict()))["test"]["pvalue"] == 1


def test_torch():
    A, B = two_groups(3, 3)
    there = [[torch.tensor(X) for X in each] for each in (A, B)]
    assert group_difference(*there).value == pytest.approx(group_difference(A, B).value)
    assert drift(there[0], there[1][0]).excess.low == pytest.approx(drift(A, B[0]).excess.low)


A, B = two_groups(3, 3)
MODELS = vv.compare({f"m{k}": {"x": X} for k, X in enumerate(A + B)}, progress=False).between()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: group_difference(A[:1], B), "`A` must hold at least 2 representations, got 1"),
        (lambda: group_difference(A, [X[:9] for X in B]), "`A` and `B` must describe the same"),
        (lambda: group_difference(A, B, n=0), "`n` must be a whole number"),
        (lambda: group_difference(A, B, measure="linear_regression"), "must be symmetric"),
        (lambda: labelled_difference(MODELS, {}), "`groups` must name a group .* none for 'm0'"),
        (
            lambda: labelled_difference(MODELS, dict.fromkeys(MODELS.rows, "a")),
            "`groups` must be two, of two models or more each, got 6 of a",
        ),
        (lambda: drift(A[:2], B[0]), "`base` must hold at least 3"),
        (lambda: drift(A, B[0], parent=7), r"`parent` must be one of base\[0\], .* got 7"),
        (lambda: drift(A, B[0][:9]), "describe the same samples"),
        (lambda: drift({"tuned": A[0], "a": A[1], "b": A[2]}, B[0]), "not be named so"),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_dead_nets_are_named():
    with pytest.raises(vv.DegenerateInputError, match=r"group_difference: .*of B"):
        group_difference(A, [*B, np.ones((30, 2))])
    with pytest.raises(vv.DegenerateInputError, match=r"drift: `tuned`"):
        drift(A, np.ones((30, 2)))
