"""Gromov–Wasserstein of units: brute force, POT, the facts of its record, bad input."""

import math

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import ot
import pytest
import torch
from tests import oracles
from tests.data_makers import offset, related
from tests.measures.algebra import close
from tests.measures.maps import MAPS
from tests.measures.records import EVERYTHING, over
from tests.oracles.matching import unit_distances

import visavis as vv
from visavis.measures import Shapes
from visavis.measures import measure as facts

MEASURE = vv.gromov_wasserstein
RECORDS = [each for each in EVERYTHING if each.name == MEASURE.__name__]
every_record = over(RECORDS)
every_metric = pytest.mark.parametrize("metric", ["correlation", "euclidean"])
DECIDED = [
    (each, name) for each in RECORDS for name in sorted(each.invariant_to | each.not_invariant_to)
]


def structured(p, seed=0, n=50):
    """Units that lie unevenly: mixtures of a few factors, of various sizes."""
    random = np.random.default_rng(seed)
    factors = random.standard_normal((n, 3)) @ random.standard_normal((3, p))
    return (factors + 0.3 * random.standard_normal((n, p))) * random.uniform(0.5, 2, size=p)


# The facts of the record.


@pytest.mark.parametrize(
    ("measure", "name"), DECIDED, ids=[f"{each.label}-{name}" for each, name in DECIDED]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_invariances(measure, name, seed):
    X, Y = structured(9, seed), structured(7, seed + 10)
    before = float(measure(X, Y))
    after = float(measure(*MAPS[name](X, Y, np.random.default_rng(seed))))
    if name in measure.invariant_to:
        assert after == pytest.approx(before, rel=1e-10)
    else:
        assert abs(after - before) > 1e-3 * before


@every_record
def test_every_map_is_decided(measure):
    decided = measure.invariant_to | measure.not_invariant_to
    every = {facts.TRANSLATION, facts.SCALING, facts.PERMUTATION, facts.ORTHOGONAL, facts.LINEAR}
    assert every | {facts.ROWS} == decided
    assert not measure.invariant_to & measure.not_invariant_to


@every_record
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("p", "q"), [(8, 8), (9, 6), (1, 5), (2, 40)])
def test_range_symmetry_and_self(measure, p, q, seed):
    X, Y = structured(p, seed), structured(q, seed + 10)
    value = float(measure(X, Y))
    assert measure.low < value < measure.high
    assert close(measure(Y, X), value)
    assert float(measure(X, X)) == pytest.approx(0, abs=1e-12)
    near = X + 1e-3 * np.random.default_rng(seed).standard_normal(X.shape)
    assert float(measure(X, near)) < value


@every_record
@pytest.mark.parametrize("p", [2, 10, 100, 300])
def test_zero_to_a_permuted_copy(measure, p):
    X, random = structured(p), np.random.default_rng(1)
    copy = X[random.permutation(len(X))][:, random.permutation(p)] + 3
    assert float(measure(X, copy)) == pytest.approx(0, abs=1e-12)
    assert float(measure.with_options(starts=1)(X, copy)) == pytest.approx(0, abs=1e-12)


@every_record
def test_the_engine_gives_what_the_function_gives(measure):
    X, Y = structured(9), structured(7, 1)
    x, y = (measure.prepare(measure.settings, side, Shapes(50, (9,), (7,))) for side in (0, 1))
    assert x.key == y.key
    assert float(measure.score(measure.settings, x.meet(x.run(X), y.run(Y)))) == measure(X, Y)


@every_record
def test_the_record_is_of_the_function(measure):
    assert measure.function is MEASURE
    assert measure.inputs == facts.UNITS
    assert not measure.metric
    assert vv.registry[MEASURE.__name__].with_options(**measure.options).label == measure.label
    assert measure.description()


def test_compare_takes_representations():
    with pytest.raises(ValueError, match="gromov_wasserstein, which is of units"):
        vv.compare({"x": structured(4)}, {"y": structured(5)}, measure="gromov_wasserstein")


# Against the definition, and against POT.


@every_metric
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("p", [2, 3, 5, 6])
def test_the_best_of_all_permutations(p, seed, metric):
    X, Y = structured(p, seed), structured(p, seed + 10)
    expected = oracles.gromov_wasserstein(X, Y, metric=metric)
    assert float(MEASURE(X, Y, metric=metric)) == pytest.approx(expected, rel=1e-12)


@every_metric
@pytest.mark.parametrize("q", [1, 2, 5, 9])
def test_from_a_single_unit_all_couplings_are_one(q, metric):
    # Half the root mean square of the distances on the other side.
    X, Y = structured(1), structured(q, 1)
    expected = float(np.sqrt((unit_distances(Y, metric) ** 2).mean()) / 2)
    assert float(MEASURE(X, Y, metric=metric)) == pytest.approx(expected, rel=1e-12)


@every_metric
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("p", "q"), [(12, 12), (12, 18), (61, 71)])
def test_no_further_than_what_pot_finds(p, q, seed, metric):
    X, Y = structured(p, seed), structured(q, seed + 10)
    D, E = (unit_distances(Z, metric).astype(float) for Z in (X, Y))
    loss = ot.gromov_wasserstein2(D, E, tol_rel=1e-12, tol_abs=1e-12)
    value = float(MEASURE(X, Y, metric=metric, starts=2))
    assert 0 < value <= math.sqrt(loss) / 2 * (1 + 1e-9)


def test_more_starts_only_lower_it():
    X, Y = structured(20), structured(30, 1)
    values = [float(MEASURE(X, Y, starts=starts)) for starts in (1, 2, 5, 20)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0]


def test_seeds():
    X, Y = structured(20), structured(30, 1)
    assert float(MEASURE(X, Y, seed=3)) == float(MEASURE(X, Y, seed=3))
    assert float(MEASURE(X, Y, seed=np.random.default_rng(3))) == float(MEASURE(X, Y, seed=3))
    assert len({float(MEASURE(X, Y, seed=seed)) for seed in range(3)}) > 1


def test_samples_need_not_be_the_same():
    X = structured(8, n=2000)
    mixing = np.random.default_rng(0).standard_normal((3, 8))
    here, there = (
        np.random.default_rng(i).standard_normal((n, 3)) for i, n in [(1, 4000), (2, 9000)]
    )
    alike = float(MEASURE(here @ mixing, there @ mixing))
    assert alike < 0.1 * float(MEASURE(here @ mixing, X))


# Ties, scales, libraries.


@every_metric
def test_equal_units(metric):
    X, Y = structured(5), structured(4, 1)
    X, Y = X[:, [0, 0, 0, 1, 2, 3, 4, 4]], Y[:, [0, 1, 1, 2, 3, 3]]
    assert float(MEASURE(X, X, metric=metric)) == pytest.approx(0, abs=1e-12)
    value = float(MEASURE(X, Y, metric=metric))
    shuffled = np.random.default_rng(0).permutation(8)
    assert float(MEASURE(X[:, shuffled], Y, metric=metric)) == pytest.approx(value, rel=1e-12)


@every_metric
def test_units_that_are_all_equally_far_from_each_other(metric):
    X = np.linalg.qr(np.random.default_rng(0).standard_normal((30, 11)) + 0.0)[0]
    X = np.linalg.qr(X - X.mean(axis=0))[0][:, :10]
    assert float(MEASURE(X, X[:, ::-1], metric=metric)) == pytest.approx(0, abs=1e-9)


@every_metric
@pytest.mark.parametrize("by", [1e-150, 1e-8, 1e8, 1e150])
def test_scales(by, metric):
    X, Y = structured(8), structured(6, 1)
    expected = float(MEASURE(X, Y, metric=metric))
    expected *= by if metric == "euclidean" else 1
    assert close(MEASURE(by * X, by * Y, metric=metric), expected)


def test_euclidean_sides_of_different_scale():
    # Beside distances of 1 those of 1e-200 are none.
    X, Y = structured(8), structured(6, 1)
    expected = float(np.sqrt((unit_distances(X, "euclidean") ** 2).mean()) / 2)
    assert close(MEASURE(X, 1e-200 * Y, metric="euclidean"), expected)


@every_metric
def test_large_offsets_in_float32(metric):
    X, Y = (Z.astype(np.float32) for Z in offset(p=6, q=6))
    value = MEASURE(X, Y, metric=metric)
    assert value.dtype == np.float32
    assert float(value) == pytest.approx(oracles.gromov_wasserstein(X, Y, metric=metric), rel=1e-6)


@pytest.mark.parametrize("array", [array_api_strict.asarray, torch.tensor, jnp.asarray])
def test_libraries(array):
    X, Y = (Z.astype(np.float32) for Z in (structured(6), structured(5, 1)))
    held = array(X)
    value = MEASURE(held, array(Y))
    assert type(value) is type(held)
    assert value.dtype == held.dtype
    assert float(value) == float(MEASURE(X, Y))


def test_half_precision():
    X, Y = (torch.tensor(Z).bfloat16() for Z in (structured(6), structured(5, 1)))
    assert float(MEASURE(X, Y)) == float(MEASURE(X.float(), Y.float()))


# Input without an answer.


@every_metric
@pytest.mark.parametrize("side", [0, 1])
def test_bad_values_are_located(side, metric):
    pair = [structured(5), structured(4, 1, n=60)]
    name = "XY"[side]
    pair[side][7, 2] = np.inf
    match = f"^gromov_wasserstein: `{name}` must be finite, got inf at row 7, column 2 "
    with pytest.raises(vv.DegenerateInputError, match=match):
        MEASURE(*pair, metric=metric)
    pair[side] = np.full_like(pair[side], 0.1)
    match = f"^gromov_wasserstein: `{name}` must vary over the samples"
    with pytest.raises(vv.DegenerateInputError, match=match):
        MEASURE(*pair, metric=metric)


def test_a_dead_unit_is_refused_or_counted():
    X, Y = structured(5), structured(4, 1)
    X[:, 3] = 0.1
    match = "^gromov_wasserstein: `X` has a unit that does not vary .* column 3. Leave it out"
    with pytest.raises(vv.DegenerateInputError, match=match):
        MEASURE(X, Y)
    alive = float(MEASURE(X[:, [0, 1, 2, 4]], Y, metric="euclidean"))
    assert abs(float(MEASURE(X, Y, metric="euclidean")) - alive) > 1e-3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: X[:1], ValueError, "must have at least 2 rows, got 1"),
        (lambda X: X[:, 0], ValueError, "`X` must be 2-D"),
        (torch.tensor, TypeError, "must be arrays of one library, got torch and numpy"),
    ],
)
def test_refusals(change, error, message):
    with pytest.raises(error, match=f"^gromov_wasserstein: .*{message}"):
        MEASURE(change(structured(5)), structured(4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cosine"}, "`metric` must be one of 'correlation', 'euclidean', got 'cosine'"),
        ({"starts": 0}, "`starts` must be a whole number, 1 or more, got 0"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=f"gromov_wasserstein: {message}"):
        MEASURE(*related(), **options)


def test_it_is_not_compiled():
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in related())
    with pytest.raises(TypeError, match="Units are coupled on the host: call it outside"):
        jax.jit(MEASURE)(X, Y)
