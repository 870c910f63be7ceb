"""Data: texts and images from files, in batches that a model takes, with ids."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core import checks
from visavis._core.extras import require

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TEXT_SUFFIXES = (".txt", ".jsonl")
ID = "id"


@dataclass(frozen=True)
class Texts:
    """Texts as batches of token ids and masks, for models of Hugging Face and alike.

    Parameters
    ----------
    texts : sequence of str
        The samples.
    tokenizer : callable
        A tokenizer of ``transformers``, or what is called like one. Without a padding token of its
        own the end of text stands in; the mask says where.
    ids : sequence, optional
        The identity of each text; its place without them.
    batch_size : int
        Texts of a batch, each padded to the longest in it.
    max_length : int, optional
        Cut longer texts to so many tokens; by default to what the tokenizer says.

    Notes
    -----
    A batch is a mapping with ``input_ids``, ``attention_mask``, ``special_tokens_mask`` and
    ``id``: ``visavis.extract(model, Texts(...), layers="blocks", pool="mean", ids="id")``.
    """

    texts: Sequence[str]
    tokenizer: Any
    ids: Sequence[Any] | None = None
    batch_size: int = 32
    max_length: int | None = None

    @property
    def samples(self) -> int:
        """Number of texts."""
        return len(self.texts)

    def __len__(self) -> int:
        return math.ceil(len(self.texts) / self.batch_size)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        padded = self.tokenizer
        if getattr(padded, "pad_token", "") is None:
            # GPT and its kin: the caller's tokenizer stays as it is.
            from copy import deepcopy

            padded = deepcopy(padded)
            padded.pad_token = padded.eos_token
        known = self.ids if self.ids is not None else range(len(self.texts))
        for start in range(0, len(self.texts), self.batch_size):
            batch = padded(
                list(self.texts[start : start + self.batch_size]),
                padding=True,
                truncation=True,
                max_length=self.max_length,
                return_special_tokens_mask=True,
                return_tensors="np",
            )
            yield {**batch, ID: list(known[start : start + self.batch_size])}


@dataclass(frozen=True)
class Images:
    """Images of a folder as batches (b, 3, size, size) of float32.

    Parameters
    ----------
    files : sequence of Path
        The samples.
    ids : sequence of str
        The identity of each image: its path within the folder.
    size : int
        Shorter sides are scaled to it, and the middle square is taken.
    mean, std : tuple of float
        Of the red, green and blue values in [0, 1], taken from them and divided by; those of
        ImageNet by default.
    batch_size : int
        Images of a batch.
    """

    files: Sequence[Path]
    ids: Sequence[str]
    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    batch_size: int = 32

    @property
    def samples(self) -> int:
        """Number of images."""
        return len(self.files)

    def __len__(self) -> int:
        return math.ceil(len(self.files) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, list[str]]]:
        for start in range(0, len(self.files), self.batch_size):
            some = slice(start, start + self.batch_size)
            pixels = np.stack([self._pixels(path) for path in self.files[some]])
            yield pixels, list(self.ids[some])

    def _pixels(self, path: Path) -> np.ndarray:
        require("PIL", extra="images", purpose="images from a folder")
        from PIL import Image, ImageOps

        try:
            with Image.open(path) as image:
                square = ImageOps.fit(image.convert("RGB"), (self.size, self.size))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise ValueError(f"data: {path} cannot be read as an image: {error}.") from error
        values = np.asarray(square, dtype=np.float32) / 255
        mean, std = (np.asarray(each, dtype=np.float32) for each in (self.mean, self.std))
        scaled = (values - mean) / std
        return np.ascontiguousarray(scaled.transpose(2, 0, 1), dtype=np.float32)


def images(folder: str | Path, **options: Any) -> Images:
    """Return the images of a folder and of those in it, in the order of their paths.

    Parameters
    ----------
    folder : str or Path
        Where they are.
    **options
        See `Images`.

    Raises
    ------
    ValueError
        If there is none.
    """
    folder = Path(folder)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise ValueError(
            checks.message(
                "data", "DATA", f"hold images ({', '.join(IMAGE_SUFFIXES)})", f"none in {folder}"
            )
        )
    return Images(files, [path.relative_to(folder).as_posix() for path in files], **options)


def texts(path: str | Path, tokenizer: Any, **options: Any) -> Texts:
    """Return the texts of a file.

    Parameters
    ----------
    path : str or Path
        ``.txt``: a text on every line that is not empty. ``.jsonl``: on every line an object with a
        ``text`` and, in all or none, an ``id``.
    tokenizer : callable
        See `Texts`.
    **options
        See `Texts`.

    Raises
    ------
    ValueError
        Naming the line that is none, or where an id is missing.
    """
    path = Path(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".txt":
        kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        return Texts([line for _, line in kept], tokenizer, [n for n, _ in kept], **options)
    entries = [_entry(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    known = [ID in each for each in entries]
    if any(known) and not all(known):
        line = known.index(False) + 1
        raise ValueError(
            f"data: {path} must have an id in every entry or none, entry {line} lacks."
        )
    ids = [each[ID] for each in entries] if entries and all(known) else None
    return Texts([each["text"] for each in entries], tokenizer, ids, **options)


def _entry(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise ValueError(f"data: {path}, line {number} is no JSON: {error}.") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise ValueError(f'data: {path}, line {number} must be an object with a "text".')
    return entry
