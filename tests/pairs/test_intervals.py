"""Intervals and z beside every value: as of each pair alone, in whatever way they are computed."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy import stats

import visavis as vv
from visavis.pairs import sweep
from visavis.stats import jackknife, permutation_moments

TABLES = ("low", "high", "standard_error", "z")


def layers(n, count, width, seed, dtype="float64"):
    """Layers that share a part, of growing widths."""
    shared = np.random.default_rng(99).normal(size=(n, 4))
    rng = np.random.default_rng(seed)
    return {
        f"layer{k}": (
            shared @ rng.normal(size=(4, width + k)) + (1 + k) * rng.normal(size=(n, width + k)) + 2
        ).astype(dtype)
        for k in range(count)
    }


def centred(K):
    """U-centre a Gram matrix, as Székely & Rizzo (2014) define it."""
    n = len(K)
    K = K - np.diag(np.diag(K))
    rows = K.sum(axis=1)
    A = K - rows[:, None] / (n - 2) - rows[None, :] / (n - 2) + K.sum() / ((n - 1) * (n - 2))
    return A - np.diag(np.diag(A))


def debiased(K, L):
    A, B, C = ((centred(P) * centred(Q)).sum() for P, Q in ((K, L), (K, K), (L, L)))
    return A / math.sqrt(B * C)


def oracle(K, L, level=0.95):
    """Value, ends and standard error from recomputed values without each sample."""
    n = len(K)
    kept = [np.delete(np.arange(n), i) for i in range(n)]
    without = np.array([debiased(K[np.ix_(k, k)], L[np.ix_(k, k)]) for k in kept])
    value = debiased(K, L)
    H = np.eye(n) - 1 / n
    ratio = [
        (np.trace(H @ P @ H) / (n - 1)) ** 2 / ((centred(P) ** 2).sum() / (n * (n - 3)))
        for P in (K, L)
    ]
    c = math.sqrt(ratio[0] * ratio[1]) / (2 * (n - 1))

    def phi(s):
        return np.arctanh(np.sqrt(np.clip((s + c) / (1 + c), 0, 1 - 1e-9)))

    d = phi(without) - phi(without).mean()
    variance = max((n - 1) / n * (d**2).sum(), 2 / (n * (n - 3)) * (1 + c) / (4 * c))
    freedom = np.clip(2 * (d**2).sum() ** 2 / ((d**4).sum() - (d**2).sum() ** 2 / n), 2, n - 1)
    reach = stats.t.ppf((1 + level) / 2, freedom) * math.sqrt(variance)
    ends = [(1 + c) * math.tanh(max(phi(value) + sign * reach, 0)) ** 2 - c for sign in (-1, 1)]
    error = math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return value, *np.clip(ends, -1, 1), error


def gram(X, kernel):
    X = np.asarray(X, dtype=np.float64)
    if kernel == "linear":
        return X @ X.T
    squared = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=-1)
    median = np.median(np.sqrt(squared[np.triu_indices(len(X), 1)]))
    return np.exp(-squared / (2 * (0.5 * median) ** 2))


@pytest.mark.parametrize(("width", "form"), [(3, "features"), (40, "gram")])
@pytest.mark.parametrize("kernel", ["linear", "rbf(0.5)"])
def test_intervals_are_those_of_the_definition(width, form, kernel):
    a, b = layers(24, 2, width, 0), layers(24, 3, width, 1)
    res = vv.compare(a, b, measure=f"cka(kernel={kernel})", level=0.9, progress=False)
    assert res.plan["form"] == (form if kernel == "linear" else "gram")
    expected = np.array(
        [[oracle(gram(X, kernel), gram(Y, kernel), 0.9) for Y in b.values()] for X in a.values()]
    )
    found = np.stack([res.values, res.low, res.high, res.standard_error], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    assert res.level == 0.9
    assert res.plan["intervals"] == "jackknife"


@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian", "(linear, rbf)"])
@pytest.mark.parametrize(("width", "dtype"), [(5, "float64"), (60, "float64"), (60, "float32")])
class TestPairByPair:
    N = 60

    def check(self, kernel, width, dtype, **options):
        a, b = (layers(self.N, count, width, seed, dtype) for count, seed in ((3, 0), (2, 1)))
        measure = f"cka(kernel={kernel})"
        res = vv.compare(a, b, measure=measure, progress=False, **options)
        if res.plan["form"] == "moments":
            assert res.low is None
            assert res.plan["intervals"].startswith("none: they take a second pass")
            return res
        each = [
            [vv.inference.jackknife(X, Y, measure=measure) for Y in b.values()] for X in a.values()
        ]
        tolerance = 1e-10 if dtype == "float64" else 3e-5
        for name in ("low", "high", "standard_error"):
            expected = [[getattr(one, name) for one in row] for row in each]
            np.testing.assert_allclose(getattr(res, name), expected, rtol=tolerance, atol=tolerance)
        return res

    def test_in_one_block(self, kernel, width, dtype):
        self.check(kernel, width, dtype)

    def test_in_tiles_or_groups_in_threads(self, kernel, width, dtype, monkeypatch):
        monkeypatch.setattr("visavis.pairs.planning.TILE_ROWS", 32)
        with ThreadPoolExecutor(2) as executor:
            res = self.check(kernel, width, dtype, executor=executor)
        assert res.plan["tasks"] > 1 or res.plan["form"] == "moments"

    def test_in_small_blocks_of_pairs(self, kernel, width, dtype, monkeypatch):
        monkeypatch.setattr("visavis.pairs.intervals._HELD", 2 * self.N)
        monkeypatch.setattr(jackknife, "_TOGETHER", 1)
        self.check(kernel, width, dtype)

    def test_read_again_from_a_checkpoint(self, kernel, width, dtype, tmp_path, monkeypatch):
        first = self.check(kernel, width, dtype, checkpoint=tmp_path)
        for name in ("blocks._block", "sweep._add", "sweep._share"):
            monkeypatch.setattr(f"visavis.pairs.{name}", lambda *_: pytest.fail("computed again"))
        second = self.check(kernel, width, dtype, checkpoint=tmp_path)
        for name, table in first.tables.items():
            np.testing.assert_array_equal(getattr(second, name), table)


@pytest.mark.parametrize("width", [5, 60], ids=["features", "gram"])
def test_values_do_not_depend_on_the_level(width):
    a, b = layers(60, 3, width, 0, "float32"), layers(60, 2, width, 1, "float32")
    with_, without = (vv.compare(a, b, level=level, progress=False) for level in (0.95, None))
    np.testing.assert_array_equal(with_.values, without.values)
    np.testing.assert_array_equal(with_.z, without.z)
    assert without.low is without.high is without.standard_error is without.level is None
    assert "intervals" not in without.plan


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "precomputed"])
def test_a_level_is_part_of_what_is_kept(kernel, tmp_path):
    a = layers(60, 3, 5, 0)
    if kernel == "precomputed":
        a = {name: X @ X.T for name, X in a.items()}
    measure = f"cka(kernel={kernel})"
    wide, narrow = (
        vv.compare(a, measure=measure, level=level, checkpoint=tmp_path, progress=False)
        for level in (0.99, 0.5)
    )
    off = ~np.eye(3, dtype=bool)
    assert ((wide.high - wide.low)[off] > (narrow.high - narrow.low)[off]).all()


@pytest.mark.parametrize("kernel", ["linear", "rbf", "(linear, rbf)"])
@pytest.mark.parametrize("held", [120, 2**21])
def test_a_model_with_itself(kernel, held, monkeypatch):
    monkeypatch.setattr("visavis.pairs.intervals._HELD", held)
    a = layers(60, 4, 60, 0)
    measure = f"cka(kernel={kernel})"
    res = vv.compare(a, measure=measure, progress=False)
    both = vv.compare(a, {name: X.copy() for name, X in a.items()}, measure=measure, progress=False)
    for name in TABLES:
        np.testing.assert_allclose(getattr(res, name), getattr(both, name), rtol=1e-9, atol=1e-12)
    if kernel != "(linear, rbf)":
        np.testing.assert_array_equal(res.low, res.low.T)
        np.testing.assert_array_equal(np.diag(res.low), 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [5, 60])
def test_a_layer_with_itself_is_alike_for_sure(width, dtype):
    a = layers(60, 3, width, 0, dtype)
    found = [vv.compare(a)]
    with ThreadPoolExecutor(1) as executor:
        found.append(vv.compare(a, measure="cka(kernel=rbf)", executor=executor))
    assert max(np.diag(each.high - each.low).max() for each in found) < 5e-6
    assert vv.compare({"layer": a["layer1"]}).findings == ()


def test_a_dead_layer_has_no_interval_and_the_others_have():
    a = layers(60, 2, 5, 0)
    a["dead"] = np.ones((60, 3))
    res = vv.compare(a, layers(60, 2, 5, 1), progress=False)
    known = [[True, True], [True, True], [False, False]]
    for name in TABLES:
        np.testing.assert_array_equal(np.isfinite(getattr(res, name)), known)


def test_layers_of_another_library():
    a, b = layers(60, 2, 60, 0), layers(60, 2, 60, 1)
    expected = vv.compare(a, b, progress=False)
    tensors = [{name: torch.tensor(X) for name, X in side.items()} for side in (a, b)]
    found = vv.compare(*tensors, progress=False)
    tiled = vv.compare(*tensors, progress=False, memory="1MB")
    for name in TABLES:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9)
        np.testing.assert_allclose(getattr(tiled, name), getattr(expected, name), rtol=1e-9)


def test_many_models():
    runs = {f"seed{k}": layers(60, 2, 5, k) for k in range(3)}
    res = vv.compare(runs, progress=False)
    pair = vv.compare(runs["seed0"], runs["seed2"], progress=False)
    part = res["seed0", "seed2"]
    for name in TABLES:
        np.testing.assert_allclose(getattr(part, name), getattr(pair, name), rtol=1e-9)
    between = res.between()
    assert between.low is between.high is between.level is between.z is None
    assert between.chance is not None


# Where there is none.


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        ("procrustes", "no formula"),
        ("hsic", "no formula"),
        ("cka(estimator=biased)", "no formula"),
    ],
)
def test_a_measure_without_a_formula_says_so(measure, why):
    res = vv.compare(layers(60, 2, 5, 0), measure=measure, progress=False)
    assert res.low is None
    assert res.plan["intervals"].startswith(f"none: {why}")


def test_few_samples_have_none():
    res = vv.compare(layers(5, 2, 3, 0), progress=False)
    assert res.low is None
    assert res.plan["intervals"] == "none: fewer than 6 samples"


def test_too_little_memory(monkeypatch):
    monkeypatch.setattr(sweep, "_ROOM", 100)
    with ThreadPoolExecutor(1) as executor:
        res = vv.compare(layers(60, 2, 60, 0), executor=executor, progress=False)
    assert res.low is None
    assert res.z is not None
    assert res.plan["intervals"].startswith("none: they would take ")


def test_rows_in_groups_have_neither_interval_nor_z():
    a = layers(60, 2, 5, 0)
    grouped = vv.Activations(a, groups=np.repeat(np.arange(20), 3))
    res = vv.compare(grouped, progress=False)
    assert res.low is res.z is None
    assert res.plan["intervals"] == "none: rows come in groups and are not independent"
    (found,) = [each for each in res.findings if each.code == "VV008"]
    assert "60 rows come in 20 groups" in found.message
    many = vv.compare({"one": grouped, "two": grouped}, progress=False)
    assert many.table.low is None
    alone = vv.Activations(a, groups=np.arange(60))
    assert vv.compare(alone, progress=False).low is not None


@pytest.mark.parametrize("level", [0, 1, 95, -0.5])
def test_levels_that_are_refused(level):
    with pytest.raises(ValueError, match="`level` must lie between 0 and 1, or be None"):
        vv.compare(layers(60, 2, 5, 0), level=level)


# Few rows.


def test_few_rows_are_a_finding():
    a, b = layers(60, 2, 5, 0), layers(60, 2, 5, 1)
    for side in (a, b):
        side["layer1"][[7, 8]] = 60
    res = vv.compare(a, b, progress=False)
    (found,) = [each for each in res.findings if each.code == "VV005"]
    assert "1 of 4 pairs rest on few rows" in found.message
    assert found.layers == ("layer1",)
    assert found.evidence["degrees_of_freedom"] < jackknife.FEW
    plain = vv.compare(layers(60, 2, 5, 0), layers(60, 2, 5, 1), progress=False)
    assert not [each for each in plain.findings if each.code == "VV005"]


def test_a_layer_that_one_row_holds_has_no_interval():
    X = np.zeros((60, 3))
    X[7], X[9] = 1, (2, 1, 0)
    Y = layers(60, 1, 5, 0)["layer0"]
    res = vv.compare({"x": X}, {"y": Y}, progress=False)
    assert np.isfinite(res.values).all()
    told = [each for each in res.findings if each.code == "VV005"]
    assert res.low is not None or "1 of 1 pairs have no interval" in told[0].message


# z.


def moments(values):
    return np.mean(values), np.std(values)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("kernel", ["linear", "rbf(0.5)"])
@pytest.mark.parametrize("name", ["cka", "hsic"])
@pytest.mark.parametrize("n", [5, 6])
def test_z_is_that_of_all_permutations(estimator, kernel, name, n):
    rng = np.random.default_rng(n)
    X, Y = rng.normal(size=(n, 3)), rng.normal(size=(n, 2)) ** 3
    measure = f"{name}(kernel={kernel}, estimator={estimator})"
    res = vv.compare({"x": X}, {"y": Y}, measure=measure, progress=False)
    known = vv.registry[name].with_options(
        kernel=vv.kernels.rbf(0.5) if "rbf" in kernel else kernel, estimator=estimator
    )
    all_ = [float(known(X, Y[list(order)])) for order in itertools.permutations(range(n))]
    mean, deviation = moments(all_)
    assert res.values[0, 0] == pytest.approx(all_[0])
    assert res.chance[0, 0] == pytest.approx(mean, abs=1e-9)
    assert res.z[0, 0] == pytest.approx((all_[0] - mean) / deviation, rel=1e-7)


@pytest.mark.parametrize("width", [3, 90], ids=["features", "gram"])
def test_the_variance_of_biased_cka_is_that_of_permutations(width):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_t(3, size=(40, width)), rng.standard_t(3, size=(40, width))
    measure = "cka(estimator=biased)"
    res = vv.compare({"x": X}, {"y": Y}, measure=measure, progress=False)
    draws = [float(vv.cka(X, rng.permutation(Y), estimator="biased")) for _ in range(3000)]
    deviation = (res.values - res.chance)[0, 0] / res.z[0, 0]
    assert deviation == pytest.approx(np.std(draws), rel=0.06)


def test_z_of_layers_whose_value_no_permutation_changes():
    # One-hot rows of all samples: every permutation gives the same biased CKA.
    eye = np.eye(8)
    res = vv.compare({"x": eye}, {"y": eye}, measure="cka(estimator=biased)", progress=False)
    assert res.z is None or np.isnan(res.z).all()


def test_the_variance_of_debiased_cka_is_no_matter_of_the_data():
    assert permutation_moments.variance(50) == pytest.approx(2 / (50 * 47))


@pytest.mark.parametrize("measure", ["procrustes", "cca", "rsa"])
def test_measures_without_a_spread_have_no_z(measure):
    assert vv.compare(layers(60, 2, 5, 0), measure=measure, progress=False).z is None
