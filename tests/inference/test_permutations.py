"""Permutation tests: the same statistic as permutations one by one, and the right size."""

import itertools

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.oracles import exact
from tests.oracles import inference as oracle

import visavis as vv
from visavis.inference import cosets, permutation_test, sides, turned_features
from visavis.inference.orders import Exchange

LINEAR = vv.kernels.linear()


def centred(X, estimator):
    return sides.Centred.of("test", "X", X, LINEAR, estimator=estimator)


def exchanges():
    """Which rows may change places, and a class of each row that no order may leave."""
    labels = np.array([0, 1, 1, 0, 2, 0, 1, 0, 1, 0, 2, 0])
    groups = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 7])
    size = np.bincount(groups)[groups]
    return {
        "any, 8": (Exchange.of_rows(8), np.zeros(8)),
        "any, 11": (Exchange.of_rows(11), np.zeros(11)),
        "within": (Exchange.within("test", labels, 12), labels),
        "within halves": (Exchange.within("test", [0, 1] * 5, 10), np.array([0, 1] * 5)),
        "groups": (Exchange.of_groups("test", groups, 12), size),
        "equal groups": (Exchange.of_groups("test", np.arange(12) // 3, 12), np.zeros(12)),
    }


def spelled_out(exchange, orders):
    """The order of the rows of Y beside those of X, for each turn of each coset."""
    cycles = cosets.Cycles.of(exchange)
    slots = cycles.slots
    found = []
    for order in orders[1:]:
        for turn in range(cycles.length):
            beside = np.empty(exchange.n, int)
            beside[orders[0][slots[:, : cycles.tracks]]] = order[
                np.roll(slots[:, : cycles.tracks], -turn, axis=0)
            ]
            beside[orders[0][cycles.rest]] = order[cycles.rest]
            found.append(beside)
    return found


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("kind", exchanges())
def test_cosets_are_permutations_one_by_one(kind, estimator):
    exchange, classes = exchanges()[kind]
    X, Y = related(n=exchange.n, p=3, q=2)
    orders = cosets.drawn_orders(exchange, 30, np.random.default_rng(0))
    every = spelled_out(exchange, orders)
    assert len(every) >= 30
    np.testing.assert_array_equal(every[0], np.arange(exchange.n))
    assert all(np.array_equal(np.sort(order), every[0]) for order in every)
    assert all(np.array_equal(classes[order], classes) for order in every)
    expected = [exact.cka(X, Y[order], estimator=estimator) for order in every]
    x, y = centred(X, estimator), centred(Y, estimator)
    found = cosets.values([x], [y], exchange, orders)[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    by_features, _, _ = turned_features.values("test", X, Y, estimator, exchange, orders)
    np.testing.assert_allclose(by_features, expected, rtol=1e-9, atol=1e-12)


def test_few_entries_at_a_time(monkeypatch):
    exchange, _ = exchanges()["within"]
    X, Y = related(n=12, p=3, q=4)
    orders = cosets.drawn_orders(exchange, 30, np.random.default_rng(0))
    x, y = centred(X, "debiased"), centred(Y, "debiased")
    whole = cosets.values([x, y], [y], exchange, orders)
    for module in (cosets, turned_features):
        monkeypatch.setattr(module, "ENTRIES", 40)
    np.testing.assert_allclose(cosets.values([x, y], [y], exchange, orders), whole, rtol=1e-12)
    narrow = turned_features.values("test", X, Y, "debiased", exchange, orders)[0]
    np.testing.assert_allclose(narrow, whole[:, 0, 0], rtol=1e-9, atol=1e-12)


def test_units_of_a_group_stay_together():
    groups = np.arange(12) // 3
    exchange = Exchange.of_groups("test", groups, 12)
    orders = cosets.drawn_orders(exchange, 40, np.random.default_rng(0))
    for order in spelled_out(exchange, orders):
        np.testing.assert_array_equal(order.reshape(4, 3) - order[::3, None], [[0, 1, 2]] * 4)


@pytest.mark.parametrize("sizes", [(7,), (4, 3), (2, 2, 2), (1, 6, 5, 6)], ids=str)
def test_every_order_is_as_likely(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    exchange = Exchange.within("test", labels, len(labels))
    random = np.random.default_rng(0)
    drawn = np.array([exchange.draw(random) for _ in range(4000)])
    for c, size in enumerate(sizes):
        rows = np.flatnonzero(labels == c)
        shares = (drawn[:, rows, None] == rows).mean(0)
        assert np.abs(shares - 1 / size).max() < 5 * np.sqrt(1 / size / 4000) + 1e-12


@pytest.mark.parametrize(
    ("sizes", "length"), [([50] * 10, 50), ([5] * 20, 5), ([10, 490], 490), ([1, 1, 2], 2)]
)
def test_cycles_are_as_long_as_they_are_worth(sizes, length):
    exchange = Exchange.within("test", np.repeat(np.arange(len(sizes)), sizes), sum(sizes))
    assert exchange.cycle() == length
    # Values of a coset are correlated by the square of the part that no turn moves.
    fixed = sum(size % length for size in sizes) / sum(sizes)
    assert exchange.worth(length) == pytest.approx(length / (1 + (length - 1) * fixed**2))


def test_a_coset_with_fixed_rows_is_worth_what_it_is_said_to_be():
    # The spread of the mean of a coset, beside that of as many independent orders.
    X, Y = related(n=40, p=3, q=2)
    exchange = Exchange.within("test", np.repeat(np.arange(4), [13, 13, 7, 7]), 40)
    length = exchange.cycle()
    assert exchange.worth(length) < length
    x, y = centred(X, "debiased"), centred(Y, "debiased")
    orders = cosets.drawn_orders(exchange, 60_000, np.random.default_rng(0))
    values = cosets.values([x], [y], exchange, orders)[:, 0, 0].reshape(-1, length)
    held = (values > np.quantile(values, 0.9)).astype(float)
    worth = held.var() / held.mean(axis=1).var()
    assert worth > 0.8 * exchange.worth(length)


def test_all_shifts_of_a_series():
    X, Y = related(n=10, p=3, q=2)
    result = permutation_test(X, Y, series=True)
    expected = oracle.ordered(X, Y, [np.roll(np.arange(10), s) for s in range(10)])
    assert result.pvalue == np.mean(expected >= expected[0] - 1e-12)
    assert (result.null_mean, result.null_std) == pytest.approx((expected.mean(), expected.std()))
    assert result.draws == 10
    assert permutation_test(X, Y, series="cyclic") == result


@pytest.mark.parametrize("measure", ["cka", "procrustes"])
def test_linear_shifts_by_their_windows(measure):
    X, Y = related(n=63, p=3, q=2)
    reach, width = 6, 51
    known = vv.registry[measure]
    values = np.array(
        [
            exact.cka(X[6:57], Y[k : k + width], estimator="debiased")
            if measure == "cka"
            else float(known(X[6:57], Y[k : k + width]))
            for k in range(2 * reach + 1)
        ]
    )
    sign = -1 if known.direction == "distance" else 1
    rank = np.sum(sign * values >= sign * values[reach] - 1e-12)
    result = permutation_test(X, Y, measure=measure, series="linear")
    assert result.value == pytest.approx(values[reach], rel=1e-9)
    assert result.pvalue == pytest.approx(min(1, rank / (reach + 1)))
    assert result.draws == 13


def autoregressive(random, n, phi, p=3):
    noise = random.normal(size=(n + 100, p))
    for t in range(1, len(noise)):
        noise[t] += phi * noise[t - 1]
    return noise[100:]


def rejected(draw, repeats, **options):
    random = np.random.default_rng(0)
    return np.mean(
        [permutation_test(*draw(random), **options).pvalue <= 0.05 for _ in range(repeats)]
    )


SLACK = 4 * np.sqrt(0.05 * 0.95 / 150)


def test_shifts_and_series_that_depend_on_themselves():
    def stationary(random):
        return [autoregressive(random, 200, 0.9) for _ in "xy"]

    def walk(random):
        return autoregressive(random, 200, 0.5), np.cumsum(random.normal(size=(200, 3)), axis=0)

    assert rejected(stationary, 50, n=200) > 0.8
    assert rejected(stationary, 150, series="cyclic") <= 0.05 + SLACK
    assert rejected(walk, 150, series="linear") <= 0.05 + SLACK


def test_groups_that_depend_on_each_other():
    groups = np.repeat(np.arange(20), 4)

    def draw(random):
        return [random.normal(size=(20, 6))[groups] + random.normal(size=(80, 6)) for _ in "xy"]

    assert rejected(draw, 50, n=200) > 0.3
    assert rejected(draw, 150, n=200, groups=groups) <= 0.05 + SLACK


def test_moments_of_the_null_hypothesis():
    X, Y = related(n=7, p=3, q=2)
    every = oracle.ordered(X, Y, itertools.permutations(range(7)))
    result = permutation_test(X, Y)
    assert result.null_mean == pytest.approx(every.mean(), abs=1e-12)
    assert result.null_std == pytest.approx(every.std(), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_pvalue_is_that_of_all_permutations(seed):
    X, Y = related(n=7, p=2, q=2, seed=seed)
    every = oracle.ordered(X, Y, itertools.permutations(range(7)))
    exact = np.mean(every >= every[0] - 1e-12)
    result = permutation_test(X, Y, n=20_000)
    assert result.pvalue == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))


def independent(random, n=30):
    return random.normal(size=(n, 4)), random.normal(size=(n, 3))


TESTS = {
    "cka": {},
    "rbf": {"measure": "cka(kernel=rbf)"},
    "within": {"within": [k % 3 for k in range(30)]},
    "shifts": {"series": True},
    "groups": {"groups": [k // 2 for k in range(30)]},
    "biased": {"measure": "cka(estimator=biased)"},
    "another measure": {"measure": "procrustes", "n": 100},
}


@pytest.mark.parametrize("options", TESTS.values(), ids=TESTS)
def test_size(options):
    random = np.random.default_rng(0)
    repeats = 200
    options = {"n": 200, **options}
    small = [
        permutation_test(*independent(random), **options, seed=k).pvalue <= 0.1
        for k in range(repeats)
    ]
    assert np.mean(small) <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / repeats)


@pytest.mark.parametrize("options", TESTS.values(), ids=TESTS)
def test_power(options):
    X, Y = related(n=30, p=4, q=3)
    assert permutation_test(X, Y, **options).pvalue < 0.05


def test_classes_in_common_are_not_more_than_the_classes():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 20)
    means = random.normal(size=(2, 5, 6))
    X, Y = (10 * each[labels] + random.normal(size=(100, 6)) for each in means)
    assert permutation_test(X, Y).pvalue < 0.01
    assert permutation_test(X, Y, within=labels).pvalue > 0.05


def test_ties_count_as_equal():
    labels = np.repeat(np.eye(3), 10, axis=0)
    other = np.roll(labels, 3, axis=0)
    values = oracle.ordered(
        labels, other, [np.random.default_rng(k).permutation(30) for k in range(3000)]
    )
    expected = np.mean(values >= oracle.dcka(labels, other) - 1e-9)
    found = permutation_test(labels, other, n=3000).pvalue
    assert found == pytest.approx(expected, abs=0.05)


def test_torch_and_seeds():
    X, Y = related(n=30, p=4, q=3)
    first = permutation_test(X, Y, seed=1)
    assert permutation_test(X, Y, seed=1) == first
    there = permutation_test(torch.tensor(X), torch.tensor(Y), seed=1)
    assert (there.value, there.pvalue) == pytest.approx((first.value, first.pvalue), rel=1e-9)
    assert first.z == pytest.approx((first.value - 0) / first.null_std)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n": 0}, "`n` must be a whole number, 1 or more"),
        ({"within": [0, 1]}, r"one entry per row \(30\), got 2"),
        ({"within": list(range(30))}, "at least two samples into one class"),
        ({"groups": [0] * 3 + [1] * 27}, "`groups` must have at least two of the same size"),
        ({"within": [0] * 30, "series": True}, "`within` and `series` must be given one at a time"),
        ({"series": "loop"}, "`series` must be one of"),
        ({"series": "linear"}, "at least 50 rows"),
        ({"measure": "ckaa"}, r"permutation_test: .*name a measure"),
    ],
)
def test_refusals(options, match):
    X, Y = related(n=30, p=4, q=3)
    with pytest.raises(ValueError, match=match):
        permutation_test(X, Y, **options)


BLIND = [
    name for name, known in vv.registry.items() if "row permutation of Y" in known.invariant_to
]


@pytest.mark.parametrize("test", [permutation_test, vv.inference.class_floor])
@pytest.mark.parametrize(
    ("measure", "match"),
    [
        *((name, "must (ask which sample is which|compare two repr)") for name in BLIND),
        ("tensor_similarity", "compare two representations.*which compares weights"),
        ("stochastic_shape", "which compares repeats"),
        ("convolution_procrustes", "which compares feature maps"),
    ],
)
def test_measures_of_which_no_order_means_anything(test, measure, match):
    X, Y = related(n=30, p=4, q=3)
    labels = () if test is permutation_test else ([0, 1] * 15,)
    with pytest.raises(ValueError, match=match):
        test(X, Y, *labels, measure=measure)


def test_a_blind_measure_is_refused_because_nothing_moves_it():
    X, Y = related(n=30, p=4, q=3)
    random = np.random.default_rng(0)
    known = vv.registry["magnitude_difference"]
    assert len(BLIND) > 3
    values = [float(known(X, Y[random.permutation(30)])) for _ in range(5)]
    assert values == pytest.approx([float(known(X, Y))] * 5)


@pytest.mark.parametrize(("measure", "option"), [("class_cka", "labels"), ("partial_cka", "given")])
def test_a_measure_with_something_held_fixed_permutes_within_it(measure, option):
    X, Y = related(n=60, p=4, q=3)
    labels = np.array([0, 1, 2] * 20)
    known = vv.registry[measure].with_options(**{option: labels})
    with pytest.raises(ValueError, match=f"`within` must be given .* lose their {option}"):
        permutation_test(X, Y, measure=known)
    found = permutation_test(X, Y, measure=known, within=labels, n=60)
    assert found.pvalue < 0.05


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_many_samples_of_narrow_layers(estimator):
    X, Y = related(n=1200, p=4, q=3)
    Y = Y + 30 * np.random.default_rng(1).normal(size=Y.shape)
    measure = f"cka(estimator={estimator})"
    result = permutation_test(X, Y, measure=measure, n=2400)
    K, L = ((Z - Z.mean(0)) @ (Z - Z.mean(0)).T for Z in (X, Y))
    value = (K * L).sum() / np.linalg.norm(K) / np.linalg.norm(L)
    if estimator == "debiased":
        [value] = oracle.ordered(X, Y, [range(1200)])
    assert result.value == pytest.approx(value, rel=1e-9)
    assert result.null_mean == pytest.approx(
        vv.inference.chance(X, Y, measure=measure), rel=1e-9, abs=1e-12
    )
    few = np.arange(1023)
    assert not turned_features.cheaper(X[few], Y[few], (LINEAR, LINEAR), Exchange.of_rows(1023))
    drawn = cosets.values(
        [centred(X, estimator)],
        [centred(Y, estimator)],
        Exchange.of_rows(1200),
        cosets.drawn_orders(Exchange.of_rows(1200), 2400, np.random.default_rng(0)),
    )[:, 0, 0]
    assert result.pvalue == np.mean(drawn >= drawn[0] - 1e-12)
    assert result.null_std == pytest.approx(drawn.std(), rel=0.15)


def test_chance():
    X, Y = related(n=40, p=5, q=4)
    result = permutation_test(X, Y, measure="cka(estimator=biased)", n=2000)
    level = vv.inference.chance(X, Y, measure="cka(estimator=biased)")
    assert result.null_mean == pytest.approx(level, abs=5 * result.null_std / np.sqrt(2000))
    with pytest.raises(ValueError, match=r"chance: .*have a closed form"):
        vv.inference.chance(X, Y, measure="procrustes")
