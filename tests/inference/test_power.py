"""Power: the population that is simulated, and what the test does on data of another kind."""

import json

import numpy as np
import pytest
import torch

import visavis as vv
from visavis.inference import difference, gaussian, planning, power, samples_needed, sides

LINEAR = vv.kernels.linear()


def centred(X):
    return X, sides.Centred.of("test", "X", X, LINEAR)


def data(random, n, p=8, q=20):
    """Three sides whose directions go together in no order, unlike those of the simulation."""
    maps = np.random.default_rng(7).normal(size=(2, p, q)) / np.sqrt(p)
    X = random.normal(size=(n, p)) / np.sqrt(np.arange(1, p + 1))
    noise = (0.6, 0.75)
    Y, Z = (X @ M + s * random.normal(size=(n, q)) for M, s in zip(maps, noise, strict=True))
    return X, Y, Z


def population(n=300, values=None):
    sets = [centred(X) for X in data(np.random.default_rng(0), n)]
    return gaussian.Population.like(*sets, values)


def test_population_has_the_values_of_the_data():
    made = population()
    X, Y, Z = data(np.random.default_rng(0), 300)
    assert made.values == pytest.approx((float(vv.cka(X, Y)), float(vv.cka(X, Z))))
    big = made.draw(8_000, np.random.default_rng(1))
    found = [float(vv.cka(big[i], big[j])) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found == pytest.approx([*made.values, float(vv.cka(Y, Z))], abs=0.03)
    asked = population(values=(0.5, 0.2)).draw(8_000, np.random.default_rng(1))
    assert float(vv.cka(asked[0], asked[1])) == pytest.approx(0.5, abs=0.03)
    assert float(vv.cka(asked[0], asked[2])) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("scale", [1.0, 1e-100])
def test_spectrum_is_that_of_many_samples(scale):
    random = np.random.default_rng(0)
    true = np.repeat([4.0, 1.0], [5, 95])
    X = scale * random.normal(size=(60, 100)) * np.sqrt(true)
    found = gaussian.spectrum(*centred(X))
    true /= true.sum()
    assert found.sum() == pytest.approx(1)
    # The samples alone have twice these squares.
    assert (found**2).sum() == pytest.approx((true**2).sum(), rel=0.15)
    raw = np.linalg.svd(X / scale - X.mean(0) / scale, compute_uv=False) ** 2
    assert ((raw / raw.sum()) ** 2).sum() > 1.5 * (true**2).sum()


def test_no_other_order_of_directions_is_more_alike():
    one, other = np.array([0.6, 0.3, 0.1]), np.array([0.5, 0.5])
    top = gaussian.highest(one, other)
    assert top == pytest.approx(0.45 / np.linalg.norm(one) / np.linalg.norm(other))
    assert gaussian.correlation(top, one, other) == 1
    assert gaussian.correlation(-0.1, one, other) == 0


@pytest.mark.parametrize("n", [40, 80])
def test_power_is_that_of_data_of_another_kind(n):
    random = np.random.default_rng(1)
    big = data(random, 8_000)
    values = (float(vv.cka(big[0], big[1])), float(vv.cka(big[0], big[2])))
    found = power(*data(random, 300), n=n, values=values, repeats=150)
    real = np.mean([difference(*data(random, n)).evidence["pvalue"] < 0.05 for _ in range(150)])
    assert found.power.value == pytest.approx(real, abs=0.2)
    assert 0.1 < real < 0.97


def test_power_where_there_is_no_difference():
    sets = data(np.random.default_rng(0), 100)
    found = power(*sets, n=60, values=(0.3, 0.3), repeats=200)
    assert found.power.value <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


def test_more_samples_than_are_simulated(monkeypatch):
    sets = data(np.random.default_rng(0), 300)
    options = {"n": 120, "values": (0.45, 0.35), "repeats": 150}
    whole = power(*sets, **options)
    monkeypatch.setattr(planning, "MOST", 50)
    scaled = power(*sets, **options)
    assert (whole.simulated, scaled.simulated) == (120, 50)
    assert 0.2 < whole.power.value < 0.9
    assert scaled.power.value == pytest.approx(whole.power.value, abs=0.2)


def test_samples_needed_are_those_with_this_power():
    sets = data(np.random.default_rng(0), 100)
    found = samples_needed(*sets, power=0.7, values=(0.5, 0.35), repeats=150)
    again = power(*sets, n=found.n, values=(0.5, 0.35), repeats=300, seed=5)
    assert again.power.value == pytest.approx(0.7, abs=4 * np.sqrt(0.7 * 0.3 * (1 / 150 + 1 / 300)))
    assert samples_needed(*sets, power=0.97, values=(0.5, 0.35), repeats=150).n > found.n
    assert (
        str(found) == f"{found.n} samples tell 0.500 from 0.350 with power {found.power.value:.2f}"
    )


def test_seeds_and_torch():
    sets = data(np.random.default_rng(0), 60)
    options = {"n": 30, "repeats": 20}
    first = power(*sets, **options, seed=1)
    assert power(*sets, **options, seed=1) == first
    there = power(*(torch.tensor(X) for X in sets), **options, seed=1)
    assert there.power == first.power
    assert json.loads(json.dumps(first.to_dict()))["values"] == list(first.values)


SETS = data(np.random.default_rng(0), 60)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: power(*SETS, n=10), "`n` must be a whole number, 20 or more, got 10"),
        (lambda: power(*SETS, n=50, repeats=3), "`repeats` must be at least 20"),
        (lambda: power(*SETS, n=50, level=1), "`level` must lie between 0 and 1"),
        (lambda: power(*(X[:15] for X in SETS), n=50), "have at least 20 rows"),
        (lambda: power(*SETS, n=50, values=(0.999, 0.1)), r"`values` must lie between 0 and 0\."),
        (lambda: samples_needed(*SETS, power=1), "`power` must lie between 0 and 1"),
        (lambda: samples_needed(*SETS, values=(0.2, 0.2)), "be two that differ, got 0.2 twice"),
        (
            lambda: samples_needed(*SETS, values=(0.2, 0.2 + 1e-9), repeats=20),
            "`values` must be farther apart",
        ),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ValueError, match=match):
        call()
