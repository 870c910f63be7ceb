"""RSA: identities, ties, what has no answer, and gradients where there are any."""

import functools

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests import oracles
from tests.data_makers import related
from tests.measures.algebra import close

import visavis as vv
from visavis.linalg.pairs import squared_pairs

SMOOTH = ["pearson", "cosine", "whitened_cosine", "whitened_pearson"]
RANKED = ["spearman", "kendall_tau_a", "kendall_tau_b", "rho_a"]
RDMS = ["euclidean", "sqeuclidean", "correlation", "cosine"]
every_side = pytest.mark.parametrize("side", [0, 1], ids=["X", "Y"])


@pytest.mark.parametrize("rdm", RDMS)
@pytest.mark.parametrize("compare", SMOOTH + RANKED)
def test_every_combination_is_the_oracle(pair, rdm, compare):
    pair = [Z + 0.1 for Z in pair]  # no row of zeros, which has no angle
    expected = oracles.rsa(*pair, rdm=rdm, compare=compare)
    assert close(vv.rsa(*pair, rdm=rdm, compare=compare), expected, rel=1e-11)


def test_the_whitened_cosine_of_squared_distances_is_linear_cka(pair):
    value = vv.rsa(*pair, rdm="sqeuclidean", compare="whitened_cosine")
    assert close(value, vv.cka(*pair, estimator="biased"))


def test_the_whitened_cosine_of_angles_is_cka_with_the_cosine_kernel(pair):
    X, Y = (Z + 0.1 for Z in pair)
    value = vv.rsa(X, Y, rdm="cosine", compare="whitened_cosine")
    assert close(value, vv.cka(X, Y, kernel="cosine", estimator="biased"))


@pytest.mark.parametrize("compare", RANKED)
def test_ranks_do_not_see_a_root(pair, compare):
    of_distances, of_squares = (
        float(vv.rsa(*pair, rdm=rdm, compare=compare)) for rdm in ("euclidean", "sqeuclidean")
    )
    assert of_distances == of_squares


@pytest.mark.parametrize("compare", RANKED)
@pytest.mark.parametrize("turn", [False, True])
def test_rounding_breaks_no_ties(compare, turn):
    # Corners of a cube: three distances, many pairs of each, which a rotation does not change.
    X = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    _, Y = related(n=8)
    expected = oracles.rsa(X, Y, compare=compare)
    turned = X @ np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0] if turn else X
    assert close(vv.rsa(turned + 1 / 3, Y, compare=compare), expected)


def test_tau_a_and_rho_a_hold_ties_against_an_rdm():
    X = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    for compare in ("spearman", "kendall_tau_b"):
        assert close(vv.rsa(X, X, compare=compare), 1)
    for compare in ("rho_a", "kendall_tau_a"):
        assert float(vv.rsa(X, X, compare=compare)) < 0.9


def test_a_distance_far_below_the_norms_keeps_its_digits():
    # Two clusters far apart; within them the Gram matrix holds half of the digits.
    X, _ = related(n=10, p=4)
    X[5:] += 1e6
    D = ((X[:, None] - X) ** 2).sum(axis=-1)[np.triu_indices(10, 1)]
    found = squared_pairs(X)
    np.testing.assert_allclose(found / found[0], D / D[0], rtol=1e-13)


@pytest.mark.parametrize("put", [array_api_strict.asarray, torch.tensor], ids=["strict", "torch"])
def test_close_pairs_are_taken_again_in_every_library(put):
    X, _ = related(n=10, p=4)
    X[5:] += 1e6
    X[3] = X[4]
    found = np.from_dlpack(squared_pairs(put(X)))
    np.testing.assert_allclose(found, squared_pairs(X), rtol=1e-12)
    assert (found == 0).sum() == 1


NO_ANSWER = {
    "constant row": ("correlation", "pearson", r"row that is constant \(row 3\), .* correlation"),
    "constant row, ranked": ("correlation", "spearman", r"row that is constant \(row 3\)"),
    "zero row": ("cosine", "spearman", r"row that is all-zero \(row 3\), which has no angle"),
}


@every_side
@pytest.mark.parametrize(("rdm", "compare", "message"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_a_row_without_an_answer_is_named(rdm, compare, message, side):
    pair = list(related(n=10, p=4, q=4))
    pair[side][3] = 0.1 if rdm == "correlation" else 0
    with pytest.raises(vv.DegenerateInputError, match=f"^rsa: `{'XY'[side]}` has a {message}"):
        vv.rsa(*pair, rdm=rdm, compare=compare)


def test_several_rows_without_an_answer_are_counted():
    X, Y = related(n=10, p=4, q=4)
    X[[2, 5, 7]] = 3.0
    with pytest.raises(vv.DegenerateInputError, match=r"constant \(row 2 and 2 more\)"):
        vv.rsa(X, Y, rdm="correlation")


@every_side
@pytest.mark.parametrize("rdm", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("compare", ["pearson", *RANKED])
def test_one_hot_rows_are_all_equally_far(rdm, compare, side):
    pair = list(related(n=10, p=4, q=4))
    pair[side] = np.eye(10)
    message = f"^rsa: `{'XY'[side]}` has a constant RDM: .* equally far .* one-hot .*'cosine'"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsa(*pair, rdm=rdm, compare=compare)


@pytest.mark.parametrize("compare", ["cosine", "whitened_cosine"])
def test_the_cosines_of_one_hot_rows_have_a_value(compare):
    Y, _ = related(n=10, p=4)
    value = vv.rsa(np.eye(10), Y, compare=compare)
    assert close(value, oracles.rsa(np.eye(10), Y, compare=compare))


@pytest.mark.parametrize("compare", SMOOTH + RANKED)
def test_rows_in_one_direction_are_nowhere_apart(compare):
    # 1/3 and its like: the unit vectors differ in the last place.
    X, Y = related(n=10, p=4)
    X = np.arange(1, 11)[:, None] * X[:1] / 3
    message = "^rsa: `X` has an RDM of zeros: .* use rdm='euclidean'"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsa(X, Y, rdm="cosine", compare=compare)


@every_side
@pytest.mark.parametrize("width", [1, 2])
def test_two_features_have_no_correlation_to_speak_of(width, side):
    pair = list(related(n=10, p=4, q=4))
    pair[side] = pair[side][:, :width]
    message = f"^rsa: `{'XY'[side]}` must have at least 3 features .*, got {width}: .*±1"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsa(*pair, rdm="correlation")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rdm": "minkowski"}, "rsa: `rdm` must be one of 'euclidean', .*, got 'minkowski'"),
        ({"compare": "kendall"}, "rsa: `compare` must be one of 'pearson', .*, got 'kendall'"),
    ],
)
def test_options(options, message):
    with pytest.raises(ValueError, match=message):
        vv.rsa(*related(), **options)
    with pytest.raises(ValueError, match=message):
        vv.registry["rsa"].with_options(**options)


@pytest.mark.parametrize("compare", RANKED)
def test_ranks_have_no_gradient_and_say_so(compare):
    X, Y = (torch.tensor(Z, requires_grad=True) for Z in related(n=8))
    message = f"rsa: `compare` must be 'pearson', .*, got '{compare}'. Ranks have no gradient"
    with pytest.raises(TypeError, match=message):
        vv.rsa(X, Y, compare=compare)
    assert float(vv.rsa(X.detach(), Y.detach(), compare=compare)) < 1


def test_ranks_cannot_be_taken_inside_jit():
    X, Y = (jnp.asarray(Z, jnp.float32) for Z in related(n=8))
    with pytest.raises(TypeError, match=r"rsa: `compare` must be 'pearson', .* \(jax.jit\)"):
        jax.jit(vv.rsa)(X, Y)


smooth = pytest.mark.parametrize(("rdm", "compare"), [(r, c) for r in RDMS for c in SMOOTH])


@smooth
def test_gradient(rdm, compare):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=7, p=4, q=3)]
    assert torch.autograd.gradcheck(functools.partial(vv.rsa, rdm=rdm, compare=compare), pair)


@smooth
def test_jit(rdm, compare):
    X, Y = related(n=8)
    measure = functools.partial(vv.rsa, rdm=rdm, compare=compare)
    with jax.enable_x64(True):
        answer = jax.jit(measure)(jnp.asarray(X), jnp.asarray(Y))
    assert close(answer, measure(X, Y), rel=1e-11)


def test_a_layer_that_is_equally_far_everywhere_is_a_finding_of_a_table():
    X, Y = related(n=10)
    table = vv.compare({"x": X, "y": Y, "one-hot": np.eye(10)}, measure="rsa")
    assert np.isnan(table.values[2]).all()
    assert np.isfinite(table.values[:2, :2]).all()
    assert "constant RDM" in " ".join(str(each) for each in table.findings)
