"""What the tests of the oracles run over, and the spectrum that several of them need."""

import math
from functools import partial

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import MAKERS
from tests.oracles import cca, centred, cka, procrustes

KERNELS = {
    "linear": oracles.linear,
    "cosine": oracles.cosine,
    "polynomial": oracles.polynomial(degree=2, gamma=0.5, coef0=1.0),
    "laplacian": oracles.laplacian(0.8),
    "rbf": oracles.rbf(0.5),
    "rbf-all": oracles.rbf(0.5, median="all"),
}
SIMILARITIES = {
    "cka-biased": partial(cka, estimator="biased"),
    "cka-debiased": cka,
    "cka-rbf": partial(cka, kernel=oracles.rbf(0.5)),
    "cca-rho": cca,
    "cca-r2": partial(cca, form="r2"),
    "svcca": partial(oracles.svcca, variance=0.9),
    "pwcca": oracles.pwcca,
    "linear_regression": oracles.linear_regression,
    "procrustes": partial(procrustes, form="similarity"),
    "ridge-none": partial(oracles.canonical_ridge, kappa=(0.0, 0.0)),
    "ridge-limit": partial(oracles.canonical_ridge, kappa=(math.inf, math.inf)),
}
every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
every_maker = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
both_estimators = pytest.mark.parametrize("estimator", ["biased", "debiased"])


def spectrum(X):
    """Eigenvalues λ and eigenvectors u of the centred linear Gram matrix, by way of the SVD."""
    U, sigma, _ = np.linalg.svd(centred(X).astype(float), full_matrices=False)
    return sigma**2, U
