"""Layers of two models on the same samples."""

import pytest
from tests.data_makers import related

from visavis.measures import Preparation

SHAPES = {"conv1": (6, 5), "conv2": (9, 7), "fc": (3, 4)}


def layers(n=24, seed=0, dtype="float64"):
    """Two sides of three layers each, the layers of a name related, of different widths."""
    a, b = {}, {}
    for number, (name, (p, q)) in enumerate(SHAPES.items()):
        X, Y = related(n=n, p=p, q=q, seed=10 * seed + number)
        a[name], b[name] = X.astype(dtype), Y.astype(dtype)
    return a, b


@pytest.fixture
def sides():
    """Three layers on either side, 24 samples."""
    return layers()


@pytest.fixture
def work(monkeypatch):
    """What is prepared and what meets, by key, while the test runs."""
    prepared, met = [], []
    original = Preparation.__init__

    def counting(self, key, run, meet, cross=None, *others, **facts):
        def counted_run(X):
            prepared.append((key, X.shape))
            return run(X)

        def counted_meet(x, y, *crossed):
            met.append((key, id(x), id(y)))
            return meet(x, y, *crossed)

        original(self, key, counted_run, counted_meet, cross, *others, **facts)

    monkeypatch.setattr(Preparation, "__init__", counting)
    return prepared, met
