"""Representation topology divergence: known shapes, the code of its authors, subsets."""

import sys

import numpy as np
import pytest
import ripser
from scipy.spatial.distance import pdist, squareform
from tests import oracles
from tests.data_makers import related
from tests.oracles.topology import bars

import visavis as vv


def clusters(corners, n=60, seed=0):
    noise = 0.1 * np.random.default_rng(seed).normal(size=(n, 2))
    return np.array(corners)[np.arange(n) % len(corners)] + noise


def circle(n, open_by=0.0):
    angle = np.linspace(0, (2 - open_by) * np.pi, n, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_the_oracle_finds_the_bars_of_a_square():
    # Four samples that are one point on the other side are joined there at 0, and here at 1.
    square = squareform(pdist(np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])))
    found = sorted((float(b), float(d)) for b, d in bars(square, np.zeros((4, 4))) if d > b)
    assert found == [(0, 1)] * 3
    # The other way there is nothing: what both together join at 0 is joined at 0 in the point.
    assert not [1 for b, d in bars(np.zeros((4, 4)), square) if d > b]


def test_the_oracle_finds_a_loop_that_one_side_alone_has():
    # The ends of a line of four are 3 apart, in the square 1: the loop closes at 1, and is filled
    # by the diagonal at √2.
    line = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))
    square = squareform(pdist(np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])))
    found = [(float(b), float(d)) for b, d in bars(line, square) if d > b]
    assert found == [(1, pytest.approx(2**0.5))]


@pytest.mark.parametrize("n", [3, 4, 5, 8, 12])
@pytest.mark.parametrize("seed", range(3))
def test_few_samples(n, seed):
    X, Y = related(n=n, seed=seed)
    assert float(vv.rtd(X, Y)) == pytest.approx(oracles.rtd(X, Y), rel=1e-13, abs=1e-15)


def test_whole_numbers_have_many_equal_distances():
    X, Y = np.random.default_rng(0).integers(0, 3, size=(2, 30, 2))
    assert float(vv.rtd(X, Y)) == pytest.approx(oracles.rtd(X, Y), rel=1e-13)


@pytest.mark.parametrize("n", [20, 60, 120])
def test_the_matrix_of_the_authors_has_the_same_bars(n):
    X, Y = related(n=n)
    w, v = (squareform(pdist(Z)) for Z in (X, Y))
    w, v = w / np.quantile(w, 0.9), v / np.quantile(v, 0.9)
    total = 0.0
    for one, other in ((w, v), (v, w)):
        graph = np.block([[np.zeros((n, n)), one], [one, np.minimum(one, other)]])
        births, deaths = ripser.ripser(graph, distance_matrix=True)["dgms"][1].T
        total += (deaths - births).sum() / 2
    # They compute in float32.
    assert float(vv.rtd(X, Y)) == pytest.approx(total, rel=1e-5)


# Shapes.


def test_isometries_and_scale():
    X = clusters([[0, 0], [5, 0], [0, 5]])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    assert float(vv.rtd(X, X)) == 0
    assert float(vv.rtd(X, 100 * X @ turn + 7)) == pytest.approx(0, abs=1e-12)
    # In other dimensions as well.
    assert float(vv.rtd(X, np.hstack([X, np.ones((60, 3))]))) == pytest.approx(0, abs=1e-12)


def test_clusters_that_merge():
    three = [[0, 0], [5, 0], [0, 5]]
    X = clusters(three)
    again, moved = clusters(three, seed=1), clusters([[5, 0], [0, 5], [0, 0]], seed=0)
    two = clusters([[0, 0], [5, 0], [5, 0]], seed=0)
    merged = float(vv.rtd(X, two))
    assert float(vv.rtd(X, moved)) < 0.1 * merged
    assert float(vv.rtd(X, again)) < merged
    # Samples of two clusters that meet where the three are 5 apart, over a quantile of about 7.
    assert merged > 0.2


def test_a_circle_that_opens():
    # All samples keep their neighbours, and the loop goes.
    values = [float(vv.rtd(circle(60), circle(60, by))) for by in (0.0, 0.2, 0.5, 1.0)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[-1] > 0.2


def test_it_grows_with_the_number_of_samples():
    few, many = (float(vv.rtd(*related(n=n))) for n in (50, 200))
    assert many > 2 * few


# Subsets.


def test_subsets_are_drawn_once_for_all_and_averaged():
    X, Y = related(n=90)
    value = float(vv.rtd(X, Y, batch=40, trials=3, seed=5))
    rng = np.random.default_rng(5)
    rows = [rng.choice(90, 40, replace=False) for _ in range(3)]
    assert value == pytest.approx(np.mean([oracles.rtd(X[r], Y[r]) for r in rows]), rel=1e-12)
    assert value == float(vv.rtd(X, Y, batch=40, trials=3, seed=5))
    assert value != float(vv.rtd(X, Y, batch=40, trials=3, seed=6))
    assert float(vv.rtd(X, X, batch=40)) == 0


@pytest.mark.parametrize("batch", [90, 500])
def test_all_rows_are_one_subset(batch):
    X, Y = related(n=90)
    expected = float(vv.rtd(X, Y))
    assert float(vv.rtd(X, Y, batch=batch, trials=7, seed=3)) == expected


def test_compare_prepares_each_layer_once(monkeypatch):
    from visavis.measures import topology

    seen = []
    of = topology._Distances.of
    monkeypatch.setattr(
        topology._Distances, "of", lambda X, options: seen.append(1) or of(X, options)
    )
    X, Y = related(n=30)
    layers = {"a": X, "b": Y, "c": X + 1}
    res = vv.compare(layers, layers, measure="rtd(batch=20,trials=2)")
    assert len(seen) <= 6
    assert res.values[0, 1] == float(vv.rtd(X, Y, batch=20, trials=2))


# Hostile input.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("by", [1e-8, 1e8])
def test_scales(dtype, by):
    X, Y = (Z.astype(dtype) for Z in related(n=30))
    expected = oracles.rtd(X, Y)
    answer = vv.rtd(X * dtype(by), Y)
    assert answer.dtype == dtype
    assert float(answer) == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-12)


def test_rows_that_repeat():
    X, Y = related(n=20)
    X, Y = np.repeat(X, 3, axis=0), np.repeat(Y, 3, axis=0)
    assert float(vv.rtd(X, Y)) == pytest.approx(oracles.rtd(X, Y), rel=1e-12)


def test_rows_that_are_nearly_all_one():
    X, Y = related(n=40)
    X[1:] = X[1]
    match = r"rtd: `X` has no scale: nine in ten of the distances between 40 of its rows are zero"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.rtd(X, Y)
    with pytest.raises(vv.DegenerateInputError, match="rtd: `Y` has no scale"):
        vv.rtd(Y, X)


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"batch": 2}, "`batch` must be from 3 to 4096, got 2"),
        ({"batch": 5000}, "`batch` must be from 3 to 4096, got 5000"),
        ({"batch": 10.0}, "`batch` must be a whole number"),
        ({"trials": 0}, "`trials` must be a whole number, 1 or more"),
        ({"seed": -1}, "`seed` must be a whole number, 0 or more"),
        ({"seed": "zero"}, "`seed` must be a whole number, 0 or more"),
    ],
    ids=str,
)
def test_options_that_there_are_not(option, match):
    with pytest.raises(ValueError, match=match):
        vv.rtd(*related(), **option)


def test_without_ripser(monkeypatch):
    monkeypatch.setitem(sys.modules, "ripser", None)
    with pytest.raises(ImportError, match=r'rtd needs ripser.*pip install "visavis\[topology\]"'):
        vv.rtd(*related())
