"""The stochastic shape distance: the least over maps, its limits, what it forgets, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from scipy.stats import energy_distance
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import FLOAT64_SCALES, random_rotation
from tests.oracles.stochastic import stochastic_shape_at, stochastic_shape_in_the_plane

import visavis as vv
from visavis.measures.measure import REPEATS

FORMS = {
    "wasserstein": {"form": "gaussian"},
    "covariances": {"form": "gaussian", "alpha": 0.0},
    "mostly means": {"form": "gaussian", "alpha": 1.7},
    "means": {"form": "gaussian", "alpha": 2.0},
    "energy": {"form": "energy"},
    "energy 1.5": {"form": "energy", "exponent": 1.5},
    "energy 2": {"form": "energy", "exponent": 2.0},
}
every_form = pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
searched = pytest.mark.parametrize(
    "options", [FORMS[name] for name in ("wasserstein", "covariances", "energy")]
)
every_side = pytest.mark.parametrize("side", [0, 1], ids=["X", "Y"])


def noisy(*, m=8, r=9, p=4, seed=0):
    """Repeats whose noise has another covariance for each sample."""
    random = np.random.default_rng(seed)
    mixes = random.standard_normal((m, p, p)) / np.sqrt(p)
    return random.standard_normal((m, 1, p)) + random.standard_normal((m, r, p)) @ mixes


def pair(*, m=8, r=9, s=7, p=4, q=4, seed=0):
    X = noisy(m=m, r=r, p=p, seed=seed)
    other = noisy(m=m, r=s, p=q, seed=seed + 1)
    shared = min(p, q)
    other[..., :shared] += X.mean(axis=1, keepdims=True)[..., :shared]
    return X, other


@every_form
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_features_have_no_better_turn(options, seed):
    X, Y = pair(m=5, p=2, q=2, seed=seed)
    expected = stochastic_shape_in_the_plane(X, Y, **options)
    assert float(vv.stochastic_shape(X, Y, **options)) == pytest.approx(expected, rel=1e-9)


@every_form
def test_no_map_of_many_is_better(options):
    X, Y = pair(r=6, s=6)
    random = np.random.default_rng(0)
    found = float(vv.stochastic_shape(X, Y, **options))
    tried = [random_rotation(4, random) for _ in range(100)]
    assert found < min(stochastic_shape_at(X, Y, Q, **options) for Q in [*tried, np.eye(4)])


@every_form
@pytest.mark.parametrize(
    "shape",
    [{}, {"m": 4, "r": 6, "p": 12}, {"m": 3, "r": 3, "p": 30}, {"m": 20, "r": 4, "p": 3}],
    ids=["plain", "more features than samples", "more than rows", "more samples"],
)
def test_a_turned_copy_is_no_distance_away(options, shape):
    X = noisy(**shape)
    p, random = X.shape[2], np.random.default_rng(1)
    Y = (X @ random_rotation(p, random) + random.standard_normal(p))[:, ::-1]
    value = float(vv.stochastic_shape(X, Y, **options))
    assert value < (
        1e-12 if options["form"] == "gaussian" or options.get("exponent") == 2 else 1e-6
    )


@searched
def test_a_turned_copy_with_more_features_is_no_distance_away(options):
    X = noisy()
    Y = np.concatenate([X, 0 * X], axis=2) @ random_rotation(8, np.random.default_rng(1))
    assert float(vv.stochastic_shape(X, Y, **options)) < 1e-6
    assert float(vv.stochastic_shape(Y, X, **options)) < 1e-6


def test_means_alone_are_procrustes():
    X, Y = pair(q=6)
    expected = float(vv.procrustes(X.mean(axis=1), Y.mean(axis=1), form="squared")) / len(X)
    by_alpha = float(vv.stochastic_shape(X, Y, alpha=2.0))
    by_exponent = float(vv.stochastic_shape(X, Y, form="energy", exponent=2.0))
    assert by_alpha**2 == pytest.approx(2 * expected, rel=1e-12)
    assert by_exponent**2 == pytest.approx(expected, rel=1e-12)


def test_the_energy_of_squares_is_that_of_the_means():
    X, Y = pair(m=5, p=2, q=2)
    expected = stochastic_shape_at(X, Y, np.eye(2), form="energy", exponent=2.0)
    means = [Z.mean(axis=1) - Z.mean(axis=(0, 1)) for Z in (X, Y)]
    assert expected**2 == pytest.approx(((means[0] - means[1]) ** 2).sum() / 5, rel=1e-12)


def test_one_feature_has_two_maps():
    X, Y = pair(p=1, q=1)
    X, Y = (Z - Z.mean() for Z in (X, Y))
    squared = [
        np.mean(
            [energy_distance(x[:, 0], sign * y[:, 0]) ** 2 / 2 for x, y in zip(X, Y, strict=True)]
        )
        for sign in (1, -1)
    ]
    value = float(vv.stochastic_shape(X, Y, form="energy"))
    assert value**2 == pytest.approx(min(squared), rel=1e-10)


def test_covariances_that_commute_by_hand():
    # Standard deviations 1, 2 and 2, 1 in the same axes at every sample, and equal means: the
    # axes are exchanged. With 1, 2 against 3, 5 they are not.
    unit = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]) * np.sqrt(3 / 2)
    means = np.arange(3)[:, None, None] * np.ones(2)
    X, Y, Z = (means + unit * sizes for sizes in ([1, 2], [2, 1], [3, 5]))
    assert float(vv.stochastic_shape(X, Y, alpha=0.0)) < 1e-12
    assert float(vv.stochastic_shape(X, Z, alpha=0.0)) == pytest.approx(np.sqrt(2 * 13), rel=1e-12)
    assert float(vv.stochastic_shape(X, Z)) == pytest.approx(np.sqrt(13), rel=1e-12)


def test_noise_of_another_size_is_seen_and_of_another_shape_by_the_energy_alone():
    random = np.random.default_rng(0)
    means = random.standard_normal((6, 1, 2))
    X = means + np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    # The same covariance from two far points on one axis and many near on the other.
    Y = means + np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]) / np.sqrt(2)
    Z = means + np.array([[2.0, 0], [-2, 0], [0, 2], [0, -2]])
    T = means + np.array([[1.0, 0], [0, 1], [-1 / 2, -1 / 2], [-1 / 2, -1 / 2]]) * np.sqrt(4 / 3)
    assert float(vv.stochastic_shape(X, Y, alpha=0.0)) < 1e-7
    assert float(vv.stochastic_shape(X, Z)) > 0.5
    assert float(vv.stochastic_shape(X, T, form="energy")) > 0.05


@searched
@pytest.mark.parametrize("q", [4, 6])
def test_exchanging_the_sides(options, q):
    X, Y = pair(q=q)
    assert float(vv.stochastic_shape(X, Y, **options)) == pytest.approx(
        float(vv.stochastic_shape(Y, X, **options)), rel=1e-8
    )


@searched
def test_what_it_forgets(options):
    X, Y = pair()
    random = np.random.default_rng(0)
    value = float(vv.stochastic_shape(X, Y, **options))
    for change in (
        lambda Z: Z + 5 * random.standard_normal(4),
        lambda Z: Z @ random_rotation(4, random),
        lambda Z: Z[..., ::-1],
        lambda Z: Z[:, ::-1],
    ):
        changed = float(vv.stochastic_shape(change(X), change(Y), **options))
        assert changed == pytest.approx(value, rel=1e-7)


@searched
def test_what_it_does_not_forget(options):
    X, Y = pair()
    value = float(vv.stochastic_shape(X, Y, **options))
    power = 0.5 if options["form"] == "energy" else 1
    scaled = float(vv.stochastic_shape(3 * X, 3 * Y, **options))
    assert scaled == pytest.approx(3**power * value, rel=1e-7)
    mixed = [Z * [1, 2, 3, 4] for Z in (X, Y)]
    assert abs(float(vv.stochastic_shape(*mixed, **options)) / value - 1) > 0.1


@searched
def test_more_starts_never_do_worse(options):
    X, Y = noisy(m=3, p=10, seed=1), noisy(m=3, p=10, seed=2)
    values = [float(vv.stochastic_shape(X, Y, restarts=k, **options)) for k in (1, 5, 20)]
    assert values[1] <= values[0] * (1 + 1e-9)
    assert values[2] <= values[1] * (1 + 1e-9)


@searched
def test_the_same_seed_gives_the_same_number(options):
    X, Y = pair()
    first, second = (float(vv.stochastic_shape(X, Y, seed=3, **options)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("options", [FORMS["means"], FORMS["energy 2"]], ids=["means", "energy 2"])
def test_means_alone_are_a_metric(options):
    X, Y, Z = (noisy(seed=seed) for seed in range(3))
    sides = [float(vv.stochastic_shape(*each, **options)) for each in ((X, Y), (Y, Z), (X, Z))]
    assert 2 * max(sides) <= sum(sides)
    assert vv.registry["stochastic_shape"].with_options(**options).metric
    assert not vv.registry["stochastic_shape"].metric


@searched
@pytest.mark.parametrize("seed", range(5))
def test_triangles(options, seed):
    # The number is an upper bound; for so few features it is the minimum.
    X, Y, Z = (noisy(p=2, seed=10 * seed + k) for k in range(3))
    sides = [float(vv.stochastic_shape(*each, **options)) for each in ((X, Y), (Y, Z), (X, Z))]
    assert 2 * max(sides) <= sum(sides) * (1 + 1e-7)


@every_form
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales(options, by):
    X, Y = pair()
    power = options.get("exponent", 1) / 2 if options["form"] == "energy" else 1
    expected = by**power * float(vv.stochastic_shape(X, Y, **options))
    value = float(vv.stochastic_shape(by * X, by * Y, **options))
    assert value == pytest.approx(expected, rel=1e-7)


@searched
def test_an_offset_in_single_precision(options):
    X, Y = ((Z + 1e4).astype(np.float32) for Z in pair())
    expected = vv.stochastic_shape(X.astype(np.float64), Y.astype(np.float64), **options)
    assert float(vv.stochastic_shape(X, Y, **options)) == pytest.approx(float(expected), rel=1e-6)


@searched
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(options, library):
    sides = [Z.astype("float32") for Z in pair(m=5, q=3)]
    with library.enabled():
        given = [library.array(Z) for Z in sides]
        answer = vv.stochastic_shape(*given, **options)
        assert same_home(answer, given[0])
        assert answer.shape == ()
        assert float(answer) == pytest.approx(
            float(vv.stochastic_shape(*sides, **options)), rel=1e-5
        )


@every_form
def test_gradient(options):
    sides = [torch.tensor(Z, requires_grad=True) for Z in pair(m=3, r=3, s=4, p=2, q=2)]

    def ask(X, Y):
        return vv.stochastic_shape(X, Y, **options)

    # The map moves with the input, but the value does not move with the map.
    assert torch.autograd.gradcheck(ask, sides, atol=1e-5)


def test_values_must_be_readable():
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in pair())
    with pytest.raises(TypeError, match=r"stochastic_shape: `X` must hold values .* step by step"):
        jax.jit(vv.stochastic_shape)(X, Y)


def test_the_record():
    measure = vv.registry["stochastic_shape"]
    assert measure.inputs == REPEATS
    sides = pair()
    prepared = [measure.prepare(measure.settings, side, None) for side in (0, 1)]
    met = prepared[0].meet(*(each.run(Z) for each, Z in zip(prepared, sides, strict=True)))
    assert float(measure.score(measure.settings, met)) == float(measure(*sides))
    lines = {measure.with_options(**options).description() for options in FORMS.values()}
    assert len(lines) == len(FORMS)
    assert all("upper bound" in line for line in lines)


REFUSED = {
    "form": ({"form": "student"}, "`form` must be one of 'gaussian', 'energy', got 'student'"),
    "alpha": ({"alpha": 2.1}, r"`alpha` must be in \[0, 2\], got 2.1"),
    "NaN": ({"alpha": float("nan")}, r"`alpha` must be in \[0, 2\], got nan"),
    "exponent": ({"form": "energy", "exponent": 0}, r"`exponent` must be in \(0, 2\], got 0"),
    "word": ({"form": "energy", "exponent": "1"}, r"`exponent` must be in .* got '1'"),
    "of the other": ({"form": "energy", "alpha": 0.5}, "`alpha` must be left .* form='gaussian'"),
    "exponent of the other": ({"exponent": 0.5}, "`exponent` must be left .* form='energy'"),
    "restarts": ({"restarts": 0}, "`restarts` must be a whole number, 1 or more, got 0"),
    "seed": ({"seed": -1}, "`seed` must be a whole number, 0 or more, got -1"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_options(options, message):
    with pytest.raises(ValueError, match=f"^stochastic_shape: {message}"):
        vv.stochastic_shape(*pair(), **options)
    with pytest.raises(ValueError, match=message):
        vv.registry["stochastic_shape"].with_options(**options)


@every_side
def test_without_repeats(side):
    sides = list(pair())
    sides[side] = sides[side][:, 0]
    with pytest.raises(ValueError, match=f"`{'XY'[side]}` must be 3-D .* use form='energy', alpha"):
        vv.stochastic_shape(*sides)


@every_side
def test_one_repeat_has_no_covariance(side):
    sides = list(pair())
    sides[side] = sides[side][:, :1]
    message = f"`{'XY'[side]}` must have at least 2 repeats of each sample, got 1"
    with pytest.raises(ValueError, match=message):
        vv.stochastic_shape(*sides)
    for options in (FORMS["means"], FORMS["energy"], FORMS["energy 2"]):
        assert float(vv.stochastic_shape(*sides, **options)) > 0


def test_samples_must_correspond():
    X, Y = pair()
    with pytest.raises(ValueError, match="describe the same samples, got 8 and 7 rows"):
        vv.stochastic_shape(X, Y[:7])


@every_side
@every_form
def test_a_constant_side_is_named(options, side):
    sides = list(pair())
    sides[side] = np.full_like(sides[side], 1 / 3)
    message = f"^stochastic_shape: `{'XY'[side]}` must vary over the samples"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.stochastic_shape(*sides, **options)


@every_side
@pytest.mark.parametrize("options", [FORMS["means"], FORMS["energy 2"]], ids=["means", "energy 2"])
def test_equal_means_are_named(options, side):
    sides = list(pair())
    sides[side] -= sides[side].mean(axis=1, keepdims=True) - 1 / 3
    message = f"^stochastic_shape: `{'XY'[side]}` has sample means that are all the same"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.stochastic_shape(*sides, **options)
    assert float(vv.stochastic_shape(*sides)) > 0


@every_side
def test_silence_is_named(side):
    sides = list(pair())
    sides[side] = sides[side][:, :1] + np.zeros((1, 5, 1))
    with pytest.raises(vv.DegenerateInputError, match=f"`{'XY'[side]}` has no noise: .*alpha=0"):
        vv.stochastic_shape(*sides, alpha=0.0)
    assert float(vv.stochastic_shape(*sides)) > 0


def test_a_nan_is_found():
    X, Y = pair()
    Y[2, 4, 1] = np.nan
    message = "`Y` must be finite, got nan at sample 2, repeat 4, feature 1 .1 such value"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.stochastic_shape(X, Y)
