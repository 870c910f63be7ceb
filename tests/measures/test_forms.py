"""Linear HSIC in Gram form, in feature form and from sums: one number, by the cheaper road."""

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from tests import oracles
from tests.data_makers import HOSTILE, related
from tests.measures.records import few_examples

import visavis as vv
from visavis._core import checks
from visavis.measures import Shapes, alignment
from visavis.measures.alignment import cheaper_form
from visavis.stats import Features, Gram, crossed, gram, summed

NARROW, WIDE = {"n": 60, "p": 5, "q": 7}, {"n": 12, "p": 40, "q": 30}
DATA = {
    "narrow": lambda: related(**NARROW),
    "wide": lambda: related(**WIDE),
    "narrow and offset": lambda: HOSTILE["offset"](**NARROW),
    "wide and offset": lambda: HOSTILE["offset"](**WIDE),
    "tiny": lambda: HOSTILE["scaled"](by=1e-18, **NARROW),
    "huge": lambda: HOSTILE["scaled"](by=1e18, **NARROW),
    "dead columns": lambda: HOSTILE["dead_columns"](**NARROW),
}
every_data = pytest.mark.parametrize("data", DATA)
both_estimators = pytest.mark.parametrize("estimator", ["biased", "debiased"])
both_dtypes = pytest.mark.parametrize(("dtype", "rel"), [("float64", 1e-12), ("float32", 2e-6)])


class GramForm:
    def __init__(self, X, Y):
        self.x, self.y = (Gram.of(Z, vv.kernels.linear()) for Z in (X, Y))

    def hsic(self, estimator):
        # In float64: the square of a unit may leave the range of float32.
        value = float(self.x.hsic(self.y, estimator))
        return value / float(self.x.unit) ** 2 / float(self.y.unit) ** 2

    def norms(self, estimator):
        return [float(z.norm(estimator)) / float(z.unit) ** 2 for z in (self.x, self.y)]

    def traces(self):
        return [float(z.trace()) / float(z.unit) ** 2 for z in (self.x, self.y)]


class FeatureForm(GramForm):
    def __init__(self, X, Y):
        self.x, self.y = Features.of(X), Features.of(Y)


class SummedForm(GramForm):
    def __init__(self, X, Y):
        with checks.quiet():  # a sum that overflows tells that a unit is needed
            self.sums = summed((X, Y))
        self.units = [float(unit) ** 2 for unit in self.sums.units]

    def hsic(self, estimator):
        return float(self.sums.hsic(0, 1, estimator)) / self.units[0] / self.units[1]

    def norms(self, estimator):
        return [float(self.sums.norm(i, estimator)) / self.units[i] for i in (0, 1)]

    def traces(self):
        return [float(self.sums.trace(i)) / self.units[i] for i in (0, 1)]


every_form = pytest.mark.parametrize("form", [GramForm, FeatureForm, SummedForm])


@every_form
@both_estimators
@every_data
@both_dtypes
def test_hsic(form, estimator, data, dtype, rel):
    X, Y = (Z.astype(dtype) for Z in DATA[data]())
    held = form(X, Y)
    expected = oracles.hsic(X, Y, estimator=estimator)
    size = np.sqrt(
        oracles.hsic(X, X, estimator=estimator) * oracles.hsic(Y, Y, estimator=estimator)
    )
    assert held.hsic(estimator) == pytest.approx(expected, rel=rel, abs=rel * size)


@every_form
@both_estimators
@every_data
@both_dtypes
def test_norm(form, estimator, data, dtype, rel):
    X, Y = (Z.astype(dtype) for Z in DATA[data]())
    expected = [np.sqrt(oracles.hsic(Z, Z, estimator=estimator)) for Z in (X, Y)]
    assert form(X, Y).norms(estimator) == pytest.approx(expected, rel=rel)


@every_form
@every_data
@both_dtypes
def test_trace_of_the_centred_gram_matrix(form, data, dtype, rel):
    X, Y = (Z.astype(dtype) for Z in DATA[data]())
    expected = [float((oracles.centred(Z) ** 2).sum()) for Z in (X, Y)]
    assert form(X, Y).traces() == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("kernel", [vv.kernels.rbf(0.5), vv.kernels.cosine()], ids=str)
def test_trace_with_a_kernel_that_does_not_centre(kernel):
    X, _ = related(**NARROW)
    K = oracles.double_centred(kernel.gram(X))
    assert float(Gram.of(X, kernel).trace()) == pytest.approx(float(np.trace(K)), rel=1e-12)


@every_form
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [10, 50])
def test_samples_that_are_all_equally_far_apart_have_norm_zero(form, dtype, n):
    # What the formula leaves of it is rounding error, and no number to divide by.
    X = np.eye(n, dtype=dtype)
    assert form(X, X).norms("debiased") == [0, 0]
    assert np.all(np.array(form(X, X).norms("biased")) > 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("kernel", "q"),
    [
        ("linear", 3),
        ("linear", 200),
        ("rbf", 3),
        ("laplacian", 3),
        ("cosine", 3),
        ("polynomial", 3),
    ],
)
@pytest.mark.parametrize("n", [7, 50])
def test_samples_that_are_all_equally_far_apart_have_no_cka(dtype, kernel, q, n):
    X, Y = np.eye(n, dtype=dtype), related(n=n, q=q)[1].astype(dtype)
    with pytest.raises(vv.DegenerateInputError, match=r"cka: .* equally far from each other"):
        vv.cka(X, Y, kernel=(kernel, "linear"))


def gram_cost(n, x, y):
    """n² per feature of every layer and per pair of layers, and the handling of its entries."""
    return n**2 * (sum(x) + sum(y) + len(x) * len(y) + alignment._PER_ENTRY * (len(x) + len(y)))


def feature_cost(n, x, y):
    """n·p·q per pair in multiplications and additions, and n·p² once per layer."""
    return n * (2 * sum(x) * sum(y) + sum(p**2 for p in [*x, *y]))


layers = st.lists(st.integers(1, 5000), min_size=1, max_size=4).map(tuple)


@few_examples
@drawn(n=st.integers(2, 5000), x=layers, y=layers)
def test_the_cheaper_form_is_chosen(n, x, y):
    cheaper = "gram" if gram_cost(n, x, y) < feature_cost(n, x, y) else "features"
    assert cheaper_form(Shapes(n, x, y)) == cheaper


@pytest.mark.parametrize(
    ("n", "p", "q", "form"),
    [(10_000, 512, 512, "features"), (2_000, 16_384, 16_384, "gram"), (1_000, 10, 10_000, "gram")],
)
def test_the_form_of_usual_shapes(n, p, q, form):
    assert cheaper_form(Shapes(n, (p,), (q,))) == form


@few_examples
@drawn(x=layers, y=layers)
def test_more_rows_speak_for_features(x, y):
    chosen = [cheaper_form(Shapes(n, x, y)) for n in (4, 40, 400, 4000, 400_000_000)]
    assert chosen == sorted(chosen, reverse=True)  # "gram" while it lasts, then "features"
    assert chosen[-1] == "features"


@pytest.fixture
def taken(monkeypatch):
    """The names of the statistics that alignment asks for, in order."""
    names = []

    def spied(name, function):
        def call(*args):
            names.append(name)
            return function(*args)

        return call

    monkeypatch.setattr(alignment, "summed", spied("summed", summed))
    monkeypatch.setattr(alignment.Gram, "of", spied("gram", Gram.of))
    return names


@pytest.mark.parametrize("function", [vv.cka, vv.hsic])
@both_estimators
@pytest.mark.parametrize(("shape", "road"), [(NARROW, ["summed"]), (WIDE, ["gram", "gram"])])
def test_both_roads_are_taken(taken, function, estimator, shape, road):
    shape = shape | ({"p": 400} if road[0] == "gram" else {})
    X, Y = related(**shape)
    answer = float(function(X, Y, estimator=estimator))
    assert taken == road
    expected = getattr(oracles, function.__name__)(X, Y, estimator=estimator)
    assert answer == pytest.approx(expected, rel=1e-11)


def test_a_kernel_other_than_linear_needs_the_gram_matrix(taken):
    vv.cka(*related(n=200), kernel=(vv.kernels.linear(), vv.kernels.rbf()))
    assert taken == ["gram", "gram"]


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (Shapes(200, (30,), (30,)), Features),
        (Shapes(12, (400,), (300,)), Gram),
        (Shapes(200, (30,) * 40, (30,) * 40), Gram),
    ],
)
def test_the_engine_prepares_the_form_that_is_cheaper_for_all_layers_together(shapes, kind):
    assert cheaper_form(shapes) == ("gram" if kind is Gram else "features")
    X, _ = related(n=shapes.n, p=shapes.x[0])
    measure = vv.registry["cka"]
    assert type(measure.prepare(measure.settings, 0, shapes).run(X)) is kind


@pytest.mark.parametrize("entries", [1, 100, 2**15])
@pytest.mark.parametrize(("dtype", "rel"), [("float64", 1e-12), ("float32", 1e-6)])
def test_products_of_many_layers_are_those_of_each_pair(entries, dtype, rel, monkeypatch):
    monkeypatch.setattr(gram, "CROSSED_ENTRIES", entries)
    random = np.random.default_rng(0)
    sides = [
        [
            Gram.of(random.normal(size=(20, 3 + k)).astype(dtype), vv.kernels.linear())
            for k in range(c)
        ]
        for c in (3, 2)
    ]
    together = crossed(*sides)
    assert together.dtype == np.float64
    alone = [[float((x.hollow.astype(float) * y.hollow).sum()) for y in sides[1]] for x in sides[0]]
    norms = [[float(np.linalg.norm(each.hollow)) for each in side] for side in sides]
    assert np.all(np.abs(together - alone) <= rel * np.outer(*norms))
    np.testing.assert_allclose(crossed(sides[0], sides[0]).T, crossed(sides[0], sides[0]))
