"""Each layer prepared once, each pair met once, and the plan that says so."""

import sys
from contextlib import contextmanager

import numpy as np
from tests.data_makers import related
from tests.pairs.tables import compared, each_pair

import visavis as vv
from visavis.kernels import rbf


def test_each_layer_is_prepared_once_and_each_pair_meets_once(sides, work):
    prepared, met = work
    res = compared(*sides, measures=["cca", "svcca", "pwcca", "linear_regression"])
    assert len(prepared) == 6
    assert len(set(prepared)) == 6
    assert len(met) == len(set(met)) == 9
    plan = {"form": "axes", "preparations": 6, "pairs": 9, "groups": [1, 1], "tasks": 1}
    assert all(plan.items() <= each.plan.items() for each in res.values())


def test_what_measures_do_not_share_is_prepared_for_each(sides, work):
    prepared, met = work
    compared(*sides, measures=["cka", "hsic", "cka(kernel=rbf)", "procrustes"])
    assert len(prepared) == 3 * 6
    assert len({key for key, _ in prepared}) == 3
    assert len(met) == 3 * 9


def test_a_set_with_itself_is_prepared_once_and_half_of_it_met(sides, work):
    prepared, met = work
    res = compared(sides[0], measure="cka")
    assert len(prepared) == 3
    assert len(met) == 6
    assert (res.plan["preparations"], res.plan["pairs"]) == (3, 6)


def test_a_set_with_itself_by_a_measure_that_is_not_symmetric(sides, work):
    prepared, met = work
    res = compared(sides[0], sides[0], measure="linear_regression")
    assert len(prepared) == 3
    assert len(met) == 9
    assert (res.plan["preparations"], res.plan["pairs"]) == (3, 9)


def test_sides_with_a_kernel_each_are_prepared_as_such(sides, work):
    prepared, _ = work
    measure = vv.registry["cka"].with_options(kernel=("linear", rbf(0.4)))
    res = compared(sides[0], measure=measure)
    assert len(prepared) == 6
    np.testing.assert_allclose(res.values, each_pair(measure, sides[0], sides[0]), rtol=1e-10)


def test_the_cheaper_form_is_chosen_and_told():
    X, Y = related(n=400, p=3, q=2)
    assert compared({"x": X}, {"y": Y}).plan["form"] == "features"
    X, Y = related(n=20, p=300, q=200)
    assert compared({"x": X}, {"y": Y}).plan["form"] == "gram"
    assert compared({"x": X}, {"y": Y}, measure="cka(kernel=rbf)").plan["form"] == "gram"


def test_progress_is_told_for_every_pair_and_measure(sides, monkeypatch):
    told, steps = [], []

    @contextmanager
    def bar(label, total, *, show):
        told.append((label, total, show))
        yield lambda: steps.append(label)

    monkeypatch.setattr(sys.modules["visavis.pairs.work"], "progress_bar", bar)
    vv.compare(*sides, measures=["cka", "procrustes"])
    vv.compare(sides[0], progress=False)
    assert told == [("comparing layers", 18, True), ("comparing layers", 9, False)]
    assert len(steps) == 27
