"""Networks by their weights: explicit tensors of bilinear layers, all permutations of units.

A layer is a triple (L, R, D), a stack a list of them. A network is a list of lists of arrays, the
weights of a layer and its vectors.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from .centring import Array, lifted

Layer = tuple[Array, Array, Array]
Network = list[list[Array]]


def tensor_similarity(A: list[Layer], B: list[Layer], *, form: str = "gaussian") -> float:
    """The cosine of two stacks, from tensors that are written out (Nissen Gonzalez et al. 2026)."""
    if form == "frobenius":
        S, T = _tensor(A), _tensor(B)
        aa, ab, bb = (S * S).sum(), (S * T).sum(), (T * T).sum()
    else:
        aa, ab, bb = _gaussian(A, B)
    return float(ab / np.sqrt(aa * bb))


def quadratic(layer: Layer) -> Array:
    """The tensor (out, in, in), symmetric in both inputs: f_o(x) = Σ_ij T_oij x_i x_j."""
    L, R, D = (lifted(W) for W in layer)
    T = np.zeros((len(D), L.shape[1], L.shape[1]), dtype=D.dtype)
    for o, k in np.ndindex(D.shape):
        product = np.outer(L[k], R[k])
        T[o] += D[o, k] * (product + product.T) / 2
    return T


def _tensor(stack: list[Layer]) -> Array:
    """The tensor (out, inputs) of a stack, symmetric within each layer."""
    tensor = np.eye(stack[0][0].shape[1], dtype=np.longdouble)
    for layer in stack:
        T = quadratic(layer)
        out, width = T.shape[0], T.shape[1]
        flat = tensor.reshape(width, -1)
        tensor = np.stack([(flat.T @ T[o] @ flat).ravel() for o in range(out)])
    return tensor


def _gaussian(A: list[Layer], B: list[Layer]) -> tuple[Array, Array, Array]:
    """Means of f·f, f·g and g·g, the states of both held as one Gaussian vector."""
    width = A[0][0].shape[1]
    mean = np.zeros(2 * width, dtype=np.longdouble)
    cov = np.tile(np.eye(width, dtype=np.longdouble), (2, 2))
    for a, b in zip(A, B, strict=True):
        S, T = quadratic(a), quadratic(b)
        p = S.shape[1]
        # Both sides as one quadratic map of the whole vector.
        Q = np.zeros((len(S) + len(T), len(mean), len(mean)), dtype=np.longdouble)
        Q[: len(S), :p, :p], Q[len(S) :, p:, p:] = S, T
        first = np.einsum("oij,ij->o", Q, cov + np.outer(mean, mean))
        second = np.einsum("oij,ukl,ijkl->ou", Q, Q, _fourth(mean, cov))
        mean, cov = first, second - np.outer(first, first)
    n = len(A[-1][2])
    return tuple(
        np.trace(second[rows, cols])
        for rows, cols in (
            (slice(n), slice(n)),
            (slice(n), slice(n, None)),
            (slice(n, None), slice(n, None)),
        )
    )


def _fourth(mean: Array, cov: Array) -> Array:
    """The moments of fourth order of a Gaussian vector, about its mean and then about zero."""
    total = np.einsum("i,j,k,l->ijkl", mean, mean, mean, mean)
    for pair in itertools.combinations(range(4), 2):
        others = [i for i in range(4) if i not in pair]
        letters = "ijkl"
        of_pair = "".join(letters[i] for i in pair)
        one, two = (letters[i] for i in others)
        total = total + np.einsum(f"{of_pair},{one},{two}->ijkl", cov, mean, mean)
        if 0 in pair:  # each way to make two pairs once
            total = total + np.einsum(f"{of_pair},{one}{two}->ijkl", cov, cov)
    return total


def output(stack: list[Layer], x: Array) -> Array:
    """What a stack makes of inputs (n, in)."""
    for L, R, D in stack:
        x = ((x @ L.T) * (x @ R.T)) @ D.T
    return x


def gaussian_mean(A: list[Layer], B: list[Layer], nodes: int = 12) -> float:
    """The cosine over x ~ N(0, I) by Gauss–Hermite quadrature, exact up to degree 2·nodes − 1."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    width = A[0][0].shape[1]
    x = np.array(list(itertools.product(points, repeat=width)))
    w = np.array([np.prod(each) for each in itertools.product(weights, repeat=width)])
    f, g = output(A, x), output(B, x)
    aa, ab, bb = (float(w @ (a * b).sum(axis=1)) for a, b in ((f, f), (f, g), (g, g)))
    return ab / np.sqrt(aa * bb)


def weight_matching(
    A: Network,
    B: Network,
    *,
    form: str = "euclidean",
    scale: bool = False,
    restarts: int = 4,
    seed: int = 0,
) -> float:
    """The smallest distance over all permutations of hidden units (Ainsworth et al. 2022)."""
    a = _flat(A)
    candidates = [_flat(each) for each in permutations(B)]
    if scale or form in {"angular", "similarity"}:
        a, candidates = _unit(a), [_unit(b) for b in candidates]
    if form == "similarity":
        return float(max(a @ b for b in candidates))
    nearest = min(candidates, key=lambda b: float(((a - b) ** 2).sum()))
    if form == "angular":
        return float(np.arccos(np.clip(a @ nearest, -1, 1)))
    squared = float(((a - nearest) ** 2).sum())
    return squared if form == "squared" else squared**0.5


def permutations(network: Network) -> Iterator[Network]:
    """The network under all permutations of its hidden units."""
    widths = [len(layer[0]) for layer in network[:-1]]
    for orders in itertools.product(*(itertools.permutations(range(w)) for w in widths)):
        yield permuted(network, [np.array(order) for order in orders])


def permuted(network: Network, orders: list[Array]) -> Network:
    """The network with its hidden units in another order: each layer's rows, the next's columns."""
    found = []
    before = None
    for layer, order in itertools.zip_longest(network, orders):
        W = np.asarray(layer[0])
        if before is not None:
            # Flattened feature maps: the columns of each channel stay together.
            k = W.shape[1] // len(before)
            W = W[:, [column for unit in before for column in range(unit * k, unit * k + k)]]
        parts = [W, *(np.asarray(each) for each in layer[1:])]
        found.append(parts if order is None else [each[order] for each in parts])
        before = order
    return found


def _flat(network: Network) -> Array:
    return np.concatenate([lifted(each).ravel() for layer in network for each in layer])


def _unit(x: Array) -> Array:
    return x / np.sqrt((x**2).sum())
