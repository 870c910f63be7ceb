"""Rows: who the samples of a pass are, by the caller's ids and by a fingerprint of the input."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array

Ids: TypeAlias = str | Sequence[Any] | Callable[[Any], Sequence[Any]] | None


class Rows:
    """The ids and digests of the rows of one pass, checked as they come.

    Parameters
    ----------
    where : str
        The public function, for messages.
    ids : str, sequence, callable or None
        See `visavis.extract`.

    Attributes
    ----------
    ids : list or None
        The id of every row so far.
    digests : list of str
        The fingerprint of every row so far.
    """

    def __init__(self, where: str, ids: Ids) -> None:
        self._where = where
        self._seen: set[Any] = set()
        self._source = ids
        self._given = None if ids is None or isinstance(ids, str) or callable(ids) else _plain(ids)
        self._claim(self._given or ())
        self.ids: list[Any] | None = None if ids is None else []
        self.digests: list[str] = []

    @property
    def key(self) -> str | None:
        """The key of a batch under which its ids stand."""
        return self._source if isinstance(self._source, str) else None

    @property
    def by_position(self) -> bool:
        """Whether ids were given in advance, in the order of the rows."""
        return self._given is not None

    def add(self, batch: Any, n: int, arrays: Iterable[Array]) -> None:
        """Add the `n` rows of `batch`, whose model input is `arrays`."""
        if self.ids is not None:
            found = self._ids_of(batch, n)
            if len(found) != n:
                expected = f"have one entry per row ({len(self.ids) + n} and more)"
                raise ValueError(
                    checks.message(self._where, "ids", expected, f"{len(self.ids) + len(found)}")
                )
            self.ids.extend(found)
        self.digests.extend(digests(arrays, n))

    def finish(self) -> None:
        """Raise if more ids were given than rows came."""
        if self._given is not None and len(self._given) != len(self.digests):
            expected = f"have one entry per row ({len(self.digests)})"
            raise ValueError(checks.message(self._where, "ids", expected, f"{len(self._given)}"))

    def _ids_of(self, batch: Any, n: int) -> list[Any]:
        if self._given is not None:
            return self._given[len(self.digests) : len(self.digests) + n]
        if callable(self._source):
            found = _plain(self._source(batch))
        elif isinstance(batch, Mapping) and self._source in batch:
            found = _plain(batch[self._source])
        else:
            keys = f"a mapping with {', '.join(map(str, batch))}"
            raise TypeError(
                checks.message(
                    self._where,
                    "ids",
                    f"name a key of the batch, as {self._source!r} should",
                    keys if isinstance(batch, Mapping) else f"a {type(batch).__name__}",
                    "Take them from the batch yourself: ids=lambda batch: ...",
                )
            )
        self._claim(found)
        return found

    def _claim(self, ids: Iterable[Any]) -> None:
        for identity in ids:
            if identity in self._seen:
                raise ValueError(
                    checks.message(
                        self._where,
                        "ids",
                        "be unique",
                        f"{identity!r} more than once",
                        "Rows are matched by id, so a repeated id would pair a row with a wrong "
                        "one.",
                    )
                )
            self._seen.add(identity)


def digests(arrays: Iterable[Array], n: int) -> list[str]:
    """Return for each of `n` rows a fingerprint of its part of `arrays`.

    Arrays without `n` rows (a table shared by all samples) do not count.
    """
    hosted = (array.to_numpy(x) for x in arrays if x.ndim > 0 and x.shape[0] == n)
    # Text and objects are left out: their bytes are padding and addresses.
    parts = [_bytes(x) for x in hosted if x.dtype.kind not in "OSU"]
    fingerprints = []
    for row in range(n):
        fingerprint = hashlib.blake2b(digest_size=8)
        for part in parts:
            fingerprint.update(part[row])
        fingerprints.append(fingerprint.hexdigest())
    return fingerprints


def _bytes(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).reshape(x.shape[0], -1).view(np.uint8)


def _plain(ids: Sequence[Any]) -> list[Any]:
    # Tensors hash by identity, so an id left in one would never be found again.
    if array.is_array(ids):
        ids = array.to_numpy(ids).tolist()
    return [identity.item() if hasattr(identity, "item") else identity for identity in ids]
