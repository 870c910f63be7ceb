"""`visavis test`: how sure the best matches of two files are."""

import json

import numpy as np
import pytest

import visavis as vv


@pytest.fixture
def matches(run, files):
    result = run("test", *files, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_intervals_and_pvalues_are_those_of_python(matches, files):
    a, b = (vv.load(path) for path in files)
    assert [line["layer"] for line in matches["matches"]] == list(a)
    for line in matches["matches"]:
        X, Y = (
            side[name].reshape(60, -1)
            for side, name in ((a, line["layer"]), (b, line["best match"]))
        )
        interval = vv.inference.jackknife(X, Y)
        assert (line["low"], line["high"]) == pytest.approx((interval.low, interval.high))
        assert line["value"] == pytest.approx(float(vv.cka(X, Y)))
        assert line["p of the pair"] <= line["p of the search"] + 1e-12
    searches = [line["p of the search"] for line in matches["matches"]]
    expected = vv.inference.false_discovery(searches)
    assert [line["q"] for line in matches["matches"]] == pytest.approx(expected)


def test_table(run, files):
    result = run("test", *files, "--level", "0.9", "--permutations", "120")
    assert result.exit_code == 0
    assert "cka, 60 samples, 90 % intervals, 120 permutations" in result.stdout
    assert "best match" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--measure", "procrustes"], "must be debiased cka"),
        (["--level", "2"], "`level` must lie between 0 and 1"),
        (["--align", "outer"], "`align` must be one of"),
    ],
)
def test_mistakes(arguments, message, refused, files):
    assert message in refused("test", *files, *arguments)


@pytest.fixture
def spoilt(tmp_path):
    """Two files of one layer: classes alone, in the first a row that is far out, in half."""
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(4), 30)
    means = 4 * random.normal(size=(4, 10))
    X, Y = (means[classes] + random.normal(size=(120, 10)) for _ in "ab")
    X[7] += 400
    ids = np.array([f"img{i}" for i in range(120)])
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    np.savez(paths[0], fc=X.astype("float16"), ids=ids)
    np.savez(paths[1], fc=Y, ids=ids)
    (tmp_path / "labels.txt").write_text("".join(f"kind {k}\n" for k in classes), "utf-8")
    np.save(tmp_path / "labels.npy", classes)
    return paths


def told(run, *arguments):
    result = run("test", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["findings"]


def test_diagnosis(run, spoilt):
    found = told(run, *spoilt)
    # What is said of all layers is said once, and of no pair.
    assert [(each["code"], each["rows"]) for each in found if each["rows"] is None] == [
        ("VV015", None)
    ]
    by_code = {each["code"]: each for each in found}
    few = by_code["VV004"]
    assert (few["rows"], few["cols"], few["layers"]) == ("fc", "fc", ["fc of A"])
    assert few["evidence"]["rows"] == "img7"
    assert by_code["VV005"]["evidence"]["rows"] == "img7"
    [interval] = told(run, *spoilt, "--no-diagnose")
    assert interval["message"].startswith("this interval rests on few rows: row 7")


@pytest.mark.parametrize("name", ["labels.txt", "labels.npy"])
def test_labels(run, spoilt, name):
    b = spoilt[1]
    found = told(run, b, b, "--labels", b.parent / name)
    assert "VV009" in [each["code"] for each in found]
    shown = run("test", b, b, "--labels", b.parent / name)
    assert "fc, fc:" in shown.stdout
    assert "VV009 score explained by class labels" in shown.stdout
    assert "VV009" not in [each["code"] for each in told(run, b, b)]


def test_labels_follow_the_samples_that_are_kept(run, spoilt):
    a, b = spoilt
    with np.load(b) as file:
        kept = np.random.default_rng(1).permutation(120)[:100]
        np.savez(a, fc=file["fc"][kept], ids=file["ids"][kept])
    labels = b.parent / "labels.npy"
    found = told(run, b, a, "--align", "inner", "--labels", labels)
    assert [each["code"] for each in found if each["rows"] is None] == ["VV001"]
    alone = next(each for each in found if each["code"] == "VV009")
    assert alone["evidence"]["classes_alone"] > 0.8


@pytest.fixture
def passed_on(tmp_path):
    """Two files of layers that are their inputs with noise, and the inputs as images."""
    random = np.random.default_rng(0)
    images = random.normal(size=(80, 2, 3))
    for name in "ab":
        layer = images.reshape(80, 6) + 0.2 * random.normal(size=(80, 6))
        np.savez(tmp_path / f"{name}.npz", fc=layer, ids=np.arange(80))
    np.save(tmp_path / "images.npy", images)
    return tmp_path / "a.npz", tmp_path / "b.npz"


def test_inputs(run, refused, passed_on):
    images = passed_on[0].parent / "images.npy"
    codes = [each["code"] for each in told(run, *passed_on, "--inputs", images)]
    assert "VV018" in codes
    assert "VV018" not in [each["code"] for each in told(run, *passed_on)]
    few = passed_on[0].parent / "few.npy"
    np.save(few, np.ones((7, 2)))
    message = refused("test", *passed_on, "--inputs", few)
    assert "test: `inputs` must have one entry for each of the 80 samples of A, got 7" in message


def test_inputs_follow_the_samples_that_are_kept(run, passed_on):
    a, b = passed_on
    with np.load(b) as file:
        kept = np.random.default_rng(1).permutation(80)[:60]
        np.savez(b, fc=file["fc"][kept], ids=file["ids"][kept])
    found = told(run, a, b, "--align", "inner", "--inputs", a.parent / "images.npy")
    assert "VV018" in [each["code"] for each in found]


@pytest.fixture
def grouped(monkeypatch):
    """Two recordings of one layer, whose rows belong together: a function of the groups."""

    def make(groups, p=30):
        random = np.random.default_rng(0)
        shared = random.normal(size=(2, max(groups) + 1, p))[:, groups]
        made = {
            name: vv.Activations(
                {"fc": side + random.normal(size=(len(groups), p))}, groups=list(map(int, groups))
            )
            for name, side in zip("ab", shared, strict=True)
        }
        monkeypatch.setattr(vv.store, "load", lambda path: made[str(path)])
        return made

    return make


def test_rows_of_a_group_change_places_together(run, grouped):
    groups = np.repeat(np.arange(20), 4)
    a, b = grouped(groups).values()
    result = json.loads(run("test", "a", "b", "--json").stdout)
    assert result["method"] == "permutations of groups"
    expected = vv.inference.permutation_test(a["fc"], b["fc"], groups=groups)
    [line] = result["matches"]
    assert line["p of the pair"] == pytest.approx(expected.pvalue)
    assert line["p of the pair"] > 0.05 > vv.inference.permutation_test(a["fc"], b["fc"]).pvalue


def test_groups_that_cannot_change_places(run, grouped):
    grouped(np.repeat(np.arange(7), np.arange(5, 12)), p=3)
    assert any("no two groups are of one size" in each["message"] for each in told(run, "a", "b"))


def test_wrong_labels(refused, files, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n", "utf-8")
    message = refused("test", *files, "--labels", tmp_path / "labels.txt")
    assert "test: `labels` must have one entry for each of the 60 samples of A, got 2" in message
    message = refused("test", *files, "--labels", files[0])
    assert "test: `labels` must hold one array with an entry for each sample" in message


def test_a_dead_layer_is_named(refused, files, tmp_path):
    np.savez(tmp_path / "dead.npz", dead=np.ones((60, 3)))
    assert "`dead` must vary over the samples" in refused("test", files[0], tmp_path / "dead.npz")
