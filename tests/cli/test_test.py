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


def test_a_dead_layer_is_named(refused, files, tmp_path):
    np.savez(tmp_path / "dead.npz", dead=np.ones((60, 3)))
    assert "`dead` must vary over the samples" in refused("test", files[0], tmp_path / "dead.npz")
