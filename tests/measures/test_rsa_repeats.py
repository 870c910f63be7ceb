"""RSA of repeats: the definition, freedom from bias, what noise forgets, and refusals."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import FLOAT64_SCALES, random_rotation
from tests.measures.algebra import close
from tests.oracles.repeats import crossnobis as crossnobis_oracle

import visavis as vv
from visavis.measures.measure import LINEAR, REPEATS, REPRESENTATIONS
from visavis.stats import noise

RDMS = ["mahalanobis", "crossnobis"]
COMPARISONS = ["spearman", "pearson", "kendall_tau_a", "kendall_tau_b", "rho_a", "cosine"]
COMPARISONS += ["whitened_cosine", "whitened_pearson"]
of_repeats = pytest.mark.parametrize("rdm", RDMS)
every_side = pytest.mark.parametrize("side", [0, 1], ids=["X", "Y"])


def repeated(*, m=8, r=5, s=4, p=6, q=3, seed=0):
    """Repeats of m related samples, with correlated noise of different sizes."""
    random = np.random.default_rng(seed)
    means = random.standard_normal((m, p))
    X = means[:, None] + random.standard_normal((m, r, p)) @ random.standard_normal((p, p)) / 3
    weights = random.standard_normal((p, q))
    noise = random.standard_normal((m, s, q)) * random.uniform(0.3, 1, q)
    return X, (means @ weights)[:, None] + noise


@of_repeats
@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("shrinkage", [None, 0, 0.3, 1])
def test_against_the_definition(rdm, compare, shrinkage):
    pair = repeated()
    value = vv.rsa(*pair, rdm=rdm, compare=compare, shrinkage=shrinkage)
    expected = oracles.rsa(*pair, rdm=rdm, compare=compare, shrinkage=shrinkage)
    assert close(value, expected, rel=1e-10)


@of_repeats
def test_more_features_than_degrees_of_freedom(rdm):
    pair = repeated(m=5, r=3, s=3, p=40, q=30)
    value = vv.rsa(*pair, rdm=rdm, compare="pearson")
    assert close(value, oracles.rsa(*pair, rdm=rdm, compare="pearson"), rel=1e-10)


@of_repeats
def test_one_feature(rdm):
    pair = [Z[..., :1] for Z in repeated()]
    value = vv.rsa(*pair, rdm=rdm, compare="pearson")
    assert close(value, oracles.rsa(*pair, rdm=rdm, compare="pearson"), rel=1e-10)


@pytest.mark.parametrize("shrinkage", [None, 0, 1])
def test_crossnobis_is_zero_on_average_where_samples_are_the_same(shrinkage):
    # Few degrees of freedom, correlated noise, and noise that differs between samples.
    random = np.random.default_rng(1)
    mix, sizes = random.standard_normal((4, 4)), random.uniform(0.5, 2, (5, 1, 1))
    found = np.array(
        [
            noise.crossnobis(7 + sizes * random.standard_normal((5, 4, 4)) @ mix, shrinkage)[0]
            for _ in range(1500)
        ]
    ).mean(axis=1)
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean()) < 3 * error
    # The same data without crossvalidation: far above zero.
    biased = noise.mahalanobis(7 + sizes * random.standard_normal((5, 4, 4)) @ mix, shrinkage)
    assert biased.mean() > 20 * error


def test_crossnobis_of_different_samples_is_unbiased_as_well():
    # With the noise known but for its scale of each feature, and much of it to learn from.
    random = np.random.default_rng(0)
    means = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    sizes = np.array([1.0, 2.0])
    found = [
        noise.crossnobis(means[:, None] + sizes * random.standard_normal((3, 200, 2)), 1)[0]
        for _ in range(200)
    ]
    expected = [1.0, 1.0, 2.0]  # in units of noise: 1/1, 2/2 and both
    unit = np.mean(found, axis=0)[0]
    np.testing.assert_allclose(np.mean(found, axis=0) / unit, expected, rtol=0.03)


def test_far_beyond_the_noise_crossvalidation_changes_nothing():
    X, _ = repeated(r=60)
    X = X + 1e4 * np.random.default_rng(1).standard_normal((8, 1, 6))
    crossed, _ = noise.crossnobis(X, None)
    plain = noise.mahalanobis(X, None)
    np.testing.assert_allclose(crossed / crossed.mean(), plain / plain.mean(), rtol=0.02)


def test_one_feature_by_hand():
    X = np.array([[0.0, 2.0, 1.0], [5.0, 3.0, 7.0]])[..., None]
    # Difference of the others' means × that of the test / their pooled variance, for each test.
    expected = (3.5 * 5 / 4.25 + 5.5 * 1 / 1.25 + 3 * 6 / 2) / 3
    assert crossnobis_oracle(X, None)[0] == pytest.approx(expected, rel=1e-14)
    assert float(noise.crossnobis(X, None)[0][0]) == pytest.approx(expected, rel=1e-14)
    assert float(noise.mahalanobis(X[:, :2], None)[0]) == pytest.approx(9 / 2, rel=1e-14)


@of_repeats
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales(rdm, by):
    X, Y = repeated()
    value = vv.rsa(by * X, Y, rdm=rdm, compare="pearson")
    assert close(value, vv.rsa(X, Y, rdm=rdm, compare="pearson"), rel=1e-11)


@of_repeats
def test_an_offset_in_single_precision(rdm):
    pair = [(Z + 1e4).astype(np.float32) for Z in repeated()]
    expected = oracles.rsa(*(Z.astype(np.float64) for Z in pair), rdm=rdm, compare="pearson")
    assert float(vv.rsa(*pair, rdm=rdm, compare="pearson")) == pytest.approx(expected, rel=1e-6)


@of_repeats
def test_units_of_the_features_do_not_matter(rdm):
    X, Y = repeated()
    value = vv.rsa(X * np.geomspace(1e-4, 1e4, 6) + 3, Y, rdm=rdm, compare="pearson")
    assert close(value, vv.rsa(X, Y, rdm=rdm, compare="pearson"), rel=1e-9)


@of_repeats
def test_without_shrinkage_linear_maps_do_not_matter(rdm):
    X, Y = repeated()
    random = np.random.default_rng(0)
    mixed = X @ (random_rotation(6, random) * np.geomspace(1, 30, 6)) @ random_rotation(6, random)
    for shrinkage, same in ((0, True), (None, False), (1, False)):
        values = [
            float(vv.rsa(Z, Y, rdm=rdm, compare="pearson", shrinkage=shrinkage)) for Z in (X, mixed)
        ]
        assert np.isclose(*values, rtol=1e-9) == same
        measure = vv.registry["rsa"].with_options(rdm=rdm, shrinkage=shrinkage)
        assert (LINEAR in measure.invariant_to) == same
        assert (LINEAR in measure.not_invariant_to) != same


@of_repeats
def test_order_of_features_and_of_repeats_does_not_matter(rdm):
    X, Y = repeated()
    value = vv.rsa(X[:, ::-1, ::-1], Y, rdm=rdm, compare="pearson")
    assert close(value, vv.rsa(X, Y, rdm=rdm, compare="pearson"), rel=1e-11)


@of_repeats
def test_with_itself(rdm):
    X, _ = repeated()
    for compare in ("pearson", "spearman", "whitened_cosine", "whitened_pearson"):
        assert close(vv.rsa(X, X, rdm=rdm, compare=compare), 1)


def test_a_cosine_of_crossnobis_distances_may_be_negative():
    random = np.random.default_rng(0)
    found = [
        float(vv.rsa(*random.standard_normal((2, 3, 3, 2)), rdm="crossnobis", compare="cosine"))
        for _ in range(50)
    ]
    assert min(found) < 0
    assert vv.registry["rsa"].with_options(rdm="crossnobis", compare="cosine").low == -1
    assert vv.registry["rsa"].with_options(rdm="mahalanobis", compare="cosine").low == 0


def test_facts_follow_the_options():
    measure = vv.registry["rsa"].with_options(rdm="crossnobis")
    assert measure.inputs == REPEATS
    assert measure.with_options(rdm="cosine").inputs == REPRESENTATIONS
    assert "crossvalidated" in measure.description()
    with pytest.raises(ValueError, match="one row for each sample, got rsa, which is of repeats"):
        vv.compare(np.eye(4), np.eye(4), measure="rsa(rdm=crossnobis)")


@of_repeats
def test_the_engine_computes_the_same(rdm):
    pair = repeated()
    measure = vv.registry["rsa"].with_options(rdm=rdm, shrinkage=0.2, compare="pearson")
    sides = [measure.prepare(measure.settings, side, None) for side in (0, 1)]
    met = sides[0].meet(*(side.run(Z) for side, Z in zip(sides, pair, strict=True)))
    assert float(measure.score(measure.settings, met)) == float(measure(*pair))
    # Exchanging the samples of one side leaves nothing of a correlation, on average.
    assert float(measure.chance(measure.settings, met)) == 0


@of_repeats
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(rdm, library):
    pair = [Z.astype("float32") for Z in repeated()]
    with library.enabled():
        given = [library.array(Z) for Z in pair]
        answer = vv.rsa(*given, rdm=rdm)
        assert same_home(answer, given[0])
        assert float(answer) == pytest.approx(float(vv.rsa(*pair, rdm=rdm)), rel=1e-5)


@of_repeats
@pytest.mark.parametrize("shrinkage", [None, 0.5])
def test_gradient(rdm, shrinkage):
    pair = [torch.tensor(Z, requires_grad=True) for Z in repeated(m=4, r=3, s=3, p=3, q=2)]
    ask = functools.partial(vv.rsa, rdm=rdm, compare="pearson", shrinkage=shrinkage)
    assert torch.autograd.gradcheck(ask, pair)


@of_repeats
def test_jit(rdm):
    pair = repeated()
    ask = functools.partial(vv.rsa, rdm=rdm, compare="whitened_pearson")
    with jax.enable_x64(True):
        answer = jax.jit(ask)(*(jnp.asarray(Z) for Z in pair))
    assert close(answer, ask(*pair), rel=1e-10)


REFUSED = {
    "no repeats": (
        {"rdm": "crossnobis"},
        lambda X: X[:, 0],
        r"must be 3-D \(samples, repeats, features\), got shape \(8, \d\)\. Stack the repeats",
    ),
    "two repeats": (
        {"rdm": "crossnobis"},
        lambda X: X[:, :2],
        r"must have at least 3 repeats of each sample, got 2 .* or use rdm='mahalanobis'",
    ),
    "one repeat": (
        {"rdm": "mahalanobis"},
        lambda X: X[:, :1],
        r"must have at least 2 repeats of each sample, got 1 .* or use another rdm",
    ),
    "repeats for another": (
        {},
        lambda X: X,
        r"must be 2-D \(samples, features\), got shape .*. Reshape it to .*; "
        r"if axis 1 holds repeats, use rdm='crossnobis' or 'mahalanobis', or give their mean",
    ),
    "two samples": (
        {"rdm": "mahalanobis"},
        lambda X: X[:2],
        r"at least 3 rows|the same samples",
    ),
}


@every_side
@pytest.mark.parametrize(("options", "change", "message"), REFUSED.values(), ids=REFUSED)
def test_shapes(options, change, message, side):
    pair = list(repeated())
    pair[side] = change(pair[side])
    if not options:
        pair[1 - side] = pair[1 - side].mean(axis=1)
    with pytest.raises(ValueError, match=f"^rsa: `.*{message}"):
        vv.rsa(*pair, **options)


def _with(value, at):
    def change(X):
        X = X.copy()
        X[at] = value
        return X

    return change


DEGENERATE = {
    "NaN": (
        _with(np.nan, (3, 1, 2)),
        "be finite, got nan at sample 3, repeat 1, feature 2 .1 such",
    ),
    "silent feature": (
        _with(1 / 3, (..., 1)),
        r"a feature without noise \(feature 1\): .* Drop it",
    ),
    "silence": (_with(1 / 3, ...), "vary over the samples, got .* identical rows"),
    "same in all repeats": (lambda X: X[:, :1] + 0 * X, r"without noise \(feature 0 and \d more\)"),
    "singular": (lambda X: np.concatenate([X, X], axis=2), "cannot be inverted: .*shrinkage=None"),
}


@every_side
@of_repeats
@pytest.mark.parametrize(("change", "message"), DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_input_is_named(rdm, change, message, side):
    pair = list(repeated())
    pair[side] = change(pair[side])
    with pytest.raises(vv.DegenerateInputError, match=f"^rsa: `{'XY'[side]}` .*{message}"):
        vv.rsa(*pair, rdm=rdm, shrinkage=0)


@pytest.mark.parametrize("shrinkage", [-0.1, 1.1, "no", True, float("nan")])
def test_shrinkage_is_a_share(shrinkage):
    with pytest.raises(ValueError, match=r"rsa: `shrinkage` must be None or a number in \[0, 1\]"):
        vv.rsa(*repeated(), rdm="crossnobis", shrinkage=shrinkage)


def test_shrinkage_without_noise_is_refused():
    with pytest.raises(ValueError, match="`shrinkage` must be None with rdm='cosine', which knows"):
        vv.registry["rsa"].with_options(rdm="cosine", shrinkage=0.5)
