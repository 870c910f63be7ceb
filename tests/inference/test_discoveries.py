"""False discoveries: the definition, and how many there are."""

import numpy as np
import pytest
import torch

from visavis.inference import false_discovery, layer_tests


def by_definition(p, dependence):
    """The smallest rate at which the step-up procedure keeps each test."""
    flat = np.sort(p.ravel())
    m = flat.size
    price = sum(1 / k for k in range(1, m + 1)) if dependence == "any" else 1.0
    return np.array(
        [
            min(1.0, *(flat[k] * m * price / (k + 1) for k in range(m) if flat[k] >= one), 1.0)
            for one in p.ravel()
        ]
    ).reshape(p.shape)


@pytest.mark.parametrize("dependence", ["positive", "any"])
def test_by_its_definition(dependence):
    p = np.random.default_rng(0).uniform(size=(4, 5)) ** 3
    q = false_discovery(p, dependence=dependence)
    np.testing.assert_allclose(q, by_definition(p, dependence), rtol=1e-12)


def test_dead_layers_stay_out():
    p = np.array([[0.01, np.nan], [0.02, 0.9]])
    q = false_discovery(p)
    assert np.isnan(q[0, 1])
    np.testing.assert_allclose(q[~np.isnan(p)], false_discovery(p[~np.isnan(p)]))
    assert np.isnan(false_discovery([float("nan")])).all()
    np.testing.assert_allclose(false_discovery(torch.tensor(p)), q)


@pytest.mark.parametrize("dependence", ["positive", "any"])
def test_rate(dependence):
    # Two of six layers share something; of what is found at 20 % no more than that is false.
    random = np.random.default_rng(0)
    share, repeats = [], 60
    for k in range(repeats):
        shared = random.normal(size=(40, 3))
        sides = [
            {f"l{i}": random.normal(size=(40, 3)) + (i < 2) * shared for i in range(6)}
            for _ in "ab"
        ]
        found = layer_tests(*sides, n=400, seed=k).qvalues(dependence=dependence) <= 0.2
        false = found.sum() - found[:2, :2].sum()
        share.append(false / max(1, found.sum()))
    assert np.mean(share) <= 0.2 + 4 * np.std(share) / np.sqrt(repeats)
    assert np.mean(share) > 0 or dependence == "any"


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        ([0.5, 1.5], {}, r"`pvalues` must lie in \[0, 1\], got 1.5"),
        ([0.5], {"dependence": "none"}, "`dependence` must be one of"),
    ],
)
def test_refusals(arguments, options, match):
    with pytest.raises(ValueError, match=match):
        false_discovery(arguments, **options)
