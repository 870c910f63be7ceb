"""Two factors: an exact table, every deletion by itself, and coverage over both."""

import numpy as np
import pytest
import torch
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import crossed, jackknife, two_factor
from visavis.inference.two_factors import Pairs, Scale

LINEAR = vv.kernels.linear()


def drawn(random, n, seeds, p=4):
    """A model, and subjects that see it through maps and at sizes of their own."""
    model = random.normal(size=(n, p))
    maps = [np.exp(0.6 * random.normal()) * random.normal(size=(p, p)) / 2 for _ in range(seeds)]
    return model, [model @ each + random.normal(size=(n, p)) for each in maps]


def population(random, draws, p=4):
    """The mean of CKA over subjects, of all samples that there could be."""
    sizes = np.exp(0.6 * random.normal(size=draws))[:, None, None]
    maps = sizes * random.normal(size=(draws, p, p)) / 2
    own = np.swapaxes(maps, 1, 2) @ maps + np.eye(p)
    return np.mean((maps**2).sum((1, 2)) / np.sqrt(p * (own**2).sum((1, 2))))


def test_variance_of_the_mean_of_a_table():
    # Analysis of variance of a two-way table without repeats.
    random = np.random.default_rng(0)
    z = random.normal(size=(4, 7)) + random.normal(size=(4, 1)) + random.normal(size=7)
    R, n = z.shape
    rest = z - z.mean(0) - z.mean(1)[:, None] + z.mean()
    interaction = (rest**2).sum() / ((R - 1) * (n - 1))
    rows, units = z.mean(0).var(ddof=1) / n, z.mean(1).var(ddof=1) / R

    def without(axis):
        size = z.shape[axis]
        return (z.sum(axis, keepdims=True) - z) / (size - 1)

    both = (without(0).sum(1, keepdims=True) - without(0)) / (n - 1)
    found = crossed.variance(z.mean(), without(1).mean(0), without(0).mean(1), both)
    expected = (rows, units, interaction / (R * n))
    assert (found.rows, found.units, found.both) == pytest.approx(expected, rel=1e-10)
    assert found.total == pytest.approx(max(rows + units - expected[2], rows, units), rel=1e-10)


def test_variance_is_that_of_other_tables():
    # Means of tables with a known variance: 1/R + 0.25/n + 1/(Rn).
    random = np.random.default_rng(0)
    R, n = 5, 8
    found = []
    for _ in range(400):
        z = random.normal(size=(R, 1)) + 0.5 * random.normal(size=n) + random.normal(size=(R, n))
        units = (z.mean(1).sum() - z.mean(1)) / (R - 1)
        rows = (z.mean(0).sum() - z.mean(0)) / (n - 1)
        both = (z.sum(0) - z) / (R - 1)
        both = (both.sum(1, keepdims=True) - both) / (n - 1)
        parts = crossed.variance(z.mean(), rows, units, both)
        found.append(parts.rows + parts.units - parts.both)
    truth = 1 / R + 0.25 / n + 1 / (R * n)
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found) / 20)


def mean_of(pairs):
    return np.mean([oracle.dcka(a, b) for a, b in pairs])


def designs():
    model, subjects = drawn(np.random.default_rng(0), 12, 4)
    _, others = drawn(np.random.default_rng(1), 12, 4)

    def crossing(runs):
        return [(a, b) for i, a in enumerate(runs) for b in runs[:i]]

    return {
        "a model": ((subjects, model), lambda kept: [(subjects[r], model) for r in kept]),
        "pairs": ((subjects, others), lambda kept: [(subjects[r], others[r]) for r in kept]),
        "all pairs": ((subjects,), lambda kept: crossing([subjects[r] for r in kept])),
    }


@pytest.mark.parametrize("design", designs())
def test_every_deletion_by_itself(design):
    arguments, pairs = designs()[design]
    every = range(4)

    def value(gone, row):
        kept = pairs([r for r in every if r != gone])
        if row is not None:
            kept = [tuple(np.delete(Z, row, 0) for Z in pair) for pair in kept]
        return mean_of(kept)

    rows = np.array([value(None, i) for i in range(12)])
    units = np.array([value(r, None) for r in every])
    both = np.array([[value(r, i) for i in range(12)] for r in every])
    expected = crossed.variance(value(None, None), rows, units, both)
    found = two_factor(*arguments)
    assert found.value == pytest.approx(value(None, None), rel=1e-9)
    assert found.standard_error == pytest.approx(expected.total**0.5, rel=1e-8)
    assert found.low < found.value < found.high


def test_coverage_over_samples_and_seeds():
    random = np.random.default_rng(0)
    truth = population(random, 20_000)
    held, repeats = 0, 150
    for _ in range(repeats):
        model, subjects = drawn(random, 40, 6)
        found = two_factor(subjects, model)
        held += found.low <= truth <= found.high
    assert held / repeats >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / repeats)


def test_half_the_chance_level_is_that_of_the_jackknife():
    model, subjects = drawn(np.random.default_rng(0), 30, 3)
    found = Pairs.of("test", {"a": model, "b": subjects[0]}, LINEAR, [("a", "b")])
    interval = jackknife(model, subjects[0])
    assert found.half[0] == pytest.approx(interval.evidence["half_chance"], rel=1e-10)
    assert found.values[0] == pytest.approx(interval.value, rel=1e-12)


@pytest.mark.parametrize("kappa", [0.0, 0.5, 30.0, 1e6])
@pytest.mark.parametrize("half", [1e-9, 0.03, 0.4])
def test_scale_makes_its_variance_constant(half, kappa):
    scale = Scale(half, kappa)
    values = np.linspace(-0.6 * half, 0.97, 25)
    assert [scale.back(x) for x in scale.steady(values)] == pytest.approx(values.tolist(), abs=1e-8)
    # Its derivative times the standard deviation that it is made for is the same everywhere.
    step = 1e-4 * (values + half)
    slope = (scale.steady(values + step) - scale.steady(values - step)) / (2 * step)
    share = (values + half) / (1 + half)
    spread = slope * (1 - share) * np.sqrt(share * (1 + kappa * share))
    np.testing.assert_allclose(spread, spread[0], rtol=1e-4)
    if half > 1e-3:
        ends = (scale.steady(1e-5) - scale.steady(-1e-5)) / 2e-5
        assert scale.slope == pytest.approx(float(ends), rel=1e-4)


def test_scale_is_that_of_the_jackknife_where_seeds_share_nothing():
    model, subjects = drawn(np.random.default_rng(0), 30, 2)
    interval = jackknife(model, subjects[0])
    half = interval.evidence["half_chance"]
    # Half the width of an interval on its scale, on either side of the value.
    scale = Scale(half, 0.0)
    low, centre, high = scale.steady(np.array([interval.low, interval.value, interval.high]))
    assert centre - low == pytest.approx(high - centre, rel=1e-6)


def test_scale_follows_the_parts_of_the_variance():
    parts = crossed.Variance(rows=5.0, units=3.0, both=2.0, total=6.0, freedom=9.0)
    scale = Scale.of(0.28, 0.1, parts)
    share = 0.38 / 1.1
    assert scale.kappa * share == pytest.approx((5 - 2 + 3 - 2) / 2)
    only = crossed.Variance(rows=2.0, units=1.5, both=2.0, total=2.0, freedom=9.0)
    assert Scale.of(0.28, 0.1, only).kappa == 0
    same = crossed.Variance(rows=1.0, units=0.0, both=0.0, total=1.0, freedom=9.0)
    assert Scale.of(0.28, 0.1, same).kappa == 1e6


@pytest.mark.parametrize(("spread", "expected"), [("even", 39.0), ("one", 2.0)])
def test_rows_that_carry_the_variance_are_counted(spread, expected):
    off = np.resize([1.0, -1.0], 40) if spread == "even" else np.eye(40)[0] - 1 / 40
    assert crossed.freedom_of(off) == pytest.approx(expected, abs=0.2)


def test_few_seeds_are_told():
    model, subjects = drawn(np.random.default_rng(0), 30, 6)
    [told] = two_factor(subjects[:5], model).findings
    assert (told.code, told.evidence["seeds"]) == ("VV002", 5)
    assert two_factor(subjects, model).findings == ()


def test_names_identity_and_torch():
    model, subjects = drawn(np.random.default_rng(0), 30, 3)
    _, others = drawn(np.random.default_rng(1), 30, 3)
    plain = two_factor(subjects, others)
    one, two = (dict(zip("abc", each, strict=True)) for each in (subjects, others))
    turned = {name: two[name] for name in "cab"}
    assert two_factor(one, turned).low == pytest.approx(plain.low)
    there = two_factor([torch.tensor(X) for X in subjects], torch.tensor(model))
    assert there.low == pytest.approx(two_factor(subjects, model).low)
    same = two_factor([model] * 3, model)
    assert (same.low, same.high) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        (lambda x, m: (x[:2], m), {}, "`X` must hold at least 3 representations, got 2"),
        (lambda x, m: (x, x[:2]), {}, r"`Y` must hold one representation for each of X \(3\)"),
        (lambda x, m: (x, m[:9]), {}, "describe the same samples"),
        (lambda x, m: ([X[:5] for X in x],), {}, "at least 6 rows"),
        (lambda x, m: (x, m), {"level": 0}, "`level` must lie between 0 and 1"),
        (lambda x, m: (x, m), {"measure": "procrustes"}, "two_factor: .*be debiased cka"),
        (lambda x, m: (x, m), {"measure": "cka(kernel=(rbf, linear))"}, "have one kernel"),
    ],
)
def test_refusals(arguments, options, match):
    model, subjects = drawn(np.random.default_rng(0), 30, 3)
    with pytest.raises(ValueError, match=match):
        two_factor(*arguments(subjects, model), **options)


def test_a_dead_subject_is_named():
    model, subjects = drawn(np.random.default_rng(0), 30, 3)
    with pytest.raises(vv.DegenerateInputError, match=r"two_factor: `X\[3\]` must vary"):
        two_factor([*subjects, np.ones((30, 2))], model)
