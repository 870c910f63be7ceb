"""Options that no measure knows are refused before any work, and the message lists the known."""

import math

import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, over

import visavis as vv

REFUSED = {
    "estimator": (
        vv.cka,
        {"estimator": "unbiased"},
        r"cka: `estimator` must be one of 'debiased', 'biased', got 'unbiased'",
    ),
    "hsic estimator": (vv.hsic, {"estimator": None}, r"hsic: `estimator` .* got None"),
    "kernel name": (vv.cka, {"kernel": "gauss"}, r"cka: `kernel` must be one of 'linear', 'rbf'"),
    "cca form": (vv.cca, {"form": "r"}, r"cca: `form` must be one of 'rho', 'r2', got 'r'"),
    "svcca form": (vv.svcca, {"form": "R2"}, r"svcca: `form` must be one of 'rho', 'r2'"),
    "no variance": (vv.svcca, {"variance": 0}, r"svcca: `variance` must be in \(0, 1\], got 0\."),
    "percent": (vv.svcca, {"variance": 99}, r"svcca: `variance` must be in \(0, 1\], got 99"),
    "NaN variance": (vv.svcca, {"variance": math.nan}, r"svcca: `variance` must be in .* got nan"),
    "no components": (vv.svcca, {"components": 0}, r"svcca: `components` must be a positive"),
    "fraction": (vv.svcca, {"components": 0.5}, r"`components` must be a positive integer .* 0\.5"),
    "three": (vv.svcca, {"components": (1, 2, 3)}, r"`components` must .* pair of them, got \(1,"),
    "one negative": (vv.svcca, {"components": (2, -1)}, r"`components` must .* got \(2, -1\)"),
    "one penalty": (
        vv.canonical_ridge,
        {"kappa": 1.0},
        r"canonical_ridge: `kappa` must be a pair of numbers, each zero or more, got 1\.0",
    ),
    "negative": (
        vv.canonical_ridge,
        {"kappa": (1.0, -1.0)},
        r"`kappa` must .* got \(1\.0, -1\.0\)",
    ),
    "NaN": (vv.canonical_ridge, {"kappa": (math.nan, 0.0)}, r"`kappa` must .* got \(nan, 0\.0\)"),
    "words": (vv.canonical_ridge, {"kappa": ("1", "2")}, r"`kappa` must be a pair of numbers"),
    "normalization": (
        vv.canonical_ridge,
        {"normalization": "rv"},
        r"canonical_ridge: `normalization` must be one of 'cca', 'cka', got 'rv'",
    ),
    "no neighbours": (
        vv.mutual_knn,
        {"k": 0},
        r"mutual_knn: `k` must be a whole number, 1 or more",
    ),
    "fraction of a neighbour": (vv.cknna, {"k": 2.5}, r"cknna: `k` must be a whole .* got 2\.5"),
    "true neighbours": (vv.lcs_knn, {"k": True}, r"lcs_knn: `k` must be a whole .* got True"),
    "negative neighbours": (
        vv.information_imbalance,
        {"k": -1},
        r"information_imbalance: `k` must be a whole number, 1 or more, got -1",
    ),
    "metric": (
        vv.knn_jaccard,
        {"metric": "manhattan"},
        r"knn_jaccard: `metric` must be one of 'cosine', 'euclidean', got 'manhattan'",
    ),
    "procrustes form": (
        vv.procrustes,
        {"form": "angle"},
        r"procrustes: `form` must be one of 'angular', 'euclidean', 'squared', 'similarity'",
    ),
}
REFUSED_TYPES = {
    "kernel type": (
        vv.cka,
        {"kernel": 0.5},
        r"cka: `kernel` must be a name or .*Kernel, got float",
    ),
    "kernel in a pair": (
        vv.hsic,
        {"kernel": ("rbf", None)},
        r"hsic: `kernel` must .* got NoneType",
    ),
}


@pytest.mark.parametrize(("measure", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_values(measure, options, message):
    with pytest.raises(ValueError, match=message):
        measure(*related(), **options)


@pytest.mark.parametrize(
    ("measure", "options", "message"), REFUSED_TYPES.values(), ids=REFUSED_TYPES
)
def test_types(measure, options, message):
    with pytest.raises(TypeError, match=message):
        measure(*related(), **options)


@pytest.mark.parametrize(("measure", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_a_record_refuses_what_its_function_refuses(measure, options, message):
    # Whether at once or when it is called: with the same words, and never another answer.
    record = vv.registry[measure.__name__]
    with pytest.raises(ValueError, match=message):
        record.with_options(**options)(*related())


@over([each for each in RECORDS if not each.options])
def test_a_record_names_its_options_when_asked_for_another(measure):
    message = f"{measure.name}: `options` must be among {', '.join(measure.defaults)}, got colour"
    with pytest.raises(TypeError, match=message):
        measure.with_options(colour="red")


def test_a_pair_of_counts_may_be_a_list_read_from_a_file():
    X, Y = related()
    assert float(vv.svcca(X, Y, components=(3, 2))) != float(vv.svcca(X, Y, components=(2, 3)))
