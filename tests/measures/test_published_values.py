"""The published values of the reference pair, through the functions that users call."""

from functools import partial

import pytest
from tests.data_makers import reference_pair

import visavis as vv
from visavis.kernels import rbf

FORWARD = {
    "cka-biased": (partial(vv.cka, estimator="biased"), 0.5576132566),
    "cka-debiased": (vv.cka, 0.5134564895),
    "cka-rbf-pairs": (partial(vv.cka, kernel=rbf(0.5), estimator="biased"), 0.6540059290),
    "cka-rbf-all": (
        partial(vv.cka, kernel=rbf(0.5, median="all"), estimator="biased"),
        0.6548311823,
    ),
    "cca-r2": (partial(vv.cca, form="r2"), 0.5453963322),
    "cca-rho": (vv.cca, 0.7310139588),
    "linear_regression": (vv.linear_regression, 0.5677425706),
    "pwcca": (vv.pwcca, 0.7346677196),
    "svcca-0.9-rho": (partial(vv.svcca, variance=0.9), 0.7057648081),
    "svcca-0.9-r2": (partial(vv.svcca, variance=0.9, form="r2"), 0.5238743766),
    "svcca-9-axes": (partial(vv.svcca, components=9), 0.7057648081),
    "svcca-0.8-rho": (partial(vv.svcca, variance=0.8), 0.6607794932),
    "svcca-0.8-r2": (partial(vv.svcca, variance=0.8, form="r2"), 0.4685239254),
    "svcca-7-axes": (partial(vv.svcca, components=(7, 7), form="r2"), 0.4685239254),
    "hsic-biased": (partial(vv.hsic, estimator="biased"), 11.8783572692),
    "procrustes-cosine": (partial(vv.procrustes, form="similarity"), 0.7362553106),
    "procrustes-angle": (vv.procrustes, 0.7432764761),
    "information_imbalance": (vv.information_imbalance, 0.4710),
}
SWAPPED = {
    "linear_regression": (vv.linear_regression, 0.5634752417),
    "pwcca": (vv.pwcca, 0.7368405676),
    "information_imbalance": (vv.information_imbalance, 0.3418),
}


@pytest.mark.parametrize(("measure", "value"), FORWARD.values(), ids=FORWARD)
def test_published_value(measure, value):
    assert float(measure(*reference_pair())) == pytest.approx(value, rel=0, abs=1e-9)


@pytest.mark.parametrize(("measure", "value"), SWAPPED.values(), ids=SWAPPED)
def test_published_value_with_the_sides_exchanged(measure, value):
    X, Y = reference_pair()
    assert float(measure(Y, X)) == pytest.approx(value, rel=0, abs=1e-9)
