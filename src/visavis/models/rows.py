"""Rows: who the samples of a pass are, by the caller's ids and by a fingerprint of the input."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array

Ids: TypeAlias = str | Sequence[Any] | Callable[[Any], Sequence[Any]] | None


class Kept:
    """Which rows of a pass are kept: every k-th, from a random one on, up to a number of them.

    Parameters
    ----------
    where : str
        The public function, for messages.
    every : int
        Keep one of so many rows.
    limit : int, optional
        Keep at most so many.
    seed : int
        Draws the first row that is kept, from 0 to `every` - 1.
    """

    def __init__(self, where: str, *, every: int, limit: int | None, seed: int) -> None:
        for name, value in (("every", every), ("max_rows", 1 if limit is None else limit)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                expected = "be a positive integer"
                raise ValueError(checks.message(where, name, expected, repr(value)))
        self._every, self._limit = every, limit
        self._start = int(np.random.default_rng(seed).integers(every))
        self._seen = 0
        self.chosen: list[int] = []

    @property
    def all(self) -> bool:
        """Whether no row is left out."""
        return self._every == 1 and self._limit is None

    @property
    def full(self) -> bool:
        """Whether no further row will be kept."""
        return self._limit is not None and len(self.chosen) >= self._limit

    def rows(self, n: int) -> np.ndarray | None:
        """Return which of the next `n` rows are kept, counted within them; None for all."""
        if self.all:
            return None
        first = (self._start - self._seen) % self._every
        room = n if self._limit is None else self._limit - len(self.chosen)
        return np.arange(first, n, self._every)[: max(0, room)]

    def advance(self, n: int) -> None:
        """Go on after `n` rows."""
        chosen = self.rows(n)
        if chosen is not None:
            self.chosen += (chosen + self._seen).tolist()
        self._seen += n


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
    groups : list or None
        The sample that each row belongs to, where a sample gives several.
    """

    def __init__(self, where: str, ids: Ids) -> None:
        self._where = where
        self._seen: set[Any] = set()
        self._source = ids
        self._given = None if ids is None or isinstance(ids, str) or callable(ids) else _plain(ids)
        self._claim(self._given or ())
        self.ids: list[Any] | None = None if ids is None else []
        self.digests: list[str] = []
        self.groups: list[Any] | None = None

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

    def finish(self, counts: Sequence[int] | None, kept: Kept) -> None:
        """End with what each row is: a sample, or a place in one where `counts` says how many.

        Raises if more ids were given than rows came.
        """
        if self._given is not None and not kept.full and len(self._given) != len(self.digests):
            expected = f"have one entry per row ({len(self.digests)})"
            raise ValueError(checks.message(self._where, "ids", expected, f"{len(self._given)}"))

        if counts is not None:
            self._expand(counts)
        if not kept.all:
            self.digests = [self.digests[row] for row in kept.chosen]
            self.ids = self.ids and [self.ids[row] for row in kept.chosen]
            self.groups = self.groups and [self.groups[row] for row in kept.chosen]

    def _expand(self, counts: Sequence[int]) -> None:
        """Turn samples into their places: an id becomes (id, place)."""
        samples: Sequence[Any] = range(len(self.digests)) if self.ids is None else self.ids
        places = [(row, place) for row, k in enumerate(counts) for place in range(k)]
        self.groups = [samples[row] for row, _ in places]
        self.ids = self.ids and [(samples[row], place) for row, place in places]
        self.digests = [f"{self.digests[row]}.{place}" for row, place in places]

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
