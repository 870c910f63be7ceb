"""Maps of representations, under the names by which records declare their invariances."""

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.data_makers import Pair, random_rotation

from visavis.measures import measure as facts

Array = Any
Map = Callable[[Array, np.random.Generator], Array]

CONDITION = 30.0


def _moved(Z: Array, random: np.random.Generator) -> Array:
    return Z + 3 * random.standard_normal(Z.shape[1])


def _scaled(Z: Array, random: np.random.Generator) -> Array:
    return Z * random.uniform(2, 5)


def _permuted(Z: Array, random: np.random.Generator) -> Array:
    return Z[:, random.permutation(Z.shape[1])]


def _turned(Z: Array, random: np.random.Generator) -> Array:
    return Z @ random_rotation(Z.shape[1], random)


def _mixed(Z: Array, random: np.random.Generator) -> Array:
    # Singular values spread evenly: far from every orthogonal map, and far from a singular one.
    p = Z.shape[1]
    stretched = random_rotation(p, random) * np.geomspace(1, 1 / CONDITION, p)
    return Z @ stretched @ random_rotation(p, random)


def _of_both(change: Map) -> Callable[[Array, Array, np.random.Generator], Pair]:
    return lambda X, Y, random: (change(X, random), change(Y, random))


MAPS: dict[str, Callable[[Array, Array, np.random.Generator], Pair]] = {
    facts.TRANSLATION: _of_both(_moved),
    facts.SCALING: _of_both(_scaled),
    facts.PERMUTATION: _of_both(_permuted),
    facts.ORTHOGONAL: _of_both(_turned),
    facts.LINEAR: _of_both(_mixed),
    facts.LINEAR_X: lambda X, Y, random: (_mixed(X, random), Y),
    facts.LINEAR_Y: lambda X, Y, random: (X, _mixed(Y, random)),
    facts.ROWS: lambda X, Y, random: (X, random.permutation(Y)),
}

# What the left is a special case of: whoever forgets the right forgets the left.
CASE_OF = {
    facts.PERMUTATION: {facts.ORTHOGONAL, facts.LINEAR},
    facts.ORTHOGONAL: {facts.LINEAR},
    facts.SCALING: {facts.LINEAR},
    facts.LINEAR_X: {facts.LINEAR},
    facts.LINEAR_Y: {facts.LINEAR},
}


def implied(declared: frozenset[str]) -> frozenset[str]:
    """The maps that are special cases of the declared ones, and these."""
    cases = {name for name, wider in CASE_OF.items() if wider & declared}
    return declared | cases
