"""One kernel for each side: the first is of X, the second of Y."""

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import related
from tests.measures.records import given, meeting, oracle, prepared, value

import visavis as vv
from visavis.kernels import laplacian, linear, polynomial, precomputed, rbf
from visavis.measures.measure import ORTHOGONAL, PERMUTATION, SCALING, TRANSLATION

PAIRS = [
    (linear(), rbf(0.4)),
    (rbf(0.4), linear()),
    ("linear", "cosine"),
    (rbf(0.2), rbf(0.8)),
    (polynomial(2), laplacian(0.5)),
    (precomputed(), rbf(0.5)),
]
every_pair = pytest.mark.parametrize("kernel", PAIRS, ids=lambda pair: " × ".join(map(str, pair)))
both_measures = pytest.mark.parametrize("name", ["cka", "hsic"])


@both_measures
@every_pair
@pytest.mark.parametrize("estimator", ["biased", "debiased"])
def test_each_side_has_its_kernel(name, kernel, estimator):
    measure = vv.registry[name].with_options(kernel=kernel, estimator=estimator)
    X, Y = given(measure, *related())
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-12)


@both_measures
@every_pair
def test_the_engine_gives_each_side_its_kernel(name, kernel):
    measure = vv.registry[name].with_options(kernel=kernel)
    X, Y = given(measure, *related())
    x, y = prepared(measure, X, Y)
    assert x.key != y.key
    answer = measure.score(measure.settings, meeting(measure, X, Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), rel=1e-12)


@both_measures
@every_pair
def test_exchanging_the_sides_exchanges_the_kernels(name, kernel):
    X, Y = related()
    forwards = vv.registry[name].with_options(kernel=kernel)
    backwards = vv.registry[name].with_options(kernel=kernel[::-1])
    assert value(backwards, Y, X) == pytest.approx(value(forwards, X, Y), rel=1e-12)


@both_measures
@every_pair
def test_two_kernels_are_directed(name, kernel):
    assert not vv.registry[name].with_options(kernel=kernel).symmetric


@both_measures
@pytest.mark.parametrize("kernel", [("rbf", "rbf"), (rbf(0.4), rbf(0.4)), ("linear", linear())])
def test_a_pair_of_one_kernel_is_that_kernel(name, kernel):
    X, Y = related()
    pair = vv.registry[name].with_options(kernel=kernel)
    alone = vv.registry[name].with_options(kernel=kernel[0])
    assert pair.symmetric
    assert pair.invariant_to == alone.invariant_to
    assert value(pair, X, Y) == value(alone, X, Y)


def test_a_pair_forgets_what_both_kernels_forget():
    measure = vv.registry["cka"].with_options(kernel=(rbf(), laplacian()))
    assert measure.invariant_to == {TRANSLATION, SCALING, PERMUTATION}
    assert ORTHOGONAL in measure.not_invariant_to


def test_bandwidths_are_taken_from_each_side_alone():
    X, Y = related()
    grams = (oracles.rbf(0.5)(1e3 * X), oracles.rbf(0.5)(1e-3 * Y))
    expected = oracles.cka(*grams, kernel=oracles.precomputed)
    assert float(vv.cka(1e3 * X, 1e-3 * Y, kernel="rbf")) == pytest.approx(expected, rel=1e-12)


def test_a_description_names_both():
    measure = vv.registry["cka"].with_options(kernel=(linear(), rbf(0.4)))
    assert "linear × rbf(0.4)" in measure.description()


@pytest.mark.parametrize("kernel", [("linear",), ("linear", "rbf", "cosine"), ()])
@both_measures
def test_other_numbers_of_kernels_are_refused(name, kernel):
    message = f"{name}: `kernel` must be one kernel or a pair, got {len(kernel)} of them"
    with pytest.raises(ValueError, match=message):
        vv.registry[name].function(*related(), kernel=kernel)


def test_a_gram_matrix_on_one_side_takes_features_on_the_other():
    X, Y = related()
    K = np.exp(-np.abs(X[:, :1] - X[:, :1].T))
    expected = oracles.cka(K, oracles.rbf(0.5)(Y), kernel=oracles.precomputed)
    value = vv.cka(K, Y, kernel=("precomputed", rbf(0.5)))
    assert float(value) == pytest.approx(expected, rel=1e-12)
