"""The ways in which a user names a measure."""

import functools
import math

import pytest
from tests.measures.records import alike, every_record

import visavis as vv
from visavis.kernels import laplacian, linear, polynomial, precomputed, rbf
from visavis.measures import resolve

TEXTS = {
    "cka": {},
    " cka ": {},
    "cka()": {},
    "cka(estimator=biased)": {"estimator": "biased"},
    "cka(estimator='biased')": {"estimator": "biased"},
    "cka(kernel=rbf)": {"kernel": rbf()},
    "cka(kernel=rbf())": {"kernel": rbf()},
    "cka(kernel=rbf(0.4), estimator=biased)": {"kernel": rbf(0.4), "estimator": "biased"},
    "hsic( kernel = rbf( fraction=0.4, median='all' ) )": {"kernel": rbf(0.4, median="all")},
    "cka(kernel=rbf(0.4, median=all))": {"kernel": rbf(0.4, median="all")},
    "cka(kernel=polynomial(2, gamma=0.5, coef0=0))": {"kernel": polynomial(2, gamma=0.5, coef0=0)},
    "cka(kernel=(linear, rbf(0.4)))": {"kernel": (linear(), rbf(0.4))},
    "cka(kernel=(rbf(0.2), laplacian(2)))": {"kernel": (rbf(0.2), laplacian(2))},
    "cka(kernel=precomputed)": {"kernel": precomputed()},
    "cca(form=r2, allow_saturated=True)": {"form": "r2", "allow_saturated": True},
    "svcca(variance=0.9)": {"variance": 0.9},
    "svcca(components=3)": {"components": 3},
    "svcca(components=(3, 5), form=r2)": {"components": (3, 5), "form": "r2"},
    "svcca(components=None)": {},
    "canonical_ridge(kappa=(0, inf))": {"kappa": (0, math.inf)},
    "canonical_ridge(kappa=(1e-3, 10), normalization=cka)": {
        "kappa": (1e-3, 10),
        "normalization": "cka",
    },
    "procrustes(form=euclidean, scale=True)": {"form": "euclidean", "scale": True},
}


@pytest.mark.parametrize(("text", "options"), TEXTS.items(), ids=TEXTS)
def test_text(text, options):
    name = text.strip().split("(")[0]
    assert alike(resolve(text), vv.registry[name].with_options(**options))


@every_record
def test_a_record_is_itself(measure):
    assert resolve(measure) is measure


@pytest.mark.parametrize("name", list(vv.registry))
def test_a_name_and_a_function(name):
    assert resolve(name).label == name
    assert resolve(vv.registry[name].function).label == name


@every_record
def test_a_partial_function(measure):
    assert alike(resolve(functools.partial(measure.function, **measure.options)), measure)


def test_a_partial_of_a_partial():
    inner = functools.partial(vv.cka, kernel=rbf(0.4))
    assert alike(
        resolve(functools.partial(inner, estimator="biased")),
        vv.registry["cka"].with_options(kernel=rbf(0.4), estimator="biased"),
    )
