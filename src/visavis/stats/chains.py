"""Networks without branches as values, and the permutations of units that bring two together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from visavis import linalg
from visavis._core import array

Permutations = tuple[np.ndarray, ...]

# An improvement below this is rounding: networks have norm 1.
SLACK = 1e-13


@dataclass(frozen=True, eq=False)
class Chain:
    """The weights of a network, each layer of which feeds the next alone, at norm 1 in all.

    Parameters
    ----------
    weights : tuple of ndarray, (out, in, k)
        Of each layer: k numbers for each pair of units, of which a kernel has many.
    vectors : tuple of ndarray, (out, v)
        What else each unit has of its own, such as a bias.
    norm : float
        The norm of all of it, in `unit`.
    unit : float
        What the network was multiplied by, beside the norm that was divided out.
    """

    weights: tuple[np.ndarray, ...]
    vectors: tuple[np.ndarray, ...]
    norm: float
    unit: float

    @classmethod
    def of(cls, layers: Sequence[Sequence[np.ndarray]]) -> "Chain":
        """Return the network of layers ``(W, v, ...)``, W (out, in, ...) and each v (out,)."""
        peak = max(float(np.abs(each).max()) for layer in layers for each in layer)
        unit = float(array.power_of_two(np.asarray(peak)))
        weights, vectors = [], []
        for W, *others in layers:
            units = W.shape[1] if not weights else len(weights[-1])
            weights.append(W.astype(np.float64).reshape(len(W), units, -1) * unit)
            columns = [each.astype(np.float64)[:, None] * unit for each in others]
            vectors.append(np.hstack([np.empty((len(W), 0)), *columns]))
        norm = float(np.sqrt(sum(np.vdot(each, each) for each in (*weights, *vectors))))
        if norm:
            weights, vectors = ([each / norm for each in part] for part in (weights, vectors))
        return cls(tuple(weights), tuple(vectors), norm, unit)

    @property
    def hidden(self) -> tuple[int, ...]:
        """The widths of the layers between the first input and the last output."""
        return tuple(len(each) for each in self.weights[:-1])

    def taken(self, units: Sequence[np.ndarray]) -> "Chain":
        """Return the network with the units of its hidden layers in another order."""
        weights, vectors = list(self.weights), list(self.vectors)
        for layer, order in enumerate(units):
            weights[layer] = weights[layer][order]
            vectors[layer] = vectors[layer][order]
            weights[layer + 1] = weights[layer + 1][:, order]
        return Chain(tuple(weights), tuple(vectors), self.norm, self.unit)

    def order(self) -> list[np.ndarray]:
        """Return an order of the hidden units that does not depend on the one they stand in.

        By incoming weights, the units before being in order already, then by what each unit has of
        its own, then by its outgoing weights, whichever way these go.
        """
        found: list[np.ndarray] = []
        for layer, units in enumerate(self.hidden):
            incoming = self.weights[layer]
            if found:
                incoming = incoming[:, found[-1]]
            outgoing = self.weights[layer + 1].transpose(1, 0, 2).reshape(units, -1)
            told = (incoming.reshape(units, -1), self.vectors[layer], np.sort(outgoing, axis=1))
            found.append(_lexicographic(np.hstack(told)))
        return found

    def apart(self, other: "Chain", sign: float = 1.0) -> float:
        """Return the squared distance to another network, or to its opposite, both at norm 1."""
        pairs = zip((*self.weights, *self.vectors), (*other.weights, *other.vectors), strict=True)
        return float(sum(np.sum((a - sign * b) ** 2) for a, b in pairs))


def matched(a: Chain, b: Chain, restarts: int, seed: int) -> Permutations:
    """Return, for each hidden layer, which unit of `b` is the partner of each unit of `a`.

    Parameters
    ----------
    a, b : Chain
        Two networks of the same shape.
    restarts : int
        How many random starts are tried beside those that the weights themselves suggest.
    seed : int
        Of the random starts.

    Notes
    -----
    Each layer in turn is matched exactly while the others are held, until none moves. Both networks
    are put in an order of their own first, and starts are permutations that are their own inverse,
    so that neither the order of the units nor that of the networks makes a difference.
    """
    if not a.hidden:
        return ()
    of_a, of_b = a.order(), b.order()
    a, b = a.taken(of_a), b.taken(of_b)
    # One hidden layer is matched exactly from anywhere.
    starts = [[np.arange(a.hidden[0])]] if len(a.hidden) == 1 else _starts(a, b, restarts, seed)
    ends = [_descended(a, b, start) for start in starts]
    best = min(ends, key=lambda end: a.apart(b.taken(end)))
    found = []
    for mine, theirs, partners in zip(of_a, of_b, best, strict=True):
        placed = np.empty_like(partners)
        placed[mine] = theirs[partners]
        found.append(placed)
    return tuple(found)


def _starts(a: Chain, b: Chain, restarts: int, seed: int) -> Iterator[list[np.ndarray]]:
    still = [np.arange(width) for width in a.hidden]
    yield list(still)
    # From the inputs, which correspond, layer by layer to the outputs, and the other way.
    ahead, back = list(still), list(still)
    for layer in range(len(still)):
        ahead[layer] = linalg.matching(_gains(a, b, ahead, layer, outgoing=False)).cols
    for layer in reversed(range(len(still))):
        back[layer] = linalg.matching(_gains(a, b, back, layer, incoming=False)).cols
    yield ahead
    yield back
    random = np.random.default_rng(seed)
    for _ in range(restarts):
        yield [_exchanged(width, random) for width in a.hidden]


def _exchanged(width: int, random: np.random.Generator) -> np.ndarray:
    """Return a random permutation that exchanges pairs."""
    order = random.permutation(width)
    one, other = order[: width // 2], order[width - width // 2 :]
    found = np.arange(width)
    found[one], found[other] = other, one
    return found


def _descended(a: Chain, b: Chain, start: list[np.ndarray]) -> list[np.ndarray]:
    """Return where a start leads to by matching one layer at a time."""
    found = list(start)
    layers = range(len(found))
    moved = True
    while moved:
        moved = False
        for layer in (*layers, *reversed(layers[:-1])):
            gains = _gains(a, b, found, layer)
            better = linalg.matching(gains).cols
            rows = np.arange(len(better))
            if gains[rows, better].sum() > gains[rows, found[layer]].sum() + SLACK:
                found[layer] = better
                moved = True
    return found


def _gains(
    a: Chain,
    b: Chain,
    partners: Sequence[np.ndarray],
    layer: int,
    *,
    incoming: bool = True,
    outgoing: bool = True,
) -> np.ndarray:
    """Return what each pair of units adds to the inner product, the other layers being matched."""
    gains = a.vectors[layer] @ b.vectors[layer].T
    if incoming:
        mine, theirs = a.weights[layer], b.weights[layer]
        if layer:
            theirs = theirs[:, partners[layer - 1]]
        gains = gains + mine.reshape(len(mine), -1) @ theirs.reshape(len(theirs), -1).T
    if outgoing:
        mine, theirs = a.weights[layer + 1], b.weights[layer + 1]
        if layer + 1 < len(partners):
            theirs = theirs[partners[layer + 1]]
        gains = gains + np.tensordot(mine, theirs, axes=((0, 2), (0, 2)))
    return gains


def _lexicographic(rows: np.ndarray) -> np.ndarray:
    """Return the order of rows by their first entry, of equals by the second, and so on."""
    bits = np.ascontiguousarray(rows + 0.0).view(np.uint64)  # −0 is 0
    # Floats as bytes that compare as the numbers do: negative ones reversed, and below the others.
    top = np.uint64(1 << 63)
    keys = np.where(bits & top, ~bits, bits | top).astype(">u8")
    whole = keys.view(np.dtype((np.void, keys.shape[1] * keys.itemsize)))[:, 0]
    return np.argsort(whole, kind="stable")
