"""Tensor similarity: bilinear layers compared as functions, from their weights alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from visavis import linalg
from visavis._core import array, checks
from visavis._core.errors import DegenerateInputError
from visavis._core.types import Array
from visavis.measures.measure import (
    FACTORS,
    HIDDEN_UNITS,
    ORTHOGONAL,
    SCALING,
    WEIGHTS,
    Measure,
    Preparation,
    Shapes,
)
from visavis.measures.parameters import answered, parameter, same_home

FORMS = ("gaussian", "frobenius")
PARTS = {"L": "(hidden, in)", "R": "(hidden, in)", "D": "(out, hidden)"}

Layer = tuple[Array, Array, Array]
Stack = tuple[Layer, ...]

# Both sides, each with itself and with the other.
PAIRS = ((0, 0), (0, 1), (1, 1))


def tensor_similarity(
    A: Layer | Sequence[Layer],
    B: Layer | Sequence[Layer],
    /,
    *,
    form: str = "gaussian",
) -> Array:
    """Cosine of two bilinear layers, or stacks of them, as functions, from their weights.

    ``⟨f, g⟩/√(⟨f, f⟩⟨g, g⟩)`` of layers ``f(x) = D(Lx ∘ Rx)`` [1]_, [2]_, where ``⟨f, g⟩`` is
    ``Σ (D₁ᵀD₂) ∘ [(L₁L₂ᵀ)∘(R₁R₂ᵀ) + (L₁R₂ᵀ)∘(R₁L₂ᵀ) + t₁t₂ᵀ]`` with t the row sums of L∘R, which is
    the mean of f(x)ᵀg(x) over x ~ N(0, I); or half of it without the last term, which is the inner
    product of the tensors of third order that are symmetric in both inputs.

    Parameters
    ----------
    A : tuple of arrays, or sequence of such tuples
        One layer ``(L, R, D)``, with L and R (hidden, in) and D (out, hidden), or a stack of them,
        the first layer first.
    B : tuple of arrays, or sequence of such tuples
        As many layers, with as many inputs and outputs in all. Hidden widths may differ, and those
        between layers.
    form : {"gaussian", "frobenius"}
        ``"gaussian"``: as functions of Gaussian inputs. ``"frobenius"``: as tensors. They differ by
        the means of the outputs, which only the first looks at.

    Returns
    -------
    0-d array
        In ``[−1, 1]``, higher is more alike: 1 for the same function up to a positive factor, −1
        for opposite ones.

    Raises
    ------
    ValueError
        If shapes do not fit together, or an option is not allowed.
    TypeError
        If a layer is not a triple of arrays of one library.
    DegenerateInputError
        If a weight is NaN or infinite, or a stack gives zero whatever comes in.

    Notes
    -----
    *Invariant to*: permutations of hidden units, exchange of L and R, rescaling of L by c and of R
    by 1/c (each unit on its own), isotropic scaling; what is antisymmetric in both inputs, which no
    function sees; a rotation of the inputs of both, or of the outputs of both; between layers any
    invertible map that the next layer undoes. *Not to*: orthogonal maps of hidden units, which are
    multiplied one by one; a rotation of the inputs of one side; a negative factor, which changes
    the sign. *Streaming*: none, no data is needed. *Cost*: h²(in + out) for each layer. *Numerics*:
    computed in float64, and differentiable. *Biases*: there are none. *Stacks*: for the second
    layer on, ``L₁L₂ᵀ`` becomes ``L₁GL₂ᵀ`` with G the matrix of inner products of the outputs of the
    layer before. "frobenius" is then exact for the tensors of all inputs (2 to the number of
    layers) that are symmetric within each layer; not over all inputs, so that stacks may be the
    same function without a similarity of 1. "gaussian" takes the hidden states of both sides to be
    Gaussian together, with the means and second moments that came out of the layer before (twice
    the product of the means is taken off the formula). They are not. In random stacks of two layers
    the cosine is off by 0.04 (root mean square) at width 8 and by 0.004 at width 32, in three
    layers by 0.1 and 0.02; in either direction.

    *When*: networks are bilinear: do they compute the same, where no data tells them apart? For one
    output give its row of D alone. *When not*: other networks, which have `weight_matching`;
    biases, of which it knows none; or inputs far from Gaussian, on which two functions may agree
    that differ elsewhere.

    References
    ----------
    .. [1] Nissen Gonzalez et al. (2026), arXiv:2605.15183.
    .. [2] Pearce, Dooms, Rigg, Oramas & Sharkey (2024), arXiv:2410.08417: bilinear layers.

    Examples
    --------
    Other weights, the same function:

    >>> import numpy as np
    >>> import visavis as vv
    >>> rng = np.random.default_rng(0)
    >>> L, R, D = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(3, 6))
    >>> other = R[::-1] / 2, 2 * L[::-1], D[:, ::-1]
    >>> round(float(vv.tensor_similarity((L, R, D), other)), 12)
    1.0
    >>> bool(vv.tensor_similarity((L, R, D), (L, R[::-1], D)) < 0.9)
    True
    """
    where = "tensor_similarity"
    options = {"form": form}
    _check(where, options)
    stacks = _stack(where, "A", A), _stack(where, "B", B)
    weights = {
        f"{name}[{depth}].{part}": W
        for name, stack in zip("AB", stacks, strict=True)
        for depth, layer in enumerate(stack)
        for part, W in zip(PARTS, layer, strict=True)
    }
    dtype = same_home(where, weights)
    _fitting(where, *stacks)
    with checks.quiet():
        value = _score(options, (_scaled(stacks[0]), _scaled(stacks[1])))
    value = array.namespace(value).astype(value, dtype, copy=False)
    return answered(where, value, weights)


def _stack(where: str, name: str, given: Any) -> Stack:
    """Return a stack of layers that fit one another."""
    layers = list(given) if isinstance(given, list | tuple) else []
    if layers and array.is_array(layers[0]):
        layers = [layers]
    if not layers or not all(isinstance(each, list | tuple) and len(each) == 3 for each in layers):
        raise TypeError(
            checks.message(
                where,
                name,
                "be one layer (L, R, D) or a sequence of them",
                f"{type(given).__name__}{f' of {len(given)}' if layers else ''}",
            )
        )
    stack: list[Layer] = []
    for depth, layer in enumerate(layers):
        at = f"{name}[{depth}]"
        L, R, D = (
            parameter(where, f"{at}.{part}", W, shape=f"2-D {axes}", ndim=range(2, 3))
            for (part, axes), W in zip(PARTS.items(), layer, strict=True)
        )
        _equal(where, f"{at}.R", "be of the shape of L", tuple(R.shape), tuple(L.shape))
        _equal(where, f"{at}.D", "have as many columns as L has rows", D.shape[1], L.shape[0])
        if stack:
            outputs = stack[-1][2].shape[0]
            _equal(where, f"{at}.L", "have a column for each output before", L.shape[1], outputs)
        stack.append((L, R, D))
    return tuple(stack)


def _equal(where: str, name: str, expected: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise ValueError(checks.message(where, name, f"{expected}, {wanted}", str(seen)))


def _fitting(where: str, A: Stack, B: Stack) -> None:
    """Check that two stacks are functions of the same space into the same space."""
    for what, a, b in (
        ("layers", len(A), len(B)),
        ("inputs", A[0][0].shape[1], B[0][0].shape[1]),
        ("outputs", A[-1][2].shape[0], B[-1][2].shape[0]),
    ):
        if a != b:
            raise ValueError(
                checks.message(where, "A` and `B", f"have as many {what}", f"{a} and {b}")
            )


def _scaled(stack: Stack) -> Stack:
    """Return the weights in the widest float, in units that keep their products in range."""
    wide = [[array.widen(W) for W in layer] for layer in stack]
    return tuple(
        (L * linalg.peak_unit(L), R * linalg.peak_unit(R), D * linalg.peak_unit(D))
        for L, R, D in wide
    )


def _prepare(options: Mapping[str, Any], side: int, shapes: Shapes) -> Preparation:
    return Preparation("weights", _scaled, lambda a, b: (a, b))


def _score(options: Mapping[str, Any], met: tuple[Stack, Stack]) -> Array:
    gaussian = options["form"] == "gaussian"
    state = _State((None, None, None), (None, None))
    *before, last = zip(*met, strict=True)
    for depth, layers in enumerate(before):
        terms = state.terms(layers, gaussian)
        state = state.after(layers, terms, _norms(layers, terms, depth))
    terms = state.terms(last, gaussian)
    a, b = _norms(last, terms, len(before))
    return linalg.inner(last[0][2] @ _added(terms[1]), last[1][2]) / (a * b)


def _norms(layers: tuple[Layer, Layer], terms: list[list[Array]], depth: int) -> list[Array]:
    """Return √⟨f, f⟩ of a layer of either side."""
    found = []
    for name, (_, _, D), each in zip("AB", layers, terms[::2], strict=True):
        squared = linalg.inner(D @ _added(each), D)
        _check_norm(f"{name}[{depth}]", D, each, squared)
        found.append(array.namespace(squared).sqrt(squared))
    return found


def _added(terms: list[Array]) -> Array:
    return sum(terms[1:], terms[0])


@dataclass(frozen=True, eq=False)
class _State:
    """What is known of the hidden states of both sides, which are the inputs of the next layer.

    Parameters
    ----------
    grams : tuple of array or None
        Their inner products (second moments), for each of `PAIRS`; None is the identity.
    means : tuple of array or None
        Their means; None is zero.
    """

    grams: tuple[Array | None, ...]
    means: tuple[Array | None, ...]

    def terms(self, layers: tuple[Layer, Layer], gaussian: bool) -> list[list[Array]]:
        """Return, for each of `PAIRS`, what adds up to the second moments of (Lx)∘(Rx).

        By Isserlis' theorem the mean of a product of four jointly Gaussian numbers is the sum of
        the second moments over the three ways to pair them, less twice the product of the means.
        """
        found = []
        firsts = [self._first(p, layers[p]) for p in (0, 1)] if gaussian else []
        for (p, q), G in zip(PAIRS, self.grams, strict=True):
            (L, R, _), (M, S, _) = layers[p], layers[q]
            each = [
                _contracted(L, G, M) * _contracted(R, G, S),
                _contracted(L, G, S) * _contracted(R, G, M),
            ]
            if gaussian:
                each.append(_outer(firsts[p], firsts[q]))
                if self.means[p] is not None:
                    through = [
                        layers[i][0] @ self.means[i] * (layers[i][1] @ self.means[i])
                        for i in (p, q)
                    ]
                    each.append(-2 * _outer(*through))
            found.append(each)
        return found

    def _first(self, p: int, layer: Layer) -> Array:
        """Return the means of (Lx)∘(Rx)."""
        L, R, _ = layer
        G = self.grams[2 * p]
        return array.namespace(L).linalg.vecdot(L if G is None else L @ G, R, axis=-1)

    def after(
        self, layers: tuple[Layer, Layer], terms: list[list[Array]], norms: list[Array]
    ) -> "_State":
        """Return what is known after a layer, its outputs divided by their root mean square."""
        D = [layer[2] / norm for layer, norm in zip(layers, norms, strict=True)]
        grams = [
            _contracted(D[p], _added(each), D[q]) for (p, q), each in zip(PAIRS, terms, strict=True)
        ]
        means = [D[p] @ self._first(p, layers[p]) for p in (0, 1)]
        return _State(tuple(grams), tuple(means))


def _contracted(L: Array, G: Array | None, M: Array) -> Array:
    """Return LGMᵀ."""
    M = array.namespace(L, M).matrix_transpose(M)
    return L @ M if G is None else L @ G @ M


def _outer(a: Array, b: Array) -> Array:
    return a[:, None] * b[None, :]


def _check_norm(name: str, D: Array, terms: list[Array], squared: Array) -> None:
    """Raise if a layer gives nothing: zero weights, or terms that cancel whatever comes in."""
    seen = None if array.recording(squared) else array.read(squared)
    if seen is None:
        return
    xp = array.namespace(D)
    size = xp.abs(D)
    summed = _added([xp.abs(each) for each in terms])
    rounding = D.shape[1] * float(xp.finfo(D.dtype).eps) * float(linalg.inner(size @ summed, size))
    if seen <= rounding:
        raise DegenerateInputError(
            f"tensor_similarity: `{name}` gives zero for every input, which is similar to nothing: "
            "its weights are zero, or its units cancel. Leave it out."
        )


def _check(where: str, options: Mapping[str, Any]) -> None:
    checks.option(where, "form", options["form"], FORMS)


def _describe(options: Mapping[str, Any]) -> str:
    return {
        "gaussian": "cosine of two bilinear networks as functions of Gaussian inputs",
        "frobenius": "cosine of the symmetric tensors of two bilinear networks",
    }[options["form"]]


TENSOR_SIMILARITY = Measure(
    name="tensor_similarity",
    title="Tensor similarity of bilinear networks",
    family="weights",
    function=tensor_similarity,
    prepare=_prepare,
    score=_score,
    describe=_describe,
    check=_check,
    reference="Nissen Gonzalez et al. (2026), arXiv:2605.15183",
    statistic="weights",
    cost="h²(in + out) for each layer of h hidden units",
    low=-1.0,
    high=1.0,
    minimum_rows=1,
    inputs=WEIGHTS,
    invariant_to=frozenset({SCALING, HIDDEN_UNITS, FACTORS}),
    not_invariant_to=frozenset({ORTHOGONAL}),
    variants=({"form": "frobenius"},),
)
