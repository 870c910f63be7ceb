"""Weight matching: the distance of two networks in their weights, up to the order of units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.measures.measure import (
    HIDDEN_UNITS,
    ORTHOGONAL,
    SCALING,
    WEIGHTS,
    Measure,
    Preparation,
    Shapes,
)
from visavis.measures.parameters import (
    Layers,
    Network,
    answered,
    different_shapes,
    finite,
    network_of,
    same_home,
)
from visavis.stats import chains
from visavis.stats import procrustes as formulas


def weight_matching(
    A: Layers,
    B: Layers,
    /,
    *,
    form: str = "euclidean",
    scale: bool = False,
    restarts: int = 4,
    seed: int = 0,
) -> Array:
    """Distance of the weights of two networks, after a permutation of hidden units.

    ``min_P ‖A − P·B‖`` over permutations ``P·B = (P₁W₁, P₂W₂P₁ᵀ, …, W_mP_{m−1}ᵀ)`` of the units of
    all hidden layers of B, which leave its function as it is; found one layer at a time [1]_.

    Parameters
    ----------
    A : sequence of arrays, or of tuples of arrays
        The layers, first to last, of a network without branches. Of each the weights, (out, in) or
        of a convolution (out, in, height, width), alone or in a tuple with vectors (out,) that
        belong to the same units: bias, batch-norm parameters.
    B : sequence of arrays, or of tuples of arrays
        The layers of a network of the same shapes.
    form : {"euclidean", "squared", "angular", "similarity"}
        ``"euclidean"`` and ``"squared"``: the distance and its square. ``"angular"``: the angle
        between all weights of A and all of B as two vectors. ``"similarity"``: its cosine.
    scale : bool
        Divide both networks by their norms first ("euclidean" and "squared"; the other forms always
        do).
    restarts : int
        How many random starts are tried beside three that the weights suggest, 0 or more; with one
        hidden layer none is needed.
    seed : int
        Of the random starts.

    Returns
    -------
    0-d array
        ``"euclidean"`` in ``[0, ∞)``, ``"squared"`` in ``[0, ∞)``, or with `scale` in ``[0, 2]``
        and ``[0, 4]``; ``"angular"`` in ``[0, π]``; lower is more alike. ``"similarity"`` in
        ``[−1, 1]``, higher is more alike. With more than one hidden layer an upper bound of the
        smallest distance (a lower one of the similarity).

    Raises
    ------
    ValueError
        If shapes do not fit together or differ between A and B, or an option is not allowed.
    TypeError
        If a layer is not made of arrays of one library, or values cannot be read (inside
        ``jax.jit``, say).
    DegenerateInputError
        If a weight is NaN or infinite, or all weights of a side are zero.

    Notes
    -----
    *Invariant to*: permutations of hidden units, also where the answer is but a bound, unless units
    have all weights in common; isotropic scaling of all weights of a side where norms are divided
    out. *Not to*: orthogonal maps of hidden units; isotropic scaling where norms are not divided
    out; factors that ReLU lets move from one layer to the next. *Streaming*: none, no data is
    needed. *Cost*: for each start and sweep, and each hidden layer of h units, h²(in + out) and an
    assignment of h³, on the host. There is no gradient. *Numerics*: in float64, from the
    differences of the matched weights, so small distances keep their digits. *Exact*: with one
    hidden layer, where it is a metric among networks of one shape. With more, the best of several
    local optima: finding the smallest is NP-hard, and the triangle inequality may fail. *Shapes*: a
    layer that follows flattened feature maps has the positions of each channel side by side.

    *When*: are two networks of one architecture the same but for the order of units, or how far did
    training move the weights? `match_weights` gives the permutations. *When not*: weights are far
    apart: close ones compute the same, but far ones may as well, so compare activations then. Not
    for branches, skips and grouped convolutions; bilinear layers have `tensor_similarity`, which
    needs no search.

    References
    ----------
    .. [1] Ainsworth, Hayase & Srinivasa (2022), arXiv:2209.04836.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> A = [rng.normal(size=shape) for shape in ((8, 5), (6, 8), (3, 6))]
    >>> p, q = rng.permutation(8), rng.permutation(6)
    >>> B = [A[0][p], A[1][q][:, p], A[2][:, q]]
    >>> float(vv.weight_matching(A, B))
    0.0
    >>> bool(vv.weight_matching(A, B[:2] + [-B[2]], scale=True) > 0.5)
    True
    """
    options = {"form": form, "scale": scale, "restarts": restarts, "seed": seed}
    _check("weight_matching", options)
    first, weights, met = _both("weight_matching", A, B)
    value = array.placed(float(_score(options, met)), first)
    return answered("weight_matching", value, weights)


@dataclass(frozen=True, eq=False)
class WeightMatching:
    """The permutations of hidden units that bring one network nearest to another.

    Parameters
    ----------
    permutations : tuple of ndarray
        For each hidden layer, which unit of B is the partner of each unit of A.
    distance : float
        The Euclidean distance of the weights when units are permuted so.
    exact : bool
        Whether no other permutations bring them nearer. Known with one hidden layer or none.
    """

    permutations: tuple[np.ndarray, ...]
    distance: float
    exact: bool

    def permuted(self, B: Layers) -> list[Array | tuple[Array, ...]]:
        """Return the layers of B with their units in the order of A: the same function.

        Parameters
        ----------
        B : sequence of arrays, or of tuples of arrays
            The network that was matched, or another of its shapes.
        """
        network = network_of("WeightMatching.permuted", "B", B)
        widths = [len(each) for each in self.permutations]
        if [layer[0].shape[0] for layer in network[:-1]] != widths:
            raise ValueError(
                checks.message(
                    "WeightMatching.permuted",
                    "B",
                    f"have hidden layers of {widths} units",
                    str([layer[0].shape[0] for layer in network[:-1]]),
                )
            )
        found: list[Array | tuple[Array, ...]] = []
        for depth, (given, layer) in enumerate(zip(B, network, strict=True)):
            before, after = self.permutations[max(depth - 1, 0) : depth], self.permutations[depth:]
            W = layer[0]
            for order in before:
                k = W.shape[1] // len(order)
                W = _take(W, (order[:, None] * k + np.arange(k)).reshape(-1), axis=1)
            parts = tuple(
                _take(each, order, axis=0) for each in (W, *layer[1:]) for order in after[:1]
            ) or (W, *layer[1:])
            found.append(parts[0] if array.is_array(given) else parts)
        return found


def match_weights(A: Layers, B: Layers, /, *, restarts: int = 4, seed: int = 0) -> WeightMatching:
    """Return the permutations of hidden units under which two networks are nearest.

    Parameters
    ----------
    A, B : sequence of arrays, or of tuples of arrays
        The layers of two networks, as in `weight_matching`.
    restarts : int
        How many random starts are tried beside three that the weights suggest.
    seed : int
        Of the random starts.

    Returns
    -------
    WeightMatching
        The permutations, the distance that is left, whether it is known to be the smallest, and
        ``permuted(B)``, the layers of B in the order of A.

    Examples
    --------
    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> A = [rng.normal(size=(4, 5)), rng.normal(size=(2, 4))]
    >>> order = np.array([2, 0, 3, 1])
    >>> B = [A[0][order], A[1][:, order]]
    >>> found = vv.match_weights(A, B)
    >>> found.permutations[0].tolist(), found.distance, found.exact
    ([1, 3, 0, 2], 0.0, True)
    >>> all(np.array_equal(a, b) for a, b in zip(A, found.permuted(B)))
    True
    """
    options = {"form": "euclidean", "scale": False, "restarts": restarts, "seed": seed}
    _check("match_weights", options)
    first, weights, (a, b) = _both("match_weights", A, B)
    permutations = chains.matched(a, b, restarts, seed)
    distance = _formed(options, a, b.taken(permutations))
    answered("match_weights", array.placed(float(distance), first), weights)
    return WeightMatching(permutations, float(distance), len(permutations) < 2)


def _both(
    where: str, A: Layers, B: Layers
) -> tuple[Array, dict[str, Array], tuple[chains.Chain, chains.Chain]]:
    """Return an array in the home of the answer, all weights by name, and both networks."""
    networks = {name: network_of(where, name, given) for name, given in (("A", A), ("B", B))}
    weights = {
        f"{name}[{depth}]{f'[{place}]' if len(layer) > 1 else ''}": each
        for name, network in networks.items()
        for depth, layer in enumerate(network)
        for place, each in enumerate(layer)
    }
    dtype = same_home(where, weights)
    shapes = [[[tuple(W.shape) for W in layer] for layer in each] for each in networks.values()]
    if shapes[0] != shapes[1]:
        different_shapes(where, *shapes)
    for name, W in weights.items():
        checks.readable(
            where,
            because="Units are matched on the host",
            **{name: array.namespace(W).reshape(W, (1, -1))},
        )
    finite(where, weights)
    a, b = (_chain(network) for network in networks.values())
    for name, chain in (("A", a), ("B", b)):
        if not chain.norm:
            raise DegenerateInputError(
                checks.message(where, name, "have a weight that is not zero", "zeros alone")
            )
    first = networks["A"][0][0]
    return array.namespace(first).astype(first, dtype, copy=False), weights, (a, b)


def _chain(network: Network) -> chains.Chain:
    return chains.Chain.of([[array.to_numpy(each) for each in layer] for layer in network])


def _take(X: Array, order: np.ndarray, *, axis: int) -> Array:
    xp = array.namespace(X)
    return xp.take(X, xp.asarray(order, device=array.device(X)), axis=axis)


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("weights", _chain, lambda a, b: (a, b))


def _score(options: Mapping[str, Any], met: tuple[chains.Chain, chains.Chain]) -> Array:
    a, b = met
    permutations = chains.matched(a, b, options["restarts"], options["seed"])
    return _formed(options, a, b.taken(permutations))


def _formed(options: Mapping[str, Any], a: chains.Chain, b: chains.Chain) -> Array:
    distance = np.asarray(a.apart(b))
    if options["form"] == "angular":
        # From the chords to b and to −b: exact at both ends.
        return 2 * np.arctan2(np.sqrt(distance), np.sqrt(a.apart(b, sign=-1.0)))
    sizes = ((np.asarray(each.norm), each.unit) for each in (a, b))
    return formulas.formed(distance, *sizes, form=options["form"], scale=options["scale"])


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], formulas.FORMS)
    checks.flag(where, "scale", options["scale"])
    for name in ("restarts", "seed"):
        value = options[name]
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise ValueError(
                checks.message(where, name, "be a whole number, 0 or more", repr(value))
            )


def _describe(options: Mapping[str, Any]) -> str:
    what = {
        "angular": "angle in radians",
        "euclidean": "Euclidean distance",
        "squared": "squared Euclidean distance",
        "similarity": "cosine of the angle",
    }[options["form"]]
    unit = " at norm 1" if options["scale"] else ""
    return f"{what} of the weights{unit} after the best permutation of hidden units found"


def _specialise(measure: Measure) -> Measure:
    form, scale = measure.settings["form"], measure.settings["scale"]
    unit_norm = scale or form in {"angular", "similarity"}
    high = {
        "angular": math.pi,
        "similarity": 1.0,
        "euclidean": 2.0 if scale else math.inf,
        "squared": 4.0 if scale else math.inf,
    }[form]
    scaling = frozenset({SCALING})
    return replace(
        measure,
        low=-1.0 if form == "similarity" else 0.0,
        high=high,
        direction="similarity" if form == "similarity" else "distance",
        invariant_to=frozenset({HIDDEN_UNITS}) | (scaling if unit_norm else frozenset()),
        not_invariant_to=frozenset({ORTHOGONAL}) | (frozenset() if unit_norm else scaling),
    )


WEIGHT_MATCHING = _specialise(
    Measure(
        name="weight_matching",
        title="Distance of matched weights",
        family="weights",
        function=weight_matching,
        prepare=_prepare,
        score=_score,
        describe=_describe,
        check=_check,
        reference="Ainsworth, Hayase & Srinivasa (2022), arXiv:2209.04836",
        statistic="weights (host)",
        cost="starts·sweeps·(h²(in + out) + h³) for each hidden layer of h units, host",
        low=0.0,
        high=math.inf,
        direction="distance",
        minimum_rows=1,
        inputs=WEIGHTS,
        invariant_to=frozenset(),
        variants=(
            {"scale": True},
            {"form": "squared"},
            {"form": "angular"},
            {"form": "similarity"},
        ),
        specialise=_specialise,
    )
)
