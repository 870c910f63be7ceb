"""Rows: who the samples of a pass are, by the caller's ids and by a fingerprint of the input."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

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
        self._seen = self._kept = 0

    @property
    def full(self) -> bool:
        """Whether no further row will be kept."""
        return self._limit is not None and self._kept >= self._limit

    def rows(self, n: int) -> np.ndarray | None:
        """Return which of the next `n` rows are kept, counted within them; None for all."""
        if self._every == 1 and self._limit is None:
            return None
        first = (self._start - self._seen) % self._every
        room = n if self._limit is None else self._limit - self._kept
        return np.arange(first, n, self._every)[: max(0, room)]

    def advance(self, n: int) -> None:
        """Go on after `n` rows."""
        chosen = self.rows(n)
        self._kept += n if chosen is None else len(chosen)
        self._seen += n


class Labelled(NamedTuple):
    """Who the rows of one batch are.

    Parameters
    ----------
    batch : int
        The place of the batch in the loader.
    samples, total : int
        How many samples it has, and how many rows they gave.
    counts : tuple of int or None
        How many rows each sample gave; None if one each.
    chosen : ndarray or None
        Which of the rows are kept; None for all.
    ids, digests, groups : list or None
        Of the rows that are kept; see `visavis.Activations`.
    fingerprint : str
        Of the input of the whole batch.
    """

    batch: int
    samples: int
    total: int
    counts: tuple[int, ...] | None
    chosen: np.ndarray | None
    ids: list[Any] | None
    digests: list[str]
    groups: list[Any] | None
    fingerprint: str


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
    ids, digests, groups : list or None
        Of the rows that were kept so far; see `visavis.Activations`.
    samples : int
        How many samples came so far.
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
        self.samples = 0
        self._batch: tuple[list[Any] | None, list[str]] = (None, [])

    @property
    def key(self) -> str | None:
        """The key of a batch under which its ids stand."""
        return self._source if isinstance(self._source, str) else None

    @property
    def by_position(self) -> bool:
        """Whether ids were given in advance, in the order of the rows."""
        return self._given is not None

    def add(
        self, batch: Any, n: int, arrays: Iterable[Array], owners: np.ndarray | None = None
    ) -> None:
        """Look at the `n` samples of `batch`, whose model input is `arrays`.

        With `owners`, a sample is all rows that are its own: those where `owners` is its place.
        """
        found = None if self.ids is None else self._ids_of(batch, n)
        if found is not None and len(found) != n:
            expected = f"have one entry per row ({self.samples + n} and more)"
            raise ValueError(
                checks.message(self._where, "ids", expected, f"{self.samples + len(found)}")
            )
        self._batch = found, digests(arrays, n, owners)

    def skip(self, n: int) -> None:
        """Pass by the `n` samples of a batch that another worker takes."""
        self.samples += n

    def label(self, index: int, counts: tuple[int, ...] | None, kept: Kept) -> Labelled:
        """Say who the rows of the batch are, now that it is known how many each sample gave."""
        ids, prints = self._batch
        samples = len(prints)
        fingerprint = hashlib.blake2b("".join(prints).encode(), digest_size=16).hexdigest()
        groups = None
        if counts is not None:
            known: Sequence[Any] = (
                range(self.samples, self.samples + samples) if ids is None else ids
            )
            places = [(row, place) for row, k in enumerate(counts) for place in range(k)]
            groups = [known[row] for row, _ in places]
            ids = None if ids is None else [(ids[row], place) for row, place in places]
            prints = [f"{prints[row]}.{place}" for row, place in places]
        total = len(prints)
        chosen = kept.rows(total)
        if chosen is not None:
            prints = [prints[row] for row in chosen]
            ids = None if ids is None else [ids[row] for row in chosen]
            groups = None if groups is None else [groups[row] for row in chosen]
        labelled = Labelled(index, samples, total, counts, chosen, ids, prints, groups, fingerprint)
        self.samples += samples
        kept.advance(total)
        self.digests += prints
        self.ids = None if self.ids is None or ids is None else [*self.ids, *ids]
        self.groups = groups if self.groups is None else self.groups + (groups or [])
        return labelled

    def finish(self, kept: Kept) -> None:
        """Raise if more ids were given than samples came."""
        if self._given is not None and not kept.full and len(self._given) != self.samples:
            expected = f"have one entry per row ({self.samples})"
            raise ValueError(checks.message(self._where, "ids", expected, f"{len(self._given)}"))

    def _ids_of(self, batch: Any, n: int) -> list[Any]:
        if self._given is not None:
            return self._given[self.samples : self.samples + n]
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


def digests(arrays: Iterable[Array], n: int, owners: np.ndarray | None = None) -> list[str]:
    """Return for each of `n` samples a fingerprint of its part of `arrays`.

    Arrays without a row for each sample (a table shared by all samples), or for each owner, do not
    count.
    """
    rows = n if owners is None else owners.size
    hosted = (array.to_numpy(x) for x in arrays if x.ndim > 0 and x.shape[0] == rows)
    # Text and objects are left out: their bytes are padding and addresses.
    parts = [_bytes(x) for x in hosted if x.dtype.kind not in "OSU"]
    fingerprints = []
    for row in range(n):
        fingerprint = hashlib.blake2b(digest_size=8)
        for part in parts:
            fingerprint.update(part[row] if owners is None else part[owners == row].tobytes())
        fingerprints.append(fingerprint.hexdigest())
    return fingerprints


def _bytes(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).reshape(x.shape[0], -1).view(np.uint8)


def _plain(ids: Sequence[Any]) -> list[Any]:
    # Tensors hash by identity, so an id left in one would never be found again.
    if array.is_array(ids):
        ids = array.to_numpy(ids).tolist()
    return [identity.item() if hasattr(identity, "item") else identity for identity in ids]
