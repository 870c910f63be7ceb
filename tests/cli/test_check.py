"""``visavis check``: whether files are fit to be compared, and what is wrong with them."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pytest
import zarr
from pyarrow import parquet
from safetensors.numpy import save_file

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(20, 3))
IDS = np.array([f"img{i}" for i in range(20)])


@pytest.fixture
def file(tmp_path):
    """Write a file of layers; its path."""

    def written(name="x.npz", **layers):
        path = tmp_path / name
        np.savez(path, **layers)
        return path

    return written


@pytest.fixture
def problems(run):
    """What `check --json` finds wrong, by the name of the file."""

    def found(*paths):
        result = run("check", *paths, "--json")
        reports = json.loads(result.stdout)
        assert result.exit_code == int(any(each["problems"] for each in reports.values()))
        return [reports[str(path)]["problems"] for path in paths]

    return found


def test_a_file_without_faults(run, file):
    path = file(conv=RANDOM.normal(size=(20, 3, 4, 4)), fc=X, ids=IDS)
    result = run("check", path)
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        f"ok      {path}",
        "  20 samples (with ids), layers:",
        "    conv (20, 3, 4, 4)",
        "    fc (20, 3)",
    ]


def test_report_for_machines(run, file):
    path = file(fc=X)
    result = run("check", path, "--json")
    assert json.loads(result.stdout) == {
        str(path): {"samples": 20, "ids": False, "layers": {"fc": [20, 3]}, "problems": []}
    }


def with_value(value, row=7, column=2):
    spoiled = X.copy()
    spoiled[row, column] = value
    return spoiled


LAYERS = {
    "nan": (
        with_value(np.nan),
        "fc: 1 of 60 values not finite, the first (nan) at row 7, column 2",
    ),
    "inf": (
        with_value(-np.inf, 0, 1),
        "fc: 1 of 60 values not finite, the first (-inf) at row 0, column 1",
    ),
    "constant": (np.full((20, 3), 0.1), "fc: the layer is constant over all samples"),
    "constant maps": (np.zeros((20, 2, 3, 3)), "fc: the layer is constant over all samples"),
    "constant integers": (np.full(20, 7), "fc: the layer is constant over all samples"),
    "complex": (X + 1j, "fc: dtype complex128 cannot be compared"),
    "text": (IDS, "fc: dtype <U5 cannot be compared"),
    "no features": (np.zeros((20, 0)), "fc: shape (20, 0) holds no values"),
    "no samples": (X[:0], "0 samples: a comparison needs 4 and wants a few hundred"),
    "few samples": (X[:3], "3 samples: a comparison needs 4 and wants a few hundred"),
}


@pytest.mark.parametrize(("layer", "problem"), LAYERS.values(), ids=LAYERS)
def test_layers_with_faults(run, problems, file, layer, problem):
    path = file(fc=layer)
    assert problems(path) == [[problem]]
    result = run("check", path)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"problem {path}\n")
    assert f"\n  {problem}\n" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    "layer",
    [X.astype("f2"), (10 * X).astype(int), X > 0, X[:, 0], X * 1e300, X * 1e-300],
    ids=["half", "integers", "booleans", "one number each", "huge", "tiny"],
)
def test_layers_without_faults(problems, file, layer):
    assert problems(file(fc=layer)) == [[]]


def test_half_precision_of_safetensors(problems, tmp_path):
    save_file({"fc": X.astype("f2")}, tmp_path / "x.safetensors")
    assert problems(tmp_path / "x.safetensors") == [[]]


# Formats.


def hdf5(path, X):
    with h5py.File(path, "w") as file:
        file["net/fc"] = X
        file["ids"] = IDS.tolist()


def zarr_2(path, X):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("net/fc", data=X)
    group.create_array("ids", data=IDS)


def lists(path, X):
    parquet.write_table(pa.table({"id": IDS, "net/fc": X.tolist()}), path)


FORMATS = {"x.h5": hdf5, "x.hdf5": hdf5, "x.zarr": zarr_2, "x.parquet": lists}


@pytest.mark.parametrize(("name", "write"), FORMATS.items(), ids=FORMATS)
def test_formats(run, problems, tmp_path, name, write):
    path = tmp_path / name
    write(path, X)
    assert [line.rstrip() for line in run("check", path).stdout.splitlines()] == [
        f"ok      {path}",
        "  20 samples (with ids), layers:",
        "    net/fc (20, 3)",
    ]
    spoiled = tmp_path / f"spoiled-{name}"
    write(spoiled, with_value(np.nan))
    assert problems(spoiled) == [
        ["net/fc: 1 of 60 values not finite, the first (nan) at row 7, column 2"]
    ]


def test_formats_of_the_same_samples(problems, file, tmp_path):
    paths = [tmp_path / name for name in FORMATS]
    for path, write in zip(paths, FORMATS.values(), strict=True):
        write(path, X)
    assert problems(file(fc=X, ids=IDS), *paths) == [[]] * 5


def test_tables(problems, tmp_path):
    path = tmp_path / "x.csv"
    np.savetxt(path, X, "%.17g", ",", header="a,b,c", comments="")
    assert problems(path) == [[]]
    path.write_text("a,b\n1,2\n3,\n")
    [[problem]] = problems(path)
    assert "column 'b' must have a value in every row, got none in row 1" in problem


def test_every_layer_with_a_fault_is_named(problems, file):
    path = file(a=np.zeros((20, 2)), good=X, b=with_value(np.nan))
    assert [each.split(":")[0] for each in problems(path)[0]] == ["a", "b"]


def test_files_that_cannot_be_read(problems, file, tmp_path):
    good, broken = file(fc=X), tmp_path / "broken.npz"
    broken.write_text("layer,value\n")
    found = problems(good, broken, tmp_path / "nowhere.npy", tmp_path / "x.pt", tmp_path)
    assert found[0] == []
    assert found[1] == [f"load: {broken} cannot be read as .npz: it is not a zip archive."]
    assert found[2] == [f"load: {tmp_path / 'nowhere.npy'} must be a file, got no such file."]
    assert "`path` must end in .npy, .npz, .safetensors, .h5, " in found[3][0]
    assert "got 'x.pt'. Save arrays with numpy.savez" in found[3][0]
    assert "or a finished store, got a folder without a manifest" in found[4][0]


def test_a_pickle_is_a_problem(problems, tmp_path):
    np.save(tmp_path / "x.npy", np.full(20, {}, object), allow_pickle=True)
    assert "which visavis never loads" in problems(tmp_path / "x.npy")[0][0]


# Several files.


def test_the_same_samples(problems, file):
    assert problems(file("a.npz", fc=X), file("b.npz", fc=X)) == [[], []]
    assert problems(file("a.npz", fc=X, ids=IDS), file("b.npz", fc=X, ids=IDS)) == [[], []]
    assert problems(file("a.npz", fc=X, ids=IDS), file("b.npz", fc=X)) == [[], []]


def test_other_numbers_of_samples(problems, file):
    a, b, c = file("a.npz", fc=X), file("b.npz", fc=X[:19]), file("c.npz", fc=X)
    assert problems(a, b, c) == [[], [f"19 samples, but {a} has 20"], []]


def test_a_file_that_cannot_be_read_is_no_measure_of_others(problems, file, tmp_path):
    found = problems(tmp_path / "nowhere.npz", file("a.npz", fc=X), file("b.npz", fc=X[:9]))
    assert found[1] == []
    assert found[2] == [f"9 samples, but {tmp_path / 'a.npz'} has 20"]


def test_other_ids(problems, file):
    a, b = file("a.npz", fc=X, ids=IDS), file("b.npz", fc=X, ids=IDS[::-1])
    [good, [problem]] = problems(a, b)
    assert good == []
    assert problem.startswith(f"other samples than {a} (a: {a}, b: this one). VV001 compare: ")
    assert "the same 20 ids in another order" in problem


def test_more_samples_with_ids(problems, file):
    a, b = file("a.npz", fc=X, ids=IDS), file("b.npz", fc=X[:19], ids=IDS[:19])
    assert problems(a, b) == [[], [f"19 samples, but {a} has 20"]]


def test_names_are_shown_as_they_are(run, tmp_path):
    path = tmp_path / "[red]x[_red].safetensors"
    names = "[/]", "two\nlines", "\x1b[31mred"
    save_file({name: np.zeros((20, 2)) for name in names}, path)
    out = run("check", path).stdout
    assert f"problem {path}\n" in out
    assert "  [/]: the layer is constant over all samples\n" in out
    assert "    two\\nlines (20, 2)\n" in out
    assert "  \\x1b[31mred: the layer is constant" in out
    assert "\x1b" not in out
