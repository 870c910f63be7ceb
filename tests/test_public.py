"""What `import visavis` gives: the names that users rely on, documented, and nothing heavy."""

import inspect
import json
import subprocess
import sys
from collections.abc import Mapping
from types import ModuleType

import pytest

import visavis as vv

# The promise: these names stay. One is added here when it is added to the public interface.
FUNCTIONS = {
    "accuracy_difference",
    "bures",
    "canonical_ridge",
    "cca",
    "cka",
    "cknna",
    "class_cka",
    "compare",
    "concentricity_difference",
    "convolution_procrustes",
    "cross_validated",
    "cycle_knn",
    "disagreement",
    "distance_correlation",
    "eigenspace_overlap",
    "extract",
    "gromov_wasserstein",
    "gulp",
    "hard_matching",
    "held_out",
    "hsic",
    "imd",
    "information_imbalance",
    "jensen_shannon",
    "knn_jaccard",
    "layers",
    "lcs_knn",
    "linear_regression",
    "load",
    "magnitude_difference",
    "match_weights",
    "mutual_knn",
    "nbs",
    "over_time",
    "partial_cka",
    "permutation_procrustes",
    "plan",
    "predictivity",
    "prefix_cka",
    "procrustes",
    "pwcca",
    "rank_similarity",
    "riemannian",
    "rsa",
    "rsm_norm_difference",
    "rtd",
    "sampled_cka",
    "second_order_cosine",
    "semi_matching",
    "shape_distance",
    "soft_matching",
    "stochastic_shape",
    "stream",
    "svcca",
    "tensor_similarity",
    "uniformity_difference",
    "weight_matching",
}
CLASSES = {
    "Activations",
    "Comparison",
    "ComparisonSet",
    "Finding",
    "Measure",
    "ModelComparison",
    "Moments",
    "Plan",
}
ERRORS = {
    "DegenerateInputError",
    "LayerNotFoundError",
    "SampleMismatchError",
    "SaturatedError",
    "StoreFormatError",
}
MODULES = {"benchmark", "dimension", "inference", "kernels", "plot", "report", "shapes"}
PROMISED = FUNCTIONS | CLASSES | ERRORS | MODULES | {"registry"}

# Floors of the house, which are there once something was imported from them.
FLOORS = {"cli", "linalg", "measures", "models", "pairs", "results", "stats", "store"}


def test_public_names():
    assert set(dir(vv)) - FLOORS == PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_promised_name_is_there(name):
    assert getattr(vv, name) is not None


@pytest.mark.parametrize("name", sorted(FUNCTIONS | CLASSES | ERRORS | MODULES))
def test_every_public_name_is_documented(name):
    documentation = inspect.getdoc(getattr(vv, name))
    assert documentation
    assert documentation.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_says_what_it_takes_and_gives_and_shows_it(name):
    function = getattr(vv, name)
    assert inspect.isfunction(function)
    documentation = inspect.getdoc(function)
    gives = "Yields\n-" if inspect.isgeneratorfunction(function) else "Returns\n-"
    told = ["Parameters\n-", gives, *inspect.signature(function).parameters]
    assert [each for each in told if each not in documentation] == []


# These load files or models of the user's own.
WITHOUT_EXAMPLE = {"load"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS - WITHOUT_EXAMPLE))
def test_every_function_has_an_example_that_runs(name):
    # pytest runs them: --doctest-modules over src.
    assert ">>> " in inspect.getdoc(getattr(vv, name))


def public_methods(kind):
    return [
        (kind, name)
        for name, member in vars(getattr(vv, kind)).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ] + [
        (kind, name)
        for name, member in vars(getattr(vv, kind)).items()
        if not name.startswith("_") and isinstance(member, classmethod | staticmethod)
    ]


METHODS = sorted({each for kind in CLASSES for each in public_methods(kind)})


@pytest.mark.parametrize(("kind", "method"), METHODS, ids=[".".join(each) for each in METHODS])
def test_every_method_is_documented(kind, method):
    member = inspect.getattr_static(getattr(vv, kind), method)
    assert inspect.getdoc(getattr(member, "__func__", member))


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_are_ordinary_errors_as_well(name):
    error = getattr(vv, name)
    assert issubclass(error, LookupError if name == "LayerNotFoundError" else ValueError)


def test_registry_is_a_mapping_that_cannot_be_changed():
    assert isinstance(vv.registry, Mapping)
    assert set(vv.registry) <= FUNCTIONS
    with pytest.raises(TypeError, match="item assignment"):
        vv.registry["mine"] = vv.registry["cka"]


@pytest.mark.parametrize("name", sorted(vv.registry))
def test_a_measure_is_a_function_and_a_record(name):
    assert vv.registry[name].function is getattr(vv, name)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules(name):
    assert isinstance(getattr(vv, name), ModuleType)
    assert getattr(vv, name).__name__ == f"visavis.{name}"


def test_version():
    assert vv.__version__.split(".")[0].isdigit()


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'visavis' has no attribute 'cak'"):
        vv.cak  # noqa: B018


# Import is light: law 8 of the design.

HEAVY = (
    "IPython",
    "array_api_strict",
    "jax",
    "jinja2",
    "matplotlib",
    "pandas",
    "rich",
    "safetensors",
    "sklearn",
    "torch",
    "typer",
    "xarray",
)


@pytest.fixture(scope="module")
def fresh():
    """What a fresh interpreter finds loaded and changed after `import visavis`."""
    code = f"""
import json, logging, os, random, sys, warnings
import numpy as np

def state():
    return {{
        "warnings": list(map(repr, warnings.filters)),
        "handlers": len(logging.getLogger().handlers),
        "environment": dict(os.environ),
        "errors": np.geterr(),
        "print": repr(np.get_printoptions()),
        "numpy": repr(np.random.get_state()),
        "random": hash(random.getstate()),
        "path": list(sys.path),
        "folder": os.getcwd(),
    }}

before = state()
import visavis
changed = [key for key, value in state().items() if value != before[key]]
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
json.dump({{"loaded": loaded, "changed": changed}}, sys.stdout)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_import_loads_no_framework_and_no_plotting_library(fresh):
    assert fresh["loaded"] == []


def test_import_changes_no_global_state(fresh):
    assert fresh["changed"] == []
