"""Chance levels by enumeration against their closed forms."""

import math
from functools import partial

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import related
from tests.oracles import cca, cka, double_centred
from tests.oracles.cases import every_kernel, spectrum

few_rows = pytest.mark.parametrize("n", [5, 6])


@few_rows
@every_kernel
def test_chance_of_biased_cka(n, kernel):
    X, Y = related(n=n, p=3, q=2, seed=2)
    K, L = double_centred(kernel(X)).astype(float), double_centred(kernel(Y)).astype(float)
    norms = np.linalg.norm(K) * np.linalg.norm(L)
    mean = oracles.permutation_mean(partial(cka, kernel=kernel, estimator="biased"), X, Y)
    assert mean == pytest.approx(np.trace(K) * np.trace(L) / ((n - 1) * norms), rel=1e-12)


@few_rows
@every_kernel
def test_chance_of_debiased_cka(n, kernel):
    X, Y = related(n=n, p=3, q=2, seed=2)
    values = oracles.permutation_values(partial(cka, kernel=kernel), X, Y)
    assert len(values) == math.factorial(n)
    assert math.fsum(values) / len(values) == pytest.approx(0, abs=1e-13)
    assert math.fsum(values**2) / len(values) == pytest.approx(2 / (n * (n - 3)), rel=1e-11)


@few_rows
@pytest.mark.parametrize(("p", "q"), [(2, 1), (2, 3)])
def test_chance_of_r2_cca_and_regression(n, p, q):
    X, Y = related(n=n, p=p, q=q, seed=2)
    mean = oracles.permutation_mean(partial(cca, form="r2"), X, Y)
    assert mean == pytest.approx(max(p, q) / (n - 1), rel=1e-12)
    mean = oracles.permutation_mean(oracles.linear_regression, X, Y)
    assert mean == pytest.approx(p / (n - 1), rel=1e-12)


@few_rows
@pytest.mark.parametrize("kappa", [(0.0, 0.0), (2.0, 0.5), (math.inf, 0.0)])
@pytest.mark.parametrize("normalization", ["cca", "cka"])
def test_chance_of_canonical_ridge(n, kappa, normalization):
    X, Y = related(n=n, p=3, q=2, seed=2)
    weights = [
        lam if math.isinf(k) else lam / (lam + k)
        for k, (lam, _) in zip(kappa, (spectrum(X), spectrum(Y)), strict=True)
    ]
    w, v = weights
    norm = {"cca": w[:2] @ v, "cka": np.linalg.norm(w) * np.linalg.norm(v)}[normalization]
    measure = partial(oracles.canonical_ridge, kappa=kappa, normalization=normalization)
    mean = oracles.permutation_mean(measure, X, Y)
    assert mean == pytest.approx(w.sum() * v.sum() / ((n - 1) * norm), rel=1e-11)
