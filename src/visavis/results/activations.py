"""Activations: the layers of one model on one set of samples, with the ids of the samples."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.results.finding import Finding


class Lazy(Mapping[str, Array]):
    """Layers that are read when they are asked for, of known shapes and dtypes."""

    @property
    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every layer."""

    @property
    @abstractmethod
    def dtypes(self) -> Mapping[str, str]:
        """The dtype of every layer, by name."""

    @property
    def checksum(self) -> str | None:
        """A checksum of everything, where it is known without reading it."""
        return None

    def sliced(self, layer: str) -> Any:
        """Return what gives rows of a layer by slices, without holding all of them."""
        return self[layer]


class Part(Lazy):
    """Some of the layers of others that are read when they are asked for."""

    def __init__(self, whole: Lazy, layers: Sequence[str]) -> None:
        self._whole, self._names = whole, tuple(layers)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer."""
        return {name: self._whole.shapes[name] for name in self._names}

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of every layer, by name."""
        return {name: self._whole.dtypes[name] for name in self._names}

    @property
    def checksum(self) -> str | None:
        """The checksum of the whole, of which these are a part."""
        return self._whole.checksum

    def sliced(self, layer: str) -> Any:
        """Return what gives rows of a layer by slices."""
        return self._whole.sliced(layer)

    def __getitem__(self, layer: str) -> Array:
        return self._whole[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Activations(Mapping[str, Array]):
    """An ordered mapping from layer name to an ``(n, ...)`` array, with sample ids.

    Parameters
    ----------
    layers : mapping of str to array, each (n, ...)
        Layers in execution order.
    ids : sequence of hashable, length n, optional
        The identity of each row. Without them rows are known by position only, and two sets of
        activations can be shown to correspond only by `digests`.
    digests : sequence of str, length n, optional
        A fingerprint of the model input behind each row, by which a loader that was shuffled
        between two passes is found out.
    groups : sequence of hashable, length n, optional
        The sample that each row belongs to, where a sample gives several rows (its tokens, or
        places in its image): these are not independent.
    shuffled : bool
        Whether the rows came in an order that another pass would not repeat.
    pool : str
        How a layer's output became a row, for the record: ``"none"``, ``"gap"`` ...
    findings : sequence of Finding
        What was noticed while the activations were made.
    provenance : mapping
        Where they come from: model, data, versions.

    Raises
    ------
    ValueError
        If the layers differ in their number of rows, or ids are too few or not unique.
    """

    def __init__(
        self,
        layers: Mapping[str, Array],
        *,
        ids: Sequence[Any] | Array | None = None,
        digests: Sequence[str] | None = None,
        groups: Sequence[Any] | Array | None = None,
        shuffled: bool = False,
        pool: str = "none",
        findings: Sequence[Finding] = (),
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        self._layers = layers if isinstance(layers, Lazy) else dict(layers)
        self.n = _rows(self._layers)
        self.ids = _ids("ids", ids, self.n, unique=True)
        self.digests = _ids("digests", digests, self.n, unique=False)
        self.groups = _ids("groups", groups, self.n, unique=False)
        self.shuffled = shuffled
        self.pool = pool
        self.findings = tuple(findings)
        self._provenance = dict(provenance or {})

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the activations come from, read-only."""
        return MappingProxyType(self._provenance)

    @property
    def layers(self) -> Mapping[str, Array]:
        """The layers alone; `Lazy` if they lie on disk."""
        return self._layers if isinstance(self._layers, Lazy) else MappingProxyType(self._layers)

    def __getitem__(self, layer: str) -> Array:
        try:
            return self._layers[layer]
        except KeyError:
            raise KeyError(f"{layer!r} is not among {list(self._layers)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        shapes = "".join(f"\n  {name}: {shape} {dtype}" for name, shape, dtype in self.described())
        known = f"ids {self.ids[0]!r} ... {self.ids[-1]!r}" if self.ids else "positions"
        return f"Activations of {self.n} samples ({known}), pool={self.pool}{shapes}"

    def described(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Return name, shape and dtype of every layer, without reading what lies on disk."""
        layers = self._layers
        if isinstance(layers, Lazy):
            return [(name, layers.shapes[name], layers.dtypes[name]) for name in layers]
        return [(name, tuple(X.shape), array.dtype_name(X)) for name, X in layers.items()]

    def replace(self, **changes: Any) -> "Activations":
        """Return a copy with the given constructor arguments changed."""
        arguments: dict[str, Any] = {
            "layers": self._layers,
            "ids": self.ids,
            "digests": self.digests,
            "groups": self.groups,
            "shuffled": self.shuffled,
            "pool": self.pool,
            "findings": self.findings,
            "provenance": self.provenance,
        }
        return Activations(**{**arguments, **changes})

    def take(self, rows: Sequence[int] | Array) -> "Activations":
        """Return the activations of the given row positions, in that order.

        Raises
        ------
        ValueError
            If `rows` are not positions from 0 to n − 1 (a mask is not), or an id would repeat.
        """
        positions = _positions(rows, self.n)
        taken = {}
        for name, X in self._layers.items():
            xp = array.namespace(X)
            index = xp.asarray(positions, device=array.device(X))
            taken[name] = xp.take(X, index, axis=0)
        return self.replace(
            layers=taken,
            ids=None if self.ids is None else [self.ids[i] for i in positions],
            digests=None if self.digests is None else [self.digests[i] for i in positions],
            groups=None if self.groups is None else [self.groups[i] for i in positions],
        )

    def select(self, layers: Sequence[str]) -> "Activations":
        """Return the activations of the given layers only, in the order given.

        Layers that lie on disk stay there.
        """
        if isinstance(self._layers, Lazy):
            lost = [name for name in layers if name not in self._layers]
            if lost:
                raise KeyError(f"{lost[0]!r} is not among {list(self._layers)}")
            return self.replace(layers=Part(self._layers, layers))
        return self.replace(layers={name: self[name] for name in layers})


def _rows(layers: Mapping[str, Array]) -> int:
    if not layers:
        raise ValueError(checks.message("Activations", "layers", "hold at least one layer", "none"))
    if isinstance(layers, Lazy):
        return next(iter(layers.shapes.values()))[0]
    for name, X in layers.items():
        if not array.is_array(X) or X.ndim < 1:
            raise TypeError(
                checks.message(
                    "Activations",
                    f"layers[{name!r}]",
                    "be an array (n, ...)",
                    type(X).__name__ if not array.is_array(X) else "a 0-d array",
                )
            )
    counts = {name: int(X.shape[0]) for name, X in layers.items()}
    first, n = next(iter(counts.items()))
    for name, rows in counts.items():
        if rows != n:
            raise ValueError(
                checks.message(
                    "Activations",
                    "layers",
                    "have the same number of rows",
                    f"{n} in {first!r} and {rows} in {name!r}",
                    "Every layer must describe the same samples.",
                )
            )
    return n


def _positions(rows: Sequence[int] | Array, n: int) -> np.ndarray:
    wanted = array.to_numpy(rows) if array.is_array(rows) else np.asarray(list(rows))
    if not wanted.size:
        return np.zeros(0, np.intp)
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
        seen = f"{wanted.ndim}-D {wanted.dtype}"
    elif wanted.min() >= 0 and wanted.max() < n:
        return wanted.astype(np.intp)  # always a copy, for PyTorch wants to be able to write
    else:
        seen = f"{wanted.min()} ... {wanted.max()}"
    raise ValueError(
        checks.message(
            "Activations.take",
            "rows",
            f"be positions from 0 to {n - 1}",
            seen,
            "Of a mask take numpy.flatnonzero(mask).",
        )
    )


def _ids(
    name: str, values: Sequence[Any] | Array | None, n: int, *, unique: bool
) -> tuple[Any, ...] | None:
    if values is None:
        return None
    listed: Sequence[Any] = values
    if array.is_array(values):
        host = array.to_numpy(values)
        if host.ndim != 1:
            raise ValueError(checks.message("Activations", name, "be 1-D", f"shape {host.shape}"))
        listed = host.tolist()
    # A tensor of one number hashes by identity, so as an id it would never be found again.
    ids = tuple(each.item() if hasattr(each, "item") else each for each in listed)
    if len(ids) != n:
        raise ValueError(
            checks.message("Activations", name, f"have one entry per row ({n})", f"{len(ids)}")
        )
    if unique and len(set(ids)) != n:
        seen: set[Any] = set()
        repeated = next(i for i in ids if i in seen or seen.add(i))
        raise ValueError(
            checks.message(
                "Activations",
                name,
                "be unique",
                f"{repeated!r} {ids.count(repeated)} times ({n - len(set(ids))} repeats in all)",
                "Rows are matched by id, so a repeated id would pair a row with a wrong one.",
            )
        )
    return ids
