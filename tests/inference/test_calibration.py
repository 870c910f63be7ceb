"""A short form of the calibration: intervals hold what they should, tests find nothing in nothing.

Seeds are fixed. A bound is crossed with a probability of less than `RISK` by an interval that holds
the value in 93 % of cases, or a test that rejects in 6 %.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from bench.calibration import coverage, populations, sizes, study
from scipy import stats

RISK = 1e-4
DOCS = Path(__file__).parents[2] / "docs"
COVERAGE = {each.name: each for each in coverage.studies()}
SIZES = {each.name: each for each in sizes.studies()}


def counted(one, repetitions):
    record = {"done": 0, "cells": {}}
    for repetition in range(repetitions):
        study.added(record, one, repetition)
    return record["cells"]


@pytest.mark.parametrize(
    ("name", "repetitions"),
    [
        ("interval; n=30; p/n=0.1; spectrum=1/k²", 100),
        ("interval; n=30; p/n=10; spectrum=flat", 100),
        ("interval; n=100; p/n=1; spectrum=1/k", 50),
        ("blocks; groups=20; sizes=equal; p/n=0.1", 60),
        ("blocks; groups=20; sizes=unequal; p/n=0.1", 60),
        ("two factors; design=a model; seeds=6; n=30; kind=unlike", 150),
        ("two factors; design=pairs; seeds=6; n=30; kind=alike", 150),
    ],
)
def test_intervals_hold_the_value_of_the_population(name, repetitions):
    least = stats.binom.ppf(RISK, repetitions, 0.93)
    held = {cell: sums["held"] for cell, sums in counted(COVERAGE[name], repetitions).items()}
    assert min(held.values()) >= least, held


@pytest.mark.parametrize(
    "name",
    [
        "permutations; t rows, n=60",
        "moments, else permutations; normal, n=30",
        "permutations, biased cka; ReLU, n=50",
        "moments, else permutations, biased cka; normal, n=30",
        "within classes; 5 classes, n=100",
        "of groups; 24 groups, n=96",
        "cyclic shifts; AR(0.9), n=200",
        "any of 4 x 4 layers, permutations; n=60",
        "any of 4 x 4 layers, moments, else permutations; n=60",
        "difference; copies, n=50",
        "group difference; 5 and 5 seeds",
        "drift; 19 seeds",
    ],
)
def test_tests_find_nothing_in_nothing(name):
    most = stats.binom.ppf(1 - RISK, 150, 0.06)
    [sums] = counted(SIZES[f"size; {name}"], 150).values()
    assert sums["rejected"] <= most
    assert sums.get("best", 0) <= most


@pytest.mark.parametrize(
    "name",
    [
        "across classes (wrong); 5 classes, n=100",
        "of rows in groups (wrong); 24 groups, n=96",
        "rows of a series (wrong); AR(0.9), n=200",
    ],
)
def test_what_the_others_avoid_is_there(name):
    [sums] = counted(SIZES[f"size; {name}"], 40).values()
    assert sums["rejected"] > stats.binom.ppf(1 - RISK, 40, 0.06)


def test_where_an_interval_must_fail_it_says_so():
    [sums] = counted(COVERAGE["hard; n=60; kind=3 lognormal features"], 100).values()
    assert sums["held"] < stats.binom.ppf(RISK, 100, 0.95)
    missed = 100 - sums["held"]
    assert sums["told"] > missed


def sample_value(x, y):
    """Linear CKA of a large sample, of its covariances."""
    x, y = x - x.mean(0), y - y.mean(0)
    return populations.value(x.T @ y, x.T @ x, y.T @ y)


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (populations.few_rows, populations.FEW_ROWS),
        (lambda random, n: populations.skewed(random, n, 1), 0.9),
        (lambda random, n: populations.skewed(random, n, 3), 0.9),
    ],
)
def test_values_of_populations_are_those_of_large_samples(draw, truth):
    assert sample_value(*draw(np.random.default_rng(0), 400_000)) == pytest.approx(truth, abs=0.02)


@pytest.mark.parametrize("tails", populations.TAILS)
@pytest.mark.parametrize("signal", [0.1, 0.9])
def test_gram_matrices_are_those_of_rows_with_that_value(signal, tails):
    grams = populations.Grams(np.random.default_rng(0), 600, 3, "1/k")
    K, L = grams.sample(signal, tails)
    # Features with these Gram matrices: the roots of what has rank 3, and 3 on the other side.
    x, y = (
        vectors[:, -6:] * np.sqrt(np.abs(values[-6:]))
        for values, vectors in map(np.linalg.eigh, (K, L))
    )
    assert sample_value(x, y) == pytest.approx(signal, abs=0.12)
    shares = np.linalg.eigvalsh(K)[:-4:-1] / 600
    np.testing.assert_allclose(shares, [1, 1 / 2, 1 / 3], rtol=0.3)


def test_groups_share_what_they_should():
    labels = np.repeat(np.arange(4000), 5)
    rows = populations.grouped(np.random.default_rng(0), labels, 3, 0.5).reshape(4000, 5, 3)
    assert rows.var() == pytest.approx(1, abs=0.05)
    assert (rows[:, 0] * rows[:, 1]).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("design", ["a model", "pairs", "all pairs"])
def test_the_mean_over_seeds_is_that_of_large_samples(design):
    seeds = populations.Seeds("unlike")
    truth, error = seeds.truth(design, draws=20_000)
    random = np.random.default_rng(3)
    found = []
    for _ in range(150):
        X, *rest = seeds.sample(random, 3000, 2, design)
        partner = X[1] if not rest else rest[0] if design == "a model" else rest[0][0]
        found.append(sample_value(X[0], partner))
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found) / np.sqrt(150) + error)


def test_a_run_that_stops_goes_on(tmp_path):
    name = "interval; n=30; p/n=0.1; spectrum=flat"
    for repetitions in (2, 5):
        study.run([COVERAGE[name]], tmp_path / "parts.json", repetitions=repetitions)
    study.run([COVERAGE[name]], tmp_path / "whole.json", repetitions=5)
    parts, whole = (study.load(tmp_path / f"{name}.json") for name in ("parts", "whole"))
    assert parts == whole
    assert parts[name]["done"] == 5
    study.run([COVERAGE[name]], tmp_path / "parts.json", repetitions=5)
    assert study.load(tmp_path / "parts.json") == whole


def test_the_page_is_up_to_date_and_of_all_studies():
    [(name, text)] = runpy.run_path(str(DOCS / "calibration.py"))["pages"]().items()
    assert (DOCS / name).read_text(encoding="utf-8") == text, "run `make docs`"
    held = json.loads((DOCS / "calibration.json").read_text("utf-8"))
    planned = {name: each.repetitions for name, each in {**COVERAGE, **SIZES}.items()}
    assert held.keys() == planned.keys()
    # A run may go on for longer than was planned.
    assert [name for name, least in planned.items() if held[name]["done"] < least] == []
