"""``visavis compare``: the numbers of Python, as a table, for machines, as pictures."""

import json
import re

import h5py
import numpy as np
import pyarrow as pa
import pytest
from matplotlib import pyplot as plt
from pyarrow import parquet
from safetensors.numpy import save_file
from tests.data_makers import independent
from tests.pairs.conftest import layers

import visavis as vv


def machine(result):
    """The one JSON document on standard output; NaN and Infinity are no JSON."""

    def refuse(token):
        pytest.fail(f"{token} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)


def test_table(run, files):
    result = run("compare", *files)
    a, b = layers(n=60)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.split("Centred kernel alignment")[0].splitlines()
    assert lines[0].strip() == "cka, 60 samples"
    cells = [
        [cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if "│" in line
    ]
    assert [row[0] for row in cells] == list(a)
    shown = np.array([[float(cell) for cell in row[1:]] for row in cells])
    expected = [[float(vv.cka(X, Y)) for Y in b.values()] for X in a.values()]
    np.testing.assert_allclose(shown, expected, atol=0.0005)
    assert "debiased estimator" in result.stdout


def test_the_best_matches_with_all_that_is_known_of_them(run, files):
    result = run("compare", *files, "--level", "0.9")
    expected = vv.compare(*files, level=0.9)
    lines = result.stdout.split("whatever their width")[1].splitlines()
    head, *cells = [
        [cell.strip() for cell in re.split("[│┃]", line.strip("│┃"))]
        for line in lines
        if re.search("[│┃]", line)
    ]
    assert head == ["a", "best match", "value", "90 % interval", "chance", "z"]
    for row, col, value, interval, chance, z in cells:
        found = expected.interval(row, col)
        low, high = map(float, interval.split(" to "))
        at = expected.rows.index(row), expected.cols.index(col)
        assert (float(value), low, high) == pytest.approx(
            (found.value, found.low, found.high), abs=0.0005
        )
        assert (float(chance), float(z)) == pytest.approx((0, expected.z[at]), abs=0.05)
    assert [row[0] for row in cells] == list(expected.rows)
    assert "Each interval is for itself" in result.stdout


def test_no_intervals(run, files):
    result = run("compare", *files, "--no-intervals")
    assert "interval" not in result.stdout
    assert "chance" in result.stdout
    told = run("compare", *files, "-m", "rsa(compare=pearson)", "-m", "cka(estimator=biased)")
    assert told.stdout.count("No intervals: no formula") >= 1


def test_table_with_itself(run, files):
    result = run("compare", files[0])
    assert result.exit_code == 0
    assert r"a \ a" in result.stdout
    table = result.stdout.split("Centred kernel alignment")[0]
    assert table.count("1.000") == 3


def test_tables_of_several_measures_in_the_order_asked(run, files):
    result = run("compare", *files, "-m", "procrustes", "--measure", "cka(kernel=rbf(0.4))")
    assert result.exit_code == 0
    assert result.stdout.index("procrustes, 60 samples") < result.stdout.index(
        "cka(kernel=rbf(0.4))"
    )


def test_json_is_what_python_says(run, files):
    measures = ["cka", "cka(kernel=rbf(0.4), estimator=biased)", "procrustes", "hsic"]
    result = run("compare", *files, *(part for each in measures for part in ("-m", each)), "--json")
    assert result.exit_code == 0
    data = machine(result)
    assert list(data) == measures
    expected = vv.compare(*files, measures=measures)
    assert data == {measure: each.to_dict() for measure, each in expected.items()}


def test_json_with_what_is_missing(run, files, tmp_path):
    np.savez(tmp_path / "dead.npz", conv1=np.ones((60, 3)), fc=layers(n=60)[0]["fc"])
    result = run("compare", tmp_path / "dead.npz", files[1], "--json")
    assert result.exit_code == 1
    data = machine(result)["cka"]
    assert data["values"][0] == [None, None, None]
    assert data["findings"][0]["code"] == "VV006"


def test_files_of_other_formats(run, files, tmp_path):
    a, b = layers(n=60)
    with h5py.File(tmp_path / "a.h5", "w", track_order=True) as file:
        file.update(a)
    flat = {name: X.reshape(60, -1).tolist() for name, X in b.items()}
    parquet.write_table(pa.table(flat), tmp_path / "b.parquet")
    result = run("compare", tmp_path / "a.h5", tmp_path / "b.parquet", "--json")
    assert result.exit_code == 0
    data, expected = machine(result)["cka"], machine(run("compare", *files, "--json"))["cka"]
    assert (data["rows"], data["cols"]) == (expected["rows"], expected["cols"])
    np.testing.assert_allclose(data["values"], expected["values"], rtol=1e-12)


# Findings and exit codes.


def test_exit_code_1_where_a_value_is_missing(run, files, tmp_path):
    np.savez(tmp_path / "dead.npz", conv1=np.ones((60, 3)), fc=layers(n=60)[0]["fc"])
    result = run("compare", tmp_path / "dead.npz", files[1])
    assert result.exit_code == 1
    assert "│ conv1 " in result.stdout
    assert "–" in result.stdout
    assert (
        "VV006 constant, dead or never-executed layer: Layer conv1 of dead must vary over the "
        "samples, got 60 identical rows." in result.stdout
    )


def test_exit_code_1_where_a_measure_is_saturated(run, tmp_path):
    X, Y = independent(n=60, p=80, q=80)
    np.savez(tmp_path / "x.npz", x=X)
    np.savez(tmp_path / "y.npz", y=Y)
    result = run("compare", tmp_path / "x.npz", tmp_path / "y.npz", "-m", "cca")
    assert result.exit_code == 1
    assert "VV014 saturated measure: cca: 1 of 1 pairs" in result.stdout
    allowed = "cca(allow_saturated=True)"
    assert run("compare", tmp_path / "x.npz", tmp_path / "y.npz", "-m", allowed).exit_code == 0


def test_findings_that_are_no_errors_end_well_and_can_be_silenced(run, tmp_path):
    X, Y = independent(n=20, p=30, q=30)
    np.savez(tmp_path / "x.npz", x=X, y=Y)
    command = ("compare", tmp_path / "x.npz", "-m", "cka(estimator=biased)")
    result = run(*command)
    assert result.exit_code == 0
    assert "VV002 few samples: 20 samples" in result.stdout
    assert "VV003 biased estimate where chance is high" in result.stdout
    result = run(*command, "--silence", "VV002", "--silence", "VV003")
    assert "VV00" not in result.stdout


def test_the_gravest_finding_comes_first(run, tmp_path):
    X, Y = independent(n=20, p=30, q=30)
    np.savez(tmp_path / "x.npz", x=X.astype("f2"), dead=np.ones((20, 2)), y=Y)
    out = run("compare", tmp_path / "x.npz").stdout
    assert out.index("VV006") < out.index("VV002") < out.index("VV015")


# Options.


def test_names(run, files):
    result = run("compare", *files, "--name", "early", "--name", "late")
    assert r"early \ late" in result.stdout


@pytest.mark.parametrize("names", [["x"], ["x", "y", "z"]])
def test_names_that_are_no_pair(refused, files, names):
    message = refused("compare", *files, *(part for name in names for part in ("--name", name)))
    assert "give --name twice, once for each side" in " ".join(message.split())


def with_ids(path, side, order):
    ids = np.array([f"img{i}" for i in range(60)])
    np.savez(path, ids=ids[order], **{name: X[order] for name, X in side.items()})
    return path


def test_align(run, refused, tmp_path):
    a, b = layers(n=60)
    order = np.random.default_rng(0).permutation(60)[:55]
    paths = (
        with_ids(tmp_path / "a.npz", a, np.arange(60)),
        with_ids(tmp_path / "b.npz", b, order),
    )
    assert "VV001 compare: `a` and `b` must have the same ids" in refused("compare", *paths)
    result = run("compare", *paths, "--align", "inner", "--json")
    assert result.exit_code == 0
    data = machine(result)["cka"]
    rows = np.sort(order)
    assert data["n"] == 55
    assert data["values"][0][0] == pytest.approx(
        float(vv.cka(a["conv1"][rows], b["conv1"][rows])), rel=1e-12
    )
    assert (
        "joined by id: 55 samples are common" in run("compare", *paths, "--align", "inner").stdout
    )


# Requests that cannot be carried out.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["-m", "ckaa"],
            "visavis: compare: `measure` must name a measure, got 'ckaa'.",
        ),
        (["-m", "cka(estimator=none)"], "visavis: cka: `estimator` must be one of 'debiased', 'bi"),
        (["-m", "cka(colour=red)"], "visavis: cka: `options` must be among kernel, estimator, got"),
        (["-m", "__import__('os')"], "visavis: compare: `measure` must be a name or name(option="),
        (["-m", "cka", "-m", "cka"], "visavis: compare: `measures` must name at least"),
        (
            ["--align", "outer"],
            "visavis: compare: `align` must be one of 'strict', 'inner'",
        ),
        (["--silence", "VV999"], "visavis: silence: `codes` must be one of 'VV001',"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_are_refused(refused, files, options, message):
    assert refused("compare", *files, *options).startswith(message)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            np.ones((59, 3)),
            "VV001 compare: `a` and `b` must describe the same samples, got 60 a",
        ),
        (
            np.full((60, 1), "cat"),
            "compare: `b['x']` must have a real floating, integer or boo",
        ),
        (np.full((60, 1), None), "it holds pickled Python objects, which visavis never loads."),
        (np.array(3), "must hold arrays with samples in rows, got a single number in 'x'."),
    ],
    ids=["too few rows", "text", "objects", "a number"],
)
def test_layers_that_are_refused(refused, files, tmp_path, layer, message):
    np.savez(tmp_path / "x.npz", x=layer)
    assert message in refused("compare", files[0], tmp_path / "x.npz")


def test_files_that_are_refused(refused, files, tmp_path):
    assert "nowhere.npz must be a file, got no such file." in refused("compare", "nowhere.npz")
    assert "`path` must end in .npy, .npz, .safetensors" in refused("compare", files[0], "x.pt")
    (tmp_path / "x.npz").write_text("layer,value\n")
    assert "it is not a zip archive" in refused("compare", tmp_path / "x.npz")


def test_too_few_samples_are_refused(refused, tmp_path):
    np.savez(tmp_path / "few.npz", x=np.ones((3, 3)))
    message = "visavis: VV002 compare: `a` and `b` must have at least 4 samples, got 3."
    assert refused("compare", tmp_path / "few.npz").startswith(message)


# --out.


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("r.html", b"<!DOCTYPE html>"),
        ("r.json", b'{\n "visavis": "comparison-set"'),
        ("r.png", b"\x89PNG"),
        ("r.svg", b"<?xml"),
        ("r.pdf", b"%PDF"),
    ],
)
def test_out(run, files, tmp_path, name, start):
    out = tmp_path / name
    result = run("compare", *files, "-m", "cka", "-m", "procrustes", "--out", out)
    plt.close("all")
    assert result.exit_code == 0
    assert result.stderr == f"written: {out}\n"
    assert "cka, 60 samples" in result.stdout
    assert out.read_bytes().startswith(start)
    assert out.stat().st_size > 500


def test_out_is_read_back(run, files, tmp_path):
    run("compare", *files, "-m", "cka", "-m", "hsic", "-o", tmp_path / "r.json")
    again = vv.ComparisonSet.load(tmp_path / "r.json")
    expected = vv.compare(*files, measures=["cka", "hsic"])
    assert list(again) == ["cka", "hsic"]
    np.testing.assert_array_equal(again["hsic"].values, expected["hsic"].values)


def test_out_is_written_beside_json(run, files, tmp_path):
    result = run("compare", *files, "--json", "--out", tmp_path / "r.html")
    assert list(machine(result)) == ["cka"]
    assert (tmp_path / "r.html").exists()


def test_out_is_written_where_a_value_is_missing(run, tmp_path):
    np.savez(tmp_path / "x.npz", dead=np.ones((60, 3)), fc=layers(n=60)[0]["fc"])
    assert run("compare", tmp_path / "x.npz", "--out", tmp_path / "r.json").exit_code == 1
    assert vv.ComparisonSet.load(tmp_path / "r.json")["cka"].findings[0].code == "VV006"


@pytest.mark.parametrize("name", ["r.xlsx", "r", "r.html.bak", ".html"])
def test_out_of_an_unknown_kind_is_refused_before_any_work(refused, tmp_path, name):
    # The files to compare are not there: nothing was looked at yet.
    message = refused("compare", "nowhere.npz", "--out", tmp_path / name)
    words = " ".join(message.replace("│", " ").split())
    assert "must end in one of .html, .json, .png, .svg, .pdf, got" in words


def test_out_in_a_folder_that_is_not_there_is_refused_before_any_work(refused, tmp_path):
    message = refused("compare", "nowhere.npz", "--out", tmp_path / "new" / "r.html")
    assert "does not exist" in " ".join(message.replace("│", " ").split())


# Names from files.

HOSTILE = {
    "markup": ("[red]x[/red]", "[red]x[/red]"),
    "closing markup": ("[/]", "[/]"),
    "a line break": ("two\nlines", r"two\nlines"),
    "colours": ("\x1b[31mred", r"\x1b[31mred"),
    "the title of the window": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "a carriage return": ("ok\rfake", r"ok\rfake"),
    "from right to left": ("a\u202eb", r"a\u202eb"),
    "other scripts": ("é層🙂", "é層🙂"),
    "an emoji code": (":smile:", ":smile:"),
}


@pytest.mark.parametrize(("name", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_names_are_shown_as_they_are(run, tmp_path, name, shown):
    fc = layers(n=60)[0]["fc"]
    save_file({name: fc, f"{name} dead": np.ones_like(fc)}, tmp_path / "x.safetensors")
    result = run("compare", tmp_path / "x.safetensors", "--name", name, "--name", name)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.startswith(f"│ {shown} ") for line in lines)
    assert f"Layer {shown} dead of {shown} must vary" in result.stdout
    assert not set(result.stdout) & set("\x1b\x07\r\u202e")


def test_an_id_array_is_named(run, files, tmp_path):
    a, b = (dict(np.load(path)) for path in files)
    order = np.random.default_rng(0).permutation(60)
    np.savez(tmp_path / "one.npz", image=np.arange(60), **a)
    np.savez(tmp_path / "two.npz", image=order, **{name: X[order] for name, X in b.items()})
    pair = tmp_path / "one.npz", tmp_path / "two.npz"
    result = run("compare", *pair, "--ids", "image", "--align", "inner", "--json")
    (told,) = json.loads(result.stdout).values()
    (plain,) = json.loads(run("compare", *files, "--json").stdout).values()
    np.testing.assert_allclose(told["values"], plain["values"], rtol=1e-12)
    assert told["names"] == ["one", "two"]
    assert run("compare", *pair, "--ids", "image").exit_code == 2  # rows in another order


def test_an_id_array_that_there_is_not(refused, files):
    assert "nothing" in refused("compare", *files, "--ids", "nothing")


# How it is computed.


def test_a_plan_stops_there(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr("visavis.pairs.compare", lambda *_, **__: pytest.fail("it went on"))
    result = run("compare", *files, "--plan", "--out", tmp_path / "r.html", "-m", "procrustes")
    assert result.exit_code == 0
    assert "9 pairs" in result.stdout
    assert "procrustes" in result.stdout
    assert not (tmp_path / "r.html").exists()


def test_a_plan_of_samples_that_differ(run, refused, tmp_path):
    a, b = layers(n=60)
    paths = (
        with_ids(tmp_path / "a.npz", a, np.arange(50)),
        with_ids(tmp_path / "b.npz", b, np.arange(10, 60)),
    )
    assert "must have the same ids" in refused("compare", *paths, "--plan")
    assert "40 samples" in run("compare", *paths, "--plan", "--align", "inner").stdout


@pytest.mark.parametrize("memory", ["20MB", "0.02GB"])
def test_memory(run, files, memory):
    measure = ("-m", "cka(kernel=rbf)")
    told = machine(run("compare", *files, *measure, "--memory", memory, "--json"))
    plain = machine(run("compare", *files, *measure, "--json"))
    (one,), (other,) = told.values(), plain.values()
    np.testing.assert_allclose(one["values"], other["values"], rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory", "lots"], "visavis: compare: `memory` must"),
        (["--memory", "-4GB"], "visavis: compare: `memory` must"),
        (["--memory", "10kB"], "visavis: compare: `memory` must"),
        (["--workers", "0"], "Invalid value for '--workers'"),
        (["--workers", "two"], "Invalid value for '--workers'"),
    ],
    ids=" ".join,
)
def test_ways_to_compute_that_are_refused(refused, files, options, message):
    assert message in " ".join(refused("compare", *files, *options).replace("│", " ").split())


def test_two_workers_in_processes(run, files):
    measures = ("-m", "cka", "-m", "procrustes", "--json")
    result = run("compare", *files, "--workers", "2", *measures)
    assert result.exit_code == 0
    plain = machine(run("compare", *files, *measures))
    for label, each in machine(result).items():
        np.testing.assert_allclose(each["values"], plain[label]["values"], rtol=1e-10)


def test_kept_parts_are_used_again(run, files, tmp_path, monkeypatch):
    options = ("-m", "cka", "-m", "procrustes", "--checkpoint", tmp_path / "kept", "--json")
    first = run("compare", *files, *options)
    assert first.exit_code == 0
    assert list((tmp_path / "kept").iterdir())
    for name in ("visavis.pairs.blocks._block", "visavis.pairs.sweep._add"):
        monkeypatch.setattr(name, lambda *_: pytest.fail("computed again"))
    assert machine(run("compare", *files, *options)) == machine(first)


# Diagnosis.


@pytest.fixture
def outlying(tmp_path):
    """Two files of layers, of which one has a row that decides."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(200, 5))
    for name in "ab":
        layers = {k: shared + rng.normal(size=(200, 5)) for k in ("conv", "fc")}
        layers["fc"][7] = 60
        np.savez(tmp_path / f"{name}.npz", **layers)
    return tmp_path / "a.npz", tmp_path / "b.npz"


def test_a_report_says_what_may_mislead_in_the_best_matches(run, outlying, tmp_path):
    out = tmp_path / "r.html"
    result = run("compare", *outlying, "-m", "procrustes", "-m", "cka", "--out", out)
    assert result.exit_code == 0
    assert "VV004" in result.stdout
    text = out.read_text(encoding="utf-8")
    assert "fc × fc: " in text
    assert "What to do." in text
    assert "Evidence: " in text
    assert "2 of 2 best matches" in text
    assert "VV004" not in run("compare", *outlying, "--no-diagnose", "-o", out).stdout


def test_diagnosis_on_request(run, outlying):
    plain = machine(run("compare", *outlying, "--json"))
    told = machine(run("compare", *outlying, "--json", "--diagnose"))
    assert told["cka"]["plan"].pop("diagnosed") == "2 of 2 best matches"
    found = told["cka"].pop("findings")
    assert {each["code"] for each in found} >= {"VV004"}
    assert {each["code"] for each in plain["cka"].pop("findings")} <= {"VV005"}
    assert told == plain
    quiet = machine(run("compare", *outlying, "--json", "--diagnose", "--silence", "VV004"))
    assert "VV004" not in {each["code"] for each in quiet["cka"]["findings"]}


def test_layers_that_are_too_large_are_not_diagnosed(run, outlying):
    told = machine(run("compare", *outlying, "--json", "--diagnose", "--memory", "1MB"))
    assert told["cka"]["plan"]["diagnosed"] == "0 of 2 best matches"


def test_the_same_thing_is_said_once(run, tmp_path):
    rng = np.random.default_rng(0)
    layer = rng.normal(size=(200, 5))
    layer[7] = 60
    noisy = {f"fc{k}": layer + 0.1 * rng.normal(size=(200, 5)) for k in range(4)}
    np.savez(tmp_path / "a.npz", **noisy)
    np.savez(tmp_path / "b.npz", fc=layer)
    told = machine(run("compare", tmp_path / "a.npz", tmp_path / "b.npz", "--json", "--diagnose"))
    (found,) = [each for each in told["cka"]["findings"] if each["code"] == "VV004"]
    assert found["message"].count(" × fc") == 4
