"""A record: its options, its label, and that nothing can be changed in it."""

import dataclasses

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, every_record, given, over

import visavis as vv
from visavis.measures.measure import FAMILIES


def test_the_registry_is_named_by_its_records():
    assert all(name == record.name for name, record in vv.registry.items())
    assert {"cka", "hsic", "cca", "svcca", "pwcca", "procrustes"} <= vv.registry.keys()


@over([each for each in RECORDS if not each.options])
def test_every_record_is_of_a_public_function(measure):
    assert measure.function is getattr(vv, measure.name)
    assert measure.label == measure.name


def test_the_registry_goes_family_by_family():
    order = [record.family for record in vv.registry.values()]
    assert order == sorted(order, key=list(FAMILIES).index)
    assert set(order) == set(FAMILIES)


def test_nobody_can_add_to_the_registry():
    with pytest.raises(TypeError, match="does not support item assignment"):
        vv.registry["mine"] = vv.registry["cka"]


@every_record
def test_a_record_cannot_be_changed(measure):
    with pytest.raises(dataclasses.FrozenInstanceError):
        measure.high = 2.0
    with pytest.raises(TypeError, match="does not support item assignment"):
        measure.options["form"] = "r2"


def test_labels_are_all_different():
    labels = [record.label for record in RECORDS]
    assert len(set(labels)) == len(labels)


@every_record
def test_calling_a_record_is_calling_its_function(measure):
    X, Y = given(measure, *related())
    expected = measure.function(X, Y, **measure.options)
    np.testing.assert_array_equal(measure(X, Y), expected)
    np.testing.assert_array_equal(measure.function(X, Y, **measure.settings), expected)


@every_record
def test_settings_are_the_defaults_and_the_options(measure):
    assert measure.settings == {**measure.defaults, **measure.options}
    assert measure.settings.keys() == measure.defaults.keys()


@over([each for each in RECORDS if each.options])
def test_options_add_up(measure):
    one_by_one = vv.registry[measure.name]
    for key, value in measure.options.items():
        one_by_one = one_by_one.with_options(**{key: value})
    for fact in ("label", "low", "high", "direction", "symmetric", "metric", "minimum_rows"):
        assert getattr(one_by_one, fact) == getattr(measure, fact)
    assert one_by_one.invariant_to == measure.invariant_to
    assert one_by_one.not_invariant_to == measure.not_invariant_to


@over([each for each in RECORDS if each.options])
def test_facts_follow_the_options_back(measure):
    origin = vv.registry[measure.name]
    back = measure.with_options(**{key: origin.defaults[key] for key in measure.options})
    assert back.label == origin.label
    assert back.invariant_to == origin.invariant_to
    assert (back.low, back.high, back.direction) == (origin.low, origin.high, origin.direction)


@over([each for each in RECORDS if each.options])
def test_a_description_says_what_is_special(measure):
    assert measure.description() != vv.registry[measure.name].description()


@every_record
def test_direction_is_a_word_of_the_field(measure):
    assert measure.direction in {"similarity", "distance"}
    assert measure.low < measure.high
    assert measure.direction == "distance" or not measure.metric
