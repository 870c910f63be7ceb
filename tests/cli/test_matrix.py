"""``visavis matrix``: how alike many models are, as Python says it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from safetensors.numpy import save_file
from tests.data_makers import related

import visavis as vv
from visavis.cli import engine

N = 60


def model(seed, names=("conv", "fc")):
    made = {}
    for number, name in enumerate(names):
        X, Y = related(n=N, p=5, q=4 + seed, seed=number)
        made[name] = Y + np.random.default_rng(seed).normal(size=Y.shape) + X[:, :1]
    return made


@pytest.fixture
def runs(tmp_path):
    """Four files of a model each."""
    paths = [tmp_path / f"{kind}-seed{k}.npz" for kind in ("res", "vgg") for k in range(2)]
    for seed, path in enumerate(paths):
        np.savez(path, **model(seed))
    return paths


def machine(result):
    """The one JSON document on standard output; NaN and Infinity are no JSON."""

    def refuse(token):
        pytest.fail(f"{token} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)


def told(message):
    """What a refusal says, without its frame and line breaks."""
    return " ".join(message.replace("│", " ").split())


def named(runs):
    return {path.stem: path for path in runs}


# What is printed.


def test_table(run, runs):
    result = run("matrix", *runs)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[0].strip() == "cka, 60 samples"
    cells = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in result.stdout.splitlines()
        if line.startswith("│")
    ]
    assert [row[0] for row in cells] == ["res-seed0", "res-seed1", "vgg-seed0", "vgg-seed1"]
    shown = np.array([[float(cell) for cell in row[1:]] for row in cells])
    expected = vv.compare(named(runs)).between().values
    np.testing.assert_allclose(shown, expected, atol=0.0005)
    assert "mean over layers of the same name" in result.stdout


@pytest.mark.parametrize("reduce", ["same", "best", "matched"])
@pytest.mark.parametrize("measure", ["cka", "procrustes", "linear_regression"])
def test_json_is_one_document_that_says_what_python_says(run, runs, measure, reduce):
    result = run("matrix", *runs, "-m", measure, "--reduce", reduce, "--json", "--group", "all=*")
    assert result.exit_code == 0
    assert result.stderr == ""
    data = machine(result)
    res = vv.compare({name: vv.load(path) for name, path in named(runs).items()}, measure=measure)
    assert data == {
        "models": res.between(reduce).to_dict(),
        "layers": res.to_dict(),
        "groups": res.grouped(dict.fromkeys(res.models, "all"), reduce).to_dict(),
    }
    assert list(machine(run("matrix", *runs, "--json"))) == ["models", "layers"]


def test_models_with_other_layers(run, runs, refused, tmp_path):
    np.savez(tmp_path / "other.npz", **model(5, ("x", "y", "z")))
    message = refused("matrix", *runs, tmp_path / "other.npz")
    assert message.startswith('visavis: between: `reduce` must be "best" or "matched" for models')
    result = run("matrix", *runs, tmp_path / "other.npz", "--reduce", "matched")
    assert result.exit_code == 0


# Names.


def test_files_of_one_name_in_several_folders(run, tmp_path):
    for seed, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "acts.npz", **model(seed))
    data = machine(run("matrix", *tmp_path.glob("*/acts.npz"), "--json"))
    assert sorted(data["models"]["rows"]) == ["a-acts", "b-acts"]


def test_files_that_differ_in_their_suffix(run, tmp_path):
    np.savez(tmp_path / "acts.npz", **model(0))
    save_file(model(1), tmp_path / "acts.safetensors")
    paths = tmp_path / "acts.npz", tmp_path / "acts.safetensors"
    assert machine(run("matrix", *paths, "--json"))["models"]["rows"] == [
        each.name for each in paths
    ]


def test_versions_in_names_are_no_suffixes(run, tmp_path):
    for seed, name in enumerate(("net-v1.0", "net-v1.1")):
        np.savez(tmp_path / f"{name}.npz", **model(seed))
    data = machine(run("matrix", tmp_path / "net-v1.0.npz", tmp_path / "net-v1.1.npz", "--json"))
    assert data["models"]["rows"] == ["net-v1.0", "net-v1.1"]


def test_folders_with_dots_are_stores_of_that_name(run, tmp_path):
    import torch

    for seed, name in enumerate(("net-v1.0", "net-v1.1")):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU())
        loader = [torch.randn(N, 6, generator=torch.Generator().manual_seed(0))]
        vv.extract(net, loader, into=tmp_path / name, progress=False)
    result = run("matrix", tmp_path / "net-v1.0", f"{tmp_path}/net-v1.1/", "--json")
    assert machine(result)["models"]["rows"] == ["net-v1.0", "net-v1.1"]


def test_from_the_folder_itself(run, runs, monkeypatch):
    monkeypatch.chdir(runs[0].parent)
    data = machine(run("matrix", runs[0].name, f"./{runs[1].name}", "--json"))
    assert data["models"]["rows"] == ["res-seed0", "res-seed1"]


@pytest.mark.parametrize("again", ["{path}", "{folder}/../{parent}/{name}"])
def test_a_run_twice_is_refused(refused, runs, again):
    path = runs[0]
    again = again.format(path=path, folder=path.parent, parent=path.parent.name, name=path.name)
    assert "name two runs or more, each once" in told(refused("matrix", path, runs[1], again))


def test_one_run_is_refused(refused, runs):
    assert "name two runs or more, each once" in told(refused("matrix", runs[0]))


@pytest.mark.parametrize("name", ["[red]x[/red]", "$x_1$", "<b>"])
def test_names_are_shown_as_they_are(run, tmp_path, name):
    for seed, each in enumerate((f"{name.replace('/', '|')} a", "b")):
        np.savez(tmp_path / f"{each}.npz", **model(seed))
    result = run("matrix", *tmp_path.glob("*.npz"), "--group", f"{name}=*")
    assert result.exit_code == 0
    assert f"│ {name.replace('/', '|')} a " in result.stdout
    assert f"│ {name} × {name} " in result.stdout


# Groups.


def test_groups(run, runs):
    result = run("matrix", *runs, "--group", "resnet=res*", "--group", "vgg=vgg-seed?")
    lines = [line for line in result.stdout.splitlines() if "×" in line]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    groups = {path.stem: "vgg" if path.stem.startswith("vgg") else "resnet" for path in runs}
    expected = list(vv.compare(named(runs)).grouped(groups).lines())
    assert [row[0] for row in cells] == ["resnet × resnet", "resnet × vgg", "vgg × vgg"]
    assert [row[3] for row in cells] == ["1", "4", "1"]
    for row, line in zip(cells, expected, strict=True):
        assert float(row[1]) == pytest.approx(line.mean, abs=0.0006)
    assert [row[2] for row in cells][::2] == ["–", "–"]
    assert float(cells[1][2]) == pytest.approx(expected[1].deviation, abs=0.0006)


def test_groups_by_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, path in enumerate(("old/a.npz", "old/b.npz", "new/c.npz")):
        Path(path).parent.mkdir(exist_ok=True)
        np.savez(path, **model(seed))
    paths = ("old/a.npz", "old/b.npz", "new/c.npz")
    result = run("matrix", *paths, "--group", "old=old/*", "--group", "rest=*", "--json")
    assert machine(result)["groups"]["pairs"] == [[1, 2], [2, 0]]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["res"], "must be GROUP=PATTERN, got 'res'"),
        (["=res*"], "must be GROUP=PATTERN, got '=res*'"),
        (["res="], "must be GROUP=PATTERN, got 'res='"),
        (["res=res*"], "no pattern fits 'vgg-seed0'"),
        (
            ["all=*", "x=resnet*"],
            "'resnet*' fits no run; there are res-seed0, res-seed1, vgg-seed0",
        ),
    ],
)
def test_groups_that_are_refused(refused, runs, groups, message):
    options = [part for each in groups for part in ("--group", each)]
    assert message in told(refused("matrix", *runs, *options))


# Findings, exit codes, what cannot be carried out.


@pytest.fixture
def dead(tmp_path, runs):
    """The runs, and one more with a dead layer."""
    np.savez(tmp_path / "dead.npz", **model(0) | {"fc": np.ones((N, 3))})
    return [*runs, tmp_path / "dead.npz"]


def test_exit_code_1_where_a_value_is_missing(run, dead):
    result = run("matrix", *dead)
    assert result.exit_code == 1
    assert "VV006 constant, dead or never-executed layer: Layer dead/fc must vary" in result.stdout
    assert "–" in result.stdout


@pytest.mark.parametrize("names", [["dead"], ["dead/fc"], ["fc"]])
def test_what_is_dead_can_be_left_out(run, dead, names):
    options = [part for each in names for part in ("--without", each)]
    result = run("matrix", *dead, *options, "--json")
    assert result.exit_code == 0
    res = vv.compare(named(dead)).without(*names)
    assert machine(result)["models"]["values"] == res.between().values.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reduce", "mean"], "visavis: between: `reduce` must be one of 'same', 'best', 'matche"),
        (["-m", "ckaa"], "visavis: compare: `measure` must name a measure, got 'ckaa'."),
        (["--align", "outer"], "visavis: compare: `align` must be one of 'strict', 'inner'"),
        (["--silence", "VV999"], "visavis: silence: `codes` must be one of 'VV001',"),
        (["--without", "x"], "visavis: without: `names` must be models, layers, or model/layer,"),
        (["--memory", "lots"], "visavis: compare: `memory` must be"),
        (["--memory", "10kB"], "visavis: compare: `memory` must be"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_are_refused(refused, runs, options, message):
    assert refused("matrix", *runs, *options).startswith(message)


def test_what_cannot_be_reduced_is_refused_before_any_work(refused, runs, monkeypatch):
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("it was begun"))
    assert "`reduce` must" in refused("matrix", *runs, "--reduce", "mean")


def test_files_that_are_refused(refused, runs, tmp_path):
    assert "nowhere.npz must be a file" in refused("matrix", runs[0], "nowhere.npz")
    np.savez(tmp_path / "few.npz", **{name: X[:50] for name, X in model(0).items()})
    message = refused("matrix", *runs, tmp_path / "few.npz")
    assert "VV001 compare: `res-seed0` and `few` must describe the same samples" in message


def test_silenced(run, runs, tmp_path):
    paths = [tmp_path / f"s{k}.npz" for k in range(2)]
    for seed, path in enumerate(paths):
        np.savez(path, **{name: X[:20] for name, X in model(seed).items()})
    assert "VV002" in run("matrix", *paths).stdout
    assert "VV002" not in run("matrix", *paths, "--silence", "VV002").stdout


def test_joined_by_id(run, refused, tmp_path):
    rows = [np.arange(50), np.arange(59, 9, -1), np.arange(0, N, 2)]
    paths = [tmp_path / f"m{k}.npz" for k in range(3)]
    for seed, (path, kept) in enumerate(zip(paths, rows, strict=True)):
        np.savez(path, image=kept, **{name: X[kept] for name, X in model(seed).items()})
    assert "must have the same ids" in refused("matrix", *paths, "--ids", "image")
    options = ("--ids", "image", "--align", "inner")
    data = machine(run("matrix", *paths, *options, "--json"))
    assert data["layers"]["table"]["n"] == 20
    common = np.arange(10, 50, 2)
    value = vv.cka(model(0)["fc"][common], model(2)["fc"][common])
    table = data["layers"]["table"]
    at = table["rows"].index("m0/fc"), table["cols"].index("m2/fc")
    assert table["values"][at[0]][at[1]] == pytest.approx(float(value), rel=1e-10)
    assert run("matrix", *paths, *options, "--plan").exit_code == 0


# How it is computed.


def test_a_plan_stops_there(run, runs, tmp_path, monkeypatch):
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("it went on"))
    result = run("matrix", *runs, "--plan", "--out", tmp_path / "r.html")
    assert result.exit_code == 0
    assert "36 pairs" in result.stdout
    assert not (tmp_path / "r.html").exists()


def test_kept_parts_are_used_again(run, runs, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    options = ("--checkpoint", kept, "--memory", "20MB", "--json")
    first = run("matrix", *runs, *options)
    assert list(kept.iterdir())
    for name in ("visavis.pairs.blocks._block", "visavis.pairs.sweep._add"):
        monkeypatch.setattr(name, lambda *_: pytest.fail("computed again"))
    assert machine(run("matrix", *runs, *options)) == machine(first)


def test_two_workers_in_processes(run, runs):
    result = run("matrix", *runs, "--workers", "2", "--json")
    assert result.exit_code == 0
    found = machine(result)["models"]["values"]
    np.testing.assert_allclose(found, machine(run("matrix", *runs, "--json"))["models"]["values"])


def test_workers_are_those_asked_for(run, refused, runs, monkeypatch):
    used = set()

    @contextmanager
    def threads(workers):
        with ThreadPoolExecutor(workers) as pool:
            submit = pool.submit
            pool.submit = lambda *task, **facts: used.add(workers) or submit(*task, **facts)
            yield pool

    monkeypatch.setattr(engine, "executor", threads)
    assert run("matrix", *runs, "-w", "3").exit_code == 0
    assert used == {3}
    assert "--workers" in refused("matrix", *runs, "-w", "0")
    assert threading.active_count() < 20


# --out.


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("r.html", b"<!DOCTYPE html>"),
        ("r.json", b'{\n "visavis": "model-comparison"'),
        ("r.png", b"\x89PNG"),
        ("r.svg", b"<?xml"),
        ("r.pdf", b"%PDF"),
    ],
)
def test_out(run, runs, tmp_path, name, start):
    out = tmp_path / name
    result = run("matrix", *runs, "--out", out, "--reduce", "best", "--group", "all=*")
    plt.close("all")
    assert result.exit_code == 0
    assert result.stderr == f"written: {out}\n"
    assert out.read_bytes().startswith(start)
    assert out.stat().st_size > 500


def test_out_is_read_back(run, runs, tmp_path):
    run("matrix", *runs, "-o", tmp_path / "r.json")
    again = vv.ModelComparison.load(tmp_path / "r.json")
    np.testing.assert_array_equal(again.values, vv.compare(named(runs)).values)


def test_the_report_knows_groups_and_reduction(run, runs, tmp_path):
    out = tmp_path / "r.html"
    run(
        "matrix", *runs, "-o", out, "--reduce", "matched", "--group", "one=res*", "--group", "two=*"
    )
    page = out.read_text("utf-8")
    assert "Groups of models" in page
    assert "one × two" in page
    assert "matched one to one" in page


def test_out_is_written_where_a_value_is_missing(run, dead, tmp_path):
    assert run("matrix", *dead, "--out", tmp_path / "r.html").exit_code == 1
    assert (tmp_path / "r.html").exists()


@pytest.mark.parametrize("name", ["r.xlsx", "r", "new/r.html"])
def test_out_that_is_refused_before_any_work(refused, tmp_path, name):
    # The files to compare are not there: nothing was looked at yet.
    message = told(refused("matrix", "nowhere.npz", "no.npz", "--out", tmp_path / name))
    assert "must end in one of" in message or "does not exist" in message
