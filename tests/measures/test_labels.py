"""A label names a measure so that it can be read back."""

import math

import pytest
from tests.measures.records import RECORDS, alike

import visavis as vv
from visavis.kernels import cosine, laplacian, linear, polynomial, precomputed, rbf
from visavis.measures import resolve

# More than the variants of the registry: everything that an option may hold.
FURTHER = [
    vv.registry["cka"].with_options(kernel=kernel)
    for kernel in (
        "rbf",
        linear(),
        rbf(0.4, median="all"),
        rbf(1e-3),
        polynomial(2, gamma=0.5, coef0=2.0),
        polynomial(coef0=0),
        (linear(), rbf(0.4)),
        ("linear", "cosine"),
        (rbf(0.4, median="all"), laplacian(2.0)),
        (cosine(), precomputed()),
    )
]
FURTHER += [
    vv.registry["svcca"].with_options(components=(3, 2), variance=0.5, form="r2"),
    vv.registry["cca"].with_options(allow_saturated=True),
    vv.registry["canonical_ridge"].with_options(kappa=(1e-8, math.inf)),
    vv.registry["procrustes"].with_options(scale=True),
]


@pytest.mark.parametrize("measure", RECORDS + FURTHER, ids=lambda measure: measure.label)
def test_a_label_is_read_back(measure):
    again = resolve(measure.label)
    assert again.label == measure.label
    assert alike(again, measure)
    assert again.invariant_to == measure.invariant_to
    assert (again.low, again.high, again.symmetric) == (
        measure.low,
        measure.high,
        measure.symmetric,
    )


def test_a_label_says_what_is_not_the_default():
    assert vv.registry["cka"].with_options(kernel=rbf(0.4)).label == "cka(kernel=rbf(0.4))"
    assert vv.registry["cca"].with_options(form="rho").label == "cca"
    assert vv.registry["cka"].with_options(kernel=linear()).label == "cka"
