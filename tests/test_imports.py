"""What is loaded when: a framework by its owner alone, and nothing by using arrays of another.

`test_public` looks at `import visavis` itself; these look at its parts and at their use.
"""

import json
import pkgutil
import subprocess
import sys

import pytest

import visavis as vv

FRAMEWORKS = ("flax", "jax", "keras", "onnx", "onnxruntime", "torch", "transformers")
HEAVY = (
    *FRAMEWORKS,
    "PIL",
    "h5py",
    "jinja2",
    "matplotlib",
    "pandas",
    "pyarrow",
    "rich",
    "typer",
    "xarray",
    "zarr",
)

# The mathematics wing and what it stands on; packages whose import anything else may trigger.
WINGS = ("_core", "kernels", "linalg", "stats", "measures", "results", "store", "models", "pairs")
# The file that owns a framework is imported when one of its models is at hand.
OWNERS = {f"visavis.models.{name}" for name in ("jax", "keras", "onnx", "torch")}

MODULES = sorted(
    {f"visavis.{name}" for name in WINGS}
    | {
        module.name
        for module in pkgutil.walk_packages(vv.__path__, "visavis.")
        if module.name.split(".")[1] in WINGS
    }
)


def in_a_fresh_interpreter(code):
    """Run code and return what it printed as JSON, and the heavy modules that it loaded."""
    report = f"""
import json, sys
result = None
{code}
print(json.dumps([result, sorted(set({HEAVY!r}) & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_no_part_of_the_wings_loads_a_framework():
    names = [each for each in MODULES if each not in OWNERS]
    assert len(names) > 30
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    assert in_a_fresh_interpreter(code)[1] == []


USES = {
    "cka": "vv.cka(X, Y)",
    "a kernel": "vv.cka(X, Y, kernel='rbf', estimator='biased')",
    "cca": "vv.cca(X, Y)",
    "procrustes": "vv.procrustes(X, Y)",
    "Moments": "vv.Moments.empty().update(X, Y).pwcca()",
    "compare": "float(vv.compare({'a': X}, {'b': Y}).values[0, 0])",
}


@pytest.mark.parametrize("use", USES)
def test_numpy_arrays_load_no_framework(use):
    code = f"""
import numpy as np
import visavis as vv
X, Y = np.random.default_rng(0).normal(size=(2, 30, 4))
result = float({USES[use]})
"""
    value, loaded = in_a_fresh_interpreter(code)
    assert -1 <= value <= 2
    assert not set(loaded) & set(FRAMEWORKS)
    assert "matplotlib" not in loaded


@pytest.mark.parametrize(
    ("array", "other"), [("jax.numpy.asarray", "torch"), ("torch.tensor", "jax")]
)
def test_arrays_of_one_framework_do_not_load_another(array, other):
    code = f"""
import numpy as np
import {array.split(".")[0] + (".numpy" if "numpy" in array else "")}
import visavis as vv
X, Y = np.random.default_rng(0).normal(size=(2, 30, 4)).astype("float32")
result = float(vv.cka({array}(X), {array}(Y)))
"""
    value, loaded = in_a_fresh_interpreter(code)
    assert -1 <= value <= 1
    assert other not in loaded


def test_plot_loads_matplotlib_when_it_is_asked_for():
    _, loaded = in_a_fresh_interpreter("import visavis\nvisavis.plot")
    assert "matplotlib" in loaded
    assert not set(loaded) & set(FRAMEWORKS)


def test_use_changes_no_global_state():
    # Division by zero is allowed inside and must not be afterwards, whatever the call came to.
    code = """
import random, warnings
import numpy as np
import torch
import visavis as vv

def state():
    return [
        np.geterr(),
        [repr(each) for each in warnings.filters],
        repr(np.random.get_state()),
        hash(random.getstate()),
        torch.random.get_rng_state().tolist(),
        torch.is_grad_enabled(),
        str(torch.get_default_dtype()),
        torch.get_num_threads(),
    ]

X, Y = np.random.default_rng(0).normal(size=(2, 30, 4))
A, B = torch.tensor(X), torch.tensor(Y)
before = state()
vv.cka(X, Y, kernel="rbf"), vv.procrustes(A, B), vv.cca(A, B)
vv.Moments.empty().update(A, B).update(A, B).cka()
for fault in (np.full_like(X, np.nan), np.zeros_like(X), X[:3], X.astype(str)):
    for measure in (vv.cka, vv.procrustes, vv.cca):
        try:
            measure(fault, Y)
        except (ValueError, TypeError):
            pass
        else:
            raise SystemExit("no error")
result = [one == other for one, other in zip(before, state(), strict=True)]
"""
    assert all(in_a_fresh_interpreter(code)[0])
