"""The two sides of a comparison: from whatever the user has to matrices with samples in rows."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visavis import store
from visavis._core import array, checks
from visavis._core.types import Array
from visavis.results import Activations, Lazy, Part

Side = Activations | Mapping[str, Any] | str | Path


def activations(side: Side, name: str) -> Activations:
    """Return a side as `Activations`, reading it from a file if it is a path."""
    if isinstance(side, Activations):
        return side
    if isinstance(side, str | Path):
        return store.load(side)
    if not isinstance(side, Mapping):
        raise TypeError(
            checks.message(
                "compare",
                name,
                "be Activations, a mapping from layer name to array, or the path of a file",
                type(side).__name__,
                "Of arrays: visavis.cka(X, Y). Of models: compare(model_a, model_b, loader).",
            )
        )
    if any(isinstance(each, Mapping) for each in side.values()):
        examples = ", ".join([*map(str, list(side)[:3]), *(["..."] if len(side) > 3 else [])])
        raise TypeError(
            checks.message(
                "compare",
                name,
                "map layer names to arrays",
                f"a mapping to mappings ({examples})",
                "Many models are one argument, compare(runs); two are compare(runs['a'], ...).",
            )
        )
    layers = {str(layer): X for layer, X in side.items()}
    if any(_out_of_core(X) for X in layers.values()):
        return Activations(OutOfCore(layers))
    return Activations(layers)


def _out_of_core(X: Any) -> bool:
    """Whether an array is of a library that holds it elsewhere than in memory."""
    return type(X).__module__.partition(".")[0] in {"dask", "h5py", "zarr"}


class OutOfCore(Lazy):
    """Arrays of dask, zarr or h5py, read when they are asked for, beside others in memory."""

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._arrays = dict(layers)
        counts = {name: int(X.shape[0]) for name, X in self._arrays.items()}
        if len(set(counts.values())) > 1:
            seen = ", ".join(f"{n} in {name!r}" for name, n in list(counts.items())[:4])
            expected = "have the same number of rows in every layer"
            raise ValueError(checks.message("compare", "layers", expected, seen))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer."""
        return {name: tuple(int(k) for k in X.shape) for name, X in self._arrays.items()}

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of every layer, by name."""
        return {name: str(np.dtype(X.dtype)) for name, X in self._arrays.items()}

    def sliced(self, layer: str) -> Any:
        """Return what gives rows of a layer by slices."""
        return self._arrays[layer]

    def __getitem__(self, layer: str) -> Array:
        X = self._arrays[layer]
        return np.asarray(X[:] if _out_of_core(X) else array.to_numpy(X))

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def same(a: Side, b: Side | None) -> bool:
    """Whether a set of layers is compared with itself."""
    if isinstance(a, str | Path) and isinstance(b, str | Path):
        return Path(a) == Path(b)
    return b is None or b is a


def names(given: tuple[str, str] | None, a: Side, b: Side | None) -> tuple[str, str]:
    """Return what the sides are called: one name twice only if they are the same."""
    if given is not None:
        if isinstance(given, str) or len(given) != 2:
            raise ValueError(checks.message("compare", "names", "be a pair of names", repr(given)))
        return str(given[0]), str(given[1])
    if b is None or same(a, b):
        return _name(a, "a"), _name(a, "a")
    found = _name(a, "a"), _name(b, "b")
    if found[0] != found[1]:
        return found
    if isinstance(a, str | Path) and isinstance(b, str | Path):
        return str(a), str(b)  # acts.npz of one folder and acts.npz of another
    return f"{found[0]} (a)", f"{found[1]} (b)"


def _name(side: Side, fallback: str) -> str:
    if isinstance(side, str | Path):
        return Path(side).stem
    known = side.provenance if isinstance(side, Activations) else {}
    return str(known.get("name", fallback))


def call(a: Side, b: Side | None) -> str:
    """Return the sides as a call of `compare` names them, files by their names."""
    named = [("a", a), *([] if b is None else [("b", b)])]
    return ", ".join(
        repr(Path(side).name) if isinstance(side, str | Path) else name for name, side in named
    )


class Matrices(Mapping[str, Array]):
    """The layers of a side as checked (n, p) matrices in a dtype that can be computed with.

    Layers of more dimensions are flattened: every position of every channel is a feature. A layer
    of shape (n,) is one feature. Arrays that lie in host memory are seen as NumPy arrays, without a
    copy, so that both sides agree. Layers of a store are read when they are asked for, and not
    kept.

    Parameters
    ----------
    layers : mapping of str to array (n, ...)
    name : str
        What the side is called in messages.
    """

    def __init__(self, layers: Mapping[str, Array], name: str) -> None:
        self._layers, self._name = layers, name
        self._held: dict[str, Array] = {}
        if not isinstance(layers, Lazy):
            self._held = {layer: self._checked(layer, X) for layer, X in layers.items()}

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Samples and features of every layer, without reading any."""
        if isinstance(self._layers, Lazy):
            known = self._layers.shapes
            return {name: (known[name][0], math.prod(known[name][1:])) for name in self._layers}
        return {name: (int(X.shape[0]), int(X.shape[1])) for name, X in self._held.items()}

    @property
    def itemsize(self) -> int:
        """The largest number of bytes of an entry that is computed with."""
        if isinstance(self._layers, Lazy):
            return 4 if all(kind in _SINGLE for kind in self._layers.dtypes.values()) else 8
        return max(array.itemsize(X) for X in self._held.values())

    @property
    def stored(self) -> bool:
        """Whether the layers lie on disk."""
        return isinstance(self._layers, Lazy)

    @property
    def sample(self) -> Array:
        """A few entries of the library and on the device of the layers."""
        return next((X[:1, :] for X in self._held.values()), np.zeros((1, 1), np.float32))

    @property
    def homes(self) -> dict[str, None]:
        """The libraries and devices of the layers."""
        held = list(self._held.values()) or [np.empty(0)]
        return {f"{array.libraries([X])} on {array.device(X)}": None for X in held}

    def __getitem__(self, layer: str) -> Array:
        if layer in self._held:
            return self._held[layer]
        return self._checked(layer, self._layers[layer])

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def part(self, layers: Sequence[str]) -> "Matrices":
        """Return some of the layers, for a task that needs no others."""
        held = self._layers
        if isinstance(held, Lazy):
            return Matrices(Part(held, layers), self._name)
        return Matrices({layer: self._held[layer] for layer in layers}, self._name)

    def rows(self, part: slice) -> "Matrices":
        """Return some samples of layers that are in memory, for a task that needs no others."""
        return Matrices({layer: X[part, :] for layer, X in self._held.items()}, self._name)

    def sliced(self, layer: str) -> "Sliced | Array":
        """Return what gives rows of a layer by slices."""
        if layer in self._held:
            return self._held[layer]
        assert isinstance(self._layers, Lazy)  # noqa: S101
        return Sliced(self._layers.sliced(layer), self.shapes[layer])

    def identity(self, layers: Sequence[str]) -> str:
        """Return a checksum of what the layers hold."""
        if isinstance(self._layers, Lazy) and self._layers.checksum is not None:
            return f"{self._layers.checksum} {' '.join(layers)}"
        digest = hashlib.sha256()
        for layer in layers:
            X = array.to_numpy(self[layer])
            digest.update(f"{layer}{X.shape}{X.dtype}".encode())
            digest.update(np.ascontiguousarray(X).data)
        return digest.hexdigest()

    def _checked(self, layer: str, X: Array) -> Array:
        return checks.representation("compare", f"{self._name}[{layer!r}]", array.host(_flat(X)))


# What is computed with in single precision.
_SINGLE = frozenset({"float16", "bfloat16", "float32"})


class Sliced:
    """Rows of a layer that is not held in memory, flattened and in a dtype to compute with."""

    def __init__(self, rows: Any, shape: tuple[int, int]) -> None:
        self._rows, self.shape = rows, shape

    def __getitem__(self, part: slice) -> Array:
        return array.lift(_flat(np.asarray(self._rows[part])))


def one_home(*sides: Matrices) -> None:
    """Check that all layers are of one library and on one device, for any two of them meet."""
    homes = {home: None for side in sides for home in side.homes}
    if len(homes) > 1:
        raise TypeError(
            checks.message(
                "compare",
                "a` and `b",
                "be of one library and on one device",
                " and ".join(homes),
                "Move one of them, or extract with device='cpu': visavis never moves data.",
            )
        )


def _flat(X: Array) -> Array:
    if X.ndim == 2:
        return X
    return array.namespace(X).reshape(X, (X.shape[0], math.prod(X.shape[1:])))
