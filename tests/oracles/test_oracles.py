"""Every oracle against published values, and what holds for each: range, symmetry, invariance."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import MAKERS, random_rotation, reference_pair, wide
from tests.oracles import cca, cka, hsic, procrustes
from tests.oracles.cases import KERNELS, SIMILARITIES, every_maker

PUBLISHED = {
    "cka-biased": (partial(cka, estimator="biased"), 0.5576132566),
    "cka-debiased": (cka, 0.5134564895),
    "cka-rbf-pairs": (partial(cka, kernel=oracles.rbf(0.5), estimator="biased"), 0.6540059290),
    "cka-rbf-all": (partial(cka, kernel=KERNELS["rbf-all"], estimator="biased"), 0.6548311823),
    "cca-r2": (partial(cca, form="r2"), 0.5453963322),
    "cca-rho": (cca, 0.7310139588),
    "regression": (oracles.linear_regression, 0.5677425706),
    "regression-swapped": (lambda X, Y: oracles.linear_regression(Y, X), 0.5634752417),
    "pwcca": (oracles.pwcca, 0.7346677196),
    "pwcca-swapped": (lambda X, Y: oracles.pwcca(Y, X), 0.7368405676),
    "svcca-0.9-rho": (partial(oracles.svcca, variance=0.9), 0.7057648081),
    "svcca-0.9-r2": (partial(oracles.svcca, variance=0.9, form="r2"), 0.5238743766),
    "svcca-0.8-rho": (partial(oracles.svcca, variance=0.8), 0.6607794932),
    "svcca-0.8-r2": (partial(oracles.svcca, variance=0.8, form="r2"), 0.4685239254),
    "hsic-biased": (partial(hsic, estimator="biased"), 11.8783572692),
    "procrustes-cosine": (partial(procrustes, form="similarity"), 0.7362553106),
    "procrustes-angle": (procrustes, 0.7432764761),
}


@pytest.mark.parametrize(("measure", "value"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_value(measure, value):
    assert measure(*reference_pair()) == pytest.approx(value, rel=0, abs=1e-9)


@pytest.mark.parametrize(("variance", "kept"), [(0.9, 9), (0.8, 7), (1.0, 10)])
@pytest.mark.parametrize("side", [0, 1])
def test_svcca_keeps_the_published_number_of_components(variance, kept, side):
    Z = reference_pair()[side]
    assert oracles.kept_components(Z, variance=variance).shape == (100, kept)


SOURCES = [p for p in Path(__file__).parent.glob("*.py") if not p.name.startswith("test_")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_oracles_are_independent(path):
    assert "visavis" not in path.read_text(encoding="utf-8")


@every_maker
@pytest.mark.parametrize("measure", SIMILARITIES.values(), ids=SIMILARITIES)
def test_range(measure, maker):
    value = measure(*maker())
    assert -1 - 1e-12 <= value <= 1 + 1e-12
    assert value >= -1e-12 or measure in (cka, SIMILARITIES["cka-rbf"])


@pytest.mark.parametrize("measure", SIMILARITIES.values(), ids=SIMILARITIES)
@pytest.mark.parametrize("name", ["rotated", "orthonormal", "heavy_tailed", "scaled"])
def test_self_similarity(measure, name):
    X, _ = MAKERS[name]()
    assert measure(X, X) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_symmetry(pair, name):
    X, Y = pair
    measure = SIMILARITIES[name]
    symmetric = measure(Y, X) == pytest.approx(measure(X, Y), rel=1e-11)
    assert symmetric == (name not in ("pwcca", "linear_regression"))


def change(which, X, Y, seed=5):
    random = np.random.default_rng(seed)
    match which:
        case "shift":
            return X + random.standard_normal(X.shape[1]), Y - 7
        case "scale":
            return 3 * X, Y / 5
        case "rotate X":
            return X @ random_rotation(X.shape[1], random), Y
        case "rotate Y":
            return X, Y @ random_rotation(Y.shape[1], random)
        case "mix X":
            return X @ random.standard_normal((X.shape[1], X.shape[1])), Y
        case "mix Y":
            return X, Y @ random.standard_normal((Y.shape[1], Y.shape[1]))


CHANGES = ("shift", "scale", "rotate X", "rotate Y", "mix X", "mix Y")
MOVED_BY = {
    "cca-rho": set(),
    "cca-r2": set(),
    "ridge-none": set(),
    "pwcca": {"rotate X", "mix X"},
    "linear_regression": {"mix Y"},
}


@pytest.mark.parametrize("which", CHANGES)
@pytest.mark.parametrize("name", SIMILARITIES)
def test_invariance(pair, name, which):
    measure = SIMILARITIES[name]
    moved = abs(measure(*change(which, *pair)) - measure(*pair))
    if which in MOVED_BY.get(name, {"mix X", "mix Y"}):
        assert moved > 1e-3
    else:
        assert moved < 1e-11


@pytest.mark.parametrize(
    "measure", [cca, oracles.pwcca, oracles.linear_regression, SIMILARITIES["ridge-none"]]
)
def test_theorem_one_measures_say_one_whatever_the_data(measure):
    X, Y = wide(n=12, p=11, q=40)
    assert measure(X, Y) == pytest.approx(1, rel=1e-10)
    assert measure(Y, X) == pytest.approx(1, rel=1e-10)


@every_maker
def test_a_seed_decides_the_data(maker):
    first, again, other = maker(seed=4), maker(seed=4), maker(seed=5)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])
